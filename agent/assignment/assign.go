package assignment

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/vedettehq/vedette/agent/internal/errtext"
	"github.com/vedettehq/vedette/agent/programs"
	"github.com/vedettehq/vedette/agent/schedule"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/bell"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// ErrNotRunning is wrapped by the error of every call that needs a running agent.
var ErrNotRunning = errors.New("the agent is not running")

// Tracker is told what becomes of each inspector. Calls about one inspector come
// one after the other; the tracker must not call back.
type Tracker interface {
	// Expect is told of an inspector that is being loaded under a name that does
	// not run yet.
	Expect(d inspectors.Definition)
	// Loaded is told of the code or the schedule that applies from now on.
	Loaded(d inspectors.Definition)
	// Adopt is told that the running code is that of d.
	Adopt(d inspectors.Definition)
	// LoadFailed is told why d is not loaded, and which assigned revision
	// continues in its place, or "".
	LoadFailed(d inspectors.Definition, err error, running string)
	// Remove is told of an inspector that is gone.
	Remove(name string)
}

// Options are what an Assigner works with.
type Options struct {
	Log      *slog.Logger
	Runner   schedule.Runner
	Schedule *schedule.Scheduler
	Track    Tracker
	Receipts *Receipts

	// Own are the host's inspectors together with the built-in ones. BuiltIn names
	// those that pushed code may replace.
	Own     []inspectors.Definition
	BuiltIn []string

	// Accepts says whether the host takes code from a master at all, Signers whose
	// code it takes, and Plugins, unless nil, why it takes no plugins.
	Accepts bool
	Signers *Signers
	Plugins error
	// Programs fetches the programs of plugins; nil fetches none.
	Programs programs.Source
	// Upgrades decides on programs for the agent itself; nil refuses them all.
	Upgrades Upgrader
	// Data is the folder that stores the assignment for the next start; "" means
	// that it is not stored.
	Data string
}

// Assigner merges the inspectors that the master assigns with the agent's own. It
// applies one set at a time. The latest assignment holds: one that was overtaken
// while it waited is skipped.
type Assigner struct {
	Options
	builtIn map[string]bool
	set     *set
	wake    chan struct{} // capacity 1: there is something to apply
	changes chan change
	fetch   *programs.Wanted

	mu      sync.Mutex
	current wire.Assignment
	told    bool                     // the master has assigned something, in this run or before
	before  map[string]wire.Assigned // see Kept
	running map[string]wire.Assigned // the assigned items that are known to run, by name
	applied []wire.Assigned          // the items of the last decision

	// These belong to Run, and do not change during an apply. last holds the
	// latest definition of each pushed inspector that was handed on.
	own   []inspectors.Definition
	last  map[string]inspectors.Definition
	asked []chan<- error // from changes that are not finished
}

// change replaces the agent's own inspectors. done, of capacity 1, receives the
// outcome.
type change struct {
	own  []inspectors.Definition
	done chan<- error
}

// New makes an Assigner. It starts nothing, and reads nothing.
func New(o Options) *Assigner {
	s := &Assigner{
		Options: o, builtIn: make(map[string]bool),
		wake: make(chan struct{}, 1), changes: make(chan change),
		own: o.Own, last: make(map[string]inspectors.Definition), running: make(map[string]wire.Assigned),
	}
	for _, name := range o.BuiltIn {
		s.builtIn[name] = true
	}
	s.set = newSet(o.Log, o.Runner, o.Schedule, o.Track, s.loaded)
	s.fetch = programs.NewWanted(o.Programs, func() { bell.Ring(s.wake) })
	return s
}

// Expect makes the host's own inspectors visible before Run loads them. Call it
// before Run.
func (s *Assigner) Expect() {
	for _, d := range s.own {
		s.set.expect(d)
	}
}

// Serve registers the method with which the master assigns inspectors.
func (s *Assigner) Serve(mux *rpc.Mux) {
	// The last one sent is the one that holds.
	rpc.Serve(mux, wire.AgentAssign, s.assign)
	rpc.Serve(mux, wire.AgentAssigned, s.assigned)
	rpc.Serve(mux, wire.AgentKeys, s.follow)
}

// follow takes the lines of keys that the master has. What follows for code that runs,
// or was refused, is decided again.
func (s *Assigner) follow(_ context.Context, p wire.KeyLines) (wire.KeysResult, error) {
	refused, changed, err := s.Signers.Follow(p.Lines)
	for _, why := range refused {
		s.Log.Error("the master sent keys that this host does not follow", "reason", why)
	}
	if err != nil {
		s.Log.Error("after a restart a key that was revoked counts until the master tells it again", "reason", err)
	}
	if changed {
		s.Log.Info("the keys that sign code have changed", "keys", s.Signers.IDs())
		bell.Ring(s.wake)
	}
	return wire.KeysResult{Signers: s.Signers.IDs(), Refused: refused}, nil
}

// assign takes an assignment. When it returns, the agent will run it, even after a
// crash or a restart. Receipts report how each inspector does.
func (s *Assigner) assign(_ context.Context, p wire.Assignment) (wire.AssignResult, error) {
	if !s.Accepts {
		return wire.AssignResult{}, rpc.Errorf(wire.CodeForbidden,
			"this host takes no code from a master: agent.accept_pushed_inspectors is not true in its configuration")
	}
	if hash := wire.AssignmentHash(p.Inspectors); hash != p.Hash {
		return wire.AssignResult{}, rpc.Errorf(rpc.CodeInvalidParams, "the assignment's hash is %q, that of its inspectors %q", p.Hash, hash)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.Hash != s.current.Hash {
		s.current, s.before = p, s.beforeLocked(p.Inspectors)
		s.keepLocked()
	}
	s.told = true
	s.Receipts.Assign(&p)
	bell.Ring(s.wake)
	return wire.AssignResult{Hash: p.Hash}, nil
}

func (s *Assigner) assigned(context.Context, wire.Empty) (wire.AssignResult, error) {
	return wire.AssignResult{Hash: s.Hash()}, nil
}

// Hash returns the hash of the assignment, or "".
func (s *Assigner) Hash() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current.Hash
}

// Start restores the assignment from before the last stop. Run runs it together
// with the host's own inspectors.
func (s *Assigner) Start() {
	s.Signers.open()
	s.mu.Lock()
	defer s.mu.Unlock()
	k, told := s.openKept()
	s.told = told
	if s.current, s.before = k.Assignment, k.Before; s.current.Hash != "" {
		s.Receipts.Assign(&s.current)
	}
}

// keepLocked stores the state that the next start needs.
func (s *Assigner) keepLocked() {
	if s.Data == "" {
		return
	}
	if err := (&Kept{Assignment: s.current, Before: s.before}).Write(s.Data); err != nil {
		// The assignment is run in any case, and the master sends it again at the
		// next start.
		s.Log.Error("the assignment of the master is not kept for the next start", "reason", err)
	}
}

// beforeLocked returns the inspectors that continue until the items run.
func (s *Assigner) beforeLocked(items []wire.Assigned) map[string]wire.Assigned {
	before := make(map[string]wire.Assigned)
	for _, item := range items {
		old, ok := s.running[item.Name]
		if !ok {
			old, ok = s.before[item.Name]
		}
		if ok && old.Revision != item.Revision {
			before[item.Name] = old
		}
	}
	return before
}

// Change replaces the host's own inspectors. An inspector that did not change is
// not touched, and its schedule does not move. A new or changed one is loaded
// while the old code keeps running, and takes its place when it is ready; if it
// cannot be loaded, the old code continues. Inspectors that are gone are stopped
// last. If a definition is faulty or a name is given twice, all are refused.
//
// Change returns when each has been tried, with an error for each that does not
// run as defined. An inspector whose error wraps plugins.ErrUnavailable is tried
// again in the background. ctx bounds the waiting, not the loading. life is that
// of Run.
func (s *Assigner) Change(ctx, life context.Context, own []inspectors.Definition) error {
	if err := Check(own); err != nil {
		return fmt.Errorf("cannot apply the inspectors: %w", err)
	}
	done := make(chan error, 1)
	select {
	case s.changes <- change{own, done}:
	case <-ctx.Done():
		return fmt.Errorf("cannot apply the inspectors: %w", ctx.Err())
	case <-life.Done():
		return fmt.Errorf("cannot apply the inspectors: %w", ErrNotRunning)
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("the inspectors are still being loaded: %w", ctx.Err())
	case <-life.Done():
		return fmt.Errorf("cannot apply the inspectors: %w", ErrNotRunning)
	}
}

// Run applies the current inspectors, and then each assignment and each change,
// until life ends and nothing is being loaded or fetched any more. Call it once.
func (s *Assigner) Run(life context.Context) {
	defer s.set.wait()
	defer s.fetch.Wait()
	window := schedule.StartWindow
	if items, some := s.itemsBefore(); some {
		_ = s.set.apply(life, life, s.decide(life, items), window)
		window = schedule.ApplyWindow
	}
	for ; life.Err() == nil; window = schedule.ApplyWindow {
		s.mu.Lock()
		items := s.current.Inspectors
		s.mu.Unlock()
		s.applyOnce(life, items, window)
	}
}

// applyOnce applies the items together with the agent's own inspectors. It returns
// early when there is something newer to apply, so a slow load does not delay
// that.
func (s *Assigner) applyOnce(life context.Context, items []wire.Assigned, window time.Duration) {
	defs, own := s.decide(life, items), s.own
	waiting, stop := context.WithCancel(life)
	defer stop()
	done := make(chan error, 1)
	go func() {
		err := s.set.apply(waiting, life, defs, window)
		s.settle(items)
		s.noteRun(items)
		s.tidy()
		done <- err
	}()
	applied := done
	for {
		select {
		case err := <-applied:
			if err != nil && life.Err() == nil {
				s.Log.Debug("some inspectors were not loaded", "reason", err) // the tracker has logged each
			}
			for _, asked := range s.asked {
				asked <- err
			}
			s.asked, applied = nil, nil
			continue
		case c := <-s.changes:
			s.asked, own = append(s.asked, c.done), c.own
		case <-s.wake:
		case <-life.Done():
		}
		break
	}
	stop()
	if applied != nil {
		<-applied
	}
	s.own = own
}

// itemsBefore returns the assignment, except that each item which is not known to
// run is replaced by the one before it, if there is one.
func (s *Assigner) itemsBefore() (items []wire.Assigned, some bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	items = slices.Clone(s.current.Inspectors)
	for i := range items {
		if old, ok := s.before[items[i].Name]; ok {
			items[i], some = old, true
		}
	}
	return items, some
}

// settle notes which of the items run, and forgets their predecessors.
func (s *Assigner) settle(items []wire.Assigned) {
	s.mu.Lock() // also while it asks, so that a load which ends meanwhile is not forgotten
	defer s.mu.Unlock()
	live := s.set.live()
	running := make(map[string]wire.Assigned)
	note := func(item wire.Assigned) {
		if d, ok := live[item.Name]; ok && d.Assigned == item.Revision {
			running[item.Name] = item
		}
	}
	for _, known := range []map[string]wire.Assigned{s.running, s.before} {
		for _, item := range known {
			note(item)
		}
	}
	for _, item := range items {
		note(item)
	}
	s.running = running
	s.keepBeforeLocked()
}

// loaded notes code that is about to run, so that the next start finds it before anybody
// is told that it runs. Its load may have taken longer than the apply that asked for it.
func (s *Assigner) loaded(d inspectors.Definition) {
	if item, ok := s.noteLoaded(d); ok {
		s.Signers.Ran(&item)
	}
}

func (s *Assigner) noteLoaded(d inspectors.Definition) (item wire.Assigned, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := slices.Concat(slices.Collect(maps.Values(s.before)), s.applied, s.current.Inspectors)
	i := slices.IndexFunc(known, func(item wire.Assigned) bool { return item.Name == d.Name && item.Revision == d.Assigned })
	if i < 0 {
		return item, false // one of the host's own
	}
	s.running[d.Name] = known[i]
	s.keepBeforeLocked()
	return known[i], true
}

// keepBeforeLocked stores the inspectors that continue until the current ones run, if
// they are others than before.
func (s *Assigner) keepBeforeLocked() {
	before := s.beforeLocked(s.current.Inspectors)
	same := func(a, b wire.Assigned) bool { return a.Revision == b.Revision }
	if !maps.EqualFunc(before, s.before, same) {
		s.before = before
		s.keepLocked()
	}
}

// tidy removes programs that no inspector runs or waits for.
func (s *Assigner) tidy() {
	k, ok := s.Programs.(programs.Pruner)
	if !ok {
		return
	}
	sums := s.fetch.Sums()
	for _, defs := range []map[string]inspectors.Definition{s.last, s.set.live()} {
		for _, d := range defs {
			if d.Plugin != nil {
				sums[d.Plugin.SHA256] = true
			}
		}
	}
	if err := k.Prune(sums); err != nil {
		s.Log.Warn("programs that are not needed any more stay on the disk", "reason", err)
	}
}

// decide makes a decision, fetches the programs that it needs, and reports the
// verdict on each item. It returns the definitions to run.
func (s *Assigner) decide(life context.Context, items []wire.Assigned) []inspectors.Definition {
	s.mu.Lock()
	given := s.applied
	s.applied = items
	s.mu.Unlock()
	s.noteRun(given)
	f := s.facts(items)
	d := decide(f)
	for s.learn(life, f, d.needs) {
		d = decide(f)
	}
	for _, v := range d.verdicts {
		s.tell(v)
	}
	s.upgrade(life, &d)
	s.fetch.Only(d.needs)
	s.last = d.pushed
	run := make(map[string]bool, len(d.pushed))
	for _, def := range d.pushed {
		run[def.Assigned] = true
	}
	s.Signers.begin(items, run)
	return d.run
}

// noteRun records the items that run, for the numbers of their signatures.
func (s *Assigner) noteRun(items []wire.Assigned) {
	live := s.set.live()
	for i := range items {
		if d, ok := live[items[i].Name]; ok && d.Assigned == items[i].Revision {
			s.Signers.Ran(&items[i])
		}
	}
}

func (s *Assigner) facts(items []wire.Assigned) *facts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &facts{
		own: s.own, builtIn: s.builtIn, items: items, last: s.last, before: maps.Clone(s.before),
		signers: s.Signers, plugins: s.Plugins, programs: make(map[wire.Artefact]program),
		upgrades: s.Upgrades,
	}
}

// learn starts fetching the programs that are needed, and reports whether it knows
// more about them than before.
func (s *Assigner) learn(life context.Context, f *facts, needs map[wire.Artefact]bool) (more bool) {
	for artefact := range needs {
		if _, known := f.programs[artefact]; !known {
			file, err := s.fetch.Get(life, artefact)
			f.programs[artefact], more = program{file, err}, true
		}
	}
	return more
}

// tell reports a verdict.
func (s *Assigner) tell(v verdict) {
	switch v.state {
	case wire.ReceiptReceived:
		return
	case wire.ReceiptVerified:
		s.Receipts.Verified(v.name, v.revision)
		return
	}
	running := ""
	if !errors.Is(v.err, ErrOwn) {
		running = s.set.live()[v.name].Assigned
		s.Log.Warn("a pushed inspector cannot be run", "inspector", v.name, "reason", errtext.Of(v.err), "old_goes_on", v.oldGoesOn)
	}
	s.Receipts.Barred(v.name, v.revision, v.state, errtext.Of(v.err), running)
}
