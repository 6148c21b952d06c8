//go:build linux

package plugins_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vedettehq/vedette/plugins"
)

// starve stops the process of a kind and continues it for a moment, again and
// again, until the test calls stop. It returns when the process stands still.
func (f *fixture) starve(host string, rng *rand.Rand) (stop func()) {
	f.t.Helper()
	pid := f.pid(host)
	signal := func(s syscall.Signal) {
		if err := syscall.Kill(pid, s); err != nil {
			f.t.Errorf("cannot signal the process: %v", err)
		}
	}
	signal(syscall.SIGSTOP)
	eventually(f.t, "it stands still", func() bool { return stopped(f.t, pid) })
	end, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		defer signal(syscall.SIGCONT)
		for {
			asleep := time.NewTimer(time.Duration(200+rng.IntN(600)) * time.Millisecond)
			select {
			case <-asleep.C:
			case <-end:
				return
			}
			signal(syscall.SIGCONT)
			awake := time.NewTimer(time.Duration(rng.IntN(3)) * time.Millisecond)
			<-awake.C
			signal(syscall.SIGSTOP)
		}
	}()
	return func() {
		close(end)
		<-done
	}
}

// However a process starves, the one that runs there waits for its turn, it is
// not restarted, and nobody is blamed.
func TestStarvedProcess(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	f := nativePool(t)
	names := []string{"a", "b", "c"}
	for _, name := range names {
		f.mustLoad(script(name, "ok"))
	}
	pid := f.pid("shared")
	stop := f.starve("shared", rand.New(rand.NewPCG(seed, 0)))
	for range 4 {
		for name, o := range f.run(100*time.Millisecond, names...) {
			if o.Err != nil && !errors.Is(o.Err, plugins.ErrStarved) {
				t.Errorf("%s: %v, want a good run or one that starved", name, o.Err)
			}
		}
	}
	stop()
	f.wantGood(f.run(testTimeout, names...), names...)
	if f.pid("shared") != pid {
		t.Error("the process was restarted")
	}
	for _, name := range names {
		if s := f.State(name); s != (plugins.State{Host: "shared"}) {
			t.Errorf("%s was blamed: %+v", name, s)
		}
	}
	if f.Starvation().Total() == 0 {
		t.Error("nobody knows that they waited")
	}
}

// A run that was stopped beyond its timeout is no run that timed out.
func TestStoppedRun(t *testing.T) {
	t.Parallel()
	f := nativePool(t)
	f.mustLoad(script("a", "sleep"))
	pid := f.pid("shared")
	var o plugins.Outcome
	for range 5 { // on a busy machine the run may have ended, or not begun, when it is stopped
		o = f.stopped(pid, plugins.Job{Name: "a", Timeout: time.Second})
		if errors.Is(o.Err, plugins.ErrStarved) {
			break
		}
	}
	if !errors.Is(o.Err, plugins.ErrStarved) || !errors.Is(o.Err, plugins.ErrUnavailable) || !strings.Contains(o.Err.Error(), "got no processor for") {
		t.Errorf("the outcome is %v, want one that starved", o.Err)
	}
}

// stopped is the outcome of a run whose process is stopped for eight seconds.
func (f *fixture) stopped(pid int, job plugins.Job) plugins.Outcome {
	f.t.Helper()
	got := make(chan plugins.Outcome, 1)
	go f.Run(f.t.Context(), []plugins.Job{job}, func(o plugins.Outcome) { got <- o })
	stopNow := time.NewTimer(100 * time.Millisecond)
	<-stopNow.C
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		f.t.Fatal(err)
	}
	goOn := time.NewTimer(8 * time.Second)
	<-goOn.C
	if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
		f.t.Fatal(err)
	}
	return <-got
}

// A load that took too long is tried again when its process is started again,
// until it goes well.
func TestSlowReload(t *testing.T) {
	t.Parallel()
	f := nativePool(t)
	file := filepath.Join(t.TempDir(), "left")
	f.mustLoad(script("a", "ok"), script("b", "load-late "+file))
	if err := os.WriteFile(file, []byte("xx"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(file, 0o666); err != nil {
		t.Fatal(err)
	}
	pid := f.pid("shared")
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "another process is there", func() bool { return f.replaced(pid) })
	f.wantGood(f.run(testTimeout, "a"), "a")
	eventually(t, "b is loaded again", func() bool { return f.runOne("b").Err == nil })
	if s := f.State("b"); s != (plugins.State{Host: "shared"}) {
		t.Errorf("it was blamed: %+v", s)
	}
	f.wantLog("level=INFO", "is loaded again", "inspector=b")
}

// Each quarantine ends by itself, and lasts longer than the one before; a good
// probation has everything forgotten, on the disk too.
func TestQuarantineEnds(t *testing.T) {
	t.Parallel()
	state := t.TempDir()
	f := rememberingPool(t, state)
	f.SetPause(50 * time.Millisecond)
	marker := filepath.Join(t.TempDir(), "marker")
	f.mustLoad(script("bad", "exit-once "+marker), script("good", "ok"))
	crash := func() {
		t.Helper()
		eventually(t, "it crashes", func() bool {
			if err := os.WriteFile(marker, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			return errors.Is(f.runOne("bad").Err, plugins.ErrCrashed)
		})
	}
	crash()
	for i := range 4 {
		crash()
		want := fmt.Sprintf("again_in=%v", 50*time.Millisecond<<i)
		f.wantLog("level=ERROR", "is quarantined", "inspector=bad", want)
		eventually(t, "the quarantine ends", func() bool { return !f.State("bad").Quarantined })
	}
	if err := os.Remove(marker); err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	eventually(t, "it behaves and is back", func() bool {
		f.wantGood(f.run(testTimeout, "bad", "good"), "bad", "good")
		return f.State("bad").Host == "shared"
	})
	eventually(t, "it is forgotten", func() bool {
		text, err := os.ReadFile(filepath.Join(state, "quarantine.json"))
		return err == nil && !strings.Contains(string(text), "bad")
	})
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	f = rememberingPool(t, state)
	f.mustLoad(script("bad", "exit-once "+marker))
	if s := f.State("bad"); s != (plugins.State{Host: "shared"}) {
		t.Errorf("after a restart: %+v", s)
	}
}

// A record of an agent for which a quarantine had no end heals; one whose time
// is in the future, as a clock went wrong, too.
func TestOldQuarantineHeals(t *testing.T) {
	t.Parallel()
	for name, since := range map[string]time.Time{
		"long ago": time.Now().Add(-1000 * time.Hour), "in the future": time.Now().Add(1000 * time.Hour),
	} {
		t.Run(name, func(t *testing.T) {
			state := t.TempDir()
			d := script("a", "ok")
			text, err := json.Marshal([]map[string]any{{
				"name": "a", "revision": d.Revision(), "verdict": "it crashed 2 script hosts", "reason": "x", "crashes": 2, "since_ms": since.UnixMilli(),
			}})
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(state, "quarantine.json"), text, 0o600); err != nil {
				t.Fatal(err)
			}
			f := rememberingPool(t, state)
			f.SetPause(50 * time.Millisecond)
			f.mustLoad(d)
			eventually(t, "it is run again", func() bool { return f.runOne("a").Err == nil })
			eventually(t, "it is back among the others", func() bool {
				f.wantGood(f.run(testTimeout, "a"), "a")
				return f.State("a").Host == "shared"
			})
		})
	}
}

// A process that the system kills, out of memory say, is nobody's fault.
func TestKilledInARun(t *testing.T) {
	t.Parallel()
	f := nativePool(t)
	f.mustLoad(script("a", "ok"), script("b", "sleep"))
	for range 3 {
		pid := f.pid("shared")
		got := make(chan plugins.Outcome, 1)
		go f.Run(t.Context(), []plugins.Job{{Name: "b", Timeout: 2 * time.Second}}, func(o plugins.Outcome) { got <- o })
		f.wantGood(f.run(testTimeout, "a"), "a") // by then b has begun
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		if o := <-got; errors.Is(o.Err, plugins.ErrCrashed) {
			t.Errorf("b: %v", o.Err)
		}
		eventually(t, "another process is there", func() bool { return f.replaced(pid) })
	}
	for _, name := range []string{"a", "b"} {
		if s := f.State(name); s.Crashes > 0 || s.Host != "shared" {
			t.Errorf("%s was blamed: %+v", name, s)
		}
	}
	f.wantLog("level=ERROR", "no inspector is to blame", "out of memory?")
}
