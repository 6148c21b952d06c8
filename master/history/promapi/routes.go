package promapi

import (
	"net/http"

	"github.com/vedettehq/vedette/rpc/wire"
)

// Route is one path of the API.
type Route struct {
	Path    string // below Prefix, a pattern of http.ServeMux
	Methods []string
	Body    int64  // most bytes of a form
	Says    string // what it answers, in one sentence
	// Bound says how an answer keeps to the hosts of its caller.
	Bound wire.Binding

	serve method
}

// Routes are all of the API, with the paths of Prometheus.
func Routes() []Route {
	form := []string{http.MethodGet, http.MethodHead, http.MethodPost}
	get := []string{http.MethodGet, http.MethodHead}
	none := []struct{}{}
	return []Route{
		{"query", form, MaxFormBytes, "Evaluate an expression at one time.", wire.Within, (*API).query},
		{"query_range", form, MaxFormBytes, "Evaluate an expression over a range of times.", wire.Within, (*API).queryRange},
		{"query_exemplars", form, MaxFormBytes, "List the exemplars of an expression; there are none.", wire.NoHosts, (*API).queryExemplars},
		{"format_query", form, MaxFormBytes, "Format an expression.", wire.NoHosts, (*API).formatQuery},
		{"labels", form, MaxFormBytes, "List the names of labels.", wire.Within, (*API).labelNames},
		{"label/{name}/values", get, 0, "List the values of a label.", wire.Within, (*API).labelValues},
		{"series", form, MaxFormBytes, "List the series that selectors match.", wire.Within, (*API).series},
		{"metadata", get, 0, "Say the type, help and unit of metrics.", wire.Within, (*API).metadata},
		{"status/tsdb", get, 0, "Count what the history holds.", wire.Unbound, (*API).statusTSDB},
		{"status/buildinfo", get, 0, "Say the version.", wire.NoHosts, (*API).statusBuild},
		{"status/runtimeinfo", get, 0, "Say how the process is.", wire.Unbound, (*API).statusRuntime},
		{"status/config", get, 0, "Show no configuration.", wire.NoHosts, fixed(map[string]string{"yaml": ""})},
		{"status/flags", get, 0, "Show no flags.", wire.NoHosts, fixed(struct{}{})},
		{
			"targets", get, 0, "List the targets that are scraped: none.", wire.NoHosts,
			fixed(map[string]any{"activeTargets": none, "droppedTargets": none, "droppedTargetCounts": struct{}{}}),
		},
		{"targets/metadata", get, 0, "Describe the metrics of targets: none.", wire.NoHosts, fixed(none)},
		{"alertmanagers", get, 0, "List no Alertmanagers.", wire.NoHosts, fixed(map[string]any{"activeAlertmanagers": none, "droppedAlertmanagers": none})},
	}
}

// fixed always answers with the same data, for parts that clients ask for and that do not
// exist here.
func fixed(data any) method {
	return func(*API, *call) (any, *fault) { return data, nil }
}
