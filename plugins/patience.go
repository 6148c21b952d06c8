package plugins

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/vedettehq/vedette/internal/starve"
)

// The agent waits for its children in their time, not in that of the clock on the
// wall: a child that got three milliseconds of processor time in the last second,
// on a busy machine, has had three milliseconds to answer. The measure is
// starve.Look.Had. A child that hangs wants no processor, or has had plenty; one
// that is starved wants it and has not had it.
//
// A child that somebody stopped is also waited for, because it may be continued.
// If that takes too long it is killed and started again, and nobody is blamed.

// lookEvery is how often a child is checked while the agent waits for it.
const lookEvery = 100 * time.Millisecond

// Reasons to stop waiting.
var (
	errHadItsTime = errors.New("it has had its time")
	errStoodStill = errors.New("somebody stopped it and did not continue it")
)

// patience measures how long to wait for a child. It is used by one goroutine.
type patience struct {
	watch *starve.Watch
	gauge *starve.Gauge
	had   time.Duration // how much of its time it has had
	stood time.Duration // how long it has been stopped
	most  time.Duration // how long it may be stopped
}

func (p *Pool) newPatience(pid int) *patience {
	return &patience{watch: starve.NewWatch(pid), gauge: p.starvation, most: p.tuning.standstill}
}

// look checks the child again; after is the time that was meant to pass since the
// last check. given is the time that the child is given. It returns why waiting
// longer is pointless, or nil.
func (w *patience) look(pid int, after, given time.Duration) error {
	l := w.watch.Look(pid, after)
	w.had += l.Had
	if lost := l.Passed - l.Had; lost > lookEvery/2 {
		w.gauge.Add(l.From.Add(l.Had), l.From.Add(l.Passed))
	}
	if w.stood += min(l.Passed, after); !l.Stopped {
		w.stood = 0
	}
	switch {
	case w.had >= given:
		return errHadItsTime
	case w.stood >= w.most:
		return errStoodStill
	}
	return nil
}

// within returns a context that ends when a child has had so much time, with
// errHadItsTime as its cause, or when it has stood still for too long, with
// errStoodStill. pid returns its process id, or 0 while there is none.
func (p *Pool) within(ctx context.Context, pid func() int, given time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	every := min(lookEvery, given)
	w := p.newPatience(pid())
	var mu sync.Mutex
	over := false
	var timer *time.Timer
	mu.Lock()
	defer mu.Unlock()
	timer = time.AfterFunc(every, func() {
		mu.Lock()
		defer mu.Unlock()
		if over {
			return
		}
		if err := w.look(pid(), every, given); err != nil {
			cancel(err)
			return
		}
		timer.Reset(every)
	})
	return ctx, func() {
		mu.Lock()
		defer mu.Unlock()
		over = true
		timer.Stop()
		cancel(context.Canceled)
	}
}

// starvedPart decides when starvation is the reason why something was cut off:
// when it had less than this part of its time.
const starvedPart = 2

// starvedError says that something did not end in its time because its process was
// kept from working, or returns nil if that is not the reason.
func starvedError(waited, of time.Duration) error {
	if waited <= of-of/starvedPart || waited <= 0 {
		return nil
	}
	return fmt.Errorf("%w: its process got no processor for %v while it had %v; this machine is busy, or the process was stopped",
		ErrStarved, waited.Round(time.Millisecond), of.Round(time.Millisecond))
}
