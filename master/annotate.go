package master

import (
	"cmp"
	"context"
	"errors"
	"math"
	"sync"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/master/history"
	"github.com/vedettehq/vedette/rpc/wire"
)

const (
	// infoKey is the key of the series that say which revision of an inspector
	// runs on a host, if it is from the catalog. Their value is always 1; their
	// labels let other series be joined with them. stateKey is the key of those
	// that say how it does.
	infoKey  = "vedette/inspector_info"
	stateKey = "vedette/inspector_state"
	// upKey is the key of the series that say whether a host is up, 1 or 0;
	// skewKey, how far its clock is ahead; and queuedKey, how many reports it
	// keeps because the master has not taken them.
	upKey     = "vedette/host_up"
	skewKey   = "vedette/host_skew_seconds"
	queuedKey = "vedette/host_reports_queued"
	// masterUpKey is the key of a series that is 1 while the history takes
	// samples; headroomKey, of one that says how much its disk can still take.
	// Neither belongs to a host.
	masterUpKey = "vedette/master_up"
	headroomKey = "vedette/master_disk_headroom_bytes"
	// annotateEvery is the interval of samples about inspectors, and hostsEvery of
	// those about hosts.
	annotateEvery = 30 * time.Second
	hostsEvery    = 10 * time.Second
	// returnWithin is how long after the start of the master no host counts as
	// gone: agents come back within up to half a minute.
	returnWithin = 2 * time.Minute
	// ephemeralLabel is the label of hosts that may go away, with the value true.
	ephemeralLabel = "ephemeral"
)

// info identifies one of these series. A label that it lacks is "".
type info struct{ key, host, inspector, kind, revision, state string }

// labels are the labels of the series apart from its host.
func (i info) labels() (inspectors.Labels, error) {
	var pairs []string
	for _, pair := range [][2]string{{"inspector", i.inspector}, {"kind", i.kind}, {"revision", i.revision}, {"state", i.state}} {
		if pair[1] != "" {
			pairs = append(pairs, pair[0], pair[1])
		}
	}
	return inspectors.NewLabels(pairs...)
}

// annotator writes samples of what the master knows about hosts.
type annotator struct {
	master   *Master
	appender *history.Appender
	// keys are the keys of its series, and values returns their present values.
	// NaN says that a series continues although it gets no sample.
	keys   []string
	values func(host *wire.Host, set func(info, float64))
	// own returns the series that belong to no host. It may be nil.
	own func(set func(info, float64))
	// known has the series whose end is not marked.
	known map[info]*history.Series
	// tookOver says that the series of the previous run of the master are among
	// them.
	tookOver bool
}

// newAnnotator writes which inspectors run, and their states.
func (m *Master) newAnnotator() *annotator {
	return &annotator{
		master: m, appender: m.history.NewAppender(), known: make(map[info]*history.Series),
		keys: []string{infoKey, stateKey}, values: inspectorValues,
	}
}

// newHostAnnotator writes which hosts are up, for a master that began to listen at
// a time.
func (m *Master) newHostAnnotator(started time.Time) *annotator {
	return &annotator{
		master: m, appender: m.history.NewAppender(), known: make(map[info]*history.Series),
		keys: []string{upKey, skewKey, queuedKey, masterUpKey, headroomKey}, own: m.ownValues, values: func(host *wire.Host, set func(info, float64)) {
			hostValues(host, time.Since(started) < returnWithin, set)
		},
	}
}

// ownValues returns the values about the master itself.
func (m *Master) ownValues(set func(info, float64)) {
	set(info{key: masterUpKey}, 1)
	if bytes, ok := m.history.Headroom(); ok {
		set(info{key: headroomKey}, float64(bytes))
	}
}

func inspectorValues(host *wire.Host, set func(info, float64)) {
	if host.State != wire.HostUp {
		return
	}
	for _, inspector := range host.Inspectors {
		set(info{key: infoKey, host: host.Host, inspector: inspector.Name, kind: inspector.Kind, revision: cmp.Or(inspector.Assigned, inspector.Revision)}, 1)
		set(info{key: stateKey, host: host.Host, inspector: inspector.Name, state: inspector.State}, 1)
	}
}

// hostValues returns the values about a host. While hosts may not have returned
// yet, one that is not up keeps its values.
func hostValues(host *wire.Host, returning bool, set func(info, float64)) {
	up := host.State == wire.HostUp
	switch {
	case up:
		set(info{key: upKey, host: host.Host}, 1)
	case returning:
		set(info{key: upKey, host: host.Host}, math.NaN())
	case host.Labels[ephemeralLabel] != "true":
		set(info{key: upKey, host: host.Host}, 0)
	}
	if up && !host.Simple {
		set(info{key: skewKey, host: host.Host}, (time.Duration(host.SkewMS) * time.Millisecond).Seconds())
		if host.Agent != nil {
			set(info{key: queuedKey, host: host.Host}, float64(host.Agent.ReportsQueued))
		}
	}
}

// noteStart writes that the master is up as soon as the history can take it, because rules
// may be looked at before the first sample of those that are written regularly.
func (m *Master) noteStart(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-m.history.Ready():
	}
	up := m.history.NewSeries("", masterUpKey, nil, inspectors.Gauge)
	_, err := m.history.NewAppender().Append(ctx, []history.Sample{{Series: up, T: time.Now().UnixMilli(), V: 1}})
	return err
}

// annotate writes samples about hosts until ctx ends.
func (m *Master) annotate(ctx context.Context) {
	var both sync.WaitGroup
	both.Go(func() { m.annotateEvery(ctx, annotateEvery, m.newAnnotator()) })
	both.Go(func() { m.annotateEvery(ctx, hostsEvery, m.newHostAnnotator(time.Now())) })
	both.Wait()
}

func (m *Master) annotateEvery(ctx context.Context, interval time.Duration, a *annotator) {
	every(ctx, interval, func(now time.Time) {
		err := a.note(ctx, now)
		if err != nil && !errors.As(err, new(*history.BusyError)) && ctx.Err() == nil {
			m.deps.Log.Warn("cannot store samples about hosts and their inspectors", "error", err)
		}
	})
}

// note writes a sample for each revision that runs, and an end for each that no
// longer does: a series that is joined with these must not find two revisions at
// once.
func (a *annotator) note(ctx context.Context, now time.Time) error {
	if err := a.takeOver(ctx, now); err != nil {
		return err
	}
	batch, ended := a.samples(now)
	if _, err := a.appender.Append(ctx, batch); err != nil {
		return err // ends are written next time
	}
	for _, one := range ended {
		delete(a.known, one)
	}
	return nil
}

// takeOver finds the series that the previous run of the master left without an
// end.
func (a *annotator) takeOver(ctx context.Context, now time.Time) error {
	if a.tookOver {
		return nil
	}
	for _, key := range a.keys {
		left, err := a.master.history.Recent(ctx, key, now)
		if err != nil {
			return err
		}
		for _, s := range left {
			l := s.Labels
			a.known[info{key, s.Host, l["inspector"], l["kind"], l["revision"], l["state"]}] = s.Series
		}
	}
	a.tookOver = true
	return nil
}

// samples returns a sample for each series that exists now, and an end for each known
// series that does not. It also returns a list of those that ended.
func (a *annotator) samples(now time.Time) (batch []history.Sample, ended []info) {
	seen := make(map[info]bool)
	set := func(one info, v float64) {
		seen[one] = true
		if math.IsNaN(v) {
			return
		}
		series := a.known[one]
		if series == nil {
			own, err := one.labels()
			if err != nil {
				a.master.deps.Log.Warn("cannot note how an inspector is", "host", one.host, "inspector", one.inspector, "error", err)
				return
			}
			series = a.master.history.NewSeries(one.host, one.key, own, inspectors.Gauge)
			a.known[one] = series
		}
		batch = append(batch, history.Sample{Series: series, T: now.UnixMilli(), V: v})
	}
	for _, host := range a.master.registry.List() {
		a.values(&host, set)
	}
	if a.own != nil {
		a.own(set)
	}
	for one, series := range a.known {
		if !seen[one] {
			batch = append(batch, history.Sample{Series: series, T: now.UnixMilli(), V: history.End()})
			ended = append(ended, one)
		}
	}
	return batch, ended
}
