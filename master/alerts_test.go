package master

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/master/alert"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

const (
	silencesPath = alert.RoutePrefix + "api/v2/silences"
	alert2Path   = alert.RoutePrefix + "api/v2/alerts"
)

// silenceOf is a silence of one host, as Alertmanager's API takes it.
func silenceOf(host string) io.Reader {
	text, err := json.Marshal(map[string]any{
		"matchers":  []any{map[string]any{"name": "host", "value": host, "isRegex": false, "isEqual": true}},
		"startsAt":  time.Now(),
		"endsAt":    time.Now().Add(time.Hour),
		"createdBy": "me", "comment": "for a while",
	})
	if err != nil {
		panic(err)
	}
	return strings.NewReader(string(text))
}

// Viewers read what Alertmanager's API has, operators change it, and the audit log
// says who did, and who tried.
func TestAlertmanagerByRole(t *testing.T) {
	m := start(t, config.Master{Tokens: []config.Token{token("ops", "operator", ""), token("eyes", "viewer", ""), token("web-1", "agent", "web-1")}})
	ask := func(method, path, name string, body io.Reader) int {
		t.Helper()
		r, err := http.NewRequest(method, m.URL()+path, body)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		if name != "" {
			r.Header.Set("Authorization", "Bearer secret-"+name)
		}
		status, _ := send(t, r)
		return status
	}
	for _, one := range []struct {
		method, name string
		want         int
	}{
		{http.MethodGet, "", http.StatusUnauthorized},
		{http.MethodPost, "", http.StatusUnauthorized},
		{http.MethodGet, "web-1", http.StatusForbidden},
		{http.MethodPost, "web-1", http.StatusForbidden},
		{http.MethodGet, "eyes", http.StatusOK},
		{http.MethodPost, "eyes", http.StatusForbidden},
		{http.MethodGet, "ops", http.StatusOK},
		{http.MethodPost, "ops", http.StatusOK},
		{http.MethodPut, "ops", http.StatusMethodNotAllowed},
	} {
		if got := ask(one.method, silencesPath, one.name, silenceOf("web-1")); got != one.want {
			t.Errorf("%s by %q is answered with %d, want %d", one.method, one.name, got, one.want)
		}
	}
	ops := dial(t, m, nil, rpc.DialOptions{Header: bearer("ops")})
	log := call[wire.AuditResult](t, ops, wire.AuditList.Name, wire.AuditParams{Action: "alertmanager."})
	var lines []string
	for _, e := range log.Entries {
		lines = append(lines, fmt.Sprintf("%s %s %s: %s", e.Who, e.Action, e.Detail, e.Outcome))
	}
	all := strings.Join(lines, "\n")
	for _, want := range []string{
		"eyes alertmanager.change : 403 Forbidden", `ops alertmanager.change {host="web-1"} until `, "web-1 alertmanager.change : 403 Forbidden",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("the audit log lacks %q:\n%s", want, all)
		}
	}
}

// Debian's amtool works with the master as with an Alertmanager.
func TestAmtool(t *testing.T) {
	amtool, err := exec.LookPath("amtool")
	if err != nil {
		t.Skip("amtool is not installed; it is in the Debian package prometheus-alertmanager")
	}
	told := make(chan string, 1000)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			told <- string(body)
		}
	}))
	defer hook.Close()
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	cfg := config.Master{
		Data: filepath.Join(dir, "data"), Tokens: []config.Token{token("ops", "operator", ""), token("eyes", "viewer", "")},
		Alerts: config.Alerts{
			Rules: []string{write("rules.yaml", `
groups: [{ name: g, interval: 1s, rules: [{ alert: always/on, expr: "vector(1)", labels: { host: web-1 } }] }]
`)},
			AlertmanagerConfig: write("am.yml", fmt.Sprintf(`
route: { receiver: hook, group_by: [host], group_wait: 100ms, group_interval: 1s }
receivers: [{ name: hook, webhook_configs: [{ url: "%s" }] }]
`, hook.URL)),
		},
	}
	m := start(t, cfg)
	var warnings strings.Builder // such as that versions differ
	run := func(name string, args ...string) (string, error) {
		t.Helper()
		credentials := write(name+".yml", "authorization: { credentials: secret-"+name+" }\n")
		args = append([]string{"--alertmanager.url=" + m.URL() + alert.RoutePrefix, "--http.config.file=" + credentials}, args...)
		cmd := exec.CommandContext(t.Context(), amtool, args...)
		var faults strings.Builder
		cmd.Stderr = io.MultiWriter(&faults, &warnings)
		out, err := cmd.Output()
		if err != nil {
			err = fmt.Errorf("%w: %s", err, &faults)
		}
		return string(out), err
	}
	if out, err := run("eyes", "config", "show"); err != nil || !strings.Contains(out, "receiver: hook") {
		t.Errorf("the configuration: %s, %v", out, err)
	}
	if warned := warnings.String(); strings.Contains(warned, "alertmanager version ()") {
		t.Errorf("the master does not say which Alertmanager it has: %s", warned)
	}
	first := patience.Receive(t, "the alert", told)
	if !strings.Contains(first, `"alertname":"always/on"`) {
		t.Errorf("told %s", first)
	}
	if out, err := run("eyes", "silence", "add", "--duration=1h", "--comment=x", "host=web-1"); err == nil {
		t.Errorf("a viewer made a silence: %s", out)
	}
	id, err := run("ops", "silence", "add", "--duration=1h", "--comment=maintenance", "--author=me", "host=web-1")
	if err != nil {
		t.Fatalf("%s: %v", id, err)
	}
	id = strings.TrimSpace(id)
	for _, one := range []struct{ want, name, args string }{
		{"always/on", "eyes", "alert query --silenced"},
		{"maintenance", "eyes", "silence query"},
		{"hook", "eyes", "config show"},
	} {
		if out, err := run(one.name, strings.Fields(one.args)...); err != nil || !strings.Contains(out, one.want) {
			t.Errorf("amtool %s: %v: %s; want %q", one.args, err, out, one.want)
		}
	}
	if out, err := run("ops", "silence", "expire", id); err != nil {
		t.Errorf("cannot end the silence: %s, %v", out, err)
	}
	if out, err := run("ops", "silence", "query"); err != nil || strings.Contains(out, id[:8]) {
		t.Errorf("the silence goes on: %s, %v", out, err)
	}
}

// A script that is pushed brings its alerts along: they are checked, fire on the
// hosts that run it, and go with it.
func TestAlertsOfPushedScripts(t *testing.T) {
	m := start(t, config.Master{})
	agent := newFakeAgent("web-1", nil)
	agent.connect(t, m)
	cli := dial(t, m, nil, rpc.DialOptions{})
	code := func(alert string) wire.Code {
		c := script("level", 1)
		c.Source = "//vedette:alert " + alert + "\n" + c.Source
		return c
	}
	err := refused(t, cli, wire.CatalogPush.Name, wire.PushParams{Code: code("high critical value >")})
	if !strings.Contains(err.Error(), "unexpected end of input") {
		t.Errorf("a faulty expression is refused with %v", err)
	}
	push(t, cli, wire.PushParams{Code: code(`high critical value > 90 "{{ $labels.host }} is high"`)})
	call[any](t, agent.peer, wire.MasterReportMetric.Name, []any{"web-1", map[string]any{"ts": time.Now().UnixMilli(), "key": "level", "val": 97}})
	alerts := func() string {
		_, body := fetch(t, m, "/api/v1/alerts")
		return body
	}
	patience.Until(t, "the alert fires", func() bool {
		body := alerts()
		return strings.Contains(body, `"alertname":"level/high"`) && strings.Contains(body, `"state":"firing"`) && strings.Contains(body, "web-1 is high")
	})
	call[wire.PushResult](t, cli, wire.CatalogDelete.Name, wire.DeleteParams{Name: "level"})
	patience.Until(t, "no rule is left", func() bool {
		_, body := fetch(t, m, "/api/v1/rules")
		return !strings.Contains(body, "level/high")
	})
}

// The alerts of a host's own inspectors count for that host alone, whatever they say, and
// go on while it is gone.
func TestAlertsOfOwnInspectors(t *testing.T) {
	m := start(t, config.Master{GoneAfter: time.Second})
	web, db := newFakeAgent("web-1", nil), newFakeAgent("db-1", nil)
	web.connect(t, m)
	db.connect(t, m)
	own := func(agent *fakeAgent, lines ...string) wire.OwnAlertsResult {
		return call[wire.OwnAlertsResult](t, agent.peer, wire.MasterAlerts.Name,
			wire.OwnAlertsParams{Inspectors: []wire.OwnAlerts{{Inspector: "level", Lines: lines}}})
	}
	if got := own(db, "alert wrong info value >"); len(got.Faults) != 1 || !strings.Contains(got.Faults[0], "level:1:35: alert wrong: unexpected end of input") {
		t.Errorf("a faulty expression is answered with %+v", got)
	}
	if got := own(db, "name other"); len(got.Faults) != 1 || !strings.Contains(got.Faults[0], `"name other" is not a directive about alerts`) {
		t.Errorf("another directive is answered with %+v", got)
	}
	own(db)
	if got := own(web, `alert high critical label_replace(sum(value), "host", "db-1", "", "") > 90 "{{ $labels.host }} is high"`); len(got.Faults) > 0 {
		t.Errorf("faults: %v", got.Faults)
	}
	for agent, v := range map[*fakeAgent]float64{web: 97, db: 98} {
		call[any](t, agent.peer, wire.MasterReportMetric.Name, []any{agent.host, map[string]any{"ts": time.Now().UnixMilli(), "key": "level", "val": v}})
	}
	var body string
	patience.Until(t, "the alert fires", func() bool {
		_, body = fetch(t, m, "/api/v1/alerts")
		return strings.Contains(body, `"alertname":"level/high"`) && strings.Contains(body, `"state":"firing"`)
	})
	if !strings.Contains(body, `"host":"web-1"`) || strings.Contains(body, `"host":"db-1"`) || !strings.Contains(body, `"value":"9.7e+01"`) {
		t.Errorf("the alerts are %s", body)
	}
	web.leave()
	patience.Until(t, "the host is gone", func() bool { return m.hostIsGone("web-1") })
	if _, rules := fetch(t, m, "/api/v1/rules"); !strings.Contains(rules, `"name":"level/high"`) {
		t.Errorf("with the host its rule is gone: %s", rules)
	}
	web.connect(t, m)
	own(web)
	patience.Until(t, "no rule is left", func() bool {
		_, rules := fetch(t, m, "/api/v1/rules")
		return !strings.Contains(rules, "level/high")
	})
}

// Alerts that another program posts are listed with who was told, until they end, and are
// not told to have ended by a master that never knew of it.
func TestPostedAlerts(t *testing.T) {
	told := make(chan string, 1000)
	hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if body, err := io.ReadAll(r.Body); err == nil {
			told <- string(body)
		}
	}))
	defer hook.Close()
	dir := t.TempDir()
	file := filepath.Join(dir, "am.yml")
	if err := os.WriteFile(file, fmt.Appendf(nil, `
route: { receiver: hook, group_wait: 10ms, group_interval: 100ms }
receivers: [{ name: hook, webhook_configs: [{ url: "%s" }] }]
`, hook.URL), 0o600); err != nil {
		t.Fatal(err)
	}
	m := start(t, config.Master{Alerts: config.Alerts{AlertmanagerConfig: file}})
	patience.Until(t, "the history is open", func() bool { status, _ := fetch(t, m, "/alertmanager/api/v2/status"); return status == http.StatusOK })
	post := func(alert map[string]any) {
		t.Helper()
		text, err := json.Marshal([]any{alert})
		if err != nil {
			t.Fatal(err)
		}
		r, err := http.NewRequest(http.MethodPost, m.URL()+alert2Path, strings.NewReader(string(text)))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		if status, body := send(t, r); status != http.StatusOK {
			t.Fatalf("%d: %s", status, body)
		}
	}
	labels := map[string]string{"alertname": "Elsewhere", "host": "other-1", "severity": "warning", "empty": ""}
	post(map[string]any{"labels": labels, "annotations": map[string]string{"summary": "it is down"}})
	cli := dial(t, m, nil, rpc.DialOptions{})
	list := func(p wire.AlertsParams) []wire.Alert {
		return call[wire.AlertsResult](t, cli, wire.AlertsList.Name, p).Alerts
	}
	patience.Receive(t, "the message", told)
	var one wire.Alert
	patience.Until(t, "the alert with who was told", func() bool {
		all := list(wire.AlertsParams{})
		if len(all) != 1 || len(all[0].Told) == 0 {
			return false
		}
		one = all[0]
		return true
	})
	if !one.Posted || one.Name != "Elsewhere" || one.Host != "other-1" || one.State != wire.AlertFiring || one.Summary != "it is down" || one.Told[0].Ended {
		t.Errorf("the alert is %+v", one)
	}
	if err := refused(t, cli, wire.AlertsAck.Name, wire.AlertAckParams{Name: "Elsewhere"}); !strings.Contains(err.Error(), "posted by another program") {
		t.Errorf("an acknowledgement is refused with %v", err)
	}
	if got := list(wire.AlertsParams{Name: "other"}); len(got) != 0 {
		t.Errorf("other alerts are %+v", got)
	}
	post(map[string]any{"labels": labels, "endsAt": time.Now().Add(-time.Second)})
	patience.Until(t, "its end", func() bool { return len(list(wire.AlertsParams{})) == 0 })
	patience.Until(t, "that the end is told", func() bool {
		all := list(wire.AlertsParams{Ended: true})
		return len(all) == 1 && all[0].State == wire.AlertEnded && all[0].Told[0].Ended
	})
}

// A master that has just started does not count as one that takes no samples, at the first
// look already.
func TestNothingIsPendingAtTheStart(t *testing.T) {
	t.Parallel()
	m := start(t, config.Master{Alerts: config.Alerts{BuiltIn: true}})
	patience.Closed(t, "the history", m.history.Ready())
	patience.Until(t, "the built-in rules are looked at", func() bool {
		_, body := fetch(t, m, "/api/v1/rules")
		var answer struct {
			Data struct {
				Groups []struct {
					Rules []struct {
						Name, State    string
						LastEvaluation time.Time
					}
				}
			}
		}
		if err := json.Unmarshal([]byte(body), &answer); err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		for _, group := range answer.Data.Groups {
			for _, rule := range group.Rules {
				if rule.Name != "master/takes-no-samples" || rule.LastEvaluation.IsZero() {
					continue
				}
				if rule.State != "inactive" {
					t.Errorf("it is %s", rule.State)
				}
				return true
			}
		}
		return false
	})
}
