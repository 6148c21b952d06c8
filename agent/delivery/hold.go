package delivery

import (
	"slices"
	"time"

	"github.com/vedettehq/vedette/internal/bell"
)

// heldInMemory is how long a report that is ahead of the master's clock stays in
// memory before it goes to the disk, where it is joined with its neighbours. While
// the clock is wrong, about that much is lost if the agent is killed.
const heldInMemory = 10 * time.Second

// later is a report on the disk that must not be given out before a time.
type later struct {
	id    uint64
	until time.Time
}

// holdLocked keeps a report that is in no queue and must not be sent before a
// time. The master has taken nothing of it, so if it is in memory alone it no
// longer needs its number.
func (o *Outbox) holdLocked(r *Report, until time.Time) {
	if r.id != 0 {
		o.disk.later = append(o.disk.later, later{r.id, until})
		o.disk.out--
		bell.Ring(o.wake)
		return
	}
	r.seq, r.boot, r.notBefore = 0, "", until
	o.held = append(o.held, r)
	bell.Ring(o.bell)
}

// releaseHeldLocked puts held reports whose time has come behind the backlog. It
// returns how long the next one has to wait, or 0 if there is none.
func (o *Outbox) releaseHeldLocked(now time.Time) (wait time.Duration) {
	o.held = slices.DeleteFunc(o.held, func(r *Report) bool {
		left := r.notBefore.Sub(now)
		if left <= 0 {
			o.backlog.put(r)
			return true
		}
		if wait == 0 || left < wait {
			wait = left
		}
		return false
	})
	return wait
}

// takeHeldLocked takes out the held reports that should go to the disk.
func (o *Outbox) takeHeldLocked(all bool, now time.Time) (taken []*Report) {
	o.held = slices.DeleteFunc(o.held, func(r *Report) bool {
		if !all && now.Sub(r.made) < heldInMemory {
			return false
		}
		taken = append(taken, r)
		return true
	})
	return taken
}

// takeLater returns, once, the reports on the disk that the store is to hold back.
func (o *Outbox) takeLater() []later {
	o.mu.Lock()
	defer o.mu.Unlock()
	list := o.disk.later
	o.disk.later = nil
	return list
}
