package history

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
)

// What people write for an exporter works on its series here: random expressions give
// the same over our series, which have the label key, as Prometheus' own engine gives
// over those of the exporter, which have none.
func TestOperatorsIgnoreTheKey(t *testing.T) {
	random := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	ours, theirs := openStore(t, Options{}), openStore(t, Options{})
	at := time.Now().Truncate(time.Second)
	fillAlike(t, random, ours, theirs, at)
	gen, release, err := theirs.acquire()
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	plain := promql.NewEngine(promql.EngineOpts{
		MaxSamples: 1e6, Timeout: time.Minute, LookbackDelta: queryLookback,
		NoStepSubqueryIntervalFn: func(int64) int64 { return subqueryStep.Milliseconds() },
	})
	rules, some, faults := ours.Rules(), 0, 0
	for range 1500 {
		text := randomVector(random, 4)
		got, gotErr := rules.Query(t.Context(), text, at)
		query, err := plain.NewInstantQuery(t.Context(), gen.db, nil, text, at)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		result := query.Exec(t.Context())
		// Where two series differ by nothing but the key, both are in the result here.
		if gotErr != nil && result.Err == nil {
			t.Fatalf("%s\nhere:       %v\nPrometheus: %v", text, gotErr, result.Err)
		}
		if result.Err != nil {
			faults++
			query.Close()
			continue
		}
		want, _ := result.Vector()
		if g, w := withoutKey(got), withoutKey(want); g != w {
			t.Fatalf("%s\nhere:\n%s\nPrometheus:\n%s", text, g, w)
		}
		if len(got) > 0 {
			some++
		}
		query.Close()
	}
	if some < 500 || faults > 1000 {
		t.Errorf("only %d of 1500 expressions gave something, and %d were faults", some, faults)
	}
}

// fillAlike writes the same series into both, with keys and without.
func fillAlike(t *testing.T, random *rand.Rand, ours, theirs *Store, at time.Time) {
	t.Helper()
	var with, without []Sample
	for _, name := range []string{"a_bytes", "b_bytes", "c_total", "d_total"} {
		for _, host := range []string{"web-1", "web-2"} {
			for _, cpu := range []string{"", "0", "1"} {
				own := labelled(t, "cpu", cpu, "mode", []string{"idle", "user"}[random.IntN(2)])
				if cpu == "" {
					own = nil
				}
				set := labels.NewBuilder(seriesLabels(host, name, own)).Del(labelKey).Labels()
				for i := range 5 {
					s := Sample{
						Series: &Series{host: host, labels: seriesLabels(host, name, own)}, T: at.Add(-time.Duration(4-i) * 15 * time.Second).UnixMilli(),
						V: float64(i + random.IntN(4)),
					}
					with = append(with, s)
					s.Series = &Series{host: host, labels: set}
					without = append(without, s)
				}
			}
		}
	}
	add(t, ours, with...)
	add(t, theirs, without...)
}

// randomVector writes an expression of so many levels at most.
func randomVector(random *rand.Rand, levels int) string {
	pick := func(of ...string) string { return of[random.IntN(len(of))] }
	name := pick("a_bytes", "b_bytes", "c_total", "d_total") + pick("", "", `{cpu=""}`, `{cpu!=""}`, `{host="web-1"}`, `{mode="idle"}`)
	if levels == 0 {
		return pick(name, "rate("+name+"[1m])", "max_over_time("+name+"[30s])")
	}
	inner := func() string { return randomVector(random, random.IntN(levels)) }
	names := pick("", "host", "cpu", "cpu, mode", "host, mode")
	switch random.IntN(8) {
	case 0, 1, 2:
		match := pick("", "", "ignoring ("+names+")", "on ("+names+")")
		op := pick("+", "/", "*", "-", "> bool", ">", "<=", "==", "atan2")
		if match != "" {
			match += pick("", "", " group_left ()", " group_right ()", " group_left (mode)")
			if strings.Contains(names, "mode") { // it cannot be in both
				match = strings.Replace(match, "(mode)", "()", 1)
			}
		}
		return "(" + inner() + " " + op + " " + match + " " + inner() + ")"
	case 3:
		return "(" + inner() + pick(" and ", " or ", " unless ") + pick("", "", "ignoring ("+names+") ", "on ("+names+") ") + inner() + ")"
	case 4:
		return pick("sum", "max", "count", "avg") + pick(" without ", " by ") + "(" + names + ") (" + inner() + ")"
	case 5:
		return pick("abs", "ceil", "-", "") + "(" + inner() + ")"
	case 6:
		// What a subquery gathers at one step is another series than at the next if its key is.
		return "max_over_time(max by (host, cpu, mode) (" + inner() + ")[1m:15s])"
	default:
		return "(" + inner() + pick(" > ", " * ", " + ") + pick("0", "1", "2.5") + ")"
	}
}

func withoutKey(vector promql.Vector) string {
	var lines []string
	for _, s := range vector {
		lines = append(lines, fmt.Sprintf("%s %.9g", labels.NewBuilder(s.Metric).Del(labelKey).Labels(), s.F))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func TestOperatorsMatchTheKeyWhereTheyNameIt(t *testing.T) {
	s := openStore(t, Options{})
	at := time.Now().Truncate(10 * time.Second)
	for i, key := range []string{"memory/available_bytes", "memory/total_bytes"} {
		add(t, s, Sample{Series: s.NewSeries("web-1", key, nil, 0), T: at.UnixMilli(), V: float64(1 + i)})
	}
	for text, want := range map[string]string{
		"memory_available_bytes / memory_total_bytes":                          `{host="web-1"} 0.5`,
		"memory_available_bytes / ignoring (key) memory_total_bytes":           `{host="web-1"} 0.5`,
		"memory_available_bytes / on (key) memory_total_bytes":                 "",
		"memory_available_bytes / on (host) group_left memory_total_bytes":     `{host="web-1", key="memory/available_bytes"} 0.5`,
		"max without (cpu) (memory_total_bytes)":                               `{host="web-1"} 2`,
		"max without (cpu, key) (memory_total_bytes)":                          `{host="web-1"} 2`,
		"max by (host, key) (memory_total_bytes)":                              `{host="web-1", key="memory/total_bytes"} 2`,
		`memory_total_bytes{key="memory/total_bytes"} > 1`:                     `{__name__="memory_total_bytes", host="web-1", key="memory/total_bytes"} 2`,
		"max_over_time((memory_available_bytes / memory_total_bytes)[1m:10s])": `{host="web-1"} 0.5`,
	} {
		got, err := s.Rules().Query(t.Context(), text, at.Add(time.Second))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		var lines []string
		for _, one := range got {
			lines = append(lines, fmt.Sprintf("%s %g", one.Metric, one.F))
		}
		if all := strings.Join(lines, "\n"); all != want {
			t.Errorf("%s gives %q, want %q", text, all, want)
		}
	}
	if _, err := s.engine.parser.ParseExpr("a / ("); err == nil {
		t.Error("a fault passes")
	}
	if expr, err := s.engine.parser.ParseExpr("a / b"); err != nil || expr.String() != "a / b" {
		t.Errorf("what is shown is %v, %v", expr, err)
	}
}
