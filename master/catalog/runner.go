package catalog

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/vedettehq/vedette/master/audit"
	"github.com/vedettehq/vedette/master/rollout"
	"github.com/vedettehq/vedette/master/state"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

const (
	// stepPause is the least time between two looks at the rollouts: all reports
	// that come meanwhile are one change.
	stepPause = 20 * time.Millisecond
	// storePause is the least time between two writes of the states of a rollout's
	// hosts. Its stages and its end are written at once.
	storePause = time.Second
	// tellPause is the least time between two events about them.
	tellPause = 200 * time.Millisecond
	// retryStep is how soon a rollout that could not be written is tried again.
	retryStep = time.Second
	// expectFor is how long after a start hosts count as they were before.
	expectFor = 40 * time.Second
	// summaryPause is the least time between two events catalog/<name>.
	summaryPause = 100 * time.Millisecond
)

// Run sends hosts their assignments and drives the rollouts until ctx ends.
func (c *Catalog) Run(ctx context.Context) {
	c.mu.Lock()
	c.running = ctx
	for _, t := range c.targets {
		c.kickLocked(t)
	}
	c.mu.Unlock()
	c.senders.Go(func() { c.runRollouts(ctx) })
	c.senders.Go(func() { c.runSummaries(ctx) })
	c.senders.Go(func() { c.runFlush(ctx) })
	<-ctx.Done()
	c.mu.Lock()
	c.running = nil // no sender starts from here on
	c.mu.Unlock()
	c.senders.Wait()
}

// runRollouts looks at the rollouts when something has changed, and when their
// time has come.
func (c *Catalog) runRollouts(ctx context.Context) {
	expect := time.NewTimer(expectFor)
	defer expect.Stop()
	c.absent(ctx)
	for {
		began := time.Now()
		next := c.stepAll(ctx)
		// Most of the time is left to others, however many hosts there are.
		if !pause(ctx, max(stepPause, 4*time.Since(began))) {
			return
		}
		timer := time.NewTimer(max(0, next))
		select {
		case <-ctx.Done():
		case <-c.wakeRollouts:
		case <-timer.C:
		case <-expect.C:
			c.expectNobody()
		}
		timer.Stop()
	}
}

func (c *Catalog) runSummaries(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.wakeSummary:
			c.summarize()
		}
		if !pause(ctx, summaryPause) {
			return
		}
	}
}

// pause waits, and reports whether ctx goes on.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// idle is how long the runner waits when no rollout depends on the time.
const idle = time.Hour

// stepAll brings every rollout up to date, and returns how long until the next
// look is needed even if nothing happens.
func (c *Catalog) stepAll(ctx context.Context) time.Duration {
	c.mu.Lock()
	names := slices.Sorted(maps.Keys(c.active))
	c.mu.Unlock()
	wait := idle
	for _, name := range names {
		at, err := c.step(ctx, name, c.viewOf(name))
		if err != nil && ctx.Err() == nil {
			c.opts.Log.Error("cannot go on with a rollout; trying again", "inspector", name, "error", err)
			at = time.Now().Add(retryStep)
		}
		if !at.IsZero() {
			wait = min(wait, time.Until(at))
		}
	}
	return wait
}

// absent tells the rollouts with gates that hosts could not be heard for a while,
// so that a stage that was baking bakes again.
func (c *Catalog) absent(ctx context.Context) {
	c.mu.Lock()
	names := slices.Sorted(maps.Keys(c.active))
	gated := make(map[string]bool)
	for name, a := range c.active {
		gated[name] = len(a.Plan.Stages) > 0
	}
	c.mu.Unlock()
	nobody := func(host string) rollout.Host { return rollout.Host{Name: host} }
	for _, name := range names {
		if !gated[name] {
			continue
		}
		if _, err := c.step(ctx, name, nobody); err != nil && ctx.Err() == nil {
			c.opts.Log.Error("cannot take up a rollout", "inspector", name, "error", err)
		}
	}
}

// step brings one rollout up to date. The view is called with mu held.
func (c *Catalog) step(ctx context.Context, name string, view rollout.View) (next time.Time, err error) {
	c.changing.Lock()
	defer c.changing.Unlock()
	return c.stepNow(ctx, name, view)
}

// stepNow is step with changing held.
func (c *Catalog) stepNow(ctx context.Context, name string, view rollout.View) (next time.Time, err error) {
	c.mu.Lock()
	a := c.active[name]
	if a == nil {
		c.mu.Unlock()
		return time.Time{}, nil
	}
	r := copyRollout(a.Rollout)
	changed := rollout.Step(&r, time.Now(), view)
	c.mu.Unlock()
	after := &active{
		Rollout: r, from: a.from, to: a.to, stored: a.stored, storedAt: a.storedAt, toldAt: a.toldAt,
		toStore: a.toStore || changed, toTell: a.toTell || changed,
	}
	err = c.advance(ctx, a, after)
	return after.next(), err
}

// next is when a rollout needs a look even if nothing happens; zero means never.
func (a *active) next() time.Time {
	next, _ := rollout.Next(&a.Rollout)
	earlier := func(t time.Time) {
		if next.IsZero() || t.Before(next) {
			next = t
		}
	}
	if a.toStore {
		earlier(a.storedAt.Add(storePause))
	}
	if a.toTell {
		earlier(a.toldAt.Add(tellPause))
	}
	return next
}

// advance replaces a rollout by its next form. Everything that hosts depend on is
// on the disk first; the states of hosts may follow later. changing is held.
func (c *Catalog) advance(ctx context.Context, before, a *active) error {
	now, minor := time.Now(), isMinor(before.Rollout, a.Rollout)
	if a.State == wire.RolloutRolledBack {
		return c.rollBack(ctx, before, a.Rollout)
	}
	if a.toStore && (!minor || now.Sub(a.storedAt) >= storePause) {
		put := putRollout(a, a.Rollout)
		if err := c.store.Apply(context.WithoutCancel(ctx), put); err != nil {
			return err
		}
		a.stored, a.storedAt, a.toStore = state.VersionOf(put.Value), now, false
	}
	tell := a.toTell && (!minor || now.Sub(a.toldAt) >= tellPause)
	if tell {
		a.toldAt, a.toTell = now, false
	}
	c.mu.Lock()
	switch {
	case minor:
		c.active[a.Inspector] = a
	case isActive(a.Rollout):
		c.installLocked(c.entries[a.Inspector], a)
	default:
		c.installLocked(c.entries[a.Inspector], nil)
	}
	c.mu.Unlock()
	if a.State == wire.RolloutDone {
		c.opts.Log.Info("rollout done", "inspector", a.Inspector, "rollout", a.ID, "reason", a.Reason)
	}
	if tell {
		c.announceRollout(a.Rollout)
	}
	return nil
}

// isMinor reports whether a rollout has changed in nothing that hosts depend on,
// or that its reason mentions.
func isMinor(before, after wire.Rollout) bool {
	return isActive(after) && after.Stage == before.Stage && after.State == before.State && after.Reason == before.Reason &&
		after.Stages[after.Stage].HealthyMS == before.Stages[before.Stage].HealthyMS
}

// rollBack ends a rollout that has failed or was aborted, and restores the entry.
// changing is held.
func (c *Catalog) rollBack(ctx context.Context, a *active, r wire.Rollout) error {
	c.mu.Lock()
	before := c.entries[r.Inspector]
	code := map[string]signedCode{}
	if r.From != "" {
		code[r.From] = c.code[r.From]
	}
	well := c.wellLocked(before)
	c.mu.Unlock()
	e := &entry{record: before.record}
	attempt := audit.From(ctx)
	e.Current, e.Deleted, e.Kind = r.From, r.From == "", ""
	if r.From != "" {
		e.Selector, e.Kind = r.FromSelector, kindOf(code[r.From].Code)
	}
	e.Changes++
	e.Author, e.AtMS, e.Message = attempt.Who(), r.FinishedMS, r.Reason
	var err error
	if e.selector, err = ParseSelector(e.Selector); err != nil {
		return err
	}
	history := wire.HistoryEntry{
		AtMS: e.AtMS, Author: e.Author, Action: actionRollback, Revision: e.Current, Selector: e.Selector, Message: e.Message, Rollout: r.ID, WellBefore: well,
	}
	line := attempt.Change(r.ID, r.Reason)
	if attempt.Who() == audit.Master {
		line = audit.NewAttempt(audit.Master, audit.Master, "", "rollouts.rollback").Change(r.ID, r.Inspector+": "+r.Reason)
	}
	ended := &active{Rollout: r, from: a.from, to: a.to, stored: a.stored}
	if err := c.commit(ctx, e, before, history, ended, code, []state.Change{line}); err != nil {
		return err
	}
	attempt.Written()
	c.opts.Log.Warn("rollout rolled back", "inspector", r.Inspector, "rollout", r.ID, "to", r.From, "reason", r.Reason)
	c.announceRollout(r)
	return nil
}

func (c *Catalog) announceRollout(r wire.Rollout) { c.opts.Announce("rollouts/"+r.ID, shown(r)) }

// copyRollout returns a copy of a rollout that shares nothing that a Step would
// change.
func copyRollout(r wire.Rollout) wire.Rollout {
	r.Stages = slices.Clone(r.Stages)
	r.Failures = slices.Clone(r.Failures)
	r.Marks = maps.Clone(r.Marks)
	return r
}

// viewOf returns an inspector's rollout's view of the hosts. Use it with mu held.
func (c *Catalog) viewOf(name string) rollout.View {
	return func(host string) rollout.Host {
		t := c.targets[host]
		if t == nil {
			return rollout.Host{}
		}
		h := rollout.Host{Name: host, Up: t.up, Accepts: t.accepts, Receipt: t.receipts[name]}
		if now := t.wants[name]; now != "" {
			h.Receipt = t.receipt(name, now)
		}
		if t.expected && h.Receipt.State == wire.ReceiptHealthy {
			h.Up = true // it was well, and is on its way back
		}
		i, found := slices.BinarySearchFunc(t.statuses, name, func(s wire.InspectorStatus, name string) int {
			return strings.Compare(s.Name, name)
		})
		if found {
			h.Status = &t.statuses[i]
		}
		return h
	}
}

// expectNobody ends the time in which hosts count as they were before a restart.
func (c *Catalog) expectNobody() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range c.targets {
		if t.expected {
			t.expected, t.record.Gone = false, true
			c.dirty[t] = true
		}
	}
}

// Pause stops a rollout where it is.
func (c *Catalog) Pause(ctx context.Context, p wire.RolloutParams) (wire.Rollout, error) {
	return c.steer(ctx, p, rollout.Pause)
}

// Resume lets a paused rollout continue.
func (c *Catalog) Resume(ctx context.Context, p wire.RolloutParams) (wire.Rollout, error) {
	return c.steer(ctx, p, rollout.Resume)
}

// Abort ends a rollout and rolls back the hosts that it has reached.
func (c *Catalog) Abort(ctx context.Context, p wire.RolloutParams) (wire.Rollout, error) {
	return c.steer(ctx, p, rollout.Abort)
}

// steer does to a rollout what an operator wants.
func (c *Catalog) steer(ctx context.Context, p wire.RolloutParams, do func(r *wire.Rollout, reason string, now time.Time) error) (wire.Rollout, error) {
	if err := validateMessage(p.Reason); err != nil {
		return wire.Rollout{}, err
	}
	c.changing.Lock()
	defer c.changing.Unlock()
	r, a, err := c.find(ctx, p.Rollout)
	if err != nil {
		return wire.Rollout{}, err
	}
	if err := c.maySteer(ctx, r); err != nil {
		return wire.Rollout{}, err
	}
	if err := do(&r, p.Reason, time.Now()); err != nil {
		return wire.Rollout{}, rpc.Errorf(wire.CodeConflict, "%v", err)
	}
	if r.State == wire.RolloutRolledBack {
		return shown(r), c.rollBack(ctx, a, r)
	}
	attempt := audit.From(ctx)
	put := putRollout(a, r)
	if err := c.store.Apply(context.WithoutCancel(ctx), put, attempt.Change(r.ID, p.Reason)); err != nil {
		return wire.Rollout{}, fmt.Errorf("cannot write rollout %s: %w", r.ID, err)
	}
	attempt.Written()
	c.mu.Lock()
	next := &active{Rollout: r, from: a.from, to: a.to, stored: state.VersionOf(put.Value), storedAt: time.Now()}
	c.installLocked(c.entries[r.Inspector], next)
	c.mu.Unlock()
	c.announceRollout(r)
	return shown(r), nil
}

// find returns a rollout and its active form; for one that has ended, the latter
// has no effect.
func (c *Catalog) find(ctx context.Context, id string) (wire.Rollout, *active, error) {
	c.mu.Lock()
	for _, a := range c.active {
		if a.ID == id {
			c.mu.Unlock()
			return copyRollout(a.Rollout), a, nil
		}
	}
	c.mu.Unlock()
	r, err := c.Rollout(ctx, id)
	return r, &active{Rollout: r}, err
}
