package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// notRun are the commands of the README that TestReadme does not run, with the reasons.
func notRun() map[string]string {
	return map[string]string{
		"vedette dev":               "runs until it is stopped; testdata/script/dev.txtar runs it",
		"vedette master":            "listens beyond loopback; testdata/script/join.txtar runs it",
		"vedette join-token":        "needs a master with TLS; testdata/script/join.txtar runs it",
		"vedette-agent":             "needs a master with a certificate; testdata/lean runs it",
		"vedette inspector test":    "needs a Go toolchain; testdata/script/inspector_test.txtar runs it",
		"vedette inspector promote": "needs a Go toolchain; testdata/script/inspector_promote.txtar runs it",
	}
}

// ends are flags that make commands end which would otherwise go on, or ask somebody.
func ends() map[string]string {
	return map[string]string{
		"vedette try":   " --for 1s",
		"vedette push":  " --bake 100ms",
		"vedette watch": " --count 1",
		"vedette boost": " --for 1s",
		"vedette top":   " --once",
		"vedette apply": " --yes",
	}
}

// readmeFiles are files that the commands of the README need, beside those that the README
// itself says to save.
const readmeFiles = `
-- box.yaml --
agent:
  library: [load]
  labels: { role: db }
-- disk.go --
//vedette:interval 1s
package disk

func Inspect() (float64, error) { return 42, nil }
-- openssl.go --
package openssl

import (
	"context"

	"github.com/vedettehq/vedette/inspectors"
)

func Inspect(_ context.Context, r *inspectors.Report) error {
	r.Gauge("installed", 1, "version", "3.0.1")
	return nil
}
-- better/disk.go --
//vedette:interval 1s
package disk

func Inspect() (float64, error) { return 43, nil }
-- inspectors/disk.go --
//vedette:interval 1s
package disk

func Inspect() (float64, error) { return 44, nil }
`

// TestReadme runs the commands of the README in order, against a real master with an agent.
// Each must succeed.
func TestReadme(t *testing.T) {
	t.Parallel()
	var script strings.Builder
	script.WriteString(`env VEDETTE_HOST=web-1
spawn d vedette dev --listen 127.0.0.1:0 --config box.yaml
opens d
env VEDETTE_MASTER=$d_URL
await '^web-1 +up ' vedette hosts
`)
	run, pushes := 0, 0
	skipped := make(map[string]bool)
	for _, s := range commandsOf(t, "../../README.md") {
		words := shellWords(s.text)
		if !s.whole || filepath.Base(words[0]) == "go" {
			continue
		}
		name := filepath.Base(words[0])
		for begin := range notRun() {
			if line := name + " " + strings.Join(words[1:], " ") + " "; strings.HasPrefix(line, begin+" ") {
				skipped[begin], name = true, ""
			}
		}
		if name == "" {
			continue
		}
		quotedWords := make([]string, len(words))
		for i, word := range words {
			quotedWords[i] = "'" + strings.ReplaceAll(word, "'", "''") + "'"
		}
		if len(words) > 1 && words[1] == "push" {
			if pushes++; pushes == 2 { // the reader has changed the file since
				script.WriteString("cp better/disk.go disk.go\n")
			}
		}
		run++
		fmt.Fprintf(&script, "# %s:%d\nexec %s%s\n", s.file, s.line, strings.Join(quotedWords, " "), ends()[name+" "+words[1]])
	}
	if run < 15 {
		t.Errorf("%d commands of the README are run", run)
	}
	for begin := range notRun() {
		if !skipped[begin] {
			t.Errorf("the README has no %q any more", begin)
		}
	}
	script.WriteString("stops d\n" + readmeFiles + "-- open-files.go --\n" + savedAs(t, "open-files.go"))
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "readme.txtar"), []byte(script.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	runScripts(t, folder, "")
}

// savedAs returns the block of the README after the sentence that says to save it.
func savedAs(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile("(?s)Save this as `" + regexp.QuoteMeta(name) + "`:\n\n```go\n(.*?)```").FindSubmatch(text)
	if m == nil {
		t.Fatalf("the README does not say to save %s", name)
	}
	return string(m[1])
}
