package plugins

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/vedettehq/vedette/inspectors"
)

// blame holds the suspects of a death responsible. A script leaves the shared
// script host that it killed for a separate one, and is quarantined when it kills
// that one too. reloading says that the process was only being filled with
// inspectors that had run before; otherwise the load of a suspect returns the
// error itself.
func (p *Pool) blame(h *host, d *death, reloading bool) {
	accused := make(map[string]bool)
	var loaded []string
	for s := range d.suspects {
		if s.loading && !reloading {
			loaded = append(loaded, s.name)
		} else {
			accused[s.name] = true
		}
	}
	if h.kind == hostOwn && d.crash { // who else
		accused[h.spec.name] = true
	}
	switch {
	case len(loaded) > 0:
		p.log.Error("an inspector crashed its process while it was loaded", "inspector", strings.Join(loaded, ", "),
			"process", h.spec.what, "reason", d.reason)
	case len(accused) == 0:
		p.log.Error("a process died; no inspector is to blame", "process", h.spec.what, "inspectors", h.names(), "reason", d.reason)
	}
	for name := range accused {
		p.accuse(h, name, d.reason)
	}
}

// accuse holds one inspector responsible for the death of a process of h.
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
	switch {
	case h.kind == hostPlugin:
		p.mu.Unlock()
		log.Error("an inspector crashed its plugin", "process", h.spec.what)
	case h.kind == hostOwn && e.chosen() && e.strikes < 2:
		e.probation = p.tuning.probation
		p.mu.Unlock()
		log.Error("an inspector crashed its own script host; if it does so again it is quarantined")
	case h.kind == hostOwn:
		r, pause := p.quarantineLocked(e)
		p.mu.Unlock()
		h.stop()
		p.memory.quarantine(r)
		log.Error("an inspector crashed its own script host too and is quarantined; load a new revision to run it again, or release it by hand",
			"again_in", pause)
	default:
		e.probation = p.tuning.probation << min(4*(e.strikes-1), 16)
		own := p.moveOutLocked(e)
		probation := e.probation
		p.mu.Unlock()
		log.Error("an inspector crashed the script host and runs in a separate one from now on", "good_runs_to_return", probation)
		h.unload(name)
		p.tidy(h)
		p.background(own.revive)
	}
}

// chosen reports whether the inspector has a separate script host because its
// definition asks for one.
func (e *entry) chosen() bool { return e.def.Isolation == inspectors.IsolationOwn }

// quarantineError says why an inspector is not run.
func quarantineError(e *entry) error {
	return fmt.Errorf("%w: %s; it is tried again at %s; load a new revision to run it again, or release it by hand",
		ErrQuarantined, e.verdict, e.until.Format(time.TimeOnly))
}

// ran is told the outcome of every run. An inspector that has behaved for long
// enough in its own script host returns to the shared one.
func (p *Pool) ran(o Outcome) {
	for _, bad := range []error{ErrTimeout, ErrBudget, ErrCrashed, ErrUnavailable, ErrNotLoaded, ErrClosed} {
		if errors.Is(o.Err, bad) {
			return
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	e := p.entries[o.Name]
	switch {
	case e == nil || e.home == nil || e.returning || e.strikes == 0 && e.quarantines == 0 && !p.awayLocked(e):
		return
	case e.home.kind == hostShared:
		e.probation = min(e.probation, absolution) // it was longer after several crashes
	}
	if e.probation--; e.probation > 0 {
		return
	}
	if !p.awayLocked(e) {
		p.forgiveLocked(e)
		return
	}
	e.returning = true
	p.backgroundLocked(func(ctx context.Context) { p.bringBack(ctx, e) })
}

// awayLocked reports whether the inspector is in a separate script host that it
// will leave once it has behaved for long enough.
func (p *Pool) awayLocked(e *entry) bool {
	return e.home.kind == hostOwn && !e.chosen() && !e.leaks
}

// forgiveLocked clears the record of an inspector that has behaved for long
// enough.
func (p *Pool) forgiveLocked(e *entry) {
	e.strikes, e.quarantines, e.probation = 0, 0, 0
	name, revision := e.def.Name, e.revision
	p.backgroundLocked(func(context.Context) { p.memory.release(name, revision) })
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
	h := p.sharedLocked(e.needs)
	h.loads++
	p.mu.Unlock()
	defer p.letGo(h)
	err = h.load(ctx, d, e.revision)

	p.mu.Lock()
	e.returning = false
	e.probation = p.tuning.probation
	moved := err == nil && e.home == own && h.holds(name, e.revision)
	if moved {
		e.home, e.probation = h, absolution
		if e.quarantines > 0 { // the probation was longer than that of a suspect
			p.forgiveLocked(e)
		}
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
