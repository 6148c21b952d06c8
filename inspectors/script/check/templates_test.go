package check

import (
	"os"
	"path/filepath"
	"testing"
)

// TestTemplatesOfTheEditor: what the page gives authors to start from is accepted as
// it is.
func TestTemplatesOfTheEditor(t *testing.T) {
	files, err := filepath.Glob("../../../web/src/editor/templates/*.go.txt")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 7 {
		t.Fatalf("there are %d templates, want 7 or more", len(files))
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range Check(filepath.Base(file), string(text)) {
			t.Errorf("%v", d)
		}
	}
}
