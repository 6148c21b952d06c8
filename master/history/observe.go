package history

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"

	"github.com/vedettehq/vedette/master/history/admit"
)

// counters are the store's own counters.
type counters struct {
	registry *prometheus.Registry

	stored, refused, turnedAway, failedCommits, failedForwards prometheus.Counter
}

func newCounters(limits *limiter, takes func() bool) *counters {
	c := &counters{registry: prometheus.NewRegistry()}
	counter := func(name, help string) prometheus.Counter {
		counter := prometheus.NewCounter(prometheus.CounterOpts{Namespace: "vedette", Subsystem: "history", Name: name, Help: help})
		c.registry.MustRegister(counter)
		return counter
	}
	c.stored = counter("samples_stored_total", "Samples that were stored, repeated ones among them.")
	c.refused = counter("samples_refused_total", "Samples that were refused for good: too old, from the future, contradicting, beyond a limit.")
	c.turnedAway = counter("samples_turned_away_total", "Samples that the sender was asked to keep and send again.")
	c.failedCommits = counter("failed_commits_total", "Writes to the log that failed.")
	c.failedForwards = counter("failed_forwards_total", "Writes to the queue of what is to be forwarded that failed.")
	gauge := func(name, help string, value func() float64) {
		c.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "vedette", Subsystem: "history", Name: name, Help: help}, value))
	}
	gauge("active_series", "Series that had a sample in the last hours.", func() float64 {
		series, _ := limits.count()
		return float64(series)
	})
	gauge("active_hosts", "Hosts of which a series had a sample in the last hours.", func() float64 {
		_, hosts := limits.count()
		return float64(hosts)
	})
	gauge("takes_samples", "1 while samples are taken; 0 while the disk is nearly full, after a failed write, and while the store is not open.", func() float64 {
		if takes() {
			return 1
		}
		return 0
	})
	c.registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	return c
}

// observeQueries counts the reads of the history.
func (s *Store) observeQueries() {
	load := func(gates ...*admit.Gate) (busy, waiting int) {
		for _, g := range gates {
			b, w := g.Load()
			busy, waiting = busy+b, waiting+w
		}
		return busy, waiting
	}
	s.Observe("history_queries", "Queries and ranges that are being evaluated.", func() float64 {
		busy, _ := load(s.queries, s.ranges)
		return float64(busy)
	})
	s.Observe("history_queries_waiting", "Queries and ranges that wait for their turn.", func() float64 {
		_, waiting := load(s.queries, s.ranges)
		return float64(waiting)
	})
	s.Observe("history_queries_ended_total", "Queries and ranges that were ended because together they took too much memory.", func() float64 {
		return float64(s.memory.Ended())
	})
}

// Gather implements prometheus.Gatherer: the process, the store, and the
// database while it is open.
func (s *Store) Gather() ([]*dto.MetricFamily, error) {
	gatherers := prometheus.Gatherers{s.self.registry}
	if gen, release, err := s.acquire(); err == nil {
		defer release()
		gatherers = append(gatherers, gen.registry)
	}
	return gatherers.Gather()
}

// Metrics returns the result of Gather in the formats that Prometheus scrapes.
func (s *Store) Metrics() http.Handler {
	return promhttp.HandlerFor(s, promhttp.HandlerOpts{
		ErrorLog:          slog.NewLogLogger(s.opts.Log.Handler(), slog.LevelError),
		EnableOpenMetrics: true,
	})
}

// Observe adds vedette_<name> to what Gather returns, a counter if the name ends in
// _total, otherwise a gauge. It is called once for each name.
func (s *Store) Observe(name, help string, value func() float64) {
	opts := prometheus.Opts{Namespace: "vedette", Name: name, Help: help}
	if strings.HasSuffix(name, "_total") {
		s.self.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts(opts), value))
		return
	}
	s.self.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts(opts), value))
}

func counterValue(gatherer prometheus.Gatherer, name string) float64 {
	families, err := gatherer.Gather()
	if err != nil {
		return 0
	}
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, metric := range family.GetMetric() {
			return metric.GetCounter().GetValue() + metric.GetGauge().GetValue()
		}
	}
	return 0
}

// progress is a slog.Handler that takes each line for a sign of progress: while the
// database reads its log, it writes a line for each part.
type progress struct {
	slog.Handler
	alive func()
}

// Enabled implements slog.Handler.
func (p *progress) Enabled(ctx context.Context, level slog.Level) bool {
	p.alive()
	return p.Handler.Enabled(ctx, level)
}

// WithAttrs implements slog.Handler.
func (p *progress) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &progress{p.Handler.WithAttrs(attrs), p.alive}
}

// WithGroup implements slog.Handler.
func (p *progress) WithGroup(name string) slog.Handler {
	return &progress{p.Handler.WithGroup(name), p.alive}
}

// demoted is a slog.Handler that logs information, and one harmless error, at debug level.
type demoted struct{ slog.Handler }

// chunksCutOff is logged if the last process was killed while it wrote a chunk. The log
// still has the samples, and they are read from there.
const chunksCutOff = "Loading on-disk chunks failed"

func demote(level slog.Level) slog.Level {
	if level == slog.LevelInfo {
		return slog.LevelDebug
	}
	return level
}

// Enabled implements slog.Handler.
func (d *demoted) Enabled(ctx context.Context, level slog.Level) bool {
	return d.Handler.Enabled(ctx, demote(level))
}

// Handle implements slog.Handler.
func (d *demoted) Handle(ctx context.Context, record slog.Record) error {
	record.Level = demote(record.Level)
	if record.Message == chunksCutOff {
		if record.Level = slog.LevelDebug; !d.Handler.Enabled(ctx, record.Level) {
			return nil
		}
	}
	return d.Handler.Handle(ctx, record)
}

// WithAttrs implements slog.Handler.
func (d *demoted) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &demoted{d.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (d *demoted) WithGroup(name string) slog.Handler { return &demoted{d.Handler.WithGroup(name)} }

// Counter registers a counter with one label and returns a function that adds to it for a
// value of that label. A counter of the same name is registered once.
func (s *Store) Counter(name, help, label string) (add func(value string, n int)) {
	counter := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "vedette", Name: name, Help: help}, []string{label})
	if err := s.self.registry.Register(counter); err != nil {
		known, ok := errors.AsType[prometheus.AlreadyRegisteredError](err)
		if !ok {
			panic(err) // an invalid name, or that of something else
		}
		counter = known.ExistingCollector.(*prometheus.CounterVec)
	}
	return func(value string, n int) { counter.WithLabelValues(value).Add(float64(n)) }
}
