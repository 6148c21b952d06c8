package catalog

import (
	"context"
	"maps"

	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// Given returns the labels that a host was given on the master.
func (c *Catalog) Given(host string) map[string]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t := c.targets[host]; t != nil {
		return maps.Clone(t.record.Given)
	}
	return nil
}

// proposeLabels returns an error if labels need a second person, for whom they wait
// then. Approved labels are refused if others were given meanwhile. keeping is held.
func (c *Catalog) proposeLabels(ctx context.Context, t *target, record hostRecord, params wire.LabelParams) error {
	c.mu.Lock()
	seen := string(encode(t.record.Given))
	waits := c.labelsWaitLocked(t, record)
	c.mu.Unlock()
	if a := approvalFrom(ctx); a != nil {
		if a.proposal.Seen != seen {
			return labelsChanged(a.proposal)
		}
		return nil
	}
	if !waits {
		return nil
	}
	p := &proposal{Action: wire.ProposedLabels, Name: t.name, Labels: params.Labels, Seen: seen, Hosts: 1}
	if err := c.keepProposal(ctx, p, nil, describeLabels(params.Labels)); err != nil {
		return err
	}
	refusal := rpc.Errorf(wire.CodeConflict, "these labels change what host %q runs, so another person has to approve them; they wait as proposal %s: `vedette approve %s`",
		t.name, p.ID, p.ID)
	refusal.Data = map[string]any{"proposal": p.ID}
	return refusal
}

// labelsChanged refuses labels for a host that was given others since.
func labelsChanged(p *proposal) error {
	return rpc.Errorf(wire.CodeConflict, "the labels of host %q have changed since proposal %s; `vedette audit --subject %s` says who changed them",
		p.Name, p.ID, p.Name)
}

// labelsWaitLocked reports whether other labels need a second person: they change what
// a host runs for which two persons are needed, or make it a host for which one is
// enough.
func (c *Catalog) labelsWaitLocked(t *target, record hostRecord) bool {
	after := &target{name: t.name, record: record}
	after.relabel()
	was, is := c.rule.Covers(t.labels), c.rule.Covers(after.labels)
	if was && !is {
		return true
	}
	if !is {
		return false
	}
	for _, name := range c.names {
		now, end := c.wantsLocked(t, name)
		if nowAfter, endAfter := c.wantsLocked(after, name); now != nowAfter || end != endAfter {
			return true
		}
	}
	return false
}

// NeedsTwo reports whether two persons are needed for code on a host.
func (c *Catalog) NeedsTwo(host wire.Host) bool {
	rule := c.TwoPersons()
	return rule.Covers(Labels(host))
}
