package live

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

func TestPossible(t *testing.T) {
	for text, want := range map[string]bool{
		"*": true, "metrics/*": true, "metrics/web-1/load/average-1": true, "metrics/*/load/*": true, "*/average-1": true, "metrics/box/answer": true,
		"m*": true, "*s/*": true, "hosts/*": true, "hosts/web-1": true, "rollouts/7": true, "rollouts/*": true, "receipts/*/disk": true, "catalog/a/b": true,
		"metrics/*/*/*": true, "**": true,

		"load/*": false, "web-1/*": false, "metric/*": false, "Metrics/*": false, "metrics": false, "metrics/": false, "metrics/web-1": false,
		"metrics/web-1/":         false,
		"metrics/*/load average": false, "metrics/web 1/*": false, "metrics//load/*": false, "metrics/*/-x": false, "metrics/.x/*": false, "hosts/a/b": false,
		"rollouts/r1": false, "metrics/*/": false, "/metrics/*": false, "metrics/*/a//b": false, "metrics/*?": false, "alarms/*": false, "hosts": false,
	} {
		p, err := ParsePattern(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Possible(); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

// A pattern that matches some path is possible, whichever path and pattern; and
// one that is not possible matches none.
func TestPossibleIsWhatMatches(t *testing.T) {
	random := rand.New(rand.NewPCG(6, uint64(time.Now().UnixNano())))
	from := func(chars string) string { return string(chars[random.IntN(len(chars))]) }
	segment := func(first, rest string) string {
		text := from(first)
		for range random.IntN(4) {
			text += from(rest)
		}
		return text
	}
	const letters = "abAB01"
	host := func() string { return segment(letters, letters+"-_.") }
	key := func() string {
		text := segment(letters+"_", letters+"-_.:")
		for range random.IntN(3) {
			text += "/" + segment(letters+"_", letters+"-_.:")
		}
		return text
	}
	path := func() string {
		return []string{
			"metrics/" + host() + "/" + key(), "hosts/" + host(), "catalog/" + key(), "receipts/" + host() + "/" + key(),
			"rollouts/" + segment("012", "012"),
		}[random.IntN(5)]
	}
	impossible := 0
	for range 4000 {
		text := path()
		for range random.IntN(3) { // parts of it become stars
			i := random.IntN(len(text))
			j := min(len(text), i+random.IntN(6))
			text = text[:i] + "*" + text[j:]
		}
		p, err := ParsePattern(text)
		if err != nil {
			t.Fatal(err)
		}
		if !p.Possible() {
			t.Fatalf("%q matches a path, and is said to match none", text)
		}
		if random.IntN(2) == 0 { // a fault in it
			i := random.IntN(len(text))
			text = text[:i] + from("/ -.*x?") + text[i+random.IntN(2):]
		}
		if p, err = ParsePattern(text); err != nil || p.Possible() {
			continue
		}
		impossible++
		for range 50 {
			if other := path(); p.Match(other) {
				t.Fatalf("%q matches %q, and is said to match nothing", text, other)
			}
		}
	}
	if impossible < 100 {
		t.Errorf("only %d patterns were impossible", impossible)
	}
	if p, err := ParsePattern(strings.Repeat("*a", maxPatternBytes/2)); err != nil || !p.Possible() {
		t.Errorf("a long pattern: %v", err)
	}
}
