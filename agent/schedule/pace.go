package schedule

import (
	"container/heap"
	"errors"
	"slices"
	"time"

	"github.com/vedettehq/vedette/internal/bell"
	"github.com/vedettehq/vedette/plugins"
)

// paceRuns is the number of runs from which the possible pace of an inspector is
// estimated.
const paceRuns = 5

// pace is the schedule of an inspector's extra runs while somebody watches. Its
// runs at its own ticks stay as they are; the extra ones come between them, and a
// tick never waits longer than for the rest of an extra run. The scheduler's mu
// guards it.
type pace struct {
	wanted time.Duration   // 0 if there is no boost
	until  instant         // when the lease of the boost ends
	needs  []time.Duration // the intervals that its last runs could sustain
	last   instant         // when it was last due, or when the boost began
	told   time.Duration   // the interval that the observer knows; 0 for the inspector's own
	owed   bool            // a tick has come during an extra run
	extra  bool            // the current run is an extra one
}

// Boost makes the inspector run at an interval for a time; an interval of 0 ends
// the boost. It reports whether there is such an inspector.
func (s *Scheduler) Boost(name string, interval, lease time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries[name]
	if e == nil {
		return false
	}
	now := s.clock.now()
	if e.pace.wanted == 0 {
		e.pace.last = now
	}
	e.pace.wanted, e.pace.until = interval, now.add(lease)
	s.paceLocked(e, now)
	bell.Ring(s.wake)
	return true
}

// paced returns the interval at which e runs, or 0 if that is its own. It is no
// shorter than the wanted interval, nor than the one that e can sustain.
func (e *entry) paced() time.Duration {
	if e.pace.wanted == 0 {
		return 0
	}
	p := max(e.pace.wanted, (e.pace.need() + fineGrid - time.Microsecond).Truncate(fineGrid))
	if p >= e.interval {
		return 0
	}
	return p
}

// paceLocked sets when e, which is in the queue, is due, and tells the observer if
// its pace has changed. An extra run has to be over, by its timeout, before the
// next tick, so that stored samples do not suffer from samples that are only
// shown.
func (s *Scheduler) paceLocked(e *entry, now instant) {
	if e.pace.wanted > 0 && now >= e.pace.until {
		e.pace.wanted = 0
	}
	p := e.paced()
	e.due = e.base
	switch {
	case e.pace.owed:
		if s.running[e.name] == nil {
			e.due = now
		}
	case p > 0:
		at := s.splay.align(e.pace.last.add(p), fineGrid)
		if at <= now {
			at = s.splay.align(now+1, fineGrid)
		}
		if at.add(min(e.timeout, p)) <= e.base {
			e.due = at
		}
	}
	heap.Fix(&s.queue, e.index)
	if p != e.pace.told {
		s.repaced = append(s.repaced, e.name)
	}
}

// takeRepacedLocked returns the paces that the observer does not know yet.
func (s *Scheduler) takeRepacedLocked() map[string]time.Duration {
	if len(s.repaced) == 0 {
		return nil
	}
	paces := make(map[string]time.Duration, len(s.repaced))
	for _, name := range s.repaced {
		if e := s.entries[name]; e != nil {
			e.pace.told = e.paced()
			paces[name] = e.pace.told
		}
	}
	s.repaced = s.repaced[:0]
	return paces
}

// learn takes account of what a run cost. However fast it should run, an inspector
// is idle for half of the time, and within its own interval it takes no more
// processor time than its budget allows for one run. The median of the last runs
// counts, because a single run may have waited for a busy host. After an extra run
// that timed out, the inspector runs half as fast until others show that it can be
// faster.
func (e *entry) learn(o *plugins.Outcome) {
	if NotRun(o.Err) || errors.Is(o.Err, plugins.ErrQuarantined) {
		return
	}
	if e.pace.extra && errors.Is(o.Err, plugins.ErrTimeout) {
		e.pace.needs = slices.Repeat([]time.Duration{2 * max(e.paced(), fineGrid)}, paceRuns)
		return
	}
	need := max(2*o.Duration, time.Duration(float64(o.CPU)*float64(e.interval)/float64(e.cpu)))
	if len(e.pace.needs) == paceRuns {
		e.pace.needs = slices.Delete(e.pace.needs, 0, 1)
	}
	e.pace.needs = append(e.pace.needs, need)
}

// need is the interval that the inspector can sustain, or 0 if it has not run.
func (p *pace) need() time.Duration {
	if len(p.needs) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(p.needs))
	return sorted[(len(sorted)-1)/2]
}
