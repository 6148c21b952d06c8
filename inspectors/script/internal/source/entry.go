package source

import (
	"go/token"

	"github.com/vedettehq/vedette/inspectors"
)

// CheckEntry checks that a script can be compiled natively, for which the interpreter's
// language does not matter: it must be a whole Go file with a func Inspect of one of the
// accepted signatures. The error is Diagnostics.
func CheckEntry(script inspectors.Script) error {
	tokens := scan(script.Source)
	if len(tokens) > 0 && tokens[0].tok != token.PACKAGE && declaration(tokens) < 0 {
		at := script.Place(tokens[0].place.Line, tokens[0].place.Column)
		at.Message = "this is the bare body of a function, which only a configuration may hold"
		at.Fix = "write a whole file: a package clause, the imports, and func Inspect around the body"
		return inspectors.Diagnostics{at}
	}
	s := Parse(script)
	if s.File == nil {
		return s.Faults.Err()
	}
	s.Faults = nil // those of the imports
	s.findShape()
	return s.Faults.Err()
}
