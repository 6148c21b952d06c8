package master

import (
	"github.com/vedettehq/vedette/master/auth"
	"github.com/vedettehq/vedette/master/conns"
	"github.com/vedettehq/vedette/master/history"
	"github.com/vedettehq/vedette/master/hosts"
	"github.com/vedettehq/vedette/master/live"
	"github.com/vedettehq/vedette/rpc"
)

// observe shows how the master's parts are, beside what the history tells of
// itself.
func observe(store *history.Store, hub *live.Hub, registry *hosts.Registry, server *rpc.Server) {
	for _, m := range []struct {
		name, help string
		value      func() float64
	}{
		{"hosts", "Hosts that have reported since the master started.", func() float64 { return float64(registry.Count()) }},
		{"connected_agents", "Agents that are connected.", func() float64 { return float64(registry.Connected()) }},
		{"connections", "Open WebSocket connections: of agents, pages, command lines and programs.", func() float64 { return float64(len(server.Peers())) }},
		{"live_series", "Series that have reported lately.", func() float64 { return float64(hub.SeriesCount("")) }},
		{"live_subscriptions", "Patterns that somebody watches.", func() float64 { return float64(hub.Subscriptions()) }},
		{"live_lost_total", "Samples and events that watchers were too slow for; the history has them.", func() float64 { return float64(hub.Lost()) }},
	} {
		store.Observe(m.name, m.help, m.value)
	}
}

// observeConnections shows the connections that are no WebSockets.
func observeConnections(store *history.Store, table *conns.Table) {
	store.Observe("http_connections", "Open connections that are no WebSockets.", func() float64 {
		open, _ := table.Plain()
		return float64(open)
	})
	store.Observe("http_connections_cut_total", "Connections that were closed to make room for others.", func() float64 {
		_, cut := table.Plain()
		return float64(cut)
	})
}

// observeFailures counts those who show wrong credentials.
func observeFailures(store *history.Store, failures *auth.Failures) {
	store.Observe("auth_failures_total", "Credentials that were shown and are not known.", func() float64 { return float64(failures.Total()) })
}
