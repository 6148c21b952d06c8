package check

import (
	"go/ast"
	"go/token"
	"go/types"
)

// rangeAssign refuses "for k = range": the interpreter makes variables of the
// loop's own and leaves those that are meant as they were.
func rangeAssign(p *pass, n ast.Node) {
	loop, ok := n.(*ast.RangeStmt)
	if ok && loop.Tok == token.ASSIGN {
		p.fault(loop.Key, "the interpreter does not set the variables of a range with =", "write := and assign in the body")
	}
}

// rangeKey refuses to set the index in the body of a range over a slice or an
// array: it is the interpreter's own counter, so that elements are skipped.
func rangeKey(p *pass, n ast.Node) {
	loop, ok := n.(*ast.RangeStmt)
	if !ok || loop.Tok != token.DEFINE {
		return
	}
	key := p.variable(loop.Key)
	if key == nil {
		return
	}
	switch p.typeOf(loop.X).Underlying().(type) {
	case *types.Slice, *types.Array, *types.Pointer:
		for _, w := range p.facts.writes[key] {
			p.faultAt(w, "the interpreter counts the loop with "+key.Name()+" itself: setting it skips elements", "copy it first: j := "+key.Name())
			return
		}
	}
}

// rangeArrayPointer refuses to range over a pointer to an array, at which the
// interpreter panics.
func rangeArrayPointer(p *pass, n ast.Node) {
	loop, ok := n.(*ast.RangeStmt)
	if !ok {
		return
	}
	if _, ok := p.typeOf(loop.X).Underlying().(*types.Pointer); ok {
		p.fault(loop.X, "the interpreter panics at a range over a pointer to an array", "range over a slice of it: "+types.ExprString(loop.X)+"[:]")
	}
}

// forWithoutCondition refuses a loop that has a start but neither a condition
// nor a step: the interpreter runs the start each time round, for ever.
func forWithoutCondition(p *pass, n ast.Node) {
	loop, ok := n.(*ast.ForStmt)
	if ok && loop.Cond == nil && loop.Post == nil && loop.Init != nil {
		p.fault(loop, "the interpreter runs the start of this loop each time round, for ever", "put the start before the loop, or a condition into it")
	}
}

// breakOutOfSelect refuses a break that a select stands around: without a label
// the interpreter leaves the loop around the select, with one it may hang.
func breakOutOfSelect(p *pass, n ast.Node) {
	b, ok := n.(*ast.BranchStmt)
	if !ok || b.Tok != token.BREAK {
		return
	}
	inner := p.around(func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectStmt:
			return true
		case *ast.ForStmt, *ast.RangeStmt, *ast.SwitchStmt, *ast.TypeSwitchStmt:
			return b.Label == nil
		case *ast.LabeledStmt:
			return b.Label != nil && n.Label.Name == b.Label.Name
		}
		return false
	})
	if _, ok := inner.(*ast.SelectStmt); !ok {
		return
	}
	if label, ok := p.around(func(n ast.Node) bool { _, ok := n.(*ast.LabeledStmt); return ok }).(*ast.LabeledStmt); ok && label.Stmt == inner && len(p.loops()) == 0 {
		return
	}
	if b.Label != nil {
		p.fault(b, "a labelled break out of a select may hang the interpreter", "set a variable that the loop's condition asks, or return from a function of its own")
	} else if len(p.loops()) > 0 {
		p.fault(b, "the interpreter takes a break in a select for a break of the loop around it", "turn the condition round, so that no break is needed")
	}
}

// selectAssign refuses "case v = <-c", at which the interpreter panics.
func selectAssign(p *pass, n ast.Node) {
	clause, ok := n.(*ast.CommClause)
	if !ok {
		return
	}
	if a, ok := clause.Comm.(*ast.AssignStmt); ok && a.Tok == token.ASSIGN {
		p.fault(a, "a receive into variables that are there already makes the interpreter panic", "write := and assign in the body of the case")
	}
}

// switchInit refuses "switch x := f(); x + 1": with a statement before it the
// interpreter loses the value of all but a plain variable, and no case matches.
func switchInit(p *pass, n ast.Node) {
	s, ok := n.(*ast.SwitchStmt)
	if !ok || s.Init == nil || s.Tag == nil {
		return
	}
	if _, plain := ast.Unparen(s.Tag).(*ast.Ident); !plain && p.info.Types[s.Tag].Value == nil {
		p.fault(s.Tag, "after a statement in a switch the interpreter compares only a plain variable; no case would match", "write the statement before the switch")
	}
}

// switchAny refuses to compare an any in a switch: the interpreter panics where
// the value is not of the case's type.
func switchAny(p *pass, n ast.Node) {
	s, ok := n.(*ast.SwitchStmt)
	if !ok || s.Tag == nil {
		return
	}
	t := p.typeOf(s.Tag)
	if !isInterface(t) || isError(t) {
		return
	}
	p.fault(s.Tag, "the interpreter panics where the cases of a switch on an interface are of other types than its value", "take the value out first: v, ok := x.(string); or compare with if")
}

// tupleToMap refuses "m[k], err = f()": the interpreter does not write the
// entry.
func tupleToMap(p *pass, n ast.Node) {
	a, ok := n.(*ast.AssignStmt)
	if !ok || len(a.Lhs) < 2 || len(a.Rhs) != 1 {
		return
	}
	for _, l := range a.Lhs {
		index, ok := ast.Unparen(l).(*ast.IndexExpr)
		if !ok {
			continue
		}
		if _, ok := p.typeOf(index.X).Underlying().(*types.Map); ok {
			p.fault(index, "of an assignment of several values the interpreter does not write the entry of a map", "take the values into variables first, then set the entry")
		}
	}
}

// labelInCase refuses a label that stands directly in a case: the interpreter
// does not find it.
func labelInCase(p *pass, n ast.Node) {
	label, ok := n.(*ast.LabeledStmt)
	if !ok {
		return
	}
	switch p.parent(1).(type) {
	case *ast.CaseClause, *ast.CommClause:
		p.fault(label, "the interpreter does not find a label that stands directly in a case", "make the loop a function of its own")
	}
}

// unaryParenthesis refuses "!(x)" and "-(x)" where there is no operator in the
// parentheses: as a part of a longer condition it makes the interpreter leave
// the function, or panic.
func unaryParenthesis(p *pass, n ast.Node) {
	u, ok := n.(*ast.UnaryExpr)
	if !ok || u.Op == token.AND {
		return
	}
	if _, paren := u.X.(*ast.ParenExpr); !paren {
		return
	}
	if _, binary := ast.Unparen(u.X).(*ast.BinaryExpr); !binary {
		p.fault(u, "parentheses around the single operand of "+u.Op.String()+" mislead the interpreter", "write "+u.Op.String()+types.ExprString(ast.Unparen(u.X)))
	}
}
