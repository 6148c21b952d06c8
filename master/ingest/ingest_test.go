package ingest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/master/history"
	"github.com/vedettehq/vedette/master/hosts"
	"github.com/vedettehq/vedette/master/live"
	"github.com/vedettehq/vedette/rpc/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type fixture struct {
	store    *history.Store
	base     int64 // what the times of reports are counted from
	ingest   *Ingest
	hub      *live.Hub
	registry *hosts.Registry
	sub      *live.Subscription
	agent    *hosts.Agent
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	return newFixtureOf(t, history.Options{})
}

func newFixtureOf(t testing.TB, options history.Options) *fixture {
	t.Helper()
	options.MinFreeBytes = 1
	store, err := history.Open(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	hub := live.NewHub()
	registry := hosts.New(7*time.Second, func(h wire.Host) { hub.Announce("hosts/"+h.Host, h) })
	pattern, err := live.ParsePattern("metrics/*")
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{
		store: store, hub: hub, ingest: New(store, hub, registry), registry: registry, sub: hub.Subscribe(pattern, false),
		base: time.Now().Add(-time.Minute).UnixMilli(),
	}
	t.Cleanup(f.sub.Close)
	f.agent, err = registry.Connect(wire.HelloParams{Host: "web-1", AgentID: "a", BootID: "b"}, "", func() {})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// published returns what subscribers got since the last call, as path@t=v.
// Publish has filled the subscription before it returns, so one look is enough.
func (f *fixture) published() string {
	var got []string
	ctx, cancel := context.WithTimeout(context.Background(), patience.Limit)
	defer cancel()
	batch, _ := f.sub.Next(ctx)
	for _, s := range batch.Samples {
		got = append(got, fmt.Sprintf("%s%s@%d=%v", s.Series.Path(), s.Series.Labels, s.T-f.base, s.V))
	}
	return strings.Join(got, " ")
}

// kept returns what the history has, as host/key@t=v.
func (f *fixture) kept(t testing.TB) string {
	t.Helper()
	all, err := live.ParsePattern("*")
	if err != nil {
		t.Fatal(err)
	}
	to := time.Now().Add(time.Hour).UnixMilli()
	result, err := f.store.Range(context.Background(), history.RangeRequest{Pattern: all, From: f.base, To: to, Points: history.MaxRangePoints})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range result.Series {
		for i := range s.T {
			got = append(got, fmt.Sprintf("%s/%s@%d=%v", s.Host, s.Key, s.T[i]-f.base, s.V[i]))
		}
	}
	return strings.Join(got, " ")
}

// report makes a report. Times within a day of 0 are counted from the fixture's
// base.
func (f *fixture) report(seq uint64, series []wire.Series, t []int64, s []uint32, v []float64) *wire.ReportParams {
	t = slices.Clone(t)
	for i := range t {
		if t[i] > 0 && t[i] < 24*time.Hour.Milliseconds() {
			t[i] += f.base
		}
	}
	return &wire.ReportParams{BootID: "b", Seq: seq, Series: series, Columns: wire.Columns{T: t, S: s, V: v}}
}

func TestReport(t *testing.T) {
	f := newFixture(t)
	session := f.ingest.NewSession(f.agent, 0)
	series := []wire.Series{{ID: 1, Key: "load/average-1"}, {ID: 2, Key: "disk/used_percent", Labels: map[string]string{"mount": "/"}}}
	result, err := session.Report(t.Context(), f.report(1, series, []int64{1000, 1000}, []uint32{1, 2}, []float64{0.5, 31}))
	if err != nil || result != (wire.ReportResult{Seq: 1}) {
		t.Fatalf("got %+v, %v", result, err)
	}
	if _, err := session.Report(t.Context(), f.report(2, nil, []int64{2000}, []uint32{1}, []float64{0.6})); err != nil {
		t.Fatal(err)
	}
	want := `metrics/web-1/load/average-1@1000=0.5 metrics/web-1/disk/used_percent{mount="/"}@1000=31 metrics/web-1/load/average-1@2000=0.6`
	if got := f.published(); got != want {
		t.Errorf("published %s\nwant %s", got, want)
	}
	want = `web-1/disk/used_percent@1000=31 web-1/load/average-1@1000=0.5 web-1/load/average-1@2000=0.6`
	if got := f.kept(t); got != want {
		t.Errorf("the history has %s\nwant %s", got, want)
	}
	if h, _ := f.registry.Get("web-1"); h.Samples != 3 || h.Series != 2 {
		t.Errorf("the host has %d samples of %d series, want 3 of 2", h.Samples, h.Series)
	}
}

// A report that was taken and is sent again after a reconnect is acknowledged
// and not published again, but its series are declared for the new connection.
func TestReportTwice(t *testing.T) {
	f := newFixture(t)
	one := f.report(1, []wire.Series{{ID: 7, Key: "a/b"}}, []int64{1}, []uint32{7}, []float64{1})
	for range 2 {
		if result, err := f.ingest.NewSession(f.agent, 0).Report(t.Context(), one); err != nil || result.Seq != 1 || result.Refused != 0 {
			t.Fatalf("got %+v, %v", result, err)
		}
	}
	session := f.ingest.NewSession(f.agent, 0)
	if _, err := session.Report(t.Context(), one); err != nil {
		t.Fatal(err)
	}
	if result, err := session.Report(t.Context(), f.report(2, nil, []int64{2}, []uint32{7}, []float64{2})); err != nil || result.Refused != 0 {
		t.Errorf("a sample of a series that the repeated report declared: %+v, %v", result, err)
	}
	if got, want := f.published(), "metrics/web-1/a/b@1=1 metrics/web-1/a/b@2=2"; got != want {
		t.Errorf("published %s, want %s", got, want)
	}
}

// After a restart an agent sends what the run before has left, under that run's
// boot id and numbers, beside its own.
func TestReportsOfEarlierRuns(t *testing.T) {
	f := newFixture(t)
	series := []wire.Series{{ID: 7, Key: "a/b"}}
	left := f.report(1, series, []int64{1}, []uint32{7}, []float64{1})
	if _, err := f.ingest.NewSession(f.agent, 0).Report(t.Context(), left); err != nil {
		t.Fatal(err)
	}
	agent, err := f.registry.Connect(wire.HelloParams{Host: "web-1", AgentID: "a", BootID: "next"}, "", func() {})
	if err != nil {
		t.Fatal(err)
	}
	session := f.ingest.NewSession(agent, 0)
	own := f.report(1, series, []int64{2}, []uint32{7}, []float64{2})
	own.BootID = "next"
	for _, r := range []*wire.ReportParams{own, left, own} {
		if result, err := session.Report(t.Context(), r); err != nil || result.Refused != 0 {
			t.Fatalf("got %+v, %v", result, err)
		}
	}
	if got, want := f.published(), "metrics/web-1/a/b@1=1 metrics/web-1/a/b@2=2"; got != want {
		t.Errorf("published %s, want %s", got, want)
	}
	own.BootID = strings.Repeat("x", maxBootBytes+1)
	if _, err := session.Report(t.Context(), own); err == nil || !strings.Contains(err.Error(), "boot_id") {
		t.Errorf("a boot id of %d bytes gives %v", len(own.BootID), err)
	}
}

func TestBadSamplesAreLeftOutAndTold(t *testing.T) {
	future := time.Now().Add(time.Hour).UnixMilli()
	for name, c := range map[string]struct {
		series []wire.Series
		t      int64
		s      uint32
		v      float64
		want   string
	}{
		"undeclared":   {nil, 1000, 9, 1, "sample 1: series 9 was not declared"},
		"NaN":          {nil, 1000, 1, math.NaN(), "sample 1 of a/b: value NaN"},
		"infinity":     {nil, 1000, 1, math.Inf(1), "value +Inf"},
		"no time":      {nil, 0, 1, 1, "time 0 is not in milliseconds"},
		"future":       {nil, future, 1, 1, "is in the future"},
		"HTML in key":  {[]wire.Series{{ID: 2, Key: "<img src=x>/a"}}, 1000, 2, 1, `series 2: bad name: key "<img src=x>/a": '<' is not allowed`},
		"HTML label":   {[]wire.Series{{ID: 2, Key: "a/c", Labels: map[string]string{"m": "<b>"}}}, 1000, 2, 1, "markup"},
		"bad kind":     {[]wire.Series{{ID: 2, Key: "a/c", Kind: "histogram"}}, 1000, 2, 1, `unknown kind "histogram"`},
		"control char": {[]wire.Series{{ID: 2, Key: "a/c", Labels: map[string]string{"m": "\x1b[31m"}}}, 1000, 2, 1, "control characters"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			series := append([]wire.Series{{ID: 1, Key: "a/b"}}, c.series...)
			result, err := f.ingest.NewSession(f.agent, 0).Report(t.Context(), f.report(1, series, []int64{500, c.t}, []uint32{1, c.s}, []float64{1, c.v}))
			if err != nil || result.Refused == 0 || !strings.Contains(result.Reason, c.want) {
				t.Errorf("got %+v, %v; want a reason with %q", result, err, c.want)
			}
			if got, want := f.published(), "metrics/web-1/a/b@500=1"; got != want {
				t.Errorf("published %s, want the good one: %s", got, want)
			}
		})
	}
}

func TestBadReports(t *testing.T) {
	f := newFixture(t)
	session := f.ingest.NewSession(f.agent, 0)
	many := make([]int64, MaxReportSamples+1)
	for want, r := range map[string]*wire.ReportParams{
		"must be of one length": f.report(1, nil, []int64{1}, []uint32{1, 2}, []float64{1}),
		"at most 100000":        f.report(1, nil, many, make([]uint32, len(many)), make([]float64, len(many))),
		"count from 1":          f.report(0, nil, nil, nil, nil),
	} {
		if _, err := session.Report(t.Context(), r); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
}

// An agent whose clock is ahead is shown, as the skew was measured. The history
// does not keep its samples, which would make those of others late, and says so.
func TestSkewedAgentIsShown(t *testing.T) {
	f := newFixture(t)
	ahead := time.Now().Add(time.Hour).UnixMilli()
	r := f.report(1, []wire.Series{{ID: 1, Key: "a/b"}}, []int64{ahead, 1000}, []uint32{1, 1}, []float64{1, 2})
	result, err := f.ingest.NewSession(f.agent, time.Hour).Report(t.Context(), r)
	if err != nil || result.Refused != 1 || !strings.Contains(result.Reason, "a sample of a/b is not kept: its time") ||
		!strings.Contains(result.Reason, "set the clock of the host") {
		t.Errorf("got %+v, %v", result, err)
	}
	if got, want := f.published(), fmt.Sprintf("metrics/web-1/a/b@%d=1 metrics/web-1/a/b@1000=2", ahead-f.base); got != want {
		t.Errorf("published %s, want %s", got, want)
	}
	if got, want := f.kept(t), "web-1/a/b@1000=2"; got != want {
		t.Errorf("the history has %s, want %s", got, want)
	}
}

// A report that the history cannot take now is shown once, not acknowledged,
// and leaves nothing behind; sent again, it is taken whole.
func TestBusyHistory(t *testing.T) {
	f := newFixture(t)
	store, err := history.New(history.Options{MinFreeBytes: 1}) // not open
	if err != nil {
		t.Fatal(err)
	}
	f.ingest.store = store
	session := f.ingest.NewSession(f.agent, 0)
	for id := range uint32(3) {
		r := f.report(1, []wire.Series{{ID: id, Key: "a/b"}}, []int64{1000}, []uint32{id}, []float64{1})
		var busy *history.BusyError
		if result, err := session.Report(t.Context(), r); !errors.As(err, &busy) || result != (wire.ReportResult{}) {
			t.Fatalf("got %+v, %v; want a BusyError", result, err)
		}
	}
	if len(session.declared) != 0 {
		t.Errorf("%d series stay declared", len(session.declared))
	}
	if h, _ := f.registry.Get("web-1"); h.Samples != 0 || f.agent.Reports.Acked() != 0 {
		t.Errorf("%d samples count as taken, reports up to %d as acknowledged", h.Samples, f.agent.Reports.Acked())
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- store.Run(ctx) }()
	<-store.Ready()
	r := f.report(1, []wire.Series{{ID: 9, Key: "a/b"}}, []int64{1000}, []uint32{9}, []float64{1})
	if result, err := session.Report(t.Context(), r); err != nil || result != (wire.ReportResult{Seq: 1}) {
		t.Errorf("got %+v, %v", result, err)
	}
	if got, want := f.published(), "metrics/web-1/a/b@1000=1"; got != want {
		t.Errorf("published %s, want %s", got, want)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestMetric(t *testing.T) {
	f := newFixture(t)
	val := func(v float64) *float64 { return &v }
	if notKept, err := f.ingest.Metric(t.Context(), "pi", &wire.Metric{TS: f.base + 1000, Key: "load/average-1", Val: val(0.5)}); err != nil || notKept != nil {
		t.Fatal(notKept, err)
	}
	if got, want := f.kept(t), "pi/load/average-1@1000=0.5"; got != want {
		t.Errorf("the history has %s, want %s", got, want)
	}
	for want, c := range map[string]struct {
		host   string
		metric wire.Metric
	}{
		"host name is empty":              {"", wire.Metric{TS: 1, Key: "a/b", Val: val(1)}},
		"must start with a letter":        {"<img src=x onerror=alert(1)>", wire.Metric{TS: 1, Key: "a/b", Val: val(1)}},
		"val is missing":                  {"pi", wire.Metric{TS: 1, Key: "a/b"}},
		"key is empty":                    {"pi", wire.Metric{TS: 1, Val: val(1)}},
		"not in milliseconds since 1970":  {"pi", wire.Metric{Key: "a/b", Val: val(1)}},
		"not a finite number":             {"pi", wire.Metric{TS: 1, Key: "a/b", Val: val(math.NaN())}},
		"at most 200 are allowed":         {"pi", wire.Metric{TS: 1, Key: strings.Repeat("a", 5_000_000), Val: val(1)}},
		"a segment is empty":              {"pi", wire.Metric{TS: 1, Key: "a//b", Val: val(1)}},
		`label name "host" is set by the`: {"pi", wire.Metric{TS: 1, Key: "a/b", Val: val(1), Labels: map[string]string{"host": "x"}}},
	} {
		_, err := f.ingest.Metric(t.Context(), c.host, &c.metric)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
		if err != nil && len(err.Error()) > 1000 {
			t.Errorf("the error is %d bytes long", len(err.Error()))
		}
	}
	if got, want := f.published(), "metrics/pi/load/average-1@1000=0.5"; got != want {
		t.Errorf("published %s, want %s", got, want)
	}
}

func BenchmarkReport(b *testing.B) {
	f := newFixture(b)
	f.sub.Close()
	session := f.ingest.NewSession(f.agent, 0)
	const n = 100
	series := make([]wire.Series, n)
	r := f.report(0, series, make([]int64, n), make([]uint32, n), make([]float64, n))
	for i := range n {
		series[i] = wire.Series{ID: uint32(i), Key: fmt.Sprintf("a/%d", i)}
		r.S[i], r.V[i] = uint32(i), 1.5
	}
	for b.Loop() {
		r.Seq++
		for i := range n {
			r.T[i] = f.base + int64(r.Seq)
		}
		if _, err := session.Report(b.Context(), r); err != nil {
			b.Fatal(err)
		}
		r.Series = nil
	}
	b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "samples/s")
}
