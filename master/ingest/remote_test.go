package ingest

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/master/history"
	"github.com/vedettehq/vedette/master/history/receive"
	"github.com/vedettehq/vedette/master/hosts"
	"github.com/vedettehq/vedette/master/live"
	"github.com/vedettehq/vedette/rpc/wire"
)

func remote(name string, points []receive.Point, pairs ...string) receive.Series {
	s := receive.Series{Name: name, Points: points}
	for i := 0; i+1 < len(pairs); i += 2 {
		s.Labels = append(s.Labels, receive.Label{Name: pairs[i], Value: pairs[i+1]})
	}
	return s
}

func TestRemote(t *testing.T) {
	f := newFixture(t)
	at := func(ms int64, v float64) []receive.Point { return []receive.Point{{T: f.base + ms, V: v}} }
	long := strings.Repeat("abcdefgh_", 12) + "total"
	for range 2 { // a request that is sent again is taken once
		result, err := f.ingest.Remote(t.Context(), "", []receive.Series{
			remote("node_load1", at(1, 0.5), "instance", "web-7:9100", "job", "node"),
			remote("node_load1", at(1, 0.6), "host", "db-1", "instance", "10.0.0.1:9100"),
			remote("job:up:sum", at(2, 3), "instance", "prometheus"),
			remote("up", at(2, math.Float64frombits(0x7ff0000000000002)), "instance", "web-7:9100"), // the end of a series
			remote("x", at(3, 1), "instance", "web-7:9100", "key", "k", "empty", ""),
			remote(long, at(3, 1), "instance", "web-7:9100"),
		})
		if err != nil || result.Refused != 0 {
			t.Fatalf("got %+v, %v", result, err)
		}
	}
	want := `metrics/web-7/node_load1{instance="web-7:9100",job="node"}@1=0.5 metrics/db-1/node_load1{instance="10.0.0.1:9100"}@1=0.6 ` +
		`metrics/prometheus/job:up:sum{instance="prometheus"}@2=3 metrics/web-7/x{exported_key="k",instance="web-7:9100"}@3=1 ` +
		`metrics/web-7/` + strings.Repeat("abcdefgh_", 6) + "abcdefgh/" + strings.Repeat("abcdefgh_", 5) + `total{instance="web-7:9100"}@3=1`
	if got := f.published(); got != want+" "+want {
		t.Errorf("published %s\nwant twice %s", got, want)
	}
	if got := strings.Count(f.kept(t), "@"); got != 5 {
		t.Errorf("the history has %d samples: %s", got, f.kept(t))
	}
}

// A credential stands for its one host, whatever the samples say.
func TestRemoteOfACredential(t *testing.T) {
	f := newFixture(t)
	point := []receive.Point{{T: f.base, V: 1}}
	result, err := f.ingest.Remote(t.Context(), "prom-1", []receive.Series{remote("up", point, "host", "victim", "instance", "victim:9100")})
	if err != nil || result.Refused != 0 {
		t.Fatalf("got %+v, %v", result, err)
	}
	if got, want := f.published(), `metrics/prom-1/up{exported_host="victim",instance="victim:9100"}@0=1`; got != want {
		t.Errorf("published %s, want %s", got, want)
	}
}

func TestBadRemoteSeries(t *testing.T) {
	f := newFixture(t)
	now := []receive.Point{{T: f.base, V: 1}}
	many := []string{"instance", "a"}
	for i := range maxRemoteLabels {
		many = append(many, fmt.Sprint("l", i), "x")
	}
	good := remote("good", now, "instance", "a")
	if result, err := f.ingest.Remote(t.Context(), "", []receive.Series{good}); err != nil || result.Refused > 0 {
		t.Fatalf("got %+v, %v", result, err)
	}
	for want, s := range map[string]receive.Series{
		"name: not the name of a metric":           remote("", now, "instance", "a"),
		"name: not the name of a metric ":          remote("a\xff", now, "instance", "a"),
		"host: a series needs a label \"host\" or": remote("up", now, "x", "a"),
		"name: has no name, or is not UTF-8":       remote("up", now, "instance", "a", "x", "\xff"),
		"name: has no name, or is not UTF-8 ":      remote("up", now, "instance", "a", "", "x"),
		"labels: at most 128 of 65536 are":         remote("up", now, many...),
		"labels: at most 128 of 65536 are ":        remote("up", now, "instance", "a", "x", strings.Repeat("x", maxRemoteBytes)),
		"name: is given twice":                     remote("up", now, "instance", "a", "x", "1", "x", "2"),
		"early: is 24h0m0s ahead": remote("up", []receive.Point{{T: f.base + time.Minute.Milliseconds() + 24*time.Hour.Milliseconds(), V: 1}},
			"instance", "a"),
		"conflict: another value is stored": remote("good", []receive.Point{{T: f.base, V: 2}}, "instance", "a"),
	} {
		reason, text, _ := strings.Cut(strings.TrimSpace(want), ": ")
		result, err := f.ingest.Remote(t.Context(), "", []receive.Series{good, s})
		if err != nil || result.Refused != 1 || result.By[reason] != 1 || !strings.Contains(result.Reason.Error(), text) {
			t.Errorf("got %+v, %v; want a reason with %q", result, err, want)
		}
	}
	if got, want := f.kept(t), "a/good@0=1"; got != want {
		t.Errorf("the history has %s, want %s", got, want)
	}
}

// A text that is not the name of a host becomes one, and not that of another host.
func TestRemoteHost(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "web-1": "web-1", "web 1": "web-1", "/run/x.sock": "run-x.sock", "../../etc": "etc-*", "_gateway": "gateway-*", "-web-1": "web_1-*",
		".web-1": "web_1-*", "/../web-1": "web_1-*", "//web-1": "web_1-*", "..": "x-*", "/": "x-*", "-": "x-*",
	} {
		got := remoteHost(map[string]string{labelHost: text})
		if ok, err := path.Match(want, got); err != nil || !ok || text != "" && inspectors.ValidateHost(got) != nil {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

// What a Prometheus keeps is kept as it is: what those who watch could not bear is
// shown otherwise.
func TestRemoteKeepsWhatPrometheusKeeps(t *testing.T) {
	f := newFixture(t)
	point := []receive.Point{{T: f.base, V: 1}}
	long := strings.Repeat("x", 2000)
	for i, c := range []struct {
		series     receive.Series
		host, path string // path and labels as they are shown
	}{
		{remote("a", point, "instance", "https://example.com/x"), "example.com", `a{instance="https://example.com/x"}`},
		{remote("b", point, "instance", "http://user@[2001:db8::1]:80/?q=1"), "ip6-2001-db8--1", `b{instance="http://user@[2001:db8::1]:80/?q=1"}`},
		{remote("c", point, "instance", "[::1]:9090"), "ip6---1", `c{instance="[::1]:9090"}`},
		{remote("d", point, "instance", "::1"), "ip6---1", `d{instance="::1"}`},
		{remote("e", point, "instance", "example.com/metrics"), "example.com", `e{instance="example.com/metrics"}`},
		{remote("f", point, "instance", "/run/x.sock"), "run-x.sock", `f{instance="/run/x.sock"}`},
		{remote("g", point, "job", "sums"), "sums", `g{job="sums"}`},
		{remote("h_bucket", point, "instance", "a:1", "le", "<5"), "a", `h_bucket{instance="a:1",le="\\x3c5"}`},
		{remote("i", point, "instance", "a:1", "über", "1"), "a", `i{ber_`},
		{remote("über", point, "instance", "a:1"), "a", `ber-`},
		{remote(strings.Repeat("a", 65), point, "instance", "a:1"), "a", `aaaaaaaaaaaaaaa`},
		{remote("k", point, "instance", "a:1", "path", long), "a", `k{instance="a:1",path="xxxxxxxxxxx`},
		{remote("l", point, "instance", "a:1", "m", "one\ntwo\u202e"), "a", `l{instance="a:1",m="one\\x0atwo\\xe2\\x80\\xae"}`},
		{remote("m", point, "instance", "a:1", "key", "1", "exported_key", "2"), "a", `m{exported_exported_key="1",exported_key="2",instance="a:1"}`},
		{remote("n", point, "instance", "ein host:1"), "ein-host", `n{instance="ein host:1"}`},
	} {
		result, err := f.ingest.Remote(t.Context(), "", []receive.Series{c.series})
		if err != nil || result.Refused != 0 {
			t.Errorf("%d: got %+v, %v", i, result, err)
		}
		if got, want := f.published(), "metrics/"+c.host+"/"+c.path; !strings.HasPrefix(got, want) {
			t.Errorf("%d: shown as %s\nwant %s", i, got, want)
		}
		// In PromQL it is as it was sent.
		var matchers []string
		for _, l := range c.series.Labels {
			if l.Name != "key" && l.Name != "exported_key" {
				matchers = append(matchers, fmt.Sprintf("%q=%q", l.Name, l.Value))
			}
		}
		query := fmt.Sprintf("{%q,%s}", c.series.Name, strings.Join(matchers, ","))
		answer := httptest.NewRecorder()
		f.store.Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet,
			fmt.Sprintf("/api/v1/query?time=%d&query=%s", f.base/1000+1, url.QueryEscape(query)), nil))
		if body := answer.Body.String(); strings.Count(body, `"metric"`) != 1 {
			t.Errorf("%d: %s gives %s", i, query, body)
		}
	}
}

// Whatever valid UTF-8 a Prometheus sends is kept, no two series become one, and what
// those who watch get is fit for a page.
func FuzzRemote(f *testing.F) {
	for _, s := range []string{
		"up", "https://a/b", "[::1]:9090", "<5", "über", "a\x00b", "\u202e", strings.Repeat("é", 400), "", "-", "a:b:c", "::", "://",
		"[", "a/b",
	} {
		f.Add(s, s, s, s+"x")
	}
	store, err := history.Open(history.Options{MinFreeBytes: 1, MaxSeriesPerHost: 1 << 20})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = store.Close() })
	f.Fuzz(func(t *testing.T, name, instance, label, value string) {
		for _, text := range []string{name, instance, label, value} {
			if !utf8.ValidString(text) || len(text) > 5000 {
				t.Skip("a Prometheus sends no such")
			}
		}
		if name == "" || instance == "" || label == "" || label == "instance" || label == "host" {
			t.Skip("nothing to be kept")
		}
		hub := live.NewHub()
		ingest := New(store, hub, hosts.New(time.Second, func(h wire.Host) { hub.Announce("hosts/"+h.Host, h) }))
		point := []receive.Point{{T: time.Now().UnixMilli(), V: 1}}
		request := []receive.Series{
			remote(name, point, "instance", instance, label, value+"1"),
			remote(name, point, "instance", instance, label, value+"2"),
			remote(name+"_", point, "instance", instance, label, value+"1"),
		}
		result, err := ingest.Remote(t.Context(), "", request)
		if err != nil || result.Refused != 0 {
			t.Fatalf("%q, %q, %q, %q: got %+v, %v", name, instance, label, value, result, err)
		}
		if n := hub.SeriesCount(""); n != 3 {
			t.Errorf("%q, %q, %q, %q: 3 series are shown as %d", name, instance, label, value, n)
		}
		for i := range request {
			s, err := ingest.remoteSeries("", &request[i])
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range s.live.Labels {
				if err := (inspectors.Labels{l}).Validate(); err != nil {
					t.Error(err)
				}
			}
			if err := errors.Join(inspectors.ValidateKey(s.live.Key), inspectors.ValidateHost(s.live.Host)); err != nil {
				t.Error(err)
			}
		}
	})
}

func TestRemoteWhileBusy(t *testing.T) {
	f := newFixture(t)
	store, err := history.New(history.Options{})
	if err != nil {
		t.Fatal(err)
	}
	f.ingest.store = store
	var busy receive.Busy = new(history.BusyError)
	_, err = f.ingest.Remote(t.Context(), "", []receive.Series{remote("up", []receive.Point{{T: f.base, V: 1}}, "instance", "a")})
	if fmt.Sprintf("%T", err) != fmt.Sprintf("%T", busy) {
		t.Errorf("got %v, want a BusyError", err)
	}
}

func TestRemoteKinds(t *testing.T) {
	for name, want := range map[string]inspectors.Kind{
		"a_total": inspectors.Counter, "a_bucket": inspectors.Counter, "a_seconds": inspectors.Gauge,
		"up": inspectors.Gauge,
	} {
		if got := inspectors.MetricKind(name); got != want {
			t.Errorf("%s is a %s, want a %s", name, got, want)
		}
	}
}
