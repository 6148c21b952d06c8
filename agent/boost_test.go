package agent

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vedettehq/vedette/agent/delivery"
	"github.com/vedettehq/vedette/agent/internal/agenttest"
	"github.com/vedettehq/vedette/agent/schedule"
	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/plugins"
	"github.com/vedettehq/vedette/rpc/wire"
)

// noter notes the values of runs, and whether they were asked for to be shown only.
type noter struct {
	schedule.Runner
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
		d.Definitions = []inspectors.Definition{agenttest.Script("count", "", time.Minute)}
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
		if err := master.Call(patience.Context(t), wire.AgentBoost.Name, bad, nil); err == nil {
			t.Errorf("a boost of %+v was taken", bad)
		}
	}
	if err := master.Call(patience.Context(t), wire.AgentBoost.Name, wire.AgentBoostParams{Inspector: "count", IntervalMS: 100, ForMS: 60_000}, nil); err != nil {
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

func TestBoostEndsWithItsLease(t *testing.T) {
	inBubble(t, &agenttest.Runner{}, func(c *core) {
		c.mustApply(agenttest.Script("disk", "", 5*time.Second))
		time.Sleep(5 * time.Second)
		boosted := func() int64 { synctest.Wait(); return c.track.statuses()[0].BoostedMS }
		runs := func() int { return len(c.runner.StartsOf("disk")) }

		c.sched.Boost("disk", 200*time.Millisecond, 10*time.Second)
		if boosted() != 200 {
			t.Errorf("it is boosted to %d ms", boosted())
		}
		before := runs()
		time.Sleep(8 * time.Second)
		c.sched.Boost("disk", 500*time.Millisecond, 10*time.Second) // another pace, a new lease
		time.Sleep(8 * time.Second)
		if boosted() != 500 {
			t.Errorf("it is boosted to %d ms", boosted())
		}
		if n := runs() - before; n < 50 || n > 60 {
			t.Errorf("%d runs in 16 s, want about 40 and 16", n)
		}
		c.mustApply(agenttest.Script("disk", "new", 5*time.Second))
		if boosted() != 500 {
			t.Error("the boost ended with the code that was running")
		}
		time.Sleep(4 * time.Second)
		before = runs()
		time.Sleep(time.Minute)
		if n := runs() - before; boosted() != 0 || n < 11 || n > 13 {
			t.Errorf("after the lease it is boosted to %d ms and ran %d times in a minute", boosted(), n)
		}
		c.sched.Boost("disk", 200*time.Millisecond, time.Minute)
		time.Sleep(time.Second)
		c.sched.Boost("disk", 0, 0)
		if boosted() != 0 {
			t.Error("it is still boosted after that was ended")
		}
	})
}

// An extra run that times out is no failure: it had less time than the inspector was
// promised.
func TestExtraRunThatTimesOutIsNoFailure(t *testing.T) {
	inBubble(t, &agenttest.Runner{}, func(c *core) {
		c.mustApply(agenttest.Script("disk", "", time.Second))
		time.Sleep(2 * time.Second)
		revision := c.track.statuses()[0].Revision
		c.Extra(revision, plugins.Outcome{Name: "disk", CPU: time.Second, Err: plugins.ErrTimeout})
		if s := c.track.statuses()[0]; s.State != wire.StateOK || s.Failures != 0 || s.CPUSeconds != 1 {
			t.Errorf("the inspector is %+v after an extra run that timed out", s)
		}
		c.Extra(revision, plugins.Outcome{Name: "disk", Err: plugins.ErrCrashed})
		if s := c.track.statuses()[0]; s.State != wire.StateFailing || s.Crashes != 1 {
			t.Errorf("the inspector is %+v after an extra run that crashed", s)
		}
	})
}
