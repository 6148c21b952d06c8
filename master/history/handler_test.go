package history

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/vedettehq/vedette/inspectors"
)

func get(t *testing.T, h http.Handler, target string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestStatusAndMetadata(t *testing.T) {
	s := openStore(t, Options{Version: "v1.2.3"})
	now := time.Now()
	load := s.NewSeries("h", "load/average-1", nil, inspectors.Gauge)
	add(t, s,
		Sample{s.NewSeries("h", "net/rx_bytes_total", nil, inspectors.Counter), now.UnixMilli(), 1},
		Sample{load, now.UnixMilli() - 1000, 1}, Sample{load, now.UnixMilli(), 1})
	h := s.Handler()
	for target, want := range map[string]string{
		"/api/v1/metadata":                             `{"status":"success","data":{"load_average_1":[{"type":"gauge","help":"Samples of the key load/average-1.","unit":""}],"net_rx_bytes_total":[{"type":"counter","help":"Samples of the key net/rx_bytes_total.","unit":"bytes"}]}}`,
		"/api/v1/metadata?metric=load_average_1":       `{"status":"success","data":{"load_average_1":[{"type":"gauge","help":"Samples of the key load/average-1.","unit":""}]}}`,
		"/api/v1/metadata?limit=0":                     `{"status":"success","data":{}}`,
		"/api/v1/metadata?limit=x":                     `{"status":"error","errorType":"bad_data","error":"limit must be a number"}`,
		"/api/v1/status/tsdb":                          `"numSeries":2`,
		"/api/v1/status/tsdb?limit=0":                  `limit must be a positive number`,
		"/api/v1/status/buildinfo":                     `"revision":"v1.2.3"`,
		"/api/v1/status/runtimeinfo":                   `"storageRetention":"15d"`,
		"/api/v1/status/flags":                         `{"status":"success","data":{}}`,
		"/api/v1/targets":                              `"activeTargets":[]`,
		"/api/v1/no_such":                              `{"status":"error","errorType":"not_found","error":"there is no /api/v1/no_such here"}`,
		"/api/v1/query?query=up&lookback_delta=x":      `{"status":"error","errorType":"bad_data","error":"error parsing lookback delta duration: cannot parse \"x\" to a valid duration"}`,
		"/api/v1/label/a%20b%ff/values":                `invalid label name`,
		"/api/v1/label/host/values?limit=-1":           `limit must be non-negative`,
		"/api/v1/label/__name__/values?limit=1":        `{"status":"success","data":["load_average_1"],"warnings":["results truncated due to limit"]}`,
		"/api/v1/series?limit=1&match[]={host=\"h\"}":  `"warnings":["results truncated due to limit"]`,
		"/api/v1/query?limit=1&query={host=\"h\"}":     `"warnings":["results truncated due to limit"]`,
		"/api/v1/query?query=up&stats=all":             `"stats":{"timings":`,
		"/api/v1/query?query=rate(load_average_1[5m])": `"infos":["PromQL info: metric might not be a counter`,
	} {
		w := get(t, h, strings.NewReplacer("{", "%7B", "}", "%7D", `"`, "%22").Replace(target))
		if !strings.Contains(w.Body.String(), want) || !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s gave %d %s\nwant %s", target, w.Code, w.Body, want)
		}
		if w.Header().Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s lets other pages read the answer", target)
		}
	}
	// Grafana goes by the version.
	var build struct{ Data struct{ Version string } }
	if err := json.Unmarshal(get(t, h, "/api/v1/status/buildinfo").Body.Bytes(), &build); err != nil || !strings.HasPrefix(build.Data.Version, "3.") {
		t.Errorf("the version is %q, %v", build.Data.Version, err)
	}
}

func TestLargeAnswersAreCompressed(t *testing.T) {
	s := openStore(t, Options{})
	query := "/api/v1/query?query=" + url.QueryEscape(`"`+strings.Repeat("x", 5000)+`"`)
	for _, accept := range []string{"gzip", "deflate, gzip;q=0.5", "GZIP"} {
		w := get(t, s.Handler(), query, "Accept-Encoding", accept)
		if w.Header().Get("Content-Encoding") != "gzip" || w.Body.Len() > 1000 {
			t.Fatalf("%s: %v, %d bytes", accept, w.Header(), w.Body.Len())
		}
		z, err := gzip.NewReader(w.Body)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(z); err != nil || !json.Valid(body) || len(body) < 5000 {
			t.Errorf("%s: %s, %v", accept, body, err)
		}
	}
	for _, accept := range []string{"", "identity", "gzip;q=0"} {
		if w := get(t, s.Handler(), query, "Accept-Encoding", accept); w.Header().Get("Content-Encoding") != "" || !json.Valid(w.Body.Bytes()) {
			t.Errorf("%q: %v", accept, w.Header())
		}
	}
}

// A store that is not open answers in the form of the API.
func TestHandlerOfAClosedStore(t *testing.T) {
	s, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := get(t, s.Handler(), "/api/v1/query?query=up")
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), `"errorType":"unavailable"`) {
		t.Errorf("got %d %v %s", w.Code, w.Header(), w.Body)
	}
}

// A query has as long as it asks for, and no longer.
func TestQueryTimeout(t *testing.T) {
	s := openStore(t, Options{})
	w := get(t, s.Handler(), "/api/v1/query?query=up&timeout=-1")
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), `"errorType":"timeout"`) {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

func TestGather(t *testing.T) {
	s := openStore(t, Options{})
	add(t, s, Sample{s.NewSeries("h", "a/b", nil, inspectors.Gauge), time.Now().UnixMilli(), 1})
	for name, want := range map[string]float64{
		"vedette_history_samples_stored_total": 1,
		"vedette_history_active_series":        1,
		"vedette_history_active_hosts":         1,
		"vedette_history_takes_samples":        1,
		"prometheus_tsdb_head_series":          1,
	} {
		if got := counterValue(s, name); got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
}
