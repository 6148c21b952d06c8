package agent

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/vedettehq/vedette/agent/exposition"
	"github.com/vedettehq/vedette/config"
)

// scrape returns what a URL answers.
func scrape(t *testing.T, url string) (status int, kind, body string) {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header.Get("Content-Type"), string(text)
}

func TestAgentTellsOfItself(t *testing.T) {
	m, runner := newTestMaster(t), newCounter()
	m.start()
	defer m.stop()
	a := newTestAgent(t, m, runner, func(cfg *config.Agent, _ *Deps) {
		cfg.MetricsListen, cfg.Spool.On = "127.0.0.1:0", true
	})
	stop := start(t, a)
	m.await("a sample", m.has(1))
	base := "http://" + a.metrics.listener.Addr().String()
	status, kind, body := scrape(t, base+"/metrics")
	if status != http.StatusOK || kind != exposition.ContentType {
		t.Errorf("HTTP %d, %s", status, kind)
	}
	for _, want := range []string{
		`vedette_agent_info{host="web-1",version="1.2.3"} 1`,
		"vedette_agent_connected 1",
		"vedette_agent_connections_total 1",
		"vedette_agent_samples_dropped_total 0",
		`vedette_agent_reports_queued{where="disk"} 0`,
		"vedette_agent_spool_on_disk 1",
		`vedette_agent_inspector_ok{inspector="count"} 1`,
		`vedette_agent_inspector_runs_total{inspector="count",outcome="ok"} `,
		`vedette_agent_inspector_run_seconds_count{inspector="count"} `,
		"go_goroutines ",
	} {
		if !strings.Contains(body, "\n"+want) {
			t.Errorf("there is no %q in\n%s", want, body)
		}
	}
	if status, _, _ := scrape(t, base+"/"); status != http.StatusNotFound {
		t.Errorf("another path gave HTTP %d", status)
	}
	stop()
	if up, _ := a.session.state(); up {
		t.Error("a stopped agent says that it is connected")
	}
}

// A page on the web could have its own name point at this machine.
func TestMetricsAreForLoopback(t *testing.T) {
	handler := (&metricsServer{write: func(*exposition.Text) {}}).handler()
	for host, want := range map[string]int{
		"127.0.0.1:50506": http.StatusOK, "localhost": http.StatusOK, "[::1]:1": http.StatusOK,
		"evil.example:50506": http.StatusForbidden, "10.0.0.1": http.StatusForbidden, "": http.StatusForbidden,
	} {
		request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil)
		request.Host = host
		answer := httptest.NewRecorder()
		if handler.ServeHTTP(answer, request); answer.Code != want {
			t.Errorf("host %q gave %d, want %d", host, answer.Code, want)
		}
	}
}

func TestTakenMetricsPortIsToldAtTheStart(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	m := newTestMaster(t)
	a := newTestAgent(t, m, newCounter(), func(cfg *config.Agent, _ *Deps) { cfg.MetricsListen = taken.Addr().String() })
	if err := a.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "agent.metrics_listen") {
		t.Errorf("Run gave %v", err)
	}
}
