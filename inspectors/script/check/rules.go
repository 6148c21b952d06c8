package check

import "go/ast"

// rule refuses one thing that is not in the language.
type rule struct {
	// name distinguishes rules in tests; authors do not see it.
	name string
	// visit looks at one node, whose ancestors are in the path, and records its faults.
	visit func(*pass, ast.Node)
}

// rules returns all rules. A rule that needs a whole file looks at *ast.File.
func rules() []rule {
	return []rule{
		// Not in the language of inspectors.
		{"goroutine", goroutine},
		{"comment", comment},
		{"shared", sharedVariable},
		{"process", processControl},
		{"label", labelNames},

		// Values of the script in the library.
		{"fmttype", printedType},
		{"jsonfield", encodedFields},
		{"jsonmethod", encodingMethod},
	}
}

// applyRules shows every node of the file to every rule, and collects the findings.
func (p *pass) applyRules() {
	all := rules()
	p.gather()
	p.walk(func(n ast.Node) {
		for i := range all {
			p.rule = all[i].name
			all[i].visit(p, n)
		}
	})
}
