package catalog

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/vedettehq/vedette/master/scope"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// A caller who is bound to some hosts sees the inspectors that these hosts run,
// and may change those that no other host runs. Selectors by such a caller are
// narrowed to the scope, so that they never select another host, whatever labels
// it gets later.
//
// While mu is held a scope is asked about labels only (Matches): Sees asks package
// hosts, which calls back.

// reachLocked reports whether an inspector is on hosts within a scope, or on its
// way there, and whether it is on others.
func (c *Catalog) reachLocked(s scope.Scope, name string) (inside, outside bool) {
	note := func(t *target) {
		if s.Matches(t.labels) {
			inside = true
		} else {
			outside = true
		}
	}
	for _, t := range c.targets {
		if now, end := c.wantsLocked(t, name); now != "" || end != "" || t.wants[name] != "" {
			note(t)
		}
	}
	if a := c.active[name]; a != nil {
		for _, stage := range a.Stages {
			for _, host := range stage.Hosts {
				if t := c.targets[host]; t != nil {
					note(t)
				}
			}
		}
	}
	return inside, outside
}

// seesLocked reports whether an inspector is visible in a scope: some of its hosts
// run it, or it is for them alone and no host runs it now.
func (c *Catalog) seesLocked(s scope.Scope, e *entry) bool {
	if s.All() {
		return true
	}
	inside, outside := c.reachLocked(s, e.Name)
	return inside || !outside && s.Narrow(e.Selector) == e.Selector
}

// entryFor returns the entry of an inspector, or nil if there is none that the
// caller may see.
func (c *Catalog) entryFor(ctx context.Context, name string) *entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.entryForLocked(ctx, name)
}

func (c *Catalog) entryForLocked(ctx context.Context, name string) *entry {
	if e := c.entries[name]; e != nil && c.seesLocked(scope.From(ctx), e) {
		return e
	}
	return nil
}

// bind refuses a change of an inspector that runs on hosts which the caller may
// not see, and narrows the selector of any other.
func (c *Catalog) bind(ctx context.Context, before *entry, w *wish) error {
	s := scope.From(ctx)
	if s.All() {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	selector := ""
	if before != nil {
		_, outside := c.reachLocked(s, before.Name)
		switch {
		case !c.seesLocked(s, before) && !(before.Deleted && !outside) && w.action != actionPush:
			return c.notInCatalogLocked(ctx, w.name)
		case !c.seesLocked(s, before) && !(before.Deleted && !outside):
			return rpc.Errorf(wire.CodeForbidden, "the name %q is that of an inspector of hosts that you are not bound to; choose another name", w.name)
		case outside:
			return rpc.Errorf(wire.CodeForbidden, "inspector %q runs on hosts that you are not bound to, too (you are bound to %q); "+
				"push under another name, or ask somebody who is bound to all of them", w.name, s.Selector())
		}
		selector = before.Selector
	}
	if w.selector != nil {
		selector = *w.selector
	}
	if w.action != actionDelete {
		narrow := s.Narrow(selector)
		w.selector = &narrow
	}
	return nil
}

// shownSelectorLocked is a selector as a caller may see it: one that names a host
// which the caller may not see is hidden.
func (c *Catalog) shownSelectorLocked(s scope.Scope, text string) string {
	if s.All() {
		return text
	}
	selector, err := labels.Parse(text)
	if err != nil {
		return s.Selector()
	}
	requirements, _ := selector.Requirements()
	for _, r := range requirements {
		if r.Key() != scope.HostLabel {
			continue
		}
		for name := range r.Values() {
			if t := c.targets[name]; t == nil || !s.Matches(t.labels) {
				return s.Selector()
			}
		}
	}
	return text
}

// showHistory hides selectors in a history that the caller may not see.
func (c *Catalog) showHistory(ctx context.Context, history []wire.HistoryEntry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range history {
		history[i].Selector = c.shownSelectorLocked(scope.From(ctx), history[i].Selector)
	}
}

// Shown returns an inspector as the caller may see it, and whether the caller may.
func (c *Catalog) Shown(ctx context.Context, name string) (wire.CatalogEntry, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entryForLocked(ctx, name)
	if e == nil {
		return wire.CatalogEntry{}, false
	}
	return c.entryLocked(scope.From(ctx), e), true
}

// ShownRollout returns a rollout as the caller may see it, with visible hosts
// only, and whether the caller may see it. The reason is included only if the
// caller may see all hosts, because it names some.
func (c *Catalog) ShownRollout(ctx context.Context, r wire.Rollout) (_ wire.Rollout, sees bool) {
	s := scope.From(ctx)
	if s.All() {
		return r, true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	mine := func(host string) bool {
		t := c.targets[host]
		return t != nil && s.Matches(t.labels)
	}
	whole, any := true, false
	r.Stages = slices.Clone(r.Stages)
	for i := range r.Stages {
		stage := &r.Stages[i]
		hosts := slices.DeleteFunc(slices.Clone(stage.Hosts), func(host string) bool { return !mine(host) })
		any = any || len(hosts) > 0
		if len(hosts) == len(stage.Hosts) {
			continue
		}
		whole, stage.Hosts, stage.Count, stage.Summary = false, hosts, 0, c.summaryOfLocked(r, hosts)
	}
	failures := slices.DeleteFunc(slices.Clone(r.Failures), func(f wire.HostReceipt) bool { return !mine(f.Host) })
	whole = whole && len(failures) == len(r.Failures)
	if !any && (!whole || s.Narrow(r.ToSelector) != r.ToSelector) {
		return wire.Rollout{}, false
	}
	if r.Failures = failures; !whole {
		r.Reason = ""
	}
	r.FromSelector, r.ToSelector = c.shownSelectorLocked(s, r.FromSelector), c.shownSelectorLocked(s, r.ToSelector)
	return r, true
}

// summaryOfLocked counts some hosts of a rollout.
func (c *Catalog) summaryOfLocked(r wire.Rollout, hosts []string) wire.ReceiptSummary {
	sum := wire.ReceiptSummary{}
	for _, host := range hosts {
		addTo(&sum, c.targets[host].receipt(r.Inspector, r.To).State)
	}
	return sum
}

// maySteer returns an error if the caller may not pause or end a rollout.
func (c *Catalog) maySteer(ctx context.Context, r wire.Rollout) error {
	s := scope.From(ctx)
	if s.All() {
		return nil
	}
	if _, sees := c.ShownRollout(ctx, r); !sees {
		return c.hiddenRollout(r.ID)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, outside := c.reachLocked(s, r.Inspector); outside {
		return rpc.Errorf(wire.CodeForbidden, "rollout %s reaches hosts that you are not bound to, too (you are bound to %q)", r.ID, s.Selector())
	}
	return nil
}
