package chaos

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/vedettehq/vedette/internal/freeport"
	"github.com/vedettehq/vedette/internal/patience"
)

// value asks the master for the only value of an expression. It is "" if there is none.
func (m *chaos) value(expression string) string {
	response, err := http.Get("http://" + m.addr + "/api/v1/query?query=" + url.QueryEscape(expression))
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	var answer struct {
		Status string
		Data   struct{ Result []struct{ Value [2]any } }
	}
	switch err := json.NewDecoder(response.Body).Decode(&answer); {
	case err != nil || answer.Status != "success":
		return fmt.Sprintf("%s: %v", answer.Status, err)
	case len(answer.Data.Result) == 0:
		return ""
	}
	return fmt.Sprint(answer.Data.Result[0].Value[1])
}

// The metrics of an exporter that a running agent scrapes are in PromQL under their own
// names. A metric that disappears ends at once, and so do all of them while the exporter is
// down; when it is up again, they continue.
func TestScrapedSeriesEnd(t *testing.T) {
	var text atomic.Pointer[string]
	show := func(s string) { text.Store(&s) }
	show("# TYPE requests counter\nrequests{code=\"200\"} 3\nrequests{code=\"500\"} 4\n")
	exporter := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if *text.Load() == "" {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte(*text.Load()))
	}))
	t.Cleanup(exporter.Close)
	m := &chaos{TB: t, addr: freeport.Address(t), folder: shortFolder(t)}
	config := filepath.Join(m.folder, "dev.yaml")
	if err := os.WriteFile(config, []byte("agent: { library: none }\ninspectors:\n  web: { scrape: '"+exporter.URL+"', interval: 300ms }\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	dev := m.spawn("dev", []string{"TMPDIR=" + m.folder}, nil, "vedette", "dev", "--config", config, "--listen", m.addr)
	t.Cleanup(dev.stop)
	until := func(expression, want string) {
		t.Helper()
		patience.Until(t, fmt.Sprintf("%s to be %q", expression, want), func() bool { return m.value(expression) == want })
	}
	until(`requests{code="500", job="web"}`, "4")
	show("requests{code=\"200\"} 5\n")
	until(`requests{code="200"}`, "5")
	until(`requests{code="500"}`, "") // long before it would be stale
	show("")
	until(`up{job="web"}`, "0")
	until("requests", "")
	show("requests{code=\"500\"} 6\n")
	until(`up{job="web"}`, "1")
	until(`requests{code="500"}`, "6")
}
