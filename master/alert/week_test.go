package alert

import (
	"context"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/rules"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/master/history"
)

// week is a history with the series of hosts, from a time on, a minute apart.
type week struct {
	*testing.T
	store *history.Store
	start time.Time
}

func newWeek(t *testing.T) *week {
	t.Helper()
	dir := t.TempDir()
	store, err := history.Open(history.Options{
		Dir: dir, MinFreeBytes: 1, Retention: 30 * 24 * time.Hour, OutOfOrder: 30 * 24 * time.Hour, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	w := &week{T: t, store: store, start: time.Now().Add(-10 * 24 * time.Hour).Truncate(time.Hour)}
	// The database loses count of its files, and panics, where the first of them is
	// made by a late sample while it is being compacted. So that is there before.
	w.write("", "vedette/later", nil, constant(121, math.NaN(), func(i int, v float64) float64 {
		if i == 120 {
			return 1
		}
		return v
	}))
	w.write("", "vedette/earlier", nil, constant(60, 1, nil))
	if files, err := filepath.Glob(filepath.Join(dir, "chunks_head", "0*")); err != nil || len(files) == 0 {
		t.Fatalf("there is no file of chunks yet: %v", err)
	}
	return w
}

// write gives a series its values, one for each minute; NaN is none.
func (w *week) write(host, key string, own map[string]string, values []float64) {
	w.Helper()
	l, err := inspectors.LabelsFromMap(own)
	if err != nil {
		w.Fatal(err)
	}
	series := w.store.NewSeries(host, key, l, inspectors.Gauge)
	appender := w.store.NewAppender()
	var batch []history.Sample
	for i, v := range values {
		if !math.IsNaN(v) {
			batch = append(batch, history.Sample{Series: series, T: w.start.Add(time.Duration(i) * time.Minute).UnixMilli(), V: v})
		}
	}
	for chunk := range slices.Chunk(batch, 1000) {
		if _, err := appender.Append(w.Context(), chunk); err != nil {
			w.Fatal(err)
		}
	}
}

// replay evaluates the built-in rules from one minute to another, and returns which alerts
// have fired on which hosts, and when first.
func (w *week) replay(from, to int, step time.Duration) map[string]time.Time {
	w.Helper()
	r := w.store.Rules()
	read, errs := rulefmt.Parse(builtin, false, model.UTF8Validation, r.Parser(), slog.New(slog.DiscardHandler))
	if len(errs) > 0 {
		w.Fatal(errs)
	}
	fired := make(map[string]time.Time)
	var now time.Time
	opts := &rules.ManagerOptions{
		Context: w.Context(), Logger: slog.New(slog.DiscardHandler), QueryFunc: r.Query, Queryable: r, Appendable: r, Parser: r.Parser(),
		NotifyFunc: func(_ context.Context, _ string, alerts ...*rules.Alert) {
			for _, a := range alerts {
				name := a.Labels.Get(model.AlertNameLabel) + " " + a.Labels.Get("host")
				if _, known := fired[name]; !known && a.State == rules.StateFiring {
					fired[name] = now
				}
			}
		},
	}
	manager := rules.NewManager(opts)
	var groups []*rules.Group
	for _, g := range read.Groups {
		var list []rules.Rule
		for i := range g.Rules {
			expr, err := r.Parser().ParseExpr(g.Rules[i].Expr)
			if err != nil {
				w.Fatal(err)
			}
			list = append(list, rules.NewAlertingRule(g.Rules[i].Alert, expr, time.Duration(g.Rules[i].For), time.Duration(g.Rules[i].KeepFiringFor),
				labels.FromMap(g.Rules[i].Labels), labels.FromMap(g.Rules[i].Annotations), labels.EmptyLabels(), "", false, opts.Logger))
		}
		groups = append(groups, rules.NewGroup(rules.GroupOptions{Name: g.Name, File: builtinName, Interval: step, Rules: list, Opts: opts}))
	}
	defer manager.Stop()
	go manager.Run()
	for at := w.start.Add(time.Duration(from) * time.Minute); at.Before(w.start.Add(time.Duration(to) * time.Minute)); at = at.Add(step) {
		now = at
		for _, g := range groups {
			g.Eval(w.Context(), at)
		}
	}
	return fired
}

// constant is the same for all minutes, except for those in change.
func constant(minutes int, v float64, change func(minute int, v float64) float64) []float64 {
	values := make([]float64, minutes)
	for i := range values {
		values[i] = v
		if change != nil {
			values[i] = change(i, v)
		}
	}
	return values
}

// ordinary writes what happens to an ordinary host in a week: a disk that the logs
// fill and a rotation frees, a backup every night, a package or two; memory that
// goes up and down; now and then a restart of the agent, a blip of the network, a
// correction of the clock, an inspector that fails for some minutes.
func (w *week) ordinary(host string, random *rand.Rand, minutes int) {
	base, backup, leak := 20+random.Float64()*55, 2+random.Float64()*9, random.Float64()/(24*60)
	rotate, upgrade, begins := 1+random.IntN(7), random.IntN(minutes), random.IntN(24*60)
	lasts := 20 + random.IntN(200)
	used := constant(minutes, base, func(i int, v float64) float64 {
		v += leak * float64(i%(rotate*24*60))
		if i >= upgrade {
			v += 1.5
		}
		if into := (i + 24*60 - begins) % (24 * 60); into < lasts {
			v += backup * float64(into) / float64(lasts)
		}
		return min(v+random.Float64()/10, 99)
	})
	w.write(host, "disk/used_percent", map[string]string{"mount": "/"}, used)
	w.write(host, "disk/used_percent", map[string]string{"mount": "/snap"}, constant(minutes, 100, nil))
	total, phase := float64(int64(1)<<30)*float64(1+random.IntN(64)), random.Float64()
	w.write(host, "memory/total_bytes", nil, constant(minutes, total, nil))
	w.write(host, "memory/available_bytes", nil, constant(minutes, total, func(i int, v float64) float64 {
		if random.IntN(2000) == 0 {
			return v * 0.02 // a build, for a minute
		}
		return v * (0.3 + 0.2*math.Sin(phase+float64(i)/700) + random.Float64()/20)
	}))
	rare := func(v, instead float64, atMost int) []float64 {
		left := 0
		return constant(minutes, v, func(int, float64) float64 {
			if random.IntN(3000) == 0 {
				left = 1 + random.IntN(atMost)
			}
			if left--; left >= 0 {
				return instead
			}
			return v
		})
	}
	w.write(host, "vedette/host_up", nil, rare(1, math.NaN(), 2)) // a restart is over before there is a 0
	w.write(host, "vedette/host_skew_seconds", nil, rare(0.01, 90, 5))
	w.write(host, "vedette/host_reports_queued", nil, rare(0, 400, 5))
	w.write(host, "vedette/inspector_state", map[string]string{"inspector": "tcp", "state": "failing"}, rare(math.NaN(), 1, 8))
}

// A week of ordinary hosts tells nothing; a disk that fills up for good, a host that
// goes and a master whose disk fills up are told, in time.
func TestAWeekIsQuiet(t *testing.T) {
	if testing.Short() {
		t.Skip("it replays a week")
	}
	t.Parallel()
	day, step, hosts := 24*60, 5*time.Minute, 4
	minutes := 8 * day // the first one is for the rules to know what is usual
	if text := os.Getenv("VEDETTE_TEST_WEEK_HOSTS"); text != "" {
		var err error
		if hosts, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	w := newWeek(t)
	for i := range hosts {
		w.ordinary("host-"+strconv.Itoa(i), random, minutes)
	}
	w.write("", "vedette/master_up", nil, constant(minutes, 1, nil))
	w.write("", "vedette/master_disk_headroom_bytes", nil, constant(minutes, 50e9, func(i int, v float64) float64 { return v - float64(i)*1e6 }))
	if fired := w.replay(day, minutes, step); len(fired) > 0 {
		t.Errorf("told in a quiet week: %v", fired)
	}

	bad := newWeek(t)
	full := 3 * day // when it is full
	bad.write("leaks", "disk/used_percent", map[string]string{"mount": "/"}, constant(full, 82, func(i int, v float64) float64 {
		return v + 18*float64(max(i-2*day, 0))/float64(day)
	}))
	bad.write("goes", "vedette/host_up", nil, constant(full, 1, func(i int, v float64) float64 {
		if i > day {
			return 0
		}
		return v
	}))
	bad.write("", "vedette/master_up", nil, constant(full, 1, func(i int, v float64) float64 {
		if i > 2*day {
			return math.NaN()
		}
		return v
	}))
	bad.write("", "vedette/master_disk_headroom_bytes", nil, constant(full, 50e9, func(i int, v float64) float64 {
		return v - v*float64(i)/float64(2*day)
	}))
	fired := bad.replay(10, full, step)
	for name, by := range map[string]int{ // minutes
		"disk/filling leaks": full - 10*60, "host/gone goes": day + 10, "master/disk-filling ": day + 8*60, "master/takes-no-samples ": 2*day + 30,
	} {
		at, ok := fired[name]
		if told := int(at.Sub(bad.start).Minutes()); !ok || told > by {
			t.Errorf("%s: told %v after %d minutes, want before %d", name, ok, told, by)
		}
	}
	if len(fired) != 4 {
		t.Errorf("fired: %v", fired)
	}
}
