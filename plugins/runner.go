package plugins

import (
	"errors"
	"time"

	"github.com/vedettehq/vedette/inspectors"
)

// Errors of a run, apart from those that the inspector itself returned. They are
// wrapped in Outcome.Err with details.
var (
	// ErrTimeout: the run was cut off at its timeout.
	ErrTimeout = errors.New("timed out")
	// ErrUnended: the run did not begin, because an earlier one goes on. It comes with
	// ErrTimeout or ErrStarved.
	ErrUnended = errors.New("an earlier run has not ended")
	// ErrBudget: the run took more than its budget, or the inspector holds or
	// yields more than it may. Outcome.Err says which budget, and how much.
	ErrBudget = errors.New("over budget")
	// ErrCrashed: the process died while this inspector was running.
	ErrCrashed = errors.New("crashed its process")
	// ErrQuarantined: the inspector is not run at present; see Outcome.Err.
	ErrQuarantined = errors.New("quarantined")
	// ErrNotQuarantined: the inspector is not in quarantine.
	ErrNotQuarantined = errors.New("not quarantined")
	// ErrNotLoaded: no such inspector is loaded.
	ErrNotLoaded = errors.New("not loaded")
	// ErrUnavailable: the process died or could not be started, through no fault
	// of this inspector; the run did not take place.
	ErrUnavailable = errors.New("process not available")
	// ErrStarved: the run did not take place in time, because its process got too
	// little processor time, or was stopped. It is not the fault of any inspector
	// there, and wraps ErrUnavailable.
	ErrStarved error = starved{}
	// ErrClosed: the pool is closed.
	ErrClosed = errors.New("closed")
)

// starved is ErrStarved.
type starved struct{}

func (starved) Error() string        { return "starved" }
func (starved) Is(target error) bool { return target == ErrUnavailable }

// Job asks for one run of one loaded inspector.
type Job struct {
	Name    string
	Timeout time.Duration
	// Shown says that the samples are only shown, and not stored: a second
	// instance of the script makes the run.
	Shown bool
}

// Outcome is how one run ended. It may have both samples and an error.
type Outcome struct {
	Name     string
	Start    time.Time     // the time that the samples carry
	Duration time.Duration // wall time inside the process that ran it
	// CPU is the processor time of the thread that ran it, or 0 if that is not
	// measured; see inspectors.Budget. If a run was given up and continues, the
	// outcomes of the runs that wait for it have the time that it has taken since.
	CPU time.Duration
	// Starved is how much of Duration its process was kept from working, as far as
	// it knows.
	Starved time.Duration
	Samples []inspectors.Sample
	Err     error // nil if the run was good
}
