package agent

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// try begins a trial on the agent that is connected.
func (m *testMaster) try(id string) error {
	m.t.Helper()
	m.await("the agent", func() bool { return m.peer != nil })
	m.mu.Lock()
	peer := m.peer
	m.mu.Unlock()
	return peer.Call(m.t.Context(), wire.AgentTry.Name, wire.AgentTryParams{
		Trial: id, ForMS: 3_600_000, Code: wire.Code{Name: "disk", File: "disk.go", Source: "draft", IntervalMS: 100},
	}, nil)
}

// A trial ends with the connection that watches it, beside the inspector that it
// is a draft of, and leaves nothing.
func TestTrialEndsWithItsConnection(t *testing.T) {
	m, runner := newTestMaster(t), refusing()
	m.start()
	a := newTestAgent(t, m, runner, accepting)
	stop := start(t, a)
	defer stop()
	m.mustAssign(pushed("disk", "live"))
	m.awaitReceipt("disk", "live", wire.ReceiptHealthy)
	for _, id := range []string{"one", "two"} {
		if err := m.try(id); err != nil {
			t.Fatal(err)
		}
		m.await("reports of "+id, func() bool {
			return slices.ContainsFunc(m.trials, func(r wire.TrialReport) bool { return r.Trial == id && r.Run != nil && r.Cost.Runs > 1 })
		})
	}
	if !a.Printed("trial-one/disk", "a line") || a.Printed("disk", "a line") || a.Printed("trial-three/disk", "a line") {
		t.Error("lines go astray")
	}
	m.await("the line", func() bool {
		return slices.ContainsFunc(m.trials, func(r wire.TrialReport) bool { return slices.Equal(r.Lines, []string{"a line"}) })
	})
	m.mu.Lock()
	peer := m.peer
	m.mu.Unlock()
	if err := peer.Call(patience.Context(t), wire.AgentUntry.Name, wire.TrialStopParams{Trial: "one"}, nil); err != nil {
		t.Fatal(err)
	}
	m.await("the end", func() bool {
		return slices.ContainsFunc(m.trials, func(r wire.TrialReport) bool { return r.Trial == "one" && r.Ended && r.Error == "" && r.Cost.Runs > 1 })
	})
	m.stop() // and so the connection
	patience.Return(t, "the end of the trials", a.trials.all.Wait)
	runner.Mu.Lock()
	defer runner.Mu.Unlock()
	if want := []string{"trial-one/disk", "trial-two/disk"}; !sameSet(runner.Unloads, want) {
		t.Errorf("unloaded were %q, want %q", runner.Unloads, want)
	}
}

func TestTrialsAreBounded(t *testing.T) {
	m := newTestMaster(t)
	m.start()
	defer m.stop()
	stop := start(t, newTestAgent(t, m, refusing(), accepting))
	var answer *rpc.Error
	for i := range maxTrials {
		if err := m.try(string(rune('a' + i))); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.try("more"); !errors.As(err, &answer) || answer.Code != wire.CodeBusy {
		t.Errorf("one more is answered by %v", err)
	}
	if err := m.try("a"); !errors.As(err, &answer) || answer.Code != wire.CodeConflict {
		t.Errorf("one that runs is answered by %v", err)
	}
	if err := m.try("../x"); !errors.As(err, &answer) || answer.Code != rpc.CodeInvalidParams {
		t.Errorf("a bad name is answered by %v", err)
	}
	stop() // with trials going on
	m.note(func() { m.peer = nil })
	defer start(t, newTestAgent(t, m, refusing(), func(cfg *config.Agent, _ *Deps) {}))()
	if err := m.try("b"); !errors.As(err, &answer) || answer.Code != wire.CodeForbidden || !strings.Contains(answer.Message, "accept_pushed_inspectors") {
		t.Errorf("an agent that takes no code answers %v", err)
	}
}
