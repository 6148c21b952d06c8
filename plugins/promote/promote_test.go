package promote

import (
	"archive/zip"
	"bytes"
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vedettehq/vedette/inspectors"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// checkout is the one that the test stands in.
func checkout(t *testing.T) Module {
	t.Helper()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	m, err := FindModule(Search{WorkDir: here})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// definition makes an inspector of a file's text.
func definition(name, file, source string) inspectors.Definition {
	return inspectors.Definition{
		Name: name, Interval: 10 * time.Second, Timeout: 8 * time.Second,
		Script: &inspectors.Script{File: file, Line: 1, Source: source},
	}
}

const answer = "package answer\n\nfunc Inspect() (float64, error) { return 42, nil }\n"

// run starts a plugin by hand and returns what it says of itself.
func run(t *testing.T, program string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), program).CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Fatalf("run by hand it ends with %v\n%s", err, out)
	}
	return string(out)
}

func TestBuildIsReproducible(t *testing.T) {
	var sums []string
	for _, folder := range []string{t.TempDir(), t.TempDir()} {
		file := filepath.Join(folder, "answer.go")
		b, err := Build(t.Context(), Options{
			Definitions: []inspectors.Definition{definition("answer", file, answer), definition("b/two", "b.go", answer)},
			Output:      filepath.Join(folder, "plugin"), Module: checkout(t), Native: true,
		})
		if err != nil {
			t.Fatal(err)
		}
		sums = append(sums, b.SHA256)
		if got := run(t, b.Path); !strings.Contains(got, "It offers: answer, b/two") {
			t.Errorf("it says\n%s", got)
		}
		if entries, _ := os.ReadDir(folder); len(entries) != 1 {
			t.Errorf("there is more than the plugin: %v", entries)
		}
		program, err := os.ReadFile(b.Path)
		if err != nil {
			t.Fatal(err)
		}
		if int64(len(program)) != b.Size || b.Platform != hostPlatform() {
			t.Errorf("%+v is of %d bytes", b, len(program))
		}
		if bytes.Contains(program, []byte(folder)) || bytes.Contains(program, []byte(checkout(t).Dir)) {
			t.Error("the program holds a path of this machine")
		}
	}
	if sums[0] != sums[1] {
		t.Errorf("the programs differ: %v", sums)
	}
}

func TestBuildReplacesARunningPlugin(t *testing.T) {
	output := filepath.Join(t.TempDir(), "plugin")
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(sleep)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(output, program, 0o700); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	running := exec.CommandContext(ctx, output, "1000")
	if err := running.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cancel(); _ = running.Wait() }()
	if _, err := Build(t.Context(), Options{
		Definitions: []inspectors.Definition{definition("answer", "answer.go", answer)},
		Output:      output, Module: checkout(t), Native: true,
	}); err != nil {
		t.Fatal(err)
	}
	run(t, output)
}

// A release has no checkout around it: the packages come from the proxy.
func TestBuildWithAVersion(t *testing.T) {
	const version = "v0.9.0"
	proxy := t.TempDir()
	serveVersion(t, checkout(t).Dir, proxy, version)
	env := func(name string) string {
		value, err := exec.CommandContext(t.Context(), "go", "env", name).Output()
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(value))
	}
	// The cache has what this checkout was built with, which need not be all that
	// is asked for to choose the versions.
	modules := t.TempDir()
	t.Setenv("GOPROXY", "file://"+proxy+",file://"+filepath.Join(env("GOMODCACHE"), "cache", "download")+","+env("GOPROXY"))
	t.Setenv("GOMODCACHE", modules)
	t.Setenv("GOFLAGS", "-modcacherw")
	t.Setenv("GOSUMDB", "off")
	source := strings.Replace(answer, "package answer\n", "package answer\n\nimport \"github.com/shirou/gopsutil/v3/load\"\n\nvar _ = load.Avg\n", 1)
	b, err := Build(t.Context(), Options{
		Definitions: []inspectors.Definition{definition("answer", "answer.go", source)},
		Output:      filepath.Join(t.TempDir(), "plugin"), Module: Module{Version: version}, Native: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	run(t, b.Path)
	info, err := buildinfo.ReadFile(b.Path)
	if err != nil {
		t.Fatal(err)
	}
	for _, dep := range info.Deps {
		if dep.Path == modulePath && dep.Version == version {
			return
		}
	}
	t.Errorf("the program does not name %s %s:\n%s", modulePath, version, info)
}

// serveVersion makes the folder a module proxy of this module, in one version.
func serveVersion(t *testing.T, root, proxy, version string) {
	t.Helper()
	dir := filepath.Join(proxy, modulePath, "@v")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	add := func(name string, data []byte) {
		w, err := z.Create(modulePath + "@" + version + "/" + name)
		if err == nil {
			_, err = w.Write(data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	add("go.mod", mod)
	for _, part := range []string{"inspectors", "internal", "plugins"} {
		files := os.DirFS(filepath.Join(root, part))
		err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if entry.IsDir() {
				if _, err := fs.Stat(files, path.Join(name, "go.mod")); err == nil {
					return fs.SkipDir // a separate module, which is not part of this one
				}
				return nil
			}
			data, err := fs.ReadFile(files, name)
			if err == nil {
				add(part+"/"+name, data)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for suffix, data := range map[string][]byte{
		".info": fmt.Appendf(nil, `{"Version": %q, "Time": "2026-01-01T00:00:00Z"}`, version), ".mod": mod, ".zip": archive.Bytes(),
	} {
		if err := os.WriteFile(filepath.Join(dir, version+suffix), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestBuildFaults(t *testing.T) {
	const inspect = "func Inspect() (float64, error) { return 1, nil }\n"
	for _, tt := range []struct {
		name  string
		files []string // name, text
		want  string
	}{
		{"every fault of the compiler, in every file", []string{
			"/some/where/a.go", "package a\n\nfunc Inspect() (float64, error) {\n\tvar unused int\n\treturn nothing, nil\n}\n",
			"b.go", "package b\n\nimport \"fmt\"\n\n" + inspect,
		}, "/some/where/a.go:4:6: declared and not used: unused\n/some/where/a.go:5:9: undefined: nothing\n" + `b.go:3:8: "fmt" imported and not used`},
		{
			"more than ten",
			[]string{"a.go", "package a\n\n" + inspect + strings.Repeat("var _ = x\n", 12)},
			strings.TrimSuffix(strings.Join(numbered(4, 12, "a.go:%d:9: undefined: x\n"), ""), "\n"),
		},
		{
			"language of 1.22",
			[]string{"a.go", "package a\n\nfunc each(func() bool) {}\n\nfunc Inspect() (float64, error) {\n\tfor range each {\n\t}\n\treturn 1, nil\n}\n"},
			"a.go:6:12: cannot range over each (value of type func(func() bool)): requires go1.23 or later (file declares //go:build go1.22)",
		},
		{
			"a package that Go has not",
			[]string{"a.go", "package a\n\nimport _ \"no/such\"\n\n" + inspect},
			"a.go:3:8: package no/such is not in the standard library",
		},
		{
			"a package of others",
			[]string{"a.go", "package a\n\nimport _ \"example.com/x\"\n\n" + inspect},
			`a.go:3:10: package "example.com/x" is neither of Go's standard library nor of what scripts may import; write a plugin in a separate module, as plugins/examples does`,
		},
		{
			"our own insides",
			[]string{"a.go", "package a\n\nimport _ \"github.com/vedettehq/vedette/plugins\"\n\n" + inspect},
			`a.go:3:10: package "github.com/vedettehq/vedette/plugins" is neither of Go's standard library nor of what scripts may import; write a plugin in a separate module, as plugins/examples does`,
		},
		{
			"C",
			[]string{"a.go", "package a\n\nimport \"C\"\n\n" + inspect},
			"a.go:3:8: promoted scripts are compiled without C; write a plugin in a separate module, as plugins/examples does",
		},
		{
			"a constraint",
			[]string{"a.go", "//go:build linux\n\npackage a\n\n" + inspect},
			"a.go:1:1: a promoted script is compiled whatever its build constraint says; remove it; use runtime.GOOS to tell systems apart",
		},
		{
			"embedded files",
			[]string{"a.go", "package a\n\nimport _ \"embed\"\n\n//go:embed x\nvar x string\n\n" + inspect},
			"a.go:5:1: a script is one file and cannot embed others; read the file when the inspector runs, or write its content as a string",
		},
		{"no Go", []string{"a.go", "package a\n\nfunc {\n"}, "a.go:3:6: expected 'IDENT', found '{'"},
		{
			"a bare body",
			[]string{"a.go", "x := 1.0\nreturn x, nil\n"},
			"a.go:1:1: this is the bare body of a function, which only a configuration may hold; write a whole file: a package clause, the imports, and func " +
				"Inspect around the body",
		},
		{
			"no Inspect",
			[]string{"a.go", "package a\n"},
			"a.go:1:1: the file has no func Inspect; write func Inspect() (float64, error), or func Inspect(ctx context.Context) (float64, error), or func " +
				"Inspect(ctx context.Context, r *inspectors.Report) error",
		},
		{
			"another Inspect",
			[]string{"a.go", "package a\n\nfunc Inspect(n int) error { return nil }\n"},
			"a.go:3:1: func Inspect has none of the accepted signatures; write func Inspect() (float64, error), or func Inspect(ctx context.Context) (float64, " +
				"error), or func Inspect(ctx context.Context, r *inspectors.Report) error",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var definitions []inspectors.Definition
			for i := 0; i < len(tt.files); i += 2 {
				definitions = append(definitions, definition(fmt.Sprint("inspector", i), tt.files[i], tt.files[i+1]))
			}
			folder := t.TempDir()
			_, err := Build(t.Context(), Options{Definitions: definitions, Output: filepath.Join(folder, "plugin"), Module: checkout(t), Native: true})
			var faults inspectors.Diagnostics
			if !errors.As(err, &faults) || err.Error() != tt.want {
				t.Errorf("got\n%v\nwant\n%s", err, tt.want)
			}
			if entries, _ := os.ReadDir(folder); len(entries) != 0 {
				t.Errorf("left behind: %v", entries)
			}
		})
	}
}

func numbered(from, n int, format string) []string {
	var lines []string
	for i := range n {
		lines = append(lines, fmt.Sprintf(format, from+i))
	}
	return lines
}

func TestNamesClash(t *testing.T) {
	second := "// Package b is another.\n//\n//vedette:name answer\npackage b\n\nfunc Inspect() (float64, error) { return 1, nil }\n"
	_, err := Build(t.Context(), Options{
		Definitions: []inspectors.Definition{definition("answer", "a.go", answer), definition("answer", "b.go", second)},
		Output:      filepath.Join(t.TempDir(), "plugin"), Module: checkout(t),
	})
	want := `b.go:3:1: the inspector is called "answer", as that of a.go; give each its own name with a line //vedette:name NAME above the package clause`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestOutputs(t *testing.T) {
	folder := t.TempDir()
	for output, want := range map[string]string{
		"":                                  "the output has no name",
		folder:                              "it is not a file",
		filepath.Join(folder, "x.go"):       "the name of a Go file",
		filepath.Join(folder, "none", "it"): "there is no folder",
	} {
		_, err := Build(t.Context(), Options{Definitions: []inspectors.Definition{definition("a", "a.go", answer)}, Output: output, Module: checkout(t)})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("to %q: %v, want an error that says %q", output, err, want)
		}
	}
	if _, err := Build(t.Context(), Options{Output: "x"}); err == nil {
		t.Error("nothing was promoted")
	}
}

func TestWithoutGo(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := Build(t.Context(), Options{
		Definitions: []inspectors.Definition{definition("a", "a.go", answer)}, Output: filepath.Join(t.TempDir(), "x"), Module: Module{Version: "v1.0.0"},
	})
	if !errors.Is(err, ErrNoGo) || !strings.Contains(err.Error(), "install Go") {
		t.Errorf("error %v, want one that says to install Go", err)
	}
}

func TestBuildIsStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	folder := t.TempDir()
	_, err := Build(ctx, Options{
		Definitions: []inspectors.Definition{definition("a", "a.go", answer)}, Output: filepath.Join(folder, "x"), Module: checkout(t),
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that of the context", err)
	}
	if entries, _ := os.ReadDir(folder); len(entries) != 0 {
		t.Errorf("left behind: %v", entries)
	}
}

func TestNativeCopy(t *testing.T) {
	for _, tt := range []struct{ name, source, want string }{
		{"as it is", answer, answer},
		{"byte order mark", "\ufeff" + answer, answer},
		{"main", strings.Replace(answer, "package answer", "package main // it is", 1), strings.Replace(answer, "package answer", "package inspector // it is", 1)},
		{"a version of its own", "//go:build go1.22\n\n" + answer, "// o:build go1.22\n\n" + answer},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, faults := nativeCopy(inspectors.Script{File: "/x/an\nswer.go", Line: 1, Source: tt.source})
			if want := "//go:build go1.22\n\n//line an_swer.go:1:1\n" + tt.want; got != want || len(faults) > 0 {
				t.Errorf("got %v\n%s\nwant\n%s", faults, got, want)
			}
		})
	}
}

func TestFindModule(t *testing.T) {
	root := checkout(t).Dir
	elsewhere := t.TempDir()
	foreign := t.TempDir()
	if err := os.WriteFile(filepath.Join(foreign, "go.mod"), []byte("module example.com/mine\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(root, "bin", "vedette")
	for _, tt := range []struct {
		name   string
		search Search
		want   string // or the start of an error
	}{
		{"named", Search{Given: root, WorkDir: elsewhere, Version: "v1.2.3"}, "the checkout " + root},
		{"a folder in it", Search{Given: filepath.Join(root, "plugins")}, "the checkout " + root},
		{"named wrongly", Search{Given: foreign, WorkDir: root}, fmt.Sprintf("%q is not a checkout", foreign)},
		{"around the working folder", Search{WorkDir: filepath.Join(root, "plugins"), Version: "v1.2.3"}, "the checkout " + root},
		{"in another module", Search{WorkDir: foreign, Version: "v1.2.3", Executable: program}, modulePath + " v1.2.3"},
		{"a pseudo-version", Search{WorkDir: elsewhere, Version: "v0.0.0-20260101000000-0123456789ab"}, modulePath + " v0.0.0-2026"},
		{"around the program", Search{WorkDir: elsewhere, Version: "v1.2.3+dirty", Executable: program}, "the checkout " + root},
		{"nowhere", Search{WorkDir: elsewhere, Version: "(devel)", Executable: "/usr/bin/vedette"}, "cannot tell which version"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, err := FindModule(tt.search)
			got := m.String()
			if err != nil {
				got = err.Error()
			}
			if !strings.HasPrefix(got, tt.want) {
				t.Errorf("found %q, want %q", got, tt.want)
			}
		})
	}
}

func TestConfigLines(t *testing.T) {
	b := &Binary{Path: "/opt/my plugins/x: y", SHA256: "00aa"}
	d := definition("disk", "disk.go", answer)
	e := definition("12", "e.go", answer)
	e.Interval, e.Timeout = time.Second, 300*time.Millisecond
	want := `inspectors:
  "12":
    plugin: "/opt/my plugins/x: y"
    sha256: "00aa"
    interval: 1s
    timeout: 300ms
  disk:
    plugin: "/opt/my plugins/x: y"
    sha256: "00aa"
    interval: 10s
`
	if got := b.Config([]inspectors.Definition{d, e}); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for word, quoted := range map[string]bool{
		"load/average-1": false, "a.b_c": false, "no": true, "-x": true, "1e3": true, "a:b": true, "null": true, "/opt/x": false,
	} {
		if got := yamlWord(word); (got != word) != quoted {
			t.Errorf("%s is written as %s", word, got)
		}
	}
}
