package master

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"maps"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/master/scope"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// tap is a connection whose incoming bytes are kept.
type tap struct {
	net.Conn
	ear *ear
}

// ear has what somebody has received.
type ear struct {
	mu    sync.Mutex
	heard bytes.Buffer
}

func (t tap) Read(p []byte) (int, error) {
	n, err := t.Conn.Read(p)
	t.ear.Write(p[:n])
	return n, err
}

func (e *ear) Write(p []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.heard.Write(p)
}

func (e *ear) has(text string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return bytes.Contains(e.heard.Bytes(), []byte(text))
}

// around returns what stands around a text that was heard.
func (e *ear) around(text string) string {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := e.heard.Bytes()
	at := bytes.Index(all, []byte(text))
	return fmt.Sprintf("%q", all[max(0, at-400):min(len(all), at+200)])
}

// listener is a caller of whom every byte that it receives is kept.
type listener struct {
	ear
	name string
	m    *Master
	peer *rpc.Peer
	good map[string]int // calls that were answered without an error, by method
}

// listen dials as somebody, and takes whatever the master tells.
func listen(t *testing.T, m *Master, name string) *listener {
	t.Helper()
	l := &listener{name: name, m: m, good: make(map[string]int)}
	mux := rpc.NewMux()
	for _, method := range []string{"event", "samples", "lost", "heartbeat", "trial"} {
		mux.Handle(method, rpc.Method(func(context.Context, map[string]any) (any, error) { return nil, nil }))
	}
	peer, err := rpc.Dial(t.Context(), m.URL(), rpc.DialOptions{
		Header: bearer(name), Handler: mux, Codec: rpc.SubprotocolJSON,
		NetDial: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, address)
			return tap{conn, &l.ear}, err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { hangUp(t, peer) })
	l.peer = peer
	return l
}

func (l *listener) call(t *testing.T, method string, params any) {
	t.Helper()
	if codeOf(t, l.peer, method, params) == 0 {
		l.good[method]++
	}
}

// ask sends a request and keeps the answer.
func (l *listener) ask(t *testing.T, method, path string, form url.Values) {
	t.Helper()
	r, err := http.NewRequestWithContext(patience.Context(t), method, l.m.URL()+path+"?"+form.Encode(), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = bearer(l.name)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(&l.ear, resp.Body); err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode == http.StatusOK {
		l.good[path]++
	}
}

// mesh is a fleet with random labels, and names that nobody can guess.
type mesh struct {
	m      *Master
	ops    *listener // an operator who is bound to nothing
	agents map[string]*fakeAgent
	names  []string
	keys   []string // of metrics
	scripts,
	rollouts []string
}

func anyOne(from ...string) string { return from[mathrand.IntN(len(from))] }

func startMesh(t *testing.T, bound string) *mesh {
	t.Helper()
	f := &mesh{agents: make(map[string]*fakeAgent), keys: []string{"load/average-1", "disk/used_percent", "level"}}
	tokens := []config.Token{token("ops", "operator", ""), boundToken("eyes", "viewer", bound), boundToken("dba", "operator", bound)}
	for range 6 {
		name := "h" + strings.ToLower(rand.Text()[:10])
		f.names = append(f.names, name)
		a := newFakeAgent(name, map[string]string{"role": anyOne("db", "web"), "zone": anyOne("a", "b")})
		a.token, f.agents[name] = name, a
		tokens = append(tokens, token(name, "agent", name))
	}
	f.agents[f.names[0]].labels = map[string]string{"role": "db", "zone": "a"} // the selectors are chosen so that it is inside
	f.agents[f.names[1]].labels = map[string]string{"role": "web", "zone": "b"}
	rules := filepath.Join(t.TempDir(), "rules.yaml")
	err := os.WriteFile(rules, []byte(`
groups:
  - name: g
    interval: 1s
    rules:
      - { record: "level:count", expr: "count(level)" }
      - { record: "level:relabelled", expr: 'label_replace(level, "by", "$1", "host", "(.*)")' }
      - { alert: level/high, expr: "level > 0", labels: { severity: critical }, annotations: { summary: "{{ $labels.host }} is high" } }
      - { alert: level/named, expr: 'level{host="`+f.names[1]+`"} > 0' }
`), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	f.m = start(t, config.Master{Tokens: tokens, Alerts: config.Alerts{Rules: []string{rules}}})
	f.ops = listen(t, f.m, "ops")
	for _, a := range f.agents {
		a.connect(t, f.m)
	}
	return f
}

// report has every host report.
func (f *mesh) report(t *testing.T) {
	t.Helper()
	for i, name := range f.names {
		for k, key := range f.keys {
			call[any](t, f.agents[name].peer, wire.MasterReportMetric.Name, []any{name, map[string]any{
				"ts": time.Now().UnixMilli(), "key": key, "val": float64(10*i + k + 1), "labels": map[string]string{"mount": anyOne("/", "/data")},
			}})
		}
	}
}

// furnish has an operator who is bound to nothing change much, with the names of hosts
// wherever they may stand.
func (f *mesh) furnish(t *testing.T) {
	t.Helper()
	f.report(t)
	selectors := []string{"", "role=db", "role=web", "zone=a", "host in (" + strings.Join(f.names, ",") + ")", "host=" + f.names[1], "host=" + f.names[0]}
	for i, selector := range selectors {
		name := fmt.Sprint("pushed-", i)
		f.scripts = append(f.scripts, name)
		for revision := range 2 {
			f.ops.call(t, wire.CatalogPush.Name, wire.PushParams{Code: script(name, 10*i+revision), Selector: &selector})
		}
		f.rollouts = append(f.rollouts, fmt.Sprint(2*i+1), fmt.Sprint(2*i+2))
	}
	for _, name := range f.names[:3] {
		f.ops.call(t, wire.SilencesAdd.Name, wire.SilenceParams{Matchers: []string{fmt.Sprintf("host=%q", name)}, Seconds: 3600})
	}
	f.ops.call(t, wire.SilencesAdd.Name, wire.SilenceParams{Selector: "role=db", Seconds: 3600})
	for _, name := range f.names[:3] {
		f.ops.call(t, wire.MaintenancesAdd.Name, wire.MaintenanceParams{Host: name, Every: "00:00-24:00", Message: "of " + name})
	}
	for _, selector := range selectors[1:] {
		f.ops.call(t, wire.MaintenancesAdd.Name, wire.MaintenanceParams{Selector: selector, Every: "sun 00:00-01:00"})
	}
	patience.Until(t, "the alerts of all hosts", func() bool {
		_, body := request(t, f.m, bearer("ops"), http.MethodGet, "/api/v1/alerts")
		return strings.Count(body, "level/high") >= len(f.names)
	})
}

// expressions are attempts to get at the series of other hosts.
func expressions(inside string) []string {
	return []string{
		`level`, `count({__name__=~".+"})`, `{host!=""}`, `{host=""}`, `{__name__=~".*",host=~".*"}`, `count by (host) (level)`,
		`absent(level)`, `absent(level{host="nobody"})`, `absent_over_time(level[1h])`, `label_replace(level, "host", "` + inside + `", "host", ".*")`,
		`label_join(level, "all", ",", "host", "mount")`, `sum(level) by (host) / on () group_left count(level)`,
		`level * on (mount) group_left (host) level`, `level or on () level`, `level unless on (host) level{host="` + inside + `"}`,
		`max_over_time(level[1h:1s])`, `max_over_time((count by (host) (level))[1h:1m])`, `level @ end()`, `level @ 0 or level offset -1h`,
		`level offset 1ms`, `topk(10, level)`, `count_values("value", level)`, `group by (host, mount) ({__name__=~".+"})`,
		`level:count`, `level:relabelled`, `vedette_host_up`, `vedette_inspector_state`, `ALERTS`, `ALERTS_FOR_STATE`, `info(level)`, `quantile(0.5, level)`,
		`sort_by_label(level, "host")`, `limitk(5, level)`, `scalar(count(level))`, `level{host=~"` + inside + `|.*"}`, `avg without (key) (level)`,
	}
}

// anyCall makes one call or request that was chosen at random.
func (f *mesh) anyCall(t *testing.T, l *listener, inside string) {
	t.Helper()
	selector := anyOne("", "role=db", "role=web", "zone in (a,b)", "host="+inside, "!nothing", "role!=web", "host,role", "nothing")
	name, text := anyOne(append(f.scripts, "new", "pushe")...), anyOne("x", inside, "hzzz")
	expr := anyOne(expressions(inside)...)
	now := time.Now()
	form := url.Values{
		"query": {expr}, "match[]": {anyOne(`{__name__=~".+"}`, `level`, `{host!=""}`)}, "start": {fmt.Sprint(now.Unix() - 60)}, "end": {fmt.Sprint(now.Unix() + 60)},
		"step": {"5"}, "time": {fmt.Sprint(now.Unix() + 1)},
	}
	code := script(anyOne(name, "mine"), mathrand.IntN(100))
	calls := []func(){
		func() { l.call(t, wire.MasterInfo.Name, nil) },
		func() {
			l.call(t, wire.MasterSubscribe.Name, wire.SubscribeParams{Pattern: anyOne("*", "metrics/*", "hosts/*", "*/level"), Format: anyOne("", "columns")})
		},
		func() {
			l.call(t, wire.MasterSubscribe.Name, wire.SubscribeParams{Pattern: anyOne("catalog/*", "receipts/*", "rollouts/*", "alerts/*", "boards/*")})
		},
		func() { l.call(t, wire.HostsList.Name, wire.HostsParams{Selector: selector}) },
		func() { l.call(t, wire.HostsGet.Name, wire.HostParams{Host: text}) },
		func() {
			l.call(t, wire.HostsLabel.Name, wire.LabelParams{Host: text, Labels: map[string]string{"note": anyOne("", "x")}})
		},
		func() { l.call(t, wire.HostsMembers.Name, nil) },
		func() {
			l.call(t, wire.HistoryRange.Name, wire.HistoryRangeParams{Pattern: anyOne("metrics/*", "*", "*level", "metrics/"+inside+"/*"), FromMS: -60_000, Points: 10})
		},
		func() { l.call(t, wire.InspectorsRelease.Name, wire.ReleaseParams{Host: text, Inspector: name}) },
		func() { l.call(t, wire.LogsGet.Name, map[string]any{"host": text, "inspector": name, "limit": 10}) },
		func() { l.call(t, wire.BoostsStart.Name, wire.BoostParams{Host: text, Inspector: name}) },
		func() { l.call(t, wire.CatalogCheck.Name, wire.CheckParams{Code: code, Selector: &selector}) },
		func() {
			l.call(t, wire.CatalogPush.Name, wire.PushParams{Code: code, Selector: &selector, AllowNone: mathrand.IntN(2) == 0})
		},
		func() { l.call(t, wire.CatalogPush.Name, wire.PushParams{Code: code}) },
		func() { l.call(t, wire.CatalogRollback.Name, wire.RollbackParams{Name: name}) },
		func() { l.call(t, wire.CatalogDelete.Name, wire.DeleteParams{Name: name}) },
		func() { l.call(t, wire.CatalogList.Name, nil) },
		func() { l.call(t, wire.CatalogGet.Name, wire.CatalogParams{Name: name}) },
		func() { l.call(t, wire.CatalogRevision.Name, wire.RevisionParams{Name: name}) },
		func() { l.call(t, wire.CatalogReceipts.Name, wire.CatalogParams{Name: name}) },
		func() { l.call(t, wire.RolloutsList.Name, wire.RolloutsParams{}) },
		func() { l.call(t, wire.RolloutsGet.Name, wire.RolloutParams{Rollout: anyOne(f.rollouts...)}) },
		func() {
			l.call(t, anyOne(wire.RolloutsPause.Name, wire.RolloutsResume.Name, wire.RolloutsAbort.Name), wire.RolloutParams{Rollout: anyOne(f.rollouts...)})
		},
		func() {
			l.call(t, wire.TrialsStart.Name, wire.TrialStartParams{Code: code, Selector: selector, ForMS: 1000})
		},
		func() {
			l.call(t, wire.TrialsStart.Name, wire.TrialStartParams{Code: code, Hosts: []string{text}, ForMS: 1000})
		},
		func() { l.call(t, wire.AlertsList.Name, wire.AlertsParams{Ended: mathrand.IntN(2) == 0}) },
		func() {
			l.call(t, wire.AlertsExplain.Name, wire.AlertParams{Name: anyOne("level/high", "level/named", "none")})
		},
		func() { l.call(t, wire.AlertsAck.Name, wire.AlertAckParams{Name: "level/high"}) },
		func() { l.call(t, wire.SilencesList.Name, wire.SilencesParams{Ended: true}) },
		func() {
			l.call(t, wire.SilencesAdd.Name, wire.SilenceParams{
				Matchers: []string{anyOne(`alertname="level/high"`, `host=~".*"`, `host!="x"`, `severity="critical"`)}, Seconds: 60,
			})
		},
		func() { l.call(t, wire.SilencesAdd.Name, wire.SilenceParams{Selector: selector, Seconds: 60}) },
		func() { l.call(t, wire.MaintenancesList.Name, nil) },
		func() {
			l.call(t, wire.MaintenancesAdd.Name, wire.MaintenanceParams{Host: text, Every: "sat 00:00-01:00"})
			l.call(t, wire.MaintenancesAdd.Name, wire.MaintenanceParams{Selector: selector, Every: "00:00-24:00"})
		},
		func() { l.call(t, wire.BoardsList.Name, nil) },
		func() { l.call(t, wire.AuditList.Name, nil) },
		func() { l.call(t, wire.TokensList.Name, nil) },
		func() { l.ask(t, anyOne("GET", "POST"), "/api/v1/query", form) },
		func() { l.ask(t, anyOne("GET", "POST"), "/api/v1/query_range", form) },
		func() { l.ask(t, "GET", "/api/v1/series", form) },
		func() { l.ask(t, "GET", "/api/v1/labels", url.Values{}) },
		func() {
			l.ask(t, "GET", "/api/v1/label/"+anyOne("host", "key", "by", "__name__", "mount", "alertname", "instance")+"/values", url.Values{})
		},
		func() { l.ask(t, "GET", "/api/v1/metadata", url.Values{}) },
		func() {
			l.ask(t, "GET", "/api/v1/"+anyOne("rules", "alerts", "targets", "status/tsdb", "status/runtimeinfo", "query_exemplars", "nothing"), form)
		},
		func() {
			l.ask(t, "GET", anyOne("/metrics", "/alertmanager/api/v2/alerts", "/alertmanager/api/v2/silences", "/alertmanager/api/v2/alerts/groups"), nil)
		},
		func() { l.ask(t, "GET", wire.ArtefactPath+strings.Repeat("0", 64), nil) },
		func() { f.report(t) },
		func() {
			f.ops.call(t, wire.CatalogPush.Name, wire.PushParams{Code: script(anyOne(f.scripts...), 1000+mathrand.IntN(1000))})
		},
		func() {
			f.ops.call(t, wire.HostsLabel.Name, wire.LabelParams{Host: anyOne(f.names...), Labels: map[string]string{"zone": anyOne("", "a", "b", "c")}})
		},
	}
	calls[mathrand.IntN(len(calls))]()
}

// No byte of the name of a host that somebody is not bound to is in anything that they
// receive, over HTTP or by WebSocket, whatever they call; and somebody who is bound to
// nothing does receive it. Fleets, selectors and calls are chosen at random.
func TestBoundCallersHearOfNoOtherHost(t *testing.T) {
	for _, bound := range []string{"role=db", "role in (db,nothing),zone!=c"} {
		t.Run(bound, func(t *testing.T) {
			f := startMesh(t, bound)
			f.furnish(t)
			selector, err := scope.ParseSelector(bound)
			if err != nil {
				t.Fatal(err)
			}
			callers := []*listener{listen(t, f.m, "eyes"), listen(t, f.m, "dba")}
			hidden := make(map[string]bool)
			for _, name := range f.names {
				// The zone of a host changes below; its role does not.
				if f.agents[name].labels["role"] != "db" {
					hidden[name] = true
				}
			}
			_ = selector
			good := make(map[string]int)
			for step := range 500 {
				l := callers[step%2]
				f.anyCall(t, l, f.names[0])
				if step%25 == 0 || step == 499 {
					f.check(t, callers, hidden)
				}
			}
			f.report(t)
			for _, l := range callers {
				l.call(t, wire.MasterInfo.Name, nil) // after what was told before
				maps.Copy(good, l.good)
				if !l.has(f.names[0]) {
					t.Errorf("%s has not heard of %s, which is inside", l.name, f.names[0])
				}
			}
			f.check(t, callers, hidden)
			f.ops.call(t, wire.HostsList.Name, wire.HostsParams{})
			for name := range hidden {
				if !f.ops.has(name) {
					t.Errorf("an operator who is bound to nothing has not heard of %s: nothing is proved", name)
				}
			}
			t.Log("answered:", slices.Sorted(maps.Keys(good)))
		})
	}
}

func (f *mesh) check(t *testing.T, callers []*listener, hidden map[string]bool) {
	t.Helper()
	for _, l := range callers {
		for name := range hidden {
			if l.has(name) {
				t.Fatalf("%s has heard of the hidden host %s: %s", l.name, name, l.around(name))
			}
		}
	}
}

// Whatever an operator who is bound to some hosts tries, also one who knows the names of
// others, the others run what they ran, under the labels that they had.
func TestBoundOperatorsChangeNoOtherHost(t *testing.T) {
	f := startMesh(t, "role=db")
	f.furnish(t)
	others := slices.DeleteFunc(slices.Clone(f.names), func(name string) bool { return f.agents[name].labels["role"] == "db" })
	marker := func(value int) {
		t.Helper()
		everywhere := ""
		pushed := call[wire.PushResult](t, f.ops.peer, wire.CatalogPush.Name, wire.PushParams{Code: script("marker", value), Selector: &everywhere})
		patience.Until(t, "the marker on every host", func() bool {
			return !slices.ContainsFunc(f.names, func(name string) bool {
				return !slices.ContainsFunc(f.agents[name].assignment().Inspectors, func(a wire.Assigned) bool { return a.Revision == pushed.Revision })
			})
		})
	}
	// runs is what a host runs beside the marker, and how it is labelled.
	runs := func(name string) (all []string) {
		for _, a := range f.agents[name].assignment().Inspectors {
			if a.Name != "marker" {
				all = append(all, a.Name+":"+a.Revision)
			}
		}
		return append(all, fmt.Sprint(call[wire.Host](t, f.ops.peer, wire.HostsGet.Name, wire.HostParams{Host: name}).Labels))
	}
	marker(1)
	before := make(map[string][]string)
	for _, name := range others {
		before[name] = runs(name)
	}
	dba := listen(t, f.m, "dba")
	for range 300 {
		host := anyOne(f.names...)
		selector := anyOne("", "role=db", "role=web", "host="+host, "host in ("+strings.Join(f.names, ",")+")", "role!=db", "role in (db,web)")
		name := anyOne(append(f.scripts, "marker", "mine-1", "mine-2")...)
		push := wire.PushParams{Code: script(name, mathrand.IntN(1000)), AllowNone: mathrand.IntN(2) == 0}
		if mathrand.IntN(3) > 0 {
			push.Selector = &selector
		}
		[]func(){
			func() { dba.call(t, wire.CatalogPush.Name, push) },
			func() { dba.call(t, wire.CatalogRollback.Name, wire.RollbackParams{Name: name}) },
			func() { dba.call(t, wire.CatalogDelete.Name, wire.DeleteParams{Name: name}) },
			func() {
				rollout := wire.RolloutParams{Rollout: fmt.Sprint(1 + mathrand.IntN(40))}
				dba.call(t, anyOne(wire.RolloutsPause.Name, wire.RolloutsResume.Name, wire.RolloutsAbort.Name), rollout)
			},
			func() {
				if slices.Contains(others, host) { // its own hosts it may label
					dba.call(t, wire.HostsLabel.Name, wire.LabelParams{Host: host, Labels: map[string]string{"role": "db"}})
				}
			},
		}[mathrand.IntN(5)]()
	}
	marker(2)
	for _, name := range others {
		if after := runs(name); !slices.Equal(after, before[name]) {
			t.Errorf("%s runs %v, and ran %v", name, after, before[name])
		}
	}
	for _, method := range []string{wire.CatalogPush.Name, wire.CatalogRollback.Name, wire.CatalogDelete.Name} {
		if dba.good[method] == 0 {
			t.Errorf("no %s was accepted: nothing is proved", method)
		}
	}
}

// A push by somebody who is bound is for their hosts alone, also for hosts that come
// later and for labels that change; an inspector that other hosts run is not theirs.
func TestPushesAreNarrowed(t *testing.T) {
	m := start(t, config.Master{Tokens: []config.Token{
		token("db-1", "agent", "db-1"), token("web-1", "agent", "web-1"), token("late", "agent", "late"), token("ops", "operator", ""),
		boundToken("dba", "operator", "role=db"),
	}})
	agents := make(map[string]*fakeAgent)
	for host, role := range map[string]string{"db-1": "db", "web-1": "web", "late": "web"} {
		agents[host] = newFakeAgent(host, map[string]string{"role": role, "team": "x"})
		agents[host].token = host
	}
	agents["db-1"].connect(t, m)
	agents["web-1"].connect(t, m)
	ops, dba := dial(t, m, nil, rpc.DialOptions{Header: bearer("ops")}), dial(t, m, nil, rpc.DialOptions{Header: bearer("dba")})
	everywhere, team := "", "team=x"
	shared := push(t, ops, wire.PushParams{Code: script("shared", 1), Selector: &everywhere})
	web := "role=web"
	theirs := push(t, ops, wire.PushParams{Code: script("theirs", 1), Selector: &web})
	checked := call[wire.CheckResult](t, dba, wire.CatalogCheck.Name, wire.CheckParams{Code: script("mine", 1), Selector: &team})
	if !slices.Equal(checked.Selected, []string{"db-1"}) || checked.Hosts != 1 {
		t.Errorf("the check selects %v", checked.Selected)
	}
	mine := push(t, dba, wire.PushParams{Code: script("mine", 1), Selector: &team})
	if mine.Selector != "role=db,team=x" || mine.Hosts != 1 {
		t.Errorf("the push is for %q, %d hosts", mine.Selector, mine.Hosts)
	}
	agents["db-1"].wait(t, "mine:"+mine.Revision[:4]+" shared:"+shared.Revision[:4])
	agents["late"].connect(t, m)
	agents["late"].wait(t, "shared:"+shared.Revision[:4]+" theirs:"+theirs.Revision[:4])
	for _, c := range []struct {
		method string
		params any
		code   int
		want   string
	}{
		{wire.CatalogPush.Name, wire.PushParams{Code: script("shared", 2)}, wire.CodeForbidden, `runs on hosts that you are not bound to, too`},
		{wire.CatalogDelete.Name, wire.DeleteParams{Name: "shared"}, wire.CodeForbidden, `you are bound to "role=db"`},
		{wire.CatalogPush.Name, wire.PushParams{Code: script("theirs", 2)}, wire.CodeForbidden, `choose another name`},
		{wire.CatalogDelete.Name, wire.DeleteParams{Name: "theirs"}, wire.CodeNotFound, `no inspector "theirs"`},
		{wire.CatalogGet.Name, wire.CatalogParams{Name: "theirs"}, wire.CodeNotFound, `no inspector "theirs"`},
		{wire.CatalogRevision.Name, wire.RevisionParams{Name: "theirs"}, wire.CodeNotFound, `no inspector "theirs"`},
		{wire.CatalogReceipts.Name, wire.CatalogParams{Name: "theirs"}, wire.CodeNotFound, `no inspector "theirs"`},
		{wire.CatalogRollback.Name, wire.RollbackParams{Name: "theirs"}, wire.CodeNotFound, `no inspector "theirs"`},
		{wire.RolloutsGet.Name, wire.RolloutParams{Rollout: "2"}, wire.CodeNotFound, `no rollout 2;`},
		{wire.RolloutsAbort.Name, wire.RolloutParams{Rollout: "2"}, wire.CodeNotFound, `no rollout 2;`},
		{wire.CatalogPush.Name, wire.PushParams{Code: script("new", 2), Selector: &web}, rpc.CodeInvalidParams, `no host has role=web`},
	} {
		if got := refused(t, dba, c.method, c.params); got.Code != c.code || !strings.Contains(got.Message, c.want) {
			t.Errorf("%s %+v: %v, want %d with %q", c.method, c.params, got, c.code, c.want)
		}
	}
	got := call[wire.ReceiptsResult](t, dba, wire.CatalogReceipts.Name, wire.CatalogParams{Name: "shared"})
	if got.Summary.Hosts != 1 || len(got.Receipts) != 1 || got.Receipts[0].Host != "db-1" {
		t.Errorf("the receipts of an inspector of all hosts are %+v", got)
	}
	if all := call[wire.CatalogResult](t, dba, wire.CatalogList.Name, nil); len(all.Inspectors) != 2 {
		t.Errorf("the catalog has %+v", all.Inspectors)
	}
}
