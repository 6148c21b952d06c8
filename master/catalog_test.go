package master

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// fakeAgent is an agent as the master sees it: it takes assignments and says of
// each inspector what become says, which is healthy where it is nil.
type fakeAgent struct {
	host   string
	labels map[string]string
	become func(wire.Assigned) wire.Receipt
	// assign, if there is one, decides whether an assignment is taken.
	assign func(wire.Assignment) error
	refuse bool // says in hello that it takes none

	mu          sync.Mutex
	has         wire.Assignment // survives the connection, as on a disk
	assignments int
	changed     chan struct{} // closed and made anew at each assignment
	peer        *rpc.Peer
}

func newFakeAgent(host string, labels map[string]string) *fakeAgent {
	return &fakeAgent{host: host, labels: labels, changed: make(chan struct{})}
}

// connect says hello to a master; its connection ends with the test.
func (a *fakeAgent) connect(t testing.TB, m *Master) {
	t.Helper()
	mux := rpc.NewMux()
	mux.Handle(wire.MethodAgentAssign, rpc.Method(a.take))
	mux.Handle(wire.MethodAgentAssigned, rpc.Method(func(context.Context, wire.Empty) (wire.AssignResult, error) {
		return wire.AssignResult{Hash: a.assignment().Hash}, nil
	}))
	peer, err := rpc.Dial(t.Context(), m.URL(), rpc.DialOptions{Handler: mux})
	if err != nil {
		t.Fatal(err)
	}
	a.mu.Lock()
	a.peer = peer
	a.mu.Unlock()
	t.Cleanup(func() { a.leave() })
	h := hello(a.host)
	h.Labels, h.AcceptsPushed, h.Assigned = a.labels, !a.refuse, a.assignment().Hash
	call[wire.HelloResult](t, peer, wire.MethodHello, h)
	if err := a.tell(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (a *fakeAgent) leave() {
	a.mu.Lock()
	peer := a.peer
	a.peer = nil
	a.mu.Unlock()
	if peer != nil {
		peer.Close(rpc.CloseNormal, "")
		peer.Wait()
	}
}

func (a *fakeAgent) assignment() wire.Assignment {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.has
}

func (a *fakeAgent) take(ctx context.Context, p wire.Assignment) (wire.AssignResult, error) {
	if a.assign != nil {
		if err := a.assign(p); err != nil {
			return wire.AssignResult{}, err
		}
	}
	if got := wire.AssignmentHash(p.Inspectors); got != p.Hash {
		return wire.AssignResult{}, rpc.Errorf(rpc.CodeInvalidParams, "the hash is %q, want %q", p.Hash, got)
	}
	a.mu.Lock()
	a.has = p
	a.assignments++
	close(a.changed)
	a.changed = make(chan struct{})
	a.mu.Unlock()
	return wire.AssignResult{Hash: p.Hash}, a.tell(ctx)
}

// tell sends the receipts of all that is assigned.
func (a *fakeAgent) tell(ctx context.Context) error {
	a.mu.Lock()
	p := wire.ReceiptParams{Hash: a.has.Hash, All: true, Receipts: []wire.Receipt{}}
	for _, assigned := range a.has.Inspectors {
		r := wire.Receipt{State: wire.ReceiptHealthy}
		if a.become != nil {
			r = a.become(assigned)
		}
		r.Inspector, r.Revision, r.AtMS = assigned.Name, assigned.Revision, time.Now().UnixMilli()
		p.Receipts = append(p.Receipts, r)
	}
	peer := a.peer
	a.mu.Unlock()
	if peer == nil {
		return nil
	}
	return peer.Call(ctx, wire.MethodReceipt, p, nil)
}

// wait returns when the agent has these inspectors, as "name:revision name:…"
// with the first four digits.
func (a *fakeAgent) wait(t testing.TB, want string) {
	t.Helper()
	timeout := time.After(20 * time.Second)
	for {
		a.mu.Lock()
		got, changed := brief(a.has), a.changed
		a.mu.Unlock()
		if got == want {
			return
		}
		select {
		case <-changed:
		case <-timeout:
			t.Fatalf("host %s has %q, want %q", a.host, got, want)
		}
	}
}

func brief(a wire.Assignment) string {
	text := ""
	for i, one := range a.Inspectors {
		if i > 0 {
			text += " "
		}
		text += one.Name + ":" + one.Revision[:4]
	}
	return text
}

// script is a source that passes the check; different values make different
// revisions.
func script(name string, value int) wire.Code {
	return wire.Code{Name: name, Source: fmt.Sprintf("package p\n\nfunc Inspect() (float64, error) { return %d, nil }\n", value), IntervalMS: 1000}
}

func push(t testing.TB, peer *rpc.Peer, p wire.PushParams) wire.PushResult {
	t.Helper()
	return call[wire.PushResult](t, peer, wire.MethodCatalogPush, p)
}

// watch subscribes to events and returns a function that waits for one that
// fits.
func watch[T any](t testing.TB, m *Master, pattern string) func(what string, fits func(T) bool) T {
	t.Helper()
	events := make(chan T, 10_000)
	mux := rpc.NewMux()
	mux.HandleInOrder(wire.NotifyEvent, rpc.Method(func(_ context.Context, e struct {
		Subscription uint64 `json:"subscription"`
		Path         string `json:"path"`
		Data         T      `json:"data"`
	},
	) (any, error) {
		events <- e.Data
		return nil, nil
	}))
	peer, err := rpc.Dial(t.Context(), m.URL(), rpc.DialOptions{Handler: mux})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		peer.Close(rpc.CloseNormal, "")
		peer.Wait()
	})
	call[wire.SubscribeResult](t, peer, wire.MethodSubscribe, []string{pattern})
	return func(what string, fits func(T) bool) T {
		t.Helper()
		timeout := time.After(20 * time.Second)
		for {
			select {
			case e := <-events:
				if fits(e) {
					return e
				}
			case <-timeout:
				t.Fatalf("no event %s: %s", pattern, what)
			}
		}
	}
}

func inState(state string) func(wire.Rollout) bool {
	return func(r wire.Rollout) bool { return r.State == state }
}

func TestPushReachesItsHosts(t *testing.T) {
	m := start(t, config.Master{})
	operator := dial(t, m, nil, rpc.DialOptions{})
	rollouts := watch[wire.Rollout](t, m, "rollouts/*")
	db, web := newFakeAgent("db-1", map[string]string{"role": "db"}), newFakeAgent("web-1", map[string]string{"role": "web"})
	db.connect(t, m)
	web.connect(t, m)

	selector := "role=db"
	result := push(t, operator, wire.PushParams{Code: script("disk", 1), Selector: &selector, Message: "why"})
	if result.Hosts != 1 || result.Rollout == "" || result.Version != "1" {
		t.Errorf("the push gave %+v", result)
	}
	db.wait(t, "disk:"+result.Revision[:4])
	rollouts("done", inState(wire.RolloutDone))
	got := call[wire.ReceiptsResult](t, operator, wire.MethodReceipts, wire.CatalogParams{Name: "disk"})
	if got.Summary != (wire.ReceiptSummary{Hosts: 1, Healthy: 1}) || len(got.Receipts) != 1 || got.Receipts[0].State != wire.ReceiptHealthy || got.Receipts[0].HostState != wire.HostUp {
		t.Errorf("receipts are %+v", got)
	}
	if n := len(web.assignment().Inspectors); n != 0 {
		t.Errorf("a host that is not selected has %d inspectors", n)
	}
	again := push(t, operator, wire.PushParams{Code: script("disk", 1)})
	if again.Rollout != "" || again.Revision != result.Revision || again.Version != result.Version {
		t.Errorf("a push that changes nothing gave %+v", again)
	}
}
