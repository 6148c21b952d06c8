package schedule

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vedettehq/vedette/agent/internal/agenttest"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/plugins"
)

// schedule runs a scheduler of the definitions for a time and returns when all
// of it has ended. It is called in a bubble.
func schedule(t *testing.T, runner *agenttest.Runner, watch Observer, lasts time.Duration, defs ...inspectors.Definition) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), lasts)
	defer cancel()
	s := New(slog.New(slog.DiscardHandler), "web-1", runner, watch, nil)
	for _, d := range defs {
		s.Put(d, StartWindow)
	}
	s.Run(ctx)
}

func TestRunsEveryIntervalWithoutDrift(t *testing.T) {
	for _, interval := range []time.Duration{100 * time.Millisecond, time.Second, 10 * time.Second} {
		t.Run(interval.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				runner := &agenttest.Runner{OnRun: func(ctx context.Context, job plugins.Job) plugins.Outcome {
					_ = agenttest.Sleep(ctx, 37*time.Millisecond)
					return plugins.Outcome{Name: job.Name}
				}}
				const lasts = 6 * time.Hour
				schedule(t, runner, agenttest.NewObserver(), lasts, agenttest.Script("disk", "", interval))
				starts := runner.StartsOf("disk")
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
		runner := &agenttest.Runner{}
		schedule(t, runner, agenttest.NewObserver(), time.Hour, agenttest.Script("a", "", 250*time.Millisecond), agenttest.Script("b", "", 333*time.Millisecond),
			agenttest.Script("c", "", 1100*time.Millisecond))
		offset := newSplay("web-1").offset
		for name, c := range map[string]struct {
			want int
			grid time.Duration
		}{"a": {14_400, fineGrid}, "b": {10_810, fineGrid}, "c": {3_272, coarseGrid}} {
			want, starts := c.want, runner.StartsOf(name)
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
		runner := &agenttest.Runner{}
		var defs []inspectors.Definition
		for i := range 200 {
			defs = append(defs, agenttest.Script(fmt.Sprintf("a%d", i), "", 10*time.Second))
		}
		began := time.Now()
		schedule(t, runner, agenttest.NewObserver(), time.Minute, defs...)
		for _, d := range defs {
			starts := runner.StartsOf(d.Name)
			if wait := starts[0].Sub(began); wait > StartWindow {
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
		runner := &agenttest.Runner{}
		var defs []inspectors.Definition
		for i := range 100 {
			defs = append(defs, agenttest.Script(fmt.Sprintf("a%d", i), "", time.Second))
		}
		schedule(t, runner, agenttest.NewObserver(), time.Minute, defs...)
		seen := make(map[time.Time]bool)
		jobs := 0
		for _, call := range runner.Calls {
			if seen[call.At] {
				t.Fatalf("two batches at %v", call.At)
			}
			seen[call.At] = true
			jobs += len(call.Jobs)
		}
		if len(runner.Calls) > 601 {
			t.Errorf("%d batches in a minute, want ten a second at most", len(runner.Calls))
		}
		if jobs < 5_990 || jobs > 6_010 {
			t.Errorf("%d runs in a minute, want 6000", jobs)
		}
	})
}

func TestSlowInspectorMissesTicksAndNeverOverlaps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		watch := agenttest.NewObserver()
		runner := &agenttest.Runner{OnRun: func(ctx context.Context, job plugins.Job) plugins.Outcome {
			if job.Name == "slow" {
				_ = agenttest.Sleep(ctx, 3500*time.Millisecond)
			}
			return plugins.Outcome{Name: job.Name}
		}}
		// Both are due at the same ticks.
		schedule(t, runner, watch, time.Hour, agenttest.Script("slow", "", time.Second), agenttest.Script("healthy", "", time.Second))
		if len(runner.Overlap) > 0 {
			t.Errorf("%d runs began before the last had ended", len(runner.Overlap))
		}
		if n := len(runner.StartsOf("healthy")); n < 3599 || n > 3601 {
			t.Errorf("%d runs of the healthy one in an hour", n)
		}
		runs, missed := len(runner.StartsOf("slow")), watch.Misses["slow"]
		if runs < 899 || runs > 901 {
			t.Errorf("%d runs of the slow one in an hour, want every fourth tick", runs)
		}
		if all := uint64(runs) + missed; all < 3599 || all > 3601 {
			t.Errorf("%d runs and %d missed ticks of the slow one in an hour", runs, missed)
		}
		if watch.Misses["healthy"] != 0 {
			t.Errorf("the healthy one missed %d ticks", watch.Misses["healthy"])
		}
	})
}

func TestHungInspectorIsNoticedAndDisturbsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		watch := agenttest.NewObserver()
		runner := &agenttest.Runner{OnRun: func(ctx context.Context, job plugins.Job) plugins.Outcome {
			if job.Name == "hung" {
				<-ctx.Done()
			}
			return plugins.Outcome{Name: job.Name}
		}}
		defs := []inspectors.Definition{agenttest.Script("hung", "", time.Second)}
		for i := range 30 {
			defs = append(defs, agenttest.Script(fmt.Sprintf("a%d", i), "", time.Second))
		}
		schedule(t, runner, watch, time.Minute, defs...)
		if n := len(runner.StartsOf("hung")); n != 1 {
			t.Errorf("the hung one was run %d times", n)
		}
		if watch.Late["hung"] < 50*time.Second {
			t.Errorf("the hung one was last told of as overdue for %v", watch.Late["hung"])
		}
		for _, d := range defs[1:] {
			if n := len(watch.Outcomes[d.Name]); n < 59 || n > 61 || watch.Misses[d.Name] > 0 {
				t.Errorf("%s: %d runs and %d missed ticks in a minute", d.Name, n, watch.Misses[d.Name])
			}
		}
	})
}

// A machine that was suspended, or an agent that was stopped, comes back to
// many ticks that have passed.
func TestNoBurstAfterAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		watch := agenttest.NewObserver()
		s := New(slog.New(slog.DiscardHandler), "web-1", &agenttest.Runner{}, watch, nil)
		for i := range 50 {
			s.Put(agenttest.Script(fmt.Sprintf("a%d", i), "", time.Second), StartWindow)
			s.Put(agenttest.Script(fmt.Sprintf("b%d", i), "", 700*time.Millisecond), StartWindow)
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
		watch := agenttest.NewObserver()
		runner := &agenttest.Runner{OnRun: func(_ context.Context, job plugins.Job) plugins.Outcome {
			if job.Name == "forgotten" {
				return plugins.Outcome{} // which the runner keeps to itself
			}
			return plugins.Outcome{Name: job.Name}
		}}
		schedule(t, runner, watch, 10*time.Second, agenttest.Script("forgotten", "", time.Second), agenttest.Script("other", "", time.Second))
		if n := len(watch.Outcomes["forgotten"]); n < 9 {
			t.Errorf("%d outcomes in 10 s", n)
		}
		for _, o := range watch.Outcomes["forgotten"] {
			if !errors.Is(o.Err, errNoOutcome) || o.Start.IsZero() {
				t.Errorf("outcome %+v, want errNoOutcome and a start", o)
			}
		}
	})
}

func TestRemovedInspectorRunsNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		runner, watch := &agenttest.Runner{}, agenttest.NewObserver()
		runner.OnRun = func(ctx context.Context, job plugins.Job) plugins.Outcome {
			_ = agenttest.Sleep(ctx, 5*time.Second)
			return plugins.Outcome{Name: job.Name}
		}
		s := New(slog.New(slog.DiscardHandler), "web-1", runner, watch, nil)
		s.Put(agenttest.Script("a", "old", 10*time.Second), StartWindow)
		ended := make(chan struct{})
		go func() { defer close(ended); s.Run(ctx) }()
		_ = agenttest.Sleep(ctx, StartWindow)
		s.Remove("a") // while it runs
		s.Remove("a") // again does no harm
		s.Put(agenttest.Script("a", "new", 10*time.Second), StartWindow)
		_ = agenttest.Sleep(ctx, 3*time.Second)
		if n := len(runner.StartsOf("a")); n != 1 {
			t.Errorf("the new one was started beside the old: %d runs", n)
		}
		_ = agenttest.Sleep(ctx, time.Minute)
		if len(runner.Overlap) != 0 || len(runner.StartsOf("a")) < 5 {
			t.Errorf("%d runs, overlapping %v", len(runner.StartsOf("a")), runner.Overlap)
		}
		s.Remove("a")
		n := len(runner.StartsOf("a"))
		_ = agenttest.Sleep(ctx, time.Minute)
		if more := len(runner.StartsOf("a")) - n; more != 0 {
			t.Errorf("%d runs after the removal", more)
		}
		cancel()
		<-ended
	})
}

// A scheduler that gets on beats often enough, with much to do and with nothing, and
// one that stands still does not beat.
func TestBeats(t *testing.T) {
	const every = 20 * time.Second
	for _, n := range []int{0, 1, 50} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			defer cancel()
			s := New(slog.New(slog.DiscardHandler), "web-1", &agenttest.Runner{}, agenttest.NewObserver(), nil)
			last, longest := time.Now(), time.Duration(0)
			s.Beat(every, func() { last, longest = time.Now(), max(longest, time.Since(last)) })
			for i := range n {
				s.Put(agenttest.Script(fmt.Sprintf("a%d", i), "", time.Duration(1+rand.IntN(600))*time.Second), StartWindow)
			}
			s.Run(ctx)
			if longest = max(longest, time.Since(last)); longest > every {
				t.Errorf("with %d inspectors, no beat came for %v", n, longest)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		runner := &agenttest.Runner{OnRun: func(ctx context.Context, job plugins.Job) plugins.Outcome {
			_ = agenttest.Sleep(ctx, 25*time.Second) // misses ticks
			return plugins.Outcome{Name: job.Name}
		}}
		s := New(slog.New(slog.DiscardHandler), "web-1", runner, &hangingObserver{Observer: agenttest.NewObserver(), since: time.Now()}, nil)
		beats := 0
		s.Beat(every, func() { beats++ })
		s.Put(agenttest.Script("a", "", 10*time.Second), StartWindow)
		s.Run(ctx)
		if beats < 180 || beats > 190 {
			t.Errorf("%d beats in half an hour of work and half an hour of standing still, want one each 10s of work", beats)
		}
	})
}

// hangingObserver stands still half an hour after its beginning, and with it the loop
// that calls it.
type hangingObserver struct {
	*agenttest.Observer
	since time.Time
}

func (o *hangingObserver) Missed(name string, n uint64) {
	if time.Since(o.since) > 30*time.Minute {
		_ = agenttest.Sleep(context.Background(), time.Hour)
	}
	o.Observer.Missed(name, n)
}

func BenchmarkSchedulerTick(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		b.Run(fmt.Sprintf("inspectors=%d", n), func(b *testing.B) {
			s := New(slog.New(slog.DiscardHandler), "web-1", nopRunner{}, newNopObserver(), nil)
			for i := range n {
				s.Put(agenttest.Script(fmt.Sprintf("a%d", i), "", time.Second), StartWindow)
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
func (nopObserver) Ran(string, plugins.Outcome)           {}
func (nopObserver) Extra(string, plugins.Outcome)         {}
func (nopObserver) Missed(string, uint64)                 {}
func (nopObserver) Boosted(string, time.Duration)         {}
func (nopObserver) Overdue(string, string, time.Duration) {}
