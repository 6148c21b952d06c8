package master

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/master/alert"
	"github.com/vedettehq/vedette/master/audit"
	"github.com/vedettehq/vedette/master/auth"
	"github.com/vedettehq/vedette/master/history"
	"github.com/vedettehq/vedette/master/history/receive"
	"github.com/vedettehq/vedette/master/ingest"
	"github.com/vedettehq/vedette/rpc/wire"
)

// Paths of the master's own, beside wire.Path and history.APIPrefix.
const (
	clientScriptPath = "/api/client"
	metricsPath      = "/metrics"
	healthyPath      = "/-/healthy"
	readyPath        = "/-/ready"
)

// listen opens the master's socket, and refuses one that others could reach
// where nothing would keep them out.
func (m *Master) listen() (net.Listener, error) {
	if !auth.IsLoopback(m.cfg.Listen) && (m.cfg.TLS.Cert == "" || len(m.cfg.Tokens) == 0) {
		return nil, fmt.Errorf("cannot listen on %q: beyond loopback a master needs TLS and tokens; "+
			"set master.tls.cert, master.tls.key and master.tokens (`vedette token` makes one), or listen on 127.0.0.1", m.cfg.Listen)
	}
	listener, err := net.Listen("tcp", m.cfg.Listen)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("cannot listen on %q: the port is taken, perhaps by another master; stop it, or choose another port with --listen: %w", m.cfg.Listen, err)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %q: %w", m.cfg.Listen, err)
	}
	return listener, nil
}

// newRoutes is the map of the master's URLs.
func newRoutes(cfg config.Master, deps Deps, authenticator *auth.Authenticator, rpcServer http.Handler, store *history.Store, alerts *alert.Alerts, stored http.Handler, taker *ingest.Ingest) (http.Handler, error) {
	mux := http.NewServeMux()
	mux.Handle(history.APIPrefix, viewersOnly(authenticator, store.Handler()))
	mux.Handle(history.APIPrefix+"rules", getOnly(viewersOnly(authenticator, http.HandlerFunc(alerts.ServeRules))))
	mux.Handle(history.APIPrefix+"alerts", getOnly(viewersOnly(authenticator, http.HandlerFunc(alerts.ServeAlerts))))
	mux.Handle(history.APIPrefix+"write", remoteWriters(authenticator, deps.Log, taker))
	mux.Handle(metricsPath, getOnly(viewersOnly(authenticator, store.Metrics())))
	mux.Handle(healthyPath, getOnly(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "Vedette is healthy.\n") })))
	mux.Handle(readyPath, getOnly(readiness(store)))
	mux.Handle(wire.Path, rpcServer)
	mux.Handle(wire.ArtefactPath, stored)
	mux.Handle(clientScriptPath, deps.ClientScript)
	mux.Handle("/", deps.Web)
	for _, prefix := range slices.Sorted(maps.Keys(cfg.Static)) {
		handler, err := staticFolder(prefix, cfg.Static[prefix])
		if err != nil {
			return nil, err
		}
		mux.Handle(path.Clean(prefix)+"/", handler)
	}
	return loopbackOnly(authenticator, mux), nil
}

// staticFolder serves the files of a folder, index.html for the folder itself,
// and nothing outside it, whatever the links in it say.
func staticFolder(prefix, folder string) (http.Handler, error) {
	prefix = path.Clean(prefix)
	if !strings.HasPrefix(prefix, "/") || prefix == "/" || isOwnPath(prefix) {
		return nil, fmt.Errorf("cannot serve %q at %q: the path must start with / and not be one of the master's own", folder, prefix)
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, fmt.Errorf("cannot serve %q at %q: %w", folder, prefix, err)
	}
	files := getOnly(http.FileServerFS(noListing{root.FS()}))
	return http.StripPrefix(prefix, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-cache")
		files.ServeHTTP(w, r)
	})), nil
}

// getOnly answers GET and HEAD, and says so to all else.
func getOnly(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "only GET and HEAD are answered here", http.StatusMethodNotAllowed)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// isOwnPath reports whether a path is one that the master serves itself, or is
// below one.
func isOwnPath(prefix string) bool {
	for _, own := range []string{wire.Path, clientScriptPath, metricsPath, healthyPath, readyPath, path.Clean(history.APIPrefix), path.Clean(wire.ArtefactPath)} {
		if prefix == own || strings.HasPrefix(prefix, own+"/") {
			return true
		}
	}
	return false
}

// readiness tells whether the history is open, for those who start or watch
// the master from outside. It says nothing that is not for everybody.
func readiness(store *history.Store) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		select {
		case <-store.Ready():
			io.WriteString(w, "Vedette is ready.\n")
		default:
			w.Header().Set("Retry-After", "2")
			http.Error(w, "Vedette is reading its history.", http.StatusServiceUnavailable)
		}
	}
}

// viewersOnly serves who may look, and counts each caller's queries as its own.
func viewersOnly(authenticator *auth.Authenticator, next http.Handler) http.Handler {
	return authenticator.Only(wire.Viewer, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(history.WithCaller(r.Context(), auth.Of(r.Context()).Name)))
	}))
}

// remoteWriters takes remote write from agents' credentials, for their one host,
// and from the user of a master without tokens, for the hosts that the samples
// name.
func remoteWriters(authenticator *auth.Authenticator, log *slog.Logger, taker *ingest.Ingest) http.Handler {
	return authenticator.Only(wire.Agent, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		take := receive.Handler{Log: log, Take: func(series []receive.Series) (receive.Result, error) {
			return taker.Remote(r.Context(), auth.Of(r.Context()).Host, series)
		}, Count: taker.CountRefused}
		take.ServeHTTP(w, r)
	}))
}

// programs lets operators store the programs of plugins, and everybody with a
// credential fetch them: an agent only those that its host is to run.
func programs(authenticator *auth.Authenticator, assigned func(host, program string) bool, next http.Handler) http.Handler {
	fetch := authenticator.Only(wire.Known, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		identity := auth.Of(r.Context())
		if identity.Role == auth.Agent && !assigned(identity.Host, strings.TrimPrefix(r.URL.Path, wire.ArtefactPath)) {
			http.Error(w, fmt.Sprintf("host %q is not to run that program", identity.Host), http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	}))
	store := authenticator.Only(wire.Operator, next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			fetch.ServeHTTP(w, r)
			return
		}
		store.ServeHTTP(w, r)
	})
}

// audited is programs with every program that somebody stores, or is refused, in
// the audit log.
func audited(note func(context.Context, wire.AuditEntry), authenticator *auth.Authenticator, assigned func(host, program string) bool, next http.Handler) http.Handler {
	next = programs(authenticator, assigned, next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		identity, err := authenticator.Request(r)
		if r.Method != http.MethodPut || err != nil || identity == nil {
			next.ServeHTTP(w, r)
			return
		}
		answer := &answered{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(answer, r)
		outcome := audit.OK
		if answer.status >= http.StatusBadRequest {
			outcome = fmt.Sprintf("%d %s", answer.status, http.StatusText(answer.status))
		}
		note(context.WithoutCancel(r.Context()), wire.AuditEntry{
			AtMS: time.Now().UnixMilli(), Who: identity.Name, Role: string(identity.Role), From: r.RemoteAddr,
			Action: "artefacts.put", Subject: strings.TrimPrefix(r.URL.Path, wire.ArtefactPath), Outcome: outcome,
		})
	})
}

// answered remembers how a request was answered.
type answered struct {
	http.ResponseWriter
	status int
}

func (a *answered) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

// Unwrap lets a http.ResponseController reach what is below.
func (a *answered) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// noListing hides folders without an index.html, so that a served folder shows
// what was put there to be seen.
type noListing struct{ fs.FS }

func (n noListing) Open(name string) (fs.File, error) {
	file, err := n.FS.Open(name)
	if err != nil {
		return nil, err
	}
	if info, err := file.Stat(); err == nil && info.IsDir() {
		if _, err := fs.Stat(n.FS, path.Join(name, "index.html")); err != nil {
			return nil, errors.Join(fs.ErrNotExist, file.Close())
		}
	}
	return file, nil
}

// loopbackOnly refuses requests under a foreign name to a master without tokens.
func loopbackOnly(authenticator *auth.Authenticator, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := authenticator.CheckHost(r); err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}
