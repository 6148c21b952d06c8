// Package lean returns memory to the system that a program needed only to start: garbage on
// its heap, and pages of its program file that it no longer uses. The system caches these
// pages, and they come back when they are needed.
package lean

import (
	"runtime/debug"
	"sync"
	"time"
)

// Percent is how much the heap of a lean program may grow between two garbage
// collections, as in GOGC. The heaps are small, so collecting more often costs
// little, and saves megabytes.
const Percent = 40

// Trim returns memory that is not needed now. It takes some milliseconds.
func Trim() {
	debug.FreeOSMemory()
	trimText()
}

// Trimmer trims once a program has come to rest. The zero value is not usable; a
// nil one does nothing. Its methods may be called from any goroutine.
type Trimmer struct {
	rest time.Duration
	trim func()

	mu    sync.Mutex
	timer *time.Timer // guarded by mu; nil before the first Disturb and after Stop
	over  bool        // guarded by mu
}

// NewTrimmer makes a trimmer that trims after Disturb has not been called for a
// while.
func NewTrimmer(rest time.Duration) *Trimmer { return &Trimmer{rest: rest, trim: Trim} }

// Disturb reports activity that is not permanent.
func (t *Trimmer) Disturb() {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.over:
	case t.timer == nil:
		t.timer = time.AfterFunc(t.rest, t.trim)
	default:
		t.timer.Reset(t.rest)
	}
}

// Stop ends the trimming.
func (t *Trimmer) Stop() {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.over = true
	if t.timer != nil {
		t.timer.Stop()
	}
}
