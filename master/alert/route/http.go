package route

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/alertmanager/alert"
	amapi "github.com/prometheus/alertmanager/api"
	"github.com/prometheus/alertmanager/dispatch"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
	amroute "github.com/prometheus/common/route"
	"github.com/prometheus/common/version"
)

// MaxBody bounds a request.
const MaxBody = 8 << 20

// making is held while an API is made, because all are made from one description, which
// that changes, and state one version.
var making sync.Mutex

// openAPI returns Alertmanager's HTTP API for this Router. It is made at the first
// request, because that takes some milliseconds and megabytes.
func (r *Router) openAPI() (http.Handler, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.handler != nil {
		return r.handler, nil
	}
	making.Lock()
	defer making.Unlock()
	stateVersionLocked()
	duration := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "alertmanager_http_request_duration_seconds", Help: "Latencies of requests.", Buckets: prometheus.DefBuckets,
	}, []string{"handler", "method", "code"})
	api, err := amapi.New(amapi.Options{
		Alerts: r.alerts, Silences: r.silences.Silences, GroupMutedFunc: r.groups.Muted, Logger: r.opts.Log, Registry: prometheus.NewRegistry(),
		RequestDuration: duration, GroupFunc: r.alertGroups,
	})
	if err != nil {
		return nil, fmt.Errorf("cannot serve the API of Alertmanager: %w", err)
	}
	r.api = api
	r.tellAPILocked()
	r.handler = api.Register(amroute.New(), Prefix)
	return r.handler, nil
}

// stateVersionLocked has the API say which Alertmanager is built in. An Alertmanager gets
// its version from the linker. Without one, amtool warns in each command that its own
// version differs from "()".
func stateVersionLocked() {
	if version.Version == "" {
		version.Version = builtInVersion()
	}
}

// builtInVersion is the version of Alertmanager that the program was built with.
func builtInVersion() string {
	const fallback = "0.33.0" // where a program does not know its modules, such as a test
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return fallback
	}
	for _, module := range info.Deps {
		if module.Path == "github.com/prometheus/alertmanager" {
			return strings.TrimPrefix(module.Version, "v")
		}
	}
	return fallback
}

// tellAPILocked gives the API, if there is one, the present configuration.
func (r *Router) tellAPILocked() {
	if r.api == nil {
		return
	}
	r.api.Update(r.config.alertmanager, func(ctx context.Context, labels model.LabelSet) {
		if run := r.now(); run != nil {
			run.inhibitor.Mutes(ctx, labels)
		}
		r.silencer.Mutes(ctx, labels)
	})
}

// alertGroups lists alerts by group; none before Start.
func (r *Router) alertGroups(
	ctx context.Context, routes func(*dispatch.Route) bool, alerts func(*alert.Alert, time.Time) bool,
) (dispatch.AlertGroups, map[model.Fingerprint][]string, error) {
	run := r.now()
	if run == nil {
		return nil, nil, nil
	}
	return run.dispatcher.Groups(ctx, routes, alerts)
}

// ServeHTTP answers Alertmanager's API, version 2, below Prefix. A change of a silence is
// answered when it is on the disk. The caller checks who may ask. Unlike Alertmanager, it
// does not allow pages of other origins to read the answer.
func (r *Router) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if !r.isOpen() {
		w.Header().Set("Retry-After", "2")
		http.Error(w, ErrNotOpen.Error(), http.StatusServiceUnavailable)
		return
	}
	handler, err := r.openAPI()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	req = req.Clone(req.Context())
	req.Header.Del("Origin")
	switch req.Method {
	case http.MethodGet, http.MethodHead:
		req.Method = http.MethodGet // Alertmanager knows no HEAD; the server leaves the body out
		handler.ServeHTTP(w, req)
	case http.MethodPost, http.MethodDelete:
		r.serveChange(w, req, handler)
	default:
		w.Header().Set("Allow", "GET, HEAD, POST, DELETE")
		http.Error(w, "only GET, HEAD, POST and DELETE are answered here", http.StatusMethodNotAllowed)
	}
}

func (r *Router) serveChange(w http.ResponseWriter, req *http.Request, handler http.Handler) {
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, MaxBody))
	if err != nil {
		http.Error(w, "cannot read the request: "+err.Error(), http.StatusBadRequest)
		return
	}
	req.Body = io.NopCloser(bytes.NewReader(body)) // nobody waits for a slow client
	held := &answer{header: make(http.Header), status: http.StatusOK}
	err = r.silences.change(req.Context(), func() error {
		handler.ServeHTTP(held, req)
		return nil
	})
	if err != nil {
		http.Error(w, "the change is not on the disk, and is lost when the master restarts: "+err.Error(), http.StatusInternalServerError)
		return
	}
	if held.status == http.StatusOK {
		r.notePosted(req, body)
	}
	for name, values := range held.header {
		w.Header()[name] = values
	}
	w.WriteHeader(held.status)
	_, _ = w.Write(held.body.Bytes()) // the client has gone
}

// answer holds an answer back.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) { a.status = status }

// Write implements http.ResponseWriter.
func (a *answer) Write(b []byte) (int, error) { return a.body.Write(b) }
