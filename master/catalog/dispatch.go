package catalog

import (
	"context"
	"errors"
	"hash/fnv"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

const (
	// maxSending bounds the assignments that are encoded and sent at a time.
	maxSending = 64
	// slotTime is how long an agent that has not answered makes others wait.
	slotTime = 50 * time.Millisecond
	// answerWithin is how long an agent may take to answer.
	answerWithin = 30 * time.Second
	// minBackoff and maxBackoff bound the pauses after a failed assignment.
	minBackoff = 250 * time.Millisecond
	maxBackoff = 30 * time.Second
	// verifyEvery is how often an agent is asked which assignment it has.
	verifyEvery = time.Minute
)

// Caller is the connection of an agent.
type Caller interface {
	Call(ctx context.Context, method string, params, result any) error
	Done() <-chan struct{}
}

// Session is one connection of an agent. mu of the catalog guards it.
type Session struct {
	agent  Caller
	target *target
	have   string           // hash of the assignment that the agent has
	told   bool             // have is known
	busy   bool             // a goroutine sends
	verify bool             // ask the agent which assignment it has
	refuse *wire.Assignment // the assignment that the agent refused, or nil
	keys   int              // of the catalog, when the agent was told of the keys; 0 is not yet
}

// Connected takes over the connection of an agent, in place of an older one, and
// sends the host's assignment if the agent has another.
func (c *Catalog) Connected(agent Caller, hello wire.HelloParams) *Session {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.targets[hello.Host]
	fresh := t == nil
	if fresh {
		t = newTarget(hello.Host)
		c.targets[hello.Host] = t
	}
	s := &Session{agent: agent, target: t, have: hello.Assigned, told: true}
	before := t.accepts
	t.session, t.up, t.expected, t.refuses = s, true, false, ""
	t.accepts = hello.AcceptsPushed
	t.record.Labels, t.record.OS, t.record.Arch, t.record.Version = hello.Labels, hello.OS, hello.Arch, hello.Version
	t.record.Signers, t.record.Needed, t.record.Policy, t.record.Told = hello.Signers, hello.SignersNeeded, hello.Policy, ""
	t.record.Accepts, t.record.Gone, t.record.SeenMS = hello.AcceptsPushed, false, time.Now().UnixMilli()
	c.dirty[t] = true
	t.relabel()
	c.retargetHostLocked(t)
	if before != t.accepts {
		for name, revision := range t.wants {
			c.announceReceiptLocked(t, name, revision)
		}
	}
	c.kickLocked(t)
	wake(c.wakeRollouts)
	return s
}

// Disconnected ends a session.
func (c *Catalog) Disconnected(s *Session) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.target.session == s {
		s.target.session = nil
		c.dirty[s.target] = true
	}
}

// kickLocked starts sending the assignment of a host to its agent, unless the
// agent has it or it is being sent.
func (c *Catalog) kickLocked(t *target) {
	s := t.session
	if s == nil || s.busy || c.running == nil || c.running.Err() != nil || !c.mustSendLocked(s) {
		return
	}
	s.busy = true
	ctx := c.running
	c.senders.Go(func() { c.send(ctx, s) })
}

// mustSendLocked reports whether there is anything to send to a session.
func (c *Catalog) mustSendLocked(s *Session) bool {
	t := s.target
	if t.session != s || !t.accepts {
		return false
	}
	wanted := c.assignmentLocked(t)
	return c.mustTellKeysLocked(s) || s.verify || (!s.told || s.have != wanted.Hash) && s.refuse != wanted
}

// send brings the agent of a session up to date, and ends when it is. A session
// has only one of these, so that all changes made meanwhile go in one assignment.
func (c *Catalog) send(ctx context.Context, s *Session) {
	for failed := 0; ; {
		c.mu.Lock()
		if ctx.Err() != nil || !c.mustSendLocked(s) {
			s.busy = false
			c.mu.Unlock()
			return
		}
		verify, keys := s.verify, c.mustTellKeysLocked(s)
		assignment := c.assignmentLocked(s.target)
		c.mu.Unlock()
		var err error
		switch {
		case keys: // before code that they have signed
			err = c.tellKeys(ctx, s)
		case verify:
			err = c.ask(ctx, s)
		default:
			err = c.assign(ctx, s, assignment)
		}
		if err == nil {
			failed = 0
			continue
		}
		if ctx.Err() == nil && !errors.Is(err, rpc.ErrClosed) {
			c.opts.Log.Warn("cannot give an agent its inspectors", "host", s.target.name, "error", err)
		}
		failed++
		backOff(ctx, s.agent, failed)
		if isDone(s.agent) {
			c.mu.Lock()
			s.busy = false
			c.mu.Unlock()
			return
		}
	}
}

func isDone(agent Caller) bool {
	select {
	case <-agent.Done():
		return true
	default:
		return false
	}
}

// backOff waits longer after each failure, but not beyond the connection.
func backOff(ctx context.Context, agent Caller, failed int) {
	most := min(minBackoff<<min(failed, 10), maxBackoff)
	timer := time.NewTimer(most/2 + rand.N(most/2))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-agent.Done():
	}
}

// assign sends an assignment and waits until the agent has it.
func (c *Catalog) assign(ctx context.Context, s *Session, assignment *wire.Assignment) error {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	select {
	case c.slots <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	// A slow agent gives its slot to others, so it delays nobody but itself.
	leave := sync.OnceFunc(func() { <-c.slots })
	defer leave()
	defer time.AfterFunc(slotTime, leave).Stop()
	result, err := wire.AgentAssign.Call(ctx, s.agent, *assignment)
	var refusal *rpc.Error
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case errors.As(err, &refusal) && refusal.Code == wire.CodeForbidden:
		c.refusedLocked(s, assignment, refusal.Message)
		return nil
	case errors.Is(err, rpc.ErrTooLarge):
		c.refusedLocked(s, assignment, "what the host is to run is together larger than a message may be: "+err.Error())
		return nil
	case err != nil:
		s.told = false // perhaps the agent has it
		return err
	}
	s.have, s.told, s.refuse = result.Hash, true, nil
	if s.target.refuses != "" {
		s.target.refuses = ""
		for name, revision := range s.target.wants {
			c.announceReceiptLocked(s.target, name, revision)
		}
	}
	if result.Hash != assignment.Hash {
		return rpc.Errorf(wire.CodeConflict, "the agent was given assignment %.12q and has %.12q", assignment.Hash, result.Hash)
	}
	return nil
}

// refusedLocked notes that an agent takes no code, whatever it said at hello.
func (c *Catalog) refusedLocked(s *Session, assignment *wire.Assignment, why string) {
	s.refuse = assignment
	t := s.target
	if t.session != s {
		return
	}
	t.refuses = why
	for name, revision := range t.wants {
		c.announceReceiptLocked(t, name, revision)
	}
	wake(c.wakeRollouts)
}

// ask finds out which assignment an agent has.
func (c *Catalog) ask(ctx context.Context, s *Session) error {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	result, err := wire.AgentAssigned.Call(ctx, s.agent, wire.Empty{})
	c.mu.Lock()
	defer c.mu.Unlock()
	s.verify = false
	if err == nil {
		s.have, s.told, s.refuse = result.Hash, true, nil
	}
	return err
}

// verifySome asks the agents whose turn in the minute it is which assignment they
// have.
func (c *Catalog) verifySome(second int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for name, t := range c.targets {
		if t.session != nil && verifyAt(name) == second {
			t.session.verify = true
			c.kickLocked(t)
		}
	}
}

// verifyAt spreads hosts over the seconds of verifyEvery.
func verifyAt(host string) int {
	h := fnv.New32a()
	h.Write([]byte(host))
	return int(h.Sum32() % uint32(verifyEvery/time.Second))
}
