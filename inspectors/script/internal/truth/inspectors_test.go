package truth_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vedettehq/vedette/inspectors/script/internal/truth"
	"golang.org/x/tools/txtar"
)

// wholeInspectors reads the inspectors of an archive, with its fixtures written
// to a folder.
func wholeInspectors(t *testing.T, name string) []truth.Job {
	t.Helper()
	a, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var jobs []truth.Job
	for _, f := range a.Files {
		if fixture, ok := strings.CutPrefix(f.Name, "fixtures/"); ok {
			path := filepath.Join(dir, fixture)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, f.Data, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		jobs = append(jobs, truth.Job{
			Name: strings.TrimSuffix(f.Name, ".go"), Source: strings.ReplaceAll(string(f.Data), "FIXTURES", dir),
			Runs: 3, Timeout: patience, Files: []string{dir},
		})
	}
	return jobs
}

// TestWholeInspectors runs inspectors as operators write them three times each,
// on files of the kind that they read, with their state kept from run to run:
// all are accepted, and yield what they yield natively.
func TestWholeInspectors(t *testing.T) {
	lib := library(t)
	files, err := filepath.Glob("testdata/inspectors/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var jobs []truth.Job
	for _, name := range files {
		jobs = append(jobs, wholeInspectors(t, name)...)
	}
	if len(jobs) < 60 {
		t.Fatalf("only %d inspectors", len(jobs))
	}
	verdicts, err := lib.CompareJobs(".", jobs)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range verdicts {
		native, interpreted := v.Difference()
		switch {
		case v.Class == truth.Unfit:
			t.Errorf("%s: natively: %s", v.Job.Name, v.Native.Fault)
		case v.Class != truth.Equal:
			t.Errorf("%s: %s: %s\n  Go says         %s\n  the interpreter %s", v.Job.Name, v.Class, v.Reason(), native, interpreted)
		case !strings.Contains(v.Native.Output, "test"):
			t.Errorf("%s reports nothing:\n%s", v.Job.Name, v.Native.Output)
		}
	}
}
