package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// The printed configuration means the same, wherever it is put.
func TestPrintRoundTrip(t *testing.T) {
	files, err := filepath.Glob("testdata/good/*.yaml")
	if err != nil || len(files) < 5 {
		t.Fatalf("found %d good files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			first := load(t, LoadOptions{Path: file, Environ: []string{"HOME=/home/me", "VEDETTE_HOST=tower"}, For: PartMaster | PartAgent, Library: libraryNames()})
			printed := print(t, first)
			here, err := os.Getwd()
			if err != nil {
				t.Fatal(err)
			}
			golden(t, strings.TrimSuffix(file, ".yaml")+".printed", strings.ReplaceAll(printed, here, "$PWD"))

			elsewhere := filepath.Join(t.TempDir(), "printed.yaml")
			if err := os.WriteFile(elsewhere, []byte(printed), 0o600); err != nil {
				t.Fatal(err)
			}
			second := load(t, LoadOptions{Path: elsewhere, Environ: []string{"HOME=/home/other"}, For: PartMaster | PartAgent, Library: libraryNames()})
			again := print(t, second)
			if a, b := withoutOrigins(printed), withoutOrigins(again); a != b {
				t.Errorf("printed first:\n%s\nprinted of the print:\n%s", a, b)
			}
			for name, in := range first.Inspectors {
				if in.Go != second.Inspectors[name].Go {
					t.Errorf("the code of %s changed from %q to %q", name, in.Go, second.Inspectors[name].Go)
				}
			}
		})
	}
}

func load(t *testing.T, o LoadOptions) *Config {
	t.Helper()
	if o.Environ == nil {
		o.Environ = []string{}
	}
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	c, err := Load(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func print(t *testing.T, c *Config) string {
	t.Helper()
	var b bytes.Buffer
	if err := c.Print(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// withoutOrigins removes the comments.
func withoutOrigins(text string) string {
	var kept []string
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, " # ")
		if line = strings.TrimRight(line, " \n"); !strings.HasPrefix(strings.TrimSpace(line), "# ") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\n")
}

func TestDefinitions(t *testing.T) {
	c := load(t, LoadOptions{Path: "testdata/good/everything.yaml", For: PartAgent})
	defs, err := c.Definitions()
	if err != nil {
		t.Fatal(err)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.MarshalIndent(defs, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/good/everything.definitions", strings.ReplaceAll(string(text), here, "$PWD")+"\n")
}

// A script says how it wants to be run; the configuration has the last word.
func TestDefinitionPrecedence(t *testing.T) {
	for _, tt := range []struct{ name, yaml, interval, timeout string }{
		{"directives", "file: disk.go", "30s", "3s"},
		{"interval given", "file: disk.go\n    interval: 1m", "1m0s", "3s"},
		{"interval below the script's timeout", "file: disk.go\n    interval: 2s", "2s", "1.6s"},
		{"timeout given", "file: disk.go\n    timeout: 20s", "30s", "20s"},
		{"defaults", "go: return 1, nil", "10s", "8s"},
		{"timeout above the default interval", "go: return 1, nil\n    timeout: 1m", "1m0s", "1m0s"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "disk.go", "//vedette:name other\n//vedette:interval 30s\n//vedette:timeout 3s\npackage disk\n")
			path := write(t, dir, "c.yaml", "inspectors:\n  mine:\n    "+tt.yaml+"\n")
			defs, err := load(t, LoadOptions{Path: path, For: PartAgent}).Definitions()
			if err != nil {
				t.Fatal(err)
			}
			d := defs[0]
			if d.Name != "mine" || d.Interval.String() != tt.interval || d.Timeout.String() != tt.timeout {
				t.Errorf("got %s every %v for at most %v, want mine every %s for at most %s", d.Name, d.Interval, d.Timeout, tt.interval, tt.timeout)
			}
		})
	}
}

// Code inside a configuration knows the line and column of each of its parts.
func TestCodePlace(t *testing.T) {
	for _, tt := range []struct {
		name, yaml, code string
		line, indent     int
	}{
		{"block", "inspectors:\n  a:\n    go: |\n      x := 1\n      return x, nil\n", "x := 1\nreturn x, nil\n", 4, 6},
		{"block with a comment", "inspectors:\n  a:\n    go: |  # hello\n\n\n      return 1, nil\n", "\n\nreturn 1, nil\n", 4, 6},
		{"block of stated indent", "inspectors:\n  a:\n    go: |2\n          x := 1\n      return x, nil\n", "    x := 1\nreturn x, nil\n", 4, 6},
		{"plain", "inspectors:\n  a: { go: return 1 }\n", "return 1", 2, 11},
		{"quoted", "inspectors:\n  a:\n    go: \"return 1, nil\"\n", "return 1, nil", 3, 9},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := write(t, t.TempDir(), "c.yaml", tt.yaml)
			defs, err := load(t, LoadOptions{Path: path}).Definitions()
			if err != nil {
				t.Fatal(err)
			}
			s := defs[0].Script
			if s.File != path || s.Line != tt.line || s.Indent != tt.indent || s.Source != tt.code {
				t.Errorf("got %+v, want line %d, indent %d, code %q", s, tt.line, tt.indent, tt.code)
			}
		})
	}
}

func TestDefinitionFaults(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "bad.go", "//vedette:interval 10\n//vedette:nam x\npackage bad\n")
	path := write(t, dir, "c.yaml", "inspectors:\n  a: { file: bad.go }\n  b:\n    go: |\n      //vedette:timeout soon\n      return 1, nil\n")
	_, err := load(t, LoadOptions{Path: path, For: PartAgent}).Definitions()
	if err == nil {
		t.Fatal("was accepted")
	}
	got := strings.ReplaceAll(err.Error(), dir+"/", "")
	want := `bad.go:1:1: interval "10" has no unit; write 10s for seconds
bad.go:2:1: unknown directive "//vedette:nam"; did you mean //vedette:name?
c.yaml:5:7: timeout "soon" is not a duration; write //vedette:timeout 2s`
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestFileDefinition(t *testing.T) {
	dir := t.TempDir()
	d, err := FileDefinition(write(t, dir, "disk.go", "package disk\n"))
	if err != nil || d.Name != "disk" || d.Interval.String() != "10s" {
		t.Errorf("got %+v, %v", d, err)
	}
	d, err = FileDefinition(write(t, dir, "named.go", "//vedette:name load/average-1\n//vedette:interval 1s\npackage load\n"))
	if err != nil || d.Name != "load/average-1" || d.Timeout.String() != "800ms" {
		t.Errorf("got %+v, %v", d, err)
	}
	if _, err = FileDefinition(filepath.Join(dir, "none.go")); err == nil || !strings.Contains(err.Error(), "there is no file") {
		t.Errorf("a missing file: %v", err)
	}
	if _, err = FileDefinition(dir); err == nil || !strings.Contains(err.Error(), "is not a file") {
		t.Errorf("a folder: %v", err)
	}
	if _, err = FileDefinition(write(t, dir, "my disk.go", "package disk\n")); err == nil || !strings.Contains(err.Error(), "//vedette:name") {
		t.Errorf("a name that is no key: %v", err)
	}
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Every field of the types has a name in YAML, and can be printed.
func TestEveryFieldHasAName(t *testing.T) {
	var walk func(v reflect.Type)
	walk = func(v reflect.Type) {
		for f := range v.Fields() {
			if f.IsExported() && f.Tag.Get("yaml") == "" && v != reflect.TypeFor[Library]() {
				t.Errorf("%v.%s has no yaml tag", v, f.Name)
			}
			if f.Type.Kind() == reflect.Struct && f.Tag.Get("yaml") != "-" {
				walk(f.Type)
			}
		}
	}
	walk(reflect.TypeFor[Config]())
	walk(reflect.TypeFor[Inspector]())
	walk(reflect.TypeFor[Token]())
}

// TestDocumentedLimits holds that the numbers in the documentation are those of
// the code.
func TestDocumentedLimits(t *testing.T) {
	text, err := os.ReadFile("../docs/grafana.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		fmt.Sprintf("max_series_per_host: %d ", DefaultMaxSeriesPerHost),
		fmt.Sprintf("max_series: %d\n", DefaultMaxSeries),
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("docs/grafana.md has no %q", want)
		}
	}
}
