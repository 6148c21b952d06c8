package alerts

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
)

// Compares returns the number with which the expression of a rule compares values, and the
// operator; ok is false if it compares with none.
func Compares(rule rulefmt.Rule) (op string, limit float64, ok bool) {
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(rule.Expr)
	if err != nil {
		return "", 0, false
	}
	_, item, limit, ok := compares(expr)
	return item.String(), limit, ok
}

// Spread returns a rule with other thresholds for some hosts: the hosts of each value are
// compared with that value. Hosts that are changed but have no value have no alert. The
// hosts of all values must be among the changed ones.
func Spread(rule rulefmt.Rule, byValue map[float64][]string, changed []string) (rulefmt.Rule, error) {
	if len(changed) == 0 {
		return rule, nil
	}
	others, err := onHosts(rule.Expr, labels.MatchNotRegexp, changed)
	if err != nil {
		return rule, err
	}
	parts := []string{"(" + others.String() + ")"}
	for _, value := range slices.Sorted(maps.Keys(byValue)) {
		some, err := onHosts(rule.Expr, labels.MatchRegexp, byValue[value])
		if err != nil {
			return rule, err
		}
		if !compareWith(some, value) {
			return rule, fmt.Errorf("cannot change the threshold of %q: its expression compares no values with one number", rule.Alert)
		}
		parts = append(parts, "("+some.String()+")")
	}
	rule.Expr = strings.Join(parts, " or ")
	return rule, nil
}

// onHosts restricts an expression to the series of some hosts, or to those of all other
// hosts.
func onHosts(text string, kind labels.MatchType, hosts []string) (parser.Expr, error) {
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(text)
	if err != nil {
		return nil, err
	}
	matcher, err := labels.NewMatcher(kind, labelHost, anyOf(hosts))
	if err != nil {
		return nil, err
	}
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		if selector, is := node.(*parser.VectorSelector); is {
			selector.LabelMatchers = append(selector.LabelMatchers, matcher)
		}
		return nil
	})
	return expr, nil
}
