package inspectors

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestQuote(t *testing.T) {
	for text, want := range map[string]string{
		"":                         `""`,
		"a\"b\\\n":                 `"a\"b\\\n"`,
		"\xef":                     `"\xef"`,
		strings.Repeat("a", 80):    strconv.Quote(strings.Repeat("a", 80)),
		strings.Repeat("a", 81):    strconv.Quote(strings.Repeat("a", 80)) + "…",
		strings.Repeat("€", 40):    strconv.Quote(strings.Repeat("€", 26)) + "…",
		strings.Repeat("\xff", 9):  `"` + strings.Repeat(`\xff`, 9) + `"`,
		strings.Repeat("\xff", 80): `"` + strings.Repeat(`\xff`, 30) + `"…`,
	} {
		if got := Quote(text); got != want {
			t.Errorf("%q is shown as %s, want %s", text, got, want)
		}
	}
}

func TestEscapeText(t *testing.T) {
	for _, c := range []struct {
		text string
		most int
		want string
	}{
		{"404 Not Found", 100, "404 Not Found"},
		{"a\x1b[1m\u202e\xff", 100, `a\x1b[1m\xe2\x80\xae\xff`},
		{`got "\xef" <b>`, 100, `got "\xef" <b>`},
		{"€€€", 7, "€€…"},
		{"ab\xff", 4, "ab…"},
	} {
		if got := EscapeText(c.text, c.most); got != c.want {
			t.Errorf("%q is shown as %s, want %s", c.text, got, c.want)
		}
	}
}

func TestShortenQuotes(t *testing.T) {
	noise := strings.Repeat("\xef", 300)
	for text, want := range map[string]string{
		"":               "",
		"plain":          "plain",
		`a "stray quote`: `a "stray quote`,
		"it\x1b":         `it\x1b`,
		fmt.Sprintf("got %q (%q)", "\xef", "INVALID"): `got "\xef" ("INVALID")`,
		fmt.Sprintf("parsing: %q at %q", noise, "x"):  "parsing: " + Quote(noise) + ` at "x"`,
	} {
		if got := ShortenQuotes(text, 400); got != want {
			t.Errorf("%q is shown as %s, want %s", text, got, want)
		}
	}
}

// Whatever bytes ParseProm reads, its errors are a short printable line with nothing escaped twice.
func TestParsePromOfNoise(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	heads := []string{"", "a ", "a{", `a{l="`, `a{l="\`, `a{l="v",`, "a 1 ", "# TYPE a ", `{"`, "a{b", `# TYPE "`}
	for range 2000 {
		noise := make([]byte, 1+r.IntN(300))
		for i := range noise {
			noise[i] = byte(r.Uint32())
		}
		text := heads[r.IntN(len(heads))] + string(noise)
		err := ParseProm(NewReport("x", time.UnixMilli(1)), []byte(text))
		if err == nil {
			continue
		}
		if fault := faultOfReason(err.Error()); fault != "" {
			t.Fatalf("seed %d: %q: the error is %s: %q", seed, text, fault, err)
		}
	}
}

var escapedTwice = regexp.MustCompile(`\\x5cx`)

// faultOfReason says what is wrong with the text of a reason, or "".
func faultOfReason(text string) string {
	switch {
	case !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r != utf8.RuneError && unprintable(r) }):
		return "unprintable"
	case len(text) > 400:
		return "long"
	case escapedTwice.MatchString(text):
		return "escaped twice"
	}
	return ""
}
