package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// compiler returns the environment with which scripts with their own home compile using the
// caches of this one, and CHECKOUT, the module against which they compile.
func compiler(t *testing.T) func(*testscript.Env) {
	t.Helper()
	out, err := exec.Command("go", "env", "-json", "GOCACHE", "GOMODCACHE", "GOPROXY", "GOFLAGS", "GOTOOLCHAIN").Output()
	if err != nil {
		t.Fatalf("cannot ask Go for its settings: %v", err)
	}
	var settings map[string]string
	if err := json.Unmarshal(out, &settings); err != nil {
		t.Fatal(err)
	}
	if settings["CHECKOUT"], err = filepath.Abs("../.."); err != nil {
		t.Fatal(err)
	}
	return func(env *testscript.Env) {
		for name, value := range settings {
			env.Setenv(name, value)
		}
	}
}

// withoutGo removes the folders with a Go toolchain from PATH.
func withoutGo(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: without-go")
	}
	var rest []string
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		if _, err := os.Stat(filepath.Join(dir, "go")); err != nil {
			rest = append(rest, dir)
		}
	}
	ts.Setenv("PATH", strings.Join(rest, string(filepath.ListSeparator)))
}
