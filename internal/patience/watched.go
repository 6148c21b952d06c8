package patience

import (
	"sync"
	"testing"
	"time"
)

// Watched is a lock over state that other goroutines change while a test waits for
// it, such as that of a fake server. Its zero value is ready.
type Watched struct {
	sync.Mutex
	changed chan struct{} // closed at the next change; nil while nobody waits
}

// Change calls f with the lock held, and wakes those who wait.
func (w *Watched) Change(f func()) {
	w.Lock()
	defer w.Unlock()
	f()
	if w.changed != nil {
		close(w.changed)
		w.changed = nil
	}
}

// Await waits until ok, which is called with the lock held, returns true after a
// change, and fails the test at once if that never happens. Only the goroutine of
// the test may call it.
func (w *Watched) Await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.NewTimer(Limit)
	defer deadline.Stop()
	for {
		w.Lock()
		if ok() {
			w.Unlock()
			return
		}
		if w.changed == nil {
			w.changed = make(chan struct{})
		}
		changed := w.changed
		w.Unlock()
		select {
		case <-changed:
		case <-deadline.C:
			fail(t, t.Fatalf, what)
		}
	}
}
