package script

import (
	"errors"
	"strings"
	"testing"

	"github.com/vedettehq/vedette/inspectors"
	"golang.org/x/tools/txtar"
)

// FuzzRules holds that no text makes the parser and the rules panic, and that
// every fault has a place inside the author's text. It does not go on to the
// interpreter, which no text from outside reaches in a process that must live.
func FuzzRules(f *testing.F) {
	archive, err := txtar.ParseFile("testdata/check.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range archive.Files {
		if strings.HasSuffix(file.Name, ".go") {
			f.Add(string(file.Data))
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		s := parse(inspectors.Script{File: "config.yaml", Line: 5, Indent: 2, Source: text})
		s.applyRules()
		var faults inspectors.Diagnostics
		if err := s.faults.Err(); err != nil && !errors.As(err, &faults) {
			t.Fatalf("the error is a %T", err)
		}
		if s.file == nil && len(faults) == 0 {
			t.Error("there is no file, and no fault")
		}
		last := 5 + strings.Count(text, "\n")
		for _, fault := range faults {
			if fault.File != "config.yaml" || fault.Line < 5 || fault.Line > last || fault.Col < 0 || fault.Message == "" {
				t.Errorf("%#v is outside of the lines 5 to %d", fault, last)
			}
		}
	})
}
