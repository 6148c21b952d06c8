package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// event is one event of "go test -json"; see "go doc test2json".
type event struct {
	Action     string
	Package    string
	ImportPath string // of a build
	Test       string
	Output     string
	Elapsed    float64 // seconds
}

// report is the state of the tests so far.
type report struct {
	out    io.Writer
	failed bool
	said   map[testName][]string // of tests that have not passed
	times  map[string]time.Duration
	skips  []skip
}

type testName struct{ pkg, test string }

// skip is a test that did not run.
type skip struct {
	testName
	why string
}

func newReport(out io.Writer) *report {
	return &report{out: out, said: make(map[testName][]string), times: make(map[string]time.Duration)}
}

func (r *report) take(e event) {
	name := testName{e.Package, e.Test}
	switch e.Action {
	case "output":
		switch {
		case e.Test != "":
			r.said[name] = append(r.said[name], e.Output)
		case e.Output != "PASS\n":
			fmt.Fprint(r.out, e.Output)
		}
	case "build-output":
		fmt.Fprint(r.out, e.Output)
	case "build-fail":
		r.failed = true
	case "pass":
		r.ended(name, e)
	case "skip":
		if e.Test != "" {
			r.skips = append(r.skips, skip{name, reason(r.said[name])})
		}
		r.ended(name, e)
	case "fail":
		r.failed = true
		if e.Test == "" {
			r.showRest(e.Package)
		}
		r.show(name)
		r.ended(name, e)
	}
}

func (r *report) ended(name testName, e event) {
	delete(r.said, name)
	if name.test == "" {
		r.times[name.pkg] = time.Duration(e.Elapsed * float64(time.Second))
	}
}

// show prints the output of a test.
func (r *report) show(name testName) {
	for _, line := range r.said[name] {
		if !isProgress(line) {
			fmt.Fprint(r.out, line)
		}
	}
}

// showRest prints the output of a package's tests that have not ended, for example
// because the package ran out of time.
func (r *report) showRest(pkg string) {
	names := slices.SortedFunc(maps.Keys(r.said), func(a, b testName) int { return strings.Compare(a.test, b.test) })
	for _, name := range names {
		if name.pkg == pkg && name.test != "" {
			fmt.Fprintf(r.out, "--- not ended: %s\n", name.test)
			r.show(name)
			delete(r.said, name)
		}
	}
}

// isProgress reports whether a line only says that a test is running.
func isProgress(line string) bool {
	for _, word := range []string{"=== RUN ", "=== PAUSE ", "=== CONT ", "=== NAME "} {
		if strings.HasPrefix(line, word) {
			return true
		}
	}
	return false
}

// reason is the output of a test that was skipped.
func reason(said []string) string {
	var lines []string
	for _, line := range said {
		text := strings.TrimSpace(line)
		if isProgress(line) || text == "" || strings.HasPrefix(text, "--- SKIP") {
			continue
		}
		if place, rest, ok := strings.Cut(text, ": "); ok && strings.Contains(place, ".go:") {
			text = rest
		}
		lines = append(lines, text)
	}
	if len(lines) == 0 {
		return "it does not say why"
	}
	return strings.Join(lines, " ")
}

// quick is how long a package may take without being listed.
const quick = time.Second

// close prints the summary.
func (r *report) close() {
	if r.failed {
		for pkg := range r.packagesOfRest() {
			r.showRest(pkg)
		}
	}
	type taken struct {
		pkg  string
		time time.Duration
	}
	var slow []taken
	for pkg, t := range r.times {
		if t >= quick {
			slow = append(slow, taken{pkg, t})
		}
	}
	slices.SortFunc(slow, func(a, b taken) int {
		if a.time != b.time {
			return int(b.time - a.time)
		}
		return strings.Compare(a.pkg, b.pkg)
	})
	fmt.Fprintf(r.out, "\nseconds per package (%d more took less than one):\n", len(r.times)-len(slow))
	for _, t := range slow {
		fmt.Fprintf(r.out, "%8.1f  %s\n", t.time.Seconds(), t.pkg)
	}
	lines := r.skippedLines()
	if len(lines) == 0 {
		lines = []string{"nothing"}
	}
	fmt.Fprintln(r.out, "\nskipped:")
	for _, line := range lines {
		fmt.Fprintln(r.out, "  "+line)
	}
}

func (r *report) packagesOfRest() map[string]bool {
	packages := make(map[string]bool)
	for name := range r.said {
		packages[name.pkg] = true
	}
	return packages
}

// skippedLines lists the skipped tests: those of one package with one reason
// together.
func (r *report) skippedLines() []string {
	type key struct{ pkg, why string }
	tests := make(map[key][]string)
	for _, s := range r.skips {
		k := key{s.pkg, s.why}
		tests[k] = append(tests[k], s.test)
	}
	var lines []string
	for k, names := range tests {
		slices.Sort(names)
		lines = append(lines, fmt.Sprintf("%s %s: %s", k.pkg, strings.Join(names, ", "), k.why))
	}
	slices.Sort(lines)
	return lines
}
