// Package alone runs a test in a separate process. It is for tests that change a
// whole process, such as a limit of the system, because the test binary writes
// files too.
package alone

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// env names the test that a process is to run.
const env = "VEDETTE_TEST_ALONE"

// Test runs f as the test t in another process, and returns when that has ended.
// It must be the first call of the test.
func Test(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	run(t, nil, f)
}

// run is Test in a process with attributes, which may be nil.
func run(t *testing.T, attributes *syscall.SysProcAttr, f func(t *testing.T)) {
	t.Helper()
	if os.Getenv(env) == t.Name() {
		f(t)
		return
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// The name of a subtest begins with its parents' names.
	pattern := "^" + strings.ReplaceAll(t.Name(), "/", "$/^") + "$"
	cmd := exec.CommandContext(t.Context(), exe, "-test.run", pattern, "-test.v", "-test.count=1")
	cmd.Env = append(os.Environ(), env+"="+t.Name())
	cmd.SysProcAttr = attributes
	out, err := cmd.CombinedOutput()
	switch {
	case err != nil:
		t.Errorf("in a process of its own: %v\n%s", err, out)
	case strings.Contains(string(out), "--- SKIP: "+t.Name()):
		t.Skipf("in a process of its own:\n%s", out)
	case !strings.Contains(string(out), "--- PASS: "+t.Name()):
		t.Errorf("in a process of its own it did not run:\n%s", out)
	}
}
