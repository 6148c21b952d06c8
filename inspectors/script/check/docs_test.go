package check_test

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/inspectors/script/check"
	"github.com/vedettehq/vedette/inspectors/script/symbols"
)

const manual = "../../../docs/inspectors.md"

var manualFlag = flag.Bool("manual", false, "write the table of packages into the manual")

func readManual(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(manual)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestManual checks every snippet of Go in the manual: those that are marked as
// refused are refused by the rule that they name and by no other, the others are
// accepted. There is one for every rule.
func TestManual(t *testing.T) {
	snippet := regexp.MustCompile("(?ms)^```go([^\n]*)\n(.*?)^```$")
	shown := make(map[string]bool)
	for i, m := range snippet.FindAllStringSubmatch(readManual(t), -1) {
		rule, refused := strings.CutPrefix(strings.TrimSpace(m[1]), "refused ")
		var found []string
		for _, f := range check.Findings(inspectors.Script{File: fmt.Sprintf("snippet-%d.go", i+1), Line: 1, Source: wholeFile(m[2])}) {
			if f.Fix == "" && f.Rule() != "types" {
				t.Errorf("%s says nothing of what to write instead", f.Error())
			}
			if !slices.Contains(found, f.Rule()) {
				found = append(found, f.Rule())
			}
			t.Logf("%s [%s]", f.Error(), f.Rule())
		}
		switch {
		case refused && !slices.Equal(found, []string{rule}):
			t.Errorf("refused by %q, not by %s:\n%s", found, rule, m[2])
		case !refused && found != nil:
			t.Errorf("refused by %q:\n%s", found, m[2])
		}
		shown[rule] = shown[rule] || refused
	}
	for _, rule := range check.RuleNames() {
		if !shown[rule] {
			t.Errorf("the manual shows nothing that rule %s refuses", rule)
		}
	}
}

// wholeFile makes a script of a snippet that is made of declarations; a whole
// file and a bare body are scripts as they are.
func wholeFile(text string) string {
	declares := regexp.MustCompile(`(?m)^(func (\(|\w)|type |var \w+ =|var \w+, |var \()`)
	if regexp.MustCompile(`(?m)^package `).MatchString(text) || !declares.MatchString(text) || strings.Contains(text, "\nreturn ") {
		return text
	}
	var head strings.Builder
	if directive, rest, found := strings.Cut(text, "\n"); found && strings.HasPrefix(directive, "//vedette:") {
		head.WriteString(directive + "\n")
		text = rest
	}
	head.WriteString("package snippet\n\n")
	for _, path := range symbols.Paths() {
		p, _ := symbols.Lookup(path)
		if strings.HasPrefix(path, "github.com/") {
			continue
		}
		if regexp.MustCompile(`(^|[^\w."])` + p.Name + `\.[A-Z]`).MatchString(text) {
			fmt.Fprintf(&head, "import %q\n", path)
		}
	}
	return head.String() + text + "\nfunc Inspect() (float64, error) { return 0, nil }\n"
}

// TestManualPackages holds the manual's table of packages against the allow-list.
func TestManualPackages(t *testing.T) {
	const begin, end = "<!-- packages: begin -->\n", "<!-- packages: end -->"
	text := readManual(t)
	head, rest, found := strings.Cut(text, begin)
	table, tail, found2 := strings.Cut(rest, end)
	if !found || !found2 {
		t.Fatal("the manual has no table of packages")
	}
	want := packageTable()
	if *manualFlag {
		if err := os.WriteFile(manual, []byte(head+begin+want+end+tail), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if table != want {
		t.Errorf("the table of packages is not that of the allow-list; run the test with -manual")
	}
}

func packageTable() string {
	var b strings.Builder
	b.WriteString("| package | names |\n|---|---|\n")
	for _, path := range symbols.Paths() {
		p, _ := symbols.Lookup(path)
		names := p.Names()
		text := fmt.Sprintf("%d", len(names))
		if len(names) <= 24 {
			text = strings.Join(names, ", ")
		}
		fmt.Fprintf(&b, "| `%s` | %s |\n", path, text)
	}
	return b.String()
}
