package plugins

import (
	"errors"
	"time"

	"github.com/vedettehq/vedette/inspectors"
)

// Errors of a run, besides those that the inspector itself returned. They are
// wrapped in Outcome.Err with the particulars.
var (
	// ErrTimeout: the run was cut off at its timeout.
	ErrTimeout = errors.New("timed out")
	// ErrCrashed: the process died while this inspector was running.
	ErrCrashed = errors.New("crashed its process")
	// ErrQuarantined: the inspector is not run any more; see Outcome.Err.
	ErrQuarantined = errors.New("quarantined")
	// ErrNotLoaded: no such inspector is loaded.
	ErrNotLoaded = errors.New("not loaded")
	// ErrUnavailable: the process died or could not be started, through no
	// fault of this inspector; the run did not take place.
	ErrUnavailable = errors.New("process not available")
	// ErrClosed: the pool is closed.
	ErrClosed = errors.New("closed")
)

// Job asks for one run of one loaded inspector.
type Job struct {
	Name    string
	Timeout time.Duration
}

// Outcome is how one run ended. Samples may be there beside an error.
type Outcome struct {
	Name     string
	Start    time.Time     // the time that the samples carry
	Duration time.Duration // wall time inside the process that ran it
	Samples  []inspectors.Sample
	Err      error // nil when the run was good
}
