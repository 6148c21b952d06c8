package promapi

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
)

// The earliest and latest time that clients send for "no bound". They are
// those of the original: some clients send the text of them.
var (
	minTime = time.Unix(math.MinInt64/1000+62135596801, 0).UTC()
	maxTime = time.Unix(math.MaxInt64/1000-62135596801, 999999999).UTC()
)

// parseTime reads seconds since the epoch with a fraction, or RFC 3339.
func parseTime(s string) (time.Time, error) {
	if seconds, err := strconv.ParseFloat(s, 64); err == nil {
		whole, fraction := math.Modf(seconds)
		fraction = math.Round(fraction*1000) / 1000
		return time.Unix(int64(whole), int64(fraction*float64(time.Second))).UTC(), nil
	}
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return t, nil
	}
	// time.Parse knows years of four digits only.
	switch s {
	case minTime.Format(time.RFC3339Nano):
		return minTime, nil
	case maxTime.Format(time.RFC3339Nano):
		return maxTime, nil
	}
	return time.Time{}, fmt.Errorf("cannot parse %q to a valid timestamp", s)
}

// timeParam reads a time that may be left out.
func timeParam(r *http.Request, name string, fallback time.Time) (time.Time, *fault) {
	text := r.FormValue(name)
	if text == "" {
		return fallback, nil
	}
	t, err := parseTime(text)
	if err != nil {
		return time.Time{}, badParam(fmt.Errorf("invalid time value for '%s': %w", name, err), name)
	}
	return t, nil
}

// requiredTime reads a time that must be given.
func requiredTime(r *http.Request, name string) (time.Time, *fault) {
	t, err := parseTime(r.FormValue(name))
	if err != nil {
		return time.Time{}, badParam(err, name)
	}
	return t, nil
}

// parseDuration reads seconds with a fraction, or a duration as 5m.
func parseDuration(s string) (time.Duration, error) {
	if seconds, err := strconv.ParseFloat(s, 64); err == nil {
		ns := seconds * float64(time.Second)
		if ns > float64(math.MaxInt64) || ns < float64(math.MinInt64) {
			return 0, fmt.Errorf("cannot parse %q to a valid duration. It overflows int64", s)
		}
		return time.Duration(ns), nil
	}
	if d, err := model.ParseDuration(s); err == nil {
		return time.Duration(d), nil
	}
	return 0, fmt.Errorf("cannot parse %q to a valid duration", s)
}

// limitParam reads how many results are wanted; 0 is all.
func limitParam(r *http.Request) (int, *fault) {
	text := r.FormValue("limit")
	if text == "" {
		return 0, nil
	}
	limit, err := strconv.Atoi(text)
	if err == nil && limit < 0 {
		err = errors.New("limit must be non-negative")
	}
	if err != nil {
		return 0, badParam(err, "limit")
	}
	return limit, nil
}

// hint is the limit to search with: one more, to detect that there are more.
func hint(limit int) int {
	if limit > 0 && limit < math.MaxInt {
		return limit + 1
	}
	return limit
}

var errTruncated = errors.New("results truncated due to limit")

// truncate cuts a list to the limit and warns of it.
func truncate[L ~[]E, E any](c *call, list L, limit int) L {
	if limit > 0 && len(list) > limit {
		c.warnings = c.warnings.Add(errTruncated)
		return list[:limit]
	}
	return list
}

// matchers reads the parameters match[]. Each of them must name something.
func (a *API) matchers(r *http.Request) ([][]*labels.Matcher, error) {
	sets, err := a.Parser.ParseMetricSelectors(r.Form["match[]"])
	if err != nil {
		return nil, err
	}
	for _, set := range sets {
		if !namesSomething(set) {
			return nil, errors.New("match[] must contain at least one non-empty matcher")
		}
	}
	return sets, nil
}

func namesSomething(set []*labels.Matcher) bool {
	for _, matcher := range set {
		if matcher != nil && !matcher.Matches("") {
			return true
		}
	}
	return false
}
