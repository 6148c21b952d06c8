package plugins

import (
	"context"
	"fmt"
	"time"

	"github.com/vedettehq/vedette/inspectors"
)

// quarantineLocked takes an inspector out of use, and returns what is to be
// remembered of it.
func (p *Pool) quarantineLocked(e *entry) quarantineRecord {
	e.quarantined, e.home = true, nil
	e.verdict = fmt.Sprintf("it crashed %d script hosts, the last time: %s", e.strikes, e.reason)
	return quarantineRecord{
		Name: e.def.Name, Revision: e.revision, Verdict: e.verdict, Reason: e.reason,
		Crashes: e.crashes, SinceMS: time.Now().UnixMilli(),
	}
}

// keepOut enlists an inspector that is quarantined without loading it. It
// returns false where that is so already, or the pool is closed.
func (p *Pool) keepOut(d inspectors.Definition, revision string, needs inspectors.Needs, r quarantineRecord) bool {
	p.mu.Lock()
	old := p.entries[d.Name]
	if p.closed || old != nil && old.revision == revision {
		p.mu.Unlock()
		return false
	}
	e := &entry{
		def: d, revision: revision, needs: needs,
		quarantined: true, verdict: r.Verdict, reason: r.Reason, crashes: r.Crashes,
	}
	p.entries[d.Name] = e
	p.mu.Unlock()
	if old != nil && old.home != nil {
		p.leave(old.home, d.Name)
	}
	p.log.Warn("an inspector is quarantined and not run; load a new revision to run it again, or release it by hand",
		"inspector", d.Name, "reason", r.Verdict, "since", time.UnixMilli(r.SinceMS))
	return true
}

// Release ends the quarantine of an inspector. It starts in a process of its
// own, where one more crash quarantines it again. The error wraps ErrNotLoaded
// where there is no such inspector; where it cannot be loaded it stays in
// quarantine.
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
	if err != nil {
		p.mu.Unlock()
		return fmt.Errorf("cannot release inspector %q: %w", name, err)
	}
	d, revision, needs := e.def, e.revision, e.needs
	h := p.probationLocked(d, needs)
	h.loads++
	p.mu.Unlock()
	defer p.letGo(h)
	if err := h.load(ctx, d, revision); err != nil {
		return fmt.Errorf("cannot release inspector %q: %w", name, err)
	}
	p.memory.release(name, revision)
	p.mu.Lock()
	fresh := &entry{def: d, revision: revision, needs: needs, home: h, crashes: e.crashes, trial: p.tuning.trial}
	if d.Script != nil {
		fresh.strikes = 1 // the next one is its second
	}
	p.entries[name] = fresh
	p.mu.Unlock()
	p.log.Info("an inspector was released from quarantine", "inspector", name, "was", e.verdict)
	return nil
}

// probationLocked returns the host in which an inspector has to prove itself.
func (p *Pool) probationLocked(d inspectors.Definition, needs inspectors.Needs) *host {
	if d.Script == nil {
		return p.hostLocked(d, needs)
	}
	return newHost(p, p.scriptSpec(hostOwn, d, needs))
}
