package plugins

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"
)

// A process that is started again is told of all members. If one of them cannot be
// built there, although it could before, loading it is tried again until the
// process knows it. It may have been built on a busy machine, for example.

const (
	firstRemedy   = time.Second
	longestRemedy = 5 * time.Minute
)

// missLocked notes a member that the process does not know.
func (h *host) missLocked(name string) {
	if h.missing == nil {
		h.missing = make(map[string]bool)
	}
	h.missing[name] = true
}

// beginRemedy starts loading the missing members.
func (h *host) beginRemedy() {
	h.mu.Lock()
	begin := len(h.missing) > 0 && !h.remedying && h.process != nil
	h.remedying = h.remedying || begin
	h.mu.Unlock()
	if begin {
		h.pool.background(h.remedy)
	}
}

// remedy loads the missing members, again and again, until none is missing or
// there is no process.
func (h *host) remedy(ctx context.Context) {
	for wait := firstRemedy; ; wait = min(2*wait, longestRemedy) {
		going := sleep(ctx, wait) && h.remedyOnce(ctx)
		h.mu.Lock()
		if !going || len(h.missing) == 0 || h.process == nil || h.stopped {
			h.remedying = false
			h.mu.Unlock()
			return
		}
		h.mu.Unlock()
	}
}

// remedyOnce tries to load the missing members. It returns false if ctx has ended.
func (h *host) remedyOnce(ctx context.Context) bool {
	unlock, err := h.lock(ctx)
	if err != nil {
		return false
	}
	defer unlock()
	h.mu.Lock()
	p := h.process
	names := slices.Sorted(maps.Keys(h.missing))
	h.mu.Unlock()
	for _, name := range names {
		h.mu.Lock()
		m := h.members[name]
		if m == nil || h.process != p || p == nil {
			if m == nil {
				delete(h.missing, name)
			}
			h.mu.Unlock()
			continue
		}
		h.mu.Unlock()
		err := h.settle(ctx, p, m)
		if ctx.Err() != nil {
			return false
		}
		if err != nil {
			h.pool.log.Warn("an inspector cannot be loaded again; that is tried again", "inspector", name, "process", h.spec.what, "reason", err)
			if errors.Is(err, errDied) {
				return true
			}
			continue
		}
		p.assign(m.slot, suspect{name: name})
		h.mu.Lock()
		delete(h.missing, name)
		h.mu.Unlock()
		h.pool.log.Info("an inspector is loaded again", "inspector", name, "process", h.spec.what)
	}
	return true
}
