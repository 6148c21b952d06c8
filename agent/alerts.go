package agent

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"slices"
	"sync"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/bell"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// ownAlerts holds the alert rules that come with the host's own inspectors. The
// master evaluates them; those of assigned inspectors it knows without being told.
type ownAlerts struct {
	bell chan struct{} // capacity 1: something has changed

	mu   sync.Mutex
	list map[string]wire.OwnAlerts // guarded by mu: by inspector
}

func newOwnAlerts() *ownAlerts {
	return &ownAlerts{bell: make(chan struct{}, 1), list: make(map[string]wire.OwnAlerts)}
}

// note takes the definition of an inspector that runs or is about to.
func (o *ownAlerts) note(d inspectors.Definition) {
	if d.Assigned != "" {
		o.forget(d.Name)
		return
	}
	one := wire.OwnAlerts{Inspector: d.Name}
	if d.Script != nil {
		if said, err := d.Script.Directives(); err == nil && len(said.Alerts) > 0 {
			one.Lines, one.IntervalMS = said.AlertLines, d.Interval.Milliseconds()
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if before, known := o.list[d.Name]; !known || !reflect.DeepEqual(before, one) {
		o.list[d.Name] = one
		bell.Ring(o.bell)
	}
}

// forget drops an inspector that is gone, or no longer the host's own.
func (o *ownAlerts) forget(name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, known := o.list[name]; known {
		delete(o.list, name)
		bell.Ring(o.bell)
	}
}

// params returns them all, by the names of their inspectors.
func (o *ownAlerts) params() wire.OwnAlertsParams {
	o.mu.Lock()
	defer o.mu.Unlock()
	p := wire.OwnAlertsParams{Inspectors: make([]wire.OwnAlerts, 0, len(o.list))}
	for _, name := range slices.Sorted(maps.Keys(o.list)) {
		p.Inspectors = append(p.Inspectors, o.list[name])
	}
	return p
}

// sendAlerts tells the master the alert rules of the host's own inspectors, and
// then every change. It returns when ctx ends or the connection is unusable.
func (s *session) sendAlerts(ctx context.Context, p *rpc.Peer) error {
	own := s.Track.alerts
	bell.Ring(own.bell)
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-own.bell:
		}
		call, cancel := context.WithTimeout(ctx, s.callTimeout)
		result, err := wire.MasterAlerts.Call(call, p, own.params())
		cancel()
		re, answered := errors.AsType[*rpc.Error](err)
		switch {
		case err == nil:
			for _, fault := range result.Faults {
				s.Log.Error("the master cannot evaluate an alert of this host's own inspectors", "reason", fault)
			}
		case !answered, refusedForGood(err), re.Code == wire.CodeConflict:
			return err
		case re.Code == rpc.CodeMethodNotFound:
			s.noAlerts.Do(func() {
				s.Log.Warn("the master does not evaluate the alerts of this host's own inspectors; install this agent's version on it")
			})
			<-ctx.Done()
			return context.Cause(ctx)
		default:
			s.Log.Error("the master refused the alerts of this host's own inspectors", "reason", re)
		}
	}
}
