package promapi

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
)

// selection has the common parameters of labels, label values and series: a time, a limit,
// and any number of selectors.
type selection struct {
	limit      int
	start, end int64 // ms
	sets       [][]*labels.Matcher
}

func (a *API) selection(c *call) (selection, *fault) {
	var s selection
	var start, end time.Time
	var fail *fault
	if s.limit, fail = limitParam(c.Request); fail != nil {
		return s, fail
	}
	if start, fail = timeParam(c.Request, "start", minTime); fail != nil {
		return s, fail
	}
	if end, fail = timeParam(c.Request, "end", maxTime); fail != nil {
		return s, fail
	}
	s.start, s.end = start.UnixMilli(), end.UnixMilli()
	var err error
	if s.sets, err = a.matchers(c.Request); err != nil {
		return s, &fault{badData, err}
	}
	return s, nil
}

func (a *API) labelNames(c *call) (any, *fault) {
	s, fail := a.selection(c)
	if fail != nil {
		return nil, fail
	}
	return s.collect(c, func(q storage.Querier, hints *storage.LabelHints, set []*labels.Matcher) ([]string, error) {
		names, warnings, err := q.LabelNames(c.ctx, hints, set...)
		c.warnings.Merge(warnings)
		return names, err
	})
}

func (a *API) labelValues(c *call) (any, *fault) {
	name := c.PathValue("name")
	if strings.HasPrefix(name, "U__") {
		name = model.UnescapeName(name, model.ValueEncodingEscaping)
	}
	if !model.UTF8Validation.IsValidLabelName(name) {
		return nil, &fault{badData, fmt.Errorf("invalid label name: %q", name)}
	}
	s, fail := a.selection(c)
	if fail != nil {
		return nil, fail
	}
	return s.collect(c, func(q storage.Querier, hints *storage.LabelHints, set []*labels.Matcher) ([]string, error) {
		values, warnings, err := q.LabelValues(c.ctx, name, hints, set...)
		c.warnings.Merge(warnings)
		return values, err
	})
}

// collect runs a search for each selector, or once if there is none, and returns
// everything found, sorted.
func (s *selection) collect(c *call, search func(storage.Querier, *storage.LabelHints, []*labels.Matcher) ([]string, error)) (any, *fault) {
	querier, err := c.lease.Queryable.Querier(s.start, s.end)
	if err != nil {
		return nil, executionFault(err)
	}
	defer querier.Close()
	sets := s.sets
	if len(sets) == 0 {
		sets = [][]*labels.Matcher{nil}
	}
	all := make(map[string]struct{})
	for _, set := range sets {
		found, err := search(querier, &storage.LabelHints{Limit: hint(s.limit)}, set)
		if err != nil {
			return nil, executionFault(err)
		}
		for _, text := range found {
			all[strings.Clone(text)] = struct{}{} // found is the querier's
		}
	}
	list := slices.Sorted(maps.Keys(all))
	if list == nil {
		list = []string{}
	}
	return truncate(c, list, s.limit), nil
}

func (a *API) series(c *call) (any, *fault) {
	if len(c.Form["match[]"]) == 0 {
		return nil, &fault{badData, errors.New("no match[] parameter provided")}
	}
	if _, err := a.matchers(c.Request); err != nil {
		return nil, badParam(err, "match[]")
	}
	s, fail := a.selection(c)
	if fail != nil {
		return nil, fail
	}
	querier, err := c.lease.Queryable.Querier(s.start, s.end)
	if err != nil {
		return nil, executionFault(err)
	}
	defer querier.Close()
	hints := &storage.SelectHints{
		Start: s.start, End: s.end, Limit: hint(s.limit),
		Func: "series", // no samples are read
	}
	// Sets of several selectors are merged, for which they must be sorted.
	var found []storage.SeriesSet
	for _, set := range s.sets {
		found = append(found, querier.Select(c.ctx, len(s.sets) > 1, hints, set...))
	}
	merged := found[0]
	if len(found) > 1 {
		merged = storage.NewMergeSeriesSet(found, 0, storage.ChainedSeriesMerge)
	}
	return s.listSeries(c, merged)
}

func (s *selection) listSeries(c *call, set storage.SeriesSet) (any, *fault) {
	body := []byte{'['}
	n := 0
	for set.Next() {
		if err := c.ctx.Err(); err != nil {
			return nil, executionFault(err)
		}
		if s.limit > 0 && n == s.limit {
			c.warnings = c.warnings.Add(errTruncated)
			break
		}
		if n > 0 {
			body = append(body, ',')
		}
		body = appendLabels(body, set.At().Labels())
		n++
	}
	c.warnings.Merge(set.Warnings())
	if err := set.Err(); err != nil {
		return nil, executionFault(err)
	}
	return rawJSON(append(body, ']')), nil
}
