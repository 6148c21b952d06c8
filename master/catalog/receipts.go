package catalog

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/master/scope"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// maxReceipts bounds the receipts that one agent can make the master hold, and
// maxReasonBytes the reason of each.
const (
	maxReceipts    = 1000
	maxReasonBytes = 4 << 10
)

// Receipts takes an agent's report about its assigned inspectors.
func (c *Catalog) Receipts(s *Session, p wire.ReceiptParams) error {
	if err := validateReceipts(p); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	t := s.target
	if t.session != s {
		return nil // a newer connection of the agent has replaced it
	}
	before := t.receipts
	if p.All {
		t.receipts = make(map[string]wire.Receipt, len(p.Receipts))
	}
	for _, r := range p.Receipts {
		if len(t.receipts) >= maxReceipts {
			break
		}
		known, had := before[r.Inspector]
		t.receipts[r.Inspector] = r
		if !had || known != r {
			c.receiptChangedLocked(t, r.Inspector)
		}
	}
	if p.All {
		for name := range before {
			if _, has := t.receipts[name]; !has {
				c.receiptChangedLocked(t, name)
			}
		}
	}
	return nil
}

func (c *Catalog) receiptChangedLocked(t *target, name string) {
	c.dirty[t] = true
	c.announceReceiptLocked(t, name, t.wants[name])
	if c.active[name] != nil {
		wake(c.wakeRollouts)
	}
}

func validateReceipts(p wire.ReceiptParams) error {
	for _, r := range p.Receipts {
		if err := inspectors.ValidateKey(r.Inspector); err != nil {
			return rpc.Errorf(rpc.CodeInvalidParams, "receipts: %v", err)
		}
		switch r.State {
		case wire.ReceiptReceived, wire.ReceiptVerified, wire.ReceiptLoaded, wire.ReceiptHealthy, wire.ReceiptFailed, wire.ReceiptRefused:
		default:
			return rpc.Errorf(rpc.CodeInvalidParams, "receipts: unknown state %.20q of inspector %q", r.State, r.Inspector)
		}
		if len(r.Revision) > 64 || len(r.Running) > 64 || len(r.Reason) > maxReasonBytes {
			return rpc.Errorf(rpc.CodeInvalidParams, "receipts: that of inspector %q is too long; a revision has 64 digits, a reason at most %d bytes", r.Inspector,
				maxReasonBytes)
		}
	}
	return nil
}

// receipt says how far a revision of an inspector got on a host, as far as the
// master knows.
func (t *target) receipt(name, revision string) wire.Receipt {
	known := t.receipts[name]
	r := wire.Receipt{Inspector: name, Revision: revision, State: wire.ReceiptPending, AtMS: known.AtMS, Running: known.Running}
	switch {
	case !t.accepts:
		r.State, r.Reason, r.Running = wire.ReceiptRefused, reasonNotAccepted, ""
	case t.refuses != "":
		r.State, r.Reason = wire.ReceiptRefused, t.refuses
	case known.Revision == revision && known.State != "":
		return known
	case known.State == wire.ReceiptHealthy || known.State == wire.ReceiptLoaded:
		r.Running = known.Revision
	}
	return r
}

func (t *target) state() string {
	if t.up {
		return wire.HostUp
	}
	return wire.HostGone
}

// announceReceiptLocked announces the state of an inspector on a host that should
// run a revision of it. If it should run none, the receipt is the host's last.
func (c *Catalog) announceReceiptLocked(t *target, name, revision string) {
	r := t.receipts[name]
	if revision != "" {
		r = t.receipt(name, revision)
	}
	r.Inspector = name
	c.opts.Announce("receipts/"+t.name+"/"+name, wire.HostReceipt{Host: t.name, HostState: t.state(), Receipt: r})
	c.markLocked(name)
}

// receiptOfLocked returns the receipt of the revision that a host runs, or should
// run in the end, and whether it should run any.
func (c *Catalog) receiptOfLocked(t *target, name string) (wire.Receipt, bool) {
	now, end := c.wantsLocked(t, name)
	switch {
	case now != "":
		return t.receipt(name, now), true
	case end != "":
		return t.receipt(name, end), true
	}
	return wire.Receipt{}, false
}

// ReceiptsOf returns the receipt of every host of an inspector that the caller may
// see.
func (c *Catalog) ReceiptsOf(ctx context.Context, name string) (wire.ReceiptsResult, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, e := scope.From(ctx), c.entryForLocked(ctx, name)
	if e == nil {
		return wire.ReceiptsResult{}, c.notInCatalogLocked(ctx, name)
	}
	result := wire.ReceiptsResult{Inspector: name, Revision: e.Current, Summary: c.summaryLocked(s, name), Receipts: []wire.HostReceipt{}}
	for _, t := range c.targets {
		if r, ok := c.receiptOfLocked(t, name); ok && s.Matches(t.labels) {
			result.Receipts = append(result.Receipts, wire.HostReceipt{Host: t.name, HostState: t.state(), Receipt: r})
		}
	}
	slices.SortFunc(result.Receipts, func(a, b wire.HostReceipt) int { return strings.Compare(a.Host, b.Host) })
	return result, nil
}

// summaryLocked counts the hosts of an inspector within a scope.
func (c *Catalog) summaryLocked(s scope.Scope, name string) wire.ReceiptSummary {
	var sum wire.ReceiptSummary
	for _, t := range c.targets {
		if r, ok := c.receiptOfLocked(t, name); ok && s.Matches(t.labels) {
			addTo(&sum, r.State)
		}
	}
	return sum
}

// addTo counts a host whose receipt is in that state.
func addTo(sum *wire.ReceiptSummary, state string) {
	sum.Hosts++
	switch state {
	case wire.ReceiptHealthy:
		sum.Healthy++
	case wire.ReceiptFailed:
		sum.Failed++
	case wire.ReceiptRefused:
		sum.Refused++
	default:
		sum.Pending++
	}
}

// summarize announces the entries whose hosts have changed.
func (c *Catalog) summarize() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(c.changed)) {
		if e := c.entries[name]; e != nil {
			c.opts.Announce("catalog/"+name, c.entryLocked(scope.Scope{}, e))
		}
	}
	clear(c.changed)
}
