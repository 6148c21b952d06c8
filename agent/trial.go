package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vedettehq/vedette/agent/assignment"
	"github.com/vedettehq/vedette/agent/internal/errtext"

	"github.com/vedettehq/vedette/agent/schedule"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/plugins"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

const (
	// trialPrefix begins the name under which the runner knows a trial:
	// trial-ID/NAME. It cannot collide with the inspector that the trial may be a
	// draft of.
	trialPrefix = "trial-"
	// maxTrials is how many trials a host runs at once, each in a separate process, and
	// maxTrialTime how long one may last.
	maxTrials    = 8
	maxTrialTime = time.Hour
	// maxTrialLines and maxTrialLine bound the printed lines that are shown of one
	// run, and maxTrialSamples the samples.
	maxTrialLines   = 100
	maxTrialLine    = 4 << 10 // bytes
	maxTrialSamples = 1000
	// maxTrialSeries is the number of distinct series up to which they are
	// counted.
	maxTrialSeries = 10_000
	// trialCall is how long the master may take to answer a report.
	trialCall = 10 * time.Second
)

var validTrial = regexp.MustCompile(`^[a-z0-9]{1,32}$`)

// trials are the drafts that this host runs while somebody watches. Nothing is
// stored: their samples go to the connection of the master that asked for them,
// and they end with that connection.
type trials struct {
	log     *slog.Logger
	runner  schedule.Runner
	accepts bool
	signers *assignment.Signers
	all     sync.WaitGroup // of their goroutines

	mu      sync.Mutex
	closed  bool
	running map[string]*trial
}

// trial is one draft while it runs. The fields up to stop do not change.
type trial struct {
	id     string
	def    inspectors.Definition // under the runner's name
	length time.Duration
	peer   *rpc.Peer
	stop   context.CancelCauseFunc

	mu    sync.Mutex
	lines []string
	more  int // printed lines that did not fit into lines

	cost   wire.TrialCost // belongs to the goroutine that runs it, like series
	series map[string]bool
}

var (
	errTrialStopped = errors.New("it was stopped")
	errTrialAgent   = errors.New("the agent stops")
	errTrialCrashed = errors.New("it crashed its process, which ends a trial")
)

func newTrials(log *slog.Logger, runner schedule.Runner, accepts bool, keys *assignment.Signers) *trials {
	return &trials{log: log, runner: runner, accepts: accepts, signers: keys, running: make(map[string]*trial)}
}

// trialMethods registers the methods for trials.
func (a *Agent) trialMethods(mux *rpc.Mux) {
	rpc.Serve(mux, wire.AgentTry, a.trials.try)
	rpc.Serve(mux, wire.AgentUntry, a.trials.untry)
}

// Printed takes a line that an inspector prints, and reports whether it belongs to
// a trial. A trial's lines go to whoever watches it, and to no log. The latest of
// the other lines are kept for whoever asks.
func (a *Agent) Printed(inspector, line string) bool {
	if a.trials.printed(inspector, line) {
		return true
	}
	a.prints.add(inspector, line)
	return false
}

// try begins a trial. It returns once the draft is known to be acceptable.
func (t *trials) try(ctx context.Context, p wire.AgentTryParams) (wire.Empty, error) {
	if !t.accepts {
		return wire.Empty{}, rpc.Errorf(wire.CodeForbidden, "this host takes no code from a master: agent.accept_pushed_inspectors is not true in its configuration")
	}
	by, err := t.signers.CheckTrial(&p.Code, p.Signatures)
	if err != nil {
		return wire.Empty{}, rpc.Errorf(wire.CodeForbidden, "%v", err)
	}
	d, err := trialDefinition(&p)
	if err != nil {
		return wire.Empty{}, rpc.Errorf(rpc.CodeInvalidParams, "%v", err)
	}
	d.SignedBy = by
	running, stop := context.WithCancelCause(context.Background())
	r := &trial{
		id: p.Trial, def: d, length: min(time.Duration(p.ForMS)*time.Millisecond, maxTrialTime),
		peer: rpc.PeerFrom(ctx), stop: stop, series: make(map[string]bool),
	}
	if err := t.add(r); err != nil {
		stop(nil)
		return wire.Empty{}, err
	}
	t.log.Info("trial begins", "trial", r.id, "inspector", p.Code.Name, "for", r.length)
	go func() {
		defer t.all.Done()
		defer stop(nil)
		t.run(running, r)
	}()
	return wire.Empty{}, nil
}

// trialDefinition turns a draft into a definition for the runner.
func trialDefinition(p *wire.AgentTryParams) (inspectors.Definition, error) {
	switch {
	case !validTrial.MatchString(p.Trial):
		return inspectors.Definition{}, fmt.Errorf("the trial's name %q is not 1 to 32 lower-case letters and digits", p.Trial)
	case p.Code.Source == "" || p.Code.Plugin != nil:
		return inspectors.Definition{}, errors.New("a trial is of a script")
	case p.ForMS <= 0:
		return inspectors.Definition{}, fmt.Errorf("for_ms is %d; it must be above 0", p.ForMS)
	}
	d, err := assignment.DefinitionOf(p.Code, "", "")
	if err != nil {
		return d, err
	}
	// The draft always has its own process, so it can only harm itself.
	d.DraftOf = d.Name
	d.Name, d.Isolation = trialPrefix+p.Trial+"/"+d.Name, inspectors.IsolationOwn
	return d, d.Validate()
}

func (t *trials) add(r *trial) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch _, twice := t.running[r.id]; {
	case t.closed:
		return rpc.Errorf(wire.CodeConflict, "%v", errTrialAgent)
	case twice:
		return rpc.Errorf(wire.CodeConflict, "trial %q runs already", r.id)
	case len(t.running) >= maxTrials:
		return rpc.Errorf(wire.CodeBusy, "this host runs %d trials, which is the limit", maxTrials)
	}
	t.running[r.id] = r
	t.all.Add(1)
	return nil
}

// untry ends a trial. A trial that is not there has ended already.
func (t *trials) untry(_ context.Context, p wire.TrialStopParams) (wire.Empty, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r := t.running[p.Trial]; r != nil {
		r.stop(errTrialStopped)
	}
	return wire.Empty{}, nil
}

// close ends every trial and returns when all are gone.
func (t *trials) close() {
	t.mu.Lock()
	t.closed = true
	for _, r := range t.running {
		r.stop(errTrialAgent)
	}
	t.mu.Unlock()
	t.all.Wait()
}

func (t *trials) printed(inspector, line string) bool {
	rest, ok := strings.CutPrefix(inspector, trialPrefix)
	if !ok {
		return false
	}
	id, _, _ := strings.Cut(rest, "/")
	t.mu.Lock()
	r := t.running[id]
	t.mu.Unlock()
	if r == nil || r.def.Name != inspector {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.lines) >= maxTrialLines {
		r.more++
		return true
	}
	r.lines = append(r.lines, strings.ToValidUTF8(line[:min(len(line), maxTrialLine)], "?"))
	return true
}

// run is the whole life of one trial: until its time is over, somebody stops it,
// or the connection that watches it is gone.
func (t *trials) run(ctx context.Context, r *trial) {
	gone := make(chan struct{})
	defer close(gone)
	go func() {
		select {
		case <-r.peer.Done():
			r.stop(rpc.ErrClosed)
		case <-gone:
		}
	}()
	err := t.load(ctx, r)
	if err == nil {
		err = t.repeat(ctx, r)
	}
	t.runner.Unload(r.def.Name)
	last := wire.TrialReport{Ended: true, Cost: &r.cost, Lines: r.takeLines()}
	if err != nil {
		last.Error = errtext.Of(err)
		last.State = wire.ReceiptFailed
		if errors.Is(err, inspectors.ErrPolicy) {
			last.State = wire.ReceiptRefused
		}
	}
	_ = r.report(&last) // there may be nobody left to tell
	t.mu.Lock()
	delete(t.running, r.id)
	t.mu.Unlock()
	t.log.Info("trial has ended", "trial", r.id, "runs", r.cost.Runs, "failures", r.cost.Failures)
}

func (t *trials) load(ctx context.Context, r *trial) error {
	if err := r.report(&wire.TrialReport{State: wire.ReceiptReceived}); err != nil {
		return err
	}
	if err := t.runner.Load(ctx, r.def); err != nil {
		if ctx.Err() != nil {
			return whyEnded(ctx)
		}
		return err
	}
	return r.report(&wire.TrialReport{State: wire.ReceiptLoaded})
}

// whyEnded returns the error of a trial whose context has ended, or nil if it was
// ended on purpose.
func whyEnded(ctx context.Context) error {
	if err := context.Cause(ctx); !errors.Is(err, errTrialStopped) {
		return err
	}
	return nil
}

// repeat runs the draft at its interval. A tick at which it is still running is
// skipped.
func (t *trials) repeat(ctx context.Context, r *trial) error {
	end := time.NewTimer(r.length)
	defer end.Stop()
	tick := time.NewTicker(r.def.Interval)
	defer tick.Stop()
	for {
		var o plugins.Outcome
		t.runner.Run(ctx, []plugins.Job{{Name: r.def.Name, Timeout: r.def.Timeout}}, func(got plugins.Outcome) { o = got })
		if ctx.Err() != nil {
			return whyEnded(ctx)
		}
		if err := r.report(r.took(&o)); err != nil {
			return err
		}
		if errors.Is(o.Err, plugins.ErrCrashed) {
			return errTrialCrashed // after a second crash the runner would quarantine it
		}
		select {
		case <-ctx.Done():
			return whyEnded(ctx)
		case <-end.C:
			return nil
		case <-tick.C:
		}
	}
}

// took makes a report of a run.
func (r *trial) took(o *plugins.Outcome) *wire.TrialReport {
	run := &wire.TrialRun{TS: o.Start.UnixMilli(), Duration: o.Duration.Seconds(), CPU: o.CPU.Seconds(), Samples: []wire.Metric{}}
	if o.Start.IsZero() {
		run.TS = time.Now().UnixMilli()
	}
	prefix := trialPrefix + r.id + "/"
	r.cost.Runs++
	r.cost.Duration += run.Duration
	r.cost.CPU += run.CPU
	if o.Err != nil {
		r.cost.Failures++
		run.Error = strings.ReplaceAll(errtext.Of(o.Err), prefix, "")
	}
	o.Samples = slices.DeleteFunc(slices.Clone(o.Samples), func(s inspectors.Sample) bool { return inspectors.IsEnding(s.Value) })
	run.More = max(0, len(o.Samples)-maxTrialSamples)
	for i := range o.Samples {
		s := &o.Samples[i]
		key := strings.TrimPrefix(s.Key, prefix)
		if len(r.series) < maxTrialSeries {
			r.series[key+s.Labels.String()] = true
		}
		if i < maxTrialSamples {
			m := wire.Metric{TS: s.Time.UnixMilli(), Key: key, Val: &s.Value, Labels: s.Labels.Map()}
			if m.Labels == nil {
				m.Labels = map[string]string{} // {} on the wire, not null
			}
			run.Samples = append(run.Samples, m)
		}
	}
	r.cost.Series = len(r.series)
	cost := r.cost
	return &wire.TrialReport{Run: run, Lines: r.takeLines(), Cost: &cost}
}

func (r *trial) takeLines() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	lines := r.lines
	if r.more > 0 {
		lines = append(lines, fmt.Sprintf("… and %d lines more", r.more))
	}
	r.lines, r.more = nil, 0
	return lines
}

func (r *trial) report(what *wire.TrialReport) error {
	ctx, cancel := context.WithTimeout(context.Background(), trialCall)
	defer cancel()
	what.Trial = r.id
	_, err := wire.MasterTrial.Call(ctx, r.peer, *what)
	return err
}
