package cli

import (
	"bytes"
	"testing"
)

func TestScreen(t *testing.T) {
	var out bytes.Buffer
	s := Screen{Out: &out, Width: 8}
	for _, lines := range [][]string{{"one", "a long line"}, {"two"}} {
		if err := s.Show(lines); err != nil {
			t.Fatal(err)
		}
	}
	if want := "one\na long…\n\x1b[2A\r\x1b[Jtwo\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}
