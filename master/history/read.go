package history

import (
	"context"
	"log/slog"
	"net/http"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/vedettehq/vedette/master/history/admit"
	"github.com/vedettehq/vedette/master/history/bounds"
	"github.com/vedettehq/vedette/master/history/promapi"
	"github.com/vedettehq/vedette/master/scope"
)

// Limits of queries. The limits of one query are those of Prometheus.
const (
	queryTimeout  = promapi.Timeout
	queryLookback = 5 * time.Minute
	querySamples  = 50_000_000 // of one, in memory at once
	subqueryStep  = time.Minute

	// queryBytes is the memory that all queries may take together.
	queryBytes = 1 << 30
)

// places is how many requests of the HTTP API are handled at once, and how many Ranges:
// two to four. The others wait, which costs nothing; more at once than there are
// processors would only slow down reports.
func places() int { return min(max(runtime.GOMAXPROCS(0), 2), 4) }

// engine evaluates PromQL.
type engine struct {
	*promql.Engine
	parser parser.Parser
}

func newEngine(log *slog.Logger, registry prometheus.Registerer) *engine {
	syntax := bounds.Parser(parser.NewParser(parser.Options{}))
	return &engine{parser: syntax, Engine: promql.NewEngine(promql.EngineOpts{
		Logger:                   Quiet(log),
		Reg:                      registry,
		MaxSamples:               querySamples,
		Timeout:                  queryTimeout,
		LookbackDelta:            queryLookback,
		NoStepSubqueryIntervalFn: func(int64) int64 { return subqueryStep.Milliseconds() },
		EnableAtModifier:         true,
		EnableNegativeOffset:     true,
		Parser:                   keyless{syntax},
	})}
}

// WithCaller returns a context that names the caller: places are shared out between
// callers.
func WithCaller(ctx context.Context, name string) context.Context {
	return admit.WithCaller(ctx, name)
}

// APIPrefix is where the Handler belongs.
const APIPrefix = promapi.Prefix

// APIRoutes are the paths that the Handler serves.
func APIRoutes() []promapi.Route { return promapi.Routes() }

// Handler returns the Prometheus HTTP API, to be served at APIPrefix.
func (s *Store) Handler() http.Handler {
	return promapi.New(promapi.Options{
		Log:       s.opts.Log,
		Engine:    s.engine.Engine,
		Parser:    s.engine.parser,
		Source:    source{s},
		Gate:      s.queries,
		Memory:    s.memory,
		Version:   s.opts.Version,
		Retention: s.opts.Retention,

		SubqueryStep: subqueryStep,
		Now:          s.opts.now,
	})
}

// source lends the database to the API. It implements promapi.Source.
type source struct{ *Store }

// Acquire implements promapi.Source.
func (s source) Acquire(ctx context.Context) (*promapi.Lease, error) {
	gen, release, err := s.acquire()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	detach := context.AfterFunc(gen.ctx, cancel)
	return &promapi.Lease{
		Context: ctx, Queryable: scoped(scope.From(ctx), gen.db), Head: gen.db.Head(), Gatherer: gen.registry,
		Release: func() {
			detach()
			cancel()
			release()
		},
	}, nil
}

// Metadata implements promapi.Source.
func (s source) Metadata() map[string]promapi.Metadata { return s.meta.all() }
