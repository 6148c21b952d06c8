package schedule

import (
	"container/heap"
	"errors"
	"slices"
	"time"

	"github.com/vedettehq/vedette/internal/bell"
	"github.com/vedettehq/vedette/plugins"
)

// paceRuns is how many runs tell how fast an inspector can be.
const paceRuns = 5

// pace is how an inspector runs beyond its own interval while somebody watches.
// Its runs at its own ticks stay as they are; the extra ones stand between them,
// and a tick never waits for longer than the rest of an extra run. The
// scheduler's mu guards it.
type pace struct {
	wanted time.Duration   // 0 is no boost
	until  instant         // when the lease of the boost ends
	needs  []time.Duration // the intervals that its last runs could keep up
	last   instant         // when it was due last, or the boost began
	told   time.Duration   // the interval that the observer knows, 0 for none
	owed   bool            // a tick has come while an extra run was going on
	extra  bool            // the run that is going on is one
}

// Boost has the inspector run at an interval for a time, or, with an interval of
// 0, no more than its own. It reports whether there is such an inspector.
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

// paced returns the interval at which e runs, or 0 where that is its own: no
// faster than is wanted and than it can keep up.
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

// paceLocked sets when e, which is in the queue, is due, and has the observer told
// where its pace has changed. An extra run has to be over, by its timeout, before the
// next tick, so that samples that are kept do not suffer from samples that are only
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

// takeRepacedLocked returns the pace of those whose pace the observer does not
// know yet.
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

// learn notes what a run took. However fast it is wanted, an inspector is idle for
// half of the time and takes no more processor time within its own interval than
// its budget has for one run there. What the median of the last runs took counts:
// one that had to wait for a busy host does not say much. After an extra run that
// timed out it is half as fast, until others show better.
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

// need is the interval that the inspector can keep up, 0 where it has not run.
func (p *pace) need() time.Duration {
	if len(p.needs) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(p.needs))
	return sorted[(len(sorted)-1)/2]
}
