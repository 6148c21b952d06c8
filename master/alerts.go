package master

import (
	"cmp"
	"context"
	"net/http"
	"reflect"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/inspectors/alerts"
	"github.com/vedettehq/vedette/internal/bell"
	"github.com/vedettehq/vedette/master/alert"
	"github.com/vedettehq/vedette/master/catalog"
	"github.com/vedettehq/vedette/rpc/wire"
)

// newAlerts makes what evaluates rules and tells people.
func (m *Master) newAlerts() (*alert.Alerts, error) {
	return alert.New(alert.Options{
		Log: m.deps.Log, History: m.history, Config: m.cfg.Alerts, Gone: m.hostIsGone,
		Changed: func() { bell.Ring(m.alertsChanged) },
		Link:    func() string { return cmp.Or(m.cfg.Alerts.URL, m.URL()) + "/alerts" },
	})
}

// announceAlerts counts for those who watch what fires, until ctx ends: at most once
// in announceAlertsEvery, however much changes.
func (m *Master) announceAlerts(ctx context.Context) {
	every(ctx, announceAlertsEvery, func(time.Time) {
		select {
		case <-m.alertsChanged:
			m.hub.Announce("alerts/summary", m.alerts.Summary(ctx))
		default:
		}
	})
}

// announceAlertsEvery is how often what fires is counted for those who watch.
const announceAlertsEvery = time.Second

// hostIsGone reports whether nobody can tell how a host is: it is known, should be
// there, and does not report.
func (m *Master) hostIsGone(name string) bool {
	host, ok := m.registry.Get(name)
	return ok && host.State != wire.HostUp && host.Labels[ephemeralLabel] != "true"
}

// alert evaluates rules until ctx ends.
func (m *Master) alert(ctx context.Context) {
	if err := m.alerts.Run(ctx); err != nil {
		m.deps.Log.Error("nobody is told of alerts", "error", err)
	}
}

// lookAtProbesEvery is how often it is looked whether hosts run other alerts.
const lookAtProbesEvery = 2 * time.Second

// alertOfProbes evaluates the alerts of the scripts that hosts run, until ctx ends.
func (m *Master) alertOfProbes(ctx context.Context) {
	var last []catalog.Running
	look := func(time.Time) {
		running := m.catalog.Running()
		if reflect.DeepEqual(running, last) {
			return
		}
		last = running
		if err := m.alerts.SetProbes(probesOf(running)); err != nil {
			m.deps.Log.Error("alerts of inspectors are not evaluated", "error", err)
		}
	}
	look(time.Now())
	every(ctx, lookAtProbesEvery, look)
}

// probesOf reads what scripts say of alerts. Their directives were checked when they
// were pushed.
func probesOf(running []catalog.Running) map[string][]alerts.Probe {
	probes := make(map[string][]alerts.Probe)
	for _, r := range running {
		said, err := inspectors.ParseDirectives(r.File, r.Source)
		if err == nil && len(said.Alerts) > 0 {
			probes[r.Name] = append(probes[r.Name], alerts.Probe{Name: r.Name, Said: said, Hosts: r.Hosts, Except: r.Except})
		}
	}
	return probes
}

// alertmanager serves Alertmanager's API. Who may change something, and that it is in
// the audit log, is in its rows.
func (m *Master) alertmanager() http.Handler { return m.alerts.Route() }
