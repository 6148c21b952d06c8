package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/plugins"
)

// schedule runs a scheduler of the definitions for a time and returns when all
// of it has ended. It is called in a bubble.
func schedule(t *testing.T, runner *testRunner, watch observer, lasts time.Duration, defs ...inspectors.Definition) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), lasts)
	defer cancel()
	s := newScheduler(slog.New(slog.DiscardHandler), "web-1", runner, watch)
	for _, d := range defs {
		s.put(d, startWindow)
	}
	s.run(ctx)
}

func TestRunsEveryIntervalWithoutDrift(t *testing.T) {
	for _, interval := range []time.Duration{100 * time.Millisecond, time.Second, 10 * time.Second} {
		t.Run(interval.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				runner := &testRunner{onRun: func(ctx context.Context, job plugins.Job) plugins.Outcome {
					_ = sleep(ctx, 37*time.Millisecond)
					return plugins.Outcome{Name: job.Name}
				}}
				const lasts = 6 * time.Hour
				schedule(t, runner, newTestObserver(), lasts, script("disk", "", interval))
				starts := runner.startsOf("disk")
				if want := int(lasts / interval); len(starts) < want-1 || len(starts) > want+1 {
					t.Errorf("%d runs in %v at %v, want %d", len(starts), lasts, interval, want)
				}
				phase := newSplay("web-1").phase("disk", interval)
				for _, at := range starts[1:] { // the first may be early
					if off := (time.Duration(at.UnixNano()) - phase) % interval; off != 0 {
						t.Fatalf("the run at %v is %v off its tick", at, off)
					}
				}
			})
		})
	}
}

func TestIntervalsOffTheGridKeepTheirRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runner := &testRunner{}
		schedule(t, runner, newTestObserver(), time.Hour, script("a", "", 250*time.Millisecond), script("b", "", 333*time.Millisecond), script("c", "", 1100*time.Millisecond))
		offset := newSplay("web-1").offset
		for name, c := range map[string]struct {
			want int
			grid time.Duration
		}{"a": {14_400, fineGrid}, "b": {10_810, fineGrid}, "c": {3_272, coarseGrid}} {
			want, starts := c.want, runner.startsOf(name)
			if n := len(starts); n < want-1 || n > want+1 {
				t.Errorf("%d runs of %s in an hour, want %d", n, name, want)
			}
			for _, at := range starts {
				if (time.Duration(at.UnixNano())-offset)%c.grid != 0 {
					t.Fatalf("%s runs at %v, off its grid", name, at)
				}
			}
		}
	})
}

func TestFirstRunIsSoonAndTheSecondNotTooSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runner := &testRunner{}
		var defs []inspectors.Definition
		for i := range 200 {
			defs = append(defs, script(fmt.Sprintf("a%d", i), "", 10*time.Second))
		}
		began := time.Now()
		schedule(t, runner, newTestObserver(), time.Minute, defs...)
		for _, d := range defs {
			starts := runner.startsOf(d.Name)
			if wait := starts[0].Sub(began); wait > startWindow {
				t.Errorf("the first run of %s comes after %v", d.Name, wait)
			}
			if gap := starts[1].Sub(starts[0]); gap < d.Interval/2 || gap > d.Interval*3/2 {
				t.Errorf("the second run of %s comes %v after the first", d.Name, gap)
			}
		}
	})
}

func TestDueTogetherIsOneBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runner := &testRunner{}
		var defs []inspectors.Definition
		for i := range 100 {
			defs = append(defs, script(fmt.Sprintf("a%d", i), "", time.Second))
		}
		schedule(t, runner, newTestObserver(), time.Minute, defs...)
		seen := make(map[time.Time]bool)
		jobs := 0
		for _, call := range runner.calls {
			if seen[call.at] {
				t.Fatalf("two batches at %v", call.at)
			}
			seen[call.at] = true
			jobs += len(call.jobs)
		}
		if len(runner.calls) > 601 {
			t.Errorf("%d batches in a minute, want ten a second at most", len(runner.calls))
		}
		if jobs < 5_990 || jobs > 6_010 {
			t.Errorf("%d runs in a minute, want 6000", jobs)
		}
	})
}

func TestSlowInspectorMissesTicksAndNeverOverlaps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		watch := newTestObserver()
		runner := &testRunner{onRun: func(ctx context.Context, job plugins.Job) plugins.Outcome {
			if job.Name == "slow" {
				_ = sleep(ctx, 3500*time.Millisecond)
			}
			return plugins.Outcome{Name: job.Name}
		}}
		// Both are due at the same ticks.
		schedule(t, runner, watch, time.Hour, script("slow", "", time.Second), script("healthy", "", time.Second))
		if len(runner.overlap) > 0 {
			t.Errorf("%d runs began before the last had ended", len(runner.overlap))
		}
		if n := len(runner.startsOf("healthy")); n < 3599 || n > 3601 {
			t.Errorf("%d runs of the healthy one in an hour", n)
		}
		runs, missed := len(runner.startsOf("slow")), watch.misses["slow"]
		if runs < 899 || runs > 901 {
			t.Errorf("%d runs of the slow one in an hour, want every fourth tick", runs)
		}
		if all := uint64(runs) + missed; all < 3599 || all > 3601 {
			t.Errorf("%d runs and %d missed ticks of the slow one in an hour", runs, missed)
		}
		if watch.misses["healthy"] != 0 {
			t.Errorf("the healthy one missed %d ticks", watch.misses["healthy"])
		}
	})
}

func TestHungInspectorIsNoticedAndDisturbsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		watch := newTestObserver()
		runner := &testRunner{onRun: func(ctx context.Context, job plugins.Job) plugins.Outcome {
			if job.Name == "hung" {
				<-ctx.Done()
			}
			return plugins.Outcome{Name: job.Name}
		}}
		defs := []inspectors.Definition{script("hung", "", time.Second)}
		for i := range 30 {
			defs = append(defs, script(fmt.Sprintf("a%d", i), "", time.Second))
		}
		schedule(t, runner, watch, time.Minute, defs...)
		if n := len(runner.startsOf("hung")); n != 1 {
			t.Errorf("the hung one was run %d times", n)
		}
		if watch.late["hung"] < 50*time.Second {
			t.Errorf("the hung one was last told of as overdue for %v", watch.late["hung"])
		}
		for _, d := range defs[1:] {
			if n := len(watch.outcomes[d.Name]); n < 59 || n > 61 || watch.misses[d.Name] > 0 {
				t.Errorf("%s: %d runs and %d missed ticks in a minute", d.Name, n, watch.misses[d.Name])
			}
		}
	})
}

// A machine that was suspended, or an agent that was stopped, comes back to
// many ticks that have passed.
func TestNoBurstAfterAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		watch := newTestObserver()
		s := newScheduler(slog.New(slog.DiscardHandler), "web-1", &testRunner{}, watch)
		for i := range 50 {
			s.put(script(fmt.Sprintf("a%d", i), "", time.Second), startWindow)
			s.put(script(fmt.Sprintf("b%d", i), "", 700*time.Millisecond), startWindow)
		}
		now := s.clock.now().add(time.Hour)
		due, late := s.takeDueLocked(now)
		if len(due.jobs) != 100 {
			t.Errorf("%d runs after an hour's pause, want one of each of the 100", len(due.jobs))
		}
		if len(late) != 100 {
			t.Errorf("%d missed ticks, want all of the 100", len(late))
		}
		for _, l := range late {
			want := uint64(3599)
			if l.name[0] == 'b' {
				want = 5142
			}
			if l.ticks < want-1 || l.ticks > want+1 {
				t.Errorf("%s missed %d ticks in an hour, want %d", l.name, l.ticks, want)
			}
		}
		for _, e := range s.entries {
			if wait := e.due.sub(now); wait <= 0 || wait > e.interval+coarseGrid {
				t.Errorf("%s is next due after %v", e.name, wait)
			}
		}
		if due, _ := s.takeDueLocked(now); len(due.jobs) != 0 {
			t.Errorf("%d more runs at the same moment", len(due.jobs))
		}
	})
}

func TestEveryJobHasAnOutcome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		watch := newTestObserver()
		runner := &testRunner{onRun: func(_ context.Context, job plugins.Job) plugins.Outcome {
			if job.Name == "forgotten" {
				return plugins.Outcome{} // which the runner keeps to itself
			}
			return plugins.Outcome{Name: job.Name}
		}}
		schedule(t, runner, watch, 10*time.Second, script("forgotten", "", time.Second), script("other", "", time.Second))
		if n := len(watch.outcomes["forgotten"]); n < 9 {
			t.Errorf("%d outcomes in 10 s", n)
		}
		for _, o := range watch.outcomes["forgotten"] {
			if !errors.Is(o.Err, errNoOutcome) || o.Start.IsZero() {
				t.Errorf("outcome %+v, want errNoOutcome and a start", o)
			}
		}
	})
}

func TestRemovedInspectorRunsNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		runner, watch := &testRunner{}, newTestObserver()
		runner.onRun = func(ctx context.Context, job plugins.Job) plugins.Outcome {
			_ = sleep(ctx, 5*time.Second)
			return plugins.Outcome{Name: job.Name}
		}
		s := newScheduler(slog.New(slog.DiscardHandler), "web-1", runner, watch)
		s.put(script("a", "old", 10*time.Second), startWindow)
		ended := make(chan struct{})
		go func() { defer close(ended); s.run(ctx) }()
		_ = sleep(ctx, startWindow)
		s.remove("a") // while it runs
		s.remove("a") // again does no harm
		s.put(script("a", "new", 10*time.Second), startWindow)
		_ = sleep(ctx, 3*time.Second)
		if n := len(runner.startsOf("a")); n != 1 {
			t.Errorf("the new one was started beside the old: %d runs", n)
		}
		_ = sleep(ctx, time.Minute)
		if len(runner.overlap) != 0 || len(runner.startsOf("a")) < 5 {
			t.Errorf("%d runs, overlapping %v", len(runner.startsOf("a")), runner.overlap)
		}
		s.remove("a")
		n := len(runner.startsOf("a"))
		_ = sleep(ctx, time.Minute)
		if more := len(runner.startsOf("a")) - n; more != 0 {
			t.Errorf("%d runs after the removal", more)
		}
		cancel()
		<-ended
	})
}

func BenchmarkSchedulerTick(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		b.Run(fmt.Sprintf("inspectors=%d", n), func(b *testing.B) {
			s := newScheduler(slog.New(slog.DiscardHandler), "web-1", nopRunner{}, newNopObserver())
			for i := range n {
				s.put(script(fmt.Sprintf("a%d", i), "", time.Second), startWindow)
			}
			now := s.clock.now()
			runs := 0
			b.ReportAllocs()
			for b.Loop() {
				now = now.add(coarseGrid)
				due, _ := s.takeDueLocked(now)
				if len(due.jobs) > 0 {
					runs += len(due.jobs)
					s.runBatch(b.Context(), due)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(runs), "ns/run")
		})
	}
}

// nopRunner and nopObserver cost nothing, so that a benchmark sees the agent.
type nopRunner struct{}

func (nopRunner) Load(context.Context, inspectors.Definition) error { return nil }
func (nopRunner) Unload(string)                                     {}
func (nopRunner) Run(_ context.Context, jobs []plugins.Job, done func(plugins.Outcome)) {
	for _, job := range jobs {
		done(plugins.Outcome{Name: job.Name})
	}
}

type nopObserver struct{}

func newNopObserver() nopObserver                         { return nopObserver{} }
func (nopObserver) ran(string, plugins.Outcome)           {}
func (nopObserver) extra(string, plugins.Outcome)         {}
func (nopObserver) missed(string, uint64)                 {}
func (nopObserver) boosted(string, time.Duration)         {}
func (nopObserver) overdue(string, string, time.Duration) {}
