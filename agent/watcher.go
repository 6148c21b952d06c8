package agent

import (
	"time"

	"github.com/vedettehq/vedette/agent/internal/errtext"

	"github.com/vedettehq/vedette/plugins"
)

// watcher is the agent as the scheduler sees it: an observer of runs.
type watcher struct{ *Agent }

// Ran takes the outcome of a run at a tick of the inspector: its samples are reported.
func (a watcher) Ran(revision string, o plugins.Outcome) {
	if o.Err != nil && a.stopping() {
		a.outbox.Add(o.Samples) // it was cut short, which says nothing about it
		return
	}
	a.owners.claim(&o)
	own := a.track.ran(revision, o)
	_, changed, host := a.starved.look(time.Now())
	if changed {
		a.track.nudge()
	}
	a.outbox.Add(o.Samples, own, host)
	if o.Err != nil {
		a.log.Debug("inspector ended badly", "inspector", o.Name, "reason", errtext.Of(o.Err))
	}
}

// Extra takes the outcome of a boosted run: its samples are shown and not reported.
func (a watcher) Extra(revision string, o plugins.Outcome) {
	if o.Err != nil && a.stopping() {
		return
	}
	a.owners.claim(&o)
	a.track.ranExtra(revision, o)
	a.live.add(o.Samples)
}

// Boosted notes the interval at which the inspector runs.
func (a watcher) Boosted(name string, interval time.Duration) { a.track.boosted(name, interval) }

// Missed counts ticks that passed without a run.
func (a watcher) Missed(name string, n uint64) { a.track.missed(name, n) }

// Overdue notes a run that has no answer long after its timeout.
func (a watcher) Overdue(name, revision string, age time.Duration) {
	reason, changed, host := a.starved.look(time.Now())
	if changed {
		a.track.nudge()
	}
	if len(host) > 0 {
		a.outbox.Add(host)
	}
	a.track.overdue(name, revision, age, reason)
}
