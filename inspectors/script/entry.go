package script

import (
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/inspectors/script/internal/source"
)

// CheckEntry checks that a script can be compiled natively, for which the interpreter's
// language does not matter: it must be a whole Go file with a func Inspect of one of the
// accepted signatures. The error is Diagnostics.
func CheckEntry(script inspectors.Script) error { return source.CheckEntry(script) }
