package agent

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vedettehq/vedette/agent/internal/agenttest"
	"github.com/vedettehq/vedette/agent/schedule"
	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/plugins"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// trialRunner is a runner that knows which trials are loaded.
type trialRunner struct {
	agenttest.Runner
	defs map[string]inspectors.Definition
}

func newTrialRunner(run func(context.Context, plugins.Job) plugins.Outcome) *trialRunner {
	r := &trialRunner{defs: make(map[string]inspectors.Definition)}
	r.OnRun = run
	r.OnLoad = func(_ context.Context, d inspectors.Definition) error {
		r.Mu.Lock()
		defer r.Mu.Unlock()
		r.defs[d.Name] = d
		return nil
	}
	return r
}

// tryOn starts an agent that takes pushed code, and returns the master's side of
// its connection.
func tryOn(t *testing.T, m *testMaster, runner schedule.Runner) (a *Agent, master *rpc.Peer) {
	t.Helper()
	a = newTestAgent(t, m, runner, func(c *config.Agent, d *Deps) {
		c.AcceptPushedInspectors = true
		d.Definitions = []inspectors.Definition{agenttest.Script("disk", "", time.Minute)}
	})
	start(t, a)
	m.await("the hello", func() bool { return m.peer != nil })
	m.mu.Lock()
	defer m.mu.Unlock()
	return a, m.peer
}

func draft(id string) wire.AgentTryParams {
	code := wire.Code{Name: "disk", File: "disk.go", Source: "package disk\n\nfunc Inspect() (float64, error) { return 1, nil }\n", IntervalMS: 100}
	return wire.AgentTryParams{Trial: id, Code: code, ForMS: time.Hour.Milliseconds()}
}

func mustTry(t *testing.T, master *rpc.Peer, p wire.AgentTryParams) {
	t.Helper()
	if err := master.Call(patience.Context(t), wire.AgentTry.Name, p, nil); err != nil {
		t.Fatal(err)
	}
}

// ended returns the last report of a trial, with mu held, or nil.
func (m *testMaster) ended(id string) *wire.TrialReport {
	for i := range m.trials {
		if m.trials[i].Trial == id && m.trials[i].Ended {
			return &m.trials[i]
		}
	}
	return nil
}

// A draft runs beside the inspector of its name, under a name, in a process and
// within the policy of pushed code; what it yields goes to the master by itself.
func TestTrialRunsBesideTheInspectorOfItsName(t *testing.T) {
	m := newTestMaster(t)
	m.start()
	defer m.stop()
	var a *Agent
	runner := newTrialRunner(nil)
	runner.OnRun = func(_ context.Context, job plugins.Job) plugins.Outcome {
		now := time.Now()
		for i := range 2 * maxTrialLines {
			if job.Name != "disk" {
				a.Printed(job.Name, fmt.Sprintf("line %d", i))
			}
		}
		labels, _ := inspectors.NewLabels("mount", "/")
		return plugins.Outcome{
			Name: job.Name, Start: now, Duration: time.Second, CPU: time.Millisecond,
			Samples: []inspectors.Sample{{Key: job.Name + "/used", Labels: labels, Time: now, Value: 3}},
		}
	}
	a, master := tryOn(t, m, runner)
	mustTry(t, master, draft("one"))
	m.await("three runs", func() bool {
		runs := 0
		for _, r := range m.trials {
			if r.Run != nil {
				runs++
			}
		}
		return runs >= 3
	})
	if err := master.Call(patience.Context(t), wire.AgentUntry.Name, wire.TrialStopParams{Trial: "one"}, nil); err != nil {
		t.Fatal(err)
	}
	m.await("the end", func() bool { return m.ended("one") != nil })

	m.mu.Lock()
	defer m.mu.Unlock()
	runner.Mu.Lock()
	defer runner.Mu.Unlock()
	if d := runner.defs["trial-one/disk"]; !d.Pushed || d.Isolation != inspectors.IsolationOwn || d.Interval != 100*time.Millisecond {
		t.Errorf("the draft is loaded as %+v", d)
	}
	if !slices.Contains(runner.Unloads, "trial-one/disk") || slices.Contains(runner.Unloads, "disk") || len(runner.Starts["disk"]) > 2 {
		t.Errorf("unloaded %q; the live inspector ran %d times", runner.Unloads, len(runner.Starts["disk"]))
	}
	first := m.trials[slices.IndexFunc(m.trials, func(r wire.TrialReport) bool { return r.Run != nil })]
	if s := first.Run.Samples; len(s) != 1 || s[0].Key != "disk/used" || s[0].Labels["mount"] != "/" || *s[0].Val != 3 || first.Run.CPU != 0.001 {
		t.Errorf("the run is %+v", first.Run)
	}
	if len(first.Lines) != maxTrialLines+1 || first.Lines[maxTrialLines] != fmt.Sprintf("… and %d lines more", maxTrialLines) {
		t.Errorf("%d lines, the last %q", len(first.Lines), first.Lines[len(first.Lines)-1])
	}
	last := m.ended("one")
	if last.Error != "" || last.State != "" || last.Cost.Runs < 3 || last.Cost.Series != 1 || last.Cost.Duration < 3 {
		t.Errorf("it ended with %+v, %+v", last, last.Cost)
	}
	for name := range m.samples {
		if strings.Contains(name, "trial") {
			t.Errorf("%q was reported", name)
		}
	}
	for _, s := range a.Status() {
		if s.Name != "disk" {
			t.Errorf("the status names %q", s.Name)
		}
	}
}

// A trial is over with its first crash, which leaves the runner nothing to
// remember, and with code that does not load.
func TestTrialEndsByItself(t *testing.T) {
	m := newTestMaster(t)
	m.start()
	defer m.stop()
	runner := newTrialRunner(func(_ context.Context, job plugins.Job) plugins.Outcome {
		o := plugins.Outcome{Name: job.Name, Start: time.Now()}
		if strings.HasPrefix(job.Name, "trial-crash/") {
			o.Err = fmt.Errorf("%w: out of memory", plugins.ErrCrashed)
		}
		return o
	})
	load := runner.OnLoad
	runner.OnLoad = func(ctx context.Context, d inspectors.Definition) error {
		switch {
		case strings.HasPrefix(d.Name, "trial-bad/"):
			return errors.New("disk.go:3:1: it does not build")
		case strings.HasPrefix(d.Name, "trial-policy/"):
			return fmt.Errorf("%w: no net", inspectors.ErrPolicy)
		}
		return load(ctx, d)
	}
	_, master := tryOn(t, m, runner)
	for id, want := range map[string][2]string{
		"crash":  {wire.ReceiptFailed, errTrialCrashed.Error()},
		"bad":    {wire.ReceiptFailed, "disk.go:3:1: it does not build"},
		"policy": {wire.ReceiptRefused, "no net"},
	} {
		mustTry(t, master, draft(id))
		m.await("the end", func() bool { return m.ended(id) != nil })
		m.mu.Lock()
		if last := m.ended(id); last.State != want[0] || !strings.Contains(last.Error, want[1]) {
			t.Errorf("trial %s ended as %s: %s", id, last.State, last.Error)
		}
		m.mu.Unlock()
	}
	if n := len(runner.StartsOf("trial-crash/disk")); n != 1 {
		t.Errorf("what crashed was run %d times", n)
	}
}
