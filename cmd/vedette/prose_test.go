package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// stumbling are ways of writing that readers stumble over; CONTRIBUTING.md says how
// to write instead.
func stumbling() map[string]*regexp.Regexp {
	return map[string]*regexp.Regexp{
		`write "must", "should" or "will"`:                     regexp.MustCompile(`(?i)\bshall\b`),
		`write "such as"`:                                      regexp.MustCompile(", as (?:`|\"|[0-9/])"),
		`write "its own …" or "a separate …"`:                  regexp.MustCompile(`\bof (?:its|their|your|his|her|our) own\b`),
		`name the subject instead of "what"`:                   regexp.MustCompile(`(?:^|[.;:|] +)What (?:is|are|was|were|has|had) [^?]*(?:\.|$)`),
		`name the subject instead of "who"`:                    regexp.MustCompile(`(?:^|[.;:|] +)Who (?:has|have|is|was) [^?]*(?:\.|$)`),
		`write "needs root"`:                                   regexp.MustCompile(`(?i)\btakes? root\b`),
		`write "is stripped of"`:                               regexp.MustCompile(`(?i)\b(?:is|are) (?:also )?taken what\b`),
		`write "not measured for", or put the noun in between`: regexp.MustCompile(`(?i)\bnot measured of\b`),
	}
}

// quoted is what a document quotes, such as an example of how not to write.
var quoted = regexp.MustCompile(`"[^"]*"`)

// TestProse holds the worst of what CONTRIBUTING.md says about prose.
func TestProse(t *testing.T) {
	t.Parallel()
	for _, file := range documents(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		fence := false
		for i, line := range strings.Split(string(text), "\n") {
			if strings.HasPrefix(strings.TrimSpace(line), "```") {
				fence = !fence
			}
			if fence || strings.HasPrefix(line, "    ") || strings.HasPrefix(line, "#") {
				continue
			}
			for remedy, bad := range stumbling() {
				found := bad.FindString(line)
				if found == "" || quoted.MatchString(line) && bad.FindString(quoted.ReplaceAllString(line, `""`)) == "" {
					continue
				}
				if strings.Contains(line, "no fault of its own") {
					continue
				}
				t.Errorf("%s:%d: %q: %s", file, i+1, strings.TrimSpace(found), remedy)
			}
		}
	}
}

// The rules find what they are for, and leave ordinary sentences alone.
func TestProseRules(t *testing.T) {
	t.Parallel()
	matches := func(line string) (n int) {
		for _, bad := range stumbling() {
			if bad.MatchString(line) {
				n++
			}
		}
		return n
	}
	for _, line := range []string{
		"It takes a size, as `10GiB`.", "The key is a path, as \"load/average-1\".", "It runs in a process of its own.",
		"Hosts shall trust it.", "What is due together goes as one batch.", "It waits. What was dropped is counted.",
		"Who has not seen the entry gets a conflict.", "The child is also taken what it does not need.", "What takes root, the agent does.",
	} {
		if matches(line) != 1 {
			t.Errorf("%d rules find %q", matches(line), line)
		}
	}
	for _, line := range []string{
		"It takes a size such as `10GiB`.", "It runs as root, as the kernel needs it.", "It runs in its own process.",
		"The master says what is wrong.", "What is an inspector?", "The host that has it is the one who is asked.",
	} {
		if matches(line) != 0 {
			t.Errorf("%d rules find %q", matches(line), line)
		}
	}
}
