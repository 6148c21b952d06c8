package agent

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vedettehq/vedette/agent/delivery"
	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/plugins"
	"github.com/vedettehq/vedette/rpc/wire"
)

// takes is a run that lasts for d, and of which cpu is processor time.
func takes(d, cpu time.Duration) func(context.Context, plugins.Job) plugins.Outcome {
	return func(ctx context.Context, job plugins.Job) plugins.Outcome {
		o := plugins.Outcome{Name: job.Name, Start: time.Now(), Duration: min(d, job.Timeout), CPU: cpu}
		_ = sleep(ctx, o.Duration)
		if d > job.Timeout {
			o.Err = plugins.ErrTimeout
		}
		return o
	}
}

// boostedFor runs one inspector that is boosted for all of the time.
func boostedFor(t *testing.T, runner *testRunner, watch observer, lasts time.Duration, d inspectors.Definition, interval time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), lasts)
	defer cancel()
	s := newScheduler(slog.New(slog.DiscardHandler), "web-1", runner, watch)
	s.put(d, startWindow)
	if !s.boost(d.Name, interval, 2*lasts) || s.boost("nobody", interval, lasts) {
		t.Error("the wrong inspectors are there to boost")
	}
	s.run(ctx)
}

// What an inspector does at its own ticks is the same with a boost as without
// one, and between them it runs at the faster pace.
func TestBoostAddsRunsBetweenTheTicks(t *testing.T) {
	for _, c := range []struct{ interval, boost time.Duration }{
		{time.Second, 200 * time.Millisecond}, {10 * time.Second, time.Second}, {5 * time.Second, 100 * time.Millisecond}, {1100 * time.Millisecond, 300 * time.Millisecond},
	} {
		t.Run(fmt.Sprintf("%v at %v", c.interval, c.boost), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := script("disk", "", c.interval)
				plain, watch := newTestObserver(), newTestObserver()
				began, lasts := time.Now(), time.Hour
				schedule(t, &testRunner{onRun: takes(7*time.Millisecond, time.Millisecond)}, plain, lasts, d)
				again := time.Now()
				runner := &testRunner{onRun: takes(7*time.Millisecond, time.Millisecond)}
				boostedFor(t, runner, watch, lasts, d, c.boost)

				if own := len(watch.outcomes["disk"]); own < len(plain.outcomes["disk"])-1 || own > len(plain.outcomes["disk"])+1 || watch.misses["disk"] > 0 {
					t.Errorf("%d runs at its own ticks and %d missed, without a boost %d", own, watch.misses["disk"], len(plain.outcomes["disk"]))
				}
				phase := newSplay("web-1").phase("disk", c.interval)
				for _, o := range watch.outcomes["disk"][1:] {
					if off := (time.Duration(o.Start.UnixNano()) - phase) % c.interval; off >= coarseGrid {
						t.Fatalf("a run of its own is %v off its tick", off)
					}
				}
				all := len(watch.outcomes["disk"]) + len(watch.extras["disk"])
				if most := int(lasts/c.boost) + 2; all > most || all < most*3/4 {
					t.Errorf("%d runs in %v, want about %d", all, again.Sub(began), most)
				}
				starts := runner.startsOf("disk")
				for i := range starts[1:] {
					if gap := starts[i+1].Sub(starts[i]); i > 1 && gap < c.boost {
						t.Fatalf("run %d comes %v after the one before", i+1, gap)
					}
				}
				if !slices.Equal(watch.paces["disk"], []time.Duration{c.boost}) {
					t.Errorf("told of the paces %v", watch.paces["disk"])
				}
			})
		})
	}
}

// A boosted inspector is idle for half of the time, and its processor time stays
// within its budget.
func TestBoostIsSlowedToItsBudget(t *testing.T) {
	for name, c := range map[string]struct {
		took, cpu, budget, want time.Duration
	}{
		"takes long":     {150 * time.Millisecond, time.Millisecond, 0, 300 * time.Millisecond},
		"not measured":   {150 * time.Millisecond, 0, 0, 300 * time.Millisecond},
		"processor time": {100 * time.Millisecond, 100 * time.Millisecond, 0, 400 * time.Millisecond},
		"a small budget": {5 * time.Millisecond, 3 * time.Millisecond, 10 * time.Millisecond, 300 * time.Millisecond},
		"too slow":       {600 * time.Millisecond, 100 * time.Millisecond, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				watch := newTestObserver()
				d := script("disk", "", time.Second)
				d.Budget.CPU = c.budget
				boostedFor(t, &testRunner{onRun: takes(c.took, c.cpu)}, watch, time.Hour, d, 100*time.Millisecond)
				if paces := watch.paces["disk"]; paces[len(paces)-1] != c.want {
					t.Errorf("the paces are %v, want %v at last", paces, c.want)
				}
				if n := len(watch.outcomes["disk"]); n < 3599 || watch.misses["disk"] > 0 {
					t.Errorf("%d runs at its own ticks, %d missed", n, watch.misses["disk"])
				}
			})
		})
	}
}

// An extra run has less time than one of its own, and what comes of that is
// neither a failure nor a hole in what is kept.
func TestExtraRunsThatTakeTooLongHarmNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		runner := &testRunner{}
		runner.onRun = func(ctx context.Context, job plugins.Job) plugins.Outcome {
			n++
			if job.Timeout < 700*time.Millisecond && n%10 == 0 { // it does not even end when its time is over
				_ = sleep(ctx, 800*time.Millisecond)
				return plugins.Outcome{Name: job.Name, Duration: job.Timeout, Err: plugins.ErrTimeout}
			}
			return takes(time.Millisecond, time.Millisecond)(ctx, job)
		}
		watch := newTestObserver()
		boostedFor(t, runner, watch, time.Hour, script("disk", "", time.Second), 100*time.Millisecond)
		if own := len(watch.outcomes["disk"]); own < 3599 || own > 3601 || watch.misses["disk"] > 0 {
			t.Errorf("%d runs at its own ticks, %d missed", own, watch.misses["disk"])
		}
		for _, o := range watch.outcomes["disk"] {
			if o.Err != nil {
				t.Fatalf("a run of its own ended with %v", o.Err)
			}
		}
		if len(runner.overlap) > 0 {
			t.Errorf("%d runs began before the last had ended", len(runner.overlap))
		}
	})
	inBubble(t, &testRunner{}, func(c *core) {
		c.mustApply(script("disk", "", time.Second))
		time.Sleep(2 * time.Second)
		revision := c.track.statuses()[0].Revision
		c.extra(revision, plugins.Outcome{Name: "disk", CPU: time.Second, Err: plugins.ErrTimeout})
		if s := c.track.statuses()[0]; s.State != wire.StateOK || s.Failures != 0 || s.CPUSeconds != 1 {
			t.Errorf("the inspector is %+v after an extra run that timed out", s)
		}
		c.extra(revision, plugins.Outcome{Name: "disk", Err: plugins.ErrCrashed})
		if s := c.track.statuses()[0]; s.State != wire.StateFailing || s.Crashes != 1 {
			t.Errorf("the inspector is %+v after an extra run that crashed", s)
		}
	})
}

func TestBoostEndsWithItsLease(t *testing.T) {
	inBubble(t, &testRunner{}, func(c *core) {
		c.mustApply(script("disk", "", 5*time.Second))
		time.Sleep(5 * time.Second)
		boosted := func() int64 { synctest.Wait(); return c.track.statuses()[0].BoostedMS }
		runs := func() int { return len(c.runner.startsOf("disk")) }

		c.sched.boost("disk", 200*time.Millisecond, 10*time.Second)
		if boosted() != 200 {
			t.Errorf("it is boosted to %d ms", boosted())
		}
		before := runs()
		time.Sleep(8 * time.Second)
		c.sched.boost("disk", 500*time.Millisecond, 10*time.Second) // another pace, a new lease
		time.Sleep(8 * time.Second)
		if boosted() != 500 {
			t.Errorf("it is boosted to %d ms", boosted())
		}
		if n := runs() - before; n < 50 || n > 60 {
			t.Errorf("%d runs in 16 s, want about 40 and 16", n)
		}
		c.mustApply(script("disk", "new", 5*time.Second))
		if boosted() != 500 {
			t.Error("the boost ended with the code that was running")
		}
		time.Sleep(4 * time.Second)
		before = runs()
		time.Sleep(time.Minute)
		if n := runs() - before; boosted() != 0 || n < 11 || n > 13 {
			t.Errorf("after the lease it is boosted to %d ms and ran %d times in a minute", boosted(), n)
		}
		c.sched.boost("disk", 200*time.Millisecond, time.Minute)
		time.Sleep(time.Second)
		c.sched.boost("disk", 0, 0)
		if boosted() != 0 {
			t.Error("it is still boosted after that was ended")
		}
	})
}

// noter notes the values of runs, and whether they were asked for to be shown only.
type noter struct {
	Runner
	mu    sync.Mutex
	shown map[float64]bool
}

func (n *noter) Run(ctx context.Context, jobs []plugins.Job, done func(plugins.Outcome)) {
	n.Runner.Run(ctx, jobs, func(o plugins.Outcome) {
		n.mu.Lock()
		for _, job := range jobs {
			for _, s := range o.Samples {
				if job.Name == o.Name {
					n.shown[s.Value] = job.Shown
				}
			}
		}
		n.mu.Unlock()
		done(o)
	})
}

// The samples of extra runs go by themselves, those of the ticks into reports.
func TestBoostIsShownAndNotReported(t *testing.T) {
	m := newTestMaster(t)
	runner := &noter{Runner: newCounter(), shown: make(map[float64]bool)}
	a := newTestAgent(t, m, runner, func(_ *config.Agent, d *Deps) {
		d.Definitions = []inspectors.Definition{script("count", "", time.Minute)}
	})
	m.start()
	defer m.stop()
	stop := start(t, a)
	m.await("the first report", m.has(1))
	m.mu.Lock()
	master := m.peer
	m.mu.Unlock()
	for _, bad := range []wire.AgentBoostParams{
		{Inspector: "count", IntervalMS: 99, ForMS: 1000}, {Inspector: "count", IntervalMS: 100}, {Inspector: "nobody", IntervalMS: 100, ForMS: 1000},
	} {
		if err := master.Call(patience.Context(t), wire.MethodAgentBoost, bad, nil); err == nil {
			t.Errorf("a boost of %+v was taken", bad)
		}
	}
	if err := master.Call(patience.Context(t), wire.MethodAgentBoost, wire.AgentBoostParams{Inspector: "count", IntervalMS: 100, ForMS: 60_000}, nil); err != nil {
		t.Fatal(err)
	}
	m.await("ten samples to show", func() bool { return len(m.shown) >= 10 })
	stop()
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, v := range m.shown {
		if i > 0 && v <= m.shown[i-1] {
			t.Errorf("sample %v was shown after %v", v, m.shown[i-1])
		}
		if m.samples["count"][v] > 0 {
			t.Errorf("sample %v was shown and reported", v)
		}
		if !runner.shown[v] {
			t.Errorf("sample %v was shown, and its run was not asked for to be shown only", v)
		}
	}
	for v := range m.samples["count"] {
		if runner.shown[v] {
			t.Errorf("sample %v was reported, and its run was asked for to be shown only", v)
		}
	}
	if n := len(m.samples["count"]); n > 2 {
		t.Errorf("%d samples were reported of an inspector that runs once a minute", n)
	}
}

func TestLiveFeedIsBoundedAndOnlyOfConnections(t *testing.T) {
	f := newLiveFeed()
	some := make([]inspectors.Sample, 300)
	for i := range some {
		some[i] = inspectors.Sample{Key: fmt.Sprint("disk/a", i%7), Time: time.UnixMilli(int64(i + 1)), Value: float64(i)}
	}
	f.add(some)
	if n := len(f.take()); n != 0 {
		t.Errorf("%d samples are kept without a connection", n)
	}
	f.open(true)
	for range 2 * maxLiveSamples / len(some) {
		f.add(some)
	}
	all := f.take()
	if len(all) > maxLiveSamples || len(all) < maxLiveSamples-len(some) {
		t.Errorf("%d samples wait, at most %d may", len(all), maxLiveSamples)
	}
	packed := 0
	for len(all) > 0 {
		var p *wire.LiveParams
		p, all = delivery.PackLive(all)
		packed += len(p.T)
		if len(p.Series) != 7 || len(p.S) != len(p.T) || len(p.V) != len(p.T) {
			t.Fatalf("a message of %d series, and columns of %d, %d, %d", len(p.Series), len(p.T), len(p.S), len(p.V))
		}
	}
	if packed < maxLiveSamples-len(some) {
		t.Errorf("%d samples were packed", packed)
	}
	f.add(some)
	f.open(false)
	f.open(true)
	if n := len(f.take()); n != 0 {
		t.Errorf("%d samples outlived their connection", n)
	}
}

func (m *testMaster) live(_ context.Context, p wire.LiveParams) (wire.Empty, error) {
	m.note(func() { m.shown = append(m.shown, p.V...) })
	return wire.Empty{}, nil
}
