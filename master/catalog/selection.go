package catalog

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"

	"github.com/vedettehq/vedette/inspectors/library"
	"github.com/vedettehq/vedette/master/scope"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// maxKnown is how many known labels or values an error lists.
const maxKnown = 8

// preview says what a push of code with a selector, which may be nil, would do to
// hosts.
func (c *Catalog) preview(s scope.Scope, code signedCode, selector *string, result *wire.CheckResult) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	name := code.Name
	before := c.entries[name]
	if before != nil && !c.seesLocked(s, before) {
		before = nil
	}
	text := ""
	if before != nil {
		text = before.Selector
	}
	if selector != nil {
		text = *selector
	}
	wanted, err := ParseSelector(s.Narrow(text))
	if err != nil {
		return err
	}
	selected := c.targetsLocked(wanted)
	result.Hosts, result.Drops = len(selected), c.dropsLocked(s, name, wanted)
	result.Selected, result.Refusals = foresee(c.knownKeysLocked(), code, result.Revision, selected)
	if refusesNobody(before, selector) && len(selected) == 0 {
		result.Nobody = c.nobodyLocked(s, wanted)
	}
	result.BuiltIn = slices.Contains(library.Names(), name)
	if before != nil && !before.Deleted {
		return nil // it was replaced by the present one
	}
	for _, t := range selected {
		own := slices.ContainsFunc(t.statuses, func(s wire.InspectorStatus) bool { return s.Name == name && s.Assigned == "" })
		if result.BuiltIn && own && t.accepts {
			result.Replaces++
		}
	}
	return nil
}

// refusesNobody reports whether a push with this selector must select a host: a
// selector that was just typed may be wrong, and would silently take the inspector
// off its hosts. The entry's selector may stay, and the empty one cannot be wrong.
func refusesNobody(before *entry, selector *string) bool {
	return selector != nil && *selector != "" && (before == nil || before.Deleted || before.Selector != *selector)
}

// checkSelectionLocked refuses a push that selects no host, unless that is
// allowed.
func (c *Catalog) checkSelectionLocked(s scope.Scope, before *entry, e *entry, w wish) error {
	if w.action != actionPush || w.allowNone || !refusesNobody(before, w.selector) || len(c.targetsLocked(e.selector)) > 0 {
		return nil
	}
	text := c.nobodyLocked(s, e.selector)
	if n := c.dropsLocked(s, e.Name, e.selector); n > 0 {
		text = fmt.Sprintf("%s would drop it; %s", hostCount(n), text)
	}
	return rpc.Errorf(rpc.CodeInvalidParams, "%s; where that is meant, set allow_none (--allow-none)", text)
}

// dropsLocked counts the hosts that should run an inspector now, but would not
// with another selector.
func (c *Catalog) dropsLocked(s scope.Scope, name string, selector labels.Selector) int {
	n := 0
	for _, t := range c.targets {
		if t.wants[name] != "" && !selector.Matches(t.labels) && s.Matches(t.labels) {
			n++
		}
	}
	return n
}

// wellLocked counts the hosts on which an inspector does well as it is, or did
// when they were last connected.
func (c *Catalog) wellLocked(e *entry) int {
	if e == nil || e.Deleted {
		return 0
	}
	n := 0
	for _, t := range c.targets {
		if r := t.receipts[e.Name]; r.Revision == e.Current && r.State == wire.ReceiptHealthy && e.selector.Matches(t.labels) {
			n++
		}
	}
	return n
}

// nobodyLocked says why a selector selects no host: which part of it no host has,
// and what hosts have instead.
func (c *Catalog) nobodyLocked(s scope.Scope, selector labels.Selector) string {
	visible := func(selector labels.Selector) int {
		return len(slices.DeleteFunc(c.targetsLocked(selector), func(t *target) bool { return !s.Matches(t.labels) }))
	}
	if visible(labels.Everything()) == 0 {
		return "no host is known to this master yet"
	}
	requirements, _ := selector.Requirements()
	var parts []string
	for _, r := range requirements {
		parts = append(parts, r.String())
		if visible(labels.NewSelector().Add(r)) == 0 {
			return c.missingLocked(s, r)
		}
	}
	return "no host has " + strings.Join(parts, " and ") + " at once"
}

// missingLocked says that no host meets a requirement.
func (c *Catalog) missingLocked(s scope.Scope, r labels.Requirement) string {
	names, values := make(map[string]bool), make(map[string]bool)
	for _, t := range c.targets {
		if !s.Matches(t.labels) {
			continue
		}
		for name, value := range t.labels {
			names[name] = true
			if name == r.Key() {
				values[value] = true
			}
		}
	}
	switch op := r.Operator(); {
	case op == selection.DoesNotExist:
		return fmt.Sprintf("every host has the label %s", r.Key())
	case len(values) == 0:
		return fmt.Sprintf("no host has the label %s (known: %s)", r.Key(), someOf(names))
	}
	return fmt.Sprintf("no host has %s (known: %s)", r.String(), someOf(values))
}

// someOf lists words, sorted, up to a bound.
func someOf(words map[string]bool) string {
	all := slices.Sorted(maps.Keys(words))
	text := strings.Join(all[:min(len(all), maxKnown)], ", ")
	if more := len(all) - maxKnown; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

func hostCount(n int) string {
	if n == 1 {
		return "1 host"
	}
	return fmt.Sprintf("%d hosts", n)
}
