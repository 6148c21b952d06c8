package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vedettehq/vedette/agent/assignment"
	"github.com/vedettehq/vedette/agent/internal/agenttest"
	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/bell"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/plugins"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// accepting has an agent take what the master pushes.
func accepting(cfg *config.Agent, _ *Deps) { cfg.AcceptPushedInspectors = true }

// pushed is an inspector as the master assigns it; its revision is its source.
func pushed(name, source string) wire.Assigned {
	return wire.Assigned{Revision: source, Code: wire.Code{Name: name, File: "pushed.go", Source: source, IntervalMS: 100}}
}

func assignmentOf(items ...wire.Assigned) wire.Assignment {
	return wire.Assignment{Hash: wire.AssignmentHash(items), Inspectors: items}
}

// assign sends an assignment to the agent that is connected.
func (m *testMaster) assign(a wire.Assignment) error {
	m.t.Helper()
	m.await("the agent", func() bool { return m.peer != nil })
	m.mu.Lock()
	peer := m.peer
	m.mu.Unlock()
	var result wire.AssignResult
	err := peer.Call(m.t.Context(), wire.AgentAssign.Name, a, &result)
	if err == nil && result.Hash != a.Hash {
		m.t.Errorf("the agent has %q, not %q", result.Hash, a.Hash)
	}
	return err
}

func (m *testMaster) mustAssign(items ...wire.Assigned) {
	m.t.Helper()
	if err := m.assign(assignmentOf(items...)); err != nil {
		m.t.Fatal(err)
	}
}

// awaitReceipt returns the first receipt of a revision in a state.
func (m *testMaster) awaitReceipt(inspector, revision, state string) (got wire.Receipt) {
	m.t.Helper()
	m.await(fmt.Sprintf("%s %s %s", inspector, revision, state), func() bool {
		for _, r := range m.receipts {
			if r.Inspector == inspector && r.Revision == revision && r.State == state {
				got = r
				return true
			}
		}
		return false
	})
	return got
}

// refusing is a runner that loads nothing whose source says so.
func refusing() *agenttest.Runner {
	return &agenttest.Runner{OnLoad: func(_ context.Context, d inspectors.Definition) error {
		switch {
		case strings.Contains(d.Script.Source, "broken"):
			return errors.New("pushed.go:3:1: it does not build")
		case strings.Contains(d.Script.Source, "forbidden"):
			return fmt.Errorf("%w: it needs too much", inspectors.ErrPolicy)
		}
		return nil
	}}
}

func TestAssignedInspectorsRun(t *testing.T) {
	m, runner := newTestMaster(t), refusing()
	m.start()
	defer m.stop()
	a := newTestAgent(t, m, runner, accepting)
	stop := start(t, a)
	defer stop()
	m.mustAssign(pushed("disk", "one"))
	m.awaitReceipt("disk", "one", wire.ReceiptHealthy)
	m.mu.Lock()
	hello, order := m.hellos[0], []string{}
	for _, r := range m.receipts {
		order = append(order, r.State)
	}
	m.mu.Unlock()
	if !hello.AcceptsPushed || hello.Assigned != "" {
		t.Errorf("it said hello with %+v", hello)
	}
	ranks := []string{wire.ReceiptReceived, wire.ReceiptVerified, wire.ReceiptLoaded, wire.ReceiptHealthy}
	if !slices.IsSortedFunc(order, func(a, b string) int { return slices.Index(ranks, a) - slices.Index(ranks, b) }) {
		t.Errorf("the receipts came as %v", order)
	}
	m.await("its name in the catalog", func() bool {
		return slices.ContainsFunc(m.statuses, func(s wire.StatusParams) bool {
			return slices.ContainsFunc(s.Inspectors, func(i wire.InspectorStatus) bool { return i.Name == "disk" && i.Assigned == "one" })
		})
	})

	// Unchanged inspectors are not loaded again; removed ones are unloaded.
	m.mustAssign(pushed("disk", "one"), pushed("load", "two"))
	m.awaitReceipt("load", "two", wire.ReceiptHealthy)
	m.mustAssign(pushed("load", "two"))
	m.mustAssign(pushed("load", "three"))
	m.awaitReceipt("load", "three", wire.ReceiptHealthy)
	runner.Mu.Lock()
	defer runner.Mu.Unlock()
	if want := []string{"count ", "disk one", "load two", "load three"}; !sameSet(runner.Loads, want) {
		t.Errorf("loaded were %q, want %q", runner.Loads, want)
	}
	if !slices.Equal(runner.Unloads, []string{"disk"}) {
		t.Errorf("unloaded were %q", runner.Unloads)
	}
}

func sameSet(a, b []string) bool {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	return slices.Equal(a, b)
}

func TestWhatCannotRunLeavesTheOld(t *testing.T) {
	m, runner := newTestMaster(t), refusing()
	m.start()
	defer m.stop()
	defer start(t, newTestAgent(t, m, runner, accepting))()
	m.mustAssign(pushed("disk", "one"))
	m.awaitReceipt("disk", "one", wire.ReceiptHealthy)
	for _, c := range []struct {
		source, state, reason string
	}{
		{"broken", wire.ReceiptFailed, "pushed.go:3:1: it does not build"},
		{"forbidden", wire.ReceiptRefused, "it needs too much"},
		{"//vedette:interval often\npackage disk", wire.ReceiptFailed, "pushed.go:1:1: interval"},
	} {
		m.mustAssign(pushed("disk", c.source))
		r := m.awaitReceipt("disk", c.source, c.state)
		if !strings.Contains(r.Reason, c.reason) || r.Running != "one" {
			t.Errorf("%s: the receipt is %+v", c.source, r)
		}
	}
	before := len(runner.StartsOf("disk"))
	m.mustAssign(pushed("disk", "one")) // which runs
	m.await("a receipt of what runs", func() bool { return m.receipts[len(m.receipts)-1].State == wire.ReceiptHealthy })
	runner.Mu.Lock()
	defer runner.Mu.Unlock()
	if n := slices.Index(runner.Loads, "disk one"); slices.Contains(runner.Loads[n+1:], "disk one") || len(runner.Starts["disk"]) < before {
		t.Errorf("what ran was loaded again: %q", runner.Loads)
	}
}

func TestFailingRunsAreToldAndHealed(t *testing.T) {
	m, bad := newTestMaster(t), true
	runner := refusing()
	runner.OnRun = func(_ context.Context, job plugins.Job) plugins.Outcome {
		runner.Mu.Lock()
		defer runner.Mu.Unlock()
		if bad && job.Name == "disk" {
			return plugins.Outcome{Name: job.Name, Err: errors.New("no disk")}
		}
		return plugins.Outcome{Name: job.Name}
	}
	m.start()
	defer m.stop()
	defer start(t, newTestAgent(t, m, runner, accepting))()
	m.mustAssign(pushed("disk", "one"))
	if r := m.awaitReceipt("disk", "one", wire.ReceiptFailed); r.Reason != "no disk" {
		t.Errorf("the receipt is %+v", r)
	}
	runner.Mu.Lock()
	bad = false
	runner.Mu.Unlock()
	m.awaitReceipt("disk", "one", wire.ReceiptHealthy)
}

func TestOwnInspectorsGoBefore(t *testing.T) {
	m, runner := newTestMaster(t), refusing()
	m.start()
	defer m.stop()
	defer start(t, newTestAgent(t, m, runner, func(cfg *config.Agent, deps *Deps) {
		cfg.AcceptPushedInspectors = true
		deps.Definitions = append(deps.Definitions, agenttest.Script("builtin", "old", oftenEnough))
		deps.BuiltIn = []string{"builtin"}
	}))()
	m.mustAssign(pushed("builtin", "new"), pushed("count", "mine"))
	m.awaitReceipt("builtin", "new", wire.ReceiptHealthy)
	if r := m.awaitReceipt("count", "mine", wire.ReceiptRefused); !strings.Contains(r.Reason, "this host's own configuration") {
		t.Errorf("the receipt is %+v", r)
	}
	// The built-in one is back when the pushed one goes.
	m.mustAssign()
	m.await("the built-in one", func() bool {
		return slices.ContainsFunc(m.statuses, func(s wire.StatusParams) bool {
			return slices.ContainsFunc(s.Inspectors, func(i wire.InspectorStatus) bool {
				return i.Name == "builtin" && i.Assigned == "" && i.State == wire.StateOK
			})
		})
	})
}

// oftenEnough is often enough for tests.
const oftenEnough = inspectors.MinInterval

func TestAssignmentsAreRefused(t *testing.T) {
	m := newTestMaster(t)
	m.start()
	defer m.stop()
	data := t.TempDir()
	stop := start(t, newTestAgent(t, m, refusing(), func(cfg *config.Agent, _ *Deps) { cfg.Data = data }))
	var answer *rpc.Error
	err := m.assign(assignmentOf(pushed("disk", "one")))
	if !errors.As(err, &answer) || answer.Code != wire.CodeForbidden || !strings.Contains(answer.Message, "agent.accept_pushed_inspectors") {
		t.Errorf("an agent that does not accept code answers %v", err)
	}
	stop()
	m.note(func() { m.peer = nil })
	defer start(t, newTestAgent(t, m, refusing(), accepting))()
	wrong := assignmentOf(pushed("disk", "one"))
	wrong.Hash = strings.Repeat("0", 64)
	if err := m.assign(wrong); !errors.As(err, &answer) || answer.Code != rpc.CodeInvalidParams {
		t.Errorf("a wrong hash is answered by %v", err)
	}
	if _, err := os.Stat(filepath.Join(data, assignment.File)); err == nil {
		t.Error("what was refused is kept")
	}
}

func TestAssignmentOutlivesTheAgent(t *testing.T) {
	m, data := newTestMaster(t), t.TempDir()
	m.start()
	with := func(log *slog.Logger) func(*config.Agent, *Deps) {
		return func(cfg *config.Agent, deps *Deps) {
			cfg.AcceptPushedInspectors, cfg.Data = true, data
			if log != nil {
				deps.Log = log
			}
		}
	}
	stop := start(t, newTestAgent(t, m, refusing(), with(nil)))
	last := assignmentOf(pushed("disk", "one"))
	m.mustAssign(last.Inspectors...)
	m.awaitReceipt("disk", "one", wire.ReceiptHealthy)
	stop()
	m.stop()

	// It runs with the master away, and is told when that is back.
	runner, ran := refusing(), make(chan struct{}, 1)
	runner.OnRun = func(_ context.Context, job plugins.Job) plugins.Outcome {
		if job.Name == "disk" {
			bell.Ring(ran)
		}
		return plugins.Outcome{Name: job.Name}
	}
	stop = start(t, newTestAgent(t, m, runner, with(nil)))
	patience.Receive(t, "a run", ran)
	m.note(func() { m.receipts, m.peer = nil, nil })
	m.start()
	defer m.stop()
	m.awaitReceipt("disk", "one", wire.ReceiptHealthy)
	m.mu.Lock()
	if got := m.hellos[len(m.hellos)-1].Assigned; got != last.Hash {
		t.Errorf("it says hello with the assignment %q, not %q", got, last.Hash)
	}
	m.mu.Unlock()
	stop()

	// A file that is damaged is put aside, and the master sends it again.
	path := filepath.Join(data, assignment.File)
	if err := os.WriteFile(path, []byte(`{"sha256":"","kept":{}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	m.note(func() { m.receipts, m.peer = nil, nil })
	var log strings.Builder
	stop = start(t, newTestAgent(t, m, refusing(), with(slog.New(slog.NewTextHandler(&log, nil)))))
	m.mustAssign(last.Inspectors...)
	m.awaitReceipt("disk", "one", wire.ReceiptHealthy)
	stop()
	if _, err := os.Stat(path + ".damaged"); err != nil || !strings.Contains(log.String(), "its checksum is wrong") {
		t.Errorf("%v; the log is\n%s", err, log.String())
	}
}

func TestTheLastAssignmentHolds(t *testing.T) {
	m, runner := newTestMaster(t), refusing()
	held := make(chan struct{})
	load := runner.OnLoad
	runner.OnLoad = func(ctx context.Context, d inspectors.Definition) error {
		if d.Script.Source == "slow" {
			select {
			case <-held:
			case <-ctx.Done():
			}
		}
		return load(ctx, d)
	}
	m.start()
	defer m.stop()
	defer start(t, newTestAgent(t, m, runner, accepting))()
	m.mustAssign(pushed("slow", "slow"))
	for i := range 20 {
		m.mustAssign(pushed("disk", fmt.Sprint("v", i)), pushed("slow", "slow"))
	}
	m.awaitReceipt("disk", "v19", wire.ReceiptHealthy) // which does not wait for what is slow
	close(held)
	m.awaitReceipt("slow", "slow", wire.ReceiptHealthy)
}
