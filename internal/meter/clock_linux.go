package meter

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
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

// threadID is the number of a thread.
type threadID int

func ownID() threadID { return threadID(unix.Gettid()) }

// queued returns how long the thread has waited for a processor since it exists: the second
// number of its schedstat, see Documentation/scheduler/sched-stats.rst of Linux. It returns
// false if the thread is gone or the kernel does not tell.
func (id threadID) queued() (time.Duration, bool) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/schedstat", id))
	if err != nil {
		return 0, false
	}
	fields := bytes.Fields(text)
	if len(fields) != 3 {
		return 0, false
	}
	ns, err := strconv.ParseInt(string(fields[1]), 10, 64)
	return time.Duration(ns), err == nil
}
