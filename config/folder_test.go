package config

import (
	"maps"
	"os"
	"slices"
	"testing"
	"time"
)

// folder writes a folder with one script for each name, and its file, or none.
func folder(t *testing.T, text string, scripts ...string) {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.Mkdir("mesh", 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range scripts {
		write(t, "mesh", name, "package x\n\nfunc Inspect() (float64, error) { return 1, nil }\n")
	}
	if text != "" {
		write(t, "mesh", FolderFile, text)
	}
}

func TestFolderWithoutFile(t *testing.T) {
	folder(t, "", "disk.go", "gpu.go", "gpu_test.go", "README.md")
	f, err := LoadFolder("mesh")
	if err != nil {
		t.Fatal(err)
	}
	if got := slices.Sorted(maps.Keys(f.Inspectors)); !slices.Equal(got, []string{"disk", "gpu"}) {
		t.Errorf("got %v", got)
	}
	if got := f.Inspectors["disk"]; got != (FolderInspector{File: "mesh/disk.go"}) {
		t.Errorf("got %+v", got)
	}
}

// What the go command leaves out is no inspector: drafts, and what editors and
// other systems leave behind.
func TestFolderLeavesOut(t *testing.T) {
	folder(t, "", "disk.go", "_draft.go", ".hidden.go", ".#disk.go")
	write(t, "mesh", "._disk.go", "\x00\x05\x16\x07")
	f, err := LoadFolder("mesh")
	if err != nil {
		t.Fatal(err)
	}
	if got := slices.Sorted(maps.Keys(f.Inspectors)); !slices.Equal(got, []string{"disk"}) {
		t.Errorf("got %v", got)
	}
}

// The file that names the inspectors is found under either of its names, and
// under one that is almost that it is a fault: every script would go to every host.
func TestFolderFileByAnyName(t *testing.T) {
	const text = "inspectors:\n  disk: { file: disk.go, to: role=db }\n"
	for name, want := range map[string]string{
		"catalog.yaml": "",
		"catalog.yml":  "",
		"Catalog.yaml": "mesh/Catalog.yaml: nothing reads a file of this name; call it catalog.yaml",
		"CATALOG.YML":  "mesh/CATALOG.YML: nothing reads a file of this name; call it catalog.yaml",
		"catalog.json": "mesh/catalog.json: nothing reads a file of this name; call it catalog.yaml",
		"catalog":      "mesh/catalog: nothing reads a file of this name; call it catalog.yaml",
	} {
		t.Run(name, func(t *testing.T) {
			folder(t, "", "disk.go")
			write(t, "mesh", name, text)
			f, err := LoadFolder("mesh")
			switch {
			case want != "" && (err == nil || err.Error() != want):
				t.Errorf("got %v, want %s", err, want)
			case want == "" && (err != nil || f.Inspectors["disk"].To != "role=db"):
				t.Errorf("got %+v, %v", f, err)
			}
		})
	}
	folder(t, text, "disk.go")
	write(t, "mesh", "catalog.yml", text)
	if _, err := LoadFolder("mesh"); err == nil || err.Error() != "mesh/catalog.yml: the folder has catalog.yaml too; keep one of them" {
		t.Errorf("got %v", err)
	}
}

func TestFolderWithFile(t *testing.T) {
	folder(t, "inspectors:\n  disk/used: { file: disk.go, to: 'role=db', interval: 10s }\n", "disk.go", "gpu.go")
	f, err := LoadFolder("mesh")
	if err != nil {
		t.Fatal(err)
	}
	if got := f.Inspectors["disk/used"]; got != (FolderInspector{File: "mesh/disk.go", To: "role=db", Interval: 10 * time.Second}) {
		t.Errorf("got %+v", got)
	}
	if !slices.Equal(f.Left, []string{"mesh/gpu.go"}) {
		t.Errorf("got %v", f.Left)
	}
}

// Every fault is told at once, with its place.
func TestFolderFaults(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"unknown field", "inspectors:\n  disk: { file: disk.go, too: role=db }\n", `mesh/catalog.yaml:2:26: unknown field "too" in inspectors[disk]; did you mean to?
   2 |   disk: { file: disk.go, too: role=db }
     |                          ^`},
		{"no section of a configuration", "listen: x\n", `mesh/catalog.yaml:1:1: unknown field "listen"; known are inspectors
   1 | listen: x
     | ^`},
		{"several", "inspectors:\n  a b: { file: disk.go }\n  gone: { file: gone.go, interval: 1ms }\n  out: { file: ../disk.go }\n  none: {}\n", `mesh/catalog.yaml:2:3: inspectors[a b]: bad name: key "a b": ' ' is not allowed; use letters, digits, "_", "-", "." and ":"
   2 |   a b: { file: disk.go }
     |   ^
mesh/catalog.yaml:3:17: inspectors[gone].file: there is no file "mesh/gone.go"
   3 |   gone: { file: gone.go, interval: 1ms }
     |                 ^
mesh/catalog.yaml:3:36: inspectors[gone].interval is 1ms; it must be between 100ms and 24h
   3 |   gone: { file: gone.go, interval: 1ms }
     |                                    ^
mesh/catalog.yaml:4:16: inspectors[out].file: "../disk.go" is not inside the folder
   4 |   out: { file: ../disk.go }
     |                ^
mesh/catalog.yaml:5:3: inspectors[none] has no file; write file: none.go
   5 |   none: {}
     |   ^`},
		{"no unit", "inspectors:\n  disk: { file: disk.go, interval: 10 }\n", `mesh/catalog.yaml:2:36: inspectors[disk].interval: 10 has no unit; write 10s for seconds
   2 |   disk: { file: disk.go, interval: 10 }
     |                                    ^`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			folder(t, tt.text, "disk.go")
			_, err := LoadFolder("mesh")
			if err == nil || err.Error() != tt.want {
				t.Errorf("got:\n%v\nwant:\n%s", err, tt.want)
			}
		})
	}
}

func TestFolderOfTwoWithOneName(t *testing.T) {
	folder(t, "", "a.go")
	write(t, "mesh", "b.go", "//vedette:name a\npackage x\n\nfunc Inspect() (float64, error) { return 1, nil }\n")
	_, err := LoadFolder("mesh")
	if want := "mesh/b.go: the name a is that of mesh/a.go too"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if _, err := LoadFolder("none"); err == nil || err.Error() != `there is no folder "none"` {
		t.Errorf("got %v", err)
	}
}
