package starve

import "time"

// want says what the threads of a process want; the most urgent one counts.
type want int

const (
	idle    want = iota // nothing
	waits               // a disk
	runs                // a processor
	stopped             // to be continued
)

// Watch follows one process, from one look to the next. It is used by one
// goroutine.
type Watch struct {
	pid  int // 0 while unknown
	cpu  time.Duration
	last time.Time
	seen bool // cpu is set
}

// Look is what was seen of a process since the previous look.
type Look struct {
	// Passed is the time since then.
	Passed time.Duration
	// Had is how much of it the process could have worked in: all of it if it
	// wants nothing, and the time that the kernel gave it if it wants a processor.
	Had time.Duration
	// Stopped says that somebody has stopped it.
	Stopped bool
	// From is the time of the previous look.
	From time.Time
}

// NewWatch begins to follow a process. pid may be 0 while there is none.
func NewWatch(pid int) *Watch {
	w := &Watch{pid: pid, last: time.Now()}
	if pid != 0 {
		_, w.cpu, w.seen = look(pid)
	}
	return w
}

// slowDisk is the factor by which time counts less while a process waits for a
// disk.
const slowDisk = 10

// Look looks again. due is the time after which the look was meant to happen: any
// more is the caller's own lateness, in which it could not have seen an answer.
// pid is the process id, if it was not known before.
func (w *Watch) Look(pid int, due time.Duration) Look {
	now := time.Now()
	l := Look{Passed: now.Sub(w.last), From: w.last}
	w.last = now
	own := min(l.Passed, due)
	if w.pid == 0 {
		w.pid = pid
	}
	wants, cpu, ok := look(w.pid)
	used, known := cpu-w.cpu, w.seen && ok
	w.cpu, w.seen = cpu, ok
	switch {
	case !known:
		l.Had = own
	case wants == stopped:
		l.Stopped = true
		l.Had = min(used, own)
	case wants == runs:
		l.Had = min(used, own)
	case wants == waits:
		l.Had = max(min(used, own), own/slowDisk)
	default:
		l.Had = own
	}
	return l
}
