package meter

import (
	"time"

	"golang.org/x/sys/unix"
)

// threadClock is the clock that counts the processor time of one thread, which
// every thread of the process may read. Its number is derived from that of the
// thread, see clock_getcpuclockid(3).
type threadClock int32

// ownClock is the clock of the calling thread.
func ownClock() threadClock {
	const perThread, scheduled = 4, 2
	return threadClock(^int32(unix.Gettid())<<3 | perThread | scheduled)
}

// read returns the time of the clock, and false if the thread is gone.
func (c threadClock) read() (time.Duration, bool) {
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(c), &ts); err != nil {
		return 0, false
	}
	return time.Duration(ts.Nano()), true
}
