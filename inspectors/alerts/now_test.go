package alerts

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql"

	"github.com/vedettehq/vedette/inspectors"
)

// samplesOf are runs of the inspector disk, 15 s apart.
func samplesOf(random *rand.Rand) (samples []inspectors.Sample) {
	start := time.UnixMilli(1_700_000_000_000)
	for i := range 20 {
		for _, key := range []string{"disk/used", "disk/free"} {
			for _, mount := range []string{"/", "/var"} {
				if random.IntN(8) > 0 {
					samples = append(samples, inspectors.Sample{
						Key: key, Labels: inspectors.Labels{{Name: "mount", Value: mount}}, Time: start.Add(time.Duration(i) * 15 * time.Second),
						Value: math.Floor(random.Float64() * 10),
					})
				}
			}
		}
	}
	return samples
}

// Evaluation over samples in memory gives the same as over a database of them.
func TestMemoryIsADatabase(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	m := measured("a", samplesOf(random))
	db, _ := randomSeries(t, random, nil)
	app := db.Appender(t.Context())
	for i, set := range m.labels {
		for it := m.series[i].Iterator(nil); it.Next() != 0; {
			at, v := it.At()
			if _, err := app.Append(0, set, at, v); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := app.Commit(); err != nil {
		t.Fatal(err)
	}
	engine := promql.NewEngine(promql.EngineOpts{MaxSamples: 1e6, Timeout: time.Minute})
	compared := 0
	for range 500 {
		rules, faults := Rules(probe(t, "disk", "alert a warning "+randomExpr(random, 3)))
		if faults.Err() != nil {
			continue
		}
		want, wantErr := fires(t.Context(), engine, db, m.at, rules)
		vector, err := m.query(t.Context(), rules[0].Expr, m.at)
		if (err != nil) != (wantErr != nil) {
			t.Errorf("%s gives %v, and of a database %v", rules[0].Expr, err, wantErr)
			continue
		}
		got := texts(vector)
		compared += len(got)
		if err == nil && !slices.Equal(got, want) {
			t.Errorf("%s gives\n%s\nand of a database\n%s", rules[0].Expr, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	if compared < 100 {
		t.Errorf("only %d series were compared", compared)
	}
}

func TestLook(t *testing.T) {
	at := time.UnixMilli(1_700_000_000_000)
	samples := []inspectors.Sample{
		{Key: "disk/used", Labels: inspectors.Labels{{Name: "mount", Value: "/"}}, Time: at, Value: 91},
		{Key: "disk/used", Labels: inspectors.Labels{{Name: "mount", Value: "/var"}}, Time: at, Value: 12},
	}
	p := probe(t, "disk", `alert filling warning used > 90 for 10m "{{ $labels.mount }} of {{ $labels.host }} is {{ $value }} % full, {{ $labels.severity }}"`,
		"alert full critical used > 97", "alert empty info used < (-5)", "alert growing info rate(used[5m]) > 1",
		"alert odd info used and used", "alert wrong info used >")
	got := Look(t.Context(), p, "web-1", samples)
	if len(got) != 5 {
		t.Fatalf("got %+v", got)
	}
	filling, full, empty, growing, odd := got[0], got[1], got[2], got[3], got[4]
	if len(filling.Fires) != 1 || filling.Fires[0].Summary != "/ of web-1 is 91 % full, warning" || filling.Fires[0].Labels["mount"] != "/" ||
		len(filling.Fires[0].Labels) != 1 || filling.For != 10*time.Minute || filling.Operator != ">" || filling.Threshold != 90 {
		t.Errorf("filling: %+v", filling)
	}
	if len(full.Fires) != 0 || len(full.Nearest) != 2 || full.Nearest[0].Value != 91 {
		t.Errorf("full: %+v", full)
	}
	if len(empty.Fires) != 0 || empty.Threshold != -5 || empty.Nearest[0].Value != 12 {
		t.Errorf("empty: %+v", empty)
	}
	if len(growing.Fires)+len(growing.Nearest) != 0 || growing.Operator != ">" {
		t.Errorf("growing: %+v", growing)
	}
	if len(odd.Fires) != 2 || odd.Operator != "" {
		t.Errorf("odd: %+v", odd)
	}
}

// texts are the series of a vector, with their values.
func texts(vector promql.Vector) (list []string) {
	for _, s := range vector {
		list = append(list, seriesOf(s, rulefmt.Rule{}))
	}
	slices.Sort(list)
	return list
}
