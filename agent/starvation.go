package agent

import (
	"log/slog"
	"sync"
	"time"

	"github.com/vedettehq/vedette/agent/assignment"
	"github.com/vedettehq/vedette/agent/schedule"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/plugins"
)

// starver is a role that a Runner may have: it knows for how long its processes
// had to wait for a processor.
type starver interface {
	Starvation() *plugins.Starvation
}

// Keys of the series that tell whether the host is starved.
const (
	keyStarved        = assignment.OwnChart + "/host_starved"
	keyStarvedSeconds = assignment.OwnChart + "/host_starved_seconds_total"
)

const (
	// starvedEvery is how often the series tell of a host where nothing changes,
	// and of one that is starved.
	starvedEvery    = 10 * time.Second
	starvedOftenest = time.Second
)

// starvation knows whether this host is starved: whether what measures has to
// wait for a processor, the agent itself and the processes of its runner.
type starvation struct {
	log   *slog.Logger
	gauge *plugins.Starvation // nil where the runner has no processes

	mu     sync.Mutex
	reason string    // guarded by mu, like all below: at the last look
	told   time.Time // when samples told of it
}

func newStarvation(log *slog.Logger, r schedule.Runner) *starvation {
	s := &starvation{log: log}
	if role, ok := r.(starver); ok {
		s.gauge = role.Starvation()
	}
	return s
}

// look returns why the host is starved, or nothing; whether that is another
// answer than before; and, where they are due, the samples that tell of it.
func (s *starvation) look(now time.Time) (reason string, changed bool, samples []inspectors.Sample) {
	if s.gauge == nil {
		return "", false, nil
	}
	reason = s.gauge.Reason(now)
	s.mu.Lock()
	changed = (reason != "") != (s.reason != "")
	s.reason = reason
	every := starvedEvery
	if reason != "" {
		every = starvedOftenest
	}
	tell := changed || now.Sub(s.told) >= every
	if tell {
		s.told = now
	}
	s.mu.Unlock()
	switch {
	case changed && reason != "":
		s.log.Warn("this host is starved; what measures waits, and nobody is blamed for it", "reason", reason)
	case changed:
		s.log.Info("this host is not starved any more", "seconds_in_all", s.gauge.Total().Seconds())
	}
	if !tell {
		return reason, changed, nil
	}
	at, value := now.Truncate(time.Millisecond), 0.0
	if reason != "" {
		value = 1
	}
	return reason, changed, []inspectors.Sample{
		{Key: keyStarved, Time: at, Value: value},
		{Key: keyStarvedSeconds, Kind: inspectors.Counter, Time: at, Value: s.gauge.Total().Seconds()},
	}
}
