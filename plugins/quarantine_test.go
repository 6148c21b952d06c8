package plugins_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vedettehq/vedette/plugins"
)

// rememberingPool is a pool of native scripts that remembers in a folder.
func rememberingPool(t *testing.T, state string) *fixture {
	f := newFixture(t, plugins.PoolOptions{ScriptHost: []string{os.Args[0], nativeHost}, State: state})
	f.SetRespite(0)
	return f
}

// quarantine runs an inspector until it is quarantined.
func (f *fixture) quarantine(name string) {
	f.t.Helper()
	for range 5 {
		if f.State(name).Quarantined {
			return
		}
		if o := f.runOne(name); o.Err == nil {
			f.t.Errorf("%s had a good run", name)
		}
	}
	f.t.Errorf("%s is not quarantined: %+v", name, f.State(name))
}

func (f *fixture) wantQuarantined(name, say string) {
	f.t.Helper()
	if o := f.runOne(name); !errors.Is(o.Err, plugins.ErrQuarantined) || !strings.Contains(o.Err.Error(), say) {
		f.t.Errorf("a run of %s: %v, want it quarantined: %s", name, o.Err, say)
	}
	if s := f.State(name); !s.Quarantined || s.Reason == "" {
		f.t.Errorf("state %+v", s)
	}
}

func TestQuarantineOutlivesTheAgent(t *testing.T) {
	state := t.TempDir()
	f := rememberingPool(t, state)
	f.mustLoad(script("bad", "exit"), script("good", "ok"))
	f.quarantine("bad")
	f.Unload("bad") // to go and come back is no way out
	f.mustLoad(script("bad", "exit"))
	f.wantQuarantined("bad", "exit status 7")
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}

	f = rememberingPool(t, state)
	f.mustLoad(script("good", "ok"), script("bad", "exit"))
	f.wantQuarantined("bad", "exit status 7")
	if s := f.State("bad"); s.Crashes != 2 {
		t.Errorf("state %+v, want the crashes of the agent before", s)
	}
	f.wantLog("level=WARN", "quarantined", "inspector=bad", "exit status 7")
	if len(f.Processes()) != 1 {
		t.Errorf("processes %v", f.Processes())
	}
	f.mustLoad(script("bad", "ok")) // another revision
	f.wantGood(f.run(testTimeout, "bad", "good"), "bad", "good")
	f.mustLoad(script("bad", "exit"))
	f.wantQuarantined("bad", "exit status 7")
}

func TestRelease(t *testing.T) {
	t.Parallel()
	state := t.TempDir()
	f := rememberingPool(t, state)
	marker := filepath.Join(t.TempDir(), "marker")
	d := script("bad", "exit-once "+marker)
	f.mustLoad(d, script("good", "ok"))
	crash := func() {
		t.Helper()
		if err := os.WriteFile(marker, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if o := f.runOne("bad"); !errors.Is(o.Err, plugins.ErrCrashed) {
			t.Errorf("it did not crash: %v", o.Err)
		}
	}
	for name, want := range map[string]error{"good": plugins.ErrNotQuarantined, "none": plugins.ErrNotLoaded} {
		if err := f.Release(t.Context(), name); !errors.Is(err, want) || !strings.Contains(err.Error(), name) {
			t.Errorf("Release(%s): %v, want %v", name, err, want)
		}
	}
	crash()
	crash()
	f.wantQuarantined("bad", "exit status 7")
	if err := f.Release(t.Context(), "bad"); err != nil {
		t.Fatal(err)
	}
	f.wantGood(f.run(testTimeout, "bad"), "bad")
	if s := f.State("bad"); s.Quarantined || s.Host != "own" || s.Crashes != 2 {
		t.Errorf("released: %+v", s)
	}
	crash()
	f.wantQuarantined("bad", "exit status 7")
	if err := f.Release(t.Context(), "bad"); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	f = rememberingPool(t, state)
	f.mustLoad(d)
	f.wantGood(f.run(testTimeout, "bad"), "bad")
}

// A damaged file is put aside, and tells nobody lies.
func TestDamagedMemory(t *testing.T) {
	state := t.TempDir()
	for _, name := range []string{"quarantine.json", "running"} {
		if err := os.WriteFile(filepath.Join(state, name), []byte("{nonsense"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f := rememberingPool(t, state)
	f.mustLoad(script("good", "ok"))
	f.wantGood(f.run(testTimeout, "good"), "good")
	if _, err := os.Stat(filepath.Join(state, "quarantine.json.bad")); err != nil || !f.log.line("level=ERROR", "quarantine.json") {
		t.Errorf("the damaged file: %v", err)
	}
}

// A folder that cannot be used costs the memory, not the measuring.
func TestNoMemory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f := rememberingPool(t, file)
	f.mustLoad(script("bad", "exit"), script("good", "ok"))
	f.quarantine("bad")
	f.wantGood(f.run(testTimeout, "good"), "good")
	f.wantLog("level=ERROR", "cannot remember who is quarantined")
	f.wantLog("level=ERROR", "cannot keep a journal")
}

// journalSays reports whether an inspector is running, as the journal has it.
func journalSays(t *testing.T, state, name string) bool {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(state, "running"))
	if err != nil {
		t.Fatal(err)
	}
	for record := range slices.Chunk(text, 256) {
		if record[0] == 1 && bytes.HasPrefix(record[35:], append([]byte(name), 0)) {
			return true
		}
	}
	return false
}

// An agent that is killed twice while it runs the same inspector does not run it
// a third time.
func TestKillerOfAgents(t *testing.T) {
	t.Parallel()
	state := t.TempDir()
	for range 2 {
		agent := exec.CommandContext(t.Context(), os.Args[0], agentLike, shortDir(t), state)
		agent.Stderr = os.Stderr
		out, err := agent.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := agent.Start(); err != nil {
			t.Fatal(err)
		}
		firstLine(t, out)
		eventually(t, "spin is running", func() bool { return journalSays(t, state, "spin") })
		if err := agent.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = agent.Wait()
	}
	f := newFixture(t, plugins.PoolOptions{State: state})
	f.mustLoad(agentScripts()...)
	f.wantQuarantined("spin", "it was running when the agent died, twice in a row")
	f.wantGood(f.run(testTimeout, "good"), "good")
}
