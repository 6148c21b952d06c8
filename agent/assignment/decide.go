package assignment

import (
	"errors"
	"fmt"

	"github.com/vedettehq/vedette/agent/programs"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/rpc/wire"
)

// facts are all that a decision depends on.
type facts struct {
	own     []inspectors.Definition
	builtIn map[string]bool // those of own that pushed code replaces
	items   []wire.Assigned // the assignment
	// last holds, by name, the pushed inspectors of the previous decision; before
	// holds the inspectors that ran in place of items which are not known to run.
	last   map[string]inspectors.Definition
	before map[string]wire.Assigned

	signers  *Signers
	upgrades Upgrader // or nil
	plugins  error    // why this host runs no pushed plugins, or nil
	programs map[wire.Artefact]program
}

// program is the file of a program, or the reason why there is none yet.
type program struct {
	file string
	err  error
}

// decision says what to run, and what becomes of each item.
type decision struct {
	run      []inspectors.Definition
	pushed   map[string]inspectors.Definition // those of run that were pushed, by name
	needs    map[wire.Artefact]bool           // the programs of run, and of the items that will take its place
	verdicts []verdict
	program  *newProgram // for the agent itself, or nil
}

// verdict says what becomes of one item. state is the state for its receipt:
// verified, failed, refused, or received if its program is on its way.
type verdict struct {
	name, revision string
	state          string
	err            error // why it does not run, or nil
	oldGoesOn      bool  // the previous code of that name runs in its place
}

var (
	// ErrOwn refuses an inspector of the same name as one in the host's own
	// configuration.
	ErrOwn = errors.New("this host's own configuration has an inspector of that name, which takes precedence")
	// errTwice refuses an inspector that is in an assignment twice.
	errTwice = errors.New("the assignment has two inspectors of that name")
)

// decide combines the host's own inspectors with the pushed ones, which replace
// built-in ones. If a pushed inspector cannot be run, the previous code of that
// name continues. It depends on the facts alone and changes nothing. A program
// that the facts do not have counts as on its way, and is among the needs.
func decide(f *facts) decision {
	own, times := make(map[string]bool), make(map[string]int)
	for _, d := range f.own {
		own[d.Name] = !f.builtIn[d.Name]
	}
	for _, item := range f.items {
		times[item.Name]++
	}
	d := decision{pushed: make(map[string]inspectors.Definition), needs: make(map[wire.Artefact]bool)}
	for i := range f.items {
		item := &f.items[i]
		if item.Name == wire.AgentProgram {
			d.decideProgram(f, item)
			continue
		}
		var def inspectors.Definition
		var err error
		switch {
		case own[item.Name]:
			err = ErrOwn
		case times[item.Name] > 1:
			err = errTwice
		default:
			def, err = f.definition(item, d.needs)
		}
		runs := err == nil
		if !runs && !own[item.Name] {
			def, runs = f.instead(item.Name, d.needs)
		}
		d.verdicts = append(d.verdicts, verdict{item.Name, item.Revision, receiptOf(err), err, err != nil && runs})
		if _, twice := d.pushed[item.Name]; runs && !twice {
			d.pushed[item.Name] = def
			d.run = append(d.run, def)
		}
	}
	for _, def := range f.own {
		if _, replaced := d.pushed[def.Name]; !replaced {
			d.run = append(d.run, def)
		}
	}
	return d
}

// receiptOf returns the state for the receipt of an item that cannot be run
// because of err, or that can if err is nil.
func receiptOf(err error) string {
	switch {
	case err == nil:
		return wire.ReceiptVerified
	case errors.Is(err, programs.ErrFetching):
		return wire.ReceiptReceived
	case errors.Is(err, ErrOwn), errors.Is(err, inspectors.ErrPolicy):
		return wire.ReceiptRefused
	}
	return wire.ReceiptFailed
}

// instead returns the code that goes on under the name of an item that cannot be run:
// the definition that was handed on last, or the one that ran before the agent was
// started. It returns false if there is neither, or keys are revoked that had signed it,
// and too few are left.
func (f *facts) instead(name string, needs map[wire.Artefact]bool) (inspectors.Definition, bool) {
	if d, ok := f.last[name]; ok {
		by, enough := f.signers.left(d.Assigned, d.SignedBy)
		d.SignedBy = by
		return d, enough
	}
	old, ok := f.before[name]
	if !ok {
		return inspectors.Definition{}, false
	}
	d, err := f.definition(&old, needs)
	return d, err == nil
}

// definition turns one assigned inspector into a definition, and adds the program
// that it needs.
func (f *facts) definition(item *wire.Assigned, needs map[wire.Artefact]bool) (inspectors.Definition, error) {
	by, err := f.signers.Check(&item.Code, item.Signatures)
	if err != nil {
		return inspectors.Definition{}, err // before anything is done with it
	}
	file := ""
	if item.Plugin != nil {
		if f.plugins != nil {
			return inspectors.Definition{}, f.plugins // before its program is fetched
		}
		artefact, err := artefactOf(item.Plugin)
		if err != nil {
			return inspectors.Definition{}, err
		}
		needs[artefact] = true
		known, ok := f.programs[artefact]
		if !ok {
			return inspectors.Definition{}, programs.ErrFetching
		}
		if known.err != nil {
			return inspectors.Definition{}, known.err
		}
		file = known.file
	}
	d, err := DefinitionOf(item.Code, item.Revision, file)
	if err != nil {
		return d, fmt.Errorf("cannot run it: %w", err)
	}
	d.SignedBy = by
	return d, nil
}
