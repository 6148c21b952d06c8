package alert

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/tsdb"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/inspectors/alerts"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/master/scope"
	"github.com/vedettehq/vedette/rpc/wire"
)

func number(v float64) *float64 { return &v }

// Whatever thresholds are set, each host has the one of the most specific selector: for
// the alerts of inspectors, and for a rule that is built in.
func TestThresholdsOfManyHosts(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	opts := tsdb.DefaultOptions()
	opts.WALSegmentSize = -1
	db, err := tsdb.Open(t.TempDir(), slog.New(slog.DiscardHandler), nil, opts, tsdb.NewDBStats())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	at := time.UnixMilli(1_700_000_000_000)
	app := db.Appender(t.Context())
	hosts, values := make(map[string]scope.Labels), make(map[string]float64)
	for i := range 40 {
		name := fmt.Sprintf("h%d.x", i)
		hosts[name] = scope.Labels{"host": name, "role": string("ab"[random.IntN(2)]), "zone": string("xyz"[random.IntN(3)])}
		values[name] = float64(random.IntN(100))
		if _, err := app.Append(0, labels.FromStrings("__name__", "test_level", "host", name), at.UnixMilli(), values[name]); err != nil {
			t.Fatal(err)
		}
	}
	if err := app.Commit(); err != nil {
		t.Fatal(err)
	}
	engine := promql.NewEngine(promql.EngineOpts{MaxSamples: 1e6, Timeout: time.Minute})
	for round := range 60 {
		set := &thresholds{list: make(map[string]wire.AlertThreshold)}
		for i := range random.IntN(6) {
			selector := []string{"", "role=a", "role=b,zone=x", "zone in (x,y)", "host=h3.x", "host=h3.x,role=a", "role!=a", "zone=z,role"}[random.IntN(8)]
			one := wire.AlertThreshold{Alert: "test/high", Selector: selector, AtMS: int64(i), Value: number(float64(random.IntN(100)))}
			if random.IntN(4) == 0 {
				one.Off, one.Value = true, nil
			}
			set.list[thresholdName(one.Alert, selector)] = one
		}
		p := probes(t, "high critical level > 50")["test"][0]
		if p.Own = round%2 == 0; p.Own {
			for name := range hosts {
				p.Hosts = append(p.Hosts, name)
			}
		}
		parts, err := set.spread(p, hosts)
		if err != nil {
			t.Fatal(err)
		}
		rules, faults := alerts.Rules(parts...)
		if faults.Err() != nil || len(rules) > 1 {
			t.Fatalf("%d rules, %v", len(rules), faults)
		}
		got := make(map[string]bool)
		for _, r := range rules {
			for _, host := range firing50(t.Context(), t, engine, db, r.Expr, at) {
				got[host] = true
			}
		}
		byValue, changed := place(set.all(), "test/high", hosts)
		builtIn, err := alerts.Spread(rulefmt.Rule{Alert: "test/high", Expr: "max without (key) (test_level) > 50"}, byValue, changed)
		if err != nil {
			t.Fatal(err)
		}
		fires := firing50(t.Context(), t, engine, db, builtIn.Expr, at)
		for name, host := range hosts {
			limit, rank, off := 50.0, -1, false
			for _, one := range set.list {
				selector, err := scope.ParseSelector(one.Selector)
				if err != nil {
					t.Fatal(err)
				}
				mine := 100*strings.Count(one.Selector, ",") + int(one.AtMS)
				switch {
				case strings.Contains(one.Selector, "host="):
					mine += 10_000
				case strings.Contains(one.Selector, " in "): // its comma is none between terms
					mine -= 100
				}
				if one.Selector != "" {
					mine += 100
				}
				if selector.Matches(host) && mine > rank {
					rank, off = mine, one.Off
					if !off {
						limit = *one.Value
					}
				}
			}
			if want := !off && values[name] > limit; got[name] != want || slices.Contains(fires, name) != want {
				t.Errorf("%s %v with %g fires: %v, want %v, by %+v", name, host, values[name], got[name], want, set.all())
			}
		}
	}
}

func firing50(ctx context.Context, t *testing.T, engine *promql.Engine, db *tsdb.DB, expr string, at time.Time) (hosts []string) {
	t.Helper()
	q, err := engine.NewInstantQuery(ctx, db, nil, expr, at)
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	vector, err := q.Exec(ctx).Vector()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range vector {
		hosts = append(hosts, s.Metric.Get("host"))
	}
	return hosts
}

// A threshold holds at once, over a restart, and until it is taken back.
func TestThreshold(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "groups: []\n")
	patience.Closed(t, "the start", w.alerts.started)
	query := func() string {
		for _, group := range w.alerts.ruleGroups() {
			for _, rule := range group.AlertingRules() {
				if rule.Name() == "test/high" {
					return rule.Query().String()
				}
			}
		}
		return ""
	}
	const plain = "test_level > 99"
	const changed = `test_level{host!~"busy"} > 99 or test_level{host=~"busy"} > 90`
	want := func(what, expr string) {
		t.Helper()
		if got := strings.NewReplacer("(", "", ")", "").Replace(query()); got != expr {
			t.Errorf("%s the rule is %s, want %s", what, got, expr)
		}
	}
	take := func() {
		t.Helper()
		if err := w.alerts.SetProbes(probes(t, "high critical level > 99 keep 0s")); err != nil {
			t.Fatal(err)
		}
	}
	take()
	want("at first", plain)
	set := func(p wire.AlertThresholdParams) {
		t.Helper()
		if _, err := w.alerts.SetThreshold(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	set(wire.AlertThresholdParams{Alert: "test/high", Selector: "role=db", Value: number(90)})
	want("with a threshold", changed)
	w.stop()
	w.start()
	patience.Closed(t, "the start", w.alerts.started)
	take()
	want("after a restart", changed)
	listed, err := w.alerts.Thresholds(t.Context(), wire.Empty{})
	if err != nil || len(listed.Thresholds) != 1 || *listed.Thresholds[0].Value != 90 || *listed.Thresholds[0].Own != 99 || listed.Thresholds[0].Operator != ">" {
		t.Errorf("after a restart there are %+v, %v", listed, err)
	}
	set(wire.AlertThresholdParams{Alert: "test/high", Selector: "role=db", Remove: true})
	want("without it", plain)

	with := w.config
	reload := func(limits ...config.Threshold) {
		t.Helper()
		with.Thresholds = limits
		if err := w.alerts.Reload(with); err != nil {
			t.Fatal(err)
		}
	}
	reload(config.Threshold{Alert: "test/high", Value: "90", Hosts: "role=db"})
	want("with one of the configuration", changed)
	if _, err := w.alerts.SetThreshold(t.Context(), wire.AlertThresholdParams{Alert: "test/high", Selector: "role=db", Remove: true}); err == nil ||
		!strings.Contains(err.Error(), "is in the master's configuration, under alerts.thresholds") {
		t.Errorf("one of the configuration is taken back: %v", err)
	}
	set(wire.AlertThresholdParams{Alert: "test/high", Selector: "role=db", Value: number(70)})
	want("with one that was set later", strings.ReplaceAll(changed, "> 90", "> 70"))
	set(wire.AlertThresholdParams{Alert: "test/high", Selector: "role=db", Remove: true})
	want("without that", changed)
	with.Thresholds = []config.Threshold{{Alert: "test/high", Value: "90", Hosts: "role=("}}
	if err := w.alerts.Reload(with); err == nil || !strings.Contains(err.Error(), `threshold of "test/high" in master.alerts.thresholds: the selector "role=("`) {
		t.Errorf("a faulty selector of the configuration: %v", err)
	}
	want("with a faulty configuration", changed)
	reload()
	want("without one of the configuration", plain)

	for want, p := range map[string]wire.AlertThresholdParams{
		`no inspector has the alert "test/hihg"; did you mean "test/high"?`:                    {Alert: "test/hihg", Off: true},
		`no inspector has the alert "other"; there are disk/filling, host/cannot-send, `:       {Alert: "other", Off: true},
		"the rule master/disk-filling is about the master; thresholds are for alerts of hosts": {Alert: "master/disk-filling", Off: true},
		"the expression of disk/filling compares no values with one number":                    {Alert: "disk/filling", Value: number(1)},
		"cannot set a threshold of host/gone: its values are states":                           {Alert: "host/gone", Value: number(5)},
		"give one of a value, off, and remove":                                                 {Alert: "test/high", Off: true, Value: number(1)},
		`the selector "role=(" cannot be read`:                                                 {Alert: "test/high", Off: true, Selector: "role=("},
		"no threshold of test/high is set for hosts with role=db":                              {Alert: "test/high", Selector: "role=db", Remove: true},
	} {
		if _, err := w.alerts.SetThreshold(t.Context(), p); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v is answered with %v, want %s", p, err, want)
		}
	}
}

// A number for an alert that compares nothing changes nothing: not on the hosts that it is
// for, and not what is set for others. It may come before the alert, or the alert may have
// had a number in an earlier revision.
func TestNumberForAnAlertWithoutOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "groups: []\n")
	patience.Closed(t, "the start", w.alerts.started)
	queries := func() string {
		var list []string
		for _, group := range w.alerts.ruleGroups() {
			for _, rule := range group.AlertingRules() {
				if rule.Name() == "test/gone" {
					list = append(list, rule.Query().String())
				}
			}
		}
		return strings.Join(list, "; ")
	}
	with := w.config
	with.Thresholds = []config.Threshold{{Alert: "test/gone", Value: "90", Hosts: "role=db"}}
	if err := w.alerts.Reload(with); err != nil {
		t.Fatal(err)
	}
	lines := probes(t, "gone critical level unless other")
	plain := "test_level unless ignoring (key) test_other"
	if err := w.alerts.SetProbes(lines); err == nil || !strings.Contains(err.Error(), `cannot use the threshold of "test/gone"`) {
		t.Errorf("the error is %v", err)
	}
	if got := queries(); got != plain {
		t.Errorf("the rule is %q, want %q", got, plain)
	}
	// Another threshold, which is good, can be set meanwhile.
	if _, err := w.alerts.SetThreshold(t.Context(), wire.AlertThresholdParams{Alert: "disk/filling", Off: true}); err != nil {
		t.Errorf("a good one meets %v", err)
	}
	with.Thresholds = append(with.Thresholds, config.Threshold{Alert: "test/gone", Value: "off"})
	if err := w.alerts.Reload(with); err != nil {
		t.Logf("reloading says: %v", err)
	}
	if got := queries(); strings.Contains(got, "90") || got == plain {
		t.Errorf("with the alert off everywhere the rule is %q", got)
	}
}
