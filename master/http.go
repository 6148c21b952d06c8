package master

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path"
	"strings"
	"syscall"
	"time"

	"github.com/vedettehq/vedette/master/artefacts"
	"github.com/vedettehq/vedette/master/audit"
	"github.com/vedettehq/vedette/master/auth"
	"github.com/vedettehq/vedette/master/history"
	"github.com/vedettehq/vedette/master/history/receive"
	"github.com/vedettehq/vedette/rpc/wire"
)

// listen opens the master's socket.
func (m *Master) listen() (net.Listener, error) {
	listener, err := net.Listen("tcp", m.cfg.Listen)
	if err != nil {
		return nil, listenError(m.cfg.Listen, err)
	}
	return listener, nil
}

// listenError says what to do about an address that is not available.
func listenError(address string, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("cannot listen on %s: the port is taken, perhaps by another master; stop that, or choose another port with --listen, such as --listen "+
			"127.0.0.1:0 for any", address)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("cannot listen on %s: not allowed; choose a port from 1024 on with --listen", address)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("cannot listen on %s: this machine does not have that address; choose another with --listen", address)
	}
	return fmt.Errorf("cannot listen on %q: %w", address, err)
}

// staticFolder serves the files of a folder, with index.html for the folder
// itself. It serves nothing outside the folder, not even through links.
func staticFolder(prefix, folder string) (http.Handler, error) {
	prefix = path.Clean(prefix)
	if !strings.HasPrefix(prefix, "/") || prefix == "/" || isOwnPath(prefix) {
		return nil, fmt.Errorf("cannot serve %q at %q: the path must start with / and not be one of the master's own", folder, prefix)
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, fmt.Errorf("cannot serve %q at %q: %w", folder, prefix, err)
	}
	files := http.FileServerFS(noListing{root.FS()})
	return http.StripPrefix(prefix, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-cache")
		files.ServeHTTP(w, r)
	})), nil
}

// serveGraph leads a link to an expression in a Prometheus to the page that shows it.
func serveGraph(w http.ResponseWriter, r *http.Request) {
	asked, shown := r.URL.Query(), url.Values{}
	for i := range 8 {
		if expr := asked.Get(fmt.Sprintf("g%d.expr", i)); expr != "" {
			name := "q"
			if len(shown) > 0 {
				name = fmt.Sprintf("q%d", len(shown)+1)
			}
			shown.Set(name, expr)
		}
	}
	to := "/explore"
	if len(shown) > 0 {
		to += "?" + shown.Encode()
	}
	http.Redirect(w, r, to, http.StatusFound)
}

// healthy answers that the process serves requests.
func (m *Master) healthy() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "Vedette is healthy.\n") })
}

// readiness answers whether the history is open, for tools that start or watch the
// master from outside. It reveals nothing that is not for everybody.
func (m *Master) readiness() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		select {
		case <-m.history.Ready():
			io.WriteString(w, "Vedette is ready.\n")
		default:
			w.Header().Set("Retry-After", "2")
			http.Error(w, "Vedette is reading its history.", http.StatusServiceUnavailable)
		}
	})
}

// queries serves Prometheus' HTTP API, and counts each caller's queries
// separately.
func (m *Master) queries() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.prometheus.ServeHTTP(w, r.WithContext(history.WithCaller(r.Context(), auth.Of(r.Context()).Name)))
	})
}

// remoteWrite takes remote write with agents' credentials, for their one host, and
// from the user of a master without tokens, for the hosts that the samples name.
func (m *Master) remoteWrite() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { m.receiver(r).ServeHTTP(w, r) })
}

// influxWrite takes InfluxDB's line protocol.
func (m *Master) influxWrite() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { m.receiver(r).ServeInflux(w, r) })
}

// otlpWrite takes OTLP.
func (m *Master) otlpWrite() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { m.receiver(r).ServeOTLP(w, r) })
}

// receiver takes the samples of a request, for the host of its credential.
func (m *Master) receiver(r *http.Request) *receive.Handler {
	return &receive.Handler{Log: m.deps.Log, Take: func(series []receive.Series) (receive.Result, error) {
		return m.ingest.Remote(r.Context(), auth.Of(r.Context()).Host, series)
	}, Count: m.ingest.CountRefused, Memory: m.received}
}

// fetchPrograms hands out the programs of plugins. An agent gets only those for
// its own host.
func (m *Master) fetchPrograms() http.Handler {
	programs := m.storePrograms()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		identity := auth.Of(r.Context())
		if identity.Role == auth.Agent && !m.catalog.Assigned(identity.Host, strings.TrimPrefix(r.URL.Path, wire.ArtefactPath)) {
			http.Error(w, fmt.Sprintf("host %q has no inspector with that program", identity.Host), http.StatusForbidden)
			return
		}
		programs.ServeHTTP(w, r)
	})
}

// storePrograms serves the programs of plugins.
func (m *Master) storePrograms() http.Handler {
	return artefacts.Handler{Log: m.deps.Log, Store: m.programs}
}

// audited writes every request of a known sender into the audit log, whether it
// was let through or refused.
func (m *Master) audited(row route, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		identity, err := m.auth.Request(r)
		if err != nil || identity == nil {
			next.ServeHTTP(w, r)
			return
		}
		attempt := audit.NewAttempt(identity.Name, string(identity.Role), r.RemoteAddr, row.Audit)
		answer := &answered{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(answer, r.WithContext(audit.With(r.Context(), attempt)))
		if attempt.HasLine() {
			return
		}
		outcome := audit.OK
		if answer.status >= http.StatusBadRequest {
			outcome = fmt.Sprintf("%d %s", answer.status, http.StatusText(answer.status))
		}
		m.api.Audit(context.WithoutCancel(r.Context()), wire.AuditEntry{
			AtMS: time.Now().UnixMilli(), Who: identity.Name, Role: string(identity.Role), From: r.RemoteAddr,
			Action: row.Audit, Subject: strings.TrimPrefix(r.URL.Path, row.Path), Outcome: outcome,
		})
	})
}

// answered remembers the status with which a request was answered.
type answered struct {
	http.ResponseWriter
	status int
}

func (a *answered) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

// Unwrap lets a http.ResponseController reach the underlying writer.
func (a *answered) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// noListing hides folders without an index.html, so that a served folder shows
// only what was put there to be seen.
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

// loopbackOnly refuses requests that a master without tokens gets under a foreign
// host name.
func loopbackOnly(authenticator *auth.Authenticator, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := authenticator.CheckHost(r); err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}
