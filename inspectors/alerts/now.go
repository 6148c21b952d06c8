package alerts

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/template"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"

	"github.com/vedettehq/vedette/inspectors"
)

const (
	nowWithin  = 10 * time.Second
	nowSamples = 10_000_000
)

// Now is the state of one alert, judged by the samples of some runs.
type Now struct {
	Name, Severity string
	For            time.Duration
	// Fires are the series for which the alert holds.
	Fires []Holds
	// Operator and Threshold belong to an expression that compares with a number; Operator
	// is "" otherwise. If the alert holds for no series, Nearest are the values on the
	// other side, the closest first.
	Operator  string
	Threshold float64
	Nearest   []Holds
	// Err says why the alert could not be evaluated.
	Err error
}

// Holds is a series with its value.
type Holds struct {
	Labels  map[string]string
	Value   float64
	Summary string // the summary; "" for a series that does not fire
}

// Look evaluates the alerts of a probe as the master would now, over samples that one
// host has measured so far. Alerts without a rule, which Rules finds faulty, are left out.
func Look(ctx context.Context, p Probe, host string, samples []inspectors.Sample) (list []Now) {
	ctx, cancel := context.WithTimeout(ctx, nowWithin)
	defer cancel()
	m := measured(host, samples)
	for _, a := range p.Said.Alerts {
		rule, faults := p.rule(a)
		if faults != nil {
			continue
		}
		one := Now{Name: rule.Alert, Severity: a.Severity, For: a.For}
		vector, err := m.query(ctx, rule.Expr, m.at)
		one.Err = err
		for _, s := range vector {
			set := s.Metric.Map()
			delete(set, model.MetricNameLabel)
			maps.Copy(set, rule.Labels)
			h := holds(s)
			h.Summary = m.expand(ctx, rule.Annotations["summary"], set, s)
			one.Fires = append(one.Fires, h)
		}
		if expr, _, faults := p.condition(a); faults == nil {
			m.compare(ctx, expr, &one)
		}
		list = append(list, one)
	}
	return list
}

func holds(s promql.Sample) Holds {
	set := s.Metric.Map()
	for _, name := range []string{model.MetricNameLabel, labelKey, labelHost} {
		delete(set, name)
	}
	return Holds{Labels: set, Value: s.F}
}

// compare looks at the values that an expression compares with a number, if it does.
func (m *memory) compare(ctx context.Context, expr parser.Expr, one *Now) {
	values, op, limit, ok := compares(expr)
	if !ok {
		return
	}
	one.Operator, one.Threshold = op.String(), limit
	if len(one.Fires) > 0 || one.Err != nil {
		return
	}
	vector, err := m.query(ctx, values.String(), m.at)
	if err != nil {
		return
	}
	for _, s := range vector {
		one.Nearest = append(one.Nearest, holds(s))
	}
	slices.SortStableFunc(one.Nearest, func(a, b Holds) int {
		return cmp.Compare(-math.Abs(b.Value-limit), -math.Abs(a.Value-limit)) // NaN last
	})
}

// number is the value of an expression that is a number.
func number(expr parser.Expr) (float64, bool) {
	switch e := expr.(type) {
	case *parser.NumberLiteral:
		return e.Val, true
	case *parser.ParenExpr:
		return number(e.Expr)
	case *parser.UnaryExpr:
		v, ok := number(e.Expr)
		if e.Op == parser.SUB {
			v = -v
		}
		return v, ok
	}
	return 0, false
}

// memory is a database of the samples of some runs. It implements storage.Queryable and
// storage.Querier.
type memory struct {
	engine *promql.Engine
	series []*storage.SeriesEntry
	labels []labels.Labels
	at     time.Time // of the last sample
}

// point is a sample of a series.
type point struct {
	t int64
	v float64
}

func (p point) T() int64                      { return p.t }
func (p point) ST() int64                     { return 0 }
func (p point) F() float64                    { return p.v }
func (p point) H() *histogram.Histogram       { return nil }
func (p point) FH() *histogram.FloatHistogram { return nil }
func (p point) Type() chunkenc.ValueType      { return chunkenc.ValFloat }
func (p point) Copy() chunks.Sample           { return p }

// measured makes the database that the master would have of these samples.
func measured(host string, samples []inspectors.Sample) *memory {
	m := &memory{engine: promql.NewEngine(promql.EngineOpts{
		MaxSamples: nowSamples, Timeout: nowWithin, EnableAtModifier: true, EnableNegativeOffset: true,
		NoStepSubqueryIntervalFn: func(int64) int64 { return time.Minute.Milliseconds() },
	})}
	points, sets := make(map[string][]chunks.Sample), make(map[string]labels.Labels)
	for _, s := range samples {
		b := labels.NewBuilder(labels.EmptyLabels())
		for _, l := range s.Labels {
			b.Set(l.Name, l.Value)
		}
		set := b.Set(model.MetricNameLabel, inspectors.MetricName(s.Key)).Set(labelHost, host).Set(labelKey, s.Key).Labels()
		id, t := set.String(), s.Time.UnixMilli()
		if all := points[id]; len(all) == 0 || all[len(all)-1].T() < t {
			points[id], sets[id] = append(all, point{t, s.Value}), set
		}
		if s.Time.After(m.at) {
			m.at = s.Time
		}
	}
	for _, id := range slices.Sorted(maps.Keys(sets)) {
		m.series = append(m.series, storage.NewListSeries(sets[id], points[id]))
		m.labels = append(m.labels, sets[id])
	}
	return m
}

func (m *memory) query(ctx context.Context, text string, at time.Time) (promql.Vector, error) {
	q, err := m.engine.NewInstantQuery(ctx, m, nil, text, at)
	if err != nil {
		return nil, err
	}
	defer q.Close()
	result := q.Exec(ctx)
	if result.Err != nil {
		return nil, result.Err
	}
	vector, err := result.Vector()
	return slices.Clone(vector), err
}

// expand renders the summary of an alert; a fault is shown in its place, as the master
// does.
func (m *memory) expand(ctx context.Context, text string, set map[string]string, s promql.Sample) string {
	const names = "{{$labels := .Labels}}{{$value := .Value}}"
	expander := template.NewTemplateExpander(ctx, names+text, "__alert", template.AlertTemplateData(set, nil, "", s),
		model.TimeFromUnixNano(m.at.UnixNano()), m.query, nil, nil)
	told, err := expander.Expand()
	if err != nil {
		return fmt.Sprintf("<error expanding template: %v>", err)
	}
	return told
}

// Querier implements storage.Queryable.
func (m *memory) Querier(int64, int64) (storage.Querier, error) { return m, nil }

// Select implements storage.Querier.
func (m *memory) Select(_ context.Context, _ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	var found seriesSet
	for i, set := range m.labels {
		if !slices.ContainsFunc(matchers, func(one *labels.Matcher) bool { return !one.Matches(set.Get(one.Name)) }) {
			found.rest = append(found.rest, m.series[i])
		}
	}
	return &found
}

// LabelValues implements storage.Querier; no expression asks for it.
func (m *memory) LabelValues(context.Context, string, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}

// LabelNames implements storage.Querier; no expression asks for it.
func (m *memory) LabelNames(context.Context, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}

// Close implements storage.Querier.
func (m *memory) Close() error { return nil }

// seriesSet implements storage.SeriesSet.
type seriesSet struct {
	now  *storage.SeriesEntry
	rest []*storage.SeriesEntry
}

// Next implements storage.SeriesSet.
func (s *seriesSet) Next() bool {
	if len(s.rest) == 0 {
		return false
	}
	s.now, s.rest = s.rest[0], s.rest[1:]
	return true
}

// At implements storage.SeriesSet.
func (s *seriesSet) At() storage.Series { return s.now }

// Err implements storage.SeriesSet.
func (s *seriesSet) Err() error { return nil }

// Warnings implements storage.SeriesSet.
func (s *seriesSet) Warnings() annotations.Annotations { return nil }
