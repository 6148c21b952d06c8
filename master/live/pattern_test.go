package live

import (
	"strings"
	"testing"
)

func TestPatternMatch(t *testing.T) {
	for _, c := range []struct {
		pattern, path string
		want          bool
	}{
		{"metrics/*", "metrics/web-1/load/average-1", true},
		{"metrics/*", "metrics/", true},
		{"metrics/*", "metrics", false},
		{"metrics/*", "hosts/metrics/a", false},
		{"metrics/web-1/*", "metrics/web-1/load/average-1", true},
		{"metrics/web-1/*", "metrics/web-10/load/average-1", false},
		{"metrics/*/load/*", "metrics/web-1/load/average-1", true},
		{"metrics/*/load/*", "metrics/web-1/memory/load", false},
		{"metrics/*/load/*", "metrics/load/load/x", true},
		{"*/average-1", "metrics/web-1/load/average-1", true},
		{"*/average-1", "metrics/web-1/load/average-15", false},
		{"*", "anything/at/all", true},
		{"**", "", true},
		{"metrics/a/b", "metrics/a/b", true},
		{"metrics/a/b", "metrics/a/bc", false},
		{"a*a", "a", false}, // the two ends may not be one letter
		{"a*a", "aa", true},
		{"*ab*ab*", "xabxabx", true},
		{"*ab*ab*", "xabx", false},
		{"metrics/?/[a-z].*", "metrics/?/[a-z].x", true}, // no other wildcards
	} {
		p, err := ParsePattern(c.pattern)
		if err != nil {
			t.Fatalf("ParsePattern(%q): %v", c.pattern, err)
		}
		if got := p.Match(c.path); got != c.want {
			t.Errorf("%q matches %q: %v, want %v", c.pattern, c.path, got, c.want)
		}
	}
}

func TestParsePatternRefuses(t *testing.T) {
	for pattern, want := range map[string]string{
		"":                        "empty",
		strings.Repeat("a", 1000): "1000 bytes long; at most 512",
		"metrics/\x00":            `'\x00' at byte 8`,
		"metrics/\xff":            "at byte 8",
	} {
		if _, err := ParsePattern(pattern); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParsePattern(%q) = %v, want an error with %q", pattern, err, want)
		}
	}
}

// FuzzPattern compares the matcher with the plain definition of a star.
func FuzzPattern(f *testing.F) {
	f.Add("metrics/*/load/*", "metrics/a/load/b")
	f.Add("*a*", "bab")
	f.Fuzz(func(t *testing.T, pattern, path string) {
		p, err := ParsePattern(pattern)
		if err != nil || strings.Count(pattern, "*") > 4 || len(path) > 40 {
			return
		}
		if got, want := p.Match(path), starMatch(pattern, path); got != want {
			t.Errorf("%q matches %q: %v, want %v", pattern, path, got, want)
		}
	})
}

func starMatch(pattern, path string) bool {
	if pattern == "" {
		return path == ""
	}
	if pattern[0] != '*' {
		return path != "" && path[0] == pattern[0] && starMatch(pattern[1:], path[1:])
	}
	for i := 0; i <= len(path); i++ {
		if starMatch(pattern[1:], path[i:]) {
			return true
		}
	}
	return false
}

// A star in the place of the chart does not take in the product's own measurements;
// who names them gets them.
func TestPatternNames(t *testing.T) {
	for _, c := range []struct {
		pattern, host, key string
		want               bool
	}{
		{"metrics/*", "web-1", "load/average-1", true},
		{"metrics/*", "web-1", "vedette/inspector_success", false},
		{"*", "web-1", "vedette/inspector_success", false},
		{"metrics/web-1/*", "web-1", "vedette/inspector_success", false},
		{"metrics/*/*/inspector_success", "web-1", "vedette/inspector_success", false},
		{"metrics/*/vedette/*", "web-1", "vedette/inspector_success", true},
		{"metrics/web-1/vedette*", "web-1", "vedette/inspector_success", true},
		{"metrics/web-1/vedette/inspector_success", "web-1", "vedette/inspector_success", true},
		{"metrics/*/vedette/*", "web-1", "load/average-1", false},
		// A host of that name is no chart.
		{"metrics/vedette/*", "vedette", "load/average-1", true},
		{"metrics/vedette/*", "vedette", "vedette/inspector_success", false},
		{"metrics/*", "web-1", "vedettes/seen", true},
		{"metrics/*", "web-1", "vedette", true},
	} {
		if got := mustPattern(t, c.pattern).Names(c.host, c.key); got != c.want {
			t.Errorf("%s names %s of %s: %v, want %v", c.pattern, c.key, c.host, got, c.want)
		}
	}
}

// Of any other key, a pattern names what it matches, and nothing else.
func FuzzPatternNames(f *testing.F) {
	f.Add("metrics/*/load/*", "a", "load/b")
	f.Add("metrics/*/vedette/*", "a", "vedette/b")
	f.Fuzz(func(t *testing.T, text, host, key string) {
		p, err := ParsePattern(text)
		if err != nil {
			return
		}
		matches, names := p.Match("metrics/"+host+"/"+key), p.Names(host, key)
		if names && !matches {
			t.Errorf("%q names %q of %q, and does not match it", text, key, host)
		}
		if !strings.HasPrefix(key, "vedette/") && names != matches {
			t.Errorf("%q matches %q of %q: %v, and names it: %v", text, key, host, matches, names)
		}
	})
}
