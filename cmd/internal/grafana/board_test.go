package grafana

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/vedettehq/vedette/inspectors"
)

// Random series: the dashboards keep Grafana's rules. Each has a unique uid of at most 40
// plain characters, panels that do not overlap, and a query and a unit for each.
func TestBoardsKeepRules(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	word := func() string {
		letters := "abzAZ019_-.:"
		b := []byte{"abz"[random.IntN(3)]}
		for range random.IntN(60) {
			b = append(b, letters[random.IntN(len(letters))])
		}
		return string(b)
	}
	plain := regexp.MustCompile(`^[a-zA-Z0-9_-]{1,40}$`)
	for range 200 {
		var metrics []metric
		for range 1 + random.IntN(30) {
			key := word()
			if random.IntN(4) > 0 {
				key = []string{key, "disk", "disk.", "disk_", "d.isk"}[random.IntN(5)] + "/" + word() + []string{"", "_total", "_bytes", "_percent"}[random.IntN(4)]
			}
			metrics = append(metrics, metric{
				name: inspectors.MetricName(key), key: key, kind: []string{"counter", "gauge", ""}[random.IntN(3)],
				unit: []string{"", "bytes", "percent", "tasks"}[random.IntN(4)], labels: []string{"mount"}[:random.IntN(2)],
			})
		}
		uids, panels := make(map[string]bool), 0
		for _, board := range boardsOf(metrics) {
			if uids[board.UID] || !plain.MatchString(board.UID) {
				t.Errorf("seed %d: the uid %q of %q is no good", seed, board.UID, board.Title)
			}
			uids[board.UID] = true
			offersHostsOf(t, board, metrics)
			taken := make(map[string]bool)
			for _, p := range board.Panels {
				panels++
				at := fmt.Sprint(p.GridPos.X, p.GridPos.Y)
				if taken[at] || taken[fmt.Sprint("id", p.ID)] || p.GridPos.X+p.GridPos.W > 24 || p.FieldConfig.Defaults.Unit == "" || p.Title == "" {
					t.Errorf("seed %d: the panel %+v of %s is no good", seed, p, board.Title)
				}
				taken[at], taken[fmt.Sprint("id", p.ID)] = true, true
			}
		}
		if panels != len(metrics) {
			t.Errorf("seed %d: %d panels of %d metrics", seed, panels, len(metrics))
		}
	}
}

// offersHostsOf fails unless a dashboard offers exactly the hosts of its panels.
func offersHostsOf(t *testing.T, board dashboard, metrics []metric) {
	t.Helper()
	matchers, err := parser.NewParser(parser.Options{}).ParseMetricSelector(selectorIn(board.Templating.List[0].Query))
	if err != nil {
		t.Fatalf("the query %s: %v", board.Templating.List[0].Query, err)
	}
	for _, m := range metrics {
		shown := slices.ContainsFunc(board.Panels, func(p panel) bool { return strings.Contains(p.Targets[0].Expr, "key="+strconv.Quote(m.key)) })
		if offered := matchers[0].Name == "key" && matchers[0].Matches(m.key); offered != shown {
			t.Errorf("%s shows %q: %v, and offers its hosts: %v", board.Title, m.key, shown, offered)
		}
	}
}

func TestUnits(t *testing.T) {
	for _, one := range []struct {
		m          metric
		unit, expr string
	}{
		{metric{name: "disk_used_percent", key: "disk/used_percent"}, "percent", `disk_used_percent{key="disk/used_percent", host=~"$host"}`},
		{metric{name: "n_b_total", key: "n/b_total", kind: "counter", unit: "bytes"}, "Bps", `rate(n_b_total{key="n/b_total", host=~"$host"}[$__rate_interval])`},
		{metric{name: "cpu_seconds_total", key: "cpu/seconds_total", kind: "counter"}, "percentunit", ""},
		{metric{name: "load", key: "load", unit: "tasks"}, "suffix: tasks", ""},
		{metric{name: "load_average_1", key: "load/average-1"}, "short", ""},
	} {
		unit, _, _ := one.m.format()
		if unit != one.unit || one.expr != "" && one.m.expr() != one.expr {
			t.Errorf("%s has the unit %q and the query %s", one.m.name, unit, one.m.expr())
		}
	}
	var read struct {
		Datasources []struct {
			UID, Type, URL string
			JSONData       struct{ AlertmanagerUID, Implementation string }
		}
	}
	_, text, _ := strings.Cut(string(dataSources("https://m:50505")), "\n")
	if err := json.Unmarshal([]byte(text), &read); err != nil {
		t.Fatal(err)
	}
	series, alerts := read.Datasources[0], read.Datasources[1]
	if series.Type != "prometheus" || series.JSONData.AlertmanagerUID != alerts.UID ||
		alerts.URL != "https://m:50505/alertmanager" || alerts.JSONData.Implementation != "prometheus" {
		t.Errorf("the data sources are %+v", read)
	}
}
