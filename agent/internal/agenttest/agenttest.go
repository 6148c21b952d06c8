// Package agenttest has what the tests of the agent's packages share: a runner in this
// process, an observer that counts, and definitions to run.
package agenttest

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/plugins"
)

// Runner is a schedule.Runner in this process. Functions that are not set succeed and
// do nothing.
type Runner struct {
	// OnLoad, unless nil, loads; it is called without Mu.
	OnLoad func(ctx context.Context, d inspectors.Definition) error
	// OnRun, unless nil, is one run; it is called without Mu.
	OnRun func(ctx context.Context, job plugins.Job) plugins.Outcome

	Mu      sync.Mutex // guards all fields below
	Loads   []string   // name and the script's source
	Unloads []string
	Calls   []Call
	Starts  map[string][]time.Time
	busy    map[string]bool
	Overlap []string // names that ran twice at the same time
}

// Call is one call of Run.
type Call struct {
	At   time.Time
	Jobs []string
}

// Load notes a load and calls OnLoad.
func (r *Runner) Load(ctx context.Context, d inspectors.Definition) error {
	r.Mu.Lock()
	what := "plugin"
	if d.Script != nil {
		what = d.Script.Source
	}
	r.Loads = append(r.Loads, d.Name+" "+what)
	r.Mu.Unlock()
	if r.OnLoad == nil {
		return nil
	}
	return r.OnLoad(ctx, d)
}

// Unload notes an unload.
func (r *Runner) Unload(name string) {
	r.Mu.Lock()
	defer r.Mu.Unlock()
	r.Unloads = append(r.Unloads, name)
}

// Run runs all jobs at the same time. An outcome of OnRun without a name is not
// passed on.
func (r *Runner) Run(ctx context.Context, jobs []plugins.Job, done func(plugins.Outcome)) {
	r.begin(jobs)
	outcomes := make(chan plugins.Outcome)
	for _, job := range jobs {
		go func() { outcomes <- r.one(ctx, job) }()
	}
	for range jobs {
		o := <-outcomes
		r.Mu.Lock()
		delete(r.busy, o.Name)
		r.Mu.Unlock()
		if o.Name != "" {
			done(o)
		}
	}
}

func (r *Runner) begin(jobs []plugins.Job) {
	r.Mu.Lock()
	defer r.Mu.Unlock()
	if r.Starts == nil {
		r.Starts, r.busy = make(map[string][]time.Time), make(map[string]bool)
	}
	call := Call{At: time.Now()}
	for _, job := range jobs {
		call.Jobs = append(call.Jobs, job.Name)
		r.Starts[job.Name] = append(r.Starts[job.Name], call.At)
		if r.busy[job.Name] {
			r.Overlap = append(r.Overlap, job.Name)
		}
		r.busy[job.Name] = true
	}
	slices.Sort(call.Jobs)
	r.Calls = append(r.Calls, call)
}

func (r *Runner) one(ctx context.Context, job plugins.Job) plugins.Outcome {
	if r.OnRun == nil {
		return plugins.Outcome{Name: job.Name, Start: time.Now()}
	}
	return r.OnRun(ctx, job)
}

// StartsOf returns when the inspector was started.
func (r *Runner) StartsOf(name string) []time.Time {
	r.Mu.Lock()
	defer r.Mu.Unlock()
	return slices.Clone(r.Starts[name])
}

// Script is a definition of an inspector for the runner.
func Script(name, source string, interval time.Duration) inspectors.Definition {
	return inspectors.Definition{
		Name:     name,
		Interval: interval,
		Timeout:  inspectors.DefaultTimeout(interval),
		Script:   &inspectors.Script{File: name + ".go", Line: 1, Source: source},
	}
}

// Observer counts the calls that it gets.
type Observer struct {
	mu       sync.Mutex
	Outcomes map[string][]plugins.Outcome
	Misses   map[string]uint64
	Late     map[string]time.Duration
	Extras   map[string][]plugins.Outcome
	Paces    map[string][]time.Duration
}

// NewObserver makes an observer that has heard nothing.
func NewObserver() *Observer {
	return &Observer{
		Outcomes: make(map[string][]plugins.Outcome),
		Misses:   make(map[string]uint64),
		Late:     make(map[string]time.Duration),
		Extras:   make(map[string][]plugins.Outcome),
		Paces:    make(map[string][]time.Duration),
	}
}

// Ran notes an outcome.
func (o *Observer) Ran(_ string, outcome plugins.Outcome) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.Outcomes[outcome.Name] = append(o.Outcomes[outcome.Name], outcome)
}

// Extra notes the outcome of a run beyond the ticks.
func (o *Observer) Extra(_ string, outcome plugins.Outcome) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.Extras[outcome.Name] = append(o.Extras[outcome.Name], outcome)
}

// Boosted notes a pace.
func (o *Observer) Boosted(name string, interval time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.Paces[name] = append(o.Paces[name], interval)
}

// Missed counts ticks.
func (o *Observer) Missed(name string, n uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.Misses[name] += n
}

// Overdue notes the age of a run.
func (o *Observer) Overdue(name, _ string, age time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.Late[name] = age
}

// Sleep waits for d or the end of ctx, by the bubble's clock.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
