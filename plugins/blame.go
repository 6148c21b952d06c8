package plugins

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// blame makes the suspects of a death answer for it: a script leaves the host
// that it killed for one of its own, and is quarantined when it kills that one
// too. reloading says that the process was only being filled with inspectors
// that ran before; else who was being loaded is told by the error of its load.
func (p *Pool) blame(h *host, d *death, reloading bool) {
	accused := make(map[string]bool)
	for s := range d.suspects {
		if !s.loading || reloading {
			accused[s.name] = true
		}
	}
	if h.kind == hostOwn && d.crash { // who else
		accused[h.spec.name] = true
	}
	if len(accused) == 0 {
		p.log.Error("a process died; no inspector is to blame", "process", h.spec.what, "inspectors", h.names(), "reason", d.reason)
	}
	for name := range accused {
		p.accuse(h, name, d.reason)
	}
}

// accuse makes one inspector answer for the death of a process of h.
func (p *Pool) accuse(h *host, name, reason string) {
	p.mu.Lock()
	e := p.entries[name]
	if e == nil || e.home != h || p.closed {
		p.mu.Unlock()
		return
	}
	e.crashes++
	e.strikes++
	e.reason = reason
	log := p.log.With("inspector", name, "reason", reason)
	switch h.kind {
	case hostPlugin:
		p.mu.Unlock()
		log.Error("an inspector crashed its plugin", "process", h.spec.what)
	case hostOwn:
		e.quarantined, e.home = true, nil
		p.mu.Unlock()
		h.stop()
		log.Error("an inspector crashed its own script host too and is quarantined; load a new revision to run it again")
	default:
		e.trial = p.tuning.trial << min(4*(e.strikes-1), 16)
		own := newHost(p, p.scriptSpec(hostOwn, name))
		own.members[name] = &member{def: e.def, rev: e.revision, slot: own.newSlot()}
		e.home = own
		trial := e.trial
		p.mu.Unlock()
		log.Error("an inspector crashed the script host and runs in one of its own from now on", "good_runs_to_return", trial)
		h.unload(name)
		p.tidy(h)
		p.background(own.revive)
	}
}

// quarantineError tells why an inspector is not run.
func quarantineError(e *entry) error {
	return fmt.Errorf("%w: it crashed %d script hosts, the last time: %s; load a new revision to run it again", ErrQuarantined, e.strikes, e.reason)
}

// ran is told of the outcome of every run. An inspector that behaved for long
// enough in its own host goes back to the others.
func (p *Pool) ran(o Outcome) {
	for _, bad := range []error{ErrTimeout, ErrCrashed, ErrUnavailable, ErrNotLoaded, ErrClosed} {
		if errors.Is(o.Err, bad) {
			return
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	e := p.entries[o.Name]
	if e == nil || e.home == nil || e.home.kind != hostOwn || e.returning {
		return
	}
	if e.trial--; e.trial > 0 {
		return
	}
	e.returning = true
	p.backgroundLocked(func(ctx context.Context) { p.bringBack(ctx, e) })
}

// bringBack moves an inspector from its own host to the shared one.
func (p *Pool) bringBack(ctx context.Context, e *entry) {
	unlock, err := p.names.lock(ctx, e.def.Name)
	if err != nil {
		return
	}
	defer unlock()
	p.mu.Lock()
	name, d, own := e.def.Name, e.def, e.home
	if p.entries[name] != e || own == nil || p.closed {
		p.mu.Unlock()
		return
	}
	h := p.hostLocked(d)
	h.loads++
	p.mu.Unlock()
	defer p.letGo(h)
	err = h.load(ctx, d, e.revision)

	p.mu.Lock()
	e.returning = false
	e.trial = p.tuning.trial
	moved := err == nil && e.home == own && h.holds(name, e.revision)
	if moved {
		e.home = h
	}
	p.mu.Unlock()
	switch {
	case moved:
		own.stop()
		p.log.Info("an inspector behaved and shares the script host again", "inspector", name)
	case err == nil:
		h.unload(name) // it crashed meanwhile
	default:
		p.log.Warn("an inspector cannot be moved back to the shared script host", "inspector", name, "reason", err)
	}
}

// Run runs each job once and calls done with the outcome of each, one call at a
// time. It returns when every job had its outcome. Several calls of Run may be
// under way at once; a name should be in one of them only.
//
// A job's timeout counts from its start in the child. Runs that wait for a
// process that is being started wait for at most their timeout. When ctx ends,
// runs are cut off and end with ErrUnavailable.
func (p *Pool) Run(ctx context.Context, jobs []Job, done func(Outcome)) {
	var mu sync.Mutex
	report := func(_ *task, o Outcome) {
		if p.isClosed() && errors.Is(o.Err, ErrUnavailable) {
			o.Err = errors.Join(ErrClosed, o.Err)
		}
		p.ran(o)
		mu.Lock()
		defer mu.Unlock()
		done(o)
	}
	tasks := make([]*task, len(jobs))
	now := time.Now()
	for i, job := range jobs {
		tasks[i] = &task{job: job, asked: now}
	}
	for range maxRoutes {
		tasks = p.dispatch(ctx, tasks, report)
	}
	fail(tasks, errStopped, report)
}

// maxRoutes is how often a task follows an inspector that moves.
const maxRoutes = 3

// dispatch runs tasks, each where its inspector lives, and returns those whose
// inspector moved away meanwhile.
func (p *Pool) dispatch(ctx context.Context, tasks []*task, report func(*task, Outcome)) []*task {
	if len(tasks) == 0 {
		return nil
	}
	groups := p.route(tasks, report)
	var mu sync.Mutex
	var strays []*task
	var wg sync.WaitGroup
	for h, group := range groups {
		run := func() {
			left := h.run(ctx, group, report)
			mu.Lock()
			defer mu.Unlock()
			strays = append(strays, left...)
		}
		if len(groups) == 1 {
			run()
			continue
		}
		wg.Go(run)
	}
	wg.Wait()
	return strays
}

// route sorts tasks by the home of their inspectors, and reports those that
// have none.
func (p *Pool) route(tasks []*task, report func(*task, Outcome)) map[*host][]*task {
	groups := make(map[*host][]*task)
	refused := make(map[*task]error)
	p.mu.Lock()
	for _, t := range tasks {
		e := p.entries[t.job.Name]
		switch {
		case p.closed:
			refused[t] = ErrClosed
		case e == nil:
			refused[t] = ErrNotLoaded
		case e.quarantined:
			refused[t] = quarantineError(e)
		default:
			groups[e.home] = append(groups[e.home], t)
		}
	}
	p.mu.Unlock()
	for t, err := range refused {
		fail([]*task{t}, err, report)
	}
	return groups
}
