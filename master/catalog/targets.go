package catalog

import (
	"context"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/master/audit"
	"github.com/vedettehq/vedette/master/rollout"
	"github.com/vedettehq/vedette/master/scope"
	"github.com/vedettehq/vedette/master/state"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// reasonNotAccepted is why a host runs no pushed code.
const reasonNotAccepted = "the host does not accept pushed inspectors: agent.accept_pushed_inspectors"

// hostRecord is the stored form of a host.
type hostRecord struct {
	Labels  map[string]string `json:"labels,omitempty"` // from the host's configuration
	Given   map[string]string `json:"given,omitempty"`  // on the master
	OS      string            `json:"os,omitempty"`
	Arch    string            `json:"arch,omitempty"`
	Version string            `json:"version,omitempty"`
	Accepts bool              `json:"accepts"`
	Signers []string          `json:"signers,omitempty"` // from its hello
	Needed  int               `json:"signers_needed,omitempty"`
	Told    string            `json:"told,omitempty"`   // the sum of the lines of keys that Signers is about, or ""
	Policy  *wire.Policy      `json:"policy,omitempty"` // from its hello; nil if unknown
	Gone    bool              `json:"gone,omitempty"`
	SeenMS  int64             `json:"seen_ms,omitempty"` // when it was last seen
}

// target is a host with an agent: every one that has ever said hello. mu of the
// catalog guards it, except for the stored part.
type target struct {
	name     string
	record   hostRecord
	labels   labels.Set // all labels, with scope.HostLabel; replaced, never changed
	accepts  bool
	refuses  string // why the agent refuses all assignments, or ""
	up       bool   // as in package hosts
	expected bool   // it was up when the master stopped, and has not been back
	session  *Session
	receipts map[string]wire.Receipt // by inspector, as last reported
	statuses []wire.InspectorStatus  // by name; not to be changed

	wants      map[string]string // revision by inspector: those to run now
	assignment *wire.Assignment  // made from wants; nil if it has to be made

	// Versions in the state; flushing of the catalog guards them.
	storedHost, storedReceipts state.Version
}

func (t *target) relabel() {
	set := make(labels.Set, len(t.record.Labels)+len(t.record.Given)+1)
	maps.Copy(set, t.record.Labels)
	maps.Copy(set, t.record.Given)
	set[scope.HostLabel] = t.name
	t.labels = set
}

// Labels are the labels of a host that selectors see: its own, and its name.
func Labels(h wire.Host) labels.Set {
	set := maps.Clone(labels.Set(h.Labels))
	if set == nil {
		set = make(labels.Set, 1)
	}
	set[scope.HostLabel] = h.Host
	return set
}

func newTarget(name string) *target {
	return &target{name: name, receipts: make(map[string]wire.Receipt), wants: make(map[string]string)}
}

func (c *Catalog) loadHostsLocked(ctx context.Context) error {
	stored, err := c.store.List(ctx, hostPrefix)
	if err != nil {
		return err
	}
	for _, s := range stored {
		t := newTarget(strings.TrimPrefix(s.Key, hostPrefix))
		if err := decode(s, &t.record); err != nil {
			return err
		}
		t.accepts, t.expected, t.storedHost = t.record.Accepts, !t.record.Gone, s.Version
		t.relabel()
		c.targets[t.name] = t
	}
	if stored, err = c.store.List(ctx, receiptsPrefix); err != nil {
		return err
	}
	for _, s := range stored {
		t := c.targets[strings.TrimPrefix(s.Key, receiptsPrefix)]
		if t == nil {
			continue // of a host that was removed from the state by hand
		}
		if err := decode(s, &t.receipts); err != nil {
			return err
		}
		t.storedReceipts = s.Version
	}
	return nil
}

// Hosts returns the hosts that are known from before, in their present form, with
// the labels that were given on the master.
func (c *Catalog) Hosts() (hosts []wire.Host, given []map[string]string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(c.targets)) {
		t := c.targets[name]
		hosts = append(hosts, wire.Host{
			Host: name, State: wire.HostGone, SinceMS: t.record.SeenMS, LastSeenMS: t.record.SeenMS, Version: t.record.Version,
			OS: t.record.OS, Arch: t.record.Arch, Labels: maps.Clone(t.record.Labels), AcceptsPushed: t.record.Accepts,
			Signers: t.record.Signers, SignersNeeded: t.record.Needed, Policy: t.record.Policy,
		})
		given = append(given, maps.Clone(t.record.Given))
	}
	return hosts, given
}

// HostChanged takes the present state of a host from package hosts: whether it is
// up, and the states of its inspectors.
func (c *Catalog) HostChanged(host wire.Host) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.targets[host.Host]
	if t == nil {
		return // it has no agent
	}
	t.statuses = host.Inspectors
	if up := host.State == wire.HostUp; up != t.up {
		t.up = up
		t.expected = t.expected && !up
		t.record.Gone = !up
		c.dirty[t] = true
		for name, revision := range t.wants {
			c.announceReceiptLocked(t, name, revision)
		}
	}
	if len(c.active) > 0 {
		wake(c.wakeRollouts)
	}
}

// Label gives a host labels, or removes those whose value is "". They are on the
// disk when it returns all that are given.
func (c *Catalog) Label(ctx context.Context, p wire.LabelParams) (map[string]string, error) {
	c.flushing.Lock()
	defer c.flushing.Unlock()
	c.mu.Lock()
	t := c.targets[p.Host]
	if t == nil {
		c.mu.Unlock()
		return nil, rpc.Errorf(wire.CodeNotFound, "no host %q has had an agent connected to this master", p.Host)
	}
	record := t.record
	c.mu.Unlock()
	record.Given = maps.Clone(record.Given)
	if record.Given == nil {
		record.Given = make(map[string]string)
	}
	for name, value := range p.Labels {
		record.Given[name] = value
		if value == "" {
			delete(record.Given, name)
		}
		if _, err := inspectors.NewLabels(name, value); err != nil {
			return nil, rpc.Errorf(rpc.CodeInvalidParams, "labels: %v", err)
		}
	}
	if _, err := inspectors.LabelsFromMap(record.Given); err != nil {
		return nil, rpc.Errorf(rpc.CodeInvalidParams, "labels: %v", err)
	}
	if err := c.proposeLabels(ctx, t, record, p); err != nil {
		return nil, err
	}
	attempt, approved := audit.From(ctx), approvalFrom(ctx)
	value := encode(record)
	changes := append(approved.removes(), state.Put(hostPrefix+t.name, value, t.storedHost), attempt.Change(t.name, approved.says(describeLabels(p.Labels))))
	if err := c.store.Apply(context.WithoutCancel(ctx), changes...); err != nil {
		return nil, err
	}
	attempt.Written()
	t.storedHost = state.VersionOf(value)
	c.mu.Lock()
	defer c.mu.Unlock()
	t.record.Given = record.Given
	t.relabel()
	c.retargetHostLocked(t)
	return maps.Clone(record.Given), nil
}

func describeLabels(given map[string]string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(given)) {
		parts = append(parts, name+"="+given[name])
	}
	return strings.Join(parts, ",")
}

// targetsLocked returns the hosts that a selector selects, in no order.
func (c *Catalog) targetsLocked(selector labels.Selector) []*target {
	var found []*target
	for _, t := range c.targets {
		if selector.Matches(t.labels) {
			found = append(found, t)
		}
	}
	return found
}

// wantsLocked returns the revision of an inspector that a host should run now, or
// "", and the one that it should run in the end.
func (c *Catalog) wantsLocked(t *target, name string) (now, end string) {
	e, a := c.entries[name], c.active[name]
	if e == nil || e.Deleted {
		return "", ""
	}
	if e.selector.Matches(t.labels) {
		end = e.Current
	}
	switch {
	case a == nil:
		return end, end
	case rollout.Has(&a.Rollout, t.name) && a.to.Matches(t.labels):
		return a.To, end
	case a.From != "" && a.from.Matches(t.labels):
		return a.From, end
	}
	return "", end
}

// retargetLocked updates what every host should run of one inspector, and sends it
// to those for which it has changed.
func (c *Catalog) retargetLocked(name string) {
	c.renameLocked()
	for _, t := range c.targets {
		c.retargetOneLocked(t, name)
	}
}

// retargetHostLocked is retargetLocked for every inspector of one host.
func (c *Catalog) retargetHostLocked(t *target) {
	for _, name := range c.names {
		before := t.wants[name]
		c.retargetOneLocked(t, name)
		if now, end := c.wantsLocked(t, name); before != "" || now != "" || end != "" {
			c.markLocked(name)
		}
	}
}

func (c *Catalog) retargetAllLocked() {
	for name := range c.entries {
		c.retargetLocked(name)
	}
}

func (c *Catalog) retargetOneLocked(t *target, name string) {
	now, _ := c.wantsLocked(t, name)
	if now == t.wants[name] {
		return
	}
	if now == "" {
		delete(t.wants, name)
	} else {
		t.wants[name] = now
	}
	t.assignment = nil
	c.announceReceiptLocked(t, name, now)
	c.kickLocked(t)
}

// assignmentLocked returns the assignment of a host. Hosts with the same revisions
// share it.
func (c *Catalog) assignmentLocked(t *target) *wire.Assignment {
	if t.assignment != nil {
		return t.assignment
	}
	names := slices.Sorted(maps.Keys(t.wants))
	var key strings.Builder
	for _, name := range names {
		key.WriteString(t.wants[name]) // it is a hash of the name too
	}
	if known := c.assignments[key.String()]; known != nil {
		t.assignment = known
		return known
	}
	a := &wire.Assignment{Inspectors: make([]wire.Assigned, 0, len(names))}
	for _, name := range names {
		code := c.code[t.wants[name]]
		a.Inspectors = append(a.Inspectors, wire.Assigned{Revision: t.wants[name], Code: code.Code, Signatures: code.signatures})
	}
	a.Hash = wire.AssignmentHash(a.Inspectors)
	if len(c.assignments) >= maxAssignments {
		clear(c.assignments) // most of them have revisions that are no longer used
	}
	c.assignments[key.String()] = a
	t.assignment = a
	return a
}

// maxAssignedBytes bounds the code for one host, because one message has to carry
// it.
const maxAssignedBytes = 3 << 20

// checkRoomLocked refuses code that would be too much for a host together with its
// other inspectors.
func (c *Catalog) checkRoomLocked(e *entry, code wire.Code) error {
	for _, t := range c.targetsLocked(e.selector) {
		size := len(code.Source)
		for name, revision := range t.wants {
			if name != e.Name {
				size += len(c.code[revision].Source)
			}
		}
		if size > maxAssignedBytes {
			return rpc.Errorf(rpc.CodeInvalidParams, "host %q would have %d bytes of pushed scripts; at most %d are allowed", t.name, size, maxAssignedBytes)
		}
	}
	return nil
}

// maxAssignments bounds the sets that are remembered in addition to those in use.
const maxAssignments = 64
