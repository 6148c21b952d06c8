package check_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vedettehq/vedette/inspectors/script/internal/truth"
)

// nativeAll compiles all programs into one binary, as Go 1.22 files, runs them and returns
// their outputs. Programs that do not compile have a fault.
func nativeAll(t *testing.T, jobs []truth.Job) map[string]truth.Result {
	t.Helper()
	if _, err := exec.LookPath("go"); err != nil {
		t.Skip("the native outputs need the Go toolchain, which is not in PATH")
	}
	results := make(map[string]truth.Result)
	for len(jobs) > 0 {
		binary, bad := buildNative(t, jobs)
		if len(bad) == 0 {
			for _, r := range runNative(t, binary) {
				results[r.Name] = r
			}
			break
		}
		var left []truth.Job
		for i, j := range jobs {
			if fault, ok := bad[i]; ok {
				results[j.Name] = truth.Result{Name: j.Name, Fault: "build: " + fault}
				continue
			}
			left = append(left, j)
		}
		jobs = left
	}
	return results
}

// buildNative builds the programs, each as a package that is overlaid on the module. It
// returns the binary, or the jobs that do not compile by number.
func buildNative(t *testing.T, jobs []truth.Job) (binary string, bad map[int]string) {
	t.Helper()
	dir := t.TempDir()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	const under = "nativecorpus"
	replace := make(map[string]string)
	lay := func(name, text string) {
		real := filepath.Join(dir, strings.ReplaceAll(name, "/", "_"))
		if err := os.WriteFile(real, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		replace[filepath.Join(here, under, name)] = real
	}
	var imports, calls strings.Builder
	for i, j := range jobs {
		lay(fmt.Sprintf("p%d/p.go", i), "//go:build go1.22\n\n"+j.Source)
		fmt.Fprintf(&imports, "\tp%d \"github.com/vedettehq/vedette/inspectors/script/check/%s/p%d\"\n", i, under, i)
		fmt.Fprintf(&calls, "\trun(%q, p%d.Inspect)\n", j.Name, i)
	}
	lay("main.go", fmt.Sprintf(nativeMain, imports.String(), calls.String()))
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	overlayFile := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(overlayFile, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	binary = filepath.Join(dir, "native")
	cmd := exec.Command("go", "build", "-gcflags=-e", "-overlay", overlayFile, "-o", binary, "./"+under)
	out, err := cmd.CombinedOutput()
	if err == nil {
		return binary, nil
	}
	bad = make(map[int]string)
	current := -1
	for line := range strings.SplitSeq(string(out), "\n") {
		var i int
		if n, _ := fmt.Sscanf(line, "# github.com/vedettehq/vedette/inspectors/script/check/"+under+"/p%d", &i); n == 1 {
			current = i
		} else if at := strings.Index(line, under+"/p"); at >= 0 {
			if n, _ := fmt.Sscanf(line[at:], under+"/p%d/", &i); n == 1 {
				bad[i] += line
			}
		} else if current >= 0 && strings.TrimSpace(line) != "" {
			bad[current] += line
		}
	}
	if len(bad) == 0 {
		t.Fatalf("cannot build the programs natively: %v\n%s", err, out)
	}
	return "", bad
}

func runNative(t *testing.T, binary string) []truth.Result {
	t.Helper()
	out, err := exec.Command(binary).Output()
	if err != nil {
		t.Fatalf("the native programs failed: %v", err)
	}
	var list []truth.Result
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		var r truth.Result
		if err := dec.Decode(&r); err != nil {
			t.Fatal(err)
		}
		list = append(list, r)
	}
	return list
}

// nativeMain runs each program with its standard output in a file.
const nativeMain = `package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/vedettehq/vedette/inspectors"
%s)

var results = json.NewEncoder(os.Stdout)

func main() {
%s}

func run(name string, inspect any) {
	r, w, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	stdout := os.Stdout
	os.Stdout = w
	log.SetOutput(w)
	log.SetFlags(0)
	printed := make(chan string)
	go func() {
		b, _ := io.ReadAll(r)
		printed <- string(b)
	}()
	report := inspectors.NewReport("test", time.UnixMilli(0))
	fault := ""
	err = call(inspect, report, &fault)
	w.Close()
	os.Stdout = stdout
	results.Encode(map[string]string{"Name": name, "Output": <-printed + describe(report, err), "Fault": fault})
}

func call(inspect any, r *inspectors.Report, fault *string) (err error) {
	defer func() {
		if v := recover(); v != nil {
			*fault = fmt.Sprint("panic: ", v)
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	switch f := inspect.(type) {
	case func() (float64, error):
		return value(r, func(context.Context) (float64, error) { return f() })
	case func(context.Context) (float64, error):
		return value(r, f)
	case func(context.Context, *inspectors.Report) error:
		return f(ctx, r)
	}
	panic("not an inspector")
}

func value(r *inspectors.Report, f func(context.Context) (float64, error)) error {
	return inspectors.Value(f).Inspect(context.Background(), r)
}

func describe(r *inspectors.Report, err error) string {
	var b bytes.Buffer
	for _, s := range r.Samples() {
		fmt.Fprintf(&b, "%%s %%s%%s %%v\n", s.Kind, s.Key, s.Labels, s.Value)
	}
	for _, e := range []error{err, r.Err()} {
		if e != nil {
			fmt.Fprintf(&b, "error: %%v\n", e)
		}
	}
	return b.String()
}
`
