package master

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vedettehq/vedette/config"
)

// What agents report is sent to another store, with a token and labels.
func TestRemoteWrite(t *testing.T) {
	bodies := make(chan string, 10)
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if err := hand(r.Context(), bodies, r.Header.Get("Authorization")+string(body)); err != nil {
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	defer other.Close()
	m := start(t, config.Master{Data: t.TempDir(), RemoteWrite: []config.RemoteWrite{{
		URL: other.URL, Token: "secret",
		Labels: map[string]string{"site": "berlin"},
	}}})
	reportOne(t, m, "web-1", 1, time.Now().UnixMilli(), 0.25)
	got := ""
	for !strings.Contains(got, "load_average_1") { // so short a body is hardly compressed
		got = await(t, "what is sent on", bodies) // the samples about the master itself may come first
	}
	for _, want := range []string{"Bearer secret", "web-1", "berlin"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q lacks %q", got, want)
		}
	}
	if status, body := fetch(t, m, "/metrics"); status != http.StatusOK || !strings.Contains(body, "# TYPE vedette_forward_sent_samples_total counter") {
		t.Errorf("%d: the forwarder's counts are not among the metrics", status)
	}
}

// A queue that cannot be opened ends the master: it would acknowledge what it
// cannot forward.
func TestRemoteWriteWithoutQueue(t *testing.T) {
	data := t.TempDir()
	if err := os.WriteFile(filepath.Join(data, "forward"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := config.Master{Listen: "127.0.0.1:0", Data: data, RemoteWrite: []config.RemoteWrite{{URL: "http://127.0.0.1:1"}}}
	m, err := New(cfg, Deps{Log: slog.New(slog.DiscardHandler), Web: http.NotFoundHandler(), ClientScript: http.NotFoundHandler()})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "cannot make the folder of the queue") {
		t.Errorf("Run gave %v", err)
	}
}
