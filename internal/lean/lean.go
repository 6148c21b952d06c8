// Package lean gives back to the system what a program needed only to start:
// garbage of its heap, and the pages of its own file that it does not look at any
// more. Those stay in the system's cache, and come back when they are needed.
package lean

import (
	"runtime/debug"
	"sync"
	"time"
)

// Percent is by how much the heap of a lean program may grow between two garbage
// collections, as GOGC says it. The heaps are small: to collect more often costs
// little, and saves megabytes.
const Percent = 40

// Trim gives back what is not needed now. It takes some milliseconds.
func Trim() {
	debug.FreeOSMemory()
	trimText()
}

// Trimmer trims once a program has come to rest. The zero value is not useful; a
// nil one does nothing. Its methods may be called from any goroutine.
type Trimmer struct {
	rest time.Duration
	trim func()

	mu    sync.Mutex
	timer *time.Timer // guarded by mu; nil before the first Disturb and after Stop
	over  bool        // guarded by mu
}

// NewTrimmer makes a trimmer that trims when nobody has disturbed for a while.
func NewTrimmer(rest time.Duration) *Trimmer { return &Trimmer{rest: rest, trim: Trim} }

// Disturb says that the program does something that it does not do all the time.
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

// Stop ends it: nothing is trimmed any more.
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
