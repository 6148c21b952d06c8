package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/vedettehq/vedette/agent/delivery"
	"github.com/vedettehq/vedette/agent/exposition"
	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/rpc/wire"
)

// metricsPath is where an agent serves its own metrics, to programs on its
// machine.
const metricsPath = "/metrics"

// metricsServer serves the agent's own metrics, if the configuration gives it an
// address.
type metricsServer struct {
	log    *slog.Logger
	listen string // "" serves nothing
	write  func(*exposition.Text)

	listener net.Listener // after open, or nil
}

// open listens at once, so that the start fails if the port is taken.
func (m *metricsServer) open() error {
	if m.listen == "" {
		return nil
	}
	listener, err := net.Listen("tcp", m.listen)
	if err != nil {
		return fmt.Errorf("cannot serve the agent's metrics; change agent.metrics_listen: %w", err)
	}
	m.listener = listener
	m.log.Info("the agent's metrics are served", "url", "http://"+listener.Addr().String()+metricsPath)
	return nil
}

// run serves until ctx ends.
func (m *metricsServer) run(ctx context.Context) {
	if m.listener == nil {
		return
	}
	server := &http.Server{
		Handler:           m.handler(),
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          slog.NewLogLogger(m.log.Handler(), slog.LevelDebug),
	}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	if err := server.Serve(m.listener); !errors.Is(err, http.ErrServerClosed) {
		m.log.Error("the agent's metrics are not served any more", "reason", err)
	}
}

func (m *metricsServer) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+metricsPath, func(w http.ResponseWriter, r *http.Request) {
		// A web page could make its own domain name point at 127.0.0.1.
		if !namesLoopback(r.Host) {
			http.Error(w, "ask for http://127.0.0.1 or http://localhost", http.StatusForbidden)
			return
		}
		var text exposition.Text
		m.write(&text)
		w.Header().Set("Content-Type", exposition.ContentType)
		_, _ = w.Write(text.Bytes()) // the client may be gone
	})
	return mux
}

// namesLoopback reports whether a host, with or without a port, names this
// machine's loopback.
func namesLoopback(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	return config.IsLoopback(strings.Trim(host, "[]"))
}

// writeMetrics writes the metrics of the agent, its inspectors and its process.
// The counts of inspectors are those that it reports to the master, under other
// names.
func (a *Agent) writeMetrics(t *exposition.Text) {
	t.Family("vedette_agent_info", exposition.Gauge, "Under which name the agent reports, and its version.")
	t.Sample("vedette_agent_info", 1, "host", a.host, "version", a.deps.Version)
	up, connections := a.session.state()
	t.Single("vedette_agent_connected", exposition.Gauge, "1 while the agent is connected to its master.", boolean(up))
	t.Single("vedette_agent_connections_total", exposition.Counter, "Times that the agent connected to its master.", float64(connections))
	writeDelivery(t, a.outbox.Measures())
	writeInspectors(t, a.track.measures())
	t.Process(a.started)
}

// writeDelivery writes the metrics of the reports on their way to the master.
func writeDelivery(t *exposition.Text, d delivery.Measures) {
	t.Family("vedette_agent_reports_queued", exposition.Gauge, "Reports that the master does not have yet, by place.")
	t.Sample("vedette_agent_reports_queued", float64(d.InMemory), "where", "memory")
	t.Sample("vedette_agent_reports_queued", float64(d.OnDisk), "where", "disk")
	t.Single("vedette_agent_buffer_bytes", exposition.Gauge, "Estimated memory of the reports in memory.", float64(d.MemoryBytes))
	t.Single("vedette_agent_spool_bytes", exposition.Gauge, "Estimated size of the reports in the spool's file.", float64(d.SpoolBytes))
	t.Single("vedette_agent_spool_on_disk", exposition.Gauge, "1 while reports can go to the disk; 0 where they may not, or the disk fails.", boolean(d.Spooling))
	t.Single("vedette_agent_samples_dropped_total", exposition.Counter, "Samples that the master will never have, since the agent's data folder was made.",
		float64(d.Dropped))
}

// writeInspectors writes the metrics of each inspector.
func writeInspectors(t *exposition.Text, all []measures) {
	const prefix = "vedette_agent_inspector_"
	family := func(name string, kind exposition.Kind, help string, sample func(name string, m *measures)) {
		t.Family(prefix+name, kind, help)
		for i := range all {
			sample(prefix+name, &all[i])
		}
	}
	family("info", exposition.Gauge, "The code of an inspector.", func(name string, m *measures) {
		t.Sample(name, 1, "inspector", m.Name, "kind", m.Kind, "revision", m.Revision)
	})
	family("ok", exposition.Gauge, "1 where the last run was good.", func(name string, m *measures) {
		t.Sample(name, boolean(m.State == wire.StateOK), "inspector", m.Name)
	})
	family("runs_total", exposition.Counter, "Runs, by how they ended.", func(name string, m *measures) {
		for _, one := range m.tallies {
			t.Sample(name, float64(one.runs), "inspector", m.Name, "outcome", one.outcome)
		}
	})
	for _, c := range counts() {
		if c.measure != "" {
			family(c.measure, exposition.Counter, c.says, func(name string, m *measures) {
				t.Sample(name, c.value(&m.InspectorStatus), "inspector", m.Name)
			})
		}
	}
	family("run_seconds", exposition.Summary, "Wall time of the runs, in the process that ran them.", func(name string, m *measures) {
		t.Sample(name+"_sum", m.took.Seconds(), "inspector", m.Name)
		t.Sample(name+"_count", float64(m.Runs), "inspector", m.Name)
	})
}

func boolean(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
