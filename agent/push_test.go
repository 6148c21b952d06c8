package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vedettehq/vedette/agent/assignment"
	"github.com/vedettehq/vedette/agent/internal/agenttest"
	"github.com/vedettehq/vedette/agent/schedule"
	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/plugins"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// code is pushed code that a test's runner is told of. It runs often.
func code(name, source string) wire.Code {
	return wire.Code{Name: name, Source: source, IntervalMS: 100}
}

// errBroken is what a picky runner finds wrong with what is broken.
var errBroken = inspectors.Diagnostics{{File: "disk.go", Line: 3, Col: 7, Message: "undefined: foo"}}

// picky is a runner that loads what it is asked to, by the source: "broken" does
// not build, "forbidden" is against the policy, "hangs" loads until it is ended.
func picky() *agenttest.Runner {
	return &agenttest.Runner{OnLoad: func(ctx context.Context, d inspectors.Definition) error {
		if d.Script == nil {
			return nil
		}
		switch source := d.Script.Source; {
		case strings.HasPrefix(source, "broken"):
			return errBroken
		case source == "forbidden":
			return fmt.Errorf("cannot load it: %w", inspectors.ErrPolicy)
		case source == "hangs":
			<-ctx.Done()
			return ctx.Err()
		}
		return nil
	}}
}

// bare makes an agent accept pushed code, and gives it no inspectors itself.
func bare(cfg *config.Agent, deps *Deps) {
	accepting(cfg, deps)
	deps.Definitions = nil
	cfg.Policy.Plugins = true
}

// assigning is what these codes are when they are assigned; the revision of each
// is its own.
func assigning(codes ...wire.Code) wire.Assignment {
	var items []wire.Assigned
	for _, c := range codes {
		items = append(items, wire.Assigned{Revision: wire.RevisionOf(c), Code: c})
	}
	return assignmentOf(items...)
}

// push has the agent run these.
func (m *testMaster) push(codes ...wire.Code) {
	m.t.Helper()
	if err := m.assign(assigning(codes...)); err != nil {
		m.t.Fatal(err)
	}
}

// connected waits for an agent and returns its peer.
func (m *testMaster) connected() *rpc.Peer {
	m.t.Helper()
	var peer *rpc.Peer
	m.await("an agent", func() bool { peer = m.peer; return peer != nil })
	return peer
}

// awaitLatest returns the receipt of the code when it has the state now.
func (m *testMaster) awaitLatest(code wire.Code, state string) wire.Receipt {
	m.t.Helper()
	var got wire.Receipt
	m.await("a receipt of "+code.Name+" that is "+state, func() bool {
		got = m.latest[code.Name]
		return got.Revision == wire.RevisionOf(code) && got.State == state
	})
	return got
}

// lastLoad returns the source that was loaded last under the name.
func lastLoad(r *agenttest.Runner, name string) string {
	r.Mu.Lock()
	defer r.Mu.Unlock()
	for _, load := range slices.Backward(r.Loads) {
		if n, source, _ := strings.Cut(load, " "); n == name {
			return source
		}
	}
	return ""
}

// taker starts a master and an agent that takes code from it.
func taker(t *testing.T, runner schedule.Runner, change func(*config.Agent, *Deps)) (*testMaster, *Agent) {
	t.Helper()
	m := newTestMaster(t)
	m.start()
	t.Cleanup(m.stop)
	a := newTestAgent(t, m, runner, func(cfg *config.Agent, deps *Deps) {
		bare(cfg, deps)
		if change != nil {
			change(cfg, deps)
		}
	})
	start(t, a)
	return m, a
}

func TestAssignedCodeRunsAndIsTold(t *testing.T) {
	m, a := taker(t, picky(), nil)
	disk, load := code("disk", "one"), code("load", "two")
	m.push(disk, load)
	m.awaitLatest(disk, wire.ReceiptHealthy)
	m.awaitLatest(load, wire.ReceiptHealthy)
	m.mu.Lock()
	hello, first := m.hellos[0], m.told[0]
	m.mu.Unlock()
	if !hello.AcceptsPushed || hello.Assigned != "" {
		t.Errorf("the hello is %+v", hello)
	}
	if !first.All || first.Hash != assigning(disk, load).Hash || len(first.Receipts) != 2 {
		t.Errorf("the first receipts are %+v", first)
	}
	m.await("a status that tells the revision", func() bool {
		for _, s := range m.statuses {
			for _, i := range s.Inspectors {
				if i.Name == "disk" && i.Assigned == wire.RevisionOf(disk) {
					return true
				}
			}
		}
		return false
	})
	var result wire.AssignResult
	if err := m.connected().Call(patience.Context(t), wire.AgentAssigned.Name, nil, &result); err != nil || result.Hash != first.Hash {
		t.Errorf("assigned gave %+v, %v", result, err)
	}

	m.push(load)
	m.await("receipts of the rest", func() bool { return m.told[len(m.told)-1].All && len(m.latest) == 1 })
	m.push()
	m.await("receipts of nothing", func() bool { return len(m.latest) == 0 })
	if a.assigner.Hash() != "" {
		t.Error("nothing has a hash")
	}
}

func TestBrokenCodeLeavesTheOldRunning(t *testing.T) {
	m, a := taker(t, picky(), nil)
	good, bad := code("disk", "good"), code("disk", "broken")
	m.push(good)
	m.awaitLatest(good, wire.ReceiptHealthy)
	m.push(bad)
	r := m.awaitLatest(bad, wire.ReceiptFailed)
	if r.Reason != "disk.go:3:7: undefined: foo" || r.Running != wire.RevisionOf(good) {
		t.Errorf("the receipt is %+v", r)
	}
	if s := a.Status()[0]; s.State != wire.StateOK || s.Assigned != wire.RevisionOf(good) {
		t.Errorf("the old one is %+v", s)
	}

	// The same fault under another revision is told as well.
	bad.File = "other.go"
	m.push(bad)
	m.awaitLatest(bad, wire.ReceiptFailed)

	// A fault that only the agent finds keeps the old one too.
	ill := code("disk", "//vedette:interval soon\npackage disk\n")
	ill.IntervalMS = 0
	m.push(ill)
	if r := m.awaitLatest(ill, wire.ReceiptFailed); !strings.Contains(r.Reason, "disk.go:1:1: ") || r.Running != wire.RevisionOf(good) {
		t.Errorf("the receipt is %+v", r)
	}
	m.push(good)
	if r := m.awaitLatest(good, wire.ReceiptHealthy); r.Running != "" || r.Reason != "" {
		t.Errorf("the receipt of what was always there is %+v", r)
	}
}

func TestAssignmentMovesNoOtherSchedule(t *testing.T) {
	m, a := taker(t, picky(), nil)
	same := code("same", "one")
	same.IntervalMS = 3_600_000
	m.push(same)
	m.awaitLatest(same, wire.ReceiptHealthy)
	due := a.sched.Due("same")
	for i := range 3 {
		other := code("other", fmt.Sprint(i))
		m.push(other, same)
		m.awaitLatest(other, wire.ReceiptHealthy)
	}
	renamed := same
	renamed.File = "renamed.go" // another revision of the same code
	m.push(renamed)
	m.awaitLatest(renamed, wire.ReceiptHealthy)
	if now := a.sched.Due("same"); now != due {
		t.Errorf("what did not change was due at %v and is at %v", due, now)
	}
}

// TestChangedScheduleMustProveItself: code that runs well is not healthy under
// other bounds before it has run within them.
func TestChangedScheduleMustProveItself(t *testing.T) {
	var hold sync.RWMutex
	runner := &agenttest.Runner{OnRun: func(_ context.Context, job plugins.Job) plugins.Outcome {
		hold.RLock()
		defer hold.RUnlock()
		o := plugins.Outcome{Name: job.Name, Start: time.Now()}
		if job.Timeout == 10*time.Millisecond {
			o.Err = plugins.ErrTimeout
		}
		return o
	}}
	m, a := taker(t, runner, nil)
	c := code("disk", "one")
	m.push(c)
	m.awaitLatest(c, wire.ReceiptHealthy)
	hold.Lock()
	tight := c
	tight.TimeoutMS = 10
	m.push(tight)
	m.awaitLatest(tight, wire.ReceiptLoaded)
	hold.Unlock()
	if r := m.awaitLatest(tight, wire.ReceiptFailed); !strings.Contains(r.Reason, plugins.ErrTimeout.Error()) {
		t.Errorf("the receipt is %+v", r)
	}
	if n := len(a.Status()); n != 1 {
		t.Errorf("there are %d inspectors", n)
	}
}

func TestReceiptFollowsTheRuns(t *testing.T) {
	var mu sync.Mutex
	var fault error
	runner := &agenttest.Runner{OnRun: func(_ context.Context, job plugins.Job) plugins.Outcome {
		mu.Lock()
		defer mu.Unlock()
		return plugins.Outcome{Name: job.Name, Start: time.Now(), Err: fault}
	}}
	m, _ := taker(t, runner, nil)
	set := func(err error) { mu.Lock(); defer mu.Unlock(); fault = err }
	c := code("disk", "one")
	set(errors.New("disk.go:5:2: no such file"))
	m.push(c)
	if r := m.awaitLatest(c, wire.ReceiptFailed); r.Reason != "disk.go:5:2: no such file" || r.Running != "" {
		t.Errorf("the receipt is %+v", r)
	}
	set(nil)
	m.awaitLatest(c, wire.ReceiptHealthy)
	set(fmt.Errorf("%w: it crashed twice", plugins.ErrQuarantined))
	if r := m.awaitLatest(c, wire.ReceiptFailed); !strings.Contains(r.Reason, "it crashed twice") {
		t.Errorf("the receipt is %+v", r)
	}
	set(nil)
	m.awaitLatest(c, wire.ReceiptHealthy)
}

func TestHostIsAgainstIt(t *testing.T) {
	runner := picky()
	m, a := taker(t, runner, func(_ *config.Agent, deps *Deps) {
		deps.Definitions = []inspectors.Definition{agenttest.Script("mine", "own", time.Second), agenttest.Script("cpu", "built in", time.Second)}
		deps.BuiltIn = []string{"cpu"}
	})
	mine, cpu, policy := code("mine", "pushed"), code("cpu", "pushed"), code("reads", "forbidden")
	m.push(cpu, mine, policy)
	m.awaitLatest(cpu, wire.ReceiptHealthy)
	if r := m.awaitLatest(mine, wire.ReceiptRefused); r.Reason != assignment.ErrOwn.Error() {
		t.Errorf("the receipt is %+v", r)
	}
	if r := m.awaitLatest(policy, wire.ReceiptRefused); !strings.Contains(r.Reason, inspectors.ErrPolicy.Error()) {
		t.Errorf("the receipt is %+v", r)
	}
	if mine, cpu := lastLoad(runner, "mine"), lastLoad(runner, "cpu"); mine != "own" || cpu != "pushed" {
		t.Errorf("mine is %q, cpu %q", mine, cpu)
	}
	m.push()
	m.await("the built-in one", func() bool { return lastLoad(runner, "cpu") == "built in" })

	// Pushed inspectors stay when the agent's own change.
	m.push(mine)
	m.awaitLatest(mine, wire.ReceiptRefused)
	if err := a.Apply(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	m.awaitLatest(mine, wire.ReceiptHealthy)
}

func TestBadItemsAreNoErrorForTheOthers(t *testing.T) {
	m, _ := taker(t, picky(), nil)
	good := code("good", "one")
	long := code("long", strings.Repeat("x", inspectors.MaxSourceBytes+1))
	quick := code("quick", "one")
	quick.IntervalMS = 1
	elsewhere := wire.Code{Name: "elsewhere", Plugin: &wire.PushedPlugin{Artefacts: map[string]wire.Artefact{"plan9/386": {}, "aix/ppc64": {}}}}
	bad := map[string]wire.Code{
		"exactly one of source and plugin":            {Name: "nothing"},
		"at most 1048576 are allowed":                 long,
		"interval 1ms is not between":                 quick,
		"names below \"vedette\" are the agent's own": code("vedette/own", "one"),
		"bad name":                              code("bad name", "one"),
		"it has those for aix/ppc64, plan9/386": elsewhere,
	}
	codes := []wire.Code{good, code("twin", "one"), code("twin", "two"), {Source: "//vedette:name sly\npackage sly\n"}}
	for _, c := range bad {
		codes = append(codes, c)
	}
	m.push(codes...)
	m.awaitLatest(good, wire.ReceiptHealthy)
	for reason, c := range bad {
		if r := m.awaitLatest(c, wire.ReceiptFailed); !strings.Contains(r.Reason, reason) {
			t.Errorf("of %q the reason is %q, want %q", c.Name, r.Reason, reason)
		}
	}
	m.await("the receipts of what has no name of its own", func() bool {
		return m.latest["twin"].State == wire.ReceiptFailed && m.latest[""].State == wire.ReceiptFailed
	})
}

// here is a plugin with a program for this platform.
func here(sum string) *wire.PushedPlugin {
	return &wire.PushedPlugin{Artefacts: map[string]wire.Artefact{runtime.GOOS + "/" + runtime.GOARCH: {SHA256: sum, Size: 1}}}
}

func TestAgentThatTakesNothing(t *testing.T) {
	runner, dir := picky(), t.TempDir()
	if err := (&assignment.Kept{Assignment: assigning(code("disk", "before"))}).Write(dir); err != nil {
		t.Fatal(err)
	}
	var log syncBuffer
	m, a := taker(t, runner, func(cfg *config.Agent, deps *Deps) {
		cfg.AcceptPushedInspectors, cfg.Data = false, dir
		deps.Log = slog.New(slog.NewTextHandler(&log, nil))
	})
	err := m.connected().Call(patience.Context(t), wire.AgentAssign.Name, assigning(code("disk", "one")), nil)
	re, ok := errors.AsType[*rpc.Error](err)
	if !ok || re.Code != wire.CodeForbidden || !strings.Contains(re.Message, "agent.accept_pushed_inspectors") {
		t.Errorf("assign gave %v", err)
	}
	m.mu.Lock()
	hello := m.hellos[0]
	m.mu.Unlock()
	if hello.AcceptsPushed || hello.Assigned != "" {
		t.Errorf("the hello is %+v", hello)
	}
	if s := a.Status(); len(s) > 0 || lastLoad(runner, "disk") != "" {
		t.Errorf("it runs %+v", s)
	}
	if !strings.Contains(log.String(), "agent.accept_pushed_inspectors is not true") {
		t.Errorf("the log does not say so:\n%s", log.String())
	}
}

// Whatever a hostile master sends, in whatever order, an agent that takes no code
// loads none, runs none, fetches none and keeps none.
func TestHostileMasterRunsNothing(t *testing.T) {
	runner, dir, programs := picky(), t.TempDir(), &testPrograms{fetched: make(chan wire.Artefact, 100), answers: make(chan error)}
	if err := (&assignment.Kept{
		Assignment: assigning(code("disk", "before")),
		Before:     map[string]wire.Assigned{"disk": assigning(code("disk", "old")).Inspectors[0]},
	}).Write(dir); err != nil {
		t.Fatal(err)
	}
	stored, err := os.ReadFile(filepath.Join(dir, assignment.File))
	if err != nil {
		t.Fatal(err)
	}
	m, a := taker(t, runner, func(cfg *config.Agent, deps *Deps) {
		cfg.AcceptPushedInspectors, cfg.Data = false, dir
		deps.Definitions, deps.BuiltIn = []inspectors.Definition{
			agenttest.Script("own", "own", 100*time.Millisecond),
			agenttest.Script("built-in", "built-in", 100*time.Millisecond),
		}, []string{"built-in"}
		deps.Programs = programs
	})
	peer := m.connected()
	plugin := wire.Code{Name: "gpu", Plugin: here(strings.Repeat("ab", 32)), IntervalMS: 100}
	mismatched := assigning(code("disk", "one"))
	mismatched.Hash = "0"
	for _, c := range []struct {
		method string
		params any
		code   int // of the refusal; 0 is any answer
	}{
		{wire.AgentAssign.Name, assigning(code("disk", "one")), wire.CodeForbidden},
		{wire.AgentAssign.Name, assigning(code("disk", "before")), wire.CodeForbidden}, // which it has
		{wire.AgentAssign.Name, assigning(code("own", "theirs"), code("built-in", "theirs")), wire.CodeForbidden},
		{wire.AgentAssign.Name, assigning(plugin), wire.CodeForbidden},
		{wire.AgentAssign.Name, mismatched, wire.CodeForbidden},
		{wire.AgentAssign.Name, assigning(), wire.CodeForbidden},
		{wire.AgentAssign.Name, map[string]any{"accept_pushed_inspectors": true}, rpc.CodeInvalidParams},
		{wire.AgentAssigned.Name, nil, 0},
		{wire.AgentTry.Name, wire.AgentTryParams{Trial: "a1", Code: code("disk", "tried"), ForMS: 60_000}, wire.CodeForbidden},
		{wire.AgentTry.Name, wire.AgentTryParams{Trial: "a2", Code: plugin, ForMS: 60_000}, wire.CodeForbidden},
		{wire.AgentBoost.Name, wire.AgentBoostParams{Inspector: "disk", IntervalMS: 100, ForMS: 60_000}, 0},
		{wire.AgentRelease.Name, map[string]any{"inspector": "disk"}, 0},
		{"agent.apply", assigning(code("disk", "one")), rpc.CodeMethodNotFound},
		{wire.CatalogPush.Name, wire.PushParams{Code: code("disk", "one")}, rpc.CodeMethodNotFound},
	} {
		err := peer.Call(patience.Context(t), c.method, c.params, nil)
		if refusal, _ := errors.AsType[*rpc.Error](err); c.code != 0 && (refusal == nil || refusal.Code != c.code) {
			t.Errorf("%s of %+v gave %v, want code %d", c.method, c.params, err, c.code)
		}
		_ = peer.Notify(t.Context(), c.method, c.params) // as well
	}
	m.await("a run of its own after all that", func() bool { return len(m.statuses) > 0 })
	runs := len(runner.StartsOf("own"))
	patience.Until(t, "its own inspector to run", func() bool { return len(runner.StartsOf("own")) >= runs+3 })
	runner.Mu.Lock()
	for _, load := range runner.Loads {
		if load != "own own" && load != "built-in built-in" {
			t.Errorf("it loaded %q", load)
		}
	}
	for name := range runner.Starts {
		if name != "own" && name != "built-in" {
			t.Errorf("it ran %q", name)
		}
	}
	runner.Mu.Unlock()
	for _, s := range a.Status() {
		if s.Assigned != "" {
			t.Errorf("it runs %+v", s)
		}
	}
	if len(programs.fetched) > 0 {
		t.Errorf("it fetched %+v", <-programs.fetched)
	}
	if now, err := os.ReadFile(filepath.Join(dir, assignment.File)); err != nil || string(now) != string(stored) {
		t.Errorf("what was kept is now %q, %v", now, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if hello := m.hellos[0]; hello.AcceptsPushed || hello.Assigned != "" || len(m.receipts) > 0 {
		t.Errorf("it said %+v, and told %+v", hello, m.receipts)
	}
}

// An agent that is stopped after a revision failed to load starts with the one
// before, and tells that it does.
func TestFailedRevisionFallsBackAfterARestart(t *testing.T) {
	dir := t.TempDir()
	good, bad := code("disk", "good"), code("disk", "broken")
	m := newTestMaster(t)
	m.start()
	defer m.stop()
	run := func(runner schedule.Runner) (*Agent, func()) {
		a := newTestAgent(t, m, runner, func(cfg *config.Agent, deps *Deps) { bare(cfg, deps); cfg.Data = dir })
		return a, start(t, a)
	}
	_, stop := run(picky())
	m.push(good)
	m.awaitLatest(good, wire.ReceiptHealthy)
	m.push(bad)
	m.awaitLatest(bad, wire.ReceiptFailed)
	stop()
	for range 2 { // it is not forgotten by being used
		m.note(func() { m.latest, m.receipts, m.peer = nil, nil, nil })
		runner := picky()
		a, stop := run(runner)
		awaitState(t, a, "disk", wire.RevisionOf(good))
		if r := m.awaitLatest(bad, wire.ReceiptFailed); r.Running != wire.RevisionOf(good) {
			t.Errorf("the receipt is %+v", r)
		}
		if ran := len(runner.StartsOf("disk")); ran == 0 {
			t.Error("the one before does not run")
		}
		stop()
	}
}

// awaitState returns when the agent runs the revision well.
func awaitState(t *testing.T, a *Agent, name, revision string) {
	t.Helper()
	patience.Until(t, name+" to run as "+revision, func() bool {
		return slices.ContainsFunc(a.Status(), func(s wire.InspectorStatus) bool {
			return s.Name == name && s.Assigned == revision && s.State == wire.StateOK
		})
	})
}

// TestKilledWhileApplying starts agents on what one that is killed in the midst
// of an assignment leaves: whether the new builds or not, one of both runs.
func TestKilledWhileApplying(t *testing.T) {
	old := code("disk", "one")
	for next, want := range map[string]string{"two": "two", "broken": "one"} {
		t.Run(next, func(t *testing.T) {
			dir, left := t.TempDir(), t.TempDir()
			loading := make(chan struct{})
			runner := &agenttest.Runner{OnLoad: func(ctx context.Context, d inspectors.Definition) error {
				if d.Script.Source == next {
					close(loading)
					<-ctx.Done() // until the end of this agent
					return ctx.Err()
				}
				return nil
			}}
			m, _ := taker(t, runner, func(cfg *config.Agent, _ *Deps) { cfg.Data = dir })
			m.push(old)
			m.awaitLatest(old, wire.ReceiptHealthy)
			m.push(code("disk", next))
			patience.Closed(t, "the load to begin", loading)
			file, err := os.ReadFile(filepath.Join(dir, assignment.File))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(left, assignment.File), file, 0o600); err != nil {
				t.Fatal(err)
			}

			alone := newTestMaster(t) // who is away
			a := newTestAgent(t, alone, picky(), func(cfg *config.Agent, deps *Deps) { bare(cfg, deps); cfg.Data = left })
			start(t, a)
			awaitState(t, a, "disk", wire.RevisionOf(code("disk", want)))
		})
	}
}

// TestKilledAfterALateLoad is the same where the apply that asked for the old code had
// ended before the code was loaded.
func TestKilledAfterALateLoad(t *testing.T) {
	old, next := code("disk", "one"), code("disk", "broken")
	for _, twice := range []bool{false, true} { // loaded at the second attempt; or assigned twice while it is loaded
		t.Run(fmt.Sprint(twice), func(t *testing.T) {
			dir := t.TempDir()
			begun, goOn, loading := make(chan struct{}), make(chan struct{}), make(chan struct{})
			var tries atomic.Int64
			runner := &agenttest.Runner{OnLoad: func(ctx context.Context, d inspectors.Definition) error {
				switch {
				case d.Script.Source == next.Source:
					close(loading)
					<-ctx.Done()
					return ctx.Err()
				case tries.Add(1) > 1:
					return nil
				case !twice:
					return fmt.Errorf("cannot load it: %w", plugins.ErrUnavailable)
				}
				close(begun)
				<-goOn
				return nil
			}}
			m, _ := taker(t, runner, func(cfg *config.Agent, _ *Deps) { cfg.Data = dir })
			m.push(old)
			if twice {
				patience.Closed(t, "the first load to begin", begun)
				m.push(old)
				close(goOn)
			}
			m.awaitLatest(old, wire.ReceiptHealthy)
			m.push(next)
			patience.Closed(t, "the next load to begin", loading)
			kept, err := assignment.ReadKept(dir)
			if err != nil {
				t.Fatal(err)
			}
			if before := kept.Before["disk"]; before.Revision != wire.RevisionOf(old) {
				t.Errorf("a start after a kill would begin with %q, want the code that ran", before.Revision)
			}
		})
	}
}

func TestLastAssignmentWins(t *testing.T) {
	m, a := taker(t, picky(), nil)
	first, last := code("disk", "hangs"), code("disk", "two")
	m.push(first)
	m.push(last)
	m.awaitLatest(last, wire.ReceiptHealthy)
	peer := m.connected()
	var calls sync.WaitGroup
	for i := range 20 { // not awaited, but sent in this order
		c := code("disk", fmt.Sprint("number ", i))
		sent := make(chan struct{})
		calls.Go(func() {
			close(sent)
			if err := peer.Call(patience.Context(t), wire.AgentAssign.Name, assigning(c), nil); err != nil {
				t.Error(err)
			}
		})
		patience.Closed(t, "a call to begin", sent)
	}
	patience.Return(t, "the end of the calls", calls.Wait)
	var result wire.AssignResult
	if err := peer.Call(patience.Context(t), wire.AgentAssigned.Name, nil, &result); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		if c := code("disk", fmt.Sprint("number ", i)); assigning(c).Hash == result.Hash {
			m.awaitLatest(c, wire.ReceiptHealthy)
			if s := a.Status(); len(s) != 1 || s[0].Assigned != wire.RevisionOf(c) {
				t.Errorf("it runs %+v", s)
			}
			return
		}
	}
	t.Errorf("it has %q, which nobody assigned", result.Hash)
}

func TestManyPushesLeaveNothing(t *testing.T) {
	m, a := taker(t, picky(), nil)
	push := func(i int) {
		source := fmt.Sprint("number ", i)
		if i%3 == 1 {
			source = fmt.Sprint("broken ", i)
		}
		c := code("disk", source)
		m.push(c)
		if i%3 == 1 {
			m.awaitLatest(c, wire.ReceiptFailed)
		} else {
			m.awaitLatest(c, wire.ReceiptHealthy)
		}
	}
	push(0)
	before := runtime.NumGoroutine()
	for i := range 100 {
		push(i + 1)
	}
	patience.Until(t, fmt.Sprintf("as few goroutines as the %d before", before), func() bool { return runtime.NumGoroutine() <= before+10 })
	if k, err := assignment.ReadKept(a.cfg.Data); err != nil || len(k.Before) > 1 || len(k.Assignment.Inspectors) != 1 {
		t.Errorf("the next start knows %+v, %v", k, err)
	}
}

func TestOldMasterTakesNoReceipts(t *testing.T) {
	m := newTestMaster(t)
	m.noReceipts = true
	m.start()
	defer func() { m.stop() }()
	var log syncBuffer
	a := newTestAgent(t, m, newCounter(), func(cfg *config.Agent, deps *Deps) {
		cfg.AcceptPushedInspectors = true
		deps.Log = slog.New(slog.NewTextHandler(&log, nil))
	})
	stop := start(t, a)
	m.push(code("disk", "one"))
	m.await("reports", func() bool { return len(m.samples["count"]) > 2 })
	m.stop()
	m.start()
	m.await("another hello", func() bool { return len(m.hellos) > 1 })
	had := 0
	m.await("reports again", func() bool {
		if had == 0 {
			had = len(m.samples["count"])
		}
		return len(m.samples["count"]) > had+2
	})
	stop()
	if n := strings.Count(log.String(), "takes no receipts"); n != 1 {
		t.Errorf("the log says %d times that there are no receipts:\n%s", n, log.String())
	}
}

// testPrograms fetches what is given to it.
type testPrograms struct {
	fetched chan wire.Artefact
	answers chan error
}

func (f *testPrograms) Fetch(ctx context.Context, a wire.Artefact) (string, error) {
	select {
	case f.fetched <- a:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	select {
	case err := <-f.answers:
		return "/programs/" + a.SHA256, err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func TestPluginIsFetched(t *testing.T) {
	loaded := make(chan inspectors.Definition, 10)
	runner := &agenttest.Runner{OnLoad: func(_ context.Context, d inspectors.Definition) error { loaded <- d; return nil }}
	from := &testPrograms{fetched: make(chan wire.Artefact), answers: make(chan error)}
	m, _ := taker(t, runner, func(_ *config.Agent, deps *Deps) { deps.Programs = from })
	old, plugin, other := code("disk", "one"), wire.Code{Name: "disk", IntervalMS: 100, Plugin: here("ab")}, code("other", "one")
	plugin.Plugin.Args = []string{"-v"}
	m.push(old)
	m.awaitLatest(old, wire.ReceiptHealthy)
	patience.Receive(t, "a load", loaded)
	m.push(plugin, other)
	if a := patience.Receive(t, "a fetch", from.fetched); a.SHA256 != "ab" {
		t.Errorf("%+v is fetched", a)
	}
	m.awaitLatest(other, wire.ReceiptHealthy) // it waits for no program
	patience.Receive(t, "a load", loaded)
	from.answers <- errors.New("the master is away")
	if r := m.awaitLatest(plugin, wire.ReceiptFailed); !strings.Contains(r.Reason, "the master is away") || r.Running != wire.RevisionOf(old) {
		t.Errorf("the receipt is %+v", r)
	}
	patience.Receive(t, "another fetch", from.fetched)
	from.answers <- nil
	m.awaitLatest(plugin, wire.ReceiptHealthy)
	d := patience.Receive(t, "the load of the plugin", loaded)
	if d.Plugin == nil || d.Plugin.Path != "/programs/ab" || d.Plugin.SHA256 != "ab" || !slices.Equal(d.Plugin.Args, []string{"-v"}) || !d.Pushed {
		t.Errorf("what was loaded is %+v", d)
	}
}

func TestPolicyWithoutPlugins(t *testing.T) {
	from := &testPrograms{fetched: make(chan wire.Artefact, 1)}
	m, _ := taker(t, &agenttest.Runner{}, func(cfg *config.Agent, deps *Deps) { cfg.Policy.Plugins, deps.Programs = false, from })
	old, plugin := code("disk", "one"), wire.Code{Name: "disk", IntervalMS: 100, Plugin: here("ab")}
	m.push(old)
	m.awaitLatest(old, wire.ReceiptHealthy)
	m.push(plugin)
	r := m.awaitLatest(plugin, wire.ReceiptRefused)
	if !strings.Contains(r.Reason, "agent.policy.plugins") || r.Running != wire.RevisionOf(old) {
		t.Errorf("the receipt is %+v", r)
	}
	if len(from.fetched) > 0 {
		t.Error("its program was fetched")
	}
}

func TestSettingsOverrideDirectives(t *testing.T) {
	source := "//vedette:interval 10s\n//vedette:timeout 2s\n//vedette:budget cpu=50ms series=10\n//vedette:isolation own\npackage disk\n"
	d, err := assignment.DefinitionOf(wire.Code{Name: "disk", Source: source}, "r1", "")
	if err != nil || d.Interval != 10*time.Second || d.Timeout != 2*time.Second || d.Budget.CPU != 50*time.Millisecond ||
		d.Isolation != inspectors.IsolationOwn || !d.Pushed || d.Assigned != "r1" || d.Script.File != "disk.go" {
		t.Errorf("without settings: %+v, %v", d, err)
	}
	d, err = assignment.DefinitionOf(wire.Code{
		Name: "disk", File: "d.go", Source: source, IntervalMS: 1000, TimeoutMS: 500,
		Budget: &wire.PushedBudget{CPUMS: 20, HeapBytes: 2 << 20, OutputBytes: 1 << 12}, Isolation: "shared",
	}, "r2", "")
	want := inspectors.Budget{CPU: 20 * time.Millisecond, Heap: 2 << 20, Output: 1 << 12, Series: 10}
	if err != nil || d.Interval != time.Second || d.Timeout != 500*time.Millisecond || d.Budget != want ||
		d.Isolation != inspectors.IsolationShared || d.Script.File != "d.go" {
		t.Errorf("with settings: %+v, %v", d, err)
	}
}
