package master

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/internal/patience"
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
	assign  func(wire.Assignment) error
	refuse  bool     // says in hello that it takes none
	signers []string // the keys that it wants code to be signed by
	needed  int      // how many of them
	policy  *wire.Policy
	token   string
	// follow, if there is one, takes lines of keys.
	follow func(context.Context, wire.KeyLines) (wire.KeysResult, error)

	telling     sync.Mutex // what it tells stays in order
	mu          sync.Mutex
	has         wire.Assignment // survives the connection, as on a disk
	assignments int
	changed     chan struct{} // closed and made again at each assignment
	peer        *rpc.Peer
}

func newFakeAgent(host string, labels map[string]string) *fakeAgent {
	return &fakeAgent{host: host, labels: labels, changed: make(chan struct{})}
}

// connect says hello to a master; its connection ends with the test.
func (a *fakeAgent) connect(t testing.TB, m *Master) {
	t.Helper()
	mux := rpc.NewMux()
	mux.Handle(wire.AgentAssign.Name, rpc.Method(a.take)) // it calls the master, so not in order
	mux.Handle(wire.AgentAssigned.Name, rpc.Method(func(context.Context, wire.Empty) (wire.AssignResult, error) {
		return wire.AssignResult{Hash: a.assignment().Hash}, nil
	}))
	if a.follow != nil {
		rpc.Serve(mux, wire.AgentKeys, a.follow)
	}
	o := rpc.DialOptions{Handler: mux}
	if a.token != "" {
		o.Header = bearer(a.token)
	}
	peer, err := rpc.Dial(t.Context(), m.URL(), o)
	if err != nil {
		t.Fatal(err)
	}
	a.mu.Lock()
	a.peer = peer
	a.mu.Unlock()
	t.Cleanup(func() { patience.Return(t, "the handlers of host "+a.host, a.leave) })
	h := hello(a.host)
	h.Labels, h.AcceptsPushed, h.Signers, h.Assigned = a.labels, !a.refuse, a.signers, a.assignment().Hash
	h.Policy, h.SignersNeeded = a.policy, a.needed
	call[wire.HelloResult](t, peer, wire.MasterHello.Name, h)
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
	a.telling.Lock()
	defer a.telling.Unlock()
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
	return peer.Call(ctx, wire.MasterReceipt.Name, p, nil)
}

// wait returns when the agent has these inspectors, in the form "name:revision name:…" with
// the first four digits.
func (a *fakeAgent) wait(t testing.TB, want string) {
	t.Helper()
	a.waitFor(t, func() string {
		if got := brief(a.has); got != want {
			return fmt.Sprintf("it has %q, want %q", got, want)
		}
		return ""
	})
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
	return call[wire.PushResult](t, peer, wire.CatalogPush.Name, p)
}

// watchAll subscribes to events, and returns their data as they come.
func watchAll[T any](t testing.TB, m *Master, pattern string) <-chan T {
	t.Helper()
	events := make(chan T, 10_000)
	mux := rpc.NewMux()
	mux.HandleInOrder(wire.NotifyEvent.Name, rpc.Method(func(ctx context.Context, e struct {
		Subscription uint64 `json:"subscription"`
		Path         string `json:"path"`
		Data         T      `json:"data"`
	},
	) (any, error) {
		return nil, hand(ctx, events, e.Data)
	}))
	mux.HandleInOrder(wire.NotifyLost.Name, rpc.Method(func(_ context.Context, p wire.Lost) (any, error) {
		t.Errorf("%d events %s were lost", p.Events, pattern)
		return nil, nil
	}))
	mux.HandleInOrder(wire.NotifyHeartbeat.Name, rpc.Method(func(context.Context, wire.Heartbeat) (any, error) { return nil, nil }))
	peer, err := rpc.Dial(t.Context(), m.URL(), rpc.DialOptions{Handler: mux})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { hangUp(t, peer) })
	call[wire.SubscribeResult](t, peer, wire.MasterSubscribe.Name, []string{pattern})
	return events
}

// watch subscribes to events and returns a function that waits for one that
// fits.
func watch[T any](t testing.TB, m *Master, pattern string) func(what string, fits func(T) bool) T {
	t.Helper()
	events := watchAll[T](t, m, pattern)
	return func(what string, fits func(T) bool) T {
		t.Helper()
		timeout := patience.Context(t).Done()
		for {
			select {
			case e := <-events:
				if fits(e) {
					return e
				}
			case <-timeout:
				t.Fatalf("no event %s: %s\n%s", pattern, what, patience.Goroutines())
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
	got := call[wire.ReceiptsResult](t, operator, wire.CatalogReceipts.Name, wire.CatalogParams{Name: "disk"})
	if got.Summary != (wire.ReceiptSummary{Hosts: 1, Healthy: 1}) || len(got.Receipts) != 1 || got.Receipts[0].State != wire.ReceiptHealthy ||
		got.Receipts[0].HostState != wire.HostUp {
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

// startAgain is start for a master that can be stopped before the test ends.
func startAgain(t testing.TB, cfg config.Master) (m *Master, stop func()) {
	t.Helper()
	inner := &stoppable{TB: t}
	m = start(inner, cfg)
	stop = sync.OnceFunc(func() {
		for _, f := range inner.cleanups {
			f()
		}
	})
	t.Cleanup(stop)
	return m, stop
}

// stoppable keeps what is to be done at the end of a test.
type stoppable struct {
	testing.TB
	cleanups []func()
}

func (s *stoppable) Cleanup(f func()) { s.cleanups = append(s.cleanups, f) }

func TestPushReachesHostsThatWereAway(t *testing.T) {
	cfg := config.Master{Data: t.TempDir()}
	m, stop := startAgain(t, cfg)
	here, away := newFakeAgent("here", nil), newFakeAgent("away", nil)
	here.connect(t, m)
	away.connect(t, m)
	away.leave()
	operator := dial(t, m, nil, rpc.DialOptions{})
	first := push(t, operator, wire.PushParams{Code: script("disk", 1)})
	here.wait(t, "disk:"+first.Revision[:4])
	if got := call[wire.ReceiptsResult](t, operator, wire.CatalogReceipts.Name, wire.CatalogParams{Name: "disk"}); got.Summary.Hosts != 2 ||
		got.Receipts[0].State != wire.ReceiptPending {
		t.Errorf("with a host away, receipts are %+v", got)
	}
	here.leave()
	stop()

	// The master that starts again knows its hosts, and what they are to run.
	m, _ = startAgain(t, cfg)
	operator = dial(t, m, nil, rpc.DialOptions{})
	got := call[wire.ReceiptsResult](t, operator, wire.CatalogReceipts.Name, wire.CatalogParams{Name: "disk"})
	if got.Summary != (wire.ReceiptSummary{Hosts: 2, Healthy: 1, Pending: 1}) || got.Receipts[1].HostState != wire.HostGone {
		t.Errorf("after a restart receipts are %+v", got)
	}
	if hosts := call[wire.HostsResult](t, operator, wire.HostsList.Name, nil); len(hosts.Hosts) != 2 || hosts.Hosts[0].State != wire.HostGone {
		t.Errorf("after a restart hosts are %+v", hosts)
	}
	away.connect(t, m)
	away.wait(t, "disk:"+first.Revision[:4])
	before := here.assignments
	here.connect(t, m)
	call[wire.AssignResult](t, here.peer, wire.MasterReceipt.Name, wire.ReceiptParams{Hash: here.has.Hash, Receipts: []wire.Receipt{}})
	if here.assignments != before {
		t.Error("a host that has its assignment was given it again")
	}
}

func TestTwoPushesAtOnce(t *testing.T) {
	m := start(t, config.Master{})
	operator := dial(t, m, nil, rpc.DialOptions{})
	version := push(t, operator, wire.PushParams{Code: script("disk", 0), Message: "first"}).Version
	const n = 8
	errs := make(chan error, n)
	for i := range n {
		go func() {
			errs <- operator.Call(t.Context(), wire.CatalogPush.Name, wire.PushParams{Code: script("disk", 1+i), Version: &version, Message: "mine"}, nil)
		}()
	}
	won := 0
	for range n {
		err := await(t, "the answer to a push", errs)
		var refusal *rpc.Error
		switch {
		case err == nil:
			won++
		case !errors.As(err, &refusal) || refusal.Code != wire.CodeConflict || !strings.Contains(refusal.Message, "local changed it to revision"):
			t.Errorf("a push that was too late got %v", err)
		}
	}
	if won != 1 {
		t.Errorf("%d of %d pushes won, want 1", won, n)
	}
	entry := call[wire.CatalogEntry](t, operator, wire.CatalogGet.Name, wire.CatalogParams{Name: "disk"})
	if len(entry.History) != 2 || entry.Version != "2" || entry.History[0].Revision != entry.Current {
		t.Errorf("the entry is %+v", entry)
	}
	empty := ""
	if got := refused(t, operator, wire.CatalogPush.Name, wire.PushParams{Code: script("disk", 99), Version: &empty}); got.Code != wire.CodeConflict {
		t.Errorf("a push of a new inspector that is there: %v", got)
	}
}

func TestBadPushes(t *testing.T) {
	m := start(t, config.Master{})
	operator := dial(t, m, nil, rpc.DialOptions{})
	bad := func(change func(*wire.PushParams)) wire.PushParams {
		p := wire.PushParams{Code: script("disk", 1)}
		change(&p)
		return p
	}
	for want, p := range map[string]wire.PushParams{
		"at most 1048576 are allowed":       bad(func(p *wire.PushParams) { p.Code.Source += strings.Repeat("\n", 1<<20) }),
		"cannot be read":                    bad(func(p *wire.PushParams) { s := "role in ("; p.Selector = &s }),
		"key is empty":                      bad(func(p *wire.PushParams) { p.Code.Name = "" }),
		"'<' is not allowed":                bad(func(p *wire.PushParams) { p.Code.Name = "<b>" }),
		"interval 1ms":                      bad(func(p *wire.PushParams) { p.Code.IntervalMS = 1 }),
		"exactly one of script, plugin and": bad(func(p *wire.PushParams) { p.Code.Source = "" }),
		"isolation":                         bad(func(p *wire.PushParams) { p.Code.Isolation = "none" }),
		"plain name":                        bad(func(p *wire.PushParams) { p.Code.File = "../disk.go" }),
		"stages grow":                       bad(func(p *wire.PushParams) { p.Plan.Stages = []wire.Stage{{Hosts: 2}, {Hosts: 1}} }),
		"64 lower-case hex digits": bad(func(p *wire.PushParams) {
			p.Code.Source, p.Code.Plugin = "", &wire.PushedPlugin{Artefacts: map[string]wire.Artefact{"linux/amd64": {SHA256: "x", Size: 1}}}
		}),
	} {
		if got := refused(t, operator, wire.CatalogPush.Name, p); got.Code != rpc.CodeInvalidParams || !strings.Contains(got.Message, want) {
			t.Errorf("got %v, want %q", got, want)
		}
	}
	code := script("disk", 1)
	code.Source = "package p\n\nimport \"os/exec\"\n\nfunc Inspect() (float64, error) { go exec.Command(`x`).Run(); return nothing, nil }\n"
	got := refused(t, operator, wire.CatalogPush.Name, wire.PushParams{Code: code})
	data, _ := got.Data.(map[string]any)
	if list, _ := data["diagnostics"].([]any); got.Code != rpc.CodeInvalidParams || len(list) < 2 || !strings.Contains(got.Message, "disk.go:5:") {
		t.Errorf("a script with faults: %v with %v", got, got.Data)
	}
	checked := call[wire.CheckResult](t, operator, wire.CatalogCheck.Name, wire.CheckParams{Code: code})
	if len(checked.Diagnostics) < 2 || checked.Diagnostics[0].Line == 0 || checked.Name != "disk" || checked.IntervalMS != 1000 || checked.TimeoutMS != 800 {
		t.Errorf("checked: %+v", checked)
	}
	for method, params := range map[string]any{
		wire.CatalogGet.Name:      wire.CatalogParams{Name: "none"},
		wire.CatalogRevision.Name: wire.RevisionParams{Name: "none"},
		wire.CatalogRollback.Name: wire.RollbackParams{Name: "none"},
		wire.CatalogDelete.Name:   wire.DeleteParams{Name: "none"},
		wire.CatalogReceipts.Name: wire.CatalogParams{Name: "none"},
		wire.RolloutsGet.Name:     wire.RolloutParams{Rollout: "7"},
		wire.RolloutsAbort.Name:   wire.RolloutParams{Rollout: "x"},
		wire.HostsLabel.Name:      wire.LabelParams{Host: "none", Labels: map[string]string{"a": "b"}},
	} {
		if got := refused(t, operator, method, params); got.Code != wire.CodeNotFound {
			t.Errorf("%s: %v", method, got)
		}
	}
	if list := call[wire.CatalogResult](t, operator, wire.CatalogList.Name, nil); len(list.Inspectors) != 0 {
		t.Errorf("refused pushes left %+v", list)
	}
}

func TestHostThatRefuses(t *testing.T) {
	m := start(t, config.Master{})
	operator := dial(t, m, nil, rpc.DialOptions{})
	said, silent := newFakeAgent("said", nil), newFakeAgent("silent", nil)
	said.refuse = true
	said.assign = func(wire.Assignment) error {
		t.Error("a host that accepts nothing was sent an assignment")
		return nil
	}
	silent.assign = func(wire.Assignment) error { return rpc.Errorf(wire.CodeForbidden, "not here") }
	said.connect(t, m)
	silent.connect(t, m)
	receipts := watch[wire.HostReceipt](t, m, "receipts/*/disk")
	pushes := 1
	push(t, operator, wire.PushParams{Code: script("disk", pushes)})
	for host, want := range map[string]string{"said": "agent.accept_pushed_inspectors", "silent": "not here"} {
		receipts(host, func(r wire.HostReceipt) bool {
			return r.Host == host && r.State == wire.ReceiptRefused && strings.Contains(r.Reason, want)
		})
		receipts = watch[wire.HostReceipt](t, m, "receipts/*/disk")
		pushes++
		push(t, operator, wire.PushParams{Code: script("disk", pushes)})
	}
	receipts("again", func(r wire.HostReceipt) bool { return r.Host == "silent" && r.State == wire.ReceiptRefused })
	if got := call[wire.ReceiptsResult](t, operator, wire.CatalogReceipts.Name,
		wire.CatalogParams{Name: "disk"}); got.Summary != (wire.ReceiptSummary{Hosts: 2, Refused: 2}) {
		t.Errorf("receipts are %+v", got)
	}
}

// A revision that fails on some hosts of a stage goes no further, and those that
// have it get back what they had.
func TestFailedRevisionIsRolledBack(t *testing.T) {
	m := start(t, config.Master{})
	operator := dial(t, m, nil, rpc.DialOptions{})
	good := push(t, operator, wire.PushParams{Code: script("disk", 1)})
	badRevision := wire.RevisionOf(withFile(script("disk", 2)))
	var agents []*fakeAgent
	for i := range 20 {
		a := newFakeAgent(fmt.Sprint("h", i), nil)
		a.become = func(assigned wire.Assigned) wire.Receipt {
			if assigned.Revision == badRevision {
				return wire.Receipt{State: wire.ReceiptFailed, Reason: "disk.go:3:1: it does not build", Running: good.Revision}
			}
			return wire.Receipt{State: wire.ReceiptHealthy}
		}
		a.connect(t, m)
		a.wait(t, "disk:"+good.Revision[:4])
		agents = append(agents, a)
	}
	rollouts := watch[wire.Rollout](t, m, "rollouts/*")
	entries := watch[wire.CatalogEntry](t, m, "catalog/disk")
	bad := push(t, operator, wire.PushParams{Code: script("disk", 2), Plan: wire.Plan{Stages: []wire.Stage{{Hosts: 3}}, BakeMS: 1}})
	if bad.Revision != badRevision {
		t.Fatalf("the revision is %s, want %s", bad.Revision, badRevision)
	}
	r := rollouts("rolled back", func(r wire.Rollout) bool { return r.ID == bad.Rollout && r.State == wire.RolloutRolledBack })
	if len(r.Failures) != 3 || !strings.Contains(r.Reason, "disk.go:3:1") || r.Stage != 0 {
		t.Errorf("the rollout is %+v", r)
	}
	entries("as before", func(e wire.CatalogEntry) bool { return e.Current == good.Revision && e.Summary.Healthy == 20 })
	for _, a := range agents {
		a.wait(t, "disk:"+good.Revision[:4])
	}
	entry := call[wire.CatalogEntry](t, operator, wire.CatalogGet.Name, wire.CatalogParams{Name: "disk"})
	if h := entry.History[0]; h.Action != "rollback" || h.Revision != good.Revision || !strings.Contains(h.Message, "3 of 3 hosts failed") {
		t.Errorf("the history is %+v", entry.History)
	}
	touched := 0
	for _, a := range agents {
		touched += a.assignments - 1
	}
	if touched != 6 {
		t.Errorf("hosts were given %d assignments by the bad push, want 2 for each of 3", touched)
	}
	lines := call[wire.AuditResult](t, operator, wire.AuditList.Name, wire.AuditParams{Who: "master"}).Entries
	if len(lines) != 1 || lines[0].Subject != bad.Rollout || !strings.Contains(lines[0].Detail, "failed") {
		t.Errorf("the audit log has %+v of the master", lines)
	}
}

// A rollback that names no revision does not go to one that was taken back.
func TestRollbackPassesOverWhatFailed(t *testing.T) {
	m := start(t, config.Master{})
	operator := dial(t, m, nil, rpc.DialOptions{})
	bad := wire.RevisionOf(withFile(script("disk", 3)))
	a := newFakeAgent("h", nil)
	a.become = func(assigned wire.Assigned) wire.Receipt {
		if assigned.Revision == bad {
			return wire.Receipt{State: wire.ReceiptFailed, Reason: "it does not build"}
		}
		return wire.Receipt{State: wire.ReceiptHealthy}
	}
	a.connect(t, m)
	rollouts := watch[wire.Rollout](t, m, "rollouts/*")
	pushAndAwait := func(value int, state string) wire.PushResult {
		result := push(t, operator, wire.PushParams{Code: script("disk", value), Plan: wire.Plan{Stages: []wire.Stage{{Hosts: 1}}, BakeMS: 1}})
		rollouts(state, func(r wire.Rollout) bool { return r.ID == result.Rollout && r.State == state })
		return result
	}
	first := pushAndAwait(1, wire.RolloutDone)
	pushAndAwait(2, wire.RolloutDone)
	pushAndAwait(3, wire.RolloutRolledBack)
	back := call[wire.PushResult](t, operator, wire.CatalogRollback.Name, wire.RollbackParams{Name: "disk"})
	if back.Revision != first.Revision {
		t.Errorf("a rollback goes to %s, want the last that did well, %s", back.Revision, first.Revision)
	}
}

func TestLabelsSelectHosts(t *testing.T) {
	cfg := config.Master{Data: t.TempDir()}
	m, stop := startAgain(t, cfg)
	operator := dial(t, m, nil, rpc.DialOptions{})
	a, b := newFakeAgent("a", map[string]string{"role": "db"}), newFakeAgent("b", nil)
	a.connect(t, m)
	b.connect(t, m)
	db, byName := "role=db", "host in (b)"
	first := push(t, operator, wire.PushParams{Code: script("disk", 1), Selector: &db})
	a.wait(t, "disk:"+first.Revision[:4])
	second := push(t, operator, wire.PushParams{Code: script("net", 1), Selector: &byName})
	b.wait(t, "net:"+second.Revision[:4])
	host := call[wire.Host](t, operator, wire.HostsLabel.Name, wire.LabelParams{Host: "b", Labels: map[string]string{"role": "db", "zone": "x"}})
	if host.Labels["role"] != "db" || host.Labels["zone"] != "x" {
		t.Errorf("the host is %+v", host)
	}
	b.wait(t, "disk:"+first.Revision[:4]+" net:"+second.Revision[:4])
	call[wire.Host](t, operator, wire.HostsLabel.Name, wire.LabelParams{Host: "a", Labels: map[string]string{"role": "web"}})
	a.wait(t, "")
	a.leave()
	b.leave()
	stop()

	m, _ = startAgain(t, cfg)
	operator = dial(t, m, nil, rpc.DialOptions{})
	a.connect(t, m)
	b.connect(t, m)
	call[wire.Host](t, operator, wire.HostsLabel.Name, wire.LabelParams{Host: "a", Labels: map[string]string{"role": ""}})
	a.wait(t, "disk:"+first.Revision[:4])
	call[wire.Host](t, operator, wire.HostsLabel.Name, wire.LabelParams{Host: "b", Labels: map[string]string{"role": ""}})
	b.wait(t, "net:"+second.Revision[:4])
}

func TestDeleteAndRevive(t *testing.T) {
	m := start(t, config.Master{})
	operator := dial(t, m, nil, rpc.DialOptions{})
	a := newFakeAgent("a", nil)
	a.connect(t, m)
	rollouts := watch[wire.Rollout](t, m, "rollouts/*")
	one := push(t, operator, wire.PushParams{Code: script("disk", 1)})
	rollouts("done", inState(wire.RolloutDone))
	two := push(t, operator, wire.PushParams{Code: script("disk", 2)})
	a.wait(t, "disk:"+two.Revision[:4])
	rollouts("done", inState(wire.RolloutDone))
	back := call[wire.PushResult](t, operator, wire.CatalogRollback.Name, wire.RollbackParams{Name: "disk", Message: "worse"})
	if back.Revision != one.Revision {
		t.Errorf("rolled back to %s, want %s", back.Revision, one.Revision)
	}
	a.wait(t, "disk:"+one.Revision[:4])
	rollouts("done", inState(wire.RolloutDone))
	call[wire.PushResult](t, operator, wire.CatalogDelete.Name, wire.DeleteParams{Name: "disk"})
	a.wait(t, "")
	rollouts("done", inState(wire.RolloutDone))
	if list := call[wire.CatalogResult](t, operator, wire.CatalogList.Name, nil); len(list.Inspectors) != 0 {
		t.Errorf("after the deletion there is %+v", list)
	}
	empty := ""
	again := push(t, operator, wire.PushParams{Code: script("disk", 2), Version: &empty})
	a.wait(t, "disk:"+two.Revision[:4])
	if again.Rollout == "" {
		t.Error("a push that revives has no rollout")
	}
	entry := call[wire.CatalogEntry](t, operator, wire.CatalogGet.Name, wire.CatalogParams{Name: "disk"})
	var actions []string
	for _, h := range entry.History {
		actions = append(actions, h.Action)
	}
	if got := strings.Join(actions, " "); got != "push delete rollback push push" {
		t.Errorf("the history is %s", got)
	}
	if list := call[wire.RolloutsResult](t, operator, wire.RolloutsList.Name, wire.RolloutsParams{Inspector: "disk", Limit: 2}); len(list.Rollouts) != 2 ||
		list.Rollouts[0].ID != again.Rollout {
		t.Errorf("rollouts are %+v", list)
	}
	got := call[wire.Revision](t, operator, wire.CatalogRevision.Name, wire.RevisionParams{Name: "disk", Revision: one.Revision[:8]})
	if got.ID != one.Revision || got.Source != script("disk", 1).Source {
		t.Errorf("the revision is %+v", got)
	}
}

// Every change, and every attempt of one, is in the audit log.
func TestAudit(t *testing.T) {
	m := start(t, config.Master{Tokens: []config.Token{token("wall", "viewer", ""), token("ops", "operator", ""), token("web-1", "agent", "web-1")}})
	as := func(name string) *rpc.Peer { return dial(t, m, nil, rpc.DialOptions{Header: bearer(name)}) }
	ops, wall := as("ops"), as("wall")
	pushed := push(t, ops, wire.PushParams{Code: script("disk", 1), Message: "why"})
	refused(t, wall, wire.CatalogPush.Name, wire.PushParams{Code: script("disk", 2)})
	refused(t, ops, wire.CatalogPush.Name, wire.PushParams{Code: wire.Code{Name: "disk"}})
	refused(t, ops, wire.InspectorsRelease.Name, wire.ReleaseParams{Host: "none", Inspector: "disk"})
	refused(t, ops, wire.RolloutsPause.Name, wire.RolloutParams{Rollout: "99"})
	refused(t, ops, wire.HostsLabel.Name, wire.LabelParams{Host: "none"})
	call[wire.PushResult](t, ops, wire.CatalogDelete.Name, wire.DeleteParams{Name: "disk"})

	if got := refused(t, wall, wire.AuditList.Name, nil); got.Code != wire.CodeForbidden {
		t.Errorf("a viewer read the audit log: %v", got)
	}
	var lines []string
	for _, e := range call[wire.AuditResult](t, ops, wire.AuditList.Name, wire.AuditParams{}).Entries {
		if !strings.HasPrefix(e.From, "127.0.0.1:") || e.AtMS == 0 || e.Seq == 0 {
			t.Errorf("the line %+v lacks something", e)
		}
		outcome, _, _ := strings.Cut(e.Outcome, " ")
		lines = append(lines, strings.Join([]string{e.Who, e.Role, e.Action, e.Subject, outcome}, " "))
	}
	want := []string{
		"ops operator catalog.delete disk ok",
		"ops operator hosts.label none no",
		"ops operator rollouts.pause 99 there",
		"ops operator inspectors.release none no",
		"ops operator catalog.push disk exactly",
		"wall viewer catalog.push disk the",
		"ops operator catalog.push disk ok",
	}
	if got := strings.Join(lines, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("the audit log is\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
	for _, p := range []wire.AuditParams{{Who: "wall"}, {Action: "hosts."}, {Subject: "99"}, {Limit: 1}} {
		if got := call[wire.AuditResult](t, ops, wire.AuditList.Name, p).Entries; len(got) != 1 {
			t.Errorf("%+v selects %+v", p, got)
		}
	}
	first := call[wire.AuditResult](t, ops, wire.AuditList.Name, wire.AuditParams{Action: "catalog.push"}).Entries[2]
	if !strings.Contains(first.Detail, pushed.Revision[:8]) || !strings.Contains(first.Detail, "why") || first.Seq != 1 {
		t.Errorf("the first line is %+v", first)
	}
	if got := call[wire.AuditResult](t, ops, wire.AuditList.Name, wire.AuditParams{SinceMS: time.Now().Add(time.Hour).UnixMilli()}).Entries; len(got) != 0 {
		t.Errorf("of the future there is %+v", got)
	}
}

// A push while 500 agents reconnect is given to each of them once.
func TestPushDuringReconnects(t *testing.T) {
	m := start(t, config.Master{})
	operator := dial(t, m, nil, rpc.DialOptions{})
	const n = 500
	agents := make([]*fakeAgent, n)
	for i := range agents {
		agents[i] = newFakeAgent(fmt.Sprint("h", i), nil)
	}
	storm := func() {
		var done sync.WaitGroup
		slots := make(chan struct{}, 32)
		for _, a := range agents {
			done.Go(func() {
				slots <- struct{}{}
				defer func() { <-slots }()
				a.leave()
				a.connect(t, m)
			})
		}
		done.Wait()
	}
	storm()
	pushed := make(chan wire.PushResult, 1)
	go func() {
		var result wire.PushResult
		if err := operator.Call(context.WithoutCancel(t.Context()), wire.CatalogPush.Name, wire.PushParams{Code: script("disk", 1)}, &result); err != nil {
			t.Error(err)
		}
		pushed <- result
	}()
	storm()
	result := await(t, "the push", pushed)
	for _, a := range agents {
		a.wait(t, "disk:"+result.Revision[:4])
		if a.assignments != 1 {
			t.Errorf("host %s was given %d assignments, want 1", a.host, a.assignments)
		}
	}
	entries := watch[wire.CatalogEntry](t, m, "catalog/disk")
	operator.Call(t.Context(), wire.HostsLabel.Name, wire.LabelParams{Host: "h0", Labels: map[string]string{"x": "y"}}, nil)
	entries("all healthy", func(e wire.CatalogEntry) bool { return e.Summary == wire.ReceiptSummary{Hosts: n, Healthy: n} })
	if list := call[wire.CatalogEntry](t, operator, wire.CatalogGet.Name, wire.CatalogParams{Name: "disk"}); len(list.History) != 1 {
		t.Errorf("the history is %+v", list.History)
	}
}

// What does not fit into a message is refused where it is pushed.
func TestTooMuchForOneHost(t *testing.T) {
	m := start(t, config.Master{})
	operator := dial(t, m, nil, rpc.DialOptions{})
	a := newFakeAgent("a", nil)
	a.connect(t, m)
	large := func(i int) wire.Code {
		code := script(fmt.Sprint("large-", i), i)
		code.Source += "// " + strings.Repeat("x", 1<<20-len(code.Source)-3)
		return code
	}
	for i := range 3 {
		push(t, operator, wire.PushParams{Code: large(i)})
	}
	got := refused(t, operator, wire.CatalogPush.Name, wire.PushParams{Code: large(3)})
	if got.Code != rpc.CodeInvalidParams || !strings.Contains(got.Message, `host "a" would have 4194304 bytes`) {
		t.Errorf("got %v", got)
	}
	want := ""
	for i := range 3 {
		want += " " + fmt.Sprint("large-", i) + ":" + wire.RevisionOf(withFile(large(i)))[:4]
	}
	a.wait(t, want[1:])
}
