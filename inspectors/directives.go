package inspectors

import (
	"fmt"
	"go/scanner"
	"go/token"
	"slices"
	"strings"
	"time"

	"github.com/vedettehq/vedette/internal/nearest"
)

// Directives are what a script says about itself in the comments before its
// package clause:
//
//	//vedette:name disk
//	//vedette:interval 10s
//	//vedette:timeout 2s
//	//vedette:budget cpu=100ms heap=64MiB output=1MiB series=1000
//	//vedette:isolation own
//	//vedette:needs net fs:/var/log/app exec:/usr/bin/uptime
//	//vedette:alert filling warning used_percent > 90 for 10m "{{ $labels.mount }} is {{ $value }} % full"
//	//vedette:unit used_percent percent
//	//vedette:help used_percent share of the space that is in use
//	//vedette:runbook https://wiki.example.org/disk
//
// A configuration, and whoever pushes the script, may override each of the first
// five: what a script needs, and what it says about its values, is a matter of its
// code alone. A directive whose name begins with x- is for others, such as a later
// version, and is passed over.
type Directives struct {
	// Name is the inspector's key, or empty.
	Name string
	// Interval is the time between runs, or 0.
	Interval time.Duration
	// Timeout is the longest that one run may take, or 0.
	Timeout time.Duration
	// Budget is what it may take; a field that is not given is zero.
	Budget Budget
	// Isolation is the process that it runs in, or empty.
	Isolation Isolation
	// Needs are the things that it reaches.
	Needs Needs
	// Alerts are the conditions that it declares to be problems, in their order.
	Alerts []Alert
	// Units and Helps are the units and the descriptions of values, by the names
	// of the values.
	Units, Helps map[string]string
	// Runbook is the address of a page about the alerts, or empty.
	Runbook string
	// AlertLines are the directives from which Alerts, Units, Helps and Runbook
	// were read, as written, without the common prefix.
	AlertLines []string
	// PassedOver are directives that are meant for others.
	PassedOver Diagnostics
}

// ParseAlertLines reads the AlertLines of an inspector, and nothing else. file is
// the name of the place in errors.
func ParseAlertLines(file string, lines []string) (Directives, error) {
	if len(lines) == 0 {
		return Directives{}, nil
	}
	for i, line := range lines {
		if name, _, _ := strings.Cut(line, " "); !slices.Contains(alertDirectives(), name) || strings.ContainsAny(line, "\r\n") {
			return Directives{}, Diagnostics{{File: file, Line: i + 1, Col: 1, Message: fmt.Sprintf("%s is not a directive about alerts", Quote(line))}}
		}
	}
	return ParseDirectives(file, directivePrefix+strings.Join(lines, "\n"+directivePrefix)+"\npackage p\n")
}

// alertDirectives are the directives that go into AlertLines.
func alertDirectives() []string { return []string{"alert", "unit", "help", "runbook"} }

// passedOver begins the names of directives that are meant for others.
const passedOver = "x-"

// directivePrefix starts every directive, at the start of a line comment.
const directivePrefix = "//vedette:"

// ParseDirectives reads the directives of a script that starts on the first
// line of file, which only errors mention. The error is Diagnostics: every
// unknown, repeated, misplaced or malformed directive at once.
//
// It reads the comments only: a script that is not valid Go may still have
// valid directives.
func ParseDirectives(file, source string) (Directives, error) {
	return Script{File: file, Source: source}.Directives()
}

// Directives reads the directives of the script; see ParseDirectives. Places are
// in the file that contains the script.
func (s Script) Directives() (Directives, error) {
	p := directiveParser{script: s, seen: make(map[string]bool)}
	fset := token.NewFileSet()
	file := fset.AddFile(s.File, -1, len(s.Source))
	var sc scanner.Scanner
	sc.Init(file, []byte(s.Source), func(token.Position, string) {}, scanner.ScanComments)
	for head := true; ; {
		pos, tok, text := sc.Scan()
		if tok == token.EOF {
			break
		}
		if tok != token.COMMENT {
			head = false
			continue
		}
		// Unadjusted: a //line comment moves no directive.
		at := file.PositionFor(pos, false)
		p.comment(s.Place(at.Line, at.Column), text, head)
	}
	if d := p.result; len(p.faults) == 0 && d.Timeout > 0 && d.Interval > 0 && d.Timeout > d.Interval {
		p.fault(p.timeoutAt, fmt.Sprintf("timeout %v is longer than the interval %v", d.Timeout, d.Interval), "a run must end before the next is due")
	}
	if err := p.faults.Err(); err != nil {
		return Directives{}, err
	}
	return p.result, nil
}

// Place returns an empty diagnostic at a line and column of the source, both
// counted from 1, as a place in the file that contains the source.
func (s Script) Place(line, col int) Diagnostic {
	if col > 0 {
		col += s.Indent
	}
	return Diagnostic{File: s.File, Line: line + max(s.Line, 1) - 1, Col: col}
}

type directiveParser struct {
	script    Script
	result    Directives
	seen      map[string]bool
	timeoutAt Diagnostic
	faults    Diagnostics
}

func (p *directiveParser) fault(at Diagnostic, message, fix string) {
	at.Message, at.Fix = message, fix
	p.faults = append(p.faults, at)
}

func (p *directiveParser) comment(at Diagnostic, text string, head bool) {
	text = strings.TrimRight(text, "\r")
	rest, found := strings.CutPrefix(text, directivePrefix)
	if !found {
		if line, ok := strings.CutPrefix(text, "//"); ok && strings.HasPrefix(strings.TrimLeft(line, " \t"), "vedette:") {
			p.fault(at, "a directive has a space after //", "write "+Quote("//"+strings.TrimLeft(line, " \t")))
		}
		return
	}
	name, value, _ := strings.Cut(rest, " ")
	value = strings.TrimSpace(value)
	names := []string{"name", "interval", "timeout", "budget", "isolation", "needs", "alert", "unit", "help", "runbook"}
	known := slices.Contains(names, name)
	switch {
	case strings.HasPrefix(name, passedOver):
		at.Message = directivePrefix + name + " is not known here, and is ignored"
		p.result.PassedOver = append(p.result.PassedOver, at)
	case !known:
		last := len(names) - 1
		fix := "use " + strings.Join(names[:last], ", ") + " or " + names[last]
		if near := nearest.Word(name, names); near != "" {
			fix = "did you mean " + directivePrefix + near + "?"
		}
		p.fault(at, "unknown directive "+Quote(directivePrefix+name), fix)
	case !head:
		p.fault(at, directivePrefix+name+" is below the package clause", "move it above")
	case p.seen[name] && !slices.Contains([]string{"alert", "unit", "help"}, name):
		p.fault(at, directivePrefix+name+" is given twice", "keep one")
	case value == "":
		p.fault(at, directivePrefix+name+" has no value", "write "+directivePrefix+example(name))
	case name == "alert":
		p.alert(at, value, len(strings.TrimRight(text, " \t"))-len(value))
	default:
		p.set(at, name, value)
	}
	if slices.Contains(alertDirectives(), name) {
		p.result.AlertLines = append(p.result.AlertLines, name+" "+value)
	}
	p.seen[name] = true
}

func (p *directiveParser) set(at Diagnostic, name, value string) {
	switch name {
	case "name":
		if err := ValidateKey(value); err != nil {
			p.fault(at, err.Error(), "")
		}
		p.result.Name = value
	case "interval":
		d := p.duration(at, name, value)
		if d != 0 && (d < MinInterval || d > MaxInterval) {
			p.fault(at, fmt.Sprintf("interval %s is not between %v and %v", value, MinInterval, MaxInterval), "")
		}
		p.result.Interval = d
	case "timeout":
		d := p.duration(at, name, value)
		if d > MaxInterval {
			p.fault(at, fmt.Sprintf("timeout %s is longer than %v", value, MaxInterval), "")
		}
		p.result.Timeout, p.timeoutAt = d, at
	case "budget":
		budget, err := ParseBudget(value)
		if err != nil {
			p.fault(at, "budget: "+strings.ReplaceAll(err.Error(), "\n", "; "), "")
		}
		p.result.Budget = budget
	case "isolation":
		p.result.Isolation = Isolation(value)
		if err := p.result.Isolation.Validate(); err != nil {
			p.fault(at, err.Error(), "")
		}
	case "needs":
		needs, err := ParseNeeds(value)
		if err != nil {
			p.fault(at, "needs: "+strings.ReplaceAll(err.Error(), "\n", "; "), "")
		}
		p.result.Needs = needs
	case "unit":
		p.about(at, name, value, &p.result.Units)
	case "help":
		p.about(at, name, value, &p.result.Helps)
	case "runbook":
		p.runbook(at, value)
	}
}

// duration parses a positive duration, or reports a fault and returns 0.
func (p *directiveParser) duration(at Diagnostic, name, value string) time.Duration {
	d, err := time.ParseDuration(value)
	switch {
	case err != nil && strings.Trim(value, "0123456789.") == "":
		p.fault(at, fmt.Sprintf("%s %s has no unit", name, Quote(value)), "write "+value+"s for seconds")
	case err != nil:
		p.fault(at, fmt.Sprintf("%s %s is not a duration", name, Quote(value)), "write "+directivePrefix+example(name))
	case d <= 0:
		p.fault(at, fmt.Sprintf("%s %s is not above 0", name, value), "write "+directivePrefix+example(name))
	default:
		return d
	}
	return 0
}

func example(name string) string {
	switch name {
	case "name":
		return "name load/average-1"
	case "interval":
		return "interval 10s"
	case "budget":
		return "budget cpu=100ms series=1000"
	case "isolation":
		return "isolation own"
	case "needs":
		return "needs net fs:/var/log/app"
	case "alert":
		return "alert filling warning used_percent > 90 for 10m"
	case "unit":
		return "unit used_percent percent"
	case "help":
		return "help used_percent share of the space that is in use"
	case "runbook":
		return "runbook https://wiki.example.org/disk"
	}
	return "timeout 2s"
}
