package promapi

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/tsdb/index"

	"github.com/vedettehq/vedette/master/scope"
)

// metadata lists everything known about metrics. The original knows several sets for each;
// here there is one.
func (a *API) metadata(c *call) (any, *fault) {
	limit, err := numberParam(c, "limit")
	if err != nil {
		return nil, &fault{badData, err}
	}
	if _, err := numberParam(c, "limit_per_metric"); err != nil {
		return nil, &fault{badData, err}
	}
	known := a.Source.Metadata()
	if !scope.From(c.ctx).All() {
		if known, err = metadataOf(c, known); err != nil {
			return nil, executionFault(err)
		}
	}
	result := make(map[string][]Metadata)
	for _, name := range slices.Sorted(maps.Keys(known)) {
		if wanted := c.FormValue("metric"); wanted != "" && wanted != name {
			continue
		}
		if limit >= 0 && len(result) >= limit {
			break
		}
		result[name] = []Metadata{known[name]}
	}
	return result, nil
}

// metadataOf returns the part of the metadata that a caller who is bound to some hosts may
// see.
func metadataOf(c *call, known map[string]Metadata) (map[string]Metadata, error) {
	querier, err := c.lease.Queryable.Querier(minTime.UnixMilli(), maxTime.UnixMilli())
	if err != nil {
		return nil, err
	}
	defer querier.Close()
	names, _, err := querier.LabelValues(c.ctx, model.MetricNameLabel, nil)
	seen := make(map[string]Metadata, len(names))
	for _, name := range names {
		if one, ok := known[name]; ok {
			seen[strings.Clone(name)] = one // names are the querier's
		}
	}
	return seen, err
}

// numberParam reads a number, -1 if it is left out.
func numberParam(c *call, name string) (int, error) {
	text := c.FormValue(name)
	if text == "" {
		return -1, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("%s must be a number", name)
	}
	return n, nil
}

type stat struct {
	Name  string `json:"name"`
	Value uint64 `json:"value"`
}

func statsOf(of []index.Stat) []stat {
	list := make([]stat, 0, len(of))
	for _, s := range of {
		list = append(list, stat{s.Name, s.Count})
	}
	return list
}

// statusTSDB tells which metrics and labels have the most series.
func (a *API) statusTSDB(c *call) (any, *fault) {
	const most = 10_000
	limit := 10
	if text := c.FormValue("limit"); text != "" {
		var err error
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 {
			return nil, &fault{badData, errors.New("limit must be a positive number")}
		}
		if limit > most {
			return nil, &fault{badData, fmt.Errorf("limit must not exceed %d", most)}
		}
	}
	stats := c.lease.Head.Stats(model.MetricNameLabel, limit)
	return map[string]any{
		"headStats": map[string]int64{
			"numSeries":     int64(stats.NumSeries),
			"numLabelPairs": int64(stats.IndexPostingStats.NumLabelPairs),
			"chunkCount":    int64(valueOf(c.lease.Gatherer, "prometheus_tsdb_head_chunks")),
			"minTime":       stats.MinTime,
			"maxTime":       stats.MaxTime,
		},
		"seriesCountByMetricName":     statsOf(stats.IndexPostingStats.CardinalityMetricsStats),
		"labelValueCountByLabelName":  statsOf(stats.IndexPostingStats.CardinalityLabelStats),
		"memoryInBytesByLabelName":    statsOf(stats.IndexPostingStats.LabelValueStats),
		"seriesCountByLabelValuePair": statsOf(stats.IndexPostingStats.LabelValuePairsStats),
	}, nil
}

func valueOf(gatherer prometheus.Gatherer, name string) float64 {
	families, err := gatherer.Gather()
	if err != nil {
		return 0
	}
	for _, family := range families {
		if family.GetName() == name && len(family.GetMetric()) > 0 {
			metric := family.GetMetric()[0]
			return metric.GetGauge().GetValue() + metric.GetCounter().GetValue()
		}
	}
	return 0
}

// statusBuild says which version of the API is spoken, from which Grafana chooses its
// requests, and which version of us speaks it.
func (a *API) statusBuild(*call) (any, *fault) {
	return map[string]string{
		"version":   apiVersion(),
		"revision":  a.Version,
		"branch":    "vedette",
		"buildUser": "",
		"buildDate": "",
		"goVersion": runtime.Version(),
	}, nil
}

// apiVersion is the version of Prometheus whose query engine is built in:
// module v0.313.5 is release 3.13.5.
func apiVersion() string {
	const fallback = "3.13.0"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return fallback
	}
	for _, module := range info.Deps {
		var minor, patch int
		if module.Path != "github.com/prometheus/prometheus" {
			continue
		}
		if _, err := fmt.Sscanf(module.Version, "v0.%d.%d", &minor, &patch); err == nil {
			return fmt.Sprintf("%d.%d.%d", minor/100, minor%100, patch)
		}
	}
	return fallback
}

func (a *API) statusRuntime(c *call) (any, *fault) {
	hostname, err := os.Hostname()
	if err != nil {
		return nil, &fault{internal, err}
	}
	return map[string]any{
		"startTime":           a.started.UTC(),
		"CWD":                 "",
		"hostname":            hostname,
		"serverTime":          a.Now().UTC(),
		"reloadConfigSuccess": true,
		"lastConfigTime":      a.started.UTC(),
		"corruptionCount":     int64(valueOf(c.lease.Gatherer, "prometheus_tsdb_wal_corruptions_total")),
		"goroutineCount":      runtime.NumGoroutine(),
		"GOMAXPROCS":          runtime.GOMAXPROCS(0),
		"GOMEMLIMIT":          debug.SetMemoryLimit(-1),
		"GOGC":                os.Getenv("GOGC"),
		"GODEBUG":             os.Getenv("GODEBUG"),
		"storageRetention":    model.Duration(a.Retention.Truncate(time.Second)).String(),
	}, nil
}
