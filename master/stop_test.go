package master

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// slowQuery takes many minutes over some hundred series.
func slowQuery(at time.Time) string {
	form := url.Values{
		"query": {strings.Repeat(`label_replace(`, 150) + `{host="slow"}` + strings.Repeat(`, "a", "$1", "key", ".*(.*).*(.*).*")`, 150)},
		"start": {fmt.Sprint(at.Unix())}, "end": {fmt.Sprint(at.Unix() + 250)}, "step": {"0.03"},
	}
	return "/api/v1/query_range?" + form.Encode()
}

// reportMany has a host report a value for each of many series.
func reportMany(t *testing.T, m *Master, host string, n int) {
	t.Helper()
	agent := dial(t, m, nil, rpc.DialOptions{})
	call[wire.HelloResult](t, agent, wire.MasterHello.Name, hello(host))
	report := wire.ReportParams{BootID: "boot", Seq: 1}
	for i := range n {
		report.Series = append(report.Series, wire.Series{ID: uint32(i + 1), Key: fmt.Sprintf("many/v%d", i)})
		report.T, report.S, report.V = append(report.T, time.Now().UnixMilli()), append(report.S, uint32(i+1)), append(report.V, float64(i))
	}
	if result := call[wire.ReportResult](t, agent, wire.MasterReport.Name, report); result.Refused != 0 {
		t.Fatalf("refused: %+v", result)
	}
}

// A stop gives queries some seconds, then cancels them, and is no failure.
func TestStopWithQueriesUnderWay(t *testing.T) {
	text := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "app") })
	m, err := New(config.Master{Listen: "127.0.0.1:0", GoneAfter: 7 * time.Second, Data: t.TempDir(), Name: "master"},
		Deps{Log: slog.New(slog.DiscardHandler), Version: "test", Web: text, ClientScript: text})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	stopped := make(chan error, 1)
	go func() { stopped <- m.Run(ctx) }()
	<-m.Ready()
	<-m.history.Ready()
	reportMany(t, m, "slow", 300)
	ended := make(chan error, 1)
	go func() {
		response, err := http.Get(m.URL() + slowQuery(time.Now()))
		if err == nil {
			_, err = io.Copy(io.Discard, response.Body)
			response.Body.Close()
			if err == nil {
				err = fmt.Errorf("the answer was %s", response.Status)
			}
		}
		ended <- err
	}()
	for deadline := time.Now().Add(patience.Limit); ; {
		if _, body := fetch(t, m, "/metrics"); strings.Contains(body, "vedette_history_queries 1\n") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the query does not begin")
		}
	}
	stop()
	for _, wait := range []struct {
		what string
		on   chan error
		fine func(error) bool
	}{
		{"query", ended, func(error) bool { return true }}, // cut off, or answered where the machine is fast
		{"master", stopped, func(err error) bool { return err == nil }},
	} {
		select {
		case err := <-wait.on:
			if !wait.fine(err) {
				t.Errorf("the %s ended with %v", wait.what, err)
			}
		case <-time.After(patience.Limit):
			t.Fatalf("the %s does not end", wait.what)
		}
	}
}
