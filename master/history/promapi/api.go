// Package promapi serves the reading part of Prometheus' HTTP API: the requests of
// Grafana's data source, promtool and the client libraries. Paths, parameters, limits,
// errors and the form of the answers are those of
// https://prometheus.io/docs/prometheus/latest/querying/api/.
//
// It differs where the original would be a leak or a lie here: there is no configuration
// and there are no flags to be read, no targets are scraped, no other web page may read
// the answers (CORS), and nothing can be deleted.
package promapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/util/annotations"

	"github.com/vedettehq/vedette/master/history/admit"
	"github.com/vedettehq/vedette/master/history/bounds"
)

// Prefix is the path at which the API must be served.
const Prefix = "/api/v1/"

// statusClientClosed is the status for a request whose client has gone, which
// is not one of net/http.
const statusClientClosed = 499

// Timeout bounds every request, the time in the queue included. The parameter
// timeout asks for less.
const Timeout = 2 * time.Minute

// MaxFormBytes bounds the size of a request: an expression, selectors, and other
// parameters that clients send.
const MaxFormBytes = 1 << 20

// Options are what the API works on.
type Options struct {
	Log       *slog.Logger
	Engine    *promql.Engine
	Parser    parser.Parser
	Source    Source
	Gate      *admit.Gate   // lets requests in
	Memory    *admit.Memory // watches over them
	Version   string
	Retention time.Duration
	// SubqueryStep is the step of subqueries that name none.
	SubqueryStep time.Duration
	Now          func() time.Time
}

// Source lends what is stored.
type Source interface {
	// Acquire returns the store for the time of one request, or an error if it is not open
	// now.
	Acquire(ctx context.Context) (*Lease, error)
	// Metadata returns everything known about each metric, by name.
	Metadata() map[string]Metadata
}

// Lease is a store that was lent. Release must be called.
type Lease struct {
	Context   context.Context // ends when the store is wanted back
	Queryable storage.Queryable
	Head      *tsdb.Head
	Gatherer  prometheus.Gatherer
	Release   func()
}

// Metadata describes a metric.
type Metadata struct {
	Type string `json:"type"` // such as gauge, counter or histogram
	Help string `json:"help"`
	Unit string `json:"unit"`
}

// API is an http.Handler for everything below Prefix.
type API struct {
	Options
	mux     *http.ServeMux
	started time.Time
}

// New makes the API.
func New(options Options) *API {
	if options.Now == nil {
		options.Now = time.Now
	}
	a := &API{Options: options, mux: http.NewServeMux(), started: options.Now()}
	for _, route := range Routes() {
		a.handle(route)
	}
	a.mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		a.fail(w, r, &fault{notFound, fmt.Errorf("there is no %s here", r.URL.Path)})
	})
	return a
}

// ServeHTTP implements http.Handler.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.mux.ServeHTTP(w, r) }

// call is one request being answered.
type call struct {
	*http.Request
	ctx      context.Context // of the request and the lease
	lease    *Lease
	warnings annotations.Annotations
	query    string // whose positions the warnings name, or ""
}

// method answers a call with data for JSON, or with finished JSON as rawJSON.
type method func(*API, *call) (any, *fault)

// rawJSON is finished JSON.
type rawJSON []byte

func (a *API) handle(route Route) {
	for _, httpMethod := range route.Methods {
		if httpMethod != http.MethodHead { // which is served with GET
			a.mux.HandleFunc(httpMethod+" "+Prefix+route.Path, func(w http.ResponseWriter, r *http.Request) { a.serve(w, r, route.serve) })
		}
	}
	allow := strings.Join(route.Methods, ", ")
	a.mux.HandleFunc(Prefix+route.Path, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", allow)
		http.Error(w, fmt.Sprintf("%s is asked with %s, not with %s", r.URL.Path, allow, r.Method), http.StatusMethodNotAllowed)
	})
}

func (a *API) serve(w http.ResponseWriter, r *http.Request, m method) {
	r.Body = http.MaxBytesReader(w, r.Body, MaxFormBytes)
	if err := r.ParseForm(); err != nil {
		a.fail(w, r, &fault{badData, fmt.Errorf("error parsing form values: %w", err)})
		return
	}
	ctx, cancel, fail := withinTimeout(r)
	if fail != nil {
		a.fail(w, r, fail)
		return
	}
	defer cancel()
	leave, err := a.Gate.Enter(ctx)
	if err != nil {
		w.Header().Set("Retry-After", "2")
		a.fail(w, r, waitFault(err))
		return
	}
	defer leave()
	ctx, done := a.Memory.Watch(ctx)
	defer done()
	lease, err := a.Source.Acquire(ctx)
	if err != nil {
		w.Header().Set("Retry-After", "2")
		a.fail(w, r, &fault{unavailable, err})
		return
	}
	defer lease.Release()
	lease.Queryable = bounds.Queryable(lease.Context, lease.Queryable)
	body, fail := a.answer(&call{Request: r, ctx: lease.Context, lease: lease}, m)
	if fail != nil {
		a.fail(w, r, fail)
		return
	}
	// A client that does not read must not hold its place forever.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeWithin(len(body))))
	a.write(w, r, http.StatusOK, body)
}

// answer answers a call with the body of the answer.
func (a *API) answer(c *call, m method) ([]byte, *fault) {
	data, fail := m(a, c)
	if cause := context.Cause(c.ctx); fail != nil && errors.Is(cause, admit.ErrMemory) {
		return nil, &fault{execution, cause}
	}
	if fail != nil {
		return nil, fail
	}
	body, err := c.success(data)
	if err != nil {
		return nil, &fault{internal, err}
	}
	return body, nil
}

// withinTimeout returns a context that ends with the request, and when the requested time
// or the general bound is over. Waiting for a place counts.
func withinTimeout(r *http.Request) (context.Context, context.CancelFunc, *fault) {
	timeout := Timeout
	if text := r.FormValue("timeout"); text != "" {
		asked, err := parseDuration(text)
		if err != nil {
			return nil, nil, badParam(err, "timeout")
		}
		timeout = min(timeout, asked)
	}
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	return ctx, cancel, nil
}

// waitFault says why a request got no place.
func waitFault(err error) *fault {
	switch {
	case errors.Is(err, admit.ErrCrowded):
		return &fault{unavailable, err}
	case errors.Is(err, context.DeadlineExceeded):
		return &fault{timedOut, promql.ErrQueryTimeout("the queue of queries")}
	}
	return &fault{canceled, promql.ErrQueryCanceled("the queue of queries")}
}

// writeWithin is how long a client may take to read an answer: half a minute, plus the
// time that a slow link of 64 KiB a second needs.
func writeWithin(bytes int) time.Duration {
	return 30*time.Second + time.Duration(bytes>>16)*time.Second
}

// success wraps data into the body of an answer.
func (c *call) success(data any) ([]byte, error) {
	body := []byte(`{"status":"success","data":`)
	raw, ok := data.(rawJSON)
	if !ok {
		var err error
		if raw, err = json.Marshal(data); err != nil {
			return nil, err
		}
	}
	body = append(body, raw...)
	const most = 10 // of each
	warnings, infos := c.warnings.AsStrings(c.query, most, most)
	for _, notes := range []struct {
		name string
		list []string
	}{{"warnings", warnings}, {"infos", infos}} {
		if len(notes.list) == 0 {
			continue
		}
		text, err := json.Marshal(notes.list)
		if err != nil {
			return nil, err
		}
		body = append(body, `,"`+notes.name+`":`...)
		body = append(body, text...)
	}
	return append(body, '}'), nil
}

// Types of errors, each with its status.
type errorType struct {
	name   string
	status int
}

var (
	badData     = errorType{"bad_data", http.StatusBadRequest}
	execution   = errorType{"execution", http.StatusUnprocessableEntity}
	canceled    = errorType{"canceled", statusClientClosed}
	timedOut    = errorType{"timeout", http.StatusServiceUnavailable}
	internal    = errorType{"internal", http.StatusInternalServerError}
	unavailable = errorType{"unavailable", http.StatusServiceUnavailable}
	notFound    = errorType{"not_found", http.StatusNotFound}
)

// fault is why a call failed.
type fault struct {
	kind errorType
	err  error
}

func badParam(err error, name string) *fault {
	return &fault{badData, fmt.Errorf("invalid parameter %q: %w", name, err)}
}

// executionFault classifies the errors of reading and evaluating.
func executionFault(err error) *fault {
	var (
		byCancel  promql.ErrQueryCanceled
		byTimeout promql.ErrQueryTimeout
		byStorage promql.ErrStorage
	)
	switch {
	case errors.As(err, &byCancel), errors.Is(err, context.Canceled):
		return &fault{canceled, err}
	case errors.As(err, &byTimeout), errors.Is(err, context.DeadlineExceeded):
		return &fault{timedOut, err}
	case errors.As(err, &byStorage):
		return &fault{internal, err}
	}
	return &fault{execution, err}
}

func (a *API) fail(w http.ResponseWriter, r *http.Request, f *fault) {
	if f.kind == internal {
		a.Log.Error("a query failed", "path", r.URL.Path, "error", f.err)
	}
	body, err := json.Marshal(struct {
		Status    string `json:"status"`
		ErrorType string `json:"errorType"`
		Error     string `json:"error"`
	}{"error", f.kind.name, f.err.Error()})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	a.write(w, r, f.kind.status, body)
}

func (a *API) write(w http.ResponseWriter, r *http.Request, status int, body []byte) {
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Add("Vary", "Accept-Encoding")
	if len(body) >= worthCompressing && acceptsGzip(r) {
		header.Set("Content-Encoding", "gzip")
		w.WriteHeader(status)
		writeGzip(w, body)
		return
	}
	header.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	w.Write(body) //nolint:errcheck // the client has gone
}
