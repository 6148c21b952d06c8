package master

import (
	"github.com/vedettehq/vedette/master/auth"
	"github.com/vedettehq/vedette/rpc/wire"
)

// observe publishes the state of the master's parts, in addition to what the
// history publishes itself.
func (m *Master) observe(failures *auth.Failures) {
	for _, measure := range []struct {
		name, help string
		value      func() float64
	}{
		{"hosts", "Hosts that have reported since the master started.", func() float64 { return float64(m.registry.Count()) }},
		{"connected_agents", "Agents that are connected.", func() float64 { return float64(m.registry.Connected()) }},
		{"connections", "Open WebSocket connections: of agents, pages, command lines and programs.", func() float64 { return float64(len(m.rpc.Peers())) }},
		{"live_series", "Series that have reported recently.", func() float64 { return float64(m.hub.SeriesCount("")) }},
		{"live_subscriptions", "Patterns that somebody watches.", func() float64 { return float64(m.hub.Subscriptions()) }},
		{"live_lost_total", "Samples and events that watchers were too slow for; the history has them.", func() float64 { return float64(m.hub.Lost()) }},
		{"http_connections", "Open connections that are no WebSockets.", func() float64 {
			open, _ := m.table.Plain()
			return float64(open)
		}},
		{"http_connections_cut_total", "Connections that were closed to make room for others.", func() float64 {
			_, cut := m.table.Plain()
			return float64(cut)
		}},
		{"auth_failures_total", "Credentials that were shown and are not known.", func() float64 { return float64(failures.Total()) }},
	} {
		m.history.Observe(measure.name, measure.help, measure.value)
	}
	observeForwarders(m.history, m.forward)
	m.observeAudit()
}

// auditReceivers returns the status of sending the audit log to each receiver.
func (m *Master) auditReceivers() []wire.AuditReceiver {
	var receivers []wire.AuditReceiver
	for _, s := range m.audit {
		receivers = append(receivers, s.Status())
	}
	return receivers
}

// observeAudit publishes the counts of sending the audit log, over all receivers.
func (m *Master) observeAudit() {
	if len(m.audit) == 0 {
		return
	}
	for _, measure := range []struct {
		name, help string
		value      func(wire.AuditReceiver) uint64
	}{
		{"audit_waiting_entries", "Entries of the audit log that a receiver has not taken yet.", func(r wire.AuditReceiver) uint64 { return r.Waiting }},
		{
			"audit_missed_entries_total", "Entries of the audit log that retention removed before a receiver could take them.",
			func(r wire.AuditReceiver) uint64 { return r.Missed },
		},
		{"audit_send_failures_total", "Attempts to send entries of the audit log that failed.", func(r wire.AuditReceiver) uint64 { return r.Failures }},
		{"audit_receivers_failing", "Receivers of the audit log that take nothing.", func(r wire.AuditReceiver) uint64 {
			if r.Error != "" {
				return 1
			}
			return 0
		}},
	} {
		m.history.Observe(measure.name, measure.help, func() float64 {
			total := uint64(0)
			for _, r := range m.auditReceivers() {
				total += measure.value(r)
			}
			return float64(total)
		})
	}
}
