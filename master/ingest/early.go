package ingest

import (
	"fmt"
	"slices"
	"time"

	"github.com/vedettehq/vedette/rpc/wire"
)

// EarlyError is the error of a report that is ahead of the master's clock. The history
// would take its samples for the newest and all others for late, so it stores none of
// them. The agent keeps the report until its time has come.
type EarlyError struct {
	Ahead time.Duration // of the newest sample
	After time.Duration // to try it again
}

func (e *EarlyError) Error() string {
	return fmt.Sprintf("its newest sample is %s ahead of the master's clock; set the clock of the host", e.Ahead.Round(time.Second))
}

// earlyError returns nil for a report that is not ahead of the clock, or whose agent does
// not tell its own clock: such an agent would not know how to react.
func earlyError(p *wire.ReportParams) error {
	times := p.T
	if p.Ends != nil {
		times = slices.Concat(times, p.Ends.T)
	}
	if p.NowMS == 0 || len(times) == 0 {
		return nil
	}
	ahead := time.Until(time.UnixMilli(slices.Max(times)))
	if ahead <= MaxFuture {
		return nil
	}
	return &EarlyError{Ahead: ahead, After: ahead - MaxFuture}
}

// notKept says why the history does not store the agent's samples now: its clock is wrong
// by more than samples may be. It is "" if the clock is good enough.
func (s *Session) notKept() string {
	late := s.ingest.store.OutOfOrder()
	switch {
	case s.skew > MaxFuture:
		return fmt.Sprintf("its clock is %s ahead of the master's; samples are shown, and its agent keeps them until their time has come; set the clock of the "+
			"host", about(s.skew))
	case -s.skew > late:
		return fmt.Sprintf("its clock is %s behind the master's; samples are shown and not kept, as they seem to be more than %s old; set the clock of the host",
			about(-s.skew), late)
	}
	return ""
}

// about rounds a duration to the minute.
func about(d time.Duration) time.Duration { return d.Round(time.Minute) }
