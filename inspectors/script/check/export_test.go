package check

import "github.com/vedettehq/vedette/inspectors"

// Findings shows the tests, which need the interpreter and so stand outside of
// the package, which rule found what.
func Findings(s inspectors.Script) []Finding { return findings(s) }

// Finding is a fault and its rule.
type Finding = finding

// Rule is the name of the rule that found the fault.
func (f finding) Rule() string { return f.rule }

// RuleNames are the names of all rules.
func RuleNames() []string {
	var names []string
	for _, r := range rules() {
		names = append(names, r.name)
	}
	return names
}
