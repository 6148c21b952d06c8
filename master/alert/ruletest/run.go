// Package ruletest runs tests of rules: files in the format of promtool test rules. A test
// gives samples, and says which alerts fire at a time and what expressions give. It runs
// over a database in a temporary folder, with the engine that evaluates rules in a master.
// Without rule_files the rules are those of the inspector beside the file: disk.go for
// disk.test.yaml.
package ruletest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/tsdb"

	"github.com/vedettehq/vedette/internal/tempdir"
	"github.com/vedettehq/vedette/master/history"
)

// tempPrefix begins the names of the temporary folders.
const tempPrefix = "vedette-ruletest-"

// Result has the outcome of the tests of a file.
type Result struct {
	// Tests is how many there are.
	Tests int
	// Failures are the expectations that did not hold, in the order of the tests.
	Failures []Failure
}

// Run runs the tests of a file. It returns an error if the file cannot be used, or its
// rules cannot be evaluated.
func Run(ctx context.Context, path string) (Result, error) {
	log := slog.New(slog.DiscardHandler)
	engine, syntax := history.NewRuleEngine(log)
	f, err := read(path, syntax)
	if err != nil {
		return Result{}, err
	}
	loader, err := readRules(path, f, syntax)
	if err != nil {
		return Result{}, err
	}
	result := Result{Tests: len(f.Tests)}
	for i := range f.Tests {
		r := &run{test: &f.Tests[i], file: f, loader: loader, engine: engine, log: log}
		if err := r.all(ctx); err != nil {
			return result, fmt.Errorf("cannot run the test %q of %s: %w", r.test.Name, path, err)
		}
		result.Failures = append(result.Failures, r.failures...)
	}
	return result, nil
}

// run is one test while it runs.
type run struct {
	test   *test
	file   *file
	loader ruleFiles
	engine *promql.Engine
	log    *slog.Logger

	db       *tsdb.DB
	loaded   int // how many samples of each series are in the database
	groups   []*rules.Group
	failures []Failure
}

// all runs the test in a separate database.
func (r *run) all(ctx context.Context) (err error) {
	folder, remove, err := tempdir.Make(tempPrefix)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	opts := tsdb.DefaultOptions()
	opts.RetentionDuration = 0
	opts.WALSegmentSize = -1                                // nothing outlives the test
	opts.MinBlockDuration = (24 * time.Hour).Milliseconds() // samples are from one end of it to the other
	opts.MaxBlockDuration = opts.MinBlockDuration
	if r.db, err = tsdb.Open(folder, r.log, nil, opts, tsdb.NewDBStats()); err != nil {
		return fmt.Errorf("cannot open a database for the test: %w", err)
	}
	defer func() { err = errors.Join(err, r.db.Close()) }()
	r.db.DisableCompactions()
	query := rules.EngineQueryFunc(r.engine, r.db)
	if err := r.load(ctx, query); err != nil {
		return err
	}
	if err := r.evaluate(ctx); err != nil {
		return err
	}
	for i := range r.test.Exprs {
		r.expr(ctx, query, &r.test.Exprs[i])
	}
	return ctx.Err()
}

// load makes the groups of rules, in the order in which they are evaluated.
func (r *run) load(ctx context.Context, query rules.QueryFunc) error {
	manager := rules.NewManager(&rules.ManagerOptions{
		Context: ctx, Logger: r.log, QueryFunc: query, Queryable: r.db, Appendable: r.db,
		NotifyFunc:  func(context.Context, string, ...*rules.Alert) {},
		GroupLoader: r.loader, Parser: r.loader.syntax,
	})
	for _, f := range r.loader.list {
		made, errs := manager.LoadGroups(r.test.step, labels.FromMap(r.test.ExternalLabels), r.test.ExternalURL, nil, false, f.name)
		if len(errs) > 0 {
			return errors.Join(errs...)
		}
		for _, g := range f.groups.Groups {
			r.groups = append(r.groups, made[rules.GroupKey(f.name, g.Name)])
		}
	}
	slices.SortStableFunc(r.groups, func(a, b *rules.Group) int {
		return cmp.Compare(r.file.rank[a.Name()], r.file.rank[b.Name()])
	})
	for _, rule := range r.alertingRules() {
		rule.SetRestored(true) // or it writes no series ALERTS
	}
	return nil
}

func (r *run) alertingRules() (list []*rules.AlertingRule) {
	for _, g := range r.groups {
		list = append(list, g.AlertingRules()...)
	}
	return list
}

// evaluate evaluates the rules from the start to the last case. A case about alerts
// looks at the last evaluation before its time, or at it.
func (r *run) evaluate(ctx context.Context) error {
	for after := time.Duration(0); after <= r.test.end; after += r.file.every {
		at := r.test.start.Add(after)
		if err := r.append(ctx, after); err != nil {
			return err
		}
		for _, g := range r.groups {
			g.Eval(ctx, at)
			for _, rule := range g.Rules() {
				if err := rule.LastError(); err != nil {
					return fmt.Errorf("cannot evaluate the rule %q at %s: %w", rule.Name(), after, err)
				}
			}
		}
		for i := range r.test.Alerts {
			if c := &r.test.Alerts[i]; after <= c.at && c.at < after+r.file.every {
				r.alerts(c)
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// append puts the samples up to a time into the database.
func (r *run) append(ctx context.Context, until time.Duration) error {
	from, to := r.loaded, int(until/r.test.step)+1
	appender := r.db.Appender(ctx)
	for i := range r.test.InputSeries {
		s := &r.test.InputSeries[i]
		for n := from; n < min(to, len(s.values)); n++ {
			v, at := s.values[n], r.test.start.Add(time.Duration(n)*r.test.step).UnixMilli()
			var err error
			switch {
			case v.Omitted:
			case v.Histogram != nil:
				_, err = appender.AppendHistogram(0, s.labels, at, nil, v.Histogram)
			default:
				_, err = appender.Append(0, s.labels, at, v.Value)
			}
			if err != nil {
				return errors.Join(fmt.Errorf("cannot take the value %d of the series %s: %w", n+1, s.labels, err), appender.Rollback())
			}
		}
	}
	r.loaded = to
	return appender.Commit()
}

// alerts compares the firing alerts of a name with the expected ones.
func (r *run) alerts(c *alertCase) {
	var expected, got []alert
	for _, e := range c.ExpAlerts {
		b := labels.NewBuilder(labels.FromMap(e.Labels)).Set(labels.AlertName, c.Alertname)
		expected = append(expected, alert{b.Labels(), labels.FromMap(e.Annotations)})
	}
	for _, rule := range r.alertingRules() {
		if rule.Name() != c.Alertname {
			continue
		}
		for _, a := range rule.ActiveAlerts() {
			if a.State == rules.StateFiring {
				got = append(got, alert{a.Labels, a.Annotations})
			}
		}
	}
	slices.SortStableFunc(expected, alert.compare)
	slices.SortStableFunc(got, alert.compare)
	if !slices.EqualFunc(expected, got, alert.equal) {
		r.fail(c.place, fmt.Sprintf("the alert %s at %s", c.Alertname, c.EvalTime), pair(expected, got))
	}
}

// expr compares what an expression yields with what is expected.
func (r *run) expr(ctx context.Context, query rules.QueryFunc, c *exprCase) {
	what := fmt.Sprintf("%s at %s", c.Expr, c.EvalTime)
	vector, err := query(ctx, c.Expr, r.test.start.Add(c.at))
	if err != nil {
		r.fail(c.place, fmt.Sprintf("%s: cannot evaluate the expression: %v", what, err), nil)
		return
	}
	var expected, got []sample
	for _, s := range c.ExpSamples {
		expected = append(expected, s.sample)
	}
	for _, s := range vector {
		got = append(got, sample{s.Metric, s.F, histogramText(s.H)})
	}
	slices.SortStableFunc(expected, sample.compare)
	slices.SortStableFunc(got, sample.compare)
	equal := func(a, b sample) bool {
		return a.compare(b) == 0 && a.histogram == b.histogram && sameNumber(a.value, b.value, r.file.FuzzyCompare)
	}
	if !slices.EqualFunc(expected, got, equal) {
		r.fail(c.place, what, pair(expected, got))
	}
}

// sameNumber reports whether two numbers are equal, or neighbours if that is enough.
func sameNumber(a, b float64, fuzzy bool) bool {
	if a == b || math.IsNaN(a) && math.IsNaN(b) {
		return true
	}
	return fuzzy && (math.Nextafter(a, math.Inf(1)) == b || math.Nextafter(a, math.Inf(-1)) == b)
}

func (r *run) fail(place, what string, rows []row) {
	r.failures = append(r.failures, Failure{Place: place, Test: r.test.Name, Subject: what, rows: rows})
}
