package live

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

const maxPatternBytes = 512

// Pattern selects paths. "*" stands for any run of characters, including "/" and
// the empty run; everything else stands for itself. A pattern matches a whole
// path.
type Pattern struct {
	text  string
	parts []string // between the stars: at least one
}

// ParsePattern checks a pattern.
func ParsePattern(text string) (Pattern, error) {
	switch {
	case text == "":
		return Pattern{}, errors.New("the pattern is empty; metrics/* is every metric")
	case len(text) > maxPatternBytes:
		return Pattern{}, fmt.Errorf("the pattern is %d bytes long; at most %d are allowed", len(text), maxPatternBytes)
	}
	for i, r := range text {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return Pattern{}, fmt.Errorf("the pattern %q has %q at byte %d", text, r, i)
		}
	}
	return Pattern{text: text, parts: strings.Split(text, "*")}, nil
}

// String returns the pattern as it was written.
func (p Pattern) String() string { return p.text }

// ownChart is the first segment of the keys of the product's own measurements.
const ownChart = "vedette"

// Names reports whether the pattern matches the path of a sample explicitly. If
// the chart is the product's own, a star in its place is not enough: a subscriber
// to everything does not ask for the cost of measuring.
func (p Pattern) Names(host, key string) bool {
	path := metricPath(host, key)
	rest, own := strings.CutPrefix(key, ownChart+"/")
	if !own || !p.Match(path) {
		return p.Match(path)
	}
	// No pattern has a zero byte, so only a star can match it.
	return !p.Match(metricPath(host, "\x00/"+rest))
}

func metricPath(host, key string) string { return "metrics/" + host + "/" + key }

// Match reports whether the whole path matches. The middle parts are matched at
// their first place, which is enough, because the following parts may begin
// anywhere later.
func (p Pattern) Match(path string) bool {
	last := len(p.parts) - 1
	if last == 0 {
		return path == p.text
	}
	rest, ok := strings.CutPrefix(path, p.parts[0])
	if !ok {
		return false
	}
	for _, part := range p.parts[1:last] {
		_, after, found := strings.Cut(rest, part)
		if !found {
			return false
		}
		rest = after
	}
	return strings.HasSuffix(rest, p.parts[last])
}
