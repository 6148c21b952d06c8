package script

import (
	"context"
	"time"

	"github.com/vedettehq/vedette/inspectors"
)

// Check finds every fault of a script that can be found without running it: in
// its directives, its syntax, its imports and names, the signature of Inspect,
// and the constructs that inspectors may not use; and where there is none of
// these, what the interpreter's compiler says. The error is Diagnostics.
//
// File is the name that the diagnostics give; it is not opened. Check runs the
// initialisers of package variables, as loading does: call it in a process that
// may die, or accept what the package comment says.
func Check(file, source string) error {
	return CheckScript(inspectors.Script{File: file, Line: 1, Source: source})
}

// CheckScript is as Check for a script that may stand inside another file.
func CheckScript(script inspectors.Script) error {
	s := parse(script)
	s.applyRules()
	faults := s.faults
	if _, err := script.Directives(); err != nil {
		faults = append(faults, asDiagnostics(s.origin, err)...)
	}
	if len(faults) > 0 {
		return faults.Err()
	}
	const initialisers = 2 * time.Second
	ctx, cancel := context.WithTimeout(context.Background(), initialisers)
	defer cancel()
	p := &Program{output: &output{}}
	if _, err := p.build(ctx, s); err != nil {
		return asDiagnostics(s.origin, err).Err()
	}
	return nil
}
