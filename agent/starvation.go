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

// starver is a role that a Runner may have: it knows how long its processes have
// waited for a processor.
type starver interface {
	Starvation() *plugins.Starvation
}

// Keys of the series that say whether the host is starved.
const (
	keyStarved        = assignment.OwnChart + "/host_starved"
	keyStarvedSeconds = assignment.OwnChart + "/host_starved_seconds_total"
)

const (
	// starvedEvery is how often the series repeat on a host where nothing changes,
	// and on a starved one.
	starvedEvery    = 10 * time.Second
	starvedOftenest = time.Second
)

// starvation knows whether this host is starved: whether the agent itself or the
// processes of its runner have to wait for a processor.
type starvation struct {
	log   *slog.Logger
	gauge *plugins.Starvation // nil if the runner has no processes

	mu     sync.Mutex
	reason string    // guarded by mu, like all below: at the last look
	told   time.Time // when samples last reported it
}

func newStarvation(log *slog.Logger, r schedule.Runner) *starvation {
	s := &starvation{log: log}
	if role, ok := r.(starver); ok {
		s.gauge = role.Starvation()
	}
	return s
}

// look returns why the host is starved, or ""; whether that differs from the last
// answer; and the samples that report it, when they are due.
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
		s.log.Warn("this host is starved: inspectors wait for a processor, and none is blamed for being late", "reason", reason)
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
