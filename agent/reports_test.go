package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vedettehq/vedette/agent/delivery/spool"
	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/plugins"
)

func TestReportsOutliveTheAgent(t *testing.T) {
	m := newTestMaster(t)
	dir := t.TempDir()
	withSpool := func(c *config.Agent, _ *Deps) { c.Data, c.Spool.On = dir, true }
	runner := newCounter()
	counted := make(chan struct{}, 1000)
	count := runner.OnRun
	runner.OnRun = notify(count, counted)
	for range 2 { // runs without a master
		stop := start(t, newTestAgent(t, m, runner, withSpool))
		patience.Receive(t, "a run", counted)
		patience.Receive(t, "another run", counted)
		stop()
	}
	m.start()
	defer m.stop()
	stop := start(t, newTestAgent(t, m, runner, withSpool))
	before := runner.count()
	m.await("what was left", func() bool { return len(m.samples["count"]) >= int(before) })
	m.await("a status that says where reports are kept", func() bool {
		last := m.statuses[len(m.statuses)-1].Agent
		return last.Spool == "disk" && last.SamplesDropped == 0
	})
	stop()
	m.mustHaveAll(runner.count())
}

// While the master acknowledges, nothing is written.
func TestHealthyAgentWritesNothing(t *testing.T) {
	m := newTestMaster(t)
	m.start()
	defer m.stop()
	dir := t.TempDir()
	runner := newCounter()
	stop := start(t, newTestAgent(t, m, runner, func(c *config.Agent, _ *Deps) { c.Data, c.Spool.On = dir, true }))
	m.await("twenty samples", m.has(20))
	stop()
	s, err := spool.Open(filepath.Join(dir, spool.FileName), spool.Options{MaxBytes: 1 << 20, MaxAge: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	if totals := s.Totals(); totals != (spool.Totals{}) {
		t.Errorf("the spool has done %+v", totals)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestFolderOfAnotherAgent(t *testing.T) {
	m := newTestMaster(t)
	m.start()
	defer m.stop()
	dir := t.TempDir()
	share := func(c *config.Agent, _ *Deps) { c.Data = dir }
	stop := start(t, newTestAgent(t, m, newCounter(), share))
	m.await("the first agent", m.has(1))
	second := newTestAgent(t, m, newCounter(), share)
	if err := second.Run(t.Context()); !errors.Is(err, spool.ErrClaimed) || !strings.Contains(err.Error(), dir) {
		t.Errorf("the second agent gives %v", err)
	}
	stop()
}

// notify has a channel told of each run, as long as it has room.
func notify(run func(context.Context, plugins.Job) plugins.Outcome, ran chan<- struct{}) func(context.Context, plugins.Job) plugins.Outcome {
	return func(ctx context.Context, job plugins.Job) plugins.Outcome {
		defer func() {
			select {
			case ran <- struct{}{}:
			default:
			}
		}()
		return run(ctx, job)
	}
}

// An agent without a spool that ends without its master says how many samples are
// lost with it.
func TestStoppedAgentSaysWhatIsLost(t *testing.T) {
	t.Parallel()
	runner, ran := newCounter(), make(chan struct{}, 1000)
	runner.OnRun = notify(runner.OnRun, ran)
	var log syncBuffer
	stop := start(t, newTestAgent(t, newTestMaster(t), runner, func(_ *config.Agent, deps *Deps) {
		deps.Log = slog.New(slog.NewTextHandler(&log, nil))
	}))
	for range 5 {
		patience.Receive(t, "a run", ran)
	}
	stop()
	// Each run is one sample of the inspector and five of the agent.
	if want := fmt.Sprintf(" samples=%d\n", 6*int(runner.count())); !strings.Contains(log.String(), "they are lost") || !strings.HasSuffix(log.String(), want) {
		t.Errorf("the log does not end with %q:\n%s", want, log.String())
	}
}
