package catalog

import (
	"context"
	"slices"

	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// before finds the target of a rollback: a change in the inspector's history whose
// revision and selector will apply again.
//
// Without a revision it is the newest change after which the inspector differed
// from now and did well on some host. A change that was rolled back because it did
// not do well is not chosen, and one that ran nowhere only if there is nothing
// else. With a revision it is the newest change to that revision that did well, or
// else the newest.
//
// ran is whether the change has run through: all of its hosts had it, and it did well.
func (c *Catalog) before(ctx context.Context, p wire.RollbackParams) (_ wire.HistoryEntry, ran bool, _ error) {
	e := c.entryFor(ctx, p.Name)
	if e == nil {
		return wire.HistoryEntry{}, false, c.notInCatalog(ctx, p.Name)
	}
	history, err := c.history(ctx, p.Name)
	if err != nil {
		return wire.HistoryEntry{}, false, err
	}
	fits := func(h wire.HistoryEntry) bool {
		return h.Revision != "" && (e.Deleted || h.Revision != e.Current || h.Selector != e.Selector)
	}
	if p.Revision != "" {
		revision, err := named(history, wire.RevisionParams{Name: p.Name, Revision: p.Revision})
		if err != nil {
			return wire.HistoryEntry{}, false, err
		}
		fits = func(h wire.HistoryEntry) bool { return h.Revision == revision }
	}
	var some, bad *wire.HistoryEntry
	for i := range history {
		h := &history[i]
		switch {
		case !fits(*h):
		case p.Revision == "" && c.takenBack(ctx, h):
			if bad == nil && h.Revision != e.Current {
				bad = h
			}
		case i > 0 && history[i-1].WellBefore > 0, i == 0 && c.isWell(e):
			return *h, c.ranThrough(ctx, h), nil
		case some == nil:
			some = h
		}
	}
	if some != nil {
		return *some, false, nil
	}
	return wire.HistoryEntry{}, false, nothingBefore(e, history, bad)
}

// ranThrough reports whether the rollout of a change has reached all of its hosts, or
// has failed and so led back to what they had.
func (c *Catalog) ranThrough(ctx context.Context, h *wire.HistoryEntry) bool {
	r, err := c.rollout(ctx, h.Rollout)
	if err != nil {
		return false
	}
	to := r.To == h.Revision && r.ToSelector == h.Selector
	from := r.From == h.Revision && r.FromSelector == h.Selector
	return r.State == wire.RolloutDone && to || r.State == wire.RolloutRolledBack && from
}

// takenBack reports whether a change was rolled back because it did not do well.
func (c *Catalog) takenBack(ctx context.Context, h *wire.HistoryEntry) bool {
	r, err := c.rollout(ctx, h.Rollout)
	return err == nil && r.State == wire.RolloutRolledBack && r.To == h.Revision
}

func (c *Catalog) isWell(e *entry) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wellLocked(e) > 0
}

// nothingBefore says why there is nothing to go back to. bad is the change that
// was rolled back, or nil.
func nothingBefore(e *entry, history []wire.HistoryEntry, bad *wire.HistoryEntry) error {
	other := slices.ContainsFunc(history, func(h wire.HistoryEntry) bool { return h.Revision != "" && h.Revision != e.Current })
	switch {
	case bad != nil:
		return rpc.Errorf(wire.CodeNotFound, "inspector %q has had no other revision that did well: %.8s was rolled back in rollout %s; name it to go there all "+
			"the same", e.Name, bad.Revision, bad.Rollout)
	case !other && !e.Deleted:
		return rpc.Errorf(wire.CodeNotFound, "inspector %q has had no other revision than %.8s", e.Name, e.Current)
	}
	return rpc.Errorf(wire.CodeNotFound, "inspector %q has had no other revision", e.Name)
}
