package schedule

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/bell"
	"github.com/vedettehq/vedette/plugins"
)

// Windows within which an inspector runs for the first time, however long its
// interval, so that a newcomer sees data at once, and a pushed revision proves
// itself.
const (
	StartWindow = time.Second
	ApplyWindow = 300 * time.Millisecond
)

// overdueGrace is how long after its timeout a run may stay unanswered before the
// scheduler reports it. The runner has its own, shorter grace.
const overdueGrace = 5 * time.Second

// lateTick is how late a tick may come on a machine that is not busy.
const lateTick = 100 * time.Millisecond

// errNoOutcome is the outcome of a job for which the runner returned none.
var errNoOutcome = errors.New("the runner returned without an outcome")

// Observer is told what happens to the scheduled inspectors. Its methods are
// called from many goroutines, never with the scheduler's lock held, and must
// not block.
type Observer interface {
	// Ran is called once for each run that was started. The revision is that of
	// the code with which it was started.
	Ran(revision string, o plugins.Outcome)
	// Extra is called instead of Ran for an extra run: see Scheduler.Boost.
	Extra(revision string, o plugins.Outcome)
	// Missed reports that n ticks passed without a run.
	Missed(name string, n uint64)
	// Overdue reports, at each tick that it missed, that a run has no answer long
	// after its timeout.
	Overdue(name, revision string, age time.Duration)
	// Boosted reports the interval at which the inspector runs from now on; 0 is
	// its own. It is called by one goroutine.
	Boosted(name string, interval time.Duration)
}

// Scheduler starts each inspector at its ticks. Inspectors that are due at the
// same point of the host's grid run in one batch. Batches run beside each other,
// so a slow inspector delays nothing but itself: it stays busy, and its ticks
// count as missed, until its run ends.
type Scheduler struct {
	log    *slog.Logger
	runner Runner
	watch  Observer
	splay  splay
	clock  ticker
	// starved counts how late ticks come, or is nil.
	starved *plugins.Starvation
	// beat, unless nil, is called by the loop at least once in beatEvery; see
	// Beat.
	beat      func()
	beatEvery time.Duration

	wake    chan struct{} // capacity 1: the queue's head may have changed
	batches sync.WaitGroup

	mu      sync.Mutex
	entries map[string]*entry
	running map[string]*entry // busy: entries, or entries that were removed while they ran
	queue   dueQueue
	repaced []string // entries whose pace the observer does not know yet
}

// entry is one scheduled inspector. The scheduler's mu guards it.
type entry struct {
	name     string
	revision string
	interval time.Duration
	timeout  time.Duration
	cpu      time.Duration // the budget of one run

	tick  instant // exact; off the grid if the interval is not a multiple of it
	base  instant // tick, or an early first run, on the grid
	due   instant // base, or an extra run before it
	index int     // in the queue
	pace  pace

	started instant // when the current run started, if it is in running
	ranFor  string  // its revision
}

// New makes the scheduler of a host. starved counts how late ticks come; it may be
// nil.
func New(log *slog.Logger, host string, runner Runner, watch Observer, starved *plugins.Starvation) *Scheduler {
	return &Scheduler{
		log:     log,
		runner:  runner,
		watch:   watch,
		starved: starved,
		splay:   newSplay(host),
		clock:   newTicker(),
		wake:    make(chan struct{}, 1),
		entries: make(map[string]*entry),
		running: make(map[string]*entry),
	}
}

// Beat makes the scheduler's loop call f whenever it has looked for due
// inspectors, and at least once in every; if the loop hangs, the calls stop. Call
// Beat before Run. f must not block.
func (s *Scheduler) Beat(every time.Duration, f func()) { s.beatEvery, s.beat = every, f }

// NotRun reports whether the outcome says that there was no run.
func NotRun(err error) bool {
	return errors.Is(err, plugins.ErrUnavailable) || errors.Is(err, plugins.ErrNotLoaded) ||
		errors.Is(err, plugins.ErrClosed) || errors.Is(err, errNoOutcome)
}

// Due returns when the inspector runs next, by the clock that the scheduler reads,
// or the zero time if it is not scheduled.
func (s *Scheduler) Due(name string) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries[name]
	if e == nil {
		return time.Time{}
	}
	return time.Unix(0, int64(e.due))
}

// Put schedules a loaded inspector, or changes its schedule. Its first run comes
// within the window; after that it runs at its ticks. While a run of its old code
// lasts, no other run begins.
func (s *Scheduler) Put(d inspectors.Definition, window time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries[d.Name]
	if e == nil {
		e = &entry{name: d.Name}
		if busy := s.running[d.Name]; busy != nil {
			*e = *busy // removed and added again before its last run ended
			s.running[d.Name] = e
		}
		e.index = -1
		s.entries[d.Name] = e
	}
	e.revision, e.interval, e.timeout = d.Revision(), d.Interval, d.Timeout
	e.cpu = d.Budget.WithDefaults(d.Interval).CPU
	s.firstLocked(e, min(window, d.Interval))
	if e.index < 0 {
		heap.Push(&s.queue, e)
	}
	if e.pace.wanted > 0 {
		s.repaced = append(s.repaced, e.name) // the observer gets new code first
	}
	s.paceLocked(e, s.clock.now())
	bell.Ring(s.wake)
}

// firstLocked sets the first run of e: its next tick if that is within the window;
// otherwise an extra run within it, and then the first tick that is at least half an
// interval later.
func (s *Scheduler) firstLocked(e *entry, window time.Duration) {
	now := s.clock.now()
	e.tick = s.splay.after(now, e.name, e.interval)
	e.base = s.splay.align(e.tick, gridOf(e.interval))
	if e.base.sub(now) <= window {
		return
	}
	e.base = s.splay.early(now, window)
	next := s.splay.after(e.base.add(e.interval/2), e.name, e.interval)
	e.tick = next.add(-e.interval)
}

// Remove stops scheduling the inspector. A current run continues.
func (s *Scheduler) Remove(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.entries[name]; e != nil {
		delete(s.entries, name)
		heap.Remove(&s.queue, e.index)
	}
}

// Run schedules until ctx ends and every batch has returned.
func (s *Scheduler) Run(ctx context.Context) {
	defer s.batches.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-s.wake:
		}
		wait, more := s.startDue(ctx)
		if !more {
			wait = time.Hour // until woken
		}
		if s.beat != nil {
			s.beat()
			wait = min(wait, s.beatEvery)
		}
		timer.Reset(wait)
	}
}

// startDue starts a batch of the due inspectors and returns the time until
// something is due again.
func (s *Scheduler) startDue(ctx context.Context) (wait time.Duration, more bool) {
	s.mu.Lock()
	now := s.clock.now()
	s.noteLateLocked(now)
	due, late := s.takeDueLocked(now)
	paces := s.takeRepacedLocked()
	if len(s.queue) > 0 {
		wait, more = max(s.queue[0].due.sub(now), 0), true
	}
	s.mu.Unlock()

	for _, l := range late {
		s.watch.Missed(l.name, l.ticks)
		if l.age > 0 {
			s.watch.Overdue(l.name, l.revision, l.age)
		}
	}
	for name, interval := range paces {
		s.watch.Boosted(name, interval)
	}
	if len(due.jobs) > 0 {
		s.batches.Go(func() { s.runBatch(ctx, due) })
	}
	return wait, more
}

// noteLateLocked counts how late the agent itself came to the due inspectors.
func (s *Scheduler) noteLateLocked(now instant) {
	if len(s.queue) == 0 {
		return
	}
	if late := now.sub(s.queue[0].due); late > lateTick {
		at := time.Now()
		s.starved.Add(at.Add(-late), at)
	}
}

// batch is the content of one call of the runner.
type batch struct {
	jobs []plugins.Job
	open map[string]string // jobs without an outcome yet: revision by name
	more map[string]bool   // those of them that are extra runs
}

// lateness is a tick that could not be kept.
type lateness struct {
	name     string
	revision string        // of the current run
	ticks    uint64        // missed, at least 1
	age      time.Duration // of the current run if it is overdue, or 0
}

// takeDueLocked moves every due entry to its next tick or extra run and returns
// those that may run. However late now is, each runs at most once: the ticks in
// between are missed. An extra run that cannot begin does not count.
func (s *Scheduler) takeDueLocked(now instant) (due batch, late []lateness) {
	for len(s.queue) > 0 && s.queue[0].due <= now {
		e := s.queue[0]
		own := e.base <= now || e.pace.owed
		l := lateness{name: e.name, revision: e.ranFor}
		if e.base <= now {
			l.ticks = s.advance(e, now)
		}
		e.pace.last = e.due
		switch busy := s.running[e.name] != nil; {
		case !busy:
			e.pace.owed, e.pace.extra = false, !own
			s.startLocked(e, now, &due)
		case own && e.pace.extra && !e.pace.owed:
			e.pace.owed = true // it runs as soon as the extra run is over
		case own:
			l.ticks++
			if age := now.sub(e.started); age > e.timeout+overdueGrace {
				l.age = age
			}
		}
		if l.ticks > 0 {
			late = append(late, l)
		}
		s.paceLocked(e, now)
	}
	return due, late
}

// startLocked adds a run of e to the batch.
func (s *Scheduler) startLocked(e *entry, now instant, due *batch) {
	s.running[e.name] = e
	e.started, e.ranFor = now, e.revision
	if due.open == nil {
		due.open = make(map[string]string)
	}
	due.open[e.name] = e.revision
	timeout := e.timeout
	if e.pace.extra {
		if due.more == nil {
			due.more = make(map[string]bool)
		}
		due.more[e.name] = true
		timeout = min(timeout, max(e.paced(), fineGrid))
	}
	due.jobs = append(due.jobs, plugins.Job{Name: e.name, Timeout: timeout, Shown: e.pace.extra})
}

// advance moves e to its first tick after now and returns how many it skipped.
func (s *Scheduler) advance(e *entry, now instant) (skipped uint64) {
	e.tick = e.tick.add(e.interval)
	if e.base = s.splay.align(e.tick, gridOf(e.interval)); e.base > now {
		return 0
	}
	n := now.sub(e.tick) / e.interval
	if s.splay.align(e.tick.add(n*e.interval), gridOf(e.interval)) <= now {
		n++
	}
	e.tick = e.tick.add(n * e.interval)
	e.base = s.splay.align(e.tick, gridOf(e.interval))
	return uint64(n)
}

// runBatch runs the batch and makes sure that each job has one outcome.
func (s *Scheduler) runBatch(ctx context.Context, b batch) {
	began := time.Now()
	s.runner.Run(ctx, b.jobs, func(o plugins.Outcome) {
		revision, ok := b.open[o.Name]
		if !ok {
			s.log.Error("the runner gave an outcome that nobody waits for", "inspector", o.Name)
			return
		}
		delete(b.open, o.Name)
		s.finish(revision, b.more[o.Name], o, began)
	})
	for name, revision := range b.open {
		err := errNoOutcome
		if ctx.Err() != nil {
			err = fmt.Errorf("%w: %w", errNoOutcome, ctx.Err())
		}
		s.finish(revision, b.more[name], plugins.Outcome{Name: name, Err: err}, began)
	}
}

// finish reports an outcome, and only then lets the inspector run again, so that
// the outcomes of one inspector are reported in order.
func (s *Scheduler) finish(revision string, extra bool, o plugins.Outcome, began time.Time) {
	if o.Start.IsZero() {
		o.Start = began
	}
	if extra {
		s.watch.Extra(revision, o)
	} else {
		s.watch.Ran(revision, o)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.running[o.Name]
	delete(s.running, o.Name)
	if e == nil {
		return
	}
	e.learn(&o)
	if s.entries[o.Name] == e && (e.pace.wanted > 0 || e.pace.owed) {
		s.paceLocked(e, s.clock.now())
		bell.Ring(s.wake)
	}
}

// dueQueue is a heap of entries, the one that is due first on top.
type dueQueue []*entry

func (q dueQueue) Len() int           { return len(q) }
func (q dueQueue) Less(i, j int) bool { return q[i].due < q[j].due }
func (q dueQueue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].index, q[j].index = i, j
}

// Push appends x, for package heap.
func (q *dueQueue) Push(x any) {
	e := x.(*entry)
	e.index = len(*q)
	*q = append(*q, e)
}

// Pop removes the last, for package heap.
func (q *dueQueue) Pop() any {
	old := *q
	e := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	e.index = -1
	return e
}
