package agent

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// assigner makes what the master assigns a part of the agent's inspectors. One
// assignment is applied at a time, and the last that came holds: one that came
// between two is passed over.
type assigner struct {
	agent *Agent
	wake  chan struct{} // capacity 1: there is something to apply
	fetch *programs

	mu      sync.Mutex
	current wire.Assignment

	// last has what was handed on of each pushed inspector. It belongs to run, and
	// does not change while an apply is going on.
	last map[string]inspectors.Definition
}

func newAssigner(a *Agent, from Artefacts) *assigner {
	s := &assigner{agent: a, wake: make(chan struct{}, 1), last: make(map[string]inspectors.Definition)}
	s.fetch = newPrograms(from, func() { ring(s.wake) })
	return s
}

// assignMethods are those of assignments.
func (a *Agent) assignMethods(mux *rpc.Mux) {
	// The last that was sent is the one that holds.
	mux.HandleInOrder(wire.MethodAgentAssign, rpc.Method(a.assigner.assign))
	mux.HandleInOrder(wire.MethodAgentAssigned, rpc.Method(a.assigner.assigned))
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
		if a.cfg.Data != "" {
			if err := (&kept{Assignment: p}).write(a.cfg.Data); err != nil {
				// It runs all the same, and the master sends it again at the next start.
				a.log.Error("the assignment of the master is not kept for the next start", "reason", err)
			}
		}
		s.current = p
	}
	a.track.assign(&p)
	ring(s.wake)
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
	if s.current = s.agent.openKept().Assignment; s.current.Hash != "" {
		s.agent.track.assign(&s.current)
	}
}

// run applies what there is, and then each assignment, until life ends.
func (s *assigner) run(life context.Context) {
	defer s.fetch.jobs.Wait()
	for window := startWindow; life.Err() == nil; window = applyWindow {
		s.mu.Lock()
		current := s.current
		s.mu.Unlock()
		defs := s.definitions(life, current.Inspectors)
		// What comes meanwhile does not wait for what is slow to load.
		waiting, stop := context.WithCancel(life)
		done := make(chan struct{})
		go func() {
			defer close(done)
			defer s.tidy()
			if err := s.agent.set.apply(waiting, life, defs, window); err != nil && life.Err() == nil {
				s.agent.log.Debug("some inspectors were not loaded", "reason", err) // the tracker has warned of each
			}
		}()
		select {
		case <-s.wake:
		case <-life.Done():
		}
		stop()
		<-done
	}
}

// tidy removes the programs that nothing runs and nothing waits for.
func (s *assigner) tidy() {
	k, ok := s.agent.deps.Artefacts.(Keeper)
	if !ok {
		return
	}
	sums := s.fetch.sums()
	for _, d := range s.last {
		if d.Plugin != nil {
			sums[d.Plugin.SHA256] = true
		}
	}
	if err := k.Keep(sums); err != nil {
		s.agent.log.Warn("programs that are not needed any more stay on the disk", "reason", err)
	}
}

// errOwn is why an inspector is refused that the host has of its own.
var errOwn = errors.New("this host's own configuration has an inspector of that name, which goes before")

// definitions puts together what is to run: the agent's own, and what is pushed,
// which replaces what is built in. Of a pushed inspector that cannot be run the
// one before goes on.
func (s *assigner) definitions(life context.Context, items []wire.Assigned) []inspectors.Definition {
	own := make(map[string]bool)
	for _, d := range s.agent.deps.Definitions {
		own[d.Name] = true
	}
	defs := make([]inspectors.Definition, 0, len(items)+len(own))
	next, programs := make(map[string]inspectors.Definition), make(map[wire.Artefact]bool)
	for _, item := range items {
		if own[item.Name] && !s.agent.builtIn[item.Name] {
			s.agent.track.barred(item.Name, item.Revision, wire.ReceiptRefused, errOwn.Error())
			continue
		}
		d, err := s.definition(life, item, programs)
		if err != nil {
			old, runs := s.last[item.Name]
			if !errors.Is(err, errFetching) {
				s.agent.log.Warn("a pushed inspector cannot be run", "inspector", item.Name, "reason", errorText(err), "old_goes_on", runs)
				s.agent.track.barred(item.Name, item.Revision, wire.ReceiptFailed, errorText(err))
			}
			if !runs {
				continue
			}
			d = old
		} else {
			s.agent.track.verified(item.Name, item.Revision)
		}
		next[item.Name] = d
		defs = append(defs, d)
	}
	s.fetch.only(programs)
	s.last = next
	for _, d := range s.agent.deps.Definitions {
		if _, replaced := next[d.Name]; !replaced {
			defs = append(defs, d)
		}
	}
	return defs
}

// definition makes a definition of one assigned inspector, and notes the program
// that it needs.
func (s *assigner) definition(life context.Context, item wire.Assigned, programs map[wire.Artefact]bool) (inspectors.Definition, error) {
	program := ""
	if item.Plugin != nil {
		artefact, err := artefactOf(item.Plugin)
		if err != nil {
			return inspectors.Definition{}, err
		}
		programs[artefact] = true
		if program, err = s.fetch.get(life, artefact); err != nil {
			return inspectors.Definition{}, err
		}
	}
	d, err := definitionOf(item.Code, item.Revision, program)
	if err != nil {
		return d, fmt.Errorf("cannot run it: %w", err)
	}
	return d, nil
}
