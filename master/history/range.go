package history

import (
	"cmp"
	"container/heap"
	"context"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/master/history/admit"
	"github.com/vedettehq/vedette/master/live"
	"github.com/vedettehq/vedette/master/scope"
)

// Limits of a RangeRequest.
const (
	MaxRangePoints  = 10_000
	MaxRangeSeries  = 2_000
	maxRangeSamples = 60_000 // of one answer, which must fit into a frame
)

// ErrRange is wrapped by the errors for an invalid RangeRequest.
var ErrRange = errors.New("bad range")

// metricsPrefix is what the paths of samples begin with.
const metricsPrefix = "metrics/"

// RangeRequest asks for samples for charts.
type RangeRequest struct {
	// Pattern selects series by their path metrics/<host>/<key>, as in a
	// subscription.
	Pattern live.Pattern
	// From and To bound the time, both included, in ms since the epoch.
	From, To int64
	// Points is how many points wide the chart is, 1 to MaxRangePoints.
	Points int
	// Means asks for the mean of each column of each gauge.
	Means bool
}

// RangeSeries is one series of a RangeResult.
type RangeSeries struct {
	Host   string
	Key    string
	Labels map[string]string // or nil
	Kind   string            // gauge or counter
	// T and V are the samples, in the order of time.
	T []int64
	V []float64
	// MeanT and Mean have, for each column with a sample, when it begins and the mean of
	// its samples. They are nil for a counter, and if they were not requested.
	MeanT []int64
	Mean  []float64
}

// RangeResult is the answer to a RangeRequest.
type RangeResult struct {
	// Series are ordered by host, key and labels; those without a sample in
	// the range are left out.
	Series []RangeSeries
	// Points is how many points wide the answer is: fewer than requested if so many series
	// would not fit.
	Points int
	// Truncated is true if there are more than MaxRangeSeries.
	Truncated bool
}

// Range returns samples thinned out for a chart. The range is divided into Points columns
// of equal width. For each column the lowest and the highest sample are kept with their
// own times, so that no spike is lost. The last sample of a series is kept too, so that
// live samples continue from it. A series with at most two samples in each column is
// returned whole.
func (s *Store) Range(ctx context.Context, r RangeRequest) (RangeResult, error) {
	if err := r.validate(); err != nil {
		return RangeResult{}, err
	}
	leave, err := s.ranges.Enter(ctx)
	if err != nil {
		return RangeResult{}, rangeError(err)
	}
	defer leave()
	ctx, done := s.memory.Watch(ctx)
	defer done()
	result, err := s.readRange(ctx, r)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = rangeError(cause)
	}
	return result, err
}

// rangeError makes a BusyError from an error that may pass.
func rangeError(err error) error {
	if errors.Is(err, admit.ErrCrowded) || errors.Is(err, admit.ErrMemory) {
		return &BusyError{Reason: err.Error(), RetryAfter: time.Second}
	}
	return err
}

// readRange answers a request that has a place.
func (s *Store) readRange(ctx context.Context, r RangeRequest) (RangeResult, error) {
	gen, release, err := s.acquire()
	if err != nil {
		return RangeResult{}, err
	}
	defer release()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(gen.ctx, cancel)() // a store that closes does not wait
	querier, err := gen.db.Querier(r.From, r.To)
	if err != nil {
		return RangeResult{}, fmt.Errorf("cannot read the history: %w", err)
	}
	defer querier.Close()

	selected, truncated, err := r.selectSeries(ctx, querier)
	if err != nil {
		return RangeResult{}, err
	}
	result := RangeResult{Points: r.Points, Truncated: truncated}
	if n := len(selected); n > 0 {
		perColumn := 2
		if r.Means {
			perColumn = 3
		}
		result.Points = max(1, min(r.Points, (maxRangeSamples/n-1)/perColumn))
	}
	thin := thinner{from: r.From, width: float64(r.To-r.From+1) / float64(result.Points)}
	var iterator chunkenc.Iterator
	for _, series := range selected {
		if err := ctx.Err(); err != nil {
			return RangeResult{}, err
		}
		iterator = series.Iterator(iterator)
		means := r.Means && s.meta.kind(series.Labels().Get(model.MetricNameLabel)) != inspectors.Counter.String()
		thinned, err := thin.run(iterator, means)
		if err != nil {
			return RangeResult{}, fmt.Errorf("cannot read the series %s: %w", series.Labels(), err)
		}
		if len(thinned.T) > 0 {
			result.Series = append(result.Series, s.rangeSeries(series.Labels(), thinned))
		}
	}
	return result, nil
}

func (r *RangeRequest) validate() error {
	switch {
	case r.From > r.To:
		return fmt.Errorf("%w: it ends (%d) before it begins (%d)", ErrRange, r.To, r.From)
	case r.From < 0:
		return fmt.Errorf("%w: it begins at %d; times are in milliseconds since 1970", ErrRange, r.From)
	case r.Points < 1 || r.Points > MaxRangePoints:
		return fmt.Errorf("%w: %d points; ask for 1 to %d", ErrRange, r.Points, MaxRangePoints)
	case r.Pattern.String() == "":
		return fmt.Errorf("%w: the pattern is empty; metrics/* is every metric", ErrRange)
	}
	return nil
}

// selectSeries returns the series that match, in order.
func (r *RangeRequest) selectSeries(ctx context.Context, querier storage.Querier) ([]storage.Series, bool, error) {
	matchers, ok := pathMatchers(r.Pattern.String())
	if !ok {
		return nil, false, nil
	}
	caller := scope.From(ctx)
	set := querier.Select(ctx, false, &storage.SelectHints{Start: r.From, End: r.To}, matchers...)
	var first firstSeries
	for set.Next() {
		if err := ctx.Err(); err != nil {
			return nil, false, err
		}
		series := set.At()
		lset := series.Labels()
		if caller.Sees(lset.Get(labelHost)) && r.Pattern.Match(metricsPrefix+lset.Get(labelHost)+"/"+lset.Get(labelKey)) {
			first.add(series)
		}
	}
	if err := set.Err(); err != nil {
		return nil, false, fmt.Errorf("cannot read the history: %w", err)
	}
	slices.SortFunc(first.list, func(a, b storage.Series) int { return compareSeries(a.Labels(), b.Labels()) })
	return first.list, first.more, nil
}

// firstSeries are the first MaxRangeSeries series in order. It is a heap with the last of
// them on top.
type firstSeries struct {
	list []storage.Series
	more bool // there were others
}

func (f *firstSeries) add(series storage.Series) {
	switch {
	case len(f.list) < MaxRangeSeries:
		heap.Push(f, series)
		return
	case compareSeries(series.Labels(), f.list[0].Labels()) < 0:
		f.list[0] = series
		heap.Fix(f, 0)
	}
	f.more = true
}

// Len implements heap.Interface.
func (f *firstSeries) Len() int { return len(f.list) }

// Less implements heap.Interface.
func (f *firstSeries) Less(i, j int) bool {
	return compareSeries(f.list[i].Labels(), f.list[j].Labels()) > 0
}

// Swap implements heap.Interface.
func (f *firstSeries) Swap(i, j int) { f.list[i], f.list[j] = f.list[j], f.list[i] }

// Push implements heap.Interface.
func (f *firstSeries) Push(series any) { f.list = append(f.list, series.(storage.Series)) }

// Pop implements heap.Interface.
func (f *firstSeries) Pop() any {
	last := f.list[len(f.list)-1]
	f.list = f.list[:len(f.list)-1]
	return last
}

func compareSeries(a, b labels.Labels) int {
	return cmp.Or(
		strings.Compare(a.Get(labelHost), b.Get(labelHost)),
		strings.Compare(a.Get(labelKey), b.Get(labelKey)),
		labels.Compare(a, b),
	)
}

// pathMatchers narrows down which series a pattern of paths can match, as far as matchers
// of single labels can; the pattern itself decides in the end. It returns false for a
// pattern that matches no path of a sample.
func pathMatchers(pattern string) ([]*labels.Matcher, bool) {
	host, key := "*", "*"
	if rest, ok := strings.CutPrefix(pattern, metricsPrefix); ok {
		if before, after, cut := strings.Cut(rest, "/"); cut && !strings.Contains(before, "*") {
			host, key = before, after
		}
	} else if before, _, star := strings.Cut(pattern, "*"); !star || !strings.HasPrefix(metricsPrefix, before) {
		return nil, false
	}
	return []*labels.Matcher{wildcardMatcher(labelHost, host), wildcardMatcher(labelKey, key)}, true
}

// wildcardMatcher matches a label that is not empty against text with stars.
func wildcardMatcher(label, text string) *labels.Matcher {
	if !strings.Contains(text, "*") {
		return labels.MustNewMatcher(labels.MatchEqual, label, text)
	}
	if strings.Trim(text, "*") == "" {
		return labels.MustNewMatcher(labels.MatchRegexp, label, ".+")
	}
	parts := strings.Split(text, "*")
	for i := range parts {
		parts[i] = regexp.QuoteMeta(parts[i])
	}
	return labels.MustNewMatcher(labels.MatchRegexp, label, strings.Join(parts, ".*"))
}

// rangeSeries names a series that was thinned out.
func (s *Store) rangeSeries(lset labels.Labels, thinned RangeSeries) RangeSeries {
	thinned.Host, thinned.Key, thinned.Labels = lset.Get(labelHost), lset.Get(labelKey), ownLabels(lset)
	thinned.Kind = s.meta.kind(lset.Get(model.MetricNameLabel))
	return thinned
}

// thinner divides a range into columns and keeps the visible samples of each.
type thinner struct {
	from  int64
	width float64 // of a column, in ms
}

// column is the state of the column being read.
type column struct {
	number          int64
	low, high, last point
	any             bool
	count           float64
	mean            float64 // carried along, as a sum could overflow
}

type point struct {
	t int64
	v float64
}

func (h *thinner) run(iterator chunkenc.Iterator, means bool) (s RangeSeries, err error) {
	var c column
	emit := func(p point) {
		if n := len(s.T); n == 0 || s.T[n-1] < p.t {
			s.T, s.V = append(s.T, p.t), append(s.V, p.v)
		}
	}
	flush := func() {
		if !c.any {
			return
		}
		first, second := c.low, c.high
		if first.t == second.t {
			second = c.last // all are equal: where they begin and end
		}
		if second.t < first.t {
			first, second = second, first
		}
		emit(first)
		emit(second)
		if means {
			s.MeanT, s.Mean = append(s.MeanT, h.from+int64(math.Round(float64(c.number)*h.width))), append(s.Mean, c.mean)
		}
	}
	for kind := iterator.Next(); kind != chunkenc.ValNone; kind = iterator.Next() {
		if kind != chunkenc.ValFloat {
			continue
		}
		var p point
		if p.t, p.v = iterator.At(); math.IsNaN(p.v) {
			continue // the mark of a series that has ended, among others
		}
		number := int64(float64(p.t-h.from) / h.width)
		if !c.any || number != c.number {
			flush()
			c = column{number: number, low: p, high: p, any: true}
		}
		if p.v < c.low.v {
			c.low = p
		}
		if p.v > c.high.v {
			c.high = p
		}
		c.last = p
		c.count++
		c.mean += p.v/c.count - c.mean/c.count
	}
	flush()
	if c.any {
		emit(c.last)
	}
	return s, iterator.Err()
}
