package examples

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// master is as much of a master as these agents call.
type master struct {
	t      *testing.T
	server *rpc.Server
	url    string
	got    chan wire.ReportMetricParams
	gone   chan error
}

const token = "the agent's token"

func newMaster(t *testing.T, answer func() error) *master {
	m := &master{t: t, got: make(chan wire.ReportMetricParams, 100), gone: make(chan error, 1)}
	mux := rpc.NewMux()
	mux.HandleInOrder(wire.MasterReportMetric.Name, rpc.Method(func(ctx context.Context, p wire.ReportMetricParams) (any, error) {
		select {
		case m.got <- p:
		case <-ctx.Done():
		}
		return nil, answer()
	}))
	m.server = &rpc.Server{
		Handler: mux,
		Authenticate: func(r *http.Request) (any, error) {
			if r.Header.Get("Authorization") != "Bearer "+token {
				return nil, errors.New("no such token")
			}
			return nil, nil
		},
		OnDisconnect: func(_ *rpc.Peer, err error) { m.gone <- err },
	}
	hs := httptest.NewServer(m.server)
	m.url = hs.URL
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience.Limit)
		defer cancel()
		if err := m.server.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		hs.Close()
	})
	return m
}

// agent is one of the example programs, running.
type agent struct {
	cmd    *exec.Cmd
	stderr bytes.Buffer // after wait
}

func (m *master) run(token string, environ []string, command ...string) *agent {
	m.t.Helper()
	if _, err := exec.LookPath(command[0]); err != nil {
		m.t.Skipf("NOT TESTED: there is no %s on this machine", command[0])
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience.Limit)
	a := &agent{cmd: exec.CommandContext(ctx, command[0], append(command[1:], m.url)...)}
	a.cmd.Env = append(append(os.Environ(), "VEDETTE_TOKEN="+token), environ...)
	a.cmd.Stderr = &a.stderr
	if err := a.cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() {
		_ = a.cmd.Process.Kill()
		_ = a.cmd.Wait()
		cancel()
		if m.t.Failed() {
			m.t.Logf("%v says:\n%s", command, a.stderr.String())
		}
	})
	return a
}

func forEachAgent(t *testing.T, f func(t *testing.T, environ []string, command ...string)) {
	t.Run("python", func(t *testing.T) { f(t, nil, "python3", "agent.py") })
	t.Run("node", func(t *testing.T) { f(t, nil, "node", "agent.mjs") })
	t.Run("node with its own WebSocket", func(t *testing.T) { f(t, []string{"VEDETTE_OWN_WEBSOCKET=1"}, "node", "agent.mjs") })
}

func TestAgentsReport(t *testing.T) {
	forEachAgent(t, func(t *testing.T, environ []string, command ...string) {
		t.Parallel()
		m := newMaster(t, func() error { return nil })
		m.run(token, environ, command...)
		host, err := os.Hostname()
		if err != nil {
			t.Fatal(err)
		}
		last := int64(1_600_000_000_000)
		for range 3 {
			select {
			case p := <-m.got:
				if p.Hostname != host || p.Metric.Key != "load/average-1" || p.Metric.TS <= last || p.Metric.Val == nil || *p.Metric.Val < 0 {
					t.Errorf("got %+v", p)
				}
				last = p.Metric.TS
			case err := <-m.gone:
				t.Fatalf("the agent is gone: %v", err)
			case <-time.After(patience.Limit):
				t.Fatal("the agent does not report")
			}
		}
	})
}

// TestAgentsTellErrors: what the master refuses is told, and a close ends the
// agent with its reason.
func TestAgentsTellErrors(t *testing.T) {
	forEachAgent(t, func(t *testing.T, environ []string, command ...string) {
		t.Parallel()
		m := newMaster(t, func() error { return &rpc.CloseError{Code: 4403, Reason: "this host is not wanted"} })
		a := m.run(token, environ, command...)
		if err := a.cmd.Wait(); a.cmd.ProcessState.ExitCode() != 1 {
			t.Errorf("the agent ended with %v", err)
		}
		for _, want := range []string{"refused: this host is not wanted", "lost the master:"} {
			if !bytes.Contains(a.stderr.Bytes(), []byte(want)) {
				t.Errorf("it does not say %q", want)
			}
		}
	})
}

func TestAgentsAreRefused(t *testing.T) {
	forEachAgent(t, func(t *testing.T, environ []string, command ...string) {
		t.Parallel()
		m := newMaster(t, func() error { return nil })
		a := m.run("wrong", environ, command...)
		if err := a.cmd.Wait(); a.cmd.ProcessState.ExitCode() != 1 {
			t.Errorf("the agent ended with %v", err)
		}
		if environ != nil || command[0] == "python3" {
			if !bytes.Contains(a.stderr.Bytes(), []byte("401")) {
				t.Error("it does not say why")
			}
		}
	})
}
