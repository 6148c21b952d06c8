package check

import (
	"go/ast"
	"go/types"
)

// deferInLoop refuses a defer in a loop: the interpreter runs the last of them
// as often as there are, and what the others would have closed stays open. A
// function literal that uses nothing of the loop is harmless.
func deferInLoop(p *pass, n ast.Node) {
	d, ok := n.(*ast.DeferStmt)
	if !ok {
		return
	}
	loops := p.loops()
	if len(loops) == 0 {
		return
	}
	if f, ok := d.Call.Fun.(*ast.FuncLit); ok && len(d.Call.Args) == 0 {
		outer := loops[len(loops)-1]
		harmless := true
		p.eachCapture(f, func(v *types.Var, _ *ast.Ident) { harmless = harmless && !within(v.Pos(), outer) })
		if harmless {
			return
		}
	}
	p.fault(d, "of the defers in a loop the interpreter runs only the last, as often as there are", "make the body a function of its own and call it in the loop, or do without defer")
}

// deferLate refuses a deferred call with an argument or a receiver that changes
// after the defer: the interpreter reads plain variables when the function ends.
func deferLate(p *pass, n ast.Node) {
	d, ok := n.(*ast.DeferStmt)
	if !ok {
		return
	}
	const fix = "write defer func() { … }(), with a copy of what must not change"
	for _, arg := range d.Call.Args {
		if v := p.variable(arg); v != nil && p.writtenAfter(v, d.End()) {
			p.fault(arg, "the interpreter reads "+v.Name()+" when the function ends, and it is set after the defer", fix)
		}
	}
	sel, ok := ast.Unparen(d.Call.Fun).(*ast.SelectorExpr)
	if !ok {
		if v := p.variable(d.Call.Fun); v != nil && p.writtenAfter(v, d.End()) {
			p.fault(d.Call.Fun, "the interpreter reads "+v.Name()+" when the function ends, and it is set after the defer", fix)
		}
		return
	}
	if s := p.info.Selections[sel]; s == nil || s.Kind() != types.MethodVal {
		return
	}
	if v := p.root(sel.X); v != nil && p.writtenAfter(v, d.End()) && !p.byPointer(sel) {
		p.fault(sel.X, "the interpreter reads "+v.Name()+" when the function ends, and it is set after the defer", fix)
	}
}

// byPointer reports a method of a pointer that is called on a variable that is
// none: it means the variable, whatever is set in it.
func (p *pass) byPointer(sel *ast.SelectorExpr) bool {
	f, ok := p.info.Selections[sel].Obj().(*types.Func)
	return ok && isPointer(f.Signature().Recv().Type()) && !isPointer(p.typeOf(sel.X))
}

// recovered refuses to do anything with what recover returns but to print it
// and to compare it with nil: assertions and comparisons always fail.
func recovered(p *pass, n ast.Node) {
	e, ok := n.(ast.Expr)
	if !ok {
		return
	}
	if v := p.variable(e); v == nil || !p.facts.recovered[v] {
		if !p.isRecover(e) {
			return
		}
	} else if p.info.Defs[e.(*ast.Ident)] != nil {
		return
	}
	const message = "the interpreter wraps what recover returns: an assertion or a comparison with it always fails"
	const fix = "print it: fmt.Sprint(r)"
	switch parent := p.parent(1).(type) {
	case *ast.BinaryExpr:
		if !p.isNil(parent.X) && !p.isNil(parent.Y) {
			p.fault(e, message, fix)
		}
	case *ast.TypeAssertExpr, *ast.SwitchStmt:
		p.fault(e, message, fix)
	case *ast.CallExpr:
		if ast.Unparen(parent.Fun) != e && !p.prints(parent) && p.builtin(parent) != "panic" {
			p.fault(e, message, fix)
		}
	case *ast.AssignStmt:
		for i, r := range parent.Rhs {
			if ast.Unparen(r) == e && !p.discards(parent.Lhs[min(i, len(parent.Lhs)-1)], e) {
				p.fault(e, message, fix)
			}
		}
	case *ast.ExprStmt, *ast.ValueSpec, *ast.DeferStmt, *ast.ParenExpr:
	default:
		p.fault(e, message, fix)
	}
}

// discards reports whether what recover returns goes into a variable whose uses
// are looked at themselves, or nowhere.
func (p *pass) discards(to, value ast.Expr) bool {
	if !p.isRecover(value) {
		id, ok := to.(*ast.Ident)
		return ok && id.Name == "_"
	}
	id, ok := to.(*ast.Ident)
	if !ok {
		return false
	}
	v := p.variable(id)
	return id.Name == "_" || v != nil && v.Parent() != nil && !p.isResult(v)
}

// isResult reports a named result of a function, which the caller gets.
func (p *pass) isResult(v *types.Var) bool {
	for _, n := range p.path {
		var f *ast.FuncType
		switch n := n.(type) {
		case *ast.FuncDecl:
			f = n.Type
		case *ast.FuncLit:
			f = n.Type
		}
		if f != nil && f.Results != nil && within(v.Pos(), f.Results) {
			return true
		}
	}
	return false
}
