package lower

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
)

// callsFirst makes the calls in expressions that are used together, in order, before
// anything else in them is read. Go only specifies the order of calls, and not when a
// variable beside them is read; its compiler reads it after them. Other operations that the
// compiler treats like calls are also done in order: len, slices, assertions, && and ||.
func (l *lowering) callsFirst(list ...ast.Expr) { l.callsFirstFor(nil, list...) }

// callsFirstFor is callsFirst for places some of which are interfaces: to returns the type
// of the place of each expression, or nil. If no call can set anything, or nothing is read
// beside it, everything stays in place.
func (l *lowering) callsFirstFor(to func(i int) types.Type, list ...ast.Expr) {
	reads, found := l.inTurn(to, list...)
	alone := len(list) == 1 && len(found) == 1 && found[0] == ast.Unparen(list[0])
	if reads && !alone && slices.ContainsFunc(list, l.acts) {
		l.make(found)
	}
}

// acts reports an expression that may set something: that calls a function, receives
// or appends.
func (l *lowering) acts(e ast.Expr) bool {
	found := false
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.UnaryExpr:
			found = found || n.Op == token.ARROW
		case *ast.CallExpr:
			switch l.predeclared(n) {
			case "len", "cap", "min", "max", "make", "new", "complex", "real", "imag":
			case "":
				found = found || !l.fn.info.Types[n.Fun].IsType()
			default:
				found = true
			}
		}
		return !found
	})
	return found
}

// make runs the operations in order, and keeps their values for later use.
func (l *lowering) make(found []ast.Expr) {
	for _, e := range found {
		t := types.Default(l.typeOf(e))
		l.fn.made[e] = l.holdAs(l.expr(e), t)
	}
}

// inTurn finds the operations that must run in order, and reports whether anything beside
// them is read that a call may set.
func (l *lowering) inTurn(to func(i int) types.Type, list ...ast.Expr) (reads bool, found []ast.Expr) {
	for i, e := range list {
		if to != nil && l.small(e) {
			if t := to(i); t != nil && types.IsInterface(l.subst(t)) {
				found, reads = append(found, ast.Unparen(e)), true
				continue
			}
		}
		ast.Inspect(e, func(n ast.Node) bool {
			e, ok := n.(ast.Expr)
			if !ok {
				return true
			}
			if tv := l.fn.info.Types[e]; tv.Value != nil || tv.IsType() {
				return false
			}
			if _, made := l.fn.made[e]; made {
				return false
			}
			switch l.ordered(e) {
			case isCall:
				found = append(found, e)
				reads = reads || l.inPlace(e)
				return false
			case isLiteral:
				return false
			}
			reads = reads || l.reads(e)
			return true
		})
	}
	return reads, found
}

// small reports a computed value of one byte: the compiler looks up its interface in a
// table when it is computed.
func (l *lowering) small(e ast.Expr) bool {
	tv := l.fn.info.Types[e]
	if _, keyed := e.(*ast.KeyValueExpr); keyed || tv.Value != nil || tv.Addressable() || tv.IsType() || tv.Type == nil {
		return false
	}
	if _, ok := ast.Unparen(e).(*ast.FuncLit); ok {
		return false
	}
	b, ok := l.typeOf(e).Underlying().(*types.Basic)
	if !ok {
		return false
	}
	switch b.Kind() {
	case types.Bool, types.UntypedBool, types.Int8, types.Uint8:
		return true
	}
	return false
}

// inPlace reports an operation that must run in order but needs no call in Core.
func (l *lowering) inPlace(e ast.Expr) bool {
	c, ok := e.(*ast.CallExpr)
	return !ok || l.predeclared(c) != ""
}

// predeclared returns the name of the predeclared function that is called, or "".
func (l *lowering) predeclared(e *ast.CallExpr) string {
	if id, ok := ast.Unparen(e.Fun).(*ast.Ident); ok {
		if b, ok := l.fn.info.Uses[id].(*types.Builtin); ok {
			return b.Name()
		}
	}
	return ""
}

// reads reports an expression that itself, apart from its operands, reads something that a
// call may set.
func (l *lowering) reads(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		o, ok := l.fn.info.Uses[e].(*types.Var)
		return ok && (l.global(e) || l.boxed(o))
	case *ast.SelectorExpr:
		s := l.fn.info.Selections[e]
		return s != nil && s.Kind() == types.FieldVal && (s.Indirect() || isPointer(l.typeOf(e.X)))
	case *ast.CallExpr: // a conversion
		_, slice := l.typeOf(e.Args[0]).Underlying().(*types.Slice)
		return slice
	case *ast.StarExpr, *ast.IndexExpr:
		return true
	}
	return false
}

// The role of an expression in the order of evaluation.
const (
	isPlain   = iota // it is read when it is used
	isLiteral        // a function, whose body is not run
	isCall           // it is done in its turn
)

// ordered returns the role of an expression.
func (l *lowering) ordered(e ast.Expr) int {
	switch e := e.(type) {
	case *ast.FuncLit:
		return isLiteral
	case *ast.UnaryExpr:
		if e.Op == token.ARROW {
			return isCall
		}
	case *ast.BinaryExpr:
		if e.Op == token.LAND || e.Op == token.LOR {
			return isCall
		}
	case *ast.CallExpr:
		if l.fn.info.Types[e.Fun].IsType() && !l.copies(e) {
			return isPlain
		}
		return isCall
	case *ast.SliceExpr:
		return isCall
	case *ast.TypeAssertExpr:
		switch l.typeOf(e).Underlying().(type) {
		case *types.Pointer, *types.Map, *types.Chan, *types.Signature:
			return isPlain
		}
		return isCall
	}
	return isPlain
}

// copies reports a conversion that makes a slice of the parts of a string.
func (l *lowering) copies(e *ast.CallExpr) bool {
	_, slice := l.typeOf(e).Underlying().(*types.Slice)
	return slice && isString(l.typeOf(e.Args[0]).Underlying())
}
