package ingest

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/master/history"
	"github.com/vedettehq/vedette/master/history/receive"
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
	for want, s := range map[string]receive.Series{
		"no name of a metric":                 remote("", now, "instance", "a"),
		"no name of a metric ":                remote("über", now, "instance", "a"),
		`a series needs a label "host" or`:    remote("up", now, "job", "a"),
		"must start with a letter":            remote("up", now, "instance", "-x"),
		"markup":                              remote("up", now, "instance", "a", "x", "<script>"),
		"at most 64 are allowed":              remote("up", now, many...),
		"is given twice":                      remote("up", now, "instance", "a", "x", "1", "x", "2"),
		"bytes long; at most 64 are allowed ": remote(strings.Repeat("a", 65), now, "instance", "a"),
		"is 24h0m0s ahead":                    remote("up", []receive.Point{{T: f.base + time.Minute.Milliseconds() + 24*time.Hour.Milliseconds(), V: 1}}, "instance", "a"),
	} {
		result, err := f.ingest.Remote(t.Context(), "", []receive.Series{s, good})
		if err != nil || result.Refused != 1 || !strings.Contains(result.Reason.Error(), strings.TrimSpace(want)) {
			t.Errorf("got %+v, %v; want a reason with %q", result, err, want)
		}
	}
	if got, want := f.kept(t), "a/good@0=1"; got != want {
		t.Errorf("the history has %s, want %s", got, want)
	}
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
	for name, want := range map[string]inspectors.Kind{"a_total": inspectors.Counter, "a_bucket": inspectors.Counter, "a_seconds": inspectors.Gauge, "up": inspectors.Gauge} {
		if got := remoteKind(name); got != want {
			t.Errorf("%s is a %s, want a %s", name, got, want)
		}
	}
}
