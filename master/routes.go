package master

import (
	"fmt"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/master/alert"
	"github.com/vedettehq/vedette/master/auth"
	"github.com/vedettehq/vedette/master/history"
	"github.com/vedettehq/vedette/master/history/receive"
	"github.com/vedettehq/vedette/master/join"
	"github.com/vedettehq/vedette/master/login"
	"github.com/vedettehq/vedette/master/scope"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// route is the row of one path of the master: the handler, the callers it serves,
// and the rules for them. The mux is built from the rows alone, so a path without
// a row does not exist, and neither does a method that its row does not name.
type route struct {
	// Path is a pattern of http.ServeMux, without a method: one that ends in a slash
	// is for everything below it.
	Path    string
	Methods []string
	// For says what credential a request must carry. Anybody needs none.
	For wire.Access
	// Bound says how a request is limited to the hosts that its sender is bound
	// to.
	Bound wire.Binding
	// Body is the longest body of a request, in bytes. With 0 the handler sees no
	// body.
	Body int64
	// Audit is the action that the audit log names for each request by a known
	// sender, let through or refused. Its subject is the rest of the path. It is
	// "" for routes that change nothing.
	Audit string
	Says  string // its purpose, in one sentence

	serve func(*Master) http.Handler
}

// routes are the rows of every master. A row with more methods than GET and HEAD
// changes something, unless it is a form that is too long for a URL.
func routes() []route {
	get := []string{http.MethodGet, http.MethodHead}
	rows := []route{
		{
			Path: wire.Path, Methods: []string{http.MethodGet}, For: wire.Anybody, Bound: wire.NoHosts, serve: func(m *Master) http.Handler { return m.rpc },
			Says: "The RPC, over a WebSocket. Each method has its own row in rpc/PROTOCOL.md.",
		},
		{
			Path: wire.ArtefactPath, Methods: get, For: wire.Known, Bound: wire.NoHosts, serve: (*Master).fetchPrograms,
			Says: "Fetch a program of a plugin, or a part of it. An agent gets those that its host runs.",
		},
		{
			Path: wire.ArtefactPath, Methods: []string{http.MethodPut}, For: wire.Operator, Bound: wire.NoHosts, Body: wire.MaxArtefact, Audit: "artefacts.put",
			serve: (*Master).storePrograms,
			Says:  "Store a program of a plugin.",
		},
		{
			Path: history.APIPrefix + "rules", Methods: get, For: wire.Viewer, Bound: wire.Within,
			serve: func(m *Master) http.Handler { return http.HandlerFunc(m.alerts.ServeRules) },
			Says:  "List the alert rules and how they are, as Prometheus does.",
		},
		{
			Path: history.APIPrefix + "alerts", Methods: get, For: wire.Viewer, Bound: wire.Within,
			serve: func(m *Master) http.Handler { return http.HandlerFunc(m.alerts.ServeAlerts) },
			Says:  "List the alerts that are pending or firing, as Prometheus does.",
		},
		{
			Path: history.APIPrefix + "write", Methods: []string{http.MethodPost}, For: wire.Agent, Bound: wire.OwnHost, Body: receive.MaxPackedBytes,
			serve: (*Master).remoteWrite,
			Says:  "Take samples: Prometheus' remote write 1.0.",
		},
		{
			Path: "/write", Methods: []string{http.MethodPost}, For: wire.Agent, Bound: wire.OwnHost, Body: receive.MaxPackedBytes,
			serve: (*Master).influxWrite,
			Says:  "Take samples: InfluxDB's line protocol, as its version 1 does.",
		},
		{
			Path: "/api/v2/write", Methods: []string{http.MethodPost}, For: wire.Agent, Bound: wire.OwnHost, Body: receive.MaxPackedBytes,
			serve: (*Master).influxWrite,
			Says:  "Take samples: InfluxDB's line protocol, as its version 2 does.",
		},
		{
			Path: "/v1/metrics", Methods: []string{http.MethodPost}, For: wire.Agent, Bound: wire.OwnHost, Body: receive.MaxPackedBytes,
			serve: (*Master).otlpWrite,
			Says:  "Take metrics: OTLP over HTTP, in protobuf or JSON.",
		},
		{
			Path: history.APIPrefix + "otlp/v1/metrics", Methods: []string{http.MethodPost}, For: wire.Agent, Bound: wire.OwnHost,
			Body: receive.MaxPackedBytes, serve: (*Master).otlpWrite,
			Says: "Take metrics: OTLP over HTTP, under the path that Prometheus has for it.",
		},
		{
			Path: history.APIPrefix, Methods: []string{http.MethodGet, http.MethodHead, http.MethodPost}, For: wire.Viewer,
			Bound: wire.NoHosts, serve: (*Master).queries,
			Says: "Answer 404 in the form of Prometheus.",
		},
		{
			Path: alert.RoutePrefix, Methods: get, For: wire.Viewer, Bound: wire.Unbound, serve: (*Master).alertmanager,
			Says: "Alertmanager's API, version 2, for amtool and Grafana.",
		},
		{
			Path: alert.RoutePrefix, Methods: []string{http.MethodPost, http.MethodDelete}, For: wire.Operator, Bound: wire.Unbound, Body: alert.MaxRouteBody,
			Audit: "alertmanager.change", serve: (*Master).alertmanager,
			Says: "Make and end silences, and put alerts, by Alertmanager's API.",
		},
		{
			Path: wire.JoinPath, Methods: []string{http.MethodPost}, For: wire.Anybody, Bound: wire.NoHosts, Body: join.MaxBody,
			serve: func(m *Master) http.Handler { return http.HandlerFunc(m.joining().ServeJoin) },
			Says:  "Let a host in that has a join token. Audited as `hosts.join`.",
		},
		{
			Path: wire.RenewPath, Methods: []string{http.MethodPost}, For: wire.Anybody, Bound: wire.NoHosts, Body: join.MaxBody,
			serve: func(m *Master) http.Handler { return http.HandlerFunc(m.joining().ServeRenew) },
			Says:  "Give a host that has joined its next certificate, for the one with which it has connected. Refusals are audited as `hosts.renew`.",
		},
		{
			Path: wire.LoginPath, Methods: get, For: wire.Anybody, Bound: wire.NoHosts,
			serve: func(m *Master) http.Handler { return http.HandlerFunc(m.login.ServeWays) },
			Says:  "Tell how people can log in, and who is logged in.",
		},
		{
			Path: wire.LoginPath, Methods: []string{http.MethodPost}, For: wire.Anybody, Bound: wire.NoHosts, Body: login.MaxBody,
			serve: func(m *Master) http.Handler { return http.HandlerFunc(m.login.ServeLogin) },
			Says:  "Log a user in, who gets a cookie, or a token for a program. Audited as `users.login`, refusals too.",
		},
		{
			Path: wire.LoginPath, Methods: []string{http.MethodDelete}, For: wire.Known, Bound: wire.NoHosts,
			serve: func(m *Master) http.Handler { return http.HandlerFunc(m.login.ServeLogout) },
			Says:  "Log out: end the session of the cookie or the token. Audited as `users.logout`.",
		},
		{
			Path: wire.PasswordPath, Methods: []string{http.MethodPost}, For: wire.Anybody, Bound: wire.NoHosts, Body: login.MaxBody,
			serve: func(m *Master) http.Handler { return http.HandlerFunc(m.login.ServePassword) },
			Says:  "Take the password of whoever has a link for choosing one, and log them in. Audited as `users.passwd`, refusals too.",
		},
		{
			Path: wire.OIDCPath, Methods: []string{http.MethodGet}, For: wire.Anybody, Bound: wire.NoHosts,
			serve: func(m *Master) http.Handler { return http.HandlerFunc(m.login.ServeBegin) },
			Says:  "Send a browser to the provider at which people log in, to come back to the page that `next` names, or for the command at `port`.",
		},
		{
			Path: wire.OIDCCallbackPath, Methods: []string{http.MethodGet}, For: wire.Anybody, Bound: wire.NoHosts,
			serve: func(m *Master) http.Handler { return http.HandlerFunc(m.login.ServeFinish) },
			Says:  "Log in the person whom the provider has sent back, or ask whether to log in a command; a command is sent the refusal. Audited as `users.login`, refusals too.",
		},
		{
			Path: wire.OIDCConfirmPath, Methods: []string{http.MethodPost}, For: wire.Anybody, Bound: wire.NoHosts,
			serve: func(m *Master) http.Handler { return http.HandlerFunc(m.login.ServeConfirm) },
			Says:  "Send a browser, whose user has confirmed that a command is to be logged in, to that command. Refusals are audited as `users.login`.",
		},
		{
			Path: wire.OIDCTokenPath, Methods: []string{http.MethodPost}, For: wire.Anybody, Bound: wire.NoHosts, Body: login.MaxBody,
			serve: func(m *Master) http.Handler { return http.HandlerFunc(m.login.ServeToken) },
			Says:  "Give a command its token, for the code that the browser has brought it. Audited as `users.login`, refusals too.",
		},
		{
			Path: "/metrics", Methods: get, For: wire.Viewer, Bound: wire.Unbound, serve: func(m *Master) http.Handler { return m.history.Metrics() },
			Says: "The master's own measures, for a Prometheus to scrape.",
		},
		{
			Path: "/graph", Methods: get, For: wire.Anybody, Bound: wire.NoHosts,
			serve: func(*Master) http.Handler { return http.HandlerFunc(serveGraph) },
			Says:  "Send a browser to Explore, with the expressions of a link to a Prometheus, such as `graphLink` in a template writes.",
		},
		{
			Path: "/-/healthy", Methods: get, For: wire.Anybody, Bound: wire.NoHosts, serve: (*Master).healthy,
			Says: "Answer 200 while the process serves requests.",
		},
		{
			Path: "/-/ready", Methods: get, For: wire.Anybody, Bound: wire.NoHosts, serve: (*Master).readiness,
			Says: "Answer 200 once the history is open, 503 before.",
		},
		{
			Path: "/-/backup", Methods: []string{http.MethodPost}, For: wire.Admin, Bound: wire.Unbound,
			Body: maxBackupRequest, Audit: "master.backup", serve: (*Master).backups,
			Says: "Send a backup, without the files that the request lists: `vedette master backup`.",
		},
		{
			Path: "/api/client", Methods: get, For: wire.Anybody, Bound: wire.NoHosts, serve: func(m *Master) http.Handler { return m.deps.ClientScript },
			Says: "The script that defines MeshClient, for pages of any origin.",
		},
		{
			Path: "/", Methods: get, For: wire.Anybody, Bound: wire.NoHosts, serve: func(m *Master) http.Handler { return m.deps.Web },
			Says: "The application in the browser.",
		},
	}
	for _, r := range history.APIRoutes() {
		rows = append(rows, route{
			Path: history.APIPrefix + r.Path, Methods: r.Methods, For: wire.Viewer, Bound: r.Bound, Body: r.Body, Says: r.Says, serve: (*Master).queries,
		})
	}
	slices.SortStableFunc(rows, func(a, b route) int { return strings.Compare(a.Path, b.Path) })
	return rows
}

// staticRoutes are the rows for the folders that the configuration serves.
func staticRoutes(cfg config.Master) ([]route, error) {
	var rows []route
	for _, at := range slices.Sorted(maps.Keys(cfg.Static)) {
		handler, err := staticFolder(at, cfg.Static[at])
		if err != nil {
			return nil, err
		}
		rows = append(rows, route{
			Path: path.Clean(at) + "/", Methods: []string{http.MethodGet, http.MethodHead}, For: wire.Anybody, Bound: wire.NoHosts,
			Says: "A folder of the configuration.", serve: func(*Master) http.Handler { return handler },
		})
	}
	return rows, nil
}

// isOwnPath reports whether a path is one that the master serves itself, or is
// below one.
func isOwnPath(prefix string) bool {
	return slices.ContainsFunc(routes(), func(r route) bool {
		own := path.Clean(r.Path)
		return own != "/" && (prefix == own || strings.HasPrefix(prefix, own+"/"))
	})
}

// newMux serves the rows, and nothing else.
func (m *Master) newMux(rows []route) (http.Handler, error) {
	paths := make(map[string]byMethod)
	for _, r := range rows {
		if paths[r.Path] == nil {
			paths[r.Path] = make(byMethod)
		}
		handler := m.guarded(r)
		for _, method := range r.Methods {
			if paths[r.Path][method] != nil {
				return nil, fmt.Errorf("cannot serve %s %q twice", method, r.Path)
			}
			paths[r.Path][method] = handler
		}
	}
	mux := http.NewServeMux()
	for at, methods := range paths {
		mux.Handle(at, methods)
	}
	return loopbackOnly(m.auth, mux), nil
}

// byMethod serves one path, each method with its handler.
type byMethod map[string]http.Handler

// ServeHTTP implements http.Handler.
func (b byMethod) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if handler := b[r.Method]; handler != nil {
		handler.ServeHTTP(w, r)
		return
	}
	allow := strings.Join(slices.Sorted(maps.Keys(b)), ", ")
	w.Header().Set("Allow", allow)
	http.Error(w, fmt.Sprintf("%s is asked with %s, not with %s", r.URL.Path, allow, r.Method), http.StatusMethodNotAllowed)
}

// guarded puts the handler of a row behind all checks of the row.
func (m *Master) guarded(row route) http.Handler {
	handler := bounded(row, row.serve(m))
	switch {
	case row.For != wire.Anybody:
		handler = m.auth.Only(row.For, m.bound(row.Bound, handler))
	case slices.ContainsFunc(row.Methods, changes):
		handler = sameOrigin(m.auth, handler)
	}
	if row.Audit != "" {
		handler = m.audited(row, handler)
	}
	return handler
}

// bound refuses callers who are bound to hosts if the path cannot be limited to
// them, and otherwise tells the handler whom it answers.
func (m *Master) bound(how wire.Binding, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		identity := auth.Of(r.Context())
		if err := identity.BoundTo(how); err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r.WithContext(scope.With(r.Context(), scope.Of(identity.Hosts, m.registry))))
	})
}

// changes reports whether a method may change something.
func changes(method string) bool { return method != http.MethodGet && method != http.MethodHead }

// bounded refuses bodies that are longer than the row allows.
func bounded(row route, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case row.Body == 0:
			r.Body = http.NoBody
		case r.ContentLength > row.Body:
			http.Error(w, fmt.Sprintf("%s takes at most %d bytes; this request has %d", row.Path, row.Body, r.ContentLength), http.StatusRequestEntityTooLarge)
			return
		default:
			r.Body = http.MaxBytesReader(w, r.Body, row.Body)
		}
		next.ServeHTTP(w, r)
	})
}

// sameOrigin refuses requests from pages of other origins.
func sameOrigin(authenticator *auth.Authenticator, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !authenticator.CheckOrigin(r) {
			http.Error(w, rpc.OriginRefusal(r), http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}
