package master

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// trialAgent is an agent as the master sees it, that runs no trial but says what
// the test has it say.
type trialAgent struct {
	*rpc.Peer
	tries, unties chan string // of ids
}

// newTrialAgent connects one. refusal, or nil, is its answer to a trial.
func newTrialAgent(t testing.TB, m *Master, host string, labels map[string]string, refusal error) *trialAgent {
	t.Helper()
	a := &trialAgent{tries: make(chan string, 100), unties: make(chan string, 100)}
	mux := rpc.NewMux()
	mux.Handle(wire.AgentTry.Name, rpc.Method(func(ctx context.Context, p wire.AgentTryParams) (wire.Empty, error) {
		if refusal == nil {
			return wire.Empty{}, hand(ctx, a.tries, p.Trial)
		}
		return wire.Empty{}, refusal
	}))
	mux.Handle(wire.AgentUntry.Name, rpc.Method(func(ctx context.Context, p wire.TrialStopParams) (wire.Empty, error) {
		return wire.Empty{}, hand(ctx, a.unties, p.Trial)
	}))
	peer, err := rpc.Dial(t.Context(), m.URL(), rpc.DialOptions{Handler: mux})
	if err != nil {
		t.Fatal(err)
	}
	a.Peer = peer
	t.Cleanup(func() { hangUp(t, peer) })
	h := hello(host)
	h.Labels, h.AcceptsPushed = labels, refusal == nil
	call[wire.HelloResult](t, peer, wire.MasterHello.Name, h)
	return a
}

func (a *trialAgent) leave() {
	a.Close(rpc.CloseNormal, "")
	a.Wait()
}

// trialEvent is the next event that a watcher gets.
func trialEvent(t testing.TB, events notes) wire.TrialEvent {
	t.Helper()
	var e wire.TrialEvent
	if err := json.Unmarshal([]byte(events.next(t)), &e); err != nil {
		t.Fatal(err)
	}
	return e
}

// trialOn are the params of a trial that ends when the test says so.
func trialOn(hosts ...string) wire.TrialStartParams {
	return wire.TrialStartParams{Code: script("disk", 1), Hosts: hosts, ForMS: time.Hour.Milliseconds()}
}

// What a trial yields reaches who started it, and nobody and nothing else.
func TestTrialIsRelayedToItsWatcherAlone(t *testing.T) {
	m := start(t, config.Master{})
	agent := newTrialAgent(t, m, "web-1", nil, nil)
	events, others, samples := make(notes, 100), make(notes, 100), make(notes, 100)
	watcher := dial(t, m, map[string]notes{wire.NotifyTrial.Name: events}, rpc.DialOptions{})
	other := dial(t, m, map[string]notes{wire.NotifyTrial.Name: others, wire.NotifyEvent.Name: samples}, rpc.DialOptions{})
	call[wire.SubscribeResult](t, other, wire.MasterSubscribe.Name, []string{"metrics/*"})

	begun := call[wire.TrialStartResult](t, watcher, wire.TrialsStart.Name, trialOn("web-1"))
	if id := await(t, "the trial", agent.tries); id != begun.Trial || len(begun.Hosts) != 1 {
		t.Errorf("the agent tries %q, the watcher was told %+v", id, begun)
	}
	now := time.Now().UnixMilli()
	value := 42.0
	report := wire.TrialReport{
		Trial: begun.Trial, Lines: []string{"hello"},
		Run: &wire.TrialRun{TS: now, Samples: []wire.Metric{{TS: now, Key: "disk/x", Val: &value}}},
	}
	call[wire.Empty](t, agent.Peer, wire.MasterTrial.Name, report)
	if e := trialEvent(t, events); e.Host != "web-1" || len(e.Lines) != 1 || e.Run == nil || *e.Run.Samples[0].Val != 42 {
		t.Errorf("the watcher got %+v", e)
	}
	if e := refused(t, other, wire.TrialsStop.Name, wire.TrialStopParams{Trial: begun.Trial}); e.Code != wire.CodeNotFound {
		t.Errorf("another connection stopping it gave %v", e)
	}
	call[wire.Empty](t, watcher, wire.TrialsStop.Name, wire.TrialStopParams{Trial: begun.Trial})
	await(t, "the stop", agent.unties)
	call[wire.Empty](t, agent.Peer, wire.MasterTrial.Name, wire.TrialReport{Trial: begun.Trial, Ended: true, Cost: &wire.TrialCost{Runs: 1}})
	if e := trialEvent(t, events); !e.Ended || e.Cost.Runs != 1 {
		t.Errorf("the watcher got %+v, want the end", e)
	}
	if e := refused(t, agent.Peer, wire.MasterTrial.Name, report); e.Code != wire.CodeNotFound {
		t.Errorf("a report behind the end gave %v", e)
	}

	past := call[wire.HistoryRangeResult](t, watcher, wire.HistoryRange.Name,
		wire.HistoryRangeParams{Pattern: "metrics/web-1/disk*", FromMS: now - 60_000, ToMS: now + 60_000, Points: 10})
	if len(past.Series) > 0 || m.hub.SeriesCount("web-1") > 0 || len(others) > 0 || len(samples) > 0 {
		t.Errorf("the history has %v, the hub %d series; another connection got %d events of the trial and %d samples", past.Series, m.hub.SeriesCount("web-1"),
			len(others), len(samples))
	}
}

func TestTrialEndsWithItsWatcherAndWithItsAgent(t *testing.T) {
	m := start(t, config.Master{})
	stays, goes := newTrialAgent(t, m, "stays", nil, nil), newTrialAgent(t, m, "goes", nil, nil)
	newTrialAgent(t, m, "refuses", nil, rpc.Errorf(wire.CodeForbidden, "not here"))
	events := make(notes, 100)
	watcher := dial(t, m, map[string]notes{wire.NotifyTrial.Name: events}, rpc.DialOptions{})
	begun := call[wire.TrialStartResult](t, watcher, wire.TrialsStart.Name, trialOn("stays", "goes", "refuses"))
	if e := trialEvent(t, events); e.Host != "refuses" || !e.Ended || e.State != wire.ReceiptRefused || e.Error != "not here" {
		t.Errorf("the watcher got %+v, want the refusal", e)
	}
	await(t, "the trial", stays.tries)
	await(t, "the trial", goes.tries)
	goes.leave()
	if e := trialEvent(t, events); e.Host != "goes" || !e.Ended || e.State != wire.ReceiptFailed || e.Error == "" {
		t.Errorf("the watcher got %+v, want the end on the host that is gone", e)
	}
	watcher.Close(rpc.CloseNormal, "")
	if id := await(t, "the end of the trial that nobody watches", stays.unties); id != begun.Trial {
		t.Errorf("the agent is to end %q", id)
	}
}

// The connection of an agent that was replaced ends no trial of the new one.
func TestTrialOutlivesAnOlderConnectionOfItsAgent(t *testing.T) {
	m := start(t, config.Master{})
	old := newTrialAgent(t, m, "web-1", nil, nil)
	agent := newTrialAgent(t, m, "web-1", nil, nil)
	events := make(notes, 100)
	watcher := dial(t, m, map[string]notes{wire.NotifyTrial.Name: events}, rpc.DialOptions{})
	begun := call[wire.TrialStartResult](t, watcher, wire.TrialsStart.Name, trialOn("web-1"))
	await(t, "the trial", agent.tries)
	old.Wait()
	call[wire.Empty](t, agent.Peer, wire.MasterTrial.Name, wire.TrialReport{Trial: begun.Trial, Ended: true})
	if e := trialEvent(t, events); !e.Ended || e.Error != "" {
		t.Errorf("the watcher got %+v, want the end as the agent told it", e)
	}
}

func TestTrialOfFaultyParams(t *testing.T) {
	m := start(t, config.Master{})
	newTrialAgent(t, m, "db-1", map[string]string{"role": "db"}, nil)
	newTrialAgent(t, m, "db-2", map[string]string{"role": "db"}, nil)
	away := newTrialAgent(t, m, "away", map[string]string{"role": "db"}, nil)
	away.leave()
	watcher := dial(t, m, map[string]notes{wire.NotifyTrial.Name: make(notes, 100)}, rpc.DialOptions{})
	bad := wire.Code{Name: "bad", File: "bad.go", Source: "package bad\n\nfunc Inspect() (float64, error) { _ = x; return y, nil }\n"}
	for want, p := range map[string]wire.TrialStartParams{
		"bad.go:3:":                  {Code: bad, Hosts: []string{"db-1"}},
		`no host "nobody"`:           {Code: script("disk", 1), Hosts: []string{"nobody"}},
		"none of the hosts":          {Code: script("disk", 1), Hosts: []string{"away"}},
		"selects no host":            {Code: script("disk", 1), Selector: "role=web"},
		"cannot be read":             {Code: script("disk", 1), Selector: "role=("},
		"give either hosts":          {Code: script("disk", 1)},
		"lasts up to":                {Code: script("disk", 1), Hosts: []string{"db-1"}, ForMS: 2 * time.Hour.Milliseconds()},
		"only a script can be tried": {Code: wire.Code{Name: "disk", Plugin: &wire.PushedPlugin{}}, Hosts: []string{"db-1"}},
		"either hosts or a selector": {Code: script("disk", 1), Hosts: []string{"db-1"}, Selector: "role=db"},
	} {
		e := refused(t, watcher, wire.TrialsStart.Name, p)
		if !strings.Contains(e.Message, want) {
			t.Errorf("the answer is %q, want %q in it", e.Message, want)
		}
		if data, _ := e.Data.(map[string]any); strings.HasPrefix(want, "bad.go") && len(data["diagnostics"].([]any)) != 2 {
			t.Errorf("the fault comes with %v, want both diagnostics", e.Data)
		}
	}
	begun := call[wire.TrialStartResult](t, watcher, wire.TrialsStart.Name,
		wire.TrialStartParams{Code: script("disk", 1), Selector: "role in (db),host in (db-1,db-2,web-1)"})
	if got := fmt.Sprint(begun.Hosts); got != "[db-1 db-2]" {
		t.Errorf("the selector gave %s, want the two that are up", got)
	}
	for range 7 {
		call[wire.TrialStartResult](t, watcher, wire.TrialsStart.Name, trialOn("db-1"))
	}
	if e := refused(t, watcher, wire.TrialsStart.Name, trialOn("db-1")); e.Code != wire.CodeBusy {
		t.Errorf("a ninth trial gave %v", e)
	}
}

// An agent is answered at once however slowly its reports are read. Reports that are too
// many are lost, and reported as lost; the end never is.
func TestSlowWatcherOfATrial(t *testing.T) {
	m := start(t, config.Master{})
	agent := newTrialAgent(t, m, "web-1", nil, nil)
	reads, events := make(chan struct{}), make(chan wire.TrialEvent, 100)
	mux := rpc.NewMux()
	mux.HandleInOrder(wire.NotifyTrial.Name, rpc.Method(func(ctx context.Context, e wire.TrialEvent) (wire.Empty, error) {
		select {
		case <-reads:
		case <-ctx.Done(): // the connection is down: nobody waits for this one
		}
		return wire.Empty{}, hand(ctx, events, e)
	}))
	watcher, err := rpc.Dial(t.Context(), m.URL(), rpc.DialOptions{Handler: mux})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { hangUp(t, watcher) })
	begun := call[wire.TrialStartResult](t, watcher, wire.TrialsStart.Name, trialOn("web-1"))
	await(t, "the trial", agent.tries)
	lines := make([]string, 50)
	for i := range lines {
		lines[i] = strings.Repeat("x", 4<<10)
	}
	const reports = 200 // 40 MB, several times what the master and the socket hold
	for i := range reports {
		call[wire.Empty](t, agent.Peer, wire.MasterTrial.Name, wire.TrialReport{Trial: begun.Trial, Lines: lines})
		if i%10 != 9 {
			continue
		}
		// It is slow, but not taken for dead, however long this takes: it says something,
		// as it does not come to answer pings, and reads a little.
		if err := watcher.Notify(t.Context(), wire.TrialsStop.Name, wire.TrialStopParams{Trial: "another"}); err != nil {
			t.Fatal(err)
		}
		select {
		case reads <- struct{}{}:
		case <-watcher.Done():
			t.Fatalf("the slow watcher was cut off: %v", watcher.Err())
		}
	}
	call[wire.Empty](t, agent.Peer, wire.MasterTrial.Name, wire.TrialReport{Trial: begun.Trial, Ended: true, Lines: lines})
	close(reads)
	got, told := 0, false
	for {
		e := await(t, "the end", events)
		got++
		for _, line := range e.Lines {
			told = told || strings.Contains(line, "reports were lost")
		}
		if e.Ended {
			break
		}
	}
	if got >= reports || !told {
		t.Errorf("the slow watcher got %d events of %d, and was told of the loss: %v", got, reports, told)
	}
}
