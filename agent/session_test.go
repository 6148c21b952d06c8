package agent

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vedettehq/vedette/agent/internal/agenttest"
	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/bell"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/plugins"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

func TestStartsWithoutAMasterAndLosesNothing(t *testing.T) {
	t.Parallel()
	for _, codec := range []string{wire.SubprotocolCBOR, wire.SubprotocolJSON} {
		t.Run(codec, func(t *testing.T) {
			t.Parallel()
			m, runner := newTestMaster(t), newCounter()
			ranAlone := make(chan struct{})
			run := runner.OnRun
			runner.OnRun = func(ctx context.Context, job plugins.Job) plugins.Outcome {
				o := run(ctx, job)
				if o.Samples[0].Value == 5+tag {
					close(ranAlone)
				}
				return o
			}
			began := time.Now().UnixMilli()
			a := newTestAgent(t, m, runner, func(_ *config.Agent, d *Deps) { d.Codec = codec })
			stop := start(t, a)
			patience.Closed(t, "five runs", ranAlone)
			m.start()
			defer m.stop()
			m.await("live samples", m.has(10))
			stop()
			m.mustHaveAll(runner.count())
			if n := len(m.samples["vedette/inspector_success count"]); n == 0 {
				t.Error("no samples of the runs themselves")
			}
			checkHello(t, m.hellos, began)
		})
	}
}

func checkHello(t *testing.T, hellos []wire.HelloParams, began int64) {
	t.Helper()
	if len(hellos) != 1 {
		t.Fatalf("%d hellos", len(hellos))
	}
	h := hellos[0]
	if h.Protocol != wire.Version || h.Host != "web-1" || h.Version != "1.2.3" || h.OS != runtime.GOOS || h.Arch != runtime.GOARCH ||
		h.Labels["role"] != "db" || len(h.AgentID) != 26 || len(h.BootID) != 26 || h.StartedMS < began || h.NowMS < h.StartedMS {
		t.Errorf("hello %+v", h)
	}
}

func TestMasterRestartsLoseNothing(t *testing.T) {
	t.Parallel()
	for _, codec := range []string{wire.SubprotocolCBOR, wire.SubprotocolJSON} {
		t.Run(codec, func(t *testing.T) {
			t.Parallel()
			m, runner := newTestMaster(t), newCounter()
			m.start()
			stop := start(t, newTestAgent(t, m, runner, func(_ *config.Agent, d *Deps) { d.Codec = codec }))
			for i := range 5 {
				m.await("samples before the restart", m.has(float64(5*i+3)))
				m.stop()
				m.start()
			}
			m.await("samples after the restarts", m.has(30))
			stop()
			m.stop()
			m.mustHaveAll(runner.count())
			if len(m.hellos) != 6 {
				t.Errorf("%d hellos, want 6", len(m.hellos))
			}
			for _, h := range m.hellos {
				if h.BootID != m.hellos[0].BootID || h.AgentID != m.hellos[0].AgentID {
					t.Errorf("hello %+v after %+v", h, m.hellos[0])
				}
			}
		})
	}
}

// The acknowledgement is lost with the connection, again and again.
func TestLostAcknowledgements(t *testing.T) {
	t.Parallel()
	m, runner := newTestMaster(t), newCounter()
	m.start()
	defer m.stop()
	seen, calm := make(chan struct{}, 1), atomic.Bool{}
	m.answer = func(p wire.ReportParams) error {
		if !calm.Load() && p.Seq%7 == 0 && rand.IntN(2) == 0 {
			select {
			case seen <- struct{}{}:
			default:
			}
			return &rpc.CloseError{Code: 1011, Reason: "lost"}
		}
		return nil
	}
	stop := start(t, newTestAgent(t, m, runner, nil))
	m.await("samples", m.has(60))
	patience.Receive(t, "an acknowledgement to be lost", seen)
	calm.Store(true) // an agent that stops does not connect again
	stop()
	m.mustHaveAll(runner.count())
}

func TestFullBufferDropsTheOldestAndCounts(t *testing.T) {
	t.Parallel()
	m, runner := newTestMaster(t), newCounter()
	enough := make(chan struct{})
	run := runner.OnRun
	runner.OnRun = func(ctx context.Context, job plugins.Job) plugins.Outcome {
		o := run(ctx, job)
		if o.Samples[0].Value == 20+tag {
			close(enough)
		}
		return o
	}
	a := newTestAgent(t, m, runner, func(c *config.Agent, _ *Deps) { c.BufferReports = 5 })
	stop := start(t, a)
	patience.Closed(t, "twenty runs", enough)
	m.start()
	defer m.stop()
	m.await("live samples", m.has(25))
	m.await("a status that counts what was dropped", func() bool {
		dropped := a.outbox.Measures().Dropped
		last := m.statuses[len(m.statuses)-1]
		return last.Agent != nil && last.Agent.SamplesDropped == dropped
	})
	stop()
	m.mu.Lock()
	defer m.mu.Unlock()
	received := 0
	for _, values := range m.samples {
		for _, n := range values {
			received += n
		}
	}
	dropped := a.outbox.Measures().Dropped
	// Each run is one sample of the inspector and five of the agent.
	if made := 6 * int(runner.count()); received+int(dropped) != made || dropped == 0 {
		t.Errorf("%d samples received and %d dropped of %d", received, dropped, made)
	}
	if m.samples["count"][1+tag] != 0 {
		t.Error("the oldest sample was kept")
	}
	last := m.statuses[len(m.statuses)-1]
	if last.Agent == nil || last.Agent.SamplesDropped != dropped {
		t.Errorf("the last status says %+v, want %d dropped", last.Agent, dropped)
	}
}

func TestRefusedReports(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		// answer is asked with how often the report of sample 5 came before.
		answer  func(times int) error
		dropped bool
	}{
		{"busy", func(times int) error {
			if times < 3 {
				return busy(50)
			}
			return nil
		}, false},
		{"ahead of the master's clock", func(times int) error {
			if times < 3 {
				return &rpc.Error{Code: wire.CodeEarly, Message: "early", Data: map[string]any{"retry_after_ms": 300}}
			}
			return nil
		}, false},
		{"once", func(times int) error {
			if times < 1 {
				return rpc.Errorf(rpc.CodeInvalidParams, "bad")
			}
			return nil
		}, false},
		{"always", func(int) error { return rpc.Errorf(rpc.CodeInvalidParams, "bad") }, true},
		{"fault that passes", func(times int) error {
			if times < 1 {
				return errNotYet // an internal error
			}
			return nil
		}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			m, runner := newTestMaster(t), newCounter()
			var mu sync.Mutex
			times, refused := 0, 0 // refused is the size of that report
			m.answer = func(p wire.ReportParams) error {
				mu.Lock()
				defer mu.Unlock()
				for _, v := range p.V {
					if v != 5+tag {
						continue
					}
					refused = len(p.V)
					err := test.answer(times)
					times++
					return err
				}
				return nil
			}
			m.start()
			defer m.stop()
			a := newTestAgent(t, m, runner, nil)
			stop := start(t, a)
			if !test.dropped {
				m.await("the refused sample", m.has(5))
			}
			m.await("later samples", m.has(30))
			m.await("the drop to be told of", func() bool {
				n := len(m.statuses)
				return n > 0 && (m.statuses[n-1].Agent.SamplesDropped > 0) == test.dropped
			})
			stop()
			want := uint64(0)
			if test.dropped {
				want = uint64(refused)
			} else {
				m.mustHaveAll(runner.count())
			}
			if dropped := a.outbox.Measures().Dropped; dropped != want || len(m.hellos) != 1 {
				t.Errorf("%d samples dropped, want %d; %d hellos", dropped, want, len(m.hellos))
			}
		})
	}
}

func TestSilentMasterIsGivenUp(t *testing.T) {
	t.Parallel()
	m, runner := newTestMaster(t), newCounter()
	var mu sync.Mutex
	silent := true
	ctx, release := context.WithCancel(context.Background())
	m.answer = func(wire.ReportParams) error {
		mu.Lock()
		was := silent
		mu.Unlock()
		if was {
			<-ctx.Done()
			return errNotYet
		}
		return nil
	}
	m.start()
	defer m.stop()
	defer release()
	a := newTestAgent(t, m, runner, nil)
	a.session.callTimeout = time.Second
	stop := start(t, a)
	m.await("another connection", func() bool { return len(m.hellos) > 1 })
	mu.Lock()
	silent = false
	mu.Unlock()
	m.await("samples", m.has(20))
	stop()
	m.mustHaveAll(runner.count())
}

func TestRefusedAgentGoesOnAndAsksAgain(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		refuse func(m *testMaster, times func() int)
		want   string // in the log
	}{
		{"HTTP 401", func(m *testMaster, times func() int) {
			m.authenticate = func(*http.Request) (any, error) {
				if times() < 3 {
					return nil, errors.New("no such token")
				}
				return nil, nil
			}
		}, "no such token"},
		{"forbidden host", func(m *testMaster, times func() int) {
			m.greet = func(wire.HelloParams) error {
				if times() < 3 {
					return rpc.Errorf(wire.CodeForbidden, "the token is of another host")
				}
				return nil
			}
		}, "the token is of another host"},
		{"version", func(m *testMaster, times func() int) {
			m.greet = func(wire.HelloParams) error {
				if times() < 3 {
					return &rpc.CloseError{Code: wire.CloseVersion, Reason: "too old"}
				}
				return nil
			}
		}, "too old"},
		{"replaced", func(m *testMaster, times func() int) {
			m.answer = func(wire.ReportParams) error {
				if times() < 3 {
					return &rpc.CloseError{Code: wire.CloseReplaced, Reason: "replaced"}
				}
				return nil
			}
		}, "running twice"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			m, runner := newTestMaster(t), newCounter()
			var mu sync.Mutex
			asked := 0
			test.refuse(m, func() int {
				mu.Lock()
				defer mu.Unlock()
				asked++
				return asked - 1
			})
			m.start()
			defer m.stop()
			var log syncBuffer
			a := newTestAgent(t, m, runner, func(_ *config.Agent, d *Deps) { d.Log = slog.New(slog.NewTextHandler(&log, nil)) })
			a.session.refusalWait = 20 * time.Millisecond
			stop := start(t, a)
			m.await("samples", m.has(10))
			stop()
			m.mustHaveAll(runner.count())
			if text := log.String(); !strings.Contains(text, "level=ERROR") || !strings.Contains(text, test.want) {
				t.Errorf("the log does not tell of it:\n%s", text)
			}
		})
	}
}

func TestTokenAndAuthority(t *testing.T) {
	t.Parallel()
	m, runner := newTestMaster(t), newCounter()
	m.tls = true
	m.authenticate = func(r *http.Request) (any, error) {
		if got := r.Header.Get("Authorization"); got != "Bearer secret" {
			return nil, errors.New("wrong token")
		}
		return nil, nil
	}
	m.start()
	defer m.stop()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	writePEM(t, ca, m.server.Certificate())
	a := newTestAgent(t, m, runner, func(c *config.Agent, _ *Deps) { c.Token, c.CA = "secret", ca })
	start(t, a)
	m.await("samples", m.has(3))
}

func writePEM(t *testing.T, file string, cert *x509.Certificate) {
	t.Helper()
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestStatusesTellWhatChanged(t *testing.T) {
	t.Parallel()
	m := newTestMaster(t)
	var mu sync.Mutex
	var bad error
	runner := &agenttest.Runner{OnRun: func(_ context.Context, job plugins.Job) plugins.Outcome {
		mu.Lock()
		defer mu.Unlock()
		if job.Name == "flaky" {
			return plugins.Outcome{Name: job.Name, Err: bad}
		}
		return plugins.Outcome{Name: job.Name}
	}}
	m.start()
	defer m.stop()
	defs := []inspectors.Definition{agenttest.Script("good", "", time.Second), agenttest.Script("flaky", "", 100*time.Millisecond)}
	a := newTestAgent(t, m, runner, func(_ *config.Agent, d *Deps) { d.Definitions = defs })
	start(t, a)
	states := func() map[string]string {
		known := make(map[string]string)
		for _, p := range m.statuses {
			if p.All {
				clear(known)
			}
			for _, s := range p.Inspectors {
				known[s.Name] = s.State
			}
			for _, name := range p.Removed {
				delete(known, name)
			}
		}
		return known
	}
	m.await("both to be ok", func() bool { s := states(); return s["good"] == wire.StateOK && s["flaky"] == wire.StateOK })
	if first := m.statuses[0]; !first.All || len(first.Inspectors) != 2 || first.Agent == nil {
		t.Errorf("the first status is %+v", first)
	}
	mu.Lock()
	bad = errors.New("boom")
	mu.Unlock()
	m.await("the flaky one to be failing", func() bool { return states()["flaky"] == wire.StateFailing })
	if err := a.Apply(t.Context(), []inspectors.Definition{defs[0], agenttest.Script("new", "", time.Second)}); err != nil {
		t.Error(err)
	}
	m.await("the new one in place of the flaky one", func() bool {
		s := states()
		return s["new"] == wire.StateOK && s["flaky"] == "" && s["good"] == wire.StateOK
	})
	for _, p := range m.statuses[1:] {
		if p.All {
			t.Errorf("all were told of again: %+v", p)
		}
	}
	if got := a.Status(); len(got) != 2 || got[0].Name != "good" || got[1].Name != "new" {
		t.Errorf("Status gave %+v", got)
	}
}

func TestDisconnectionIsLoggedOnce(t *testing.T) {
	t.Parallel()
	m, runner := newTestMaster(t), newCounter()
	var log syncBuffer
	a := newTestAgent(t, m, runner, func(_ *config.Agent, d *Deps) { d.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	tried := make(chan struct{}, 1)
	down := a.session.client.OnDown
	a.session.client.OnDown = func(err error, in time.Duration) { down(err, in); bell.Ring(tried) }
	stop := start(t, a)
	for range 10 {
		patience.Receive(t, "another try", tried)
	}
	m.start()
	defer m.stop()
	m.await("samples", m.has(5))
	stop()
	if n := strings.Count(log.String(), "not connected to the master"); n != 1 {
		t.Errorf("the absence of the master was logged %d times:\n%s", n, log.String())
	}
	if !strings.Contains(log.String(), "connected to the master\" master=") {
		t.Errorf("the connection was not logged:\n%s", log.String())
	}
}

// syncBuffer is a log that is read while it is written.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
