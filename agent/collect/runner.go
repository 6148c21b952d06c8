package collect

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/vedettehq/vedette/agent/schedule"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/plugins"
)

// Runner runs collectors itself and passes everything else on to another runner.
type Runner struct {
	next schedule.Runner
	log  *slog.Logger

	mu     sync.Mutex
	loaded map[string]*loaded
}

// loaded is one collector.
type loaded struct {
	revision string
	do       collector

	// The present run alone uses these: a name is run once at a time.
	series plugins.SeriesSet
	// alive is shared with the collector before this one, so that series which this one no
	// longer has end at once; nil for a collector whose series do not end.
	alive *alive

	mu  sync.Mutex
	def inspectors.Definition
}

// collector measures. Its methods are called one at a time.
type collector interface {
	// collect returns the samples, and an error if some could not be measured. The samples
	// carry the time of the run.
	collect(ctx context.Context, run run) ([]inspectors.Sample, error)
	// close closes everything that it keeps open.
	close()
}

// run is one run of a collector.
type run struct {
	at     time.Time
	budget inspectors.Budget // without gaps
	shown  bool              // see plugins.Job
}

// New puts collectors before a runner. It starts nothing.
func New(log *slog.Logger, next schedule.Runner) *Runner {
	return &Runner{next: next, log: log, loaded: make(map[string]*loaded)}
}

// Load implements schedule.Runner.
func (r *Runner) Load(ctx context.Context, d inspectors.Definition) error {
	if d.Collector == nil {
		if err := r.next.Load(ctx, d); err != nil {
			return err
		}
		r.swap(d.Name, nil)
		return nil
	}
	revision := d.Revision()
	r.mu.Lock()
	before := r.loaded[d.Name]
	r.mu.Unlock()
	if before != nil && before.revision == revision {
		before.mu.Lock()
		before.def = d
		before.mu.Unlock()
		return nil
	}
	if err := d.Validate(); err != nil {
		return fmt.Errorf("cannot load inspector %q: %w", d.Name, err)
	}
	made, err := r.make(&d, before)
	if err != nil {
		return fmt.Errorf("cannot load inspector %q: %w", d.Name, err)
	}
	r.swap(d.Name, &loaded{revision: revision, def: d, do: made, alive: aliveOf(&d, before)})
	if before == nil {
		r.next.Unload(d.Name)
	}
	return nil
}

// make makes the collector of a definition, or returns the one before it: nobody can
// listen twice on one address.
func (r *Runner) make(d *inspectors.Definition, before *loaded) (collector, error) {
	switch d.Collector.Kind {
	case inspectors.CollectScrape:
		return newScrape(d)
	case inspectors.CollectStatsD:
		if before != nil {
			if s, ok := before.do.(*statsd); ok && s.address == d.Collector.Targets[0] {
				s.update(d)
				return s, nil
			}
		}
		return newStatsd(d)
	}
	return newProbe(d)
}

// aliveOf returns what a collector knows of its series when it begins. The series of
// probes do not end: a service that is down has no values for a while, and its alerts must
// continue.
func aliveOf(d *inspectors.Definition, before *loaded) *alive {
	switch {
	case d.Collector.Kind != inspectors.CollectScrape && d.Collector.Kind != inspectors.CollectStatsD:
		return nil
	case before != nil && before.alive != nil:
		return before.alive
	}
	return &alive{}
}

// swap replaces the collector of a name by another or none.
func (r *Runner) swap(name string, l *loaded) {
	r.mu.Lock()
	before := r.loaded[name]
	if l == nil {
		delete(r.loaded, name)
	} else {
		r.loaded[name] = l
	}
	r.mu.Unlock()
	if before != nil && (l == nil || before.do != l.do) {
		before.do.close()
	}
}

// Unload implements schedule.Runner.
func (r *Runner) Unload(name string) {
	r.swap(name, nil)
	r.next.Unload(name)
}

// Close closes everything that the collectors keep open. No run follows.
func (r *Runner) Close() {
	r.mu.Lock()
	all := r.loaded
	r.loaded = make(map[string]*loaded)
	r.mu.Unlock()
	for _, l := range all {
		l.do.close()
	}
}

// Run implements schedule.Runner.
func (r *Runner) Run(ctx context.Context, jobs []plugins.Job, done func(plugins.Outcome)) {
	own, others := r.split(jobs)
	if len(own) == 0 {
		r.next.Run(ctx, others, done)
		return
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	report := func(o plugins.Outcome) {
		mu.Lock()
		defer mu.Unlock()
		done(o)
	}
	for job, l := range own {
		wg.Go(func() { report(l.run(ctx, job)) })
	}
	if len(others) > 0 {
		r.next.Run(ctx, others, report)
	}
	wg.Wait()
}

// split separates the jobs of collectors from the others.
func (r *Runner) split(jobs []plugins.Job) (own map[plugins.Job]*loaded, others []plugins.Job) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, job := range jobs {
		l := r.loaded[job.Name]
		if l == nil {
			others = append(others, job)
			continue
		}
		if own == nil {
			own = make(map[plugins.Job]*loaded)
		}
		own[job] = l
	}
	return own, others
}

// run runs the collector once.
func (l *loaded) run(ctx context.Context, job plugins.Job) plugins.Outcome {
	l.mu.Lock()
	budget := l.def.Budget.WithDefaults(l.def.Interval)
	l.mu.Unlock()
	within, cancel := context.WithTimeout(ctx, job.Timeout)
	defer cancel()
	begin := time.Now()
	o := plugins.Outcome{Name: job.Name, Start: begin.Truncate(time.Millisecond)}
	o.Samples, o.Err = l.guarded(within, run{at: o.Start, budget: budget, shown: job.Shown})
	o.Duration = time.Since(begin)
	switch {
	case o.Err == nil:
	case ctx.Err() != nil:
		o.Err = fmt.Errorf("%w: %w", plugins.ErrUnavailable, context.Cause(ctx))
	case within.Err() != nil:
		o.Err = fmt.Errorf("%w after %v: %w", plugins.ErrTimeout, job.Timeout, o.Err)
	}
	var dropped int
	if o.Samples, dropped = l.series.Admit(o.Samples, budget.Series, o.Start); dropped > 0 {
		o.Err = errors.Join(o.Err, plugins.SeriesError(dropped, budget.Series))
	}
	if l.alive != nil && !job.Shown && ctx.Err() == nil {
		o.Samples = append(o.Samples, l.alive.end(o.Samples, o.Start)...)
	}
	return o
}

// guarded runs the collector. If it panics, the run fails and nothing else.
func (l *loaded) guarded(ctx context.Context, run run) (samples []inspectors.Sample, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			samples, err = nil, fmt.Errorf("the agent's own code panicked, please report that: %v\n%s", fault, debug.Stack())
		}
	}()
	return l.do.collect(ctx, run)
}
