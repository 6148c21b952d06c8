package cli

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestWrapped(t *testing.T) {
	for in, want := range map[string]string{
		"short\n": "short\n",
		"web-1: disk has been failing for 5h\n    cannot read it: no such device\n": "web-1: disk has been\n    failing for 5h\n" +
			"    cannot read it: no\n    such device\n",
		"  web-1: refused: it takes no code\n":    "  web-1: refused: it\n    takes no code\n",
		"host   web-1 is up since today\n":        "host   web-1 is up\n       since today\n",
		"a https://example.org/a/long/path b c\n": "a\n    https://example.org/a/long/path\n    b c\n",
	} {
		var out strings.Builder
		w := Wrapped(&out, 22)
		for _, r := range in { // a line may arrive in pieces
			if _, err := w.Write([]byte(string(r))); err != nil {
				t.Fatal(err)
			}
		}
		if out.String() != want {
			t.Errorf("%q: got\n%s\nwant\n%s", in, out.String(), want)
		}
	}
}

// Random texts and widths: every word is there in its order, and a line that is too wide is
// a single word.
func TestWrappedTextOfAnything(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	for range 500 {
		var in strings.Builder
		for range 1 + r.IntN(4) {
			in.WriteString(strings.Repeat(" ", r.IntN(3)*2))
			for range r.IntN(20) {
				in.WriteString(strings.Repeat([]string{"a", "é", "/"}[r.IntN(3)], 1+r.IntN(15)) + " ")
			}
			in.WriteString("\n")
		}
		most := 10 + r.IntN(60)
		var out strings.Builder
		if _, err := Wrapped(&out, most).Write([]byte(in.String())); err != nil {
			t.Fatal(err)
		}
		if got, want := strings.Join(strings.Fields(out.String()), " "), strings.Join(strings.Fields(in.String()), " "); got != want {
			t.Fatalf("seed %d: got\n%s\nof\n%s", seed, out.String(), in.String())
		}
		for line := range strings.Lines(out.String()) {
			if line = strings.TrimRight(line, " \n"); utf8.RuneCountInString(line) > most && len(strings.Fields(line)) > 1 {
				t.Fatalf("seed %d: %q is wider than %d:\n%s", seed, line, most, out.String())
			}
		}
	}
}
