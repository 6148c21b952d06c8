package alert

import (
	"slices"
	"strings"

	amlabels "github.com/prometheus/alertmanager/pkg/labels"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/rules"

	"github.com/vedettehq/vedette/master/alert/route"
	"github.com/vedettehq/vedette/master/scope"
)

// A caller who is bound to some hosts sees the alerts of these hosts, silences that match
// no alert of another host, and rules that name no other host.

const labelHost = "host"

// sees reports whether a scope sees an alert. An alert without a host belongs to all
// hosts.
func sees(s scope.Scope, set model.LabelSet) bool { return s.Sees(string(set[labelHost])) }

// seesSilence reports whether a scope sees a silence: one that matches only alerts of its
// hosts, and names no other host.
func seesSilence(s scope.Scope, one *route.Silence) bool {
	if s.All() {
		return true
	}
	if one.Either || slices.ContainsFunc(one.Matchers, func(text string) bool { return names(s, text) }) {
		return false
	}
	return slices.ContainsFunc(one.Matchers, func(text string) bool { return within(s, text) })
}

// within reports whether a matcher matches only alerts of hosts that a scope sees.
func within(s scope.Scope, text string) bool {
	m, err := amlabels.ParseMatcher(text)
	if err != nil || m.Name != labelHost {
		return false
	}
	var hosts []string
	switch m.Type {
	case amlabels.MatchEqual:
		hosts = []string{m.Value}
	case amlabels.MatchRegexp:
		exact, err := labels.NewMatcher(labels.MatchRegexp, labelHost, m.Value)
		if err != nil {
			return false
		}
		hosts = exact.SetMatches() // none if it is not a list
	}
	return len(hosts) > 0 && !slices.ContainsFunc(hosts, func(host string) bool { return !s.Sees(host) })
}

// names reports whether a text has the name of a host that a scope does not see.
func names(s scope.Scope, text string) bool {
	if s.All() {
		return false
	}
	text = strings.ReplaceAll(text, `\`, "") // of regular expressions
	return slices.ContainsFunc(strings.FieldsFunc(text, notOfHosts), func(word string) bool {
		return s.Hides(word) || s.Hides(strings.Trim(word, ".-_"))
	})
}

// notOfHosts reports whether a character cannot be in the name of a host.
func notOfHosts(c rune) bool {
	return !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune("-_.", c))
}

// rulesFor are the rules of a group that a scope sees: those that name no other host.
func rulesFor(s scope.Scope, group *rules.Group) []rules.Rule {
	return slices.DeleteFunc(slices.Clone(group.Rules()), func(rule rules.Rule) bool {
		text := group.Name() + " " + group.File() + " " + rule.String()
		if alerting, ok := rule.(*rules.AlertingRule); ok {
			text += alerting.Annotations().String()
		}
		if err := rule.LastError(); err != nil {
			text += err.Error()
		}
		return names(s, text)
	})
}

// alertingFor are those of them that alert.
func alertingFor(s scope.Scope, group *rules.Group) (list []*rules.AlertingRule) {
	for _, rule := range rulesFor(s, group) {
		if alerting, ok := rule.(*rules.AlertingRule); ok {
			list = append(list, alerting)
		}
	}
	return list
}

// activeFor are the pending and firing alerts of a rule that a scope sees.
func activeFor(s scope.Scope, rule *rules.AlertingRule) []*rules.Alert {
	return slices.DeleteFunc(withoutKey(rule.ActiveAlerts()), func(one *rules.Alert) bool { return !s.Sees(one.Labels.Get(labelHost)) })
}

// stateFor is the state of a rule, computed from the alerts that a scope sees.
func stateFor(s scope.Scope, rule *rules.AlertingRule) rules.AlertState {
	if s.All() {
		return rule.State()
	}
	state := rules.StateInactive
	for _, one := range activeFor(s, rule) {
		state = max(state, one.State)
	}
	return state
}
