// Package scope says which hosts a caller may see and act on. A role may be bound
// to a selector over the labels of hosts. A caller who is bound sees the hosts
// that the selector selects at that moment, and learns nothing about any other:
// neither its name nor anything that was measured there.
//
// Every call and request carries its Scope in its context: the guards of the RPC
// and of the routes put it there before a handler runs. Each row of a method or
// route says how it keeps to the scope (wire.Binding); a row that says nothing is
// not for callers who are bound.
package scope

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/labels"
)

// maxSelectorBytes bounds a selector.
const maxSelectorBytes = 4 << 10

// HostLabel is the label that every host has in addition to its own labels: its
// name.
const HostLabel = "host"

// Labels are the labels of a host.
type Labels = labels.Set

// ParseSelector reads a selector over the labels of hosts.
func ParseSelector(text string) (labels.Selector, error) {
	if len(text) > maxSelectorBytes {
		return nil, fmt.Errorf("the selector is %d bytes long; at most %d are allowed", len(text), maxSelectorBytes)
	}
	selector, err := labels.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("the selector %q cannot be read: %s; write it as role=db,zone in (a,b)", text, plainly(err))
	}
	return selector, nil
}

// plainly is the message of the selector parser without the parts for programmers.
func plainly(err error) string {
	text := strings.NewReplacer("unable to parse requirement: ", "", "<nil>: ", "", "Invalid value: ", "").Replace(err.Error())
	text, _, _ = strings.Cut(text, " (e.g. ")
	return text
}

// Check returns the fault of a selector that a role is about to be bound to. ""
// binds to nothing. A selector that selects every host is a fault: it would look
// like a bound and be none.
func Check(text string) error {
	if text == "" {
		return nil
	}
	selector, err := ParseSelector(text)
	if err != nil {
		return err
	}
	if selector.Empty() {
		return fmt.Errorf("the selector %q selects every host; leave it out, or name a label", text)
	}
	return nil
}

// Hosts knows the labels of hosts.
type Hosts interface {
	// LabelsOf returns the labels of a host, HostLabel among them, and whether the
	// host is known. They must not be changed.
	LabelsOf(host string) (map[string]string, bool)
	// Names returns the name of every host that is known.
	Names() []string
	// Generation changes when the labels of any host have changed.
	Generation() uint64
}

// Scope is the set of hosts that a caller may see. The zero Scope is every host. A
// Scope follows the labels of hosts as they change, and is safe for use from many
// goroutines.
type Scope struct{ bound *bound }

// bound is the scope of a bound caller.
type bound struct {
	text     string
	selector labels.Selector // labels.Nothing() if text cannot be read
	hosts    Hosts

	mu         sync.Mutex
	generation uint64          // guarded by mu: generation of seen
	seen       map[string]bool // guarded by mu: earlier answers, by host
}

// Of returns the scope of a caller who is bound to a selector, or to nothing if
// that is "". If the selector cannot be read, no host is in the scope.
func Of(selector string, hosts Hosts) Scope {
	if selector == "" {
		return Scope{}
	}
	b := &bound{text: selector, selector: labels.Nothing(), hosts: hosts, seen: make(map[string]bool)}
	if Check(selector) == nil {
		b.selector, _ = ParseSelector(selector)
	}
	return Scope{b}
}

// All reports whether the caller is not bound.
func (s Scope) All() bool { return s.bound == nil }

// Selector is the selector that the caller is bound to, or "".
func (s Scope) Selector() string {
	if s.bound == nil {
		return ""
	}
	return s.bound.text
}

// Sees reports whether the caller may see a host now. A bound caller sees no host
// that the master does not know, because its labels are unknown.
func (s Scope) Sees(host string) bool {
	if s.bound == nil {
		return true
	}
	b := s.bound
	b.mu.Lock()
	defer b.mu.Unlock()
	// It is read before the labels, so a change meanwhile is noticed next time.
	if now := b.hosts.Generation(); now != b.generation {
		clear(b.seen)
		b.generation = now
	}
	sees, asked := b.seen[host]
	if !asked {
		set, known := b.hosts.LabelsOf(host)
		sees = known && b.selector.Matches(labels.Set(set))
		b.seen[host] = sees
	}
	return sees
}

// Hides reports whether a name is that of a known host that the caller may not
// see.
func (s Scope) Hides(name string) bool {
	if s.bound == nil || s.Sees(name) {
		return false
	}
	_, known := s.bound.hosts.LabelsOf(name)
	return known
}

// Hosts returns the names of the hosts that a bound caller may see now.
func (s Scope) Hosts() []string {
	if s.bound == nil {
		return nil
	}
	return slices.DeleteFunc(s.bound.hosts.Names(), func(name string) bool { return !s.Sees(name) })
}

// Matches reports whether the caller may see a host with these labels, HostLabel
// among them.
func (s Scope) Matches(set labels.Set) bool { return s.bound == nil || s.bound.selector.Matches(set) }

// Narrow returns a selector of only those hosts that both the selector and the
// scope select, now and whenever labels change.
func (s Scope) Narrow(selector string) string {
	if s.bound == nil {
		return selector
	}
	wants, selects := s.bound.selector.Requirements()
	if !selects { // its selector cannot be read: no host is in the scope
		return HostLabel + ",!" + HostLabel
	}
	if strings.TrimSpace(selector) == "" {
		return s.bound.text
	}
	asked, err := labels.Parse(selector)
	if err != nil {
		return selector // its user refuses it
	}
	has, _ := asked.Requirements()
	for _, want := range wants {
		found := false
		for _, one := range has {
			found = found || one.Equal(want)
		}
		if !found {
			return s.bound.text + "," + selector
		}
	}
	return selector
}

type scopeKey struct{}

// With returns a context that carries the scope of the caller.
func With(ctx context.Context, s Scope) context.Context { return context.WithValue(ctx, scopeKey{}, s) }

// From returns the scope of the caller. The master's own work has none, and is for
// every host.
func From(ctx context.Context) Scope {
	s, _ := ctx.Value(scopeKey{}).(Scope)
	return s
}
