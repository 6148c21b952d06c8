package alert

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/master/history"
	"github.com/vedettehq/vedette/master/scope"
	"github.com/vedettehq/vedette/master/state"
)

// told is what an Alertmanager was told of one alert.
type told struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	GeneratorURL string            `json:"generatorURL"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"`
}

// world is a history, rules over it, and an Alertmanager on loopback.
type world struct {
	*testing.T
	dir, rules string
	server     *httptest.Server

	mu   sync.Mutex
	told []told // guarded by mu

	state  state.Store
	config config.Alerts
	store  *history.Store
	alerts *Alerts
	stop   func()
}

func newWorld(t *testing.T, rules string) *world {
	t.Helper()
	return newWorldOf(t, rules, config.Alerts{BuiltIn: true})
}

// newWorldOf makes a world in which people are told as a configuration says, too.
func newWorldOf(t *testing.T, rules string, tell config.Alerts) *world {
	t.Helper()
	w := &world{T: t, dir: t.TempDir(), state: state.NewMemory(), config: tell}
	w.rules = filepath.Join(w.dir, "rules.yaml")
	if err := os.WriteFile(w.rules, []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	w.server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var alerts []told
		if err := json.NewDecoder(r.Body).Decode(&alerts); err != nil || r.URL.Path != "/am/api/v2/alerts" {
			t.Errorf("the Alertmanager was asked for %s: %v", r.URL.Path, err)
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.told = append(w.told, alerts...)
	}))
	t.Cleanup(func() {
		w.stop()
		w.server.Close()
	})
	w.start()
	return w
}

func (w *world) start() {
	w.Helper()
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	var err error
	if w.store, err = history.Open(history.Options{
		Dir: filepath.Join(w.dir, "history"), MinFreeBytes: 1, Retention: 24 * time.Hour, OutOfOrder: time.Hour,
		Log: log,
	}); err != nil {
		w.Fatal(err)
	}
	w.config.Rules, w.config.Alertmanagers = []string{w.rules}, []string{w.server.URL + "/am"}
	if w.alerts, err = New(Options{
		Log: log, History: w.store, Link: func() string { return "http://master" },
		Config: w.config, Settle: time.Second,
		Hosts: func() map[string]scope.Labels {
			return map[string]scope.Labels{"busy": {"host": "busy", "role": "db"}, "canary": {"host": "canary", "role": "web"}}
		},
	}); err != nil {
		w.Fatal(err)
	}
	if err := w.alerts.Open(w.Context(), w.state); err != nil {
		w.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.alerts.Run(ctx) }()
	w.stop = sync.OnceFunc(func() {
		cancel()
		patience.Return(w.T, "the end of the rules", func() {
			if err := <-done; err != nil {
				w.Errorf("the rules: %v", err)
			}
		})
		if err := w.store.Close(); err != nil {
			w.Errorf("the history: %v", err)
		}
	})
}

// set gives the level of a host a value now.
func (w *world) set(host string, v float64) {
	w.Helper()
	w.setKey(host, "test/level", v)
}

func (w *world) setKey(host, key string, v float64) {
	w.Helper()
	series := w.store.NewSeries(host, key, nil, inspectors.Gauge)
	if _, err := w.store.NewAppender().Append(w.Context(), []history.Sample{{Series: series, T: time.Now().UnixMilli(), V: v}}); err != nil {
		w.Fatal(err)
	}
}

// await waits until the Alertmanager was told of an alert of a host, and returns it.
func (w *world) await(what, host string, ok func(told) bool) (found told) {
	w.Helper()
	patience.Until(w.T, what, func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, one := range w.told {
			if one.Labels["host"] == host && ok(one) {
				found = one
				return true
			}
		}
		return false
	})
	return found
}

func firing(one told) bool { return one.EndsAt.After(time.Now()) }

func (w *world) get(serve http.HandlerFunc, url string) string {
	recorder := httptest.NewRecorder()
	serve(recorder, httptest.NewRequest(http.MethodGet, url, nil))
	return recorder.Body.String()
}

const levelRules = `groups:
  - name: levels
    interval: 1s
    rules:
      - { record: "level:max", expr: "max(test_level)" }
      - { alert: level/high, expr: "test_level > 90", for: 6s, labels: { severity: warning }, annotations: { summary: "{{ $labels.host }}" } }
`

// An alert fires for the host whose value is high, goes on over a restart from the
// time on when it was first active, and is told to have ended.
func TestFiresOverARestartAndEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, levelRules)
	w.set("calm", 10)
	w.set("busy", 97)
	first := w.await("the alert", "busy", firing)
	if first.Labels["alertname"] != "level/high" || first.Labels["severity"] != "warning" || first.Labels["key"] != "" {
		t.Errorf("told labels %v", first.Labels)
	}
	if got := w.get(w.alerts.ServeAlerts, "/api/v1/alerts"); !strings.Contains(got, `"state":"firing"`) || strings.Contains(got, "calm") {
		t.Errorf("the alerts are %s", got)
	}
	var before struct {
		Data struct {
			Alerts []struct{ ActiveAt time.Time }
		}
	}
	if err := json.Unmarshal([]byte(w.get(w.alerts.ServeAlerts, "/api/v1/alerts")), &before); err != nil {
		t.Fatal(err)
	}

	w.stop()
	w.mu.Lock()
	w.told = nil
	w.mu.Unlock()
	w.start()
	w.await("the alert after a restart", "busy", firing)
	after := before
	if err := json.Unmarshal([]byte(w.get(w.alerts.ServeAlerts, "/api/v1/alerts")), &after); err != nil {
		t.Fatal(err)
	}
	// The history has it in whole seconds.
	if b, a := before.Data.Alerts[0].ActiveAt, after.Data.Alerts[0].ActiveAt; b.Truncate(time.Second).Unix() != a.Unix() {
		t.Errorf("before the restart it was active since %v, and now since %v", b, a)
	}

	w.set("busy", 10)
	end := w.await("the end of the alert", "busy", func(one told) bool { return !firing(one) })
	if end.Labels["alertname"] != "level/high" {
		t.Errorf("the end of %v was told", end.Labels)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, one := range w.told {
		if one.Labels["host"] != "busy" {
			t.Errorf("an alert that does not fire was told: %v", one.Labels)
		}
	}
}

// Templates of rules may call whatever Prometheus has for them, and rules may divide one
// metric by another, which know nothing of the label key.
func TestTemplatesOfRules(t *testing.T) {
	t.Parallel()
	templates := map[string]string{
		`{{ externalURL }}|{{ pathPrefix }}|{{ $externalURL }}`: "http://master||http://master",
		`{{ graphLink "up" }} {{ tableLink "up == 0" }}`:        "/graph?g0.expr=up&g0.tab=0 /graph?g0.expr=up+%3D%3D+0&g0.tab=1",

		`{{ with query "test_level / test_most" }}{{ . | first | value }} of {{ . | first | label "host" }}{{ end }}`: "0.97 of busy",
		`{{ range query "test_level" | sortByLabel "host" }}{{ .Labels.host }}={{ .Value }}{{ end }}`:                 "busy=97",

		`{{ humanize 12345678.0 }} {{ humanize1024 1048576.0 }} {{ humanizePercentage 0.123 }}`: "12.35M 1Mi 12.3%",
		`{{ humanizeDuration 3723.5 }} {{ parseDuration "1h" }}`:                                "1h 2m 3s 3600",
		`{{ humanizeTimestamp 1700000000.0 }}`:                                                  "2023-11-14 22:13:20 +0000 UTC",
		`{{ toUpper "x" }}{{ toLower "Y" }} {{ title "foo" }}`:                                  "Xy Foo",
		`{{ reReplaceAll "a(.*)" "$1" "abc" }} {{ match "a.*" "abc" }}`:                         "bc true",
		`{{ stripPort "h:1" }} {{ stripDomain "a.b.c:9" }}`:                                     "h a:9",
		`{{ printf "%.1f" $value }} {{ $labels.nothere }}|`:                                     "97.0 |",
	}
	var annotations []string
	wants := make(map[string]string)
	for text, want := range templates {
		name := fmt.Sprintf("a%d", len(wants))
		wants[name] = want
		annotations = append(annotations, fmt.Sprintf("          %s: '%s'\n", name, text))
	}
	w := newWorld(t, "groups:\n  - name: levels\n    interval: 1s\n    rules:\n      - alert: level/high\n        expr: 100 * test_level / test_most > 90\n"+
		"        annotations:\n"+strings.Join(annotations, ""))
	w.setKey("busy", "test/most", 100)
	w.set("busy", 97)
	told := w.await("the alert", "busy", firing)
	for name, want := range wants {
		if got := told.Annotations[name]; got != want {
			t.Errorf("%q was told, want %q", got, want)
		}
	}
	if want := "http://master/explore?q=100+%2A+test_level+%2F+test_most+%3E+90"; told.GeneratorURL != want {
		t.Errorf("the link is %s, want %s", told.GeneratorURL, want)
	}
}

// The rules are those of the files and the built-in ones, as Prometheus shows them.
func TestRulesAreShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, levelRules)
	patience.Closed(t, "the start", w.alerts.started)
	type answers struct {
		Status string
		Data   struct {
			Groups []struct {
				Name, File string
				Rules      []struct{ Name, Type string }
			}
		}
	}
	count := func(url string) (rules map[string]string) {
		var a answers
		if err := json.Unmarshal([]byte(w.get(w.alerts.ServeRules, url)), &a); err != nil || a.Status != "success" {
			t.Fatalf("%s: %+v, %v", url, a, err)
		}
		rules = make(map[string]string)
		for _, g := range a.Data.Groups {
			for _, r := range g.Rules {
				rules[r.Name] = r.Type
			}
		}
		return rules
	}
	all := count("/api/v1/rules")
	if all["level:max"] != "recording" || all["level/high"] != "alerting" || all["host/gone"] != "alerting" {
		t.Errorf("the rules are %v", all)
	}
	if got := count("/api/v1/rules?type=record"); len(got) != 1 || got["level:max"] == "" {
		t.Errorf("the recording rules are %v", got)
	}
	if got := count("/api/v1/rules?rule_name[]=host/gone"); len(got) != 1 || got["host/gone"] == "" {
		t.Errorf("the rules named host/gone are %v", got)
	}
}

// A fault in a file is reported with its place.
func TestFaultsOfRules(t *testing.T) {
	t.Parallel()
	store, err := history.New(history.Options{Dir: t.TempDir(), Retention: 24 * time.Hour, OutOfOrder: time.Hour, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"groups:\n  - name: a\n    rules:\n      - { alert: x, expr: \"1 +\" }\n":                "unexpected end of input",
		"groups:\n  - name: a\n    rules:\n      - { alert: x, expr: up, four: 5m }\n":           "line 4: field four not found",
		"groups:\n  - name: a\n    rules: []\n  - name: a\n    rules: []\n":                      "groupname: \"a\" is repeated",
		"groups:\n  - name: a\n    rules:\n      - { record: \"a b\\xff\", alert: x, expr: up }": "rule",
	} {
		file := filepath.Join(t.TempDir(), "bad.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := New(Options{Log: slog.New(slog.DiscardHandler), History: store, Config: config.Alerts{Rules: []string{file}}})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), file) {
			t.Errorf("%q: %v; want %q and the file", text, err, want)
		}
	}
}
