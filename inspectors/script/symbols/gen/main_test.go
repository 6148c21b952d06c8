package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestTablesAreFresh holds that the committed tables are what the generator
// writes. The library grows from one version of Go to the next: it compares
// with the version that wrote them only.
func TestTablesAreFresh(t *testing.T) {
	if !strings.HasPrefix(runtime.Version(), "go1.26") {
		t.Skip("the tables were written with Go 1.26")
	}
	dir := t.TempDir()
	if err := run(dir); err != nil {
		t.Fatal(err)
	}
	list := func(dir string) []string {
		files, err := filepath.Glob(filepath.Join(dir, "zsym_*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for i := range files {
			files[i] = filepath.Base(files[i])
		}
		return files
	}
	fresh, committed := list(dir), list("..")
	if strings.Join(fresh, " ") != strings.Join(committed, " ") {
		t.Fatalf("the generator writes\n%v\nthere are\n%v\nrun go generate", fresh, committed)
	}
	for _, file := range fresh {
		want, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join("..", file))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Errorf("%s is not what the generator writes; run go generate", file)
		}
	}
}
