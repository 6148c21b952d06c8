package alert

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/prometheus/model/rulefmt"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/inspectors/alerts"
	"github.com/vedettehq/vedette/internal/nearest"
	"github.com/vedettehq/vedette/master/alert/shelf"
	"github.com/vedettehq/vedette/master/audit"
	"github.com/vedettehq/vedette/master/scope"
	"github.com/vedettehq/vedette/master/state"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

const (
	thresholdPrefix = "thresholds/"
	// maxThresholds bounds the number of thresholds.
	maxThresholds = 10_000
)

// thresholds are the numbers that people have set for alerts, in place of those in their
// source, on the hosts that a selector selects.
type thresholds struct {
	changing sync.Mutex // held while one is changed
	shelf    *shelf.Shelf

	mu   sync.Mutex
	list map[string]wire.AlertThreshold // guarded by mu; by name in the shelf
	// configured are the thresholds of the master's configuration; guarded by mu.
	configured []wire.AlertThreshold
}

// configuredBy is the author of the thresholds of the configuration.
const configuredBy = "the configuration"

// readThresholds reads the thresholds of a configuration. Those for built-in rules must
// fit these.
func readThresholds(c config.Alerts, builtin *rulefmt.RuleGroups) (list []wire.AlertThreshold, err error) {
	var faults []error
	for _, one := range c.Thresholds {
		t := wire.AlertThreshold{Alert: one.Alert, Selector: one.Hosts, By: configuredBy}
		if v, ok := one.Number(); ok {
			t.Value = &v
		} else {
			t.Off = true
		}
		_, err := scope.ParseSelector(one.Hosts)
		if err := cmp.Or(err, fitsBuiltin(t, builtin)); err != nil {
			faults = append(faults, fmt.Errorf("cannot use the threshold of %q in master.alerts.thresholds: %w", one.Alert, err))
		}
		list = append(list, t)
	}
	return list, errors.Join(faults...)
}

// fitsBuiltin returns why the built-in rule of its name, if there is one, cannot have this
// threshold.
func fitsBuiltin(t wire.AlertThreshold, builtin *rulefmt.RuleGroups) error {
	if builtin == nil {
		return nil
	}
	for _, group := range builtin.Groups {
		for _, rule := range group.Rules {
			if rule.Alert != t.Alert {
				continue
			}
			if strings.HasPrefix(t.Alert, aboutMaster) {
				return errors.New("the rule is about the master; thresholds are for alerts of hosts")
			}
			switch op, _, ok := alerts.Compares(rule); {
			case t.Value == nil:
			case !ok:
				return errNoNumber
			case isState(op):
				return errState
			}
		}
	}
	return nil
}

// Reasons why an alert has no threshold.
var (
	errNoNumber = errors.New("its expression compares no values with one number, so it has no threshold; it can be off")
	errState    = errors.New("its values are states, and with another number it would never fire, so it has no threshold; it can be off")
)

// isState reports whether an operator of a built-in rule asks for one state, such as that
// of a host that is gone.
func isState(op string) bool { return op == "==" || op == "!=" }

// configure replaces the thresholds of the configuration.
func (t *thresholds) configure(list []wire.AlertThreshold) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.configured = list
}

func (t *thresholds) open(ctx context.Context, store state.Store) error {
	s, values, err := shelf.Open(ctx, store, thresholdPrefix)
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.shelf, t.list = s, make(map[string]wire.AlertThreshold, len(values))
	for name, value := range values {
		var one wire.AlertThreshold
		if err := json.Unmarshal(value, &one); err != nil {
			return fmt.Errorf("cannot read the threshold %s%s of the state: %w", thresholdPrefix, name, err)
		}
		t.list[name] = one
	}
	return nil
}

// all are the thresholds that are set, by alert; the most specific of an alert last.
func (t *thresholds) all() []wire.AlertThreshold {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := slices.AppendSeq(slices.Clone(t.configured), maps.Values(t.list))
	slices.SortFunc(list, func(a, b wire.AlertThreshold) int {
		return cmp.Or(cmp.Compare(a.Alert, b.Alert), cmp.Compare(terms(a.Selector), terms(b.Selector)), cmp.Compare(a.AtMS, b.AtMS),
			cmp.Compare(a.Selector, b.Selector))
	})
	return list
}

// terms is how specific a selector is: how many labels it is about. A host's name counts
// more than any number of labels.
func terms(selector string) int {
	parsed, err := scope.ParseSelector(selector)
	if err != nil {
		return 0
	}
	requirements, _ := parsed.Requirements()
	n := len(requirements)
	if name, exact := parsed.RequiresExactMatch(scope.HostLabel); exact && name != "" {
		n += 1000
	}
	return n
}

// thresholdName is the name, in the state, of the threshold of an alert and a selector.
func thresholdName(alert, selector string) string {
	sum := sha256.Sum256([]byte(alert + "\x00" + selector))
	return hex.EncodeToString(sum[:16])
}

// Thresholds lists the thresholds that are set.
func (a *Alerts) Thresholds(context.Context, wire.Empty) (wire.AlertThresholdsResult, error) {
	result := wire.AlertThresholdsResult{Thresholds: a.thresholds.all()}
	known := a.compared()
	for i := range result.Thresholds {
		one := &result.Thresholds[i]
		if own, ok := known[one.Alert]; ok {
			one.Operator, one.Own = own.op, own.limit
		} else {
			one.Idle = true
		}
	}
	if result.Thresholds == nil {
		result.Thresholds = []wire.AlertThreshold{}
	}
	return result, nil
}

// comparison is how the source of an alert compares values with a number.
type comparison struct {
	op    string
	limit *float64 // nil: it has no number

	builtIn bool
}

// compared are the present alerts of inspectors, and the built-in ones about hosts.
func (a *Alerts) compared() map[string]comparison {
	a.mu.Lock()
	defer a.mu.Unlock()
	known := make(map[string]comparison)
	for _, rule := range rulesOfHosts(a.groups[builtinName]) {
		known[rule.Alert] = comparison{}
		if op, limit, ok := alerts.Compares(rule); ok {
			known[rule.Alert] = comparison{op, &limit, true}
		}
	}
	for name, revisions := range a.given {
		for _, p := range revisions {
			for _, one := range p.Said.Alerts {
				op, limit, ok := p.Threshold(one.Name)
				if c := (comparison{op: op}); ok {
					c.limit = &limit
					known[name+"/"+one.Name] = c
				} else {
					known[name+"/"+one.Name] = comparison{}
				}
			}
		}
	}
	return known
}

// SetThreshold sets the threshold of an alert on some hosts, or removes it.
func (a *Alerts) SetThreshold(ctx context.Context, p wire.AlertThresholdParams) (wire.AlertThreshold, error) {
	one := wire.AlertThreshold{
		Alert: p.Alert, Selector: p.Selector, Value: p.Value, Off: p.Off, Message: p.Message, By: audit.From(ctx).Who(), AtMS: time.Now().UnixMilli(),
	}
	if err := a.checkThreshold(p); err != nil {
		return one, err
	}
	t := &a.thresholds
	t.changing.Lock()
	defer t.changing.Unlock()
	if t.shelf == nil {
		return one, rpc.Errorf(wire.CodeBusy, "the master is starting; try again in a moment")
	}
	name := thresholdName(p.Alert, p.Selector)
	t.mu.Lock()
	before, known := t.list[name]
	count := len(t.list)
	configured := slices.ContainsFunc(t.configured, func(c wire.AlertThreshold) bool { return c.Alert == p.Alert && c.Selector == p.Selector })
	t.mu.Unlock()
	var value []byte
	detail := limitText(before) + " taken back"
	switch {
	case p.Remove && !known && configured:
		return one, rpc.Errorf(rpc.CodeInvalidParams, "the threshold of %s for %s is in the master's configuration, under alerts.thresholds; remove it there",
			p.Alert, hostsText(p.Selector))
	case p.Remove && !known:
		return one, rpc.Errorf(wire.CodeNotFound, "no threshold of %s is set for %s; `vedette alerts threshold list` shows those that are",
			p.Alert, hostsText(p.Selector))
	case p.Remove:
	case !known && count >= maxThresholds:
		return one, rpc.Errorf(rpc.CodeInvalidParams, "%d thresholds are set, which is the limit", count)
	default:
		text, err := json.Marshal(one)
		if err != nil {
			return one, fmt.Errorf("cannot store the threshold of %q: %w", p.Alert, err)
		}
		value, detail = text, limitText(one)
	}
	attempt := audit.From(ctx)
	line := attempt.Change(p.Alert, detail+" on "+hostsText(p.Selector))
	if err := t.shelf.Write(ctx, map[string][]byte{name: value}, line); err != nil {
		return one, err
	}
	attempt.Written()
	t.mu.Lock()
	if p.Remove {
		delete(t.list, name)
	} else {
		t.list[name] = one
	}
	t.mu.Unlock()
	// This one is good and kept. What cannot be evaluated is another alert.
	if err := a.applyThresholds(); err != nil {
		a.opts.Log.Error("alerts of inspectors are not evaluated", "error", err)
	}
	return one, nil
}

// limitText is the number of a threshold, or says that the alert is off.
func limitText(one wire.AlertThreshold) string {
	if one.Value == nil {
		return "off"
	}
	return fmt.Sprint(*one.Value)
}

func hostsText(selector string) string {
	if selector == "" {
		return "every host"
	}
	return "hosts with " + selector
}

// checkThreshold returns what is wrong with a requested threshold.
func (a *Alerts) checkThreshold(p wire.AlertThresholdParams) error {
	if _, err := scope.ParseSelector(p.Selector); err != nil {
		return rpc.Errorf(rpc.CodeInvalidParams, "%v", err)
	}
	given := 0
	for _, is := range []bool{p.Value != nil, p.Off, p.Remove} {
		if is {
			given++
		}
	}
	switch {
	case given != 1:
		return rpc.Errorf(rpc.CodeInvalidParams, "give one of a value, off, and remove")
	case p.Remove:
		return nil
	case p.Value != nil && (math.IsNaN(*p.Value) || math.IsInf(*p.Value, 0)):
		return rpc.Errorf(rpc.CodeInvalidParams, "the value %g is not a finite number", *p.Value)
	}
	known := a.compared()
	own, ok := known[p.Alert]
	switch {
	case !ok:
		return a.noSuchAlert(p.Alert, slices.Sorted(maps.Keys(known)))
	case p.Value != nil && own.builtIn && isState(own.op):
		return rpc.Errorf(rpc.CodeInvalidParams, "cannot set a threshold of %s: %v", p.Alert, errState)
	case p.Value != nil && own.limit == nil:
		return rpc.Errorf(rpc.CodeInvalidParams, "the expression of %s compares no values with one number, so it has no threshold; it can be off", p.Alert)
	}
	return nil
}

// noSuchAlert says that no inspector has an alert, and which one may have been meant.
func (a *Alerts) noSuchAlert(name string, known []string) error {
	for _, group := range a.ruleGroups() {
		for _, rule := range group.AlertingRules() {
			if rule.Name() == name {
				if group.File() == builtinName {
					return rpc.Errorf(rpc.CodeInvalidParams, "the rule %s is about the master; thresholds are for alerts of hosts", name)
				}
				return rpc.Errorf(rpc.CodeInvalidParams, "the rule %s is of %s; thresholds are for alerts of inspectors and for those that are built in", name,
					group.File())
			}
		}
	}
	if near := nearest.Ask(name, known); near != "" {
		return rpc.Errorf(wire.CodeNotFound, "no inspector has the alert %q%s", name, near)
	}
	if len(known) == 0 {
		return rpc.Errorf(wire.CodeNotFound, "no inspector has the alert %q, or any other", name)
	}
	return rpc.Errorf(wire.CodeNotFound, "no inspector has the alert %q; there are %s", name, strings.Join(known[:min(len(known), 20)], ", "))
}

// aboutMaster begins the names of the built-in rules that are about the master.
const aboutMaster = "master/"

// rulesOfHosts are the rules of groups that are about hosts.
func rulesOfHosts(groups *rulefmt.RuleGroups) (list []rulefmt.Rule) {
	if groups == nil {
		return nil
	}
	for _, group := range groups.Groups {
		for _, rule := range group.Rules {
			if !strings.HasPrefix(rule.Alert, aboutMaster) {
				list = append(list, rule)
			}
		}
	}
	return list
}

// spreadBuiltin applies the thresholds to the built-in rules. A rule that cannot be
// changed stays as it is.
func (a *Alerts) spreadBuiltin() error {
	set, hosts := a.thresholds.all(), a.opts.Hosts()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.builtin = nil
	if a.groups[builtinName] == nil || len(set) == 0 {
		return nil
	}
	spread, faults := *a.groups[builtinName], []error(nil)
	spread.Groups = slices.Clone(spread.Groups)
	for i := range spread.Groups {
		group := &spread.Groups[i]
		group.Rules = slices.Clone(group.Rules)
		for n, rule := range group.Rules {
			if strings.HasPrefix(rule.Alert, aboutMaster) {
				continue
			}
			byValue, changed := place(set, rule.Alert, hosts)
			next, err := alerts.Spread(rule, byValue, changed)
			faults = append(faults, err)
			group.Rules[n] = next
		}
	}
	a.builtin = &spread
	return errors.Join(faults...)
}

// applyThresholds applies the thresholds to the alerts of inspectors, and has those
// evaluated.
func (a *Alerts) applyThresholds() error {
	a.probing.Lock()
	defer a.probing.Unlock()
	a.mu.Lock()
	given := a.given
	a.mu.Unlock()
	return a.setProbesLocked(given)
}

// spread splits a probe: each alert with a threshold on some hosts gets a separate rule
// for the hosts with each value. An alert that compares no values with a number, such as
// that of a later revision, is left as it is, and the error names it; it can only be off.
func (t *thresholds) spread(p alerts.Probe, hosts map[string]scope.Labels) ([]alerts.Probe, error) {
	rest, apart, faults := p, []alerts.Probe(nil), []error(nil)
	rest.Said.Alerts = nil
	set := t.all()
	for _, one := range p.Said.Alerts {
		alone := p
		alone.Said.Alerts = p.Said.Alerts[:0:0]
		alone.Said.Alerts = append(alone.Said.Alerts, one)
		name, fitting := p.Name+"/"+one.Name, set
		if _, _, compares := p.Threshold(one.Name); !compares {
			fitting = onlyOff(set)
			if slices.ContainsFunc(set, func(t wire.AlertThreshold) bool { return t.Alert == name && !t.Off }) {
				faults = append(faults, fmt.Errorf("cannot use the threshold of %q: %w", name, errNoNumber))
			}
		}
		byValue, changed := place(fitting, name, hosts)
		if len(changed) == 0 {
			rest.Said.Alerts = append(rest.Said.Alerts, one)
			continue
		}
		if others, any := alone.Without(changed); any {
			apart = append(apart, others)
		}
		for _, value := range slices.Sorted(maps.Keys(byValue)) {
			if some, any := alone.On(byValue[value]); any {
				some.Limits = map[string]float64{one.Name: value}
				apart = append(apart, some)
			}
		}
	}
	return append([]alerts.Probe{rest}, apart...), errors.Join(faults...)
}

// onlyOff are the thresholds that turn alerts off.
func onlyOff(set []wire.AlertThreshold) (list []wire.AlertThreshold) {
	for _, one := range set {
		if one.Off {
			list = append(list, one)
		}
	}
	return list
}

// place says which hosts have which value of an alert, and which hosts have a value other
// than that of the source. The most specific selector wins, and of two the one that was
// set later.
func place(set []wire.AlertThreshold, alert string, hosts map[string]scope.Labels) (byValue map[float64][]string, changed []string) {
	wins := make(map[string]wire.AlertThreshold)
	for _, one := range set { // the most specific is the last
		selector, err := scope.ParseSelector(one.Selector)
		if one.Alert != alert || err != nil {
			continue
		}
		for name, host := range hosts {
			if selector.Matches(host) {
				wins[name] = one
			}
		}
	}
	byValue = make(map[float64][]string)
	for _, name := range slices.Sorted(maps.Keys(wins)) {
		changed = append(changed, name)
		if one := wins[name]; !one.Off {
			byValue[*one.Value] = append(byValue[*one.Value], name)
		}
	}
	return byValue, changed
}
