package plugins

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Run runs each job once and calls done with the outcome of each, one call at a
// time. It returns when every job has had its outcome. Several calls of Run may
// overlap; a name should be in only one of them.
//
// A job's timeout counts from its start in the child. Runs that wait for a process
// to start wait for their timeout at most. When ctx ends, runs are cut off and end
// with ErrUnavailable.
func (p *Pool) Run(ctx context.Context, jobs []Job, done func(Outcome)) {
	var mu sync.Mutex
	report := func(_ *task, o Outcome) {
		if p.isClosed() && errors.Is(o.Err, ErrUnavailable) {
			o.Err = errors.Join(ErrClosed, o.Err)
		}
		p.ran(o)
		p.charge(&o)
		p.memory.ended(o.Name)
		mu.Lock()
		defer mu.Unlock()
		done(o)
	}
	tasks := make([]*task, len(jobs))
	now := time.Now()
	for i, job := range jobs {
		tasks[i] = &task{job: job, asked: now}
	}
	var wg sync.WaitGroup
	together, alone := p.memory.split(tasks)
	for _, t := range alone {
		wg.Go(func() { p.runAlone(ctx, t, report) })
	}
	p.memory.began(together)
	p.follow(ctx, together, report)
	wg.Wait()
}

// follow runs tasks wherever their inspectors move.
func (p *Pool) follow(ctx context.Context, tasks []*task, report func(*task, Outcome)) {
	for range maxRoutes {
		tasks = p.dispatch(ctx, tasks, report)
	}
	fail(tasks, errStopped, report)
}

// runAlone runs the task of an inspector that was running when the agent died, at
// a time when no other such inspector runs: if the agent dies again, only one is
// to blame.
func (p *Pool) runAlone(ctx context.Context, t *task, report func(*task, Outcome)) {
	timer := time.NewTimer(t.left())
	defer timer.Stop()
	select {
	case p.suspects <- struct{}{}:
		defer func() { <-p.suspects }()
	case <-timer.C:
		fail([]*task{t}, fmt.Errorf("%w: it was running when the agent died, and waits for other such inspectors", ErrUnavailable), report)
		return
	case <-ctx.Done():
	}
	p.memory.began([]*task{t})
	p.follow(ctx, []*task{t}, report)
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

// route sorts tasks by the home of their inspectors, and reports those that have
// none.
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
