package history

import (
	"context"
	"regexp"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"

	"github.com/vedettehq/vedette/master/scope"
)

// scoped reads from q what a caller may see: the series of its hosts. Expressions are
// evaluated on that alone, so no function, join or subquery reaches a series of another
// host, or one that a rule has made of several.
func scoped(s scope.Scope, q storage.Queryable) storage.Queryable {
	if s.All() {
		return q
	}
	return storage.QueryableFunc(func(mint, maxt int64) (storage.Querier, error) {
		querier, err := q.Querier(mint, maxt)
		if err != nil {
			return nil, err
		}
		return &scopedQuerier{querier, s, hostMatcher(s)}, nil
	})
}

// hostMatcher matches the hosts that a scope sees now, and is nil where it sees none.
func hostMatcher(s scope.Scope) *labels.Matcher {
	names := s.Hosts()
	if len(names) == 0 {
		return nil
	}
	for i := range names {
		names[i] = regexp.QuoteMeta(names[i])
	}
	return labels.MustNewMatcher(labels.MatchRegexp, labelHost, strings.Join(names, "|"))
}

// scopedQuerier has the index leave out most of what the scope does not see, and looks
// at the host of each series: labels may have changed since.
type scopedQuerier struct {
	storage.Querier
	scope scope.Scope
	hosts *labels.Matcher // or nil for none
}

func (q *scopedQuerier) narrowed(matchers []*labels.Matcher) []*labels.Matcher {
	return append(matchers[:len(matchers):len(matchers)], q.hosts)
}

// Select implements storage.Querier.
func (q *scopedQuerier) Select(ctx context.Context, sorted bool, hints *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	if q.hosts == nil {
		return storage.EmptySeriesSet()
	}
	return &scopedSet{q.Querier.Select(ctx, sorted, hints, q.narrowed(matchers)...), q.scope}
}

// LabelValues implements storage.LabelQuerier.
func (q *scopedQuerier) LabelValues(ctx context.Context, name string, hints *storage.LabelHints, matchers ...*labels.Matcher) (
	[]string, annotations.Annotations, error,
) {
	if q.hosts == nil {
		return nil, nil, nil
	}
	return q.Querier.LabelValues(ctx, name, hints, q.narrowed(matchers)...)
}

// LabelNames implements storage.LabelQuerier.
func (q *scopedQuerier) LabelNames(ctx context.Context, hints *storage.LabelHints, matchers ...*labels.Matcher) (
	[]string, annotations.Annotations, error,
) {
	if q.hosts == nil {
		return nil, nil, nil
	}
	return q.Querier.LabelNames(ctx, hints, q.narrowed(matchers)...)
}

// scopedSet skips the series of hosts that the scope does not see.
type scopedSet struct {
	storage.SeriesSet
	scope scope.Scope
}

// Next implements storage.SeriesSet.
func (s *scopedSet) Next() bool {
	for s.SeriesSet.Next() {
		if s.scope.Sees(s.At().Labels().Get(labelHost)) {
			return true
		}
	}
	return false
}
