package alerts

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/tsdb"
)

// An alert of a host's own configuration never speaks for another host. Hosts share one
// rule if that makes no difference.
func TestOwnRules(t *testing.T) {
	for expr, want := range map[string]string{
		"used > 90":                                 `: disk_used{host=~"a|b.c"} > 90`,
		"sum by (host) (used) > 90":                 `: sum by (host) (disk_used{host=~"a|b.c"}) > 90`,
		"sum(used) > 90":                            `a: sum(disk_used{host=~"a"}) > 90; b.c: sum(disk_used{host=~"b.c"}) > 90`,
		"absent(used)":                              `a: absent(disk_used{host=~"a"}); b.c: absent(disk_used{host=~"b.c"})`,
		"used > on (host) free":                     `: disk_used{host=~"a|b.c"} > on (host) disk_free{host=~"a|b.c"}`,
		"used > ignoring (mount) free":              `: disk_used{host=~"a|b.c"} > ignoring (mount, key) disk_free{host=~"a|b.c"}`,
		"used > ignoring (host) free":               `a: disk_used{host=~"a"} > ignoring (host, key) disk_free{host=~"a"}; b.c: …`,
		`label_replace(used, "host", "x", "", "")`:  `a: label_replace(disk_used{host=~"a"}, "host", "x", "", ""); b.c: …`,
		`used > on () group_left {__name__="up"}`:   `a: disk_used{host=~"a"} > on () group_left () {__name__="up",host=~"a"}; b.c: …`,
		`used{host="other"} > 1`:                    `: disk_used{host="other",host=~"a|b.c"} > 1`,
		`used or vector(1)`:                         `a: disk_used{host=~"a"} or ignoring (key) vector(1); b.c: …`,
		`used > ignoring (key) hour()`:              `a: disk_used{host=~"a"} > ignoring (key, key) hour(); b.c: …`,
		`max_over_time(used[5m]) > time()`:          `: max_over_time(disk_used{host=~"a|b.c"}[5m]) > time()`,
		`sum without (mount) (used) > 1`:            `: sum without (mount) (disk_used{host=~"a|b.c"}) > 1`,
		`sum without (host) (used) > 1`:             `a: sum without (host) (disk_used{host=~"a"}) > 1; b.c: …`,
		`count_values by (host) ("host", used) > 1`: `a: count_values by (host) ("host", disk_used{host=~"a"}) > 1; b.c: …`,
		`topk by (host) (1, used) > 1`:              `: topk by (host) (1, disk_used{host=~"a|b.c"}) > 1`,
	} {
		p := probe(t, "disk", "alert a warning "+expr)
		p.Hosts, p.Own = []string{"a", "b.c"}, true
		list, faults := Rules(p)
		if faults.Err() != nil {
			t.Fatal(faults)
		}
		var got []string
		for _, r := range list {
			got = append(got, r.Labels["host"]+": "+strings.ReplaceAll(r.Expr, `b\\.c`, "b.c"))
		}
		all := strings.Join(got, "; ")
		if before, cut := strings.CutSuffix(want, "…"); cut && !strings.HasPrefix(all, before) || !cut && all != want {
			t.Errorf("%s gives\n%s\nwant\n%s", expr, all, want)
		}
	}
}

// Random expressions: a shared rule gives each host what its own rule would.
func TestHostsTogetherAreAsEachAlone(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	hosts := []string{"a", "b.c", "d"}
	db, at := randomSeries(t, random, hosts)
	engine := promql.NewEngine(promql.EngineOpts{MaxSamples: 1e6, Timeout: time.Minute})
	together, fired := 0, 0
	for range 1500 {
		expr := randomExpr(random, 3)
		p := probe(t, "disk", "alert a warning "+expr)
		p.Hosts, p.Own = hosts[:2], true
		all, faults := Rules(p)
		if faults.Err() != nil {
			continue // no vector, or none of the inspector's values
		}
		if len(all) == 1 {
			together++
		}
		var apart []rulefmt.Rule
		for _, host := range p.Hosts {
			one := p
			one.Hosts = []string{host}
			rules, _ := Rules(one)
			rules[0].Labels[labelHost] = host
			apart = append(apart, rules...)
		}
		got, gotErr := fires(t.Context(), engine, db, at, all)
		want, wantErr := fires(t.Context(), engine, db, at, apart)
		if gotErr != nil || wantErr != nil {
			continue // many-to-many, which is an error in the alert
		}
		fired += len(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s gives together\n%s\nand apart\n%s", expr, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	if together < 100 || fired < 100 {
		t.Errorf("only %d alerts had one rule, and %d series fired", together, fired)
	}
}

// fires evaluates rules, and returns the series that fire, with their values.
func fires(ctx context.Context, engine *promql.Engine, db *tsdb.DB, at time.Time, rules []rulefmt.Rule) (list []string, err error) {
	for _, r := range rules {
		q, err := engine.NewInstantQuery(ctx, db, nil, r.Expr, at)
		if err != nil {
			return nil, err
		}
		vector, err := q.Exec(ctx).Vector()
		if err != nil {
			return nil, err
		}
		for _, s := range vector {
			list = append(list, seriesOf(s, r))
		}
		q.Close()
	}
	slices.Sort(list)
	return list, nil
}

func randomSeries(t *testing.T, random *rand.Rand, hosts []string) (*tsdb.DB, time.Time) {
	t.Helper()
	opts := tsdb.DefaultOptions()
	opts.WALSegmentSize = -1
	db, err := tsdb.Open(t.TempDir(), slog.New(slog.DiscardHandler), nil, opts, tsdb.NewDBStats())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	start := time.UnixMilli(1_700_000_000_000)
	app := db.Appender(t.Context())
	for _, host := range hosts {
		for _, name := range []string{"disk_used", "disk_free"} {
			for _, mount := range []string{"/", "/var"} {
				if random.IntN(6) == 0 {
					continue
				}
				set := labels.FromStrings("__name__", name, "host", host, "mount", mount, "key", name)
				for i := range 20 {
					v := math.Floor(random.Float64() * 10)
					if _, err := app.Append(0, set, start.Add(time.Duration(i)*15*time.Second).UnixMilli(), v); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	}
	if err := app.Commit(); err != nil {
		t.Fatal(err)
	}
	return db, start.Add(5 * time.Minute)
}

// randomExpr writes an expression of PromQL.
func randomExpr(random *rand.Rand, depth int) string {
	pick := func(words ...string) string { return words[random.IntN(len(words))] }
	if depth == 0 {
		return pick("used", "free", `used{mount="/"}`, "free", "rate(used[2m])", "max_over_time(free[1m])", `{__name__="disk_free"}`, "2", "hour()", "vector(3)")
	}
	sub := func() string { return randomExpr(random, random.IntN(depth)) }
	grouping := func() string {
		return pick(" ", " by (host) ", " by (mount) ", " by (host, mount) ", " without (mount) ", " without (host) ", " without (key) ")
	}
	switch random.IntN(5) {
	case 0:
		return pick("sum", "max", "count", "avg", "group") + grouping() + "(" + sub() + ")"
	case 1:
		return pick("topk", "bottomk") + grouping() + "(1, " + sub() + ")"
	case 2:
		if random.IntN(6) == 0 {
			return "label_replace(" + sub() + `, "` + pick("host", "mount", "x") + `", "a", "mount", ".*")`
		}
		return pick("absent", "abs", "scalar", "ceil", "sort", "timestamp", "-") + "(" + sub() + ")"
	}
	matching := pick("", "", " on (host)", " on (host, mount)", " on (mount)", " on ()", " ignoring (host)", " ignoring (mount)")
	operator := pick("+", "*", ">", "<=", "==", "and", "or", "unless")
	if strings.Contains("+*><===", operator) && matching != "" {
		matching += pick("", " group_left", " group_right", " group_left (key)")
	}
	return "(" + sub() + " " + operator + matching + " " + sub() + ")"
}

// seriesOf is a series that fires, with its value.
func seriesOf(s promql.Sample, r rulefmt.Rule) string {
	b := labels.NewBuilder(s.Metric).Del(model.MetricNameLabel)
	if host, set := r.Labels[labelHost]; set {
		b.Set(labelHost, host)
	}
	return fmt.Sprintf("%s %.6g", b.Labels(), s.F)
}
