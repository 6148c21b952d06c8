package main

import (
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// stumbling matches phrases that readers stumble over; CONTRIBUTING.md says how to write
// instead.
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

// quoted matches quotations in a document, such as an example of how not to write.
var quoted = regexp.MustCompile(`"[^"]*"`)

// TestProse finds the worst of what CONTRIBUTING.md says about prose in documents.
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

// stumblingInComments matches phrases that comments must avoid.
func stumblingInComments() map[string]*regexp.Regexp {
	return map[string]*regexp.Regexp{
		`write "must", "should" or "will"`:          regexp.MustCompile(`(?i)\bshall\b`),
		`write "such as"`:                           regexp.MustCompile("(?:,|\\() ?as (?:`|\"|[0-9/])"),
		`write "its own …" or "a separate …"`:       regexp.MustCompile(`\bof (?:its|their|your|his|her|our) own\b`),
		`name the subject instead of "what"`:        regexp.MustCompile(`(?:(?:^|\. )What|[;:] what) (?:is|are|was|were|has|had|came|comes) [^?.]*\.`),
		`name the subject instead of "who"`:         regexp.MustCompile(`(?:^|[.;] )(?:Who|Whoever) (?:has|have|is|was) `),
		`write "except"`:                            regexp.MustCompile(`\bbut for\b`),
		`write "so that … not"`:                     regexp.MustCompile(`\blest\b`),
		`write "because"`:                           regexp.MustCompile(`, as (?:nobody|somebody|both|there|that|this|those|these|an?|each|no) (?:[a-z]+ )?(?:is|are|was|has|have|may|must|can|does)\b`),
		`make it two sentences, or write "whose …"`: regexp.MustCompile(`, (?:the \w+ )?of (?:which|whom)\b`),
		`write "from time to time"`:                 regexp.MustCompile(`\bby and by\b`),
		`write "at least"`:                          regexp.MustCompile(`\bno less than\b`),
	}
}

// plainFolders are the folders whose comments must be plain.
func plainFolders() []string {
	return []string{"agent/", "bench/", "cmd/", "config/", "docs/", "inspectors/", "internal/", "master/", "plugins/", "rpc/"}
}

// TestProseOfComments finds such phrases in comments.
func TestProseOfComments(t *testing.T) {
	t.Parallel()
	rules := stumblingInComments()
	checked := 0
	for name, text := range goFiles(t) {
		if text == "" || strings.HasSuffix(name, ".pb.go") ||
			!slices.ContainsFunc(plainFolders(), func(f string) bool { return strings.HasPrefix(name, f) }) {
			continue
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, name, text, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, group := range file.Comments {
			checked++
			for _, fault := range stumblesIn(group.Text(), rules) {
				t.Errorf("%s: %s", files.Position(group.Pos()), fault)
			}
		}
	}
	if checked < 12000 {
		t.Errorf("only %d comments are checked", checked)
	}
}

// stumblesIn finds such phrases in a comment, which may break its lines anywhere.
func stumblesIn(text string, rules map[string]*regexp.Regexp) (faults []string) {
	text = quoted.ReplaceAllString(strings.Join(strings.Fields(text), " "), `""`)
	for remedy, bad := range rules {
		if found := bad.FindString(text); found != "" {
			faults = append(faults, fmt.Sprintf("%.60q: %s", strings.TrimSpace(found), remedy))
		}
	}
	return faults
}

func TestProseOfCommentsRules(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"Size is a size, as 10 GiB.":                                               1,
		"It runs in a process of its\nown.":                                        1,
		"Drop removes the oldest. What was given\nout is not dropped.":             1,
		"Pages are of one host, but for\nthe first.":                               1,
		"It keeps a report, lest it be lost.":                                      1,
		"It panics, as that is a fault of the program.":                            1,
		"It returns nothing where the file is damaged, of which the log is\ntold.": 1,
		"Who has\nnot logged in is known by the address.":                          1,
		"Count is what an agent would leave behind.":                               0,
		"Field is its name, as it is on the wire.":                                 0,
		"It says what is wrong.":                                                   0,
		"Size is a size such as 10 GiB, and runs in its own process.":              0,
	} {
		if got := stumblesIn(text, stumblingInComments()); len(got) != want {
			t.Errorf("%q: %q", text, got)
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
