package main

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/vedettehq/vedette/inspectors/script/check"
)

const committed = "../../../../web/src/editor/words.json"

// TestWordsAreFresh checks that the committed file has the words that the checker knows
// today.
func TestWordsAreFresh(t *testing.T) {
	data, err := os.ReadFile(committed)
	if err != nil {
		t.Fatal(err)
	}
	var had []*Package
	if err := json.Unmarshal(data, &had); err != nil {
		t.Fatal(err)
	}
	want, err := collect()
	if err != nil {
		t.Fatal(err)
	}
	got, fresh := bare(t, had), bare(t, want)
	if len(got) != len(fresh) {
		t.Fatalf("%s has %d packages, the checker %d; run go generate in inspectors/script/check", committed, len(got), len(fresh))
	}
	for i := range fresh {
		if !bytes.Equal(got[i], fresh[i]) {
			t.Errorf("%s has\n%.300s\nwhere the checker has\n%.300s\nrun go generate in inspectors/script/check", committed, got[i], fresh[i])
		}
	}
}

// bare returns the lines of packages without documentation.
func bare(t *testing.T, packages []*Package) [][]byte {
	t.Helper()
	var lines [][]byte
	for _, p := range packages {
		p.Doc = ""
		for _, w := range p.Words {
			w.Doc = ""
			for _, m := range w.Members {
				m.Doc = ""
			}
		}
		data, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, data)
	}
	return lines
}

// TestEveryWordIsAccepted has the checker look at each name as a script would use
// it: nothing is proposed that is then refused as unknown.
func TestEveryWordIsAccepted(t *testing.T) {
	packages, err := collect()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range packages {
		for _, w := range p.Words {
			if w.Kind != "var" && w.Kind != "const" || strings.HasPrefix(w.Type, "[") {
				continue
			}
			text := "package x\n\nimport q \"" + p.Path + "\"\n\nfunc Inspect() (float64, error) {\n\tif q." + w.Name + " == q." + w.Name +
				" {\n\t\treturn 1, nil\n\t}\n\treturn 0, nil\n}\n"
			for _, d := range check.Check("x.go", text) {
				if strings.Contains(d.Message, "undefined") {
					t.Errorf("%s.%s is proposed, but: %v", p.Name, w.Name, d)
				}
			}
		}
	}
}

// TestTheAuthorsAPIIsExplained looks for what authors use most.
func TestTheAuthorsAPIIsExplained(t *testing.T) {
	data, err := os.ReadFile(committed)
	if err != nil {
		t.Fatal(err)
	}
	var had []*Package
	if err := json.Unmarshal(data, &had); err != nil {
		t.Fatal(err)
	}
	said := make(map[string]string)
	for _, p := range had {
		for _, w := range p.Words {
			said[p.Name+"."+w.Name] = w.Doc
			for _, m := range w.Members {
				said[p.Name+"."+w.Name+"."+m.Name] = m.Doc
			}
		}
	}
	for _, name := range []string{
		"inspectors.Report", "inspectors.Report.Gauge", "inspectors.Report.Counter", "inspectors.Exec", "strings.Fields",
		"os.ReadFile", "slices.Sort",
	} {
		if said[name] == "" {
			t.Errorf("%s is not explained", name)
		}
	}
}
