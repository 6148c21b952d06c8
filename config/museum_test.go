package config

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files again")

// libraryNames stands for the built-in inspectors.
func libraryNames() []string { return []string{"cpu", "load", "memory", "tcp"} }

// loadFile loads a file as both parts would, in an environment of nothing.
func loadFile(path string) (*Config, error) {
	return Load(LoadOptions{
		Path: path, Dir: filepath.Dir(path), Environ: []string{"HOME=/home/me"},
		For: PartMaster | PartAgent, Library: libraryNames(),
	})
}

// Every rule has a file that breaks it, and beside it the message that its
// author gets.
func TestMuseumOfMistakes(t *testing.T) {
	t.Chdir("testdata/bad")
	files, err := filepath.Glob("*.yaml")
	if err != nil || len(files) < 60 {
		t.Fatalf("found %d bad files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(file, func(t *testing.T) {
			c, err := loadFile(file)
			if err == nil {
				t.Fatalf("was accepted as %+v", c)
			}
			golden(t, strings.TrimSuffix(file, ".yaml")+".txt", err.Error()+"\n")
		})
	}
}

// golden compares a text with the file that holds the expected one.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got:\n%s\nwant (%s):\n%s", got, file, want)
	}
}
