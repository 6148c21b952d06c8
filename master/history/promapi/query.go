package promapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/util/stats"

	"github.com/vedettehq/vedette/master/history/bounds"
)

// maxPoints is how many points of a series one query may return: a week at a point a
// minute, a year at one an hour.
const maxPoints = 11000

func (a *API) query(c *call) (any, *fault) {
	limit, fail := limitParam(c.Request)
	if fail != nil {
		return nil, fail
	}
	at, fail := timeParam(c.Request, "time", a.Now())
	if fail != nil {
		return nil, fail
	}
	return a.evaluate(c, limit, bounds.Range{Start: at, End: at}, func(ctx context.Context, opts promql.QueryOpts) (promql.Query, error) {
		return a.Engine.NewInstantQuery(ctx, c.lease.Queryable, opts, c.FormValue("query"), at)
	})
}

func (a *API) queryRange(c *call) (any, *fault) {
	limit, fail := limitParam(c.Request)
	if fail != nil {
		return nil, fail
	}
	start, end, step, fail := rangeParams(c.Request)
	if fail != nil {
		return nil, fail
	}
	return a.evaluate(c, limit, bounds.Range{Start: start, End: end, Step: step}, func(ctx context.Context, opts promql.QueryOpts) (promql.Query, error) {
		return a.Engine.NewRangeQuery(ctx, c.lease.Queryable, opts, c.FormValue("query"), start, end, step)
	})
}

func rangeParams(r *http.Request) (start, end time.Time, step time.Duration, fail *fault) {
	if start, fail = requiredTime(r, "start"); fail != nil {
		return start, end, step, fail
	}
	if end, fail = requiredTime(r, "end"); fail != nil {
		return start, end, step, fail
	}
	if end.Before(start) {
		return start, end, step, badParam(errors.New("end timestamp must not be before start time"), "end")
	}
	step, err := parseDuration(r.FormValue("step"))
	switch {
	case err != nil:
		fail = badParam(err, "step")
	case step <= 0:
		fail = badParam(errors.New("zero or negative query resolution step widths are not accepted. Try a positive integer"), "step")
	case end.Sub(start)/step > maxPoints:
		fail = &fault{badData, errors.New("exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)")}
	}
	return start, end, step, fail
}

// evaluate runs a query, if its bounds allow it, and encodes the result.
func (a *API) evaluate(c *call, limit int, asked bounds.Range, prepare func(context.Context, promql.QueryOpts) (promql.Query, error)) (any, *fault) {
	ctx := c.ctx
	opts, fail := queryOpts(c.Request)
	if fail != nil {
		return nil, fail
	}
	expr, err := a.Parser.ParseExpr(c.FormValue("query"))
	if err != nil {
		return nil, badParam(err, "query")
	}
	if err := bounds.Steps(expr, asked, a.SubqueryStep); err != nil {
		return nil, &fault{execution, err}
	}
	query, err := prepare(ctx, opts)
	if err != nil {
		return nil, badParam(err, "query")
	}
	// The result of the query is no longer valid after Close.
	defer query.Close()
	result := query.Exec(ctx)
	if result.Err != nil {
		return nil, executionFault(result.Err)
	}
	c.warnings, c.query = result.Warnings, c.FormValue("query")
	switch value := result.Value.(type) {
	case promql.Matrix:
		result.Value = truncate(c, value, limit)
	case promql.Vector:
		result.Value = truncate(c, value, limit)
	}
	var statistics stats.QueryStats
	if c.FormValue("stats") != "" {
		statistics = stats.NewQueryStats(query.Stats())
	}
	body, err := encodeResult(ctx, result.Value, statistics)
	if err != nil {
		return nil, executionFault(err)
	}
	return rawJSON(body), nil
}

func queryOpts(r *http.Request) (promql.QueryOpts, *fault) {
	var lookback time.Duration
	if text := r.FormValue("lookback_delta"); text != "" {
		var err error
		if lookback, err = parseDuration(text); err != nil {
			return nil, &fault{badData, fmt.Errorf("error parsing lookback delta duration: %w", err)}
		}
	}
	return promql.NewPrometheusQueryOpts(r.FormValue("stats") == "all", lookback), nil
}

func (a *API) formatQuery(c *call) (any, *fault) {
	expr, err := a.Parser.ParseExpr(c.FormValue("query"))
	if err != nil {
		return nil, badParam(err, "query")
	}
	return expr.Pretty(0), nil
}

// queryExemplars checks its parameters and returns none: samples carry none.
func (a *API) queryExemplars(c *call) (any, *fault) {
	start, fail := timeParam(c.Request, "start", minTime)
	if fail != nil {
		return nil, fail
	}
	end, fail := timeParam(c.Request, "end", maxTime)
	if fail != nil {
		return nil, fail
	}
	if end.Before(start) {
		return nil, &fault{badData, errors.New("end timestamp must not be before start timestamp")}
	}
	if _, err := a.Parser.ParseExpr(c.FormValue("query")); err != nil {
		return nil, &fault{badData, err}
	}
	return []struct{}{}, nil
}
