package cli

import (
	"bytes"
	"testing"
)

func TestScreen(t *testing.T) {
	var out bytes.Buffer
	s := Screen{out: &out, size: func() (int, int) { return 8, 4 }}
	for _, lines := range [][]string{{"one", "a long line"}, {"two"}, {"1", "2", "3", "4"}} {
		if err := s.Show(lines); err != nil {
			t.Fatal(err)
		}
	}
	if want := "one\na long…\n\x1b[2A\r\x1b[Jtwo\n\x1b[1A\r\x1b[J1\n2\n… and …\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}
