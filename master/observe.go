package master

import "github.com/vedettehq/vedette/master/auth"

// observe shows how the master's parts are, beside what the history tells of
// itself.
func (m *Master) observe(failures *auth.Failures) {
	for _, measure := range []struct {
		name, help string
		value      func() float64
	}{
		{"hosts", "Hosts that have reported since the master started.", func() float64 { return float64(m.registry.Count()) }},
		{"connected_agents", "Agents that are connected.", func() float64 { return float64(m.registry.Connected()) }},
		{"connections", "Open WebSocket connections: of agents, pages, command lines and programs.", func() float64 { return float64(len(m.rpc.Peers())) }},
		{"live_series", "Series that have reported lately.", func() float64 { return float64(m.hub.SeriesCount("")) }},
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
}
