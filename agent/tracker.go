package agent

import (
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/vedettehq/vedette/agent/assignment"
	"github.com/vedettehq/vedette/agent/internal/errtext"

	"github.com/vedettehq/vedette/agent/schedule"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/bell"
	"github.com/vedettehq/vedette/plugins"
	"github.com/vedettehq/vedette/rpc/wire"
)

// urgency says how soon the master should hear of a change.
type urgency int

const (
	settled urgency = iota
	routine         // only the number of runs has grown
	soon            // other counts, the text of an error
	atOnce          // a state, a revision, an inspector that came or went
)

// tracker knows the state of each inspector, and which changes the master has not
// heard of.
type tracker struct {
	log  *slog.Logger
	bell chan struct{} // capacity 1: the urgency has grown

	mu      sync.Mutex
	records map[string]*record
	removed map[string]struct{} // since the last take
	urgency urgency             // of the most urgent change since the last take
	came    uint64              // inspectors so far

	receipts *assignment.Receipts // of the inspectors that a master has assigned
	alerts   *ownAlerts
}

// record is the state of one inspector. The tracker's mu guards it.
type record struct {
	wire.InspectorStatus
	came    uint64 // its place in the order in which inspectors came
	urgency urgency
	chatter chatter
	labels  inspectors.Labels // of the inspector's own series
	tallies []tally           // by outcome, of those that have occurred
	took    time.Duration     // wall time of all runs
	idle    int               // consecutive ticks at which the runner could not run it
}

func newTracker(log *slog.Logger, r *assignment.Receipts) *tracker {
	return &tracker{
		log:     log,
		bell:    make(chan struct{}, 1),
		records: make(map[string]*record),
		removed: make(map[string]struct{}),

		receipts: r,
		alerts:   newOwnAlerts(),
	}
}

// Expect notes an inspector that is being loaded under a name that does not run
// yet, so that it is visible before its first run.
func (t *tracker) Expect(d inspectors.Definition) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r := t.records[d.Name]; r == nil || r.Revision != d.Revision() {
		t.addLocked(d)
		t.alerts.note(d)
	}
}

// Loaded notes the code that runs from now on. New code starts with new counts; a
// new schedule alone does not.
func (t *tracker) Loaded(d inspectors.Definition) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.records[d.Name]
	if r == nil || r.Revision != d.Revision() {
		r = t.addLocked(d)
	}
	r.IntervalMS, r.Assigned = d.Interval.Milliseconds(), d.Assigned
	t.markLocked(r, atOnce)
	t.alerts.note(d)
	t.receipts.Loaded(d.Name, d.Assigned)
}

func (t *tracker) addLocked(d inspectors.Definition) *record {
	r := &record{
		InspectorStatus: wire.InspectorStatus{
			Name:       d.Name,
			Kind:       d.Kind(),
			Revision:   d.Revision(),
			IntervalMS: d.Interval.Milliseconds(),
			State:      wire.StateStarting,
			SinceMS:    time.Now().UnixMilli(),
			Assigned:   d.Assigned,
		},
		labels: inspectors.Labels{{Name: "inspector", Value: d.Name}},
	}
	if before := t.records[d.Name]; before != nil {
		r.came = before.came
	} else {
		t.came++
		r.came = t.came
	}
	t.records[d.Name] = r
	delete(t.removed, d.Name)
	t.markLocked(r, atOnce)
	return r
}

// Adopt notes that the running code is that of d.
func (t *tracker) Adopt(d inspectors.Definition) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.records[d.Name]
	if r == nil || r.Revision != d.Revision() {
		return
	}
	if r.Assigned != d.Assigned {
		r.Assigned = d.Assigned
		t.markLocked(r, atOnce)
		t.alerts.note(d)
	}
	if r.State == wire.StateStarting {
		t.receipts.Loaded(d.Name, d.Assigned)
	} else {
		t.receipts.Ran(r.Name, r.Assigned, r.State, r.Error)
	}
}

// LoadFailed notes that the definition could not be loaded. If other code of that
// name still runs, only the receipt shows the failure; running is the revision of
// that code, if it was assigned.
func (t *tracker) LoadFailed(d inspectors.Definition, err error, running string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.receipts.LoadFailed(d.Name, d.Assigned, err, running)
	if r := t.records[d.Name]; r != nil && r.Revision == d.Revision() {
		t.moveLocked(r, wire.StateFailing, err)
	}
}

// names returns the names of the inspectors and when each came, counted from 1, in
// any order.
func (t *tracker) names() iter.Seq2[string, uint64] {
	return func(yield func(string, uint64) bool) {
		t.mu.Lock()
		defer t.mu.Unlock()
		for name, r := range t.records {
			if !yield(name, r.came) {
				return
			}
		}
	}
}

func (t *tracker) Remove(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.records[name] == nil {
		return
	}
	delete(t.records, name)
	t.alerts.forget(name)
	t.removed[name] = struct{}{}
	t.ringLocked(atOnce)
}

// ran counts an outcome and returns the samples that report it. An outcome of code
// that has been replaced since says nothing about the current code.
func (t *tracker) ran(revision string, o plugins.Outcome) []inspectors.Sample {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.records[o.Name]
	if r == nil || r.Revision != revision {
		return nil
	}
	r.CPUSeconds += o.CPU.Seconds()
	r.took += o.Duration
	t.countLocked(r, o.Err)
	if o.Err == nil || r.State != wire.StateOK { // otherwise it did not run, which by itself proves nothing
		t.receipts.Ran(r.Name, r.Assigned, r.State, r.Error)
	}
	return r.samples(o)
}

// ranExtra counts the outcome of an extra run, made while somebody watches. An
// extra run gets less time than a normal one, so it is no failure if it does not
// end in that time, and nothing at all if it did not begin.
func (t *tracker) ranExtra(revision string, o plugins.Outcome) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.records[o.Name]
	if r == nil || r.Revision != revision {
		return
	}
	r.CPUSeconds += o.CPU.Seconds()
	if schedule.NotRun(o.Err) || errors.Is(o.Err, plugins.ErrTimeout) {
		return
	}
	t.countLocked(r, o.Err)
	t.receipts.Ran(r.Name, r.Assigned, r.State, r.Error)
}

// boosted notes the interval at which an inspector runs while somebody watches; 0
// is its own interval.
func (t *tracker) boosted(name string, interval time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r := t.records[name]; r != nil && r.BoostedMS != interval.Milliseconds() {
		r.BoostedMS = interval.Milliseconds()
		t.markLocked(r, atOnce)
	}
}

func (t *tracker) countLocked(r *record, err error) {
	if schedule.NotRun(err) {
		t.countIdleLocked(r, err)
		return
	}
	r.idle = 0
	if errors.Is(err, plugins.ErrQuarantined) {
		t.moveLocked(r, wire.StateQuarantined, err)
		return
	}
	r.Runs++
	r.tally(err)
	if err == nil {
		t.moveLocked(r, wire.StateOK, nil)
		t.markLocked(r, routine)
		return
	}
	r.Failures++
	switch {
	case errors.Is(err, plugins.ErrTimeout):
		r.Timeouts++
	case errors.Is(err, plugins.ErrBudget):
		r.OverBudget++
	case errors.Is(err, plugins.ErrCrashed):
		r.Crashes++
	}
	t.moveLocked(r, wire.StateFailing, err)
	t.markLocked(r, soon)
}

// countIdleLocked counts a tick at which the inspector could not run although it
// is not at fault. One such tick counts as missed, for example when its process
// was restarted because of another inspector; a second in a row is shown as a
// failure.
func (t *tracker) countIdleLocked(r *record, err error) {
	r.idle++
	r.Missed++
	state := wire.StateFailing
	if errors.Is(err, plugins.ErrStarved) {
		r.tally(err)
		state = wire.StateStarved
	}
	t.markLocked(r, soon)
	if r.idle > 1 {
		t.moveLocked(r, state, err)
	}
}

// missed counts ticks that passed without a run.
func (t *tracker) missed(name string, n uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r := t.records[name]; r != nil {
		r.Missed += n
		t.markLocked(r, soon)
	}
}

// overdue notes that a run has not ended long after its timeout. starved says why
// the host is starved; if it is empty, the process is the one that does not
// answer.
func (t *tracker) overdue(name, revision string, age time.Duration, starved string) {
	state, why := wire.StateFailing, "its process does not answer"
	if starved != "" {
		state, why = wire.StateStarved, "this host is starved: "+starved
	}
	err := fmt.Errorf("no outcome for %v, long after the timeout: %s", age.Round(time.Second), why)
	t.mu.Lock()
	defer t.mu.Unlock()
	if r := t.records[name]; r != nil && r.Revision == revision {
		t.moveLocked(r, state, err)
		t.receipts.Ran(r.Name, r.Assigned, r.State, r.Error)
	}
}

// moveLocked sets the state and the error of r, and logs a change of state.
func (t *tracker) moveLocked(r *record, state string, err error) {
	text := errtext.Of(err)
	if r.State == state {
		if r.Error != text {
			r.Error = text
			t.markLocked(r, soon)
		}
		return
	}
	before := r.State
	r.State, r.Error, r.SinceMS = state, text, time.Now().UnixMilli()
	t.markLocked(r, atOnce)
	switch {
	case !r.chatter.allow(time.Now()):
	case state != wire.StateOK:
		t.log.Warn("inspector is "+state, "inspector", r.Name, "reason", text)
	case before == wire.StateStarting:
		t.log.Debug("inspector is ok", "inspector", r.Name)
	default:
		t.log.Info("inspector is ok again", "inspector", r.Name)
	}
	if r.chatter.lines == maxChatter {
		t.log.Warn("inspector changes its state often; more of that is not logged for a while", "inspector", r.Name, "while", chatterTime)
	}
}

// Bounds of the lines that an inspector may log when it alternates between good
// and bad.
const (
	maxChatter  = 6
	chatterTime = 10 * time.Minute
)

// chatter bounds lines in time.
type chatter struct {
	from  time.Time // of the first of lines
	lines int       // since then, wanted
}

func (c *chatter) allow(now time.Time) bool {
	if now.Sub(c.from) > chatterTime {
		c.from, c.lines = now, 0
	}
	c.lines++
	return c.lines <= maxChatter
}

func (t *tracker) markLocked(r *record, u urgency) {
	r.urgency = max(r.urgency, u)
	t.ringLocked(u)
}

func (t *tracker) ringLocked(u urgency) {
	if u <= t.urgency {
		return
	}
	t.urgency = u
	bell.Ring(t.bell)
}

// nudge makes the agent send its own status soon.
func (t *tracker) nudge() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ringLocked(soon)
}

// pending returns how urgently the result of take should be sent.
func (t *tracker) pending() urgency {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.urgency
}

// take returns the inspectors that changed since the last take, or all of them, by
// name. The returned changes count as heard; if they cannot be sent, the next take
// must be of all.
func (t *tracker) take(all bool) wire.StatusParams {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := wire.StatusParams{All: all, Inspectors: []wire.InspectorStatus{}}
	for _, name := range slices.Sorted(maps.Keys(t.records)) {
		r := t.records[name]
		if all || r.urgency > settled {
			p.Inspectors = append(p.Inspectors, r.InspectorStatus)
		}
		r.urgency = settled
	}
	if !all {
		p.Removed = slices.Sorted(maps.Keys(t.removed))
	}
	clear(t.removed)
	t.urgency = settled
	return p
}

// statuses returns every inspector, by name.
func (t *tracker) statuses() []wire.InspectorStatus {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make([]wire.InspectorStatus, 0, len(t.records))
	for _, name := range slices.Sorted(maps.Keys(t.records)) {
		all = append(all, t.records[name].InspectorStatus)
	}
	return all
}

// measures are the counts of one inspector.
type measures struct {
	wire.InspectorStatus
	tallies []tally
	took    time.Duration
}

// measures returns the counts of every inspector, by name.
func (t *tracker) measures() []measures {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make([]measures, 0, len(t.records))
	for _, name := range slices.Sorted(maps.Keys(t.records)) {
		r := t.records[name]
		all = append(all, measures{r.InspectorStatus, slices.Clone(r.tallies), r.took})
	}
	return all
}

// Keys of the series that an agent yields for each inspector, which carry its
// name in the label "inspector".
const (
	keyDuration = assignment.OwnChart + "/inspector_duration_seconds"
	keySuccess  = assignment.OwnChart + "/inspector_success"
	keyMissed   = assignment.OwnChart + "/inspector_missed_total"
	keyCPU      = assignment.OwnChart + "/inspector_cpu_seconds_total"
	keyRuns     = assignment.OwnChart + "/inspector_runs_total" // with the label "outcome" too
)

// tally counts the runs that ended in one way.
type tally struct {
	outcome string // ok, error, timeout, budget, crash or starved
	labels  inspectors.Labels
	runs    uint64
}

// tally counts a run. An outcome that has not occurred has no series, so a healthy
// inspector has one of them, not five.
func (r *record) tally(err error) {
	outcome := outcomeOf(err)
	for i := range r.tallies {
		if r.tallies[i].outcome == outcome {
			r.tallies[i].runs++
			return
		}
	}
	labels := append(slices.Clone(r.labels), inspectors.Label{Name: "outcome", Value: outcome})
	r.tallies = append(r.tallies, tally{outcome, labels, 1})
}

func outcomeOf(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, plugins.ErrStarved):
		return "starved"
	case errors.Is(err, plugins.ErrTimeout):
		return "timeout"
	case errors.Is(err, plugins.ErrBudget):
		return "budget"
	case errors.Is(err, plugins.ErrCrashed):
		return "crash"
	}
	return "error"
}

// samples returns the samples that report a run: how long it took, whether it was
// good, how many ticks were missed so far, how many runs ended in each way, and
// the processor time of all of them. If it did not run there is no duration.
func (r *record) samples(o plugins.Outcome) []inspectors.Sample {
	at := o.Start.Truncate(time.Millisecond)
	success := 0.0
	if o.Err == nil {
		success = 1
	}
	samples := make([]inspectors.Sample, 0, 4+len(r.tallies))
	samples = append(samples, inspectors.Sample{Key: keySuccess, Labels: r.labels, Time: at, Value: success})
	for _, c := range counts() {
		if c.series != "" {
			samples = append(samples, inspectors.Sample{Key: c.series, Labels: r.labels, Kind: inspectors.Counter, Time: at, Value: c.value(&r.InspectorStatus)})
		}
	}
	for _, t := range r.tallies {
		samples = append(samples, inspectors.Sample{Key: keyRuns, Labels: t.labels, Kind: inspectors.Counter, Time: at, Value: float64(t.runs)})
	}
	if schedule.NotRun(o.Err) || errors.Is(o.Err, plugins.ErrQuarantined) {
		return samples
	}
	return append(samples, inspectors.Sample{Key: keyDuration, Labels: r.labels, Time: at, Value: o.Duration.Seconds()})
}
