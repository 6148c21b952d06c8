package agent

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/plugins"
)

var _ Runner = (*plugins.Pool)(nil)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testRunner is a Runner in this process. What is not set does nothing, well.
type testRunner struct {
	// onLoad, or nil, loads; it is called without mu.
	onLoad func(ctx context.Context, d inspectors.Definition) error
	// onRun, or nil, is one run; it is called without mu.
	onRun func(ctx context.Context, job plugins.Job) plugins.Outcome

	mu      sync.Mutex
	loads   []string // name and the script's source
	unloads []string
	calls   []testCall
	starts  map[string][]time.Time
	busy    map[string]bool
	overlap []string // names that were run twice at once
}

type testCall struct {
	at   time.Time
	jobs []string
}

func (r *testRunner) Load(ctx context.Context, d inspectors.Definition) error {
	r.mu.Lock()
	what := "plugin"
	if d.Script != nil {
		what = d.Script.Source
	}
	r.loads = append(r.loads, d.Name+" "+what)
	r.mu.Unlock()
	if r.onLoad == nil {
		return nil
	}
	return r.onLoad(ctx, d)
}

func (r *testRunner) Unload(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.unloads = append(r.unloads, name)
}

func (r *testRunner) Run(ctx context.Context, jobs []plugins.Job, done func(plugins.Outcome)) {
	r.begin(jobs)
	outcomes := make(chan plugins.Outcome)
	for _, job := range jobs {
		go func() { outcomes <- r.one(ctx, job) }()
	}
	for range jobs {
		o := <-outcomes
		r.mu.Lock()
		delete(r.busy, o.Name)
		r.mu.Unlock()
		if o.Name != "" {
			done(o)
		}
	}
}

func (r *testRunner) begin(jobs []plugins.Job) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.starts == nil {
		r.starts, r.busy = make(map[string][]time.Time), make(map[string]bool)
	}
	call := testCall{at: time.Now()}
	for _, job := range jobs {
		call.jobs = append(call.jobs, job.Name)
		r.starts[job.Name] = append(r.starts[job.Name], call.at)
		if r.busy[job.Name] {
			r.overlap = append(r.overlap, job.Name)
		}
		r.busy[job.Name] = true
	}
	slices.Sort(call.jobs)
	r.calls = append(r.calls, call)
}

func (r *testRunner) one(ctx context.Context, job plugins.Job) plugins.Outcome {
	if r.onRun == nil {
		return plugins.Outcome{Name: job.Name, Start: time.Now()}
	}
	return r.onRun(ctx, job)
}

// startsOf returns when the inspector was started.
func (r *testRunner) startsOf(name string) []time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.starts[name])
}

// script is a definition of an inspector that the runner is told of.
func script(name, source string, interval time.Duration) inspectors.Definition {
	return inspectors.Definition{
		Name:     name,
		Interval: interval,
		Timeout:  inspectors.DefaultTimeout(interval),
		Script:   &inspectors.Script{File: name + ".go", Line: 1, Source: source},
	}
}

// testObserver counts what it is told.
type testObserver struct {
	mu       sync.Mutex
	outcomes map[string][]plugins.Outcome
	misses   map[string]uint64
	late     map[string]time.Duration
	extras   map[string][]plugins.Outcome
	paces    map[string][]time.Duration
}

func newTestObserver() *testObserver {
	return &testObserver{
		outcomes: make(map[string][]plugins.Outcome),
		misses:   make(map[string]uint64),
		late:     make(map[string]time.Duration),
		extras:   make(map[string][]plugins.Outcome),
		paces:    make(map[string][]time.Duration),
	}
}

func (o *testObserver) ran(_ string, outcome plugins.Outcome) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.outcomes[outcome.Name] = append(o.outcomes[outcome.Name], outcome)
}

func (o *testObserver) extra(_ string, outcome plugins.Outcome) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.extras[outcome.Name] = append(o.extras[outcome.Name], outcome)
}

func (o *testObserver) boosted(name string, interval time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.paces[name] = append(o.paces[name], interval)
}

func (o *testObserver) missed(name string, n uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.misses[name] += n
}

func (o *testObserver) overdue(name, _ string, age time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.late[name] = age
}

// sleep waits for d or the end of ctx, by the bubble's clock.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
