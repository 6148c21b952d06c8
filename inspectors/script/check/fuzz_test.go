package check_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/inspectors/script/check"
	"golang.org/x/tools/txtar"
)

// FuzzCheck holds that no text makes the checker panic, and that every fault has
// a place inside the author's text.
func FuzzCheck(f *testing.F) {
	files, err := filepath.Glob("testdata/*/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range append(files, "../testdata/check.txtar") {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range archive.Files {
			if !strings.HasSuffix(file.Name, ".want") {
				f.Add(string(file.Data))
			}
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		last := 5 + strings.Count(text, "\n")
		for _, fault := range check.Script(inspectors.Script{File: "config.yaml", Line: 5, Indent: 2, Source: text}) {
			if fault.File != "config.yaml" || fault.Line < 5 || fault.Line > last || fault.Col < 0 || fault.Message == "" {
				t.Errorf("%#v is outside of the lines 5 to %d", fault, last)
			}
		}
	})
}
