package master

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/internal/patience"
)

// Metrics of OpenTelemetry end up in the history: of the host that their resource names,
// or of the one that the token stands for.
func TestOTLP(t *testing.T) {
	const form = `{"resourceMetrics":[{"resource":{"attributes":[
		{"key":"service.name","value":{"stringValue":"shop"}},{"key":"host.name","value":{"stringValue":"web-1"}}]},"scopeMetrics":[{"metrics":[
		{"name":"http.requests","sum":{"aggregationTemporality":%d,"isMonotonic":true,"dataPoints":[
			{"asInt":"5","timeUnixNano":"%d","attributes":[{"key":"http.route","value":{"stringValue":"/cart"}}]}]}}]}]}]}`
	write := func(m *Master, path, name string, temporality int) (int, string) {
		t.Helper()
		body := fmt.Sprintf(form, temporality, time.Now().UnixNano())
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, m.URL()+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		if name != "" {
			r.Header.Set("Authorization", "Bearer secret-"+name)
		}
		return send(t, r)
	}
	open := start(t, config.Master{})
	patience.Closed(t, "the history", open.history.Ready())
	if status, body := write(open, "/v1/metrics", "", 2); status != http.StatusOK || body != "{}" {
		t.Errorf("answered %d %s", status, body)
	}
	want := `"metric":{"__name__":"http_requests_total","host":"web-1","http_route":"/cart","job":"shop","key":"http_requests_total"}`
	if _, body := fetch(t, open, "/api/v1/query?query=http_requests_total"); !strings.Contains(body, want) {
		t.Errorf("the history has %s, want %s", body, want)
	}
	if status, body := write(open, "/v1/metrics", "", 1); status != http.StatusOK || !strings.Contains(body, `"rejectedDataPoints":"1"`) ||
		!strings.Contains(body, "PREFERENCE=cumulative") {
		t.Errorf("delta is answered with %d %s", status, body)
	}

	guarded := start(t, config.Master{Tokens: []config.Token{token("web-2", "agent", "web-2"), token("eyes", "viewer", "")}})
	patience.Closed(t, "the history", guarded.history.Ready())
	for name, want := range map[string]int{"": http.StatusUnauthorized, "eyes": http.StatusForbidden, "web-2": http.StatusOK} {
		if status, body := write(guarded, "/api/v1/otlp/v1/metrics", name, 2); status != want {
			t.Errorf("by %q answered %d %s, want %d", name, status, body, want)
		}
	}
	want = `"exported_host":"web-1","host":"web-2"`
	if _, body := fetch(t, guarded, "/api/v1/query?query=http_requests_total", "Authorization", "Bearer secret-eyes"); !strings.Contains(body, want) {
		t.Errorf("the history has %s, want %s", body, want)
	}
}
