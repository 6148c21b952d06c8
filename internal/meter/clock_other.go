//go:build !linux

package meter

import "time"

// threadClock would be the clock of one thread. Systems other than Linux do not
// let another thread read it, so processor time is not measured there.
type threadClock struct{}

func ownClock() threadClock { return threadClock{} }

func (threadClock) read() (time.Duration, bool) { return 0, false }

// threadID would be the number of a thread.
type threadID struct{}

func ownID() threadID { return threadID{} }

// queued would be how long the thread has waited for a processor.
func (threadID) queued() (time.Duration, bool) { return 0, false }
