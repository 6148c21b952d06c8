package master

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"github.com/vedettehq/vedette/internal/bell"
	"github.com/vedettehq/vedette/master/alert"
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

// alertmanager serves Alertmanager's API. Who may change something, and that it is in
// the audit log, is in its rows.
func (m *Master) alertmanager() http.Handler { return m.alerts.Route() }
