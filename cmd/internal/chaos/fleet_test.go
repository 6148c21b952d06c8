package chaos

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vedettehq/vedette/agent"
	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/freeport"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/master"
	"github.com/vedettehq/vedette/plugins"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// fleet is a real master and real agents in this process, which speak over real WebSockets.
// Each agent runs its inspectors in a fleetAgent.
type fleet struct {
	*testing.T
	addr, folder string
	quick        rpc.Backoff
	stopMaster   func()
	agents       []*fleetAgent
	stopAgents   []func()
}

func newFleet(t *testing.T) *fleet {
	f := &fleet{T: t, addr: freeport.Address(t), folder: t.TempDir(), quick: rpc.Backoff{First: 50 * time.Millisecond, Max: time.Second}}
	ignored := goleak.IgnoreCurrent()
	t.Cleanup(func() {
		var stops sync.WaitGroup
		for _, stop := range f.stopAgents {
			stops.Go(stop)
		}
		patience.Return(t, "the end of the agents", stops.Wait)
		if f.stopMaster != nil {
			f.stopMaster()
		}
		goleak.VerifyNone(t, ignored)
	})
	return f
}

// startMaster runs the master, each time with the same address and folder.
func (f *fleet) startMaster() {
	f.Helper()
	nothing := http.NotFoundHandler()
	cfg := config.Master{Name: "master", Listen: f.addr, Data: filepath.Join(f.folder, "master"), GoneAfter: 7 * time.Second}
	m, err := master.New(cfg, master.Deps{Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Version: "test", Web: nothing, ClientScript: nothing})
	if err != nil {
		f.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	f.stopMaster = sync.OnceFunc(func() {
		cancel()
		patience.Return(f.T, "the end of the master", func() {
			if err := <-done; err != nil {
				f.Errorf("the master: %v", err)
			}
		})
	})
	select {
	case <-m.Ready():
	case err := <-done:
		done <- nil
		f.Fatalf("the master did not start: %v", err)
	}
}

// startAgents runs n agents that take pushed code.
func (f *fleet) startAgents(n int) {
	f.Helper()
	for i := range n {
		a := &fleetAgent{host: fmt.Sprintf("h%03d", i), loads: make(map[string]int)}
		f.agents = append(f.agents, a)
		made, err := agent.New(
			config.Agent{Host: a.host, Master: "http://" + f.addr, Data: filepath.Join(f.folder, a.host), AcceptPushedInspectors: true},
			agent.Deps{Log: slog.New(slog.DiscardHandler), Version: "test", Runner: a, Backoff: f.quick},
		)
		if err != nil {
			f.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- made.Run(ctx) }()
		f.stopAgents = append(f.stopAgents, func() {
			cancel()
			if err := <-done; err != nil {
				f.Errorf("agent %s: %v", a.host, err)
			}
		})
	}
}

// operator is a connection to the master that lives as long as the test.
func (f *fleet) operator() *rpc.Peer { return operator(f.T, "http://"+f.addr) }

// operator connects to a master. The master may drop the connection while hundreds of
// agents connect.
func operator(t testing.TB, url string) *rpc.Peer {
	t.Helper()
	peer, err := rpc.Dial(t.Context(), url, rpc.DialOptions{Codec: wire.SubprotocolJSON, Again: 50})
	if err != nil {
		t.Fatal(err)
	}
	hangUpWith(t, peer)
	return peer
}

// ask calls a method that must succeed.
func ask[R any](t testing.TB, peer *rpc.Peer, method string, params any) (result R) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience.Limit)
	defer cancel()
	if err := peer.Call(ctx, method, params, &result); err != nil {
		t.Fatalf("%s: %v", method, err)
	}
	return result
}

// hangUpWith closes a connection when the test ends.
func hangUpWith(t testing.TB, peer *rpc.Peer) {
	t.Cleanup(func() {
		_ = peer.Close(rpc.CloseNormal, "")
		patience.Return(t, "the handlers of a connection that is closed", peer.Wait)
	})
}

// askUntil calls a method until the result is as wanted.
func askUntil[R any](t testing.TB, peer *rpc.Peer, method string, params any, what string, fits func(R) bool) (result R) {
	t.Helper()
	deadline := time.After(patience.Limit)
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for {
		if result = ask[R](t, peer, method, params); fits(result) {
			return result
		}
		select {
		case <-poll.C:
		case <-deadline:
			t.Fatalf("%s does not tell that %s; it tells %+v", method, what, result)
		}
	}
}

func allHealthy(revision string, n int) func(wire.ReceiptsResult) bool {
	return func(r wire.ReceiptsResult) bool {
		return r.Revision == revision && r.Summary == (wire.ReceiptSummary{Hosts: n, Healthy: n})
	}
}

// probeCode is a script that passes the check; another value is another revision.
func probeCode(value int, interval time.Duration) wire.Code {
	return wire.Code{
		Name: "probe", File: "probe.go", IntervalMS: interval.Milliseconds(),
		Source: fmt.Sprintf("package probe\n\nfunc Inspect() (float64, error) { return %d, nil }\n", value),
	}
}

// fleetAgent is the schedule.Runner of one host. It does not look into scripts, except that
// it refuses to load bad ones.
type fleetAgent struct {
	host string
	bad  string // a source that does not build on this host

	mu    sync.Mutex
	loads map[string]int // by source
}

func (a *fleetAgent) Load(_ context.Context, d inspectors.Definition) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.loads[d.Script.Source]++
	if d.Script.Source == a.bad {
		return inspectors.Diagnostics{{File: d.Script.File, Line: 3, Col: 1, Message: "no such device on " + a.host}}
	}
	return nil
}

func (a *fleetAgent) Unload(string) {}

func (a *fleetAgent) Run(_ context.Context, jobs []plugins.Job, done func(plugins.Outcome)) {
	for _, job := range jobs {
		done(plugins.Outcome{Name: job.Name, Start: time.Now()})
	}
}

func (a *fleetAgent) loaded(code wire.Code) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.loads[code.Source]
}

// A push while 500 agents reconnect to a restarted master is loaded once on each of them.
func TestPushInAReconnectStorm(t *testing.T) {
	const n = 500
	f := newFleet(t)
	f.startMaster()
	f.startAgents(n)
	first, second := probeCode(1, time.Minute), probeCode(2, time.Minute)
	peer := f.operator()
	pushed := ask[wire.PushResult](t, peer, wire.CatalogPush.Name, wire.PushParams{Code: first})
	askUntil(t, peer, wire.CatalogReceipts.Name, wire.CatalogParams{Name: "probe"}, "all are healthy", allHealthy(pushed.Revision, n))
	f.stopMaster()

	f.startMaster()
	peer = f.operator()
	pushed = ask[wire.PushResult](t, peer, wire.CatalogPush.Name, wire.PushParams{Code: second})
	askUntil(t, peer, wire.CatalogReceipts.Name, wire.CatalogParams{Name: "probe"}, "all are healthy", allHealthy(pushed.Revision, n))
	for _, a := range f.agents {
		if before, after := a.loaded(first), a.loaded(second); before != 1 || after != 1 {
			t.Errorf("host %s loaded the first revision %d times and the second %d times, want each once", a.host, before, after)
		}
	}
	done := func(r wire.Rollout) bool { return r.State == wire.RolloutDone && len(r.Failures) == 0 }
	askUntil(t, peer, wire.RolloutsGet.Name, wire.RolloutParams{Rollout: pushed.Rollout}, "it is done", done)
}

// A revision that does not build on 3 of 50 hosts is rolled back everywhere, and reaches no
// host beyond the stage in which that shows.
func TestRevisionThatFailsOnThreeOfFifty(t *testing.T) {
	const n = 50
	f := newFleet(t)
	f.startMaster()
	f.startAgents(n)
	peer := f.operator()
	good, bad := probeCode(1, 100*time.Millisecond), probeCode(2, 100*time.Millisecond)
	var broken []string
	for _, i := range []int{7, 23, 41} {
		f.agents[i].bad = bad.Source
		broken = append(broken, f.agents[i].host)
	}
	pushed := ask[wire.PushResult](t, peer, wire.CatalogPush.Name, wire.PushParams{Code: good})
	healthy := allHealthy(pushed.Revision, n)
	askUntil(t, peer, wire.CatalogReceipts.Name, wire.CatalogParams{Name: "probe"}, "all are healthy", healthy)

	for _, plan := range [][]wire.Stage{{{Percent: 100}}, {{Hosts: 2}, {Percent: 60}, {Percent: 100}}} {
		for _, a := range f.agents {
			a.mu.Lock()
			clear(a.loads)
			a.mu.Unlock()
		}
		took := ask[wire.PushResult](t, peer, wire.CatalogPush.Name, wire.PushParams{Code: bad, Plan: wire.Plan{Stages: plan, BakeMS: 1}})
		ended := func(r wire.Rollout) bool { return r.State != wire.RolloutRunning }
		r := askUntil(t, peer, wire.RolloutsGet.Name, wire.RolloutParams{Rollout: took.Rollout}, "it is over", ended)
		if r.State != wire.RolloutRolledBack || len(r.Failures) == 0 || !strings.Contains(r.Reason, "no such device on h0") {
			t.Errorf("the rollout is %s: %s", r.State, r.Reason)
		}
		// A host that builds slowly may fail after the others have.
		if want := fmt.Sprintf("%d of 50 hosts failed", len(r.Failures)); len(plan) == 1 && (len(r.Failures) > 3 || !strings.Contains(r.Reason, want)) {
			t.Errorf("%d hosts failed, want 1 to 3: %s", len(r.Failures), r.Reason)
		}
		for _, failure := range r.Failures {
			if !slices.Contains(broken, failure.Host) || failure.Running != pushed.Revision {
				t.Errorf("the failure is %+v", failure)
			}
		}
		askUntil(t, peer, wire.CatalogReceipts.Name, wire.CatalogParams{Name: "probe"}, "all have the old", healthy)
		for i, stage := range r.Stages {
			for _, host := range stage.Hosts {
				at := slices.IndexFunc(f.agents, func(a *fleetAgent) bool { return a.host == host })
				if got := f.agents[at].loaded(bad); i > r.Stage && got > 0 {
					t.Errorf("host %s of stage %d loaded what was rolled back in stage %d", host, i+1, r.Stage+1)
				}
			}
		}
	}
}

// Many revisions in a row leave nothing behind in the memory of the master and of the
// agents. REVISIONS says how many; `make chaos` pushes a thousand.
func TestManyRevisionsLeaveMemoryFlat(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes some ten seconds")
	}
	const n = 3
	revisions := scale(t, "REVISIONS", 300)
	f := newFleet(t)
	f.startMaster()
	f.startAgents(n)
	peer := f.operator()
	push := func(from, to int) {
		var last wire.PushResult
		for i := from; i < to; i++ {
			last = ask[wire.PushResult](t, peer, wire.CatalogPush.Name, wire.PushParams{Code: probeCode(i, 100*time.Millisecond)})
			if i%10 == 0 {
				askUntil(t, peer, wire.CatalogReceipts.Name, wire.CatalogParams{Name: "probe"}, "all are healthy", allHealthy(last.Revision, n))
			}
		}
		askUntil(t, peer, wire.CatalogReceipts.Name, wire.CatalogParams{Name: "probe"}, "all are healthy", allHealthy(last.Revision, n))
		for _, a := range f.agents {
			a.mu.Lock()
			clear(a.loads)
			a.mu.Unlock()
		}
	}
	push(0, revisions/5)
	before := uint64(math.MaxUint64)
	for range 10 {
		before = min(before, heapInUse())
	}
	push(revisions/5, revisions)
	most, after := before+before/4, uint64(0)
	patience.Until(t, fmt.Sprintf("a heap of %d bytes at most, as after %d revisions it was %d", most, revisions/5, before), func() bool {
		after = heapInUse()
		return after <= most
	})
	t.Logf("heap after %d revisions %d KiB, after %d %d KiB", revisions/5, before>>10, revisions, after>>10)
}

// heapInUse is the live heap. It includes the buffers of messages and of a running write,
// which are a few MiB for a moment.
func heapInUse() uint64 {
	var stats runtime.MemStats
	for range 2 { // the second run frees what finalizers release
		runtime.GC()
	}
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// Two people push the same inspector at once, based on the same entry: one revision wins
// everywhere, and the other person is told who was first.
func TestTwoPushesAtOnceOnRealAgents(t *testing.T) {
	const n = 3
	f := newFleet(t)
	f.startMaster()
	f.startAgents(n)
	seen := ask[wire.PushResult](t, f.operator(), wire.CatalogPush.Name, wire.PushParams{Code: probeCode(0, time.Minute)}).Version
	type outcome struct {
		result wire.PushResult
		err    error
	}
	outcomes := make(chan outcome, 2)
	for i := range 2 {
		peer := f.operator()
		go func() {
			var o outcome
			o.err = peer.Call(context.WithoutCancel(t.Context()), wire.CatalogPush.Name, wire.PushParams{Code: probeCode(1+i, time.Minute), Version: &seen}, &o.result)
			outcomes <- o
		}()
	}
	won, lost := patience.Receive(t, "a push to end", outcomes), patience.Receive(t, "the other push to end", outcomes)
	if won.err != nil {
		won, lost = lost, won
	}
	var refusal *rpc.Error
	if won.err != nil || !errors.As(lost.err, &refusal) || refusal.Code != wire.CodeConflict ||
		!strings.Contains(refusal.Message, "local changed it to revision "+won.result.Revision[:8]+" ") {
		t.Fatalf("one got %v, the other %v", won.err, lost.err)
	}
	askUntil(t, f.operator(), wire.CatalogReceipts.Name, wire.CatalogParams{Name: "probe"}, "all have what won", allHealthy(won.result.Revision, n))
}
