package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/vedettehq/vedette/agent/internal/agenttest"
	"github.com/vedettehq/vedette/agent/schedule"
	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/freeport"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/plugins"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// testMaster is the master's side of the protocol over real sockets. It checks
// what every master may rely on, and keeps what it was sent over restarts.
type testMaster struct {
	t    *testing.T
	addr string

	// Each may be nil; they are to be set before start. A report that answer
	// gives an error for is not kept.
	authenticate func(*http.Request) (any, error)
	greet        func(wire.HelloParams) error
	answer       func(wire.ReportParams) error
	tls          bool
	noReceipts   bool           // it is of a version without
	noEnds       bool           // the same
	more         func(*rpc.Mux) // serves further methods

	server *httptest.Server
	rpc    *rpc.Server

	mu       patience.Watched
	hellos   []wire.HelloParams
	statuses []wire.StatusParams
	receipts []wire.Receipt // in the order in which they came
	told     []wire.ReceiptParams
	latest   map[string]wire.Receipt // of each inspector of the last assignment
	peer     *rpc.Peer               // that said hello last
	trials   []wire.TrialReport
	samples  map[string]map[float64]int // values by series, how often each came
	seqs     map[reportID]bool          // of the reports that were kept
	endings  []string                   // series that have ended, each with its time
	shown    []float64                  // values that came to be shown and not kept
	declared map[*rpc.Peer]map[uint32]wire.Series
}

// reportID is the number of a report.
type reportID struct {
	boot string
	seq  uint64
}

func newTestMaster(t *testing.T) *testMaster {
	t.Helper()
	m := &testMaster{
		t: t, addr: freeport.Address(t),
		samples: make(map[string]map[float64]int), seqs: make(map[reportID]bool),
	}
	return m
}

// url is the master's address, whether it runs or not.
func (m *testMaster) url() string {
	if m.tls {
		return "https://" + m.addr
	}
	return "http://" + m.addr
}

func (m *testMaster) start() {
	m.t.Helper()
	listener, err := net.Listen("tcp", m.addr)
	if err != nil {
		m.t.Fatal(err)
	}
	mux := rpc.NewMux()
	mux.Handle(wire.MasterHello.Name, rpc.Method(m.hello))
	mux.Handle(wire.MasterStatus.Name, rpc.Method(m.status))
	if !m.noReceipts {
		rpc.Serve(mux, wire.MasterReceipt, m.receipt)
	}
	mux.HandleInOrder(wire.MasterTrial.Name, rpc.Method(func(_ context.Context, p wire.TrialReport) (wire.Empty, error) {
		m.note(func() { m.trials = append(m.trials, p) })
		return wire.Empty{}, nil
	}))
	if m.noEnds {
		mux.Handle(wire.MasterReport.Name, rpc.Method(m.olderReport))
	} else {
		mux.Handle(wire.MasterReport.Name, rpc.Method(m.report)) // in any order, as it is allowed to
	}
	rpc.Serve(mux, wire.MasterLive, m.live)
	if m.more != nil {
		m.more(mux)
	}
	m.mu.Lock()
	m.declared = make(map[*rpc.Peer]map[uint32]wire.Series)
	m.mu.Unlock()
	m.rpc = &rpc.Server{Handler: mux, Authenticate: m.authenticate}
	m.server = httptest.NewUnstartedServer(m.rpc)
	_ = m.server.Listener.Close()
	m.server.Listener = listener
	if m.tls {
		m.server.StartTLS()
	} else {
		m.server.Start()
	}
}

func (m *testMaster) stop() {
	m.t.Helper()
	patience.Return(m.t, "the end of the master", func() {
		if err := m.rpc.Shutdown(context.Background()); err != nil {
			m.t.Error(err)
		}
		m.server.Close()
	})
}

func (m *testMaster) note(f func()) { m.mu.Change(f) }

// await returns when ok, which is called with mu held, is true.
func (m *testMaster) await(what string, ok func() bool) {
	m.t.Helper()
	m.mu.Await(m.t, what, ok)
}

func (m *testMaster) hello(ctx context.Context, p wire.HelloParams) (wire.HelloResult, error) {
	if m.greet != nil {
		if err := m.greet(p); err != nil {
			return wire.HelloResult{}, err
		}
	}
	m.note(func() { m.hellos, m.peer = append(m.hellos, p), rpc.PeerFrom(ctx) })
	m.mu.Lock()
	defer m.mu.Unlock()
	acked := uint64(0)
	for m.seqs[reportID{p.BootID, acked + 1}] {
		acked++
	}
	result := wire.HelloResult{Protocol: wire.Version, Version: "test", NowMS: p.NowMS, AckedSeq: acked}
	if !m.noEnds {
		result.Takes = []string{wire.TakesEnds, wire.TakesAbout, "what nobody knows"}
	}
	return result, nil
}

func (m *testMaster) status(_ context.Context, p wire.StatusParams) (wire.Empty, error) {
	m.note(func() { m.statuses = append(m.statuses, p) })
	return wire.Empty{}, nil
}

func (m *testMaster) receipt(_ context.Context, p wire.ReceiptParams) (wire.Empty, error) {
	m.note(func() {
		if p.All || m.latest == nil {
			m.latest = make(map[string]wire.Receipt)
		}
		for _, r := range p.Receipts {
			m.latest[r.Inspector] = r
		}
		m.receipts, m.told = append(m.receipts, p.Receipts...), append(m.told, p)
	})
	return wire.Empty{}, nil
}

func (m *testMaster) report(ctx context.Context, p wire.ReportParams) (wire.ReportResult, error) {
	if m.answer != nil {
		if err := m.answer(p); err != nil {
			if re, ok := errors.AsType[*rpc.Error](err); ok && re.Code == wire.CodeEarly {
				m.note(func() { m.declareLocked(rpc.PeerFrom(ctx), &p) })
			}
			return wire.ReportResult{}, err
		}
	}
	m.note(func() { m.keepLocked(rpc.PeerFrom(ctx), &p) })
	return wire.ReportResult{Seq: p.Seq}, nil
}

// olderReport takes reports as masters did when series had no ends.
func (m *testMaster) olderReport(ctx context.Context, p struct {
	BootID string        `json:"boot_id"`
	Seq    uint64        `json:"seq"`
	Series []wire.Series `json:"series,omitempty"`
	NowMS  int64         `json:"now_ms,omitempty"`
	wire.Columns
},
) (wire.ReportResult, error) {
	return m.report(ctx, wire.ReportParams{BootID: p.BootID, Seq: p.Seq, Series: p.Series, NowMS: p.NowMS, Columns: p.Columns})
}

func (m *testMaster) declareLocked(peer *rpc.Peer, p *wire.ReportParams) map[uint32]wire.Series {
	known := m.declared[peer]
	if known == nil {
		known = make(map[uint32]wire.Series)
		m.declared[peer] = known
	}
	for _, s := range p.Series {
		if _, dup := known[s.ID]; dup {
			m.t.Errorf("series %d is declared twice on a connection", s.ID)
		}
		known[s.ID] = s
	}
	return known
}

func (m *testMaster) keepLocked(peer *rpc.Peer, p *wire.ReportParams) {
	known := m.declareLocked(peer, p)
	if p.Seq == 0 || len(p.S) != len(p.T) || len(p.V) != len(p.T) || len(p.T) == 0 && p.Ends == nil {
		m.t.Errorf("report %d has columns of %d, %d, %d", p.Seq, len(p.T), len(p.S), len(p.V))
	}
	id := reportID{p.BootID, p.Seq}
	if m.seqs[id] {
		return // sent again after its acknowledgement was lost
	}
	m.seqs[id] = true
	if p.Ends != nil {
		for i, id := range p.Ends.S {
			m.endings = append(m.endings, known[id].Key+" "+time.UnixMilli(p.Ends.T[i]).UTC().Format(time.RFC3339Nano))
		}
	}
	for i, id := range p.S {
		s, ok := known[id]
		if !ok {
			m.t.Errorf("report %d uses series %d, which is not declared on its connection", p.Seq, id)
			continue
		}
		name := s.Key
		for _, value := range s.Labels {
			name += " " + value
		}
		if m.samples[name] == nil {
			m.samples[name] = make(map[float64]int)
		}
		m.samples[name][p.V[i]]++
	}
}

// tag is added to the numbers of a counter on the wire, which tells them from
// the values of the agent's own series.
const tag = 0.25

// counter is a runner whose every run yields the next number, so that a sample
// that is lost or doubled can be told.
type counter struct {
	agenttest.Runner
	last float64
}

func newCounter() *counter {
	c := &counter{}
	c.OnRun = func(_ context.Context, job plugins.Job) plugins.Outcome {
		c.Mu.Lock()
		defer c.Mu.Unlock()
		c.last++
		now := time.Now()
		return plugins.Outcome{Name: job.Name, Start: now, Samples: []inspectors.Sample{{Key: job.Name, Time: now, Value: c.last + tag}}}
	}
	return c
}

func (c *counter) count() float64 {
	c.Mu.Lock()
	defer c.Mu.Unlock()
	return c.last
}

// quick is a backoff for tests.
var quick = rpc.Backoff{First: 20 * time.Millisecond, Max: 50 * time.Millisecond}

// newTestAgent makes an agent of the master that counts ten times a second.
func newTestAgent(t *testing.T, m *testMaster, runner schedule.Runner, change func(*config.Agent, *Deps)) *Agent {
	t.Helper()
	cfg := config.Agent{Host: "web-1", Master: m.url(), Data: t.TempDir(), Labels: map[string]string{"role": "db"}}
	deps := Deps{
		Log:         slog.New(slog.DiscardHandler),
		Version:     "1.2.3",
		Runner:      runner,
		Definitions: []inspectors.Definition{agenttest.Script("count", "", 100*time.Millisecond)},
		Backoff:     quick,
	}
	if change != nil {
		change(&cfg, &deps)
	}
	a, err := New(cfg, deps)
	if err != nil {
		t.Fatal(err)
	}
	a.drainIdle = 30 * time.Second // what was made is to be there, on a busy machine too
	return a
}

// start runs the agent; stop, which may be called twice, ends it.
func start(t *testing.T, a *Agent) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		patience.Return(t, "the end of the agent", func() {
			if err := <-ended; err != nil {
				t.Errorf("Run gave %v", err)
			}
		})
	})
	t.Cleanup(stop)
	return stop
}

// mustHaveAll checks that each number from 1 to last came once.
func (m *testMaster) mustHaveAll(last float64) {
	m.t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	for v := 1.0; v <= last; v++ {
		if n := m.samples["count"][v+tag]; n != 1 {
			m.t.Errorf("sample %v came %d times", v, n)
		}
	}
	if n := len(m.samples["count"]); n != int(last) {
		m.t.Errorf("%d samples came, want %v", n, last)
	}
}

// has tells, with mu held, whether the number came.
func (m *testMaster) has(v float64) func() bool {
	return func() bool { return m.samples["count"][v+tag] > 0 }
}

var errNotYet = errors.New("not yet")

func busy(ms int) error {
	return &rpc.Error{Code: wire.CodeBusy, Message: fmt.Sprintf("busy for %d ms", ms), Data: map[string]any{"retry_after_ms": ms}}
}
