package script

import (
	"context"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/inspectors/script/check"
	"github.com/vedettehq/vedette/inspectors/script/internal/files"
)

// Check finds every fault of a script that can be found without running it: the findings of
// package check and, if there are none, those of the interpreter's compiler. The error is
// Diagnostics.
//
// File is the name in the diagnostics; it is not opened. Check runs the initialisers of
// package variables, as loading does. So call it in a process that may die, or accept the
// consequences that the package comment describes.
func Check(file, text string) error {
	return CheckScript(inspectors.Script{File: file, Line: 1, Source: text})
}

// CheckScript is Check for a script that may be embedded in another file.
func CheckScript(script inspectors.Script) error {
	core, faults := check.Translate(script)
	if len(faults) > 0 {
		return faults.Err()
	}
	const initialisers = 2 * time.Second
	ctx, cancel := context.WithTimeout(context.Background(), initialisers)
	defer cancel()
	p := &Program{script: script, output: &output{}, files: files.New(nil, nil)}
	if _, err := p.build(ctx, core); err != nil {
		return asDiagnostics(script, err).Err()
	}
	return nil
}
