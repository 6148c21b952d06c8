package plugins

import (
	"context"
	"fmt"
	"time"

	"github.com/vedettehq/vedette/inspectors"
)

// A quarantine is a pause. When it is over the inspector is on probation: it runs
// in a separate process, and a crash there begins another pause, twice as long.
// When the probation goes well everything is forgotten, on the disk too.

const (
	// longestPause bounds the pause of an inspector.
	longestPause = 10 * time.Minute
	// longestPauseOfKillers bounds the pause of pushed code that was running at the
	// deaths of the agent: it may have taken the machine down.
	longestPauseOfKillers = 24 * time.Hour
	killerPauses          = 6 // their pauses begin as if so many had gone before
)

// quarantinePause returns the length of the n-th consecutive quarantine, counted
// from 1.
func quarantinePause(first time.Duration, n int, most time.Duration) time.Duration {
	for range n - 1 {
		if first *= 2; first >= most {
			return most
		}
	}
	return min(first, most)
}

// pauseOf returns the length of the quarantine of a record.
func (p *Pool) pauseOf(r quarantineRecord, d *inspectors.Definition) time.Duration {
	n := max(r.Times, 1) // older agents did not count
	if r.Killer && d.Pushed {
		return quarantinePause(p.tuning.pause, n+killerPauses, longestPauseOfKillers)
	}
	return quarantinePause(p.tuning.pause, n, longestPause)
}

// quarantineLocked takes an inspector out of use. It returns the record to store,
// and the length of the pause.
func (p *Pool) quarantineLocked(e *entry) (quarantineRecord, time.Duration) {
	e.quarantines++
	e.home = nil
	e.verdict = fmt.Sprintf("it crashed %d script hosts, the last time: %s", e.strikes, e.reason)
	now := time.Now()
	r := quarantineRecord{
		Name: e.def.Name, Revision: e.revision, Verdict: e.verdict, Reason: e.reason,
		Crashes: e.crashes, Times: e.quarantines, SinceMS: now.UnixMilli(),
	}
	pause := p.pauseOf(r, &e.def)
	p.pauseLocked(e, now.Add(pause))
	return r, pause
}

// pauseLocked quarantines an inspector until a time.
func (p *Pool) pauseLocked(e *entry, until time.Time) {
	e.quarantined, e.until = true, until
	name := e.def.Name
	p.backgroundLocked(func(ctx context.Context) {
		for wait := time.Until(until); sleep(ctx, wait); wait = p.tuning.pause {
			if p.endPause(ctx, name, e) {
				return
			}
		}
	})
}

// endPause begins the probation of an inspector whose pause is over. It returns
// false if that failed and should be tried again.
func (p *Pool) endPause(ctx context.Context, name string, e *entry) bool {
	unlock, err := p.names.lock(ctx, name)
	if err != nil {
		return true
	}
	defer unlock()
	p.mu.Lock()
	over := p.entries[name] != e || !e.quarantined || p.closed
	p.mu.Unlock()
	if over {
		return true
	}
	if err := p.probe(ctx, name, e); err != nil {
		p.log.Warn("an inspector stays in quarantine, because it cannot be loaded", "inspector", name, "reason", err)
		return false
	}
	p.log.Info("an inspector is on probation after a quarantine", "inspector", name, "was", e.verdict)
	return true
}

// keepOut enlists a quarantined inspector without loading it. It returns false if
// it is enlisted already, or the pool is closed. The rest of the pause is at least
// as long as a first pause: an agent that has just started has not proved itself.
func (p *Pool) keepOut(d inspectors.Definition, revision string, needs inspectors.Needs, r quarantineRecord) bool {
	pause := p.pauseOf(r, &d)
	// A clock that was set back must not make the pause longer.
	left := max(min(time.Until(time.UnixMilli(r.SinceMS).Add(pause)), pause), p.tuning.pause)
	p.mu.Lock()
	old := p.entries[d.Name]
	if p.closed || old != nil && old.revision == revision {
		p.mu.Unlock()
		return false
	}
	e := &entry{
		def: d, revision: revision, needs: needs,
		verdict: r.Verdict, reason: r.Reason, crashes: r.Crashes, strikes: 1, quarantines: max(r.Times, 1),
	}
	p.entries[d.Name] = e
	p.pauseLocked(e, time.Now().Add(left))
	p.mu.Unlock()
	if old != nil && old.home != nil {
		p.leave(old.home, d.Name)
	}
	p.log.Warn("an inspector is quarantined and not run for a while; load a new revision to run it again, or release it by hand",
		"inspector", d.Name, "reason", r.Verdict, "since", time.UnixMilli(r.SinceMS), "again_in", left.Round(time.Second))
	return true
}

// Release ends the quarantine of an inspector. It starts in a separate process,
// where one more crash quarantines it again. The error wraps ErrNotLoaded if there
// is no such inspector. If it cannot be loaded, it stays in quarantine.
func (p *Pool) Release(ctx context.Context, name string) error {
	unlock, err := p.names.lock(ctx, name)
	if err != nil {
		return fmt.Errorf("cannot release inspector %q: %w", name, err)
	}
	defer unlock()
	p.mu.Lock()
	e := p.entries[name]
	switch {
	case p.closed:
		err = ErrClosed
	case e == nil:
		err = ErrNotLoaded
	case !e.quarantined:
		err = ErrNotQuarantined
	}
	p.mu.Unlock()
	if err == nil {
		err = p.probe(ctx, name, e)
	}
	if err != nil {
		return fmt.Errorf("cannot release inspector %q: %w", name, err)
	}
	p.memory.release(name, e.revision)
	p.log.Info("an inspector was released from quarantine", "inspector", name, "was", e.verdict)
	return nil
}

// probe loads a quarantined inspector into a separate process. The caller has
// locked its name.
func (p *Pool) probe(ctx context.Context, name string, e *entry) error {
	p.mu.Lock()
	d, revision, needs := e.def, e.revision, e.needs
	h := p.probationLocked(d, needs)
	h.loads++
	p.mu.Unlock()
	defer p.letGo(h)
	if err := h.load(ctx, d, revision); err != nil {
		return err
	}
	fresh := &entry{
		def: d, revision: revision, needs: needs, home: h, crashes: e.crashes, quarantines: e.quarantines, probation: p.tuning.probation,
	}
	if d.Script != nil {
		fresh.strikes = 1 // its next crash is its second
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.entries[name] = fresh
	return nil
}

// probationLocked returns the host in which an inspector has to prove itself.
func (p *Pool) probationLocked(d inspectors.Definition, needs inspectors.Needs) *host {
	if d.Script == nil {
		return p.hostLocked(d, needs)
	}
	return newHost(p, p.scriptSpec(hostOwn, d, needs))
}
