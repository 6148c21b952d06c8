package history

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"

	"github.com/vedettehq/vedette/master/scope"
)

// scoped reads from q the series that a caller may see: those of its hosts. Expressions
// are evaluated on these alone, so no function, join or subquery reaches a series of
// another host, or one that a rule has computed from several.
func scoped(s scope.Scope, q storage.Queryable) storage.Queryable {
	if s.All() {
		return q
	}
	return storage.QueryableFunc(func(mint, maxt int64) (storage.Querier, error) {
		querier, err := q.Querier(mint, maxt)
		if err != nil {
			return nil, err
		}
		return &scopedQuerier{querier, s, hostMatchers(s)}, nil
	})
}

// hostsAtOnce bounds the hosts that one matcher names: a regular expression may be too
// long to be compiled.
const hostsAtOnce = 1000

// hostMatchers match the hosts that a scope sees now: each host by one of them.
func hostMatchers(s scope.Scope) (matchers []*labels.Matcher) {
	for names := range slices.Chunk(s.Hosts(), hostsAtOnce) {
		for i := range names {
			names[i] = regexp.QuoteMeta(names[i])
		}
		matchers = append(matchers, labels.MustNewMatcher(labels.MatchRegexp, labelHost, strings.Join(names, "|")))
	}
	return matchers
}

// scopedQuerier excludes most series that the scope does not see by the index, and checks
// the host of each remaining series, because labels may have changed since.
type scopedQuerier struct {
	storage.Querier
	scope scope.Scope
	hosts []*labels.Matcher // see hostMatchers
}

// with adds a matcher to others.
func with(matchers []*labels.Matcher, one *labels.Matcher) []*labels.Matcher {
	return append(matchers[:len(matchers):len(matchers)], one)
}

// Select implements storage.Querier.
func (q *scopedQuerier) Select(ctx context.Context, sorted bool, hints *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	switch len(q.hosts) {
	case 0:
		return storage.EmptySeriesSet()
	case 1:
		matchers = with(matchers, q.hosts[0])
	default: // the hosts are looked at below
		if hints != nil && hints.Limit > 0 {
			whole := *hints
			whole.Limit, hints = 0, &whole
		}
	}
	return &scopedSet{q.Querier.Select(ctx, sorted, hints, matchers...), q.scope}
}

// LabelValues implements storage.LabelQuerier.
func (q *scopedQuerier) LabelValues(ctx context.Context, name string, hints *storage.LabelHints, matchers ...*labels.Matcher) (
	[]string, annotations.Annotations, error,
) {
	return q.collect(func(hosts *labels.Matcher) ([]string, annotations.Annotations, error) {
		return q.Querier.LabelValues(ctx, name, hints, with(matchers, hosts)...)
	})
}

// LabelNames implements storage.LabelQuerier.
func (q *scopedQuerier) LabelNames(ctx context.Context, hints *storage.LabelHints, matchers ...*labels.Matcher) (
	[]string, annotations.Annotations, error,
) {
	return q.collect(func(hosts *labels.Matcher) ([]string, annotations.Annotations, error) {
		return q.Querier.LabelNames(ctx, hints, with(matchers, hosts)...)
	})
}

// collect returns what is found for any of the hosts, sorted and without duplicates.
func (q *scopedQuerier) collect(find func(hosts *labels.Matcher) ([]string, annotations.Annotations, error)) (
	all []string, warnings annotations.Annotations, err error,
) {
	for _, hosts := range q.hosts {
		found, more, err := find(hosts)
		if err != nil {
			return nil, warnings, err
		}
		warnings.Merge(more)
		all = append(all, found...)
	}
	slices.Sort(all)
	return slices.Compact(all), warnings, nil
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
