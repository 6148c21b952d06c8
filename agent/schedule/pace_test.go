package schedule

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vedettehq/vedette/agent/internal/agenttest"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/plugins"
)

// takes is a run that lasts for d, and of which cpu is processor time.
func takes(d, cpu time.Duration) func(context.Context, plugins.Job) plugins.Outcome {
	return func(ctx context.Context, job plugins.Job) plugins.Outcome {
		o := plugins.Outcome{Name: job.Name, Start: time.Now(), Duration: min(d, job.Timeout), CPU: cpu}
		_ = agenttest.Sleep(ctx, o.Duration)
		if d > job.Timeout {
			o.Err = plugins.ErrTimeout
		}
		return o
	}
}

// boostedFor runs one inspector that is boosted for all of the time.
func boostedFor(t *testing.T, runner *agenttest.Runner, watch Observer, lasts time.Duration, d inspectors.Definition, interval time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), lasts)
	defer cancel()
	s := New(slog.New(slog.DiscardHandler), "web-1", runner, watch, nil)
	s.Put(d, StartWindow)
	if !s.Boost(d.Name, interval, 2*lasts) || s.Boost("nobody", interval, lasts) {
		t.Error("the wrong inspectors are there to boost")
	}
	s.Run(ctx)
}

// What an inspector does at its own ticks is the same with a boost as without
// one, and between them it runs at the faster pace.
func TestBoostAddsRunsBetweenTheTicks(t *testing.T) {
	for _, c := range []struct{ interval, boost time.Duration }{
		{time.Second, 200 * time.Millisecond},
		{10 * time.Second, time.Second},
		{5 * time.Second, 100 * time.Millisecond},
		{1100 * time.Millisecond, 300 * time.Millisecond},
	} {
		t.Run(fmt.Sprintf("%v at %v", c.interval, c.boost), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := agenttest.Script("disk", "", c.interval)
				plain, watch := agenttest.NewObserver(), agenttest.NewObserver()
				began, lasts := time.Now(), time.Hour
				schedule(t, &agenttest.Runner{OnRun: takes(7*time.Millisecond, time.Millisecond)}, plain, lasts, d)
				again := time.Now()
				runner := &agenttest.Runner{OnRun: takes(7*time.Millisecond, time.Millisecond)}
				boostedFor(t, runner, watch, lasts, d, c.boost)

				if own := len(watch.Outcomes["disk"]); own < len(plain.Outcomes["disk"])-1 || own > len(plain.Outcomes["disk"])+1 || watch.Misses["disk"] > 0 {
					t.Errorf("%d runs at its own ticks and %d missed, without a boost %d", own, watch.Misses["disk"], len(plain.Outcomes["disk"]))
				}
				phase := newSplay("web-1").phase("disk", c.interval)
				for _, o := range watch.Outcomes["disk"][1:] {
					if off := (time.Duration(o.Start.UnixNano()) - phase) % c.interval; off >= coarseGrid {
						t.Fatalf("a run of its own is %v off its tick", off)
					}
				}
				all := len(watch.Outcomes["disk"]) + len(watch.Extras["disk"])
				if most := int(lasts/c.boost) + 2; all > most || all < most*3/4 {
					t.Errorf("%d runs in %v, want about %d", all, again.Sub(began), most)
				}
				starts := runner.StartsOf("disk")
				for i := range starts[1:] {
					if gap := starts[i+1].Sub(starts[i]); i > 1 && gap < c.boost {
						t.Fatalf("run %d comes %v after the one before", i+1, gap)
					}
				}
				if !slices.Equal(watch.Paces["disk"], []time.Duration{c.boost}) {
					t.Errorf("told of the paces %v", watch.Paces["disk"])
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
				watch := agenttest.NewObserver()
				d := agenttest.Script("disk", "", time.Second)
				d.Budget.CPU = c.budget
				boostedFor(t, &agenttest.Runner{OnRun: takes(c.took, c.cpu)}, watch, time.Hour, d, 100*time.Millisecond)
				if paces := watch.Paces["disk"]; paces[len(paces)-1] != c.want {
					t.Errorf("the paces are %v, want %v at last", paces, c.want)
				}
				if n := len(watch.Outcomes["disk"]); n < 3599 || watch.Misses["disk"] > 0 {
					t.Errorf("%d runs at its own ticks, %d missed", n, watch.Misses["disk"])
				}
			})
		})
	}
}

// An extra run has less time than a regular one; running out of it is neither a failure nor
// a gap in the stored samples.
func TestExtraRunsThatTakeTooLongHarmNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		runner := &agenttest.Runner{}
		runner.OnRun = func(ctx context.Context, job plugins.Job) plugins.Outcome {
			n++
			if job.Timeout < 700*time.Millisecond && n%10 == 0 { // it does not even end when its time is over
				_ = agenttest.Sleep(ctx, 800*time.Millisecond)
				return plugins.Outcome{Name: job.Name, Duration: job.Timeout, Err: plugins.ErrTimeout}
			}
			return takes(time.Millisecond, time.Millisecond)(ctx, job)
		}
		watch := agenttest.NewObserver()
		boostedFor(t, runner, watch, time.Hour, agenttest.Script("disk", "", time.Second), 100*time.Millisecond)
		if own := len(watch.Outcomes["disk"]); own < 3599 || own > 3601 || watch.Misses["disk"] > 0 {
			t.Errorf("%d runs at its own ticks, %d missed", own, watch.Misses["disk"])
		}
		for _, o := range watch.Outcomes["disk"] {
			if o.Err != nil {
				t.Fatalf("a run of its own ended with %v", o.Err)
			}
		}
		if len(runner.Overlap) > 0 {
			t.Errorf("%d runs began before the last had ended", len(runner.Overlap))
		}
	})
}
