package agent

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/vedettehq/vedette/agent/programs"
	"github.com/vedettehq/vedette/agent/schedule"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/bell"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// assigner makes what the master assigns a part of the agent's inspectors. One
// set is applied at a time, and the last that came holds: one that came between
// two is passed over.
type assigner struct {
	agent   *Agent
	wake    chan struct{} // capacity 1: there is something to apply
	changes chan change
	fetch   *programs.Wanted
	signers signers

	mu      sync.Mutex
	current wire.Assignment
	before  map[string]wire.Assigned // of kept
	running map[string]wire.Assigned // what is known to run, by name

	// These belong to run, and do not change while an apply is going on. last has
	// what was handed on of each pushed inspector.
	own   []inspectors.Definition
	last  map[string]inspectors.Definition
	asked []chan<- error // by changes that are not done yet
}

// change makes the agent's own inspectors others. done, of capacity 1, takes
// what became of it.
type change struct {
	own  []inspectors.Definition
	done chan<- error
}

func newAssigner(a *Agent, from programs.Source, keys signers) *assigner {
	s := &assigner{
		agent: a, wake: make(chan struct{}, 1), changes: make(chan change), signers: keys,
		own: a.deps.Definitions, last: make(map[string]inspectors.Definition),
	}
	s.fetch = programs.NewWanted(from, func() { bell.Ring(s.wake) })
	return s
}

// assignMethods are those of assignments.
func (a *Agent) assignMethods(mux *rpc.Mux) {
	// The last that was sent is the one that holds.
	rpc.Serve(mux, wire.AgentAssign, a.assigner.assign)
	rpc.Serve(mux, wire.AgentAssigned, a.assigner.assigned)
}

// assign takes an assignment. When it returns the agent will run it, whatever
// happens to the agent; how each inspector does is told in receipts.
func (s *assigner) assign(_ context.Context, p wire.Assignment) (wire.AssignResult, error) {
	a := s.agent
	if !a.cfg.AcceptPushedInspectors {
		return wire.AssignResult{}, rpc.Errorf(wire.CodeForbidden, "this host takes no code from a master: agent.accept_pushed_inspectors is not true in its configuration")
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
	a.track.assign(&p)
	bell.Ring(s.wake)
	return wire.AssignResult{Hash: p.Hash}, nil
}

func (s *assigner) assigned(context.Context, wire.Empty) (wire.AssignResult, error) {
	return wire.AssignResult{Hash: s.hash()}, nil
}

func (s *assigner) hash() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current.Hash
}

// start takes up what was assigned before, which is run with the agent's own.
func (s *assigner) start() {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.agent.openKept()
	if s.current, s.before = k.Assignment, k.Before; s.current.Hash != "" {
		s.agent.track.assign(&s.current)
	}
}

// keepLocked writes down what the next start is to know.
func (s *assigner) keepLocked() {
	if s.agent.cfg.Data == "" {
		return
	}
	if err := (&kept{Assignment: s.current, Before: s.before}).write(s.agent.cfg.Data); err != nil {
		// It runs all the same, and the master sends it again at the next start.
		s.agent.log.Error("the assignment of the master is not kept for the next start", "reason", err)
	}
}

// beforeLocked returns what goes on until these run.
func (s *assigner) beforeLocked(items []wire.Assigned) map[string]wire.Assigned {
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

// change makes the agent's own inspectors others, and returns what set.apply
// does. ctx bounds the waiting.
func (s *assigner) change(ctx, life context.Context, own []inspectors.Definition) error {
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

// run applies what there is, and then each assignment and each change, until
// life ends.
func (s *assigner) run(life context.Context) {
	defer s.fetch.Wait()
	window := schedule.StartWindow
	if items, some := s.itemsBefore(); some {
		_ = s.agent.set.apply(life, life, s.definitions(life, items), window)
		window = schedule.ApplyWindow
	}
	for ; life.Err() == nil; window = schedule.ApplyWindow {
		s.mu.Lock()
		items := s.current.Inspectors
		s.mu.Unlock()
		s.applyOnce(life, items, window)
	}
}

// applyOnce applies the items with the agent's own inspectors, and returns when
// there is something else to apply: that does not wait for what is slow to load.
func (s *assigner) applyOnce(life context.Context, items []wire.Assigned, window time.Duration) {
	defs, own := s.definitions(life, items), s.own
	waiting, stop := context.WithCancel(life)
	defer stop()
	done := make(chan error, 1)
	go func() {
		err := s.agent.set.apply(waiting, life, defs, window)
		s.settle(items)
		s.tidy()
		done <- err
	}()
	applied := done
	for {
		select {
		case err := <-applied:
			if err != nil && life.Err() == nil {
				s.agent.log.Debug("some inspectors were not loaded", "reason", err) // the tracker has warned of each
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

// itemsBefore returns the assignment with what went before in place of what was
// not known to run, if there is such.
func (s *assigner) itemsBefore() (items []wire.Assigned, some bool) {
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

// settle notes which of the items run, and forgets what went before those.
func (s *assigner) settle(items []wire.Assigned) {
	live := s.agent.set.live()
	s.mu.Lock()
	defer s.mu.Unlock()
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
	before := s.beforeLocked(s.current.Inspectors)
	same := func(a, b wire.Assigned) bool { return a.Revision == b.Revision }
	if !maps.EqualFunc(before, s.before, same) {
		s.before = before
		s.keepLocked()
	}
}

// tidy removes the programs that nothing runs and nothing waits for.
func (s *assigner) tidy() {
	k, ok := s.agent.deps.Programs.(programs.Pruner)
	if !ok {
		return
	}
	sums := s.fetch.Sums()
	for _, defs := range []map[string]inspectors.Definition{s.last, s.agent.set.live()} {
		for _, d := range defs {
			if d.Plugin != nil {
				sums[d.Plugin.SHA256] = true
			}
		}
	}
	if err := k.Prune(sums); err != nil {
		s.agent.log.Warn("programs that are not needed any more stay on the disk", "reason", err)
	}
}

// errOwn is why an inspector is refused that the host has of its own.
var errOwn = errors.New("this host's own configuration has an inspector of that name, which goes before")

// errTwice is why an inspector is not run that an assignment has twice.
var errTwice = errors.New("the assignment has two inspectors of that name")

// definitions puts together what is to run: the agent's own, and what is pushed,
// which replaces what is built in. Of a pushed inspector that cannot be run the
// one before goes on.
func (s *assigner) definitions(life context.Context, items []wire.Assigned) []inspectors.Definition {
	own, times := make(map[string]bool), make(map[string]int)
	for _, d := range s.own {
		own[d.Name] = !s.agent.builtIn[d.Name]
	}
	for _, item := range items {
		times[item.Name]++
	}
	defs := make([]inspectors.Definition, 0, len(items)+len(own))
	next, needed := make(map[string]inspectors.Definition), make(map[wire.Artefact]bool)
	for _, item := range items {
		if own[item.Name] {
			s.agent.track.barred(item.Name, item.Revision, wire.ReceiptRefused, errOwn.Error(), "")
			continue
		}
		var d inspectors.Definition
		err := errTwice
		if times[item.Name] == 1 {
			d, err = s.definition(life, item, needed)
		}
		if err != nil {
			var goesOn bool
			if d, goesOn = s.instead(life, item, err, needed); !goesOn {
				continue
			}
		} else {
			s.agent.track.verified(item.Name, item.Revision)
		}
		if _, twice := next[d.Name]; !twice {
			next[d.Name] = d
			defs = append(defs, d)
		}
	}
	s.fetch.Only(needed)
	s.last = next
	for _, d := range s.own {
		if _, replaced := next[d.Name]; !replaced {
			defs = append(defs, d)
		}
	}
	return defs
}

// instead returns what goes on in place of an item that cannot be run, if there
// is such: what was handed on last, or what ran before the agent was started.
func (s *assigner) instead(life context.Context, item wire.Assigned, reason error, needed map[wire.Artefact]bool) (inspectors.Definition, bool) {
	d, some := s.last[item.Name]
	if !some {
		s.mu.Lock()
		old, ok := s.before[item.Name]
		s.mu.Unlock()
		if ok {
			var err error
			d, err = s.definition(life, old, needed)
			some = err == nil
		}
	}
	if !errors.Is(reason, programs.ErrFetching) {
		running := s.agent.set.live()[item.Name].Assigned
		s.agent.log.Warn("a pushed inspector cannot be run", "inspector", item.Name, "reason", errorText(reason), "old_goes_on", some)
		state := wire.ReceiptFailed
		if errors.Is(reason, inspectors.ErrPolicy) {
			state = wire.ReceiptRefused
		}
		s.agent.track.barred(item.Name, item.Revision, state, errorText(reason), running)
	}
	return d, some
}

// definition makes a definition of one assigned inspector, and notes the program
// that it needs.
func (s *assigner) definition(life context.Context, item wire.Assigned, needed map[wire.Artefact]bool) (inspectors.Definition, error) {
	if err := s.signers.check(&item.Code, item.Signatures); err != nil {
		return inspectors.Definition{}, err // before anything is done with it
	}
	program := ""
	if item.Plugin != nil {
		if err := s.agent.cfg.Policy.Needs().CheckPlugin(); err != nil {
			return inspectors.Definition{}, err // before its program is fetched
		}
		artefact, err := artefactOf(item.Plugin)
		if err != nil {
			return inspectors.Definition{}, err
		}
		needed[artefact] = true
		if program, err = s.fetch.Get(life, artefact); err != nil {
			return inspectors.Definition{}, err
		}
	}
	d, err := definitionOf(item.Code, item.Revision, program)
	if err != nil {
		return d, fmt.Errorf("cannot run it: %w", err)
	}
	return d, nil
}
