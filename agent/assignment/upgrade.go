package assignment

import (
	"context"
	"errors"
	"fmt"

	"github.com/vedettehq/vedette/agent/internal/errtext"
	"github.com/vedettehq/vedette/agent/programs"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/bell"
	"github.com/vedettehq/vedette/rpc/wire"
)

// Upgrader decides on programs for the agent itself; see package upgrade.
type Upgrader interface {
	// Allows returns why the host does not want the program, or nil. It is called
	// before the program is fetched.
	Allows(item *wire.Assigned, program wire.Artefact) error
	// Take is given the file of a program. decided says whether there is a
	// decision; err is nil when that program is what runs. It calls tell when the
	// answer has changed.
	Take(life context.Context, item *wire.Assigned, program wire.Artefact, file string, tell func()) (decided bool, err error)
	// None is told that the master assigns no program.
	None(life context.Context)
}

// newProgram is a program for the agent itself that has been fetched.
type newProgram struct {
	item     wire.Assigned
	artefact wire.Artefact
	file     string
}

var (
	errNoUpgrade = errors.New("the program of this agent cannot be replaced: it is not an agent alone")
	errNoProgram = errors.New("this is no program of an agent: it has to be pushed by `vedette hosts upgrade`")
)

// decideProgram decides on a program for the agent itself. It is not an inspector,
// so the policy for inspectors does not apply.
func (d *decision) decideProgram(f *facts, item *wire.Assigned) {
	p, err := f.newProgram(item, d.needs)
	if err == nil {
		d.program = p
		return
	}
	d.verdicts = append(d.verdicts, verdict{item.Name, item.Revision, receiptOf(err), err, false})
}

func (f *facts) newProgram(item *wire.Assigned, needs map[wire.Artefact]bool) (*newProgram, error) {
	switch {
	case item.Plugin == nil:
		return nil, errNoProgram
	case f.upgrades == nil:
		return nil, fmt.Errorf("%w: %w", inspectors.ErrPolicy, errNoUpgrade)
	}
	artefact, err := artefactOf(item.Plugin)
	if err != nil {
		return nil, err
	}
	if err := f.upgrades.Allows(item, artefact); err != nil {
		return nil, err
	}
	needs[artefact] = true
	known, ok := f.programs[artefact]
	if !ok {
		return nil, programs.ErrFetching
	}
	return &newProgram{*item, artefact, known.file}, known.err
}

// upgrade hands on a program for the agent itself, and reports the outcome.
func (s *Assigner) upgrade(life context.Context, d *decision) {
	if s.Upgrades == nil {
		return
	}
	if d.program == nil {
		if s.assignsNoProgram() {
			s.Upgrades.None(life)
		}
		return
	}
	p := d.program
	s.Receipts.Verified(p.item.Name, p.item.Revision)
	switch decided, err := s.Upgrades.Take(life, &p.item, p.artefact, p.file, func() { bell.Ring(s.wake) }); {
	case !decided:
	case err != nil:
		s.Log.Warn("the agent's program is not replaced", "reason", errtext.Of(err))
		s.Receipts.Barred(p.item.Name, p.item.Revision, receiptOf(err), errtext.Of(err), "")
	default:
		s.Receipts.Loaded(p.item.Name, p.item.Revision)
		s.Receipts.Ran(p.item.Name, p.item.Revision, wire.StateOK, "")
	}
}

// assignsNoProgram reports whether the master has sent an assignment that has no
// program for the agent itself.
func (s *Assigner) assignsNoProgram() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, item := range s.current.Inspectors {
		if item.Name == wire.AgentProgram {
			return false
		}
	}
	return s.told
}
