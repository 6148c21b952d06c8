package bounds

import (
	"context"
	"fmt"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/util/annotations"
)

const (
	// maxSeriesWork bounds how many samples a function looks at in one series: the samples
	// in its window times the number of windows.
	maxSeriesWork = 4_000_000_000
	// askEvery is after how many samples the context is checked.
	askEvery = 256
)

// Queryable reads from another one, and gives up when ctx ends. The engine checks its
// context only between two series, and a series may be long.
func Queryable(ctx context.Context, q storage.Queryable) storage.Queryable {
	return storage.QueryableFunc(func(mint, maxt int64) (storage.Querier, error) {
		querier, err := q.Querier(mint, maxt)
		if err != nil {
			return nil, err
		}
		return boundedQuerier{querier, ctx}, nil
	})
}

type boundedQuerier struct {
	storage.Querier
	ctx context.Context
}

// Select implements storage.Querier.
func (q boundedQuerier) Select(ctx context.Context, sorted bool, hints *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	return &boundedSet{SeriesSet: q.Querier.Select(ctx, sorted, hints, matchers...), ctx: q.ctx, share: share(hints)}
}

// share is how many times each sample of a series is looked at: the number of windows of a
// function, times the part of the samples that is in each window.
func share(hints *storage.SelectHints) float64 {
	if hints == nil || hints.Step <= 0 || hints.Range <= 0 || hints.End <= hints.Start {
		return 0
	}
	all := float64(hints.End - hints.Start)
	window := min(float64(hints.Range), all)
	times := (all-window)/float64(hints.Step) + 1
	if sorts(hints.Func) {
		times *= sortWeight
	}
	return times * window / all
}

type boundedSet struct {
	storage.SeriesSet
	ctx   context.Context
	share float64
	err   error
}

// Next implements storage.SeriesSet.
func (s *boundedSet) Next() bool {
	if s.err == nil {
		s.err = s.ctx.Err()
	}
	return s.err == nil && s.SeriesSet.Next()
}

// At implements storage.SeriesSet.
func (s *boundedSet) At() storage.Series { return boundedSeries{s.SeriesSet.At(), s} }

// Err implements storage.SeriesSet.
func (s *boundedSet) Err() error {
	if s.err != nil {
		return s.err
	}
	return s.SeriesSet.Err()
}

// Warnings implements storage.SeriesSet.
func (s *boundedSet) Warnings() annotations.Annotations { return s.SeriesSet.Warnings() }

type boundedSeries struct {
	storage.Series
	set *boundedSet
}

// Iterator implements storage.Series.
func (s boundedSeries) Iterator(reuse chunkenc.Iterator) chunkenc.Iterator {
	it, ok := reuse.(*boundedIterator)
	if !ok {
		it = &boundedIterator{}
	}
	it.Iterator, it.set, it.read, it.err = s.Series.Iterator(it.Iterator), s.set, 0, nil
	return it
}

// boundedIterator counts what is read of one series.
type boundedIterator struct {
	chunkenc.Iterator
	set  *boundedSet
	read int
	err  error
}

func (it *boundedIterator) goesOn() bool {
	if it.err != nil {
		return false
	}
	if it.read%askEvery == 0 {
		if it.err = it.set.ctx.Err(); it.err != nil {
			return false
		}
	}
	it.read++
	if work := float64(it.read) * it.set.share; work > maxSeriesWork {
		it.err = fmt.Errorf("%w: a function looks at more than %d samples of one series, window by window; choose a wider step or a shorter range", ErrSteps,
			int64(maxSeriesWork))
		return false
	}
	return true
}

// Next implements chunkenc.Iterator.
func (it *boundedIterator) Next() chunkenc.ValueType {
	if !it.goesOn() {
		return chunkenc.ValNone
	}
	return it.Iterator.Next()
}

// Err implements chunkenc.Iterator.
func (it *boundedIterator) Err() error {
	if it.err != nil {
		return it.err
	}
	return it.Iterator.Err()
}
