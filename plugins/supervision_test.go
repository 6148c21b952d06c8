package plugins_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vedettehq/vedette/plugins"
)

func TestLoadThatNeverEnds(t *testing.T) {
	t.Parallel()
	f := nativePool(t)
	f.SetLoadTime(200 * time.Millisecond)
	f.mustLoad(script("a", "ok"))
	pid := f.pid("shared")
	err := f.Load(t.Context(), script("b", "load-hangs"))
	if !errors.Is(err, plugins.ErrTimeout) || !strings.Contains(err.Error(), `"b"`) {
		t.Errorf("Load: %v", err)
	}
	eventually(t, "the process that still builds is replaced", func() bool {
		f.wantGood(f.run(testTimeout, "a"), "a")
		return f.replaced(pid)
	})
}

// A host that dies again and again without a suspect is not started again all
// the time; one that has come to rest is.
func TestBackoff(t *testing.T) {
	want := []time.Duration{0, 0, 100 * time.Millisecond, 200 * time.Millisecond, 400 * time.Millisecond}
	for failures, delay := range want {
		if got := plugins.Backoff(failures); got != delay {
			t.Errorf("after %d failures it waits %v, want %v", failures, got, delay)
		}
	}
	for _, failures := range []int{12, 100, 1 << 40} {
		if got := plugins.Backoff(failures); got != 30*time.Second {
			t.Errorf("after %d failures it waits %v", failures, got)
		}
	}
}

func TestCrashingPluginBacksOff(t *testing.T) {
	t.Parallel()
	f := newFixture(t, plugins.PoolOptions{})
	f.SetDelay(func(failures int) time.Duration {
		if failures > 1 {
			return time.Hour
		}
		return 0
	})
	f.mustLoad(external("ok"), external("exits"))
	for range 2 {
		if o := f.runOne("exits"); !errors.Is(o.Err, plugins.ErrCrashed) {
			t.Fatalf("outcome %v", o.Err)
		}
	}
	o := f.runOne("ok")
	if !errors.Is(o.Err, plugins.ErrUnavailable) || !strings.Contains(o.Err.Error(), "starts again in") || !strings.Contains(o.Err.Error(), "exit status 9") {
		t.Errorf("a run in the meantime: %v", o.Err)
	}
	if o.Duration >= testTimeout {
		t.Errorf("it waited %v for a process that comes in an hour", o.Duration)
	}
}

func TestManyInspectorsSurviveARestart(t *testing.T) {
	t.Parallel()
	f := newFixture(t, plugins.PoolOptions{})
	var names []string
	for i := range 30 {
		names = append(names, fmt.Sprintf("chart/item-%d", i))
		f.mustLoad(script(names[i], goodScript))
	}
	f.wantGood(f.run(testTimeout, names...), names...)
	pid := f.pid("shared")
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	f.wantGood(f.run(testTimeout, names...), names...)
}

// Everything at once, for the race detector and for what nobody thought of.
func TestTurmoil(t *testing.T) {
	t.Parallel()
	f := nativePool(t)
	f.mustLoad(script("steady", "ok"))
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			name := fmt.Sprintf("w%d", worker)
			for i := range 12 {
				source := []string{"ok", "fail x", "exit", "panic-in-goroutine", "load-exit"}[(i+worker)%5]
				d := script(name, source+fmt.Sprintf(" %d", i))
				if err := f.Load(t.Context(), d); err != nil && !errors.Is(err, plugins.ErrCrashed) && !errors.Is(err, plugins.ErrUnavailable) {
					t.Errorf("Load: %v", err)
				}
				f.Run(t.Context(), []plugins.Job{{Name: name, Timeout: testTimeout}}, func(plugins.Outcome) {})
				_ = f.State(name)
				if i%3 == 0 {
					f.Unload(name)
				}
			}
		})
	}
	answered := 0
	for range 20 {
		f.Run(t.Context(), []plugins.Job{{Name: "steady", Timeout: testTimeout}}, func(plugins.Outcome) { answered++ })
	}
	wg.Wait()
	if answered != 20 {
		t.Errorf("%d outcomes of 20 runs", answered)
	}
	// A process that exits does not say who did that, so whoever runs then is a suspect.
	if s := f.State("steady"); s.Crashes != 0 && !strings.HasPrefix(s.Reason, "exit status ") || s.Quarantined {
		t.Errorf("the one that behaved was blamed: %+v", s)
	}
	f.wantGood(f.run(testTimeout, "steady"), "steady")
}
