package master

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// boostAgent is an agent as the master sees it, that notes how it is asked to
// boost its one inspector.
type boostAgent struct {
	*rpc.Peer
	asked chan wire.AgentBoostParams
}

func newBoostAgent(t testing.TB, m *Master, host string, header ...string) *boostAgent {
	t.Helper()
	a := &boostAgent{asked: make(chan wire.AgentBoostParams, 100)}
	mux := rpc.NewMux()
	mux.HandleInOrder(wire.AgentBoost.Name, rpc.Method(func(ctx context.Context, p wire.AgentBoostParams) (wire.Empty, error) {
		if p.Inspector != "disk" {
			return wire.Empty{}, rpc.Errorf(wire.CodeNotFound, "no inspector %q runs on this host", p.Inspector)
		}
		return wire.Empty{}, hand(ctx, a.asked, p)
	}))
	o := rpc.DialOptions{Handler: mux}
	if len(header) > 0 {
		o.Header = bearer(header[0])
	}
	peer, err := rpc.Dial(t.Context(), m.URL(), o)
	if err != nil {
		t.Fatal(err)
	}
	a.Peer = peer
	t.Cleanup(func() { hangUp(t, peer) })
	call[wire.HelloResult](t, peer, wire.MasterHello.Name, hello(host))
	return a
}

func (a *boostAgent) leave() {
	a.Close(rpc.CloseNormal, "")
	a.Wait()
}

// paced waits until the agent is asked for an interval; what it is asked on the
// way there, as when two watchers leave at once, does not matter.
func (a *boostAgent) paced(t testing.TB, ms int64) {
	t.Helper()
	for {
		p := await(t, fmt.Sprintf("an interval of %d ms", ms), a.asked)
		if p.IntervalMS != 0 && p.ForMS <= 0 {
			t.Errorf("the agent was asked for %+v, without a lease", p)
		}
		if p.IntervalMS == ms {
			return
		}
	}
}

func boostOf(ms int64) wire.BoostParams {
	return wire.BoostParams{Host: "web-1", Inspector: "disk", IntervalMS: ms}
}

// The fastest of those who watch wins, and the last one who leaves ends it.
func TestBoostLastsWhileSomebodyWatches(t *testing.T) {
	m := start(t, config.Master{})
	agent := newBoostAgent(t, m, "web-1")
	slow, fast := dial(t, m, nil, rpc.DialOptions{}), dial(t, m, nil, rpc.DialOptions{})
	call[wire.Empty](t, slow, wire.BoostsStart.Name, boostOf(0))
	agent.paced(t, 1000)
	call[wire.Empty](t, fast, wire.BoostsStart.Name, boostOf(100))
	agent.paced(t, 100)
	call[wire.Empty](t, slow, wire.BoostsStart.Name, boostOf(500))
	agent.paced(t, 100)

	call[wire.Empty](t, fast, wire.BoostsStop.Name, boostOf(0))
	agent.paced(t, 500)
	if e := refused(t, fast, wire.BoostsStop.Name, boostOf(0)); e.Code != wire.CodeNotFound {
		t.Errorf("ending what has ended gave %v", e)
	}
	call[wire.Empty](t, fast, wire.BoostsStart.Name, boostOf(200))
	agent.paced(t, 200)
	slow.Close(rpc.CloseNormal, "")
	fast.Close(rpc.CloseNormal, "")
	agent.paced(t, 0)

	again := dial(t, m, nil, rpc.DialOptions{})
	call[wire.Empty](t, again, wire.BoostsStart.Name, boostOf(300))
	agent.paced(t, 300)
}

// The lease is renewed without anybody asking, and an agent that returns is
// asked at once.
func TestBoostIsRenewed(t *testing.T) {
	t.Parallel()
	m := start(t, config.Master{})
	agent := newBoostAgent(t, m, "web-1")
	watcher := dial(t, m, nil, rpc.DialOptions{})
	call[wire.Empty](t, watcher, wire.BoostsStart.Name, boostOf(100))
	first := await(t, "the boost", agent.asked)
	if second := await(t, "its renewal", agent.asked); first != second || first.ForMS == 0 {
		t.Errorf("a boost of %+v was renewed as %+v", first, second)
	}
	agent.leave()
	agent = newBoostAgent(t, m, "web-1")
	agent.paced(t, 100)
	call[wire.Empty](t, watcher, wire.BoostsStop.Name, boostOf(0))
	agent.paced(t, 0)
}

// The samples of a boost are seen by those who watch, and are in no history.
func TestBoostedSamplesAreShownAndNotKept(t *testing.T) {
	m := start(t, config.Master{})
	agent := newBoostAgent(t, m, "web-1")
	events := make(notes, 100)
	watcher := dial(t, m, map[string]notes{wire.NotifyEvent.Name: events}, rpc.DialOptions{})
	call[wire.SubscribeResult](t, watcher, wire.MasterSubscribe.Name, []string{"metrics/*"})
	now := time.Now().UnixMilli()
	series := []wire.Series{{ID: 1, Key: "disk/used", Labels: map[string]string{"mount": "/"}}}
	call[wire.ReportResult](t, agent.Peer, wire.MasterReport.Name, wire.ReportParams{
		BootID: "boot", Seq: 1, Series: series, Columns: wire.Columns{T: []int64{now - 1000}, S: []uint32{1}, V: []float64{1}},
	})
	shown := wire.LiveParams{
		Series:  append(series, wire.Series{ID: 2, Key: "disk/no such/key"}),
		Columns: wire.Columns{T: []int64{now - 900, now - 900, now - 800, now + time.Hour.Milliseconds()}, S: []uint32{1, 2, 1, 1}, V: []float64{2, 99, 3, 99}},
	}
	if err := agent.Notify(t.Context(), wire.MasterLive.Name, shown); err != nil {
		t.Fatal(err)
	}
	call[wire.ReportResult](t, agent.Peer, wire.MasterReport.Name, wire.ReportParams{
		BootID: "boot", Seq: 2, Columns: wire.Columns{T: []int64{now}, S: []uint32{1}, V: []float64{4}},
	})
	for _, want := range []string{`"val":1`, `"val":2`, `"val":3`, `"val":4`} {
		if e := events.next(t); !strings.Contains(e, want) || !strings.Contains(e, "metrics/web-1/disk/used") {
			t.Errorf("the watcher got %s, want %s", e, want)
		}
	}
	past := call[wire.HistoryRangeResult](t, watcher, wire.HistoryRange.Name,
		wire.HistoryRangeParams{Pattern: "metrics/web-1/*", FromMS: now - 60_000, ToMS: now + 60_000, Points: 1000})
	if got := fmt.Sprint(past.V); got != "[1 4]" || len(past.Series) != 1 {
		t.Errorf("the history has %s of %+v, want what was reported", got, past.Series)
	}
}

func TestBoostOfFaultyParams(t *testing.T) {
	m := start(t, config.Master{Tokens: []config.Token{token("web-1", "agent", "web-1"), token("wall", "viewer", ""), token("ops", "operator", "")}})
	newBoostAgent(t, m, "web-1", "web-1")
	ops := dial(t, m, nil, rpc.DialOptions{Header: bearer("ops")})
	for _, c := range []struct {
		p    wire.BoostParams
		code int
	}{
		{boostOf(99), rpc.CodeInvalidParams},
		{boostOf(-1), rpc.CodeInvalidParams},
		{boostOf(1 << 60), rpc.CodeInvalidParams},
		{wire.BoostParams{Host: "nobody", Inspector: "disk"}, wire.CodeNotFound},
		{wire.BoostParams{Host: "web-1", Inspector: "gpu"}, wire.CodeNotFound},
	} {
		if e := refused(t, ops, wire.BoostsStart.Name, c.p); e.Code != c.code {
			t.Errorf("a boost of %+v gave %v, want %d", c.p, e, c.code)
		}
	}
	if e := refused(t, ops, wire.BoostsStop.Name, wire.BoostParams{Host: "web-1", Inspector: "gpu"}); e.Code != wire.CodeNotFound {
		t.Errorf("a boost that the agent refused is still wanted: %v", e)
	}
	wall := dial(t, m, nil, rpc.DialOptions{Header: bearer("wall")})
	if e := refused(t, wall, wire.BoostsStart.Name, boostOf(100)); e.Code != wire.CodeForbidden {
		t.Errorf("a viewer's boost gave %v", e)
	}
	if e := refused(t, wall, wire.MasterLive.Name, wire.LiveParams{}); e.Code != wire.CodeForbidden {
		t.Errorf("samples of who is no agent gave %v", e)
	}
}
