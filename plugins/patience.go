package plugins

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/vedettehq/vedette/internal/starve"
)

// The agent waits for its children in their time, not in that of the clock on
// the wall: a child on a busy machine that got three milliseconds of processor
// time in the last second has had three milliseconds to answer. What is counted
// is starve.Look.Had. A child that is wedged wants no processor, or has had
// plenty; one that is starved wants it and has not had it.
//
// A child that somebody stopped is waited for, too, as whoever did it may
// continue it. When that takes too long it is killed and started again, which
// nobody is blamed for.

// lookEvery is how often a child is looked at that is waited for.
const lookEvery = 100 * time.Millisecond

// Why the agent does not wait any longer.
var (
	errHadItsTime = errors.New("it has had its time")
	errStoodStill = errors.New("somebody stopped it and did not continue it")
)

// patience is how long a child is waited for. It is used by one goroutine.
type patience struct {
	watch *starve.Watch
	gauge *starve.Gauge
	had   time.Duration // of the time that it is given
	stood time.Duration // for how long it is stopped
	most  time.Duration // that it may be stopped
}

func (p *Pool) newPatience(pid int) *patience {
	return &patience{watch: starve.NewWatch(pid), gauge: p.starvation, most: p.tuning.standstill}
}

// look looks at the child again, which was meant to happen after a time. It
// returns why it is not worth waiting any longer, or nil: given is the time that
// the child is given.
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
// errHadItsTime as its cause, or has stood still for too long, with
// errStoodStill. pid returns the number of its process, 0 while there is none.
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

// starvedPart says when being kept from working is the reason why something was
// cut off: when it had less than this part of its time.
const starvedPart = 4

// starvedError says that something did not end in its time as its process was
// kept from working, or is nil where that is not the reason.
func starvedError(waited, of time.Duration) error {
	if waited <= of-of/starvedPart || waited <= 0 {
		return nil
	}
	return fmt.Errorf("%w: its process got no processor for %v while it had %v; this machine is busy, or the process was stopped",
		ErrStarved, waited.Round(time.Millisecond), of.Round(time.Millisecond))
}
