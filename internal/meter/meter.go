// Package meter measures how much of its process one run of one inspector takes,
// and cuts the run off when that is more than its budget.
//
// Processor time is that of the thread that runs the inspector: its caller ties
// the goroutine to its thread for the run, see Attach, and the kernel counts.
// Goroutines that a library starts are not included, and neither is the garbage
// collector's work on other threads. Time that another process takes for the run
// is charged to it, see Charge.
//
// The heap belongs to the whole process, so its growth belongs to a run only while
// no other run is in progress; otherwise no run is cut off for it, and the limits
// of the process apply.
package meter

import (
	"context"
	"fmt"
	"runtime"
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"time"
)

// Limits are the budget of one run. A zero field sets no bound.
type Limits struct {
	CPU    time.Duration
	Heap   int64 // bytes by which the run may make the heap grow
	Output int64 // bytes of samples and printed text
}

// The limits that can be exceeded.
const (
	CPU    = "cpu"
	Heap   = "heap"
	Output = "output"
)

// Excess says which limit was exceeded, and by how much. CPU is counted in
// nanoseconds, the others in bytes.
type Excess struct {
	What          string
	Used, Allowed int64
}

func (e *Excess) Error() string {
	if e.What == CPU {
		return fmt.Sprintf("cpu %v of %v", time.Duration(e.Used).Round(time.Millisecond), time.Duration(e.Allowed))
	}
	return fmt.Sprintf("%s %d of %d bytes", e.What, e.Used, e.Allowed)
}

// every is how often a long run is checked.
const every = 50 * time.Millisecond

// Meter measures one run. A nil Meter measures nothing and bounds nothing. Its
// methods may be called from any goroutine.
type Meter struct {
	limits Limits
	alone  func() bool
	cut    func(*Excess)
	base   uint64 // size of the heap before the run
	output atomic.Int64

	mu      sync.Mutex
	threads map[*thread]struct{} // guarded by mu, like all below: attached
	left    time.Duration        // of detached threads
	queued  time.Duration        // how long detached threads waited for a processor
	taken   time.Duration        // what Take has returned so far
	excess  *Excess              // the first
	timer   *time.Timer          // nil before Start and after Stop
	due     time.Time            // time of the next look, while timer is set
	waited  time.Duration        // how late looks came
}

// thread is one thread that works for the run.
type thread struct {
	clock threadClock
	from  time.Duration // its clock when it was attached
	last  time.Duration // its clock when it was last read

	queue queue // how long it waited for a processor, as the kernel counts it
}

// queue counts how long a thread waited for a processor that others had. It is first read
// when a run has lasted for a while, because most runs are shorter and should not pay for it.
type queue struct {
	thread threadID
	known  bool          // from and last are set
	from   time.Duration // the kernel's count at the first reading
	last   time.Duration // and at the last
}

func (q *queue) read() {
	now, ok := q.thread.queued()
	if !ok {
		return
	}
	if !q.known {
		q.known, q.from = true, now
	}
	q.last = max(q.last, now)
}

// New makes the meter of a run. alone reports whether no other run is in progress
// in the process. cut is called once when a limit is exceeded, from any goroutine,
// and must not block.
func New(limits Limits, alone func() bool, cut func(*Excess)) *Meter {
	return &Meter{limits: limits, alone: alone, cut: cut, threads: make(map[*thread]struct{})}
}

// Start begins to check the run now and then, until Stop.
func (m *Meter) Start() {
	m.base = HeapAfterGC()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.due = time.Now().Add(every)
	m.timer = time.AfterFunc(every, m.look)
}

// Stop ends the checks.
func (m *Meter) Stop() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.timer != nil {
		m.timer.Stop()
		m.waited += m.overdueLocked()
		m.timer = nil
	}
}

// unpunctual is how late a look may come on a machine that is not busy: other
// goroutines of the process have their turns before it.
const unpunctual = 50 * time.Millisecond

// overdueLocked is how late the next look is, or 0 if it is about on time.
func (m *Meter) overdueLocked() time.Duration {
	if late := time.Since(m.due); m.timer != nil && late > unpunctual {
		return late
	}
	return 0
}

// Starved returns how long, since Start, the run was kept from working although it
// had something to do: its process was stopped, or its threads got no processor. On
// a busy machine a thread waits again and again, each time too briefly for a look to
// be late, so what the kernel counts is looked at, too. Both often mean the same
// wait, so the longer one counts.
func (m *Meter) Starved() time.Duration {
	if m == nil {
		return 0
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return max(m.waited+m.overdueLocked(), m.queuedLocked())
}

// queuedLocked is how long the threads of the run waited for a processor.
func (m *Meter) queuedLocked() time.Duration {
	sum := m.queued
	for t := range m.threads {
		if t.queue.known {
			t.queue.read()
		}
		sum += t.queue.last - t.queue.from
	}
	return sum
}

// look checks the limits that nothing else checks.
func (m *Meter) look() {
	m.mu.Lock()
	m.waited += m.overdueLocked()
	m.due = time.Now().Add(every) // until the time is known
	for t := range m.threads {
		t.queue.read()
	}
	m.mu.Unlock()
	if e := m.check(); e != nil {
		m.exceed(e)
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.timer == nil {
		return
	}
	next := every
	if m.limits.CPU > 0 { // the earliest time at which the limit can be reached
		next = min(next, max(m.limits.CPU-m.sumLocked(), time.Millisecond))
	}
	m.due = time.Now().Add(next)
	m.timer.Reset(next)
}

func (m *Meter) check() *Excess {
	m.mu.Lock()
	used := m.sumLocked()
	m.mu.Unlock()
	if m.limits.CPU > 0 && used > m.limits.CPU {
		return &Excess{CPU, int64(used), int64(m.limits.CPU)}
	}
	if m.limits.Heap == 0 || !m.alone() || grown(heapNow(), m.base) <= m.limits.Heap {
		return nil
	}
	runtime.GC() // part of the heap may be garbage
	if held := grown(HeapAfterGC(), m.base); held > m.limits.Heap && m.alone() {
		return &Excess{Heap, held, m.limits.Heap}
	}
	return nil
}

func grown(now, before uint64) int64 { return int64(now) - int64(before) }

func (m *Meter) exceed(e *Excess) {
	m.mu.Lock()
	first := m.excess == nil
	if first {
		m.excess = e
	}
	m.mu.Unlock()
	if first {
		m.cut(e)
	}
}

// Excess returns the limit that was exceeded, or nil.
func (m *Meter) Excess() *Excess {
	if m == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.excess
}

// Yield counts output, and reports whether it is within the limit.
func (m *Meter) Yield(bytes int) bool {
	if m == nil {
		return true
	}
	n := m.output.Add(int64(bytes))
	if m.limits.Output == 0 || n <= m.limits.Output {
		return true
	}
	m.exceed(&Excess{Output, n, m.limits.Output})
	return false
}

// Attach ties the calling goroutine to its thread and counts the thread's
// processor time for the run, until detach is called from the same goroutine.
func (m *Meter) Attach() (detach func()) {
	if m == nil {
		return func() {}
	}
	runtime.LockOSThread()
	t := &thread{clock: ownClock(), queue: queue{thread: ownID()}}
	t.from, _ = t.clock.read()
	t.last = t.from
	m.mu.Lock()
	m.threads[t] = struct{}{}
	m.mu.Unlock()
	return func() {
		m.mu.Lock()
		m.left += t.used()
		if t.queue.known {
			t.queue.read()
		}
		m.queued += t.queue.last - t.queue.from
		delete(m.threads, t)
		m.mu.Unlock()
		runtime.UnlockOSThread()
	}
}

// used is the time that the thread has taken since it was attached. For a thread
// that has ended it is the last known time.
func (t *thread) used() time.Duration {
	if now, ok := t.clock.read(); ok {
		t.last = max(t.last, now)
	}
	return t.last - t.from
}

func (m *Meter) sumLocked() time.Duration {
	sum := m.left
	for t := range m.threads {
		sum += t.used()
	}
	return sum
}

// Charge adds processor time that another process took for the run.
func (m *Meter) Charge(cpu time.Duration) {
	if m == nil || cpu <= 0 {
		return
	}
	m.mu.Lock()
	m.left += cpu
	used := m.sumLocked()
	m.mu.Unlock()
	if m.limits.CPU > 0 && used > m.limits.CPU {
		m.exceed(&Excess{CPU, int64(used), int64(m.limits.CPU)})
	}
}

// Take returns the processor time since the last Take.
func (m *Meter) Take() time.Duration {
	if m == nil {
		return 0
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	sum := m.sumLocked()
	since := sum - m.taken
	m.taken = sum
	return since
}

type contextKey struct{}

// With returns a context that carries m.
func With(ctx context.Context, m *Meter) context.Context {
	return context.WithValue(ctx, contextKey{}, m)
}

// From returns the meter that a context carries, or nil.
func From(ctx context.Context) *Meter {
	m, _ := ctx.Value(contextKey{}).(*Meter)
	return m
}

// HeapAfterGC is the size of this process's heap after its last garbage
// collection, in bytes.
func HeapAfterGC() uint64 { return readMetric("/gc/heap/live:bytes") }

// heapNow is the size of the heap, including garbage.
func heapNow() uint64 { return readMetric("/memory/classes/heap/objects:bytes") }

func readMetric(name string) uint64 {
	sample := []metrics.Sample{{Name: name}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
