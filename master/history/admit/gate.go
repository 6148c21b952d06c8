// Package admit lets a few evaluations of queries run at once, fairly between callers, and
// keeps their total memory within a bound.
package admit

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// MaxWaiting is how many evaluations of one caller may wait for a place. More
// are refused.
const MaxWaiting = 256

// ErrCrowded is wrapped by the error for a caller who has too many evaluations waiting.
var ErrCrowded = errors.New("too much is asked at once")

type callerKey struct{}

// WithCaller returns a context that names the caller.
func WithCaller(ctx context.Context, name string) context.Context {
	return context.WithValue(ctx, callerKey{}, name)
}

// callerOf returns the caller, or "" if nobody was named.
func callerOf(ctx context.Context) string {
	name, _ := ctx.Value(callerKey{}).(string)
	return name
}

// Gate has places. A caller may have all of them but one, so that one is left for somebody
// else. Waiting callers get places in turn.
type Gate struct {
	places    int
	perCaller int

	mu      sync.Mutex // guards all below
	busy    int
	callers map[string]*caller // that have a place or wait for one
	turn    []*caller          // those that wait, whose turn is first
}

// caller is somebody who has a place or waits for one. Guarded by Gate.mu.
type caller struct {
	name    string
	busy    int
	waiting []chan struct{} // closed when the place is given
}

// New makes a gate. It has at least two places.
func New(places int) *Gate {
	places = max(places, 2)
	return &Gate{places: places, perCaller: places - 1, callers: make(map[string]*caller)}
}

// Places returns how many places there are.
func (g *Gate) Places() int { return g.places }

// Enter waits for a place. The caller is that of [WithCaller]. It returns the cause of ctx
// when that ends, and an error that wraps ErrCrowded if the caller already has MaxWaiting
// waiting. leave gives the place back, once.
func (g *Gate) Enter(ctx context.Context) (leave func(), err error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	name := callerOf(ctx)
	g.mu.Lock()
	c := g.callers[name]
	if c == nil {
		c = &caller{name: name}
		g.callers[name] = c
	}
	if len(c.waiting) >= MaxWaiting {
		g.mu.Unlock()
		return nil, fmt.Errorf("%w: %d others of yours wait for a place; wait for their answers", ErrCrowded, MaxWaiting)
	}
	given := make(chan struct{})
	if len(c.waiting) == 0 {
		g.turn = append(g.turn, c)
	}
	c.waiting = append(c.waiting, given)
	g.giveLocked()
	g.mu.Unlock()
	select {
	case <-given:
		return func() { g.leave(c) }, nil
	case <-ctx.Done():
		g.giveUp(c, given)
		return nil, context.Cause(ctx)
	}
}

// giveLocked gives free places to the callers whose turn it is. A caller that has all the
// places it may have is skipped and keeps its turn.
func (g *Gate) giveLocked() {
	for i := 0; i < len(g.turn) && g.busy < g.places; {
		c := g.turn[i]
		if c.busy >= g.perCaller {
			i++
			continue
		}
		close(c.waiting[0])
		c.waiting = c.waiting[1:]
		c.busy++
		g.busy++
		g.turn = append(g.turn[:i], g.turn[i+1:]...)
		if len(c.waiting) > 0 {
			g.turn = append(g.turn, c)
		}
	}
}

func (g *Gate) leave(c *caller) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.leaveLocked(c)
}

func (g *Gate) leaveLocked(c *caller) {
	c.busy--
	g.busy--
	g.forgetLocked(c)
	g.giveLocked()
}

// giveUp removes somebody from the queue, or returns the place that was given at this very
// moment.
func (g *Gate) giveUp(c *caller, given chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, waiting := range c.waiting {
		if waiting != given {
			continue
		}
		c.waiting = append(c.waiting[:i:i], c.waiting[i+1:]...)
		if len(c.waiting) == 0 {
			for k, other := range g.turn {
				if other == c {
					g.turn = append(g.turn[:k], g.turn[k+1:]...)
					break
				}
			}
			g.forgetLocked(c)
		}
		return
	}
	g.leaveLocked(c)
}

func (g *Gate) forgetLocked(c *caller) {
	if c.busy == 0 && len(c.waiting) == 0 {
		delete(g.callers, c.name)
	}
}

// Load returns how many places are taken and how many wait.
func (g *Gate) Load() (busy, waiting int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range g.turn {
		waiting += len(c.waiting)
	}
	return g.busy, waiting
}
