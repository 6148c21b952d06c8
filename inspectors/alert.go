package inspectors

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Bounds of the alerts in a script.
const (
	// MaxAlerts is how many alerts one script may have.
	MaxAlerts = 32
	// MaxAlertBytes is how long a directive of an alert may be.
	MaxAlertBytes = 4096
	// DefaultAlertKeep is how long an alert continues by default after its
	// condition has ended, so that a value at the border does not make it come and
	// go.
	DefaultAlertKeep = 5 * time.Minute
	// maxAlertTime bounds for and keep.
	maxAlertTime = 7 * 24 * time.Hour
)

// Alert is a condition that a script declares to be a problem, in the directive
//
//	//vedette:alert NAME SEVERITY EXPR [clear OP NUMBER] [for D] [keep D] ["SUMMARY"]
//
// Package inspectors reads its words, but not its expression: that is PromQL, and
// the business of package alerts.
type Alert struct {
	// Name follows that of the inspector: filling of disk is disk/filling.
	Name string
	// Severity is info, warning or critical.
	Severity string
	// Expr is PromQL; its names are those of the script's own values.
	Expr string
	// ClearOp and Clear say when a firing alert ends, such as < 85 after > 90.
	// ClearOp is "" if the alert ends when Expr no longer holds.
	ClearOp string
	Clear   float64
	// For is how long Expr must hold before the alert fires, and Keep how long the
	// alert continues after that.
	For, Keep time.Duration
	// Summary is a Prometheus template, or empty.
	Summary string
	// At is the place of Expr, and ClearAt that of clear.
	At, ClearAt Diagnostic
}

// severities are the possible severities of an alert.
func severities() []string { return []string{"info", "warning", "critical"} }

// alert reads one directive of an alert.
func (p *directiveParser) alert(at Diagnostic, value string, offset int) {
	if len(value) > MaxAlertBytes {
		p.fault(at, fmt.Sprintf("the alert is %d bytes long; at most %d are allowed", len(value), MaxAlertBytes), "")
		return
	}
	a, begin, clearAt, err := parseAlert(value)
	if err != nil {
		p.fault(at, "alert: "+err.Error(), "write "+directivePrefix+example("alert"))
		return
	}
	for _, other := range p.result.Alerts {
		if other.Name == a.Name {
			p.fault(at, "the alert "+Quote(a.Name)+" is given twice", "give each its own name")
			return
		}
	}
	if len(p.result.Alerts) == MaxAlerts {
		p.fault(at, fmt.Sprintf("there are more than %d alerts", MaxAlerts), "")
		return
	}
	a.At = at
	a.At.Col += offset + begin
	if a.ClearOp != "" {
		a.ClearAt = at
		a.ClearAt.Col += offset + clearAt
	}
	p.result.Alerts = append(p.result.Alerts, a)
}

// alertTimes matches for D and keep D at the end of an expression.
var alertTimes = regexp.MustCompile(`^(.*\S)\s+(for|keep)(?:\s+(\S+))?$`)

// alertClear matches clear OP NUMBER at the end of an expression.
var alertClear = regexp.MustCompile(`^(.*\S)\s+clear(?:\s+([<>]=?)?\s*(\S*))?$`)

// parseClear removes clear OP NUMBER from the end of an expression, if it is
// there, and returns where it was.
func (a *Alert) parseClear(expr string) (rest string, at int, err error) {
	found := alertClear.FindStringSubmatch(expr)
	if found == nil {
		return expr, 0, nil
	}
	v, err := strconv.ParseFloat(found[3], 64)
	if found[2] == "" || err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return expr, 0, fmt.Errorf("clear: %s is not a comparison with a number; write it as clear < 85", Quote(strings.TrimSpace(found[2]+" "+found[3])))
	}
	a.ClearOp, a.Clear = found[2], v
	return found[1], len(found[1]) + strings.Index(expr[len(found[1]):], "clear"), nil
}

// parseAlert reads NAME SEVERITY EXPR [clear OP NUMBER] [for D] [keep D]
// ["SUMMARY"], and returns where EXPR and clear begin.
func parseAlert(text string) (a Alert, begin, clearAt int, err error) {
	a.Keep = DefaultAlertKeep
	rest := text
	word := func() (w string) {
		w, rest, _ = strings.Cut(rest, " ")
		rest = strings.TrimLeft(rest, " \t")
		return w
	}
	a.Name, a.Severity = word(), word()
	begin = len(text) - len(rest)
	if err := validateSegment(a.Name); err != nil {
		return a, 0, 0, fmt.Errorf("its name: %w", err)
	}
	if !slices.Contains(severities(), a.Severity) {
		return a, 0, 0, fmt.Errorf("%s is not a severity; use %s", Quote(a.Severity), strings.Join(severities(), ", "))
	}
	expr, summary := splitSummary(rest)
	expr, a.Summary = strings.TrimSpace(expr), summary
	given := make(map[string]bool)
	for {
		found := alertTimes.FindStringSubmatch(expr)
		if found == nil {
			break
		}
		d, err := parseAlertTime(found[3])
		switch {
		case err != nil:
			return a, 0, 0, fmt.Errorf("%s: %w", found[2], err)
		case given[found[2]]:
			return a, 0, 0, fmt.Errorf("%s is given twice", found[2])
		case found[2] == "for":
			a.For = d
		default:
			a.Keep = d
		}
		expr, given[found[2]] = found[1], true
	}
	expr, at, err := a.parseClear(expr)
	if err != nil {
		return a, 0, 0, err
	}
	clearAt = begin + at
	if a.Expr = expr; a.Expr == "" {
		return a, 0, 0, errors.New("it has no expression")
	}
	return a, begin, clearAt, nil
}

// splitSummary removes the quoted text at the end of an alert. It begins with the
// first quote that is neither within brackets nor within another string, so that
// quotes within it need no backslash.
func splitSummary(text string) (expr, summary string) {
	depth, quoted := 0, byte(0)
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case quoted != 0 && c == '\\' && quoted != '`':
			i++
		case quoted != 0:
			if c == quoted {
				quoted = 0
			}
		case depth == 0 && c == '"' && i > 0 && strings.HasSuffix(text, `"`) && len(text) > i+1:
			all := text[i:]
			if plain, err := strconv.Unquote(all); err == nil {
				return text[:i], plain
			}
			return text[:i], all[1 : len(all)-1]
		case c == '"' || c == '\'' || c == '`':
			quoted = c
		case strings.IndexByte("({[", c) >= 0:
			depth++
		case strings.IndexByte(")}]", c) >= 0:
			depth--
		}
	}
	return text, ""
}

// parseAlertTime reads a time of for or keep; a day is 1d.
func parseAlertTime(text string) (time.Duration, error) {
	plain, factor := text, time.Duration(1)
	if days, found := strings.CutSuffix(text, "d"); found {
		plain, factor = days+"h", 24
	}
	d, err := time.ParseDuration(plain)
	switch {
	case err != nil:
		return 0, fmt.Errorf("%s is not a time; write it as 90s, 10m or 1d", Quote(text))
	case d < 0 || d > maxAlertTime/factor:
		return 0, fmt.Errorf("%s is not between 0s and %dd", text, maxAlertTime/(24*time.Hour))
	}
	return d * factor, nil
}

// about reads a directive about one of the script's values.
func (p *directiveParser) about(at Diagnostic, directive, value string, all *map[string]string) {
	name, text, _ := strings.Cut(value, " ")
	text = strings.TrimSpace(text)
	err := ValidateKey(name)
	switch {
	case err != nil:
		p.fault(at, directive+": "+err.Error(), "")
		return
	case text == "":
		p.fault(at, directivePrefix+directive+" "+name+" says nothing", "write "+directivePrefix+example(directive))
		return
	case len(text) > MaxLabelValueBytes || strings.ContainsFunc(text, unprintable):
		p.fault(at, fmt.Sprintf("%s of %s is not a line of at most %d printable bytes", directive, name, MaxLabelValueBytes), "")
		return
	}
	if _, twice := (*all)[name]; twice {
		p.fault(at, directivePrefix+directive+" "+name+" is given twice", "keep one")
		return
	}
	if *all == nil {
		*all = make(map[string]string)
	}
	(*all)[name] = text
}

// runbook reads the address of a page.
func (p *directiveParser) runbook(at Diagnostic, value string) {
	u, err := url.Parse(value)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		p.fault(at, "runbook "+Quote(value)+" is not the address of a page", "write "+directivePrefix+example("runbook"))
		return
	}
	p.result.Runbook = value
}
