package starve

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// However waits overlap, no time counts twice, and none beyond the last wait.
func TestGaugeCountsTimeOnce(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	for range 200 {
		g := &Gauge{}
		start := time.Unix(1_800_000_000, rng.Int64N(1e9))
		now, covered := start, start
		var want time.Duration
		for range 50 {
			now = now.Add(time.Duration(rng.Int64N(int64(3 * time.Second))))
			from := now.Add(-time.Duration(rng.Int64N(int64(4 * time.Second))))
			if from.Before(start) {
				from = start
			}
			g.Add(from, now)
			if from.Before(covered) {
				from = covered
			}
			if now.After(from) {
				want += now.Sub(from)
				covered = now
			}
		}
		if got := g.Total(); got != want {
			t.Fatalf("%v were waited, want %v", got, want)
		}
		if want > now.Sub(start) {
			t.Fatalf("%v were waited within %v", want, now.Sub(start))
		}
	}
}

func TestHostIsStarvedForAWhile(t *testing.T) {
	g := &Gauge{}
	now := time.Unix(1_800_000_000, 0)
	if g.Reason(now) != "" {
		t.Error("it starts starved")
	}
	g.Add(now.Add(-900*time.Millisecond), now)
	if why := g.Reason(now); why != "" {
		t.Errorf("after 0.9 s: %q", why)
	}
	now = now.Add(3 * time.Second)
	g.Add(now.Add(-time.Second), now)
	if why := g.Reason(now); !strings.Contains(why, "1.9s of the last 10s") {
		t.Errorf("after 1.9 s: %q", why)
	}
	if why := g.Reason(now.Add(window + time.Second)); why != "" {
		t.Errorf("long afterwards: %q", why)
	}
	g.Add(now, now.Add(time.Hour))
	if why := g.Reason(now.Add(time.Hour)); !strings.Contains(why, "s of the last 10s") {
		t.Errorf("after an hour: %q", why)
	}
	if want := time.Hour + 1900*time.Millisecond; g.Total() != want {
		t.Errorf("%v in all, want %v", g.Total(), want)
	}
}

func TestNilGauge(t *testing.T) {
	var g *Gauge
	g.Add(time.Unix(0, 0), time.Now())
	if g.Total() != 0 || g.Reason(time.Now()) != "" {
		t.Error("it counts")
	}
}

// start starts a program that is killed with the test.
func start(t *testing.T, name string, args ...string) int {
	t.Helper()
	cmd := exec.Command(name, args...)
	if err := cmd.Start(); err != nil {
		t.Skipf("cannot start %s: %v", name, err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd.Process.Pid
}

// wait lets time pass until a look says what is wanted.
func wait(t *testing.T, w *Watch, what string, ok func(Look) bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(time.Minute)
	for {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("it was never seen that %s", what)
		}
		if ok(w.Look(0, 20*time.Millisecond)) {
			return
		}
	}
}

func TestWatch(t *testing.T) {
	if _, err := os.Stat("/proc/self/task"); err != nil {
		t.Skip("the system does not tell")
	}
	sleeper := NewWatch(start(t, "sleep", "3600"))
	wait(t, sleeper, "who sleeps has all the time", func(l Look) bool { return l.Had > 0 && l.Had == min(l.Passed, 20*time.Millisecond) })

	spinner := start(t, "sh", "-c", "while :; do :; done")
	busy := NewWatch(spinner)
	var had, passed time.Duration
	wait(t, busy, "who spins has what it gets", func(l Look) bool {
		had, passed = had+l.Had, passed+l.Passed
		return had > 0
	})
	if had > passed {
		t.Errorf("it had %v of %v", had, passed)
	}
	if err := syscall.Kill(spinner, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	wait(t, busy, "it is stopped, and has nothing", func(l Look) bool { return l.Stopped && l.Had == 0 })
	if err := syscall.Kill(spinner, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	wait(t, busy, "it goes on", func(l Look) bool { return !l.Stopped && l.Had > 0 })
}

// A process that is not there any more has had its time.
func TestWatchOfNobody(t *testing.T) {
	w := NewWatch(0)
	wait(t, w, "time passes", func(l Look) bool { return l.Had > 0 })
}
