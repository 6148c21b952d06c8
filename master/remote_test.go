package master

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/internal/freeport"
	"github.com/vedettehq/vedette/internal/patience"
)

// Debian's Prometheus scrapes itself and our master, and sends all that to us
// with an agent's token: it is then on the charts and in the history of its host.
func TestPrometheusSendsToUs(t *testing.T) {
	prometheus, err := exec.LookPath("prometheus")
	if err != nil {
		t.Skip("SKIPPED: there is no prometheus here; on Debian: apt-get install prometheus")
	}
	m := start(t, config.Master{Tokens: []config.Token{
		{Name: "prom", Role: "agent", Host: "prom-1", SHA256: sha256Hex("p")},
		{Name: "me", Role: "viewer", SHA256: sha256Hex("v")},
	}})
	address := freeport.Address(t)
	dir := t.TempDir()
	cfg := filepath.Join(dir, "prometheus.yml")
	text := fmt.Sprintf(`global: { scrape_interval: 1s, external_labels: { site: berlin } }
scrape_configs:
  - { job_name: self, static_configs: [{ targets: [%q] }] }
  - { job_name: vedette, authorization: { credentials: v }, static_configs: [{ targets: [%q] }] }
remote_write:
  - { url: %q, authorization: { credentials: p }, queue_config: { batch_send_deadline: 200ms } }
`, address, m.Addr(), m.URL()+"/api/v1/write")
	if err := os.WriteFile(cfg, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var output bytes.Buffer
	cmd := exec.Command(prometheus, "--config.file="+cfg, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address, "--log.level=warn")
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		cmd.Process.Kill() //nolint:errcheck // Wait tells
		cmd.Wait()         //nolint:errcheck // killed
		if strings.Contains(output.String(), "non-recoverable error") {
			t.Errorf("Prometheus says:\n%s", &output)
		}
	}()
	query := "/api/v1/query?query=" + url.QueryEscape(`up{host="prom-1",job="vedette",site="berlin"} == 1`)
	patience.Until(t, "what Prometheus scraped of the master", func() bool {
		status, body := fetch(t, m, query, "Authorization", "Bearer v")
		return status == http.StatusOK && strings.Contains(body, `"key":"up"`)
	})
	if n := m.hub.SeriesCount("prom-1"); n < 100 {
		t.Errorf("%d series are live", n)
	}
}

// Who may write is who may report.
func TestWhoMayWrite(t *testing.T) {
	m := start(t, config.Master{Tokens: []config.Token{
		{Name: "prom", Role: "agent", Host: "prom-1", SHA256: sha256Hex("p")},
		{Name: "me", Role: "operator", SHA256: sha256Hex("o")},
	}})
	for token, want := range map[string]int{
		"p": http.StatusBadRequest, // let in, and told that an empty body is no request
		"o": http.StatusForbidden, "x": http.StatusUnauthorized, "": http.StatusUnauthorized,
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, m.URL()+"/api/v1/write", nil)
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			request.Header.Set("Authorization", "Bearer "+token)
		}
		client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("token %q gave %d, want %d", token, response.StatusCode, want)
		}
	}
}
