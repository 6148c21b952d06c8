package master

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/inspectors/alerts"
	"github.com/vedettehq/vedette/internal/bell"
	"github.com/vedettehq/vedette/master/alert"
	"github.com/vedettehq/vedette/master/catalog"
	"github.com/vedettehq/vedette/master/scope"
	"github.com/vedettehq/vedette/rpc/wire"
)

// newAlerts makes the part that evaluates rules and tells people.
func (m *Master) newAlerts() (*alert.Alerts, error) {
	return alert.New(alert.Options{
		Log: m.deps.Log, History: m.history, Config: m.cfg.Alerts, Gone: m.hostIsGone,
		Changed: func() { bell.Ring(m.alertsChanged) }, Hosts: m.labelsOfHosts,
		Link: func() string { return strings.TrimRight(cmp.Or(m.cfg.Alerts.URL, m.URL()), "/") },
	})
}

// announceAlerts counts the firing alerts for everybody who watches, until ctx
// ends: at most once in announceAlertsEvery, however much changes.
func (m *Master) announceAlerts(ctx context.Context) {
	every(ctx, announceAlertsEvery, func(time.Time) {
		select {
		case <-m.alertsChanged:
			m.hub.Announce("alerts/summary", m.alerts.Summary(ctx))
		default:
		}
	})
}

// announceAlertsEvery is the least time between two such counts.
const announceAlertsEvery = time.Second

// hostIsGone reports whether the state of a host cannot be known: it is
// registered, should be there, and does not report.
func (m *Master) hostIsGone(name string) bool {
	host, ok := m.registry.Get(name)
	return ok && host.State != wire.HostUp && host.Labels[ephemeralLabel] != "true"
}

// alert evaluates rules until ctx ends.
func (m *Master) alert(ctx context.Context) {
	if err := m.noteStart(ctx); err != nil && ctx.Err() == nil {
		m.deps.Log.Warn("cannot store that the master is up", "error", err)
	}
	if err := m.alerts.Run(ctx); err != nil {
		m.deps.Log.Error("nobody is told of alerts", "error", err)
	}
}

// labelsOfHosts returns the labels of every host, by its name.
func (m *Master) labelsOfHosts() map[string]scope.Labels {
	all := make(map[string]scope.Labels)
	for _, host := range m.registry.List() {
		all[host.Host] = catalog.Labels(host)
	}
	return all
}

// lookAtProbesEvery is how often to check whether hosts run other alerts.
const lookAtProbesEvery = 2 * time.Second

// alertOfProbes evaluates the alerts of the scripts that hosts run, until ctx
// ends.
func (m *Master) alertOfProbes(ctx context.Context) {
	var last []catalog.Running
	seen, labelled, first := uint64(0), uint64(0), true
	look := func(time.Time) {
		running := m.catalog.Running()
		own, change := m.registry.OwnAlerts()
		generation := m.registry.Generation()
		if !first && change == seen && generation == labelled && reflect.DeepEqual(running, last) {
			return
		}
		last, seen, labelled, first = running, change, generation, false
		if err := m.alerts.SetProbes(probesOf(running, own)); err != nil {
			m.deps.Log.Error("alerts of inspectors are not evaluated", "error", err)
		}
	}
	look(time.Now())
	every(ctx, lookAtProbesEvery, look)
}

// probesOf collects the alerts of scripts: those of the catalog, and each host's
// own. Their directives were checked when they were pushed or reported. The alerts
// of the catalog do not apply to a host that has its own inspector of that name.
func probesOf(running []catalog.Running, own map[string][]wire.OwnAlerts) map[string][]alerts.Probe {
	probes := make(map[string][]alerts.Probe)
	having := make(map[string][]string) // hosts with their own inspector, by its name
	same := make(map[string]int)        // index of the probe with the same lines
	for _, host := range slices.Sorted(maps.Keys(own)) {
		for _, one := range own[host] {
			name := one.Inspector
			having[name] = append(having[name], host)
			if len(one.Lines) == 0 {
				continue
			}
			every := time.Duration(one.IntervalMS) * time.Millisecond
			id := fmt.Sprint(name, "\n", every, "\n", strings.Join(one.Lines, "\n"))
			if i, known := same[id]; known {
				probes[name][i].Hosts = append(probes[name][i].Hosts, host)
				continue
			}
			if said, err := inspectors.ParseAlertLines(name, one.Lines); err == nil {
				same[id] = len(probes[name])
				probes[name] = append(probes[name], alerts.Probe{Name: name, Said: said, Hosts: []string{host}, Own: true, Interval: every})
			}
		}
	}
	for _, r := range running {
		said, err := inspectors.ParseDirectives(r.File, r.Source)
		if err != nil || len(said.Alerts) == 0 {
			continue
		}
		p := alerts.Probe{Name: r.Name, Said: said, Hosts: r.Hosts, Except: r.Except, Interval: r.Interval}
		any := true
		if others := having[r.Name]; len(others) > 0 {
			p, any = p.Without(others)
		}
		if any {
			probes[r.Name] = append(probes[r.Name], p)
		}
	}
	return probes
}

// alertmanager serves Alertmanager's API. Its rows say who may change something,
// and that it is audited.
func (m *Master) alertmanager() http.Handler { return m.alerts.Route() }
