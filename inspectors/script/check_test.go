package script

import (
	"flag"
	"os"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "write what the checks say into testdata")

// TestCheckCases holds every message of the checker against its case in
// testdata/check.txtar: a file name.go, followed by a file name.want with one
// line for each fault, none where the script is good.
func TestCheckCases(t *testing.T) {
	const file = "testdata/check.txtar"
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for i := 0; i+1 < len(archive.Files); i += 2 {
		source, want := archive.Files[i], &archive.Files[i+1]
		name := strings.TrimSuffix(source.Name, ".go")
		if want.Name != name+".want" || seen[name] {
			t.Fatalf("%s: file %s is not followed by its own .want, or stands there twice", file, source.Name)
		}
		seen[name] = true
		t.Run(name, func(t *testing.T) {
			got := ""
			if err := Check(source.Name, string(source.Data)); err != nil {
				got = err.Error() + "\n"
			}
			if *update {
				want.Data = []byte(got)
				return
			}
			if got != string(want.Data) {
				t.Errorf("got\n%swant\n%s", got, want.Data)
			}
		})
	}
	if *update {
		if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
