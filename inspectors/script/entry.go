package script

import (
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/inspectors/script/internal/source"
)

// CheckEntry checks what a script must be in order to be compiled natively,
// where the interpreter's language does not matter: a whole Go file with a func
// Inspect of one of the accepted signatures. The error is Diagnostics.
func CheckEntry(script inspectors.Script) error { return source.CheckEntry(script) }
