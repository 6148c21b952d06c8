package master

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/master/history"
	"github.com/vedettehq/vedette/rpc/wire"
)

const (
	// infoKey is the key of the series that say which revision of an inspector
	// runs on a host: that of the catalog, where it is from there. Their value is
	// 1; what counts is their labels, by which other series can be joined with
	// them.
	infoKey = "vedette/inspector_info"
	// annotateEvery is how often they get a sample.
	annotateEvery = 30 * time.Second
)

// info names one series of infoKey.
type info struct{ host, inspector, kind, revision string }

// annotate writes which revisions run until ctx ends.
func (m *Master) annotate(ctx context.Context) {
	appender := m.history.NewAppender()
	known := make(map[info]*history.Series)
	every(ctx, annotateEvery, func(now time.Time) {
		_, err := appender.Append(ctx, m.infoSamples(known, now))
		if err != nil && !errors.As(err, new(*history.BusyError)) && ctx.Err() == nil {
			m.deps.Log.Warn("cannot note which inspectors run", "error", err)
		}
	})
}

// infoSamples returns a sample for each inspector of each host that is up, and
// forgets the series of the others.
func (m *Master) infoSamples(known map[info]*history.Series, now time.Time) []history.Sample {
	var batch []history.Sample
	seen := make(map[info]bool)
	for _, host := range m.registry.List() {
		if host.State != wire.HostUp {
			continue
		}
		for _, inspector := range host.Inspectors {
			one := info{host.Host, inspector.Name, inspector.Kind, cmp.Or(inspector.Assigned, inspector.Revision)}
			seen[one] = true
			series := known[one]
			if series == nil {
				own, err := inspectors.NewLabels("inspector", one.inspector, "kind", one.kind, "revision", one.revision)
				if err != nil {
					m.deps.Log.Warn("cannot note which revision of an inspector runs", "host", one.host, "error", err)
					continue
				}
				series = m.history.NewSeries(one.host, infoKey, own, inspectors.Gauge)
				known[one] = series
			}
			batch = append(batch, history.Sample{Series: series, T: now.UnixMilli(), V: 1})
		}
	}
	for one := range known {
		if !seen[one] {
			delete(known, one)
		}
	}
	return batch
}
