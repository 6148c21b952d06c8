package agentcmd

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// pusher is a master reduced to what an agent needs to be sent code.
type pusher struct {
	*testing.T
	server *httptest.Server
	rpc    *rpc.Server

	mu       patience.Watched
	peer     *rpc.Peer // the connected agent, or nil
	receipts map[string]wire.Receipt
	samples  map[string]float64 // the latest sample of each key
	keys     map[uint32]string  // the series of this connection
	boots    []string           // the runs of agents that have said hello
	reported map[string]bool    // the runs that have reported
	programs map[string]string  // files, by SHA-256
}

func newPusher(t *testing.T) *pusher {
	t.Helper()
	p := &pusher{T: t, receipts: map[string]wire.Receipt{}, samples: map[string]float64{}, reported: map[string]bool{}, programs: map[string]string{}}
	mux := rpc.NewMux()
	mux.HandleInOrder(wire.MasterHello.Name, rpc.Method(func(ctx context.Context, hello wire.HelloParams) (wire.HelloResult, error) {
		p.mu.Change(func() {
			p.peer, p.keys, p.boots = rpc.PeerFrom(ctx), map[uint32]string{}, append(p.boots, hello.BootID)
		})
		return wire.HelloResult{Protocol: wire.Version, NowMS: hello.NowMS}, nil
	}))
	mux.HandleInOrder(wire.MasterStatus.Name, rpc.Method(func(context.Context, wire.StatusParams) (wire.Empty, error) {
		return wire.Empty{}, nil
	}))
	mux.HandleInOrder(wire.MasterReceipt.Name, rpc.Method(func(_ context.Context, r wire.ReceiptParams) (wire.Empty, error) {
		p.mu.Change(func() {
			for _, receipt := range r.Receipts {
				p.receipts[receipt.Inspector] = receipt
			}
		})
		return wire.Empty{}, nil
	}))
	mux.HandleInOrder(wire.MasterReport.Name, rpc.Method(func(_ context.Context, r wire.ReportParams) (wire.ReportResult, error) {
		p.mu.Change(func() {
			for _, s := range r.Series {
				p.keys[s.ID] = s.Key
			}
			p.reported[r.BootID] = true
			for i, s := range r.S {
				p.samples[p.keys[s]] = r.V[i]
			}
		})
		return wire.ReportResult{Seq: r.Seq}, nil
	}))
	p.rpc = &rpc.Server{Handler: mux}
	routes := http.NewServeMux()
	routes.Handle("/", p.rpc)
	routes.HandleFunc(wire.ArtefactPath, func(w http.ResponseWriter, r *http.Request) {
		var file string
		p.mu.Change(func() { file = p.programs[strings.TrimPrefix(r.URL.Path, wire.ArtefactPath)] })
		http.ServeFile(w, r, file)
	})
	p.server = httptest.NewServer(routes)
	return p
}

func (p *pusher) close() {
	patience.Return(p, "the end of the master", func() {
		if err := p.rpc.Shutdown(context.Background()); err != nil {
			p.Error(err)
		}
		p.server.Close()
	})
}

func (p *pusher) await(what string, ok func() bool) {
	p.Helper()
	p.mu.Await(p, what, ok)
}

func (p *pusher) push(codes ...wire.Code) {
	p.Helper()
	var items []wire.Assigned
	for _, c := range codes {
		items = append(items, wire.Assigned{Revision: wire.RevisionOf(c), Code: c})
	}
	p.assign(items...)
}

func (p *pusher) assign(items ...wire.Assigned) {
	p.Helper()
	params := wire.Assignment{Hash: wire.AssignmentHash(items), Inspectors: items}
	var peer *rpc.Peer
	for err := rpc.ErrClosed; err != nil; {
		gone := peer
		p.await("an agent", func() bool { peer = p.peer; return peer != nil && peer != gone })
		err = peer.Call(patience.Context(p), wire.AgentAssign.Name, params, nil)
		if err != nil && !errors.Is(err, rpc.ErrClosed) { // an agent that was upgraded connects again
			p.Fatal(err)
		}
	}
}

func (p *pusher) awaitReceipt(code wire.Code, state string) (r wire.Receipt) {
	p.Helper()
	p.await(code.Name+" "+state, func() bool {
		r = p.receipts[code.Name]
		return r.Revision == wire.RevisionOf(code) && r.State == state
	})
	return r
}

// runAgent runs the agent of a configuration as the command does.
func runAgent(t *testing.T, yaml string) (stop func()) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "c.yaml")
	if err := os.WriteFile(path, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(config.LoadOptions{Path: path, Dir: t.TempDir(), Environ: []string{}, For: config.PartAgent})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, c, slog.New(slog.DiscardHandler), nil, nil) }()
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

// script is the code of a script with one function. Its first run comes at once; its
// timeout, which depends on its interval, is far away.
func script(name, body string) wire.Code {
	return wire.Code{Name: name, File: name + ".go", IntervalMS: 5000, Source: "package " + name + "\n\nfunc Inspect() (float64, error) {\n" + body + "\n}\n"}
}

// TestPushToRealScriptHost pushes to an agent with its checker and its script host. Good
// code runs. Code that the checker refuses, that does not build, or that the host's policy
// forbids is reported, and the previous code keeps running.
func TestPushToRealScriptHost(t *testing.T) {
	p := newPusher(t)
	defer p.close()
	stop := runAgent(t, "agent: { host: web-1, library: none, accept_pushed_inspectors: true, data: "+t.TempDir()+", master: '"+p.server.URL+"' }\n")
	good := script("answer", "\treturn 42, nil")
	p.push(good)
	p.awaitReceipt(good, wire.ReceiptHealthy)
	p.await("its sample", func() bool { return p.samples["answer"] == 42 })

	unchecked := script("answer", "\tgo func() {}()\n\treturn 1, nil")
	p.push(unchecked)
	if r := p.awaitReceipt(unchecked, wire.ReceiptFailed); !strings.Contains(r.Reason, "answer.go:4:2: ") || r.Running != wire.RevisionOf(good) {
		t.Errorf("the receipt of what may not be is %+v", r)
	}
	broken := script("answer", "\treturn foo, nil")
	p.push(broken)
	if r := p.awaitReceipt(broken, wire.ReceiptFailed); !strings.Contains(r.Reason, "answer.go:4:9: ") || r.Running != wire.RevisionOf(good) {
		t.Errorf("the receipt of what does not build is %+v", r)
	}
	needy := good
	needy.Source = "//vedette:needs net\n" + good.Source
	p.push(needy)
	if r := p.awaitReceipt(needy, wire.ReceiptRefused); !strings.Contains(r.Reason, "agent.policy.net") || r.Running != wire.RevisionOf(good) {
		t.Errorf("the receipt of what needs too much is %+v", r)
	}
	failing := script("answer", "\tvar list []float64\n\treturn list[1], nil")
	p.push(failing)
	if r := p.awaitReceipt(failing, wire.ReceiptFailed); !strings.HasPrefix(r.Reason, "answer.go:5: panic") {
		t.Errorf("the receipt of what panics is %+v", r)
	}
	better := script("answer", "\treturn 43, nil")
	p.push(better)
	p.awaitReceipt(better, wire.ReceiptHealthy)
	p.await("its sample", func() bool { return p.samples["answer"] == 43 })
	stop()
}
