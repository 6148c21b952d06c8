package history

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
)

// said makes an answer of the official client text, with its warnings.
func said[T any](answer T, warnings promv1.Warnings, err error) (string, error) {
	if len(warnings) > 0 {
		err = errors.Join(err, fmt.Errorf("it warns: %q", warnings))
	}
	return fmt.Sprintf("%v", answer), err
}

// The official Go client of Prometheus understands the answers.
func TestOfficialClient(t *testing.T) {
	client, err := api.NewClient(api.Config{Address: compatStore(t).URL})
	if err != nil {
		t.Fatal(err)
	}
	prom := promv1.NewAPI(client)
	start, end := compatTimes()
	for _, c := range []struct {
		name string
		ask  func(context.Context) (string, error)
		want string // part of the answer
	}{
		{"Query", func(ctx context.Context) (string, error) { return said(prom.Query(ctx, `sum by (host) (up)`, end)) }, `{host="web-1"} => 1 @[`},
		{"Query, a scalar", func(ctx context.Context) (string, error) {
			return said(prom.Query(ctx, `1+1`, end, promv1.WithTimeout(time.Second)))
		}, "scalar: 2 @["},
		{"QueryRange", func(ctx context.Context) (string, error) {
			value, warnings, err := prom.QueryRange(ctx, `avg by (host) (load_average_1)`, promv1.Range{Start: start.Add(time.Minute), End: end, Step: time.Minute})
			points := make(map[model.LabelValue]int)
			matrix, _ := value.(model.Matrix)
			for _, series := range matrix {
				points[series.Metric["host"]] = len(series.Values)
			}
			return said(points, warnings, err)
		}, "map[db-1:60 web-1:60 web-2:60]"},
		{"LabelNames", func(ctx context.Context) (string, error) {
			return said(prom.LabelNames(ctx, []string{`cpu_seconds_total`}, start, end))
		}, "[__name__ cpu host key mode]"},
		{"LabelValues", func(ctx context.Context) (string, error) { return said(prom.LabelValues(ctx, "host", nil, start, end)) }, "[db-1 web-1 web-2]"},
		{"Series", func(ctx context.Context) (string, error) {
			return said(prom.Series(ctx, []string{`up`, `load_average_1{host="db-1"}`}, start, end))
		}, `{__name__="up", host="web-1", key="up"}`},
		{"QueryExemplars", func(ctx context.Context) (string, error) {
			exemplars, err := prom.QueryExemplars(ctx, `up`, start, end)
			return said(exemplars, nil, err)
		}, "[]"},
		{"Metadata", func(ctx context.Context) (string, error) {
			metadata, err := prom.Metadata(ctx, "load_average_1", "")
			return said(metadata, nil, err)
		}, "map[load_average_1:[{gauge "},
		{"Buildinfo", func(ctx context.Context) (string, error) {
			info, err := prom.Buildinfo(ctx)
			return said(info.GoVersion, nil, err)
		}, "go1"},
		{"Runtimeinfo", func(ctx context.Context) (string, error) {
			info, err := prom.Runtimeinfo(ctx)
			return said(info.GoroutineCount > 0, nil, err)
		}, "true"},
		{"Targets", func(ctx context.Context) (string, error) {
			targets, err := prom.Targets(ctx)
			return said(targets.Active, nil, err)
		}, "[]"},
		{"TSDB", func(ctx context.Context) (string, error) {
			stats, err := prom.TSDB(ctx)
			return said(stats.HeadStats.NumSeries, nil, err)
		}, fmt.Sprint(len(compatData()))},
	} {
		if got, err := c.ask(t.Context()); err != nil || !strings.Contains(got, c.want) {
			t.Errorf("%s gave %s, %v\nwant %s", c.name, got, err, c.want)
		}
	}
	_, _, err = prom.Query(t.Context(), `up +`, end)
	if fault, ok := errors.AsType[*promv1.Error](err); !ok || fault.Type != promv1.ErrBadData {
		t.Errorf("a faulty query gave %v, want bad_data", err)
	}
}
