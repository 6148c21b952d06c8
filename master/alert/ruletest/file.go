package ruletest

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/vedettehq/vedette/config"
)

// defaultInterval is how often rules are evaluated if a file does not say, and longest
// bounds all durations.
const (
	defaultInterval = time.Minute
	longest         = 100 * 365 * 24 * time.Hour
)

// file is a file of tests. Fields without a tag are computed from those with one.
type file struct {
	RuleFiles          []string `yaml:"rule_files"`
	EvaluationInterval string   `yaml:"evaluation_interval"`
	GroupEvalOrder     []string `yaml:"group_eval_order"`
	FuzzyCompare       bool     `yaml:"fuzzy_compare"`
	Tests              []test   `yaml:"tests"`

	every time.Duration
	rank  map[string]int // of groups, by name
}

// test is samples, and what should follow from them.
type test struct {
	Name           string            `yaml:"name"`
	Interval       string            `yaml:"interval"`
	InputSeries    []inputSeries     `yaml:"input_series"`
	Alerts         []alertCase       `yaml:"alert_rule_test"`
	Exprs          []exprCase        `yaml:"promql_expr_test"`
	ExternalLabels map[string]string `yaml:"external_labels"`
	ExternalURL    string            `yaml:"external_url"`
	StartTimestamp string            `yaml:"start_timestamp"`

	step  time.Duration // between the samples of a series
	start time.Time
	end   time.Duration // of the last case, from the start
}

type inputSeries struct {
	Series string `yaml:"series"`
	Values string `yaml:"values"`

	labels labels.Labels
	values []parser.SequenceValue
}

// alertCase says which alerts of a name fire at a time.
type alertCase struct {
	EvalTime  string          `yaml:"eval_time"`
	Alertname string          `yaml:"alertname"`
	ExpAlerts []expectedAlert `yaml:"exp_alerts"`

	at    time.Duration
	place string
}

type expectedAlert struct {
	Labels      map[string]string `yaml:"exp_labels"`
	Annotations map[string]string `yaml:"exp_annotations"`
}

// exprCase says what an expression gives at a time.
type exprCase struct {
	Expr       string           `yaml:"expr"`
	EvalTime   string           `yaml:"eval_time"`
	ExpSamples []expectedSample `yaml:"exp_samples"`

	at    time.Duration
	place string
}

type expectedSample struct {
	Labels    string `yaml:"labels"`
	Value     string `yaml:"value"`
	Histogram string `yaml:"histogram"`

	sample sample
}

// reader parses a file, and collects its faults.
type reader struct {
	*config.Document
	syntax parser.Parser // of expressions
	series parser.Parser // of input series, which are not expressions
}

// read reads a file of tests. The error has every fault, at its place.
func read(path string, syntax parser.Parser) (*file, error) {
	f := &file{}
	doc, err := config.ReadDocument(path, f)
	if err != nil {
		return nil, err
	}
	r := reader{doc, syntax, parser.NewParser(parser.Options{})}
	f.every = r.duration("evaluation_interval", f.EvaluationInterval, defaultInterval)
	f.rank = make(map[string]int, len(f.GroupEvalOrder))
	for i, name := range f.GroupEvalOrder {
		if _, twice := f.rank[name]; twice {
			r.Fault(fmt.Sprintf("group_eval_order[%d]", i), "the group %q is named twice; remove one", name)
		}
		f.rank[name] = i
	}
	if len(f.Tests) == 0 {
		r.Fault("tests", "the file has no tests; list some below tests")
	}
	for i := range f.Tests {
		r.test(fmt.Sprintf("tests[%d]", i), &f.Tests[i], i, f.every)
	}
	return f, r.Err()
}

func (r reader) test(path string, t *test, number int, every time.Duration) {
	if t.Name == "" {
		t.Name = fmt.Sprintf("unnamed#%d", number)
	}
	t.step = r.duration(path+".interval", t.Interval, every)
	t.start = r.moment(path+".start_timestamp", t.StartTimestamp)
	seen := make(map[uint64]bool)
	for i := range t.InputSeries {
		s, at := &t.InputSeries[i], fmt.Sprintf("%s.input_series[%d]", path, i)
		var err error
		if s.labels, s.values, err = r.series.ParseSeriesDesc(s.Series + " " + s.Values); err != nil {
			r.Fault(at, "the series %q with the values %q cannot be read: %v", s.Series, s.Values, err)
			continue
		}
		if hash := s.labels.Hash(); seen[hash] {
			r.Fault(at+".series", "the series %s is given twice; join their values", s.labels)
		} else {
			seen[hash] = true
		}
	}
	for i := range t.Alerts {
		c, at := &t.Alerts[i], fmt.Sprintf("%s.alert_rule_test[%d]", path, i)
		c.place, c.at = r.Place(at), r.duration(at+".eval_time", c.EvalTime, 0)
		t.end = max(t.end, c.at)
		if c.Alertname == "" {
			r.Fault(at, "the test names no alert; add alertname")
		}
	}
	for i := range t.Exprs {
		c, at := &t.Exprs[i], fmt.Sprintf("%s.promql_expr_test[%d]", path, i)
		c.place, c.at = r.Place(at), r.duration(at+".eval_time", c.EvalTime, 0)
		t.end = max(t.end, c.at)
		if _, err := r.syntax.ParseExpr(c.Expr); err != nil {
			r.Fault(at+".expr", "the expression cannot be read: %v", err)
		}
		for j := range c.ExpSamples {
			r.sample(fmt.Sprintf("%s.exp_samples[%d]", at, j), &c.ExpSamples[j])
		}
	}
}

// sample reads a sample that an expression should yield.
func (r reader) sample(path string, s *expectedSample) {
	var err error
	if s.sample.labels, err = r.series.ParseMetric(s.Labels); err != nil {
		r.Fault(path+".labels", "the labels %q cannot be read: %v", s.Labels, err)
	}
	if s.Value != "" {
		if s.sample.value, err = number(s.Value); err != nil {
			r.Fault(path+".value", "%q is not a number", s.Value)
		}
	}
	if s.Histogram == "" {
		return
	}
	_, values, err := r.series.ParseSeriesDesc("{} " + s.Histogram)
	if err != nil || len(values) != 1 || values[0].Histogram == nil {
		r.Fault(path+".histogram", "%q is not one histogram, such as {{schema:0 sum:5 count:4 buckets:[1 2 1]}}", s.Histogram)
		return
	}
	s.sample.histogram = histogramText(values[0].Histogram)
}

func histogramText(h *histogram.FloatHistogram) string {
	if h == nil {
		return ""
	}
	return h.TestExpression()
}

// number reads a number as YAML writes it.
func number(text string) (float64, error) {
	switch text {
	case ".nan", ".NaN", ".NAN":
		return math.NaN(), nil
	case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF":
		return math.Inf(1), nil
	case "-.inf", "-.Inf", "-.INF":
		return math.Inf(-1), nil
	}
	if n, err := strconv.ParseInt(text, 0, 64); err == nil {
		return float64(n), nil
	}
	return strconv.ParseFloat(text, 64)
}

// duration reads a duration in Prometheus' format. If it is absent or zero, the result is
// instead.
func (r reader) duration(path, text string, instead time.Duration) time.Duration {
	if text == "" {
		return instead
	}
	d, err := model.ParseDuration(text)
	if err != nil {
		r.Fault(path, "%v; write one such as 90s, 10m or 1d", err)
	}
	switch {
	case d == 0:
		return instead
	case time.Duration(d) > longest:
		r.Fault(path, "%s is too long; at most 100y are allowed", text)
	}
	return time.Duration(d)
}

// moment reads a time, in seconds since 1970 or in RFC 3339.
func (r reader) moment(path, text string) time.Time {
	if text == "" {
		return time.Unix(0, 0).UTC()
	}
	if seconds, err := strconv.ParseFloat(text, 64); err == nil && math.Abs(seconds) < 1e11 {
		whole, part := math.Modf(seconds)
		return time.Unix(int64(whole), int64(part*1e9)).UTC()
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		r.Fault(path, "%q is no time; write one such as 2026-01-31T12:00:00Z, or seconds since 1970", text)
	}
	return at
}
