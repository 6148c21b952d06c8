package check

import "go/ast"

// rule is one thing that is not in the language.
type rule struct {
	// name tells rules apart in tests; authors do not see it.
	name string
	// visit looks at one node, whose ancestors are in the path, and records
	// what is wrong with it.
	visit func(*pass, ast.Node)
}

// rules returns all rules. Those that need a whole file ask for *ast.File.
func rules() []rule {
	return []rule{
		// Not in the language of inspectors.
		{"goroutine", goroutine},
		{"generic", generic},
		{"builtin", builtin},
		{"comment", comment},
		{"shared", sharedVariable},
		{"process", processControl},
		{"label", labelNames},

		// Statements.
		{"rangeassign", rangeAssign},
		{"rangekey", rangeKey},
		{"rangearray", rangeArrayPointer},
		{"forcond", forWithoutCondition},
		{"selectbreak", breakOutOfSelect},
		{"selectassign", selectAssign},
		{"switchinit", switchInit},
		{"switchany", switchAny},
		{"labelcase", labelInCase},
		{"unaryparen", unaryParenthesis},
		{"tuplemap", tupleToMap},
		{"nilamong", nilAmongOthers},
		{"callamong", callAmongOthers},
		{"namedresult", namedResult},
		{"staleresult", staleResult},
		{"deferloop", deferInLoop},
		{"deferlate", deferLate},
		{"recover", recovered},

		// Functions as values.
		{"loopvar", loopVariable},
		{"loopcapture", loopCapture},
		{"methodvalue", methodValue},
		{"methodexpr", methodExpression},

		// Constants and package variables.
		{"constdiv", constantDivision},
		{"constcompare", constantComparison},
		{"iota", iotaColumns},
		{"floatconst", floatConstant},
		{"shift", constantShift},
		{"initorder", initOrder},
		{"vartuple", packageTuple},

		// Interfaces and the types of the script.
		{"operation", operationToInterface},
		{"typeassert", typeAssertion},
		{"typeswitch", typeSwitch},
		{"compare", comparison},
		{"anykey", interfaceKey},
		{"convert", explicitConversion},
		{"libraryfield", libraryField},
		{"variadic", variadicInterface},
		{"embed", embeddedMethods},

		// Errors and contexts.
		{"errorvalue", errorValue},
		{"errornil", errorNil},
		{"errormethod", errorMethod},
		{"errorsas", errorsAs},
		{"errorsis", errorsIs},
		{"panicvalue", panicValue},
		{"contextkey", contextKey},

		// What the library does with values of the script.
		{"fmterror", printedError},
		{"fmtverb", printedVerb},
		{"fmtnested", printedNested},
		{"fmtany", printedAny},
		{"jsonfield", encodedFields},
		{"jsonmethod", encodingMethod},
		{"fieldname", fieldNames},
	}
}

// applyRules shows every node of the file to every rule, and keeps what they
// find.
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
