// Package alerts makes Prometheus rules of the alerts that inspectors declare.
//
// In the expression of an alert, a name is that of one of the inspector's own values:
// used_percent of disk is disk_used_percent, and value is the value of an inspector that
// yields only one. A selector without a name, {__name__="load_average_1"}, is left as it
// is. Agents do not link this package, because it needs PromQL.
package alerts

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/vedettehq/vedette/inspectors"
)

// Labels that the alerts of inspectors have in addition to those of their series.
const (
	labelSeverity  = "severity"
	labelInspector = "inspector"
	labelHost      = "host"
	labelKey       = "key"
	// value is the name for the value of an inspector that yields only one.
	value = "value"
)

// Probe is an inspector as far as its alerts need it.
type Probe struct {
	// Name is the inspector's own, and Said the directives of its source.
	Name string
	Said inspectors.Directives
	// Hosts are the hosts whose series count; nil is every host. With Except they are the
	// hosts whose series do not count.
	Hosts  []string
	Except bool
	// Own says that the inspector is in the hosts' own configuration. Then each of its
	// alerts is about one host, whatever the expression says, so that no host speaks for
	// another.
	Own bool
	// Interval is the time between two runs; 0 is that of the source. The value of the last
	// run holds until the next one, even if that is longer than queries look back.
	Interval time.Duration
	// Limits are numbers to compare with instead of those in the source, by the name of the
	// alert. The limit at which an alert ends is shifted by as much.
	Limits map[string]float64
}

// Queries look back for lookBack. For an inspector that runs less often than rarely, they
// look back over two of its intervals.
const (
	lookBack = 5 * time.Minute
	rarely   = lookBack / 2
)

// On returns the probe on those of its hosts that are among some; any is false if there is
// none.
func (p Probe) On(hosts []string) (on Probe, any bool) {
	switch {
	case p.Hosts == nil:
		p.Hosts = hosts
	default:
		p.Hosts = slices.DeleteFunc(slices.Clone(hosts), func(host string) bool { return slices.Contains(p.Hosts, host) == p.Except })
	}
	p.Except = false
	return p, len(p.Hosts) > 0
}

// Without returns the probe on those of its hosts that are not among some; any is false if
// there is none.
func (p Probe) Without(hosts []string) (rest Probe, any bool) {
	switch {
	case p.Hosts == nil:
		p.Hosts, p.Except = hosts, true
	case p.Except:
		p.Hosts = slices.Concat(p.Hosts, hosts)
	default:
		p.Hosts = slices.DeleteFunc(slices.Clone(p.Hosts), func(host string) bool { return slices.Contains(hosts, host) })
	}
	return p, len(p.Hosts) > 0
}

// Check returns the faults in the alerts of a script, each with its place.
func Check(d inspectors.Definition) inspectors.Diagnostics {
	if d.Script == nil {
		return nil
	}
	said, err := d.Script.Directives()
	if err != nil {
		return nil // reported elsewhere
	}
	_, faults := Rules(Probe{Name: d.Name, Said: said})
	return faults
}

// Rules returns the rules of probes that are revisions of one inspector on different hosts.
// An alert that several of them have is one rule, so its state survives a rollout. The
// faults have the places of the expressions; a faulty alert has no rule.
func Rules(probes ...Probe) (list []rulefmt.Rule, faults inspectors.Diagnostics) {
	for _, p := range probes {
		for _, a := range p.Said.Alerts {
			rule, err := p.rule(a)
			if err != nil {
				faults = append(faults, err...)
				continue
			}
			made := []rulefmt.Rule{rule}
			if p.Own {
				made = p.apart(a, rule)
			}
			for _, one := range made {
				list = join(list, one)
			}
		}
	}
	return list, faults
}

// join adds a rule to a list, and merges rules of the same alert.
func join(list []rulefmt.Rule, rule rulefmt.Rule) []rulefmt.Rule {
	same := slices.IndexFunc(list, func(other rulefmt.Rule) bool {
		return other.Alert == rule.Alert && maps.Equal(other.Labels, rule.Labels)
	})
	if same < 0 {
		return append(list, rule)
	}
	rule.Expr = fmt.Sprintf("(%s) or (%s)", list[same].Expr, rule.Expr)
	list[same] = rule
	return list
}

// condition reads the expression of one alert, and the first of the inspector's own names
// in it.
func (p Probe) condition(a inspectors.Alert) (expr parser.Expr, own string, faults inspectors.Diagnostics) {
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(a.Expr)
	if err != nil {
		return nil, "", placed(a, err)
	}
	if t := expr.Type(); t != parser.ValueTypeVector {
		return nil, "", fault(a, 0, fmt.Sprintf("the expression gives a %s, and an alert is for the series of a vector", parser.DocumentedType(t)),
			"compare a value, such as used_percent > 90")
	}
	if own = p.rename(expr); own == "" {
		return nil, "", fault(a, 0, "the expression names none of the inspector's own values", "compare one of them, such as used_percent > 90")
	}
	if every := cmp.Or(p.Interval, p.Said.Interval); every > rarely {
		expr = lookBackFor(expr, 2*every+time.Minute)
	}
	if limit, set := p.Limits[a.Name]; set && !compareWith(expr, limit) {
		return nil, "", fault(a, 0, "the expression compares no values with one number, so it has no threshold to change", "compare values with a number")
	}
	return expr, own, nil
}

// compareWith makes an expression that compares values with a number compare them with
// another one.
func compareWith(expr parser.Expr, limit float64) bool {
	b, ok := bare(expr).(*parser.BinaryExpr)
	if _, _, _, compared := compares(expr); !ok || !compared {
		return false
	}
	b.RHS = &parser.NumberLiteral{Val: limit}
	return true
}

// Threshold returns the number with which an alert compares values, and the operator; ok is
// false if the alert compares with no number or does not exist.
func (p Probe) Threshold(name string) (op string, limit float64, ok bool) {
	for _, a := range p.Said.Alerts {
		if a.Name != name {
			continue
		}
		if expr, _, faults := p.condition(a); faults == nil {
			_, item, number, is := compares(expr)
			return item.String(), number, is
		}
	}
	return "", 0, false
}

// bare is an expression without the brackets around it.
func bare(expr parser.Expr) parser.Expr {
	for {
		inner, is := expr.(*parser.ParenExpr)
		if !is {
			return expr
		}
		expr = inner.Expr
	}
}

// compares splits an expression that compares values with a number.
func compares(expr parser.Expr) (values parser.Expr, op parser.ItemType, limit float64, ok bool) {
	b, ok := bare(expr).(*parser.BinaryExpr)
	if !ok || !b.Op.IsComparisonOperator() || b.ReturnBool || b.LHS.Type() != parser.ValueTypeVector {
		return nil, 0, 0, false
	}
	limit, ok = number(b.RHS)
	return b.LHS, b.Op, limit, ok
}

// untilClear makes an alert that fires continue until its values are clear. The series
// ALERTS says which alerts fire.
func (p Probe) untilClear(a inspectors.Alert, expr parser.Expr) (string, inspectors.Diagnostics) {
	wrong := func(message, fix string) (string, inspectors.Diagnostics) {
		d := a.ClearAt
		d.Message, d.Fix = fmt.Sprintf("alert %s: %s", a.Name, message), fix
		return "", inspectors.Diagnostics{d}
	}
	values, op, limit, ok := compares(expr)
	if _, set := p.Limits[a.Name]; set && ok {
		original := p
		original.Limits = nil
		_, before, _ := original.Threshold(a.Name)
		a.Clear += limit - before
	}
	above := op == parser.GTR || op == parser.GTE
	if !ok || !above && op != parser.LSS && op != parser.LTE {
		return wrong("clear is for an expression that compares values with a number", "write it as used_percent > 90 clear < 85")
	}
	stay := map[string]string{"<": ">=", "<=": ">", ">": "<=", ">=": "<"}[a.ClearOp]
	switch {
	case above != strings.HasPrefix(a.ClearOp, "<"):
		return wrong(fmt.Sprintf("clear %s %g is on the same side as %s %g", a.ClearOp, a.Clear, op, limit),
			fmt.Sprintf("write it as clear %s %g", map[bool]string{true: "<", false: ">"}[above], a.Clear))
	case above && a.Clear > limit, !above && a.Clear < limit:
		return wrong(fmt.Sprintf("clear %s %g holds already when the alert fires at %s %g", a.ClearOp, a.Clear, op, limit),
			"choose a number on the other side of it")
	}
	ignored := []string{model.AlertNameLabel, "alertstate", labelSeverity, labelInspector}
	firing := fmt.Sprintf(`ALERTS{alertname=%q, alertstate="firing", severity=%q}`, p.Name+"/"+a.Name, a.Severity)
	if p.Own && len(p.Hosts) == 1 && !splitsByHost(expr) {
		ignored = append(ignored, labelHost)
		firing = fmt.Sprintf(`ALERTS{alertname=%q, alertstate="firing", severity=%q, host=%q}`, p.Name+"/"+a.Name, a.Severity, p.Hosts[0])
	}
	return fmt.Sprintf("%s or (%s %s %s and ignoring (%s) %s)", expr, values, stay, strconv.FormatFloat(a.Clear, 'g', -1, 64),
		strings.Join(ignored, ", "), firing), nil
}

// rule makes the rule of one alert.
func (p Probe) rule(a inspectors.Alert) (rulefmt.Rule, inspectors.Diagnostics) {
	expr, own, faults := p.condition(a)
	if faults != nil {
		return rulefmt.Rule{}, faults
	}
	text := expr.String()
	if a.ClearOp != "" {
		if text, faults = p.untilClear(a, expr); faults != nil {
			return rulefmt.Rule{}, faults
		}
	}
	rule := rulefmt.Rule{
		Alert: p.Name + "/" + a.Name, Expr: text, For: model.Duration(a.For), KeepFiringFor: model.Duration(a.Keep),
		Labels:      map[string]string{labelSeverity: a.Severity, labelInspector: p.Name},
		Annotations: map[string]string{"summary": cmp.Or(a.Summary, p.summary(a, own))},
	}
	for name, text := range map[string]string{
		"description": escapeTemplate(p.Said.Helps[own]), "unit": escapeTemplate(p.Said.Units[own]),
		"runbook_url": p.Said.Runbook,
	} {
		if text != "" {
			rule.Annotations[name] = text
		}
	}
	for _, wrong := range rule.Validate(rulefmt.RuleNode{}, model.UTF8Validation, parser.NewParser(parser.Options{})) {
		faults = append(faults, fault(a, 0, wrong.Error(), "")...)
	}
	return rule, faults
}

// apart makes the rules of an alert that is about each host alone, from the rule for all.
// The hosts share one rule if that gives the same as a rule for each.
func (p Probe) apart(a inspectors.Alert, all rulefmt.Rule) (list []rulefmt.Rule) {
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(all.Expr)
	if err == nil && splitsByHost(expr) {
		return []rulefmt.Rule{all}
	}
	for _, host := range p.Hosts {
		one := p
		one.Hosts = []string{host}
		if rule, faults := one.rule(a); faults == nil {
			rule.Labels[labelHost] = host
			list = append(list, rule)
		}
	}
	return list
}

// splitsByHost reports whether an expression gives the same for the series of several hosts
// together as for those of each host alone.
func splitsByHost(expr parser.Expr) bool {
	splits := true
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		switch n := node.(type) {
		case *parser.AggregateExpr:
			splits = splits && n.Op != parser.COUNT_VALUES && n.Without != slices.Contains(n.Grouping, labelHost)
		case *parser.BinaryExpr:
			if m := n.VectorMatching; m != nil {
				splits = splits && m.On == slices.Contains(m.MatchingLabels, labelHost) && !slices.Contains(m.Include, labelHost)
			}
		case *parser.Call:
			loses := []string{"absent", "absent_over_time", "scalar", "vector", "label_replace", "label_join", "info"}
			splits = splits && !slices.Contains(loses, n.Func.Name) && (len(n.Args) > 0 || n.Func.ReturnType == parser.ValueTypeScalar)
		}
		return nil
	})
	return splits
}

// rename gives the inspector's own values their names in the history, restricts selectors
// to the probe's hosts, and returns the first own name. Values of one inspector have
// different keys, so operators ignore the label key.
func (p Probe) rename(expr parser.Expr) (own string) {
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		if b, ok := node.(*parser.BinaryExpr); ok && b.VectorMatching != nil && !b.VectorMatching.On {
			b.VectorMatching.MatchingLabels = append(b.VectorMatching.MatchingLabels, labelKey)
		}
		v, ok := node.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		if v.Name != "" {
			own = cmp.Or(own, v.Name)
			v.Name = p.metric(v.Name)
			for i, m := range v.LabelMatchers {
				if m.Name == model.MetricNameLabel {
					v.LabelMatchers[i] = labels.MustNewMatcher(labels.MatchEqual, model.MetricNameLabel, v.Name)
				}
			}
		}
		if p.Hosts != nil {
			v.LabelMatchers = append(v.LabelMatchers, p.hostMatcher())
		}
		return nil
	})
	return own
}

// lookBackFor makes the selectors of an expression that give single values look back for a
// time.
func lookBackFor(expr parser.Expr, span time.Duration) parser.Expr {
	switch e := expr.(type) {
	case *parser.VectorSelector:
		return &parser.Call{Func: parser.Functions["last_over_time"], Args: parser.Expressions{&parser.MatrixSelector{VectorSelector: e, Range: span}}}
	case *parser.AggregateExpr:
		e.Expr = lookBackFor(e.Expr, span)
		if e.Param != nil {
			e.Param = lookBackFor(e.Param, span)
		}
	case *parser.BinaryExpr:
		e.LHS, e.RHS = lookBackFor(e.LHS, span), lookBackFor(e.RHS, span)
	case *parser.Call:
		if e.Func.Name == "timestamp" {
			return e // of the sample itself
		}
		for i, arg := range e.Args {
			e.Args[i] = lookBackFor(arg, span)
		}
	case *parser.ParenExpr:
		e.Expr = lookBackFor(e.Expr, span)
	case *parser.UnaryExpr:
		e.Expr = lookBackFor(e.Expr, span)
	case *parser.SubqueryExpr:
		e.Expr = lookBackFor(e.Expr, span)
	}
	return expr
}

// hostMatcher restricts a selector to the probe's hosts.
func (p Probe) hostMatcher() *labels.Matcher {
	kind := labels.MatchRegexp
	if p.Except {
		kind = labels.MatchNotRegexp
	}
	return labels.MustNewMatcher(kind, labelHost, anyOf(p.Hosts))
}

// metric is the stored name of one of the inspector's own values.
func (p Probe) metric(name string) string {
	if name == value {
		return inspectors.MetricName(p.Name)
	}
	return inspectors.MetricName(inspectors.JoinKey(p.Name, name))
}

// summary is the text of an alert without a summary.
func (p Probe) summary(a inspectors.Alert, own string) string {
	text := fmt.Sprintf("%s/%s on {{ $labels.host }}: {{ $value }}", p.Name, a.Name)
	if unit := p.Said.Units[own]; unit != "" {
		text += " " + escapeTemplate(unit)
	}
	return text
}

// escapeTemplate returns a template that yields the text.
func escapeTemplate(text string) string { return strings.ReplaceAll(text, "{{", `{{ "{{" }}`) }

// anyOf returns an expression that matches each of the names, and nothing else.
func anyOf(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = strings.ReplaceAll(name, ".", `\.`) // the only special character in a host's name
	}
	return strings.Join(quoted, "|")
}

// placed returns the faults of an expression, each at its place.
func placed(a inspectors.Alert, err error) (faults inspectors.Diagnostics) {
	var all parser.ParseErrors
	if !errors.As(err, &all) {
		return fault(a, 0, err.Error(), "")
	}
	for _, e := range all {
		faults = append(faults, fault(a, int(e.PositionRange.Start), e.Err.Error(), "")...)
	}
	return faults
}

// fault is one fault of an alert, at a byte of its expression.
func fault(a inspectors.Alert, at int, message, fix string) inspectors.Diagnostics {
	d := a.At
	d.Col += at
	d.Message, d.Fix = fmt.Sprintf("alert %s: %s", a.Name, message), fix
	return inspectors.Diagnostics{d}
}
