package truth_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/vedettehq/vedette/inspectors/script/internal/truth"
	"github.com/vedettehq/vedette/inspectors/script/symbols"
	"golang.org/x/tools/txtar"
)

// snippet makes a script of declarations with a func Run: it adds the head, the
// imports that the text uses, and the entry.
func snippet(text string) string {
	var head strings.Builder
	head.WriteString("package inspector\n\nimport (\n\t\"fmt\"\n")
	for _, path := range symbols.Paths() {
		p, _ := symbols.Lookup(path)
		if p.Name == "fmt" || strings.HasPrefix(path, "github.com/") {
			continue
		}
		if regexp.MustCompile(`(^|[^\w."])` + p.Name + `\.[A-Z]`).MatchString(text) {
			head.WriteString("\t\"" + path + "\"\n")
		}
	}
	return head.String() + ")\n\n" + text + "\nfunc Inspect() (float64, error) { fmt.Println(Run()); return 0, nil }\n"
}

// archive reads a txtar file as jobs.
func archive(t *testing.T, name string) []truth.Job {
	t.Helper()
	a, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var jobs []truth.Job
	for _, f := range a.Files {
		jobs = append(jobs, truth.Job{Name: f.Name, Source: snippet(string(f.Data)), Runs: 2, Timeout: patience})
	}
	return jobs
}

// TestKinds runs the variations of each kind of program that the interpreter alone gets
// wrong: accepted programs behave as in Go.
func TestKinds(t *testing.T) {
	lib := library(t)
	jobs := archive(t, "testdata/kinds.txtar")
	verdicts, err := lib.CompareJobs(".", jobs)
	if err != nil {
		t.Fatal(err)
	}
	kinds := make(map[string]int)
	refused := make(map[string]int)
	for _, v := range verdicts {
		kind, _, _ := strings.Cut(v.Job.Name, "/")
		kinds[kind]++
		switch {
		case v.Class == truth.Unfit:
			t.Errorf("%s: does not run natively: %s", v.Job.Name, v.Native.Fault)
		case v.Class == truth.Refused || v.Class == truth.RefusedRight:
			refused[kind]++
			t.Logf("%s: refused: %s", v.Job.Name, v.Interpreted.Refused)
		case v.Bad():
			native, interpreted := v.Difference()
			t.Errorf("%s: %s: Go says %q, the interpreter %q %s", v.Job.Name, v.Class, native, interpreted, v.Interpreted.Fault)
		}
	}
	for kind, n := range kinds {
		if n < 10 {
			t.Errorf("%s has only %d variations", kind, n)
		}
	}
	t.Logf("%d variations of %d kinds; refused: %v", len(verdicts), len(kinds), refused)
}
