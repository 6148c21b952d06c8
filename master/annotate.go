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

// annotator writes which revisions run.
type annotator struct {
	master   *Master
	appender *history.Appender
	// known has the series whose end is not marked.
	known map[info]*history.Series
	// tookOver is whether those of the run of the master before are among them.
	tookOver bool
}

func (m *Master) newAnnotator() *annotator {
	return &annotator{master: m, appender: m.history.NewAppender(), known: make(map[info]*history.Series)}
}

// annotate writes which revisions run until ctx ends.
func (m *Master) annotate(ctx context.Context) {
	a := m.newAnnotator()
	every(ctx, annotateEvery, func(now time.Time) {
		err := a.note(ctx, now)
		if err != nil && !errors.As(err, new(*history.BusyError)) && ctx.Err() == nil {
			m.deps.Log.Warn("cannot note which inspectors run", "error", err)
		}
	})
}

// note writes a sample for each revision that runs, and the end of each that does
// not any more: two revisions at once would be two partners for what joins them.
func (a *annotator) note(ctx context.Context, now time.Time) error {
	if err := a.takeOver(ctx, now); err != nil {
		return err
	}
	batch, ended := a.samples(now)
	if _, err := a.appender.Append(ctx, batch); err != nil {
		return err // ends are written with the next
	}
	for _, one := range ended {
		delete(a.known, one)
	}
	return nil
}

// takeOver learns which series the run of the master before has left without an end.
func (a *annotator) takeOver(ctx context.Context, now time.Time) error {
	if a.tookOver {
		return nil
	}
	left, err := a.master.history.Recent(ctx, infoKey, now)
	if err != nil {
		return err
	}
	for _, s := range left {
		a.known[info{s.Host, s.Labels["inspector"], s.Labels["kind"], s.Labels["revision"]}] = s.Series
	}
	a.tookOver = true
	return nil
}

// samples returns a sample for each inspector of each host that is up, and an end
// for each known series of another, of which it returns a list.
func (a *annotator) samples(now time.Time) (batch []history.Sample, ended []info) {
	seen := make(map[info]bool)
	for _, host := range a.master.registry.List() {
		if host.State != wire.HostUp {
			continue
		}
		for _, inspector := range host.Inspectors {
			one := info{host.Host, inspector.Name, inspector.Kind, cmp.Or(inspector.Assigned, inspector.Revision)}
			seen[one] = true
			series := a.known[one]
			if series == nil {
				own, err := inspectors.NewLabels("inspector", one.inspector, "kind", one.kind, "revision", one.revision)
				if err != nil {
					a.master.deps.Log.Warn("cannot note which revision of an inspector runs", "host", one.host, "error", err)
					continue
				}
				series = a.master.history.NewSeries(one.host, infoKey, own, inspectors.Gauge)
				a.known[one] = series
			}
			batch = append(batch, history.Sample{Series: series, T: now.UnixMilli(), V: 1})
		}
	}
	for one, series := range a.known {
		if !seen[one] {
			batch = append(batch, history.Sample{Series: series, T: now.UnixMilli(), V: history.End()})
			ended = append(ended, one)
		}
	}
	return batch, ended
}
