package history

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"

	"github.com/vedettehq/vedette/master/history/promapi"
)

// Limits of queries: those of Prometheus.
const (
	queryTimeout  = 2 * time.Minute
	queryLookback = 5 * time.Minute
	querySamples  = 50_000_000 // in memory at once
	queriesAtOnce = 20
	subqueryStep  = time.Minute
)

// engine evaluates PromQL.
type engine struct {
	*promql.Engine
	parser parser.Parser
}

func newEngine(log *slog.Logger, registry prometheus.Registerer) *engine {
	syntax := parser.NewParser(parser.Options{})
	return &engine{parser: syntax, Engine: promql.NewEngine(promql.EngineOpts{
		Logger:                   quiet(log),
		Reg:                      registry,
		MaxSamples:               querySamples,
		Timeout:                  queryTimeout,
		LookbackDelta:            queryLookback,
		ActiveQueryTracker:       make(turnstile, queriesAtOnce),
		NoStepSubqueryIntervalFn: func(int64) int64 { return subqueryStep.Milliseconds() },
		EnableAtModifier:         true,
		EnableNegativeOffset:     true,
		Parser:                   syntax,
	})}
}

// turnstile lets as many queries run at once as it has places. It implements
// promql.QueryTracker.
type turnstile chan struct{}

// GetMaxConcurrent returns the number of places.
func (t turnstile) GetMaxConcurrent() int { return cap(t) }

// Insert waits for a place.
func (t turnstile) Insert(ctx context.Context, _ string) (int, error) {
	select {
	case t <- struct{}{}:
		return 0, nil
	default:
	}
	select {
	case t <- struct{}{}:
		return 0, nil
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return 0, promql.ErrQueryTimeout("the queue of queries")
		}
		return 0, promql.ErrQueryCanceled("the queue of queries")
	}
}

// Delete gives a place back.
func (t turnstile) Delete(int) { <-t }

// Close does nothing: there is no file of what runs.
func (t turnstile) Close() error { return nil }

// APIPrefix is where the Handler belongs.
const APIPrefix = promapi.Prefix

// Handler returns the Prometheus HTTP API, to be served at APIPrefix.
func (s *Store) Handler() http.Handler {
	return promapi.New(promapi.Options{
		Log:       s.opts.Log,
		Engine:    s.engine.Engine,
		Parser:    s.engine.parser,
		Source:    source{s},
		Version:   s.opts.Version,
		Retention: s.opts.Retention,
		Now:       s.opts.now,
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
		Context: ctx, Queryable: storage.Queryable(gen.db), Head: gen.db.Head(), Gatherer: gen.registry,
		Release: func() {
			detach()
			cancel()
			release()
		},
	}, nil
}

// Metadata implements promapi.Source.
func (s source) Metadata() map[string]promapi.Metadata { return s.meta.all() }
