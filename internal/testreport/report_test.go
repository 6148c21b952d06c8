package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// module writes a module of packages, and returns its folder.
func module(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	files["go.mod"] = "module example.com/m\n\ngo 1.26\n"
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// reportOf runs the tests of a module for real, and returns what is printed of
// them and what was skipped.
func reportOf(t *testing.T, files map[string]string, args ...string) (out, skipped string, ok bool) {
	t.Helper()
	dir := module(t, files)
	test := exec.Command("go", append([]string{"test", "-json", "-vet=off"}, args...)...)
	test.Dir = dir
	test.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
	events, _ := test.Output() // the events tell of failures
	var printed bytes.Buffer
	file := filepath.Join(dir, "skipped")
	ok, err := run(bytes.NewReader(events), &printed, file)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return printed.String(), string(text), ok
}

func TestReportOfGoodPackages(t *testing.T) {
	out, skipped, ok := reportOf(t, map[string]string{
		"a/a_test.go": "package a\n\nimport \"testing\"\n\nfunc TestGood(t *testing.T) { t.Log(\"secret\") }\n" +
			"func TestAway(t *testing.T) { t.Skip(\"there is no moon\") }\n" +
			"func TestFar(t *testing.T) { t.Run(\"x\", func(t *testing.T) { t.Skip(\"there is no moon\") }); t.Run(\"y\", func(t *testing.T) { t.SkipNow() }) }\n",
		"b/b.go": "package b\n",
	}, "./...")
	for _, want := range []string{
		"ok  \texample.com/m/a\t", "?   \texample.com/m/b\t[no test files]",
		"\nskipped:\n  example.com/m/a TestAway, TestFar/x: there is no moon\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("it lacks %q:\n%s", want, out)
		}
	}
	if !ok || strings.Contains(out, "secret") || strings.Contains(out, "PASS") {
		t.Errorf("ok %v, it prints\n%s", ok, out)
	}
	if want := "example.com/m/a TestAway, TestFar/x: there is no moon\nexample.com/m/a TestFar/y: it does not say why\n"; skipped != want {
		t.Errorf("it keeps %q as skipped, want %q", skipped, want)
	}
}

// However a package fails, its closing line and the reason are there.
func TestReportOfFailures(t *testing.T) {
	for name, c := range map[string]struct{ body, want string }{
		"error":     {`t.Error("the reason")`, "the reason"},
		"subtest":   {`t.Run("x", func(t *testing.T) { t.Fatal("the reason") })`, "the reason"},
		"panic":     {`panic("the reason")`, "panic: the reason"},
		"exit":      {`println("the reason"); os.Exit(3)`, "the reason"},
		"time":      {`t.Log("the reason"); select {}`, "the reason"},
		"no build":  {`theReason()`, "undefined: theReason"},
		"long line": {`t.Error(strings.Repeat("x", 100_000) + "the reason")`, "xthe reason"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			limit, others := "10m", "ok  \texample.com/m/b\t"
			if name == "time" { // which b may not have enough of
				limit, others = "5s", ""
			}
			out, _, ok := reportOf(t, map[string]string{
				"a/a_test.go": "package a\n\nimport (\n\t\"os\"\n\t\"strings\"\n\t\"testing\"\n)\n\nvar _, _ = os.Exit, strings.Repeat\n\n" +
					"func TestBad(t *testing.T) { " + c.body + " }\n" +
					"func TestGood(t *testing.T) { t.Log(\"secret\") }\n",
				"b/b_test.go": "package b\n\nimport \"testing\"\n\nfunc TestGood(t *testing.T) {}\n",
			}, "-timeout", limit, "./...")
			for _, want := range []string{c.want, "FAIL\texample.com/m/a", others} {
				if !strings.Contains(out, want) {
					t.Errorf("it lacks %q:\n%s", want, out)
				}
			}
			if ok || strings.Contains(out, "secret") {
				t.Errorf("ok %v, it prints\n%s", ok, out)
			}
		})
	}
}

// Whatever the order of events, each failure is told and each skip counted.
func TestReportOfAnyOrder(t *testing.T) {
	for range 200 {
		var in bytes.Buffer
		enc := json.NewEncoder(&in)
		skips, fails := 0, 0
		for _, i := range rand.Perm(30) {
			e := event{Package: fmt.Sprint("p", i%3), Test: fmt.Sprint("Test", i)}
			for _, action := range []string{"run", "output", []string{"pass", "skip", "fail"}[rand.IntN(3)]} {
				e.Action, e.Output = action, ""
				switch action {
				case "output":
					e.Output = fmt.Sprintf("    a_test.go:1: words of %d\n", i)
				case "skip":
					skips++
				case "fail":
					fails++
				}
				if err := enc.Encode(e); err != nil {
					t.Fatal(err)
				}
			}
		}
		var out bytes.Buffer
		r := newReport(&out)
		if err := r.read(&in); err != nil {
			t.Fatal(err)
		}
		shown := strings.Count(out.String(), "words of")
		if r.failed != (fails > 0) || len(r.skips) != skips || len(r.skippedLines()) != skips || shown != fails {
			t.Fatalf("of %d failures %d are shown, of %d skips %d kept; failed: %v", fails, shown, skips, len(r.skips), r.failed)
		}
	}
}
