package catalog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/vedettehq/vedette/master/state"
	"github.com/vedettehq/vedette/master/twopersons"
	"github.com/vedettehq/vedette/rpc/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// errKilled is what every write gives after the master was killed.
var errKilled = errors.New("killed")

// mortal is a Store whose process is killed after so many writes: none is done
// any more from then on. Reads go on, which harms nobody.
type mortal struct {
	state.Store
	mu   sync.Mutex
	left int
	dead chan struct{}
}

func (s *mortal) Apply(ctx context.Context, changes ...state.Change) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left == 0 {
		select {
		case <-s.dead:
		default:
			close(s.dead)
		}
		return errKilled
	}
	s.left--
	return s.Store.Apply(ctx, changes...)
}

func (s *mortal) Append(ctx context.Context, log string, record []byte) (uint64, error) {
	return 0, s.Apply(ctx, state.Append(log, record))
}

// host is an agent without a connection: what it has survives the master.
type host struct {
	name string
	bad  string // the revision that fails on it
	// labels are those of its configuration.
	labels map[string]string

	telling sync.Mutex // what it tells stays in order
	mu      sync.Mutex
	has     wire.Assignment
	catalog *Catalog
	session *Session
	down    chan struct{}
}

func (h *host) Done() <-chan struct{} { return h.down }

func (h *host) Call(_ context.Context, method string, params, result any) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if method == wire.AgentAssign.Name {
		h.has = params.(wire.Assignment)
		go h.tell()
	}
	*result.(*wire.AssignResult) = wire.AssignResult{Hash: h.has.Hash}
	return nil
}

// tell sends the receipts of all that the host has.
func (h *host) tell() {
	h.telling.Lock()
	defer h.telling.Unlock()
	h.mu.Lock()
	p := wire.ReceiptParams{Hash: h.has.Hash, All: true}
	for _, a := range h.has.Inspectors {
		r := wire.Receipt{Inspector: a.Name, Revision: a.Revision, State: wire.ReceiptHealthy}
		if a.Revision == h.bad {
			r.State, r.Reason = wire.ReceiptFailed, "disk.go:1:1: it does not build"
		}
		p.Receipts = append(p.Receipts, r)
	}
	c, s := h.catalog, h.session
	h.mu.Unlock()
	if s != nil {
		_ = c.Receipts(s, p)
	}
}

func (h *host) connect(c *Catalog) {
	h.mu.Lock()
	h.down = make(chan struct{})
	hash := h.has.Hash
	h.catalog = c
	h.mu.Unlock()
	s := c.Connected(h, wire.HelloParams{Host: h.name, AcceptsPushed: true, Assigned: hash, Labels: h.labels})
	c.HostChanged(wire.Host{Host: h.name, State: wire.HostUp})
	h.mu.Lock()
	h.session = s
	h.mu.Unlock()
	h.tell()
}

func (h *host) disconnect() {
	h.mu.Lock()
	s, c := h.session, h.catalog
	h.session = nil
	close(h.down)
	h.mu.Unlock()
	c.Disconnected(s)
}

func (h *host) revision() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.has.Inspectors) == 0 {
		return ""
	}
	return h.has.Inspectors[0].Revision
}

// life is one run of a master: its catalog, on a store that may die.
type life struct {
	*Catalog
	stop func()
}

func begin(t testing.TB, store state.Store, hosts []*host) *life {
	t.Helper()
	return beginWith(t, store, hosts, twopersons.Rule{}, nil)
}

// beginWith is begin for a master on which changes need a second person.
func beginWith(t testing.TB, store state.Store, hosts []*host, rule twopersons.Rule, standing func(string) (string, bool)) *life {
	t.Helper()
	c := New(Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Announce: func(string, any) {}, Standing: standing})
	if err := c.Open(t.Context(), store); err != nil {
		t.Fatal(err)
	}
	if err := c.SetTwoPersons(t.Context(), rule); err != nil && !errors.Is(err, errKilled) {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() { c.Run(ctx) })
	for _, h := range hosts {
		h.connect(c)
	}
	return &life{Catalog: c, stop: func() {
		cancel()
		for _, h := range hosts {
			h.disconnect()
		}
		done.Wait()
	}}
}

func open(t testing.TB, dir string) state.Store {
	t.Helper()
	store, err := state.Open(filepath.Join(dir, "state.db"))
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func code(value int) wire.Code {
	return wire.Code{Name: "disk", Source: fmt.Sprintf("package p\n\nfunc Inspect() (float64, error) { return %d, nil }\n", value), File: "disk.go"}
}

var stages = wire.Plan{Stages: []wire.Stage{{Hosts: 1}, {Percent: 50}}, BakeMS: 5000, TimeoutMS: 20_000}

// untilOver waits until no rollout goes on.
func untilOver(t testing.TB, c *Catalog) wire.Rollout {
	t.Helper()
	for range 3600 {
		list, err := c.Rollouts(t.Context(), wire.RolloutsParams{Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		if len(list) > 0 && !isActive(list[0]) {
			return list[0]
		}
		time.Sleep(time.Second) // of a bubble's clock
	}
	t.Fatal("the rollout does not end")
	return wire.Rollout{}
}

// A master that is killed at any write of a rollout goes on with it after its
// restart, and ends it as if nothing had been: a good revision is everywhere, a
// bad one nowhere.
func TestKilledAtEveryStep(t *testing.T) {
	for _, bad := range []bool{false, true} {
		t.Run(fmt.Sprint("bad=", bad), func(t *testing.T) {
			for writes := 0; ; writes++ {
				killed := false
				synctest.Test(t, func(t *testing.T) { killed = killedAfter(t, writes, bad) })
				if !killed {
					if writes < 4 {
						t.Errorf("the rollout took %d writes only", writes)
					}
					return
				}
			}
		})
	}
}

// killedAfter pushes with a master that is killed after so many writes, and then
// with one that lives on. It reports whether the first was killed at all.
func killedAfter(t *testing.T, writes int, bad bool) bool {
	store := open(t, t.TempDir())
	defer store.Close()
	old, fresh := wire.RevisionOf(code(1)), wire.RevisionOf(code(2))
	var hosts []*host
	for i := range 6 {
		h := &host{name: fmt.Sprint("h", i)}
		if bad && i%2 == 0 {
			h.bad = fresh
		}
		hosts = append(hosts, h)
	}
	first := begin(t, store, hosts)
	if _, err := first.Push(t.Context(), wire.PushParams{Code: code(1)}); err != nil {
		t.Fatal(err)
	}
	untilOver(t, first.Catalog)
	if err := first.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	first.stop()

	dying := &mortal{Store: store, left: writes, dead: make(chan struct{})}
	second := begin(t, dying, hosts)
	_, pushErr := second.Push(t.Context(), wire.PushParams{Code: code(2), Plan: stages})
	over := make(chan struct{})
	if pushErr == nil {
		go func() {
			defer close(over)
			for {
				second.mu.Lock()
				n := len(second.active)
				second.mu.Unlock()
				select {
				case <-dying.dead:
					return
				case <-time.After(time.Second):
				}
				if n == 0 {
					return
				}
			}
		}()
		<-over
	}
	killed := pushErr != nil
	select {
	case <-dying.dead:
		killed = true
	default:
	}
	second.stop()
	time.Sleep(time.Hour) // nobody is there meanwhile

	third := begin(t, store, hosts)
	defer third.stop()
	if pushErr != nil {
		if _, err := third.Push(t.Context(), wire.PushParams{Code: code(2), Plan: stages}); err != nil {
			t.Fatal(err)
		}
	}
	r := untilOver(t, third.Catalog)
	time.Sleep(5 * time.Second)
	want, state := fresh, wire.RolloutDone
	if bad {
		want, state = old, wire.RolloutRolledBack
	}
	if r.State != state {
		t.Errorf("killed after %d writes: the rollout is %s: %s", writes, r.State, r.Reason)
	}
	for _, h := range hosts {
		if got := h.revision(); got != want {
			t.Errorf("killed after %d writes: host %s has revision %.4s, want %.4s", writes, h.name, got, want)
		}
	}
	entry, err := third.Get(t.Context(), "disk")
	if err != nil || entry.Current != want {
		t.Errorf("killed after %d writes: the entry is %+v, %v", writes, entry, err)
	}
	lines, err := third.Audit(t.Context(), wire.AuditParams{})
	if err != nil || len(lines) != len(entry.History) {
		t.Errorf("killed after %d writes: %d lines of the audit log for %d changes, %v", writes, len(lines), len(entry.History), err)
	}
	chain, err := third.VerifyAudit(t.Context(), wire.AuditVerifyParams{})
	if err != nil || chain.Fault != nil || chain.Entries != len(lines) || chain.Without != 0 {
		t.Errorf("killed after %d writes: the audit log has %d lines and is %+v, %v", writes, len(lines), chain, err)
	}
	return killed
}

// Hosts that a rollout has not reached keep the revision that was settled last,
// however many rollouts replace each other.
func TestReplacedRolloutKeepsTheSettledRevision(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := open(t, t.TempDir())
		defer store.Close()
		var hosts []*host
		for i := range 4 {
			hosts = append(hosts, &host{name: fmt.Sprint("h", i)})
		}
		c := begin(t, store, hosts)
		defer c.stop()
		plan := wire.Plan{Stages: []wire.Stage{{Hosts: 1}}, BakeMS: 60_000}
		for i := range 4 {
			p := wire.PushParams{Code: code(i), Plan: plan}
			if i == 0 {
				p.Plan = wire.Plan{}
			}
			if _, err := c.Push(t.Context(), p); err != nil {
				t.Fatal(err)
			}
			time.Sleep(5 * time.Second)
			count := make(map[string]int)
			for _, h := range hosts {
				count[h.revision()]++
			}
			settled, now := wire.RevisionOf(code(0)), wire.RevisionOf(code(i))
			if i == 0 && count[now] != 4 || i > 0 && (count[now] != 1 || count[settled] != 3) {
				t.Errorf("after push %d hosts have %v", i, count)
			}
		}
		list, _ := c.Rollouts(t.Context(), wire.RolloutsParams{})
		if len(list) != 4 || list[1].State != wire.RolloutReplaced || list[2].State != wire.RolloutReplaced || list[0].From != wire.RevisionOf(code(0)) {
			t.Errorf("rollouts are %+v", list)
		}
		r, err := c.Pause(t.Context(), wire.RolloutParams{Rollout: list[0].ID, Reason: "lunch"})
		if err != nil || r.State != wire.RolloutPaused {
			t.Errorf("paused: %+v, %v", r, err)
		}
		time.Sleep(time.Hour)
		if r, _ = c.Rollout(t.Context(), r.ID); r.State != wire.RolloutPaused || r.Stage != 0 {
			t.Errorf("a paused rollout went on: %+v", r)
		}
		if r, err = c.Abort(t.Context(), wire.RolloutParams{Rollout: r.ID}); err != nil || r.State != wire.RolloutRolledBack {
			t.Errorf("aborted: %+v, %v", r, err)
		}
		time.Sleep(time.Second)
		for _, h := range hosts {
			if h.revision() != wire.RevisionOf(code(0)) {
				t.Errorf("after the abort host %s has %.4s", h.name, h.revision())
			}
		}
	})
}

// A push that comes when all hosts have told that they are well, and nobody has
// looked yet, goes back to what they have and not to what was before.
func TestWhatIsWellIsSettledBeforeItIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := open(t, t.TempDir())
		defer store.Close()
		good, bad := wire.RevisionOf(code(1)), wire.RevisionOf(code(2))
		hosts := []*host{{name: "a", bad: bad}, {name: "b", bad: bad}}
		c := begin(t, store, hosts)
		defer c.stop()
		time.Sleep(time.Minute)
		if _, err := c.Push(t.Context(), wire.PushParams{Code: code(0)}); err != nil {
			t.Fatal(err)
		}
		untilOver(t, c.Catalog)
		for i := range 2 {
			if _, err := c.Push(t.Context(), wire.PushParams{Code: code(1 + i)}); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		if r := untilOver(t, c.Catalog); r.State != wire.RolloutRolledBack || r.From != good {
			t.Errorf("the rollout is %s, from %.8s", r.State, r.From)
		}
		time.Sleep(time.Second)
		for _, h := range hosts {
			if got := h.revision(); got != good {
				t.Errorf("host %s has %.8s, want %.8s", h.name, got, good)
			}
		}
	})
}

// A thousand revisions in a row leave nothing behind in memory.
func TestManyRevisionsLeaveMemoryFlat(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a while")
	}
	synctest.Test(t, func(t *testing.T) {
		store := open(t, t.TempDir())
		defer store.Close()
		hosts := []*host{{name: "a"}, {name: "b"}}
		c := begin(t, store, hosts)
		defer c.stop()
		var after [2]uint64
		for round := range after {
			for i := range 500 {
				if _, err := c.Push(t.Context(), wire.PushParams{Code: code(1 + round*500 + i)}); err != nil {
					t.Fatal(err)
				}
				time.Sleep(100 * time.Millisecond)
			}
			runtime.GC()
			var stats runtime.MemStats
			runtime.ReadMemStats(&stats)
			after[round] = stats.HeapAlloc
		}
		if grown := int64(after[1]) - int64(after[0]); grown > 1<<20 {
			t.Errorf("500 revisions more took %d bytes of memory", grown)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if len(c.code) > 2 || len(c.assignments) > maxAssignments || len(c.active) > 1 {
			t.Errorf("%d revisions, %d assignments and %d rollouts are in memory", len(c.code), len(c.assignments), len(c.active))
		}
	})
}
