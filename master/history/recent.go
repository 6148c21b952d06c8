package history

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/vedettehq/vedette/inspectors"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

// Lookback is how long after its last sample a series still has a value in PromQL, unless
// its end is marked.
const Lookback = 5 * time.Minute

// End returns the value of a sample that marks the end of a series, like that of
// Prometheus: from its time on the series has no value.
func End() float64 { return math.Float64frombits(value.StaleNaN) }

// Recent returns the series of a key, of all hosts, that still have a value at a time,
// which must not be before their newest sample. They are ready to be appended to.
func (s *Store) Recent(ctx context.Context, key string, at time.Time) ([]RecentSeries, error) {
	gen, release, err := s.acquire()
	if err != nil {
		return nil, err
	}
	defer release()
	querier, err := gen.db.Querier(at.Add(-Lookback).UnixMilli(), at.UnixMilli())
	if err != nil {
		return nil, fmt.Errorf("cannot read the history: %w", err)
	}
	defer querier.Close()
	set := querier.Select(ctx, false, nil,
		labels.MustNewMatcher(labels.MatchEqual, model.MetricNameLabel, inspectors.MetricName(key)),
		labels.MustNewMatcher(labels.MatchEqual, labelKey, key))
	var recent []RecentSeries
	var iterator chunkenc.Iterator
	for set.Next() {
		series, last := set.At(), End()
		iterator = series.Iterator(iterator)
		for kind := iterator.Next(); kind != chunkenc.ValNone; kind = iterator.Next() {
			if kind == chunkenc.ValFloat {
				_, last = iterator.At()
			}
		}
		if err := iterator.Err(); err != nil {
			return nil, fmt.Errorf("cannot read the series %s: %w", series.Labels(), err)
		}
		if !value.IsStaleNaN(last) {
			lset := series.Labels()
			recent = append(recent, RecentSeries{
				Series: &Series{host: lset.Get(labelHost), labels: lset},
				Host:   lset.Get(labelHost),
				Labels: ownLabels(lset),
			})
		}
	}
	if err := set.Err(); err != nil {
		return nil, fmt.Errorf("cannot read the history: %w", err)
	}
	return recent, nil
}

// RecentSeries is a series that had a sample recently.
type RecentSeries struct {
	*Series
	Host   string
	Labels map[string]string
}
