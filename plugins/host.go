package plugins

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/plugins/internal/link"
	pb "github.com/vedettehq/vedette/plugins/proto"
)

// hostKind says what kind of process runs an inspector. The values are those of
// State.Host.
type hostKind string

const (
	hostShared hostKind = "shared" // the script host of all scripts that behave
	hostOwn    hostKind = "own"    // a script host for one script alone
	hostPlugin hostKind = "plugin" // an external plugin
)

// host is a set of members and the one process that runs them. The process is
// started again when it dies and replaced when it leaks.
type host struct {
	pool *Pool
	kind hostKind
	spec spec
	op   chan struct{} // holds a token while nobody changes the process or the members

	loads int // guarded by Pool.mu: current loads, which keep the host alive

	mu        sync.Mutex
	members   map[string]*member // guarded by mu, like all below
	lastSlot  uint32
	process   *process      // nil while there is none
	ready     chan struct{} // closed while there is a process, or when the host is stopped
	stopped   bool
	lastErr   error     // why there is no process
	retryAt   time.Time // when the process is started again
	failures  int       // consecutive deaths and failed starts
	replacing bool      // a replacement has been ordered

	missing   map[string]bool // members that the process does not know
	remedying bool            // remedy is running
}

// member is one inspector of a host.
type member struct {
	def   inspectors.Definition
	rev   string // of def
	slot  uint32 // in the flight recorder of every process of the host
	stuck int    // consecutive jobs that found an earlier run unfinished; guarded by host.mu
}

var errStopped = fmt.Errorf("%w: its process is being stopped", ErrUnavailable)

func newHost(p *Pool, s spec) *host {
	h := &host{
		pool: p, kind: s.kind, spec: s,
		op:      make(chan struct{}, 1),
		members: make(map[string]*member),
		ready:   make(chan struct{}),
	}
	h.op <- struct{}{}
	return h
}

// lock makes the caller the only one who may change the process and the members.
func (h *host) lock(ctx context.Context) (unlock func(), err error) {
	select {
	case <-h.op:
		return func() { h.op <- struct{}{} }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, ctx.Err())
	}
}

// load adds an inspector to the host, or replaces the one of its name. If the new
// one cannot be loaded, the old one stays.
func (h *host) load(ctx context.Context, d inspectors.Definition, revision string) error {
	unlock, err := h.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	p, err := h.ensure(ctx)
	if err != nil {
		return err
	}
	m := &member{def: d, rev: revision, slot: h.newSlot()}
	if err := h.settle(ctx, p, m); err != nil {
		if errors.Is(err, errBuilding) {
			h.replace(nil, "the load of "+d.Name+" does not end")
		}
		return err
	}
	h.mu.Lock()
	h.members[d.Name] = m
	h.mu.Unlock()
	p.assign(m.slot, suspect{name: d.Name})
	return nil
}

// settle makes a member known to a process.
func (h *host) settle(ctx context.Context, p *process, m *member) error {
	if h.kind == hostPlugin {
		if _, err := choose(m.def.Name, p.offered); err != nil {
			return fmt.Errorf("cannot use %s: %w", h.spec.what, err)
		}
		p.assign(m.slot, suspect{name: m.def.Name})
		return nil
	}
	ctx, cancel := h.pool.within(ctx, p.pid, h.pool.tuning.load)
	defer cancel()
	return p.load(ctx, m)
}

// choose picks the inspector that a definition means: the one of its name, or the
// only one.
func choose(name string, offered []string) (string, error) {
	switch {
	case slices.Contains(offered, name):
		return name, nil
	case len(offered) == 1:
		return offered[0], nil
	case len(offered) == 0:
		return "", errors.New("it offers no inspector")
	}
	return "", fmt.Errorf("it offers no inspector %q; name yours one of %s", name, strings.Join(offered, ", "))
}

// ensure returns the process, and starts it if there is none. The caller has
// locked the host.
func (h *host) ensure(ctx context.Context) (*process, error) {
	h.mu.Lock()
	p, stopped, again, last := h.process, h.stopped, time.Until(h.retryAt), h.lastErr
	h.mu.Unlock()
	switch {
	case stopped:
		return nil, errStopped
	case p != nil:
		return p, nil
	case again > 0:
		return nil, fmt.Errorf("%w: %s starts again in %v: %w", ErrUnavailable, h.spec.what, again.Round(time.Millisecond), last)
	}
	p, err := h.fresh(ctx)
	if err != nil {
		return nil, err
	}
	return p, h.publish(p)
}

func (h *host) start(ctx context.Context) (*process, error) {
	s := h.spec
	sockets, err := h.pool.sockets()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	s.sockets = sockets
	if !h.pool.reserve() {
		return nil, ErrClosed
	}
	p, err := startProcess(ctx, h.pool, &s, hooks{
		ended:    h.ended,
		released: h.pool.disown,
		output:   h.pool.output,
		warn:     func(limit string) { h.pool.warnOnce(string(h.kind), limit) },
		isolated: h.pool.isolated,
		health:   h.health,
		swollen:  h.relieve,
		outdated: h.outdated,
	})
	if err != nil {
		h.pool.work.Done()
		return nil, err
	}
	if !h.pool.adopt(p) {
		p.stop()
		return nil, ErrClosed
	}
	return p, nil
}

// publish makes p the process of the host. If p is dead already or the host is
// stopped, it cleans up p instead.
func (h *host) publish(p *process) error {
	h.mu.Lock()
	exited := false
	select {
	case <-p.child.exited:
		exited = true
	default:
	}
	stopped := h.stopped
	if !exited && !stopped {
		h.process, h.lastErr = p, nil
		p.published = true
		for _, name := range p.unsettled {
			h.missLocked(name)
		}
		closeOnce(h.ready)
		h.mu.Unlock()
		h.beginRemedy()
		return nil
	}
	h.mu.Unlock()
	p.stop()
	if stopped {
		return errStopped
	}
	return fmt.Errorf("%w: %w: %s", ErrUnavailable, errDiedEarly, p.death.reason)
}

// acquire returns the process. If one is being started, it waits for at most a
// while.
func (h *host) acquire(ctx context.Context, while time.Duration) (*process, error) {
	until := time.Now().Add(while)
	timer := time.NewTimer(max(while, 0))
	defer timer.Stop()
	for {
		h.mu.Lock()
		p, ready, again, last, stopped := h.process, h.ready, h.retryAt, h.lastErr, h.stopped
		h.mu.Unlock()
		switch {
		case stopped:
			return nil, errStopped
		case p != nil:
			return p, nil
		case last != nil && again.After(until):
			return nil, fmt.Errorf("%w: %s starts again in %v: %w", ErrUnavailable, h.spec.what, time.Until(again).Round(time.Millisecond), last)
		}
		select {
		case <-ready:
		case <-timer.C:
			return nil, errors.Join(fmt.Errorf("%w: %s is not ready", ErrUnavailable, h.spec.what), last)
		case <-ctx.Done():
			return nil, fmt.Errorf("%w: %w", ErrUnavailable, context.Cause(ctx))
		}
	}
}

// run runs tasks and reports the outcome of each. It returns those that it could
// not run because the host is stopped or their inspector has moved: those have a
// new home.
func (h *host) run(ctx context.Context, tasks []*task, report func(*task, Outcome)) (strays []*task) {
	for len(tasks) > 0 {
		p, err := h.acquire(ctx, longest(tasks))
		if errors.Is(err, errStopped) {
			return append(strays, tasks...)
		}
		if err != nil {
			fail(tasks, err, report)
			return strays
		}
		var members map[*task]*member
		var gone []*task
		tasks, gone, members = h.prepare(tasks, report)
		if strays = append(strays, gone...); len(tasks) == 0 {
			return strays
		}
		b := &batch{report: report, heard: h.heard, moved: h.moved}
		rest, d, err := p.run(ctx, tasks, members, b)
		strays = append(strays, b.strays...)
		switch {
		case errors.Is(err, errRetired): // the next one is there already
			tasks = rest
		case err != nil:
			fail(rest, err, report)
			return strays
		case d == nil:
			return strays
		default:
			tasks = survivors(rest, d, report)
		}
	}
	return strays
}

// moved reports whether an inspector has another home now.
func (h *host) moved(name string) bool {
	h.pool.mu.Lock()
	defer h.pool.mu.Unlock()
	e := h.pool.entries[name]
	return e != nil && e.home != h
}

// survivors reports the outcomes of the tasks that are to blame for a death, and
// of those that a second death hit. It returns the others.
func survivors(tasks []*task, d *death, report func(*task, Outcome)) []*task {
	var rest []*task
	for _, t := range tasks {
		switch {
		case d.expected:
			fail([]*task{t}, fmt.Errorf("%w: its process was stopped", ErrUnavailable), report)
		case d.suspects[suspect{name: t.job.Name}]:
			err := fmt.Errorf("%w: %s", ErrCrashed, d.reason)
			fail([]*task{t}, err, report)
		case t.crashed:
			fail([]*task{t}, fmt.Errorf("%w: the process died twice: %s", ErrUnavailable, d.reason), report)
		default:
			t.crashed = true
			rest = append(rest, t)
		}
	}
	return rest
}

// prepare pairs tasks with their members, reports those that cannot run, and
// returns those whose inspector has moved separately.
func (h *host) prepare(tasks []*task, report func(*task, Outcome)) (fit, gone []*task, members map[*task]*member) {
	members = make(map[*task]*member, len(tasks))
	var late, unknown []*task
	h.mu.Lock()
	for _, t := range tasks {
		m := h.members[t.job.Name]
		switch {
		case m == nil:
			unknown = append(unknown, t)
		case t.left() <= t.job.Timeout/10:
			late = append(late, t)
		default:
			fit = append(fit, t)
			members[t] = m
		}
	}
	h.mu.Unlock()
	unknown = slices.DeleteFunc(unknown, func(t *task) bool {
		moved := h.moved(t.job.Name)
		if moved {
			gone = append(gone, t)
		}
		return moved
	})
	fail(unknown, fmt.Errorf("%w: it was taken away", ErrNotLoaded), report)
	fail(late, fmt.Errorf("%w: its process was not ready in time", ErrUnavailable), report)
	return fit, gone, members
}

func fail(tasks []*task, err error, report func(*task, Outcome)) {
	for _, t := range tasks {
		report(t, Outcome{Name: t.job.Name, Start: t.asked, Duration: time.Since(t.asked), Err: err})
	}
}

func longest(tasks []*task) time.Duration {
	var most time.Duration
	for _, t := range tasks {
		most = max(most, t.left())
	}
	return most
}

// heard counts consecutive jobs of one inspector that found an earlier run
// unfinished. If that goes on, the process is replaced, unless the host is
// starved, because then no run ends in time. If the process does not know the
// inspector, it is loaded again.
func (h *host) heard(name string, s pb.Status) {
	starved := h.pool.Starvation().Reason(time.Now()) != ""
	h.mu.Lock()
	m := h.members[name]
	if m == nil {
		h.mu.Unlock()
		return
	}
	switch {
	case s == pb.Status_STATUS_NOT_LOADED && h.kind != hostPlugin:
		h.missLocked(name)
	case s != pb.Status_STATUS_STUCK || starved:
		m.stuck = 0
	default:
		m.stuck++
	}
	p, enough := h.process, m.stuck >= h.pool.tuning.stuck
	h.mu.Unlock()
	if enough && p != nil {
		h.replace(p, fmt.Sprintf("a run of %s does not end", name))
	}
	if s == pb.Status_STATUS_NOT_LOADED {
		h.beginRemedy()
	}
}

// unload removes an inspector.
func (h *host) unload(name string) {
	h.mu.Lock()
	delete(h.members, name)
	p := h.process
	h.mu.Unlock()
	if h.kind != hostPlugin && p != nil {
		h.pool.background(func(ctx context.Context) { h.forget(ctx, name) })
	}
}

// holds reports whether the member of a name has a revision.
func (h *host) holds(name, revision string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	m := h.members[name]
	return m != nil && m.rev == revision
}

func (h *host) empty() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.members) == 0
}

// newSlot returns a free slot. A slot that became free is reused as late as
// possible, so that a run of its former owner that still goes on is not mistaken
// for one of the next.
func (h *host) newSlot() uint32 {
	h.mu.Lock()
	defer h.mu.Unlock()
	taken := make(map[uint32]bool, len(h.members))
	for m := range maps.Values(h.members) {
		taken[m.slot] = true
	}
	for range link.Slots {
		h.lastSlot = (h.lastSlot + 1) % link.Slots
		if !taken[h.lastSlot] {
			break
		}
	}
	return h.lastSlot
}
