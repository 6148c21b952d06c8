package check

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
)

// constantDivision refuses a division of whole constants without a type that does not come out
// even and whose result is not an int: the interpreter divides exactly, so that
// var x float64 = 7 / 2 is 3.5 and not 3.
func constantDivision(p *pass, n ast.Node) {
	d, ok := n.(*ast.BinaryExpr)
	if !ok || d.Op != token.QUO {
		return
	}
	x, y := p.info.Types[d.X].Value, p.info.Types[d.Y].Value
	if x == nil || y == nil || x.Kind() != constant.Int || y.Kind() != constant.Int || constant.Sign(y) == 0 {
		return
	}
	if !p.untyped(d.X) || !p.untyped(d.Y) || !p.wholeConstant(d.X) || !p.wholeConstant(d.Y) || constant.Sign(constant.BinaryOp(x, token.REM, y)) == 0 {
		return
	}
	inConst, typed := p.inConstant()
	t, ok := p.typeOf(d).(*types.Basic)
	if ok && t.Info()&types.IsInteger != 0 && !typed {
		return
	}
	switch p.parent(1).(type) {
	case *ast.CallExpr, *ast.CompositeLit, *ast.KeyValueExpr:
		if !inConst {
			return // there it is cut
		}
	}
	p.fault(d, "the interpreter does not cut this division of constants to a whole number", "write the whole number, or divide floats: 7.0 / 2")
}

// wholeConstant reports a constant expression that is made of integers, other
// than by a constant like 2.0 that happens to be whole.
func (p *pass) wholeConstant(e ast.Expr) bool {
	whole := true
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BasicLit:
			whole = whole && n.Kind != token.FLOAT && n.Kind != token.IMAG
		case *ast.Ident:
			if c, ok := p.info.Uses[n].(*types.Const); ok {
				whole = whole && isBasic(c.Type(), types.IsInteger)
			}
		}
		return true
	})
	return whole
}

// inConstant reports whether the visited node stands in the declaration of a
// constant, and of one with a type.
func (p *pass) inConstant() (constant, typed bool) {
	for i := len(p.path) - 1; i > 0; i-- {
		if spec, ok := p.path[i].(*ast.ValueSpec); ok {
			decl, ok := p.path[i-1].(*ast.GenDecl)
			constant = ok && decl.Tok == token.CONST
			return constant, constant && spec.Type != nil
		}
	}
	return false, false
}

// constantComparison refuses a comparison in the declaration of a constant: the
// interpreter makes false of it.
func constantComparison(p *pass, n ast.Node) {
	decl, ok := n.(*ast.GenDecl)
	if !ok || decl.Tok != token.CONST {
		return
	}
	for _, spec := range decl.Specs {
		for _, v := range spec.(*ast.ValueSpec).Values {
			ast.Inspect(v, func(n ast.Node) bool {
				b, ok := n.(*ast.BinaryExpr)
				if !ok {
					return true
				}
				if isComparison(b.Op) {
					p.fault(b, "of a comparison in a constant the interpreter makes false", "make it a variable: var")
					return false
				}
				return true
			})
		}
	}
}

func isComparison(op token.Token) bool {
	switch op {
	case token.EQL, token.NEQ, token.LSS, token.LEQ, token.GTR, token.GEQ:
		return true
	}
	return false
}

// iotaColumns refuses a constant of several names that repeats the expressions
// above it, which the interpreter does not resolve.
func iotaColumns(p *pass, n ast.Node) {
	decl, ok := n.(*ast.GenDecl)
	if !ok || decl.Tok != token.CONST {
		return
	}
	for _, spec := range decl.Specs {
		if s := spec.(*ast.ValueSpec); len(s.Names) > 1 && len(s.Values) == 0 {
			p.fault(s, "the interpreter does not repeat the values of several constants in one line", "write the values out, or one constant a line")
			return
		}
	}
}

// floatConstant refuses to compare a constant of a package, as math.Pi, with
// another constant: the interpreter finds their types different.
func floatConstant(p *pass, n ast.Node) {
	b, ok := n.(*ast.BinaryExpr)
	if !ok || !isComparison(b.Op) {
		return
	}
	x, y := p.info.Types[b.X], p.info.Types[b.Y]
	if x.Value == nil || y.Value == nil || !isBasic(x.Type, types.IsFloat) {
		return
	}
	for _, e := range []ast.Expr{b.X, b.Y} {
		if _, ok := ast.Unparen(e).(*ast.SelectorExpr); ok {
			p.fault(b, "the interpreter cannot compare this constant with another", "give one of them a variable")
			return
		}
	}
}

// constantShift refuses "1 << n" as an argument or an element of another type
// than int: the interpreter makes an int of it, and panics.
func constantShift(p *pass, n ast.Node) {
	b, ok := n.(*ast.BinaryExpr)
	if !ok || b.Op != token.SHL && b.Op != token.SHR || p.info.Types[b].Value != nil || p.info.Types[b.X].Value == nil {
		return
	}
	t := p.typeOf(b)
	if types.Identical(t, types.Typ[types.Int]) || !p.untyped(b.X) {
		return
	}
	switch parent := p.parent(1).(type) {
	case *ast.CallExpr:
		if p.info.Types[parent.Fun].IsType() {
			return
		}
	case *ast.CompositeLit, *ast.KeyValueExpr:
	default:
		return
	}
	p.fault(b, "the interpreter makes an int of this shift of a constant, which does not fit here", "give the constant its type: "+types.TypeString(t, types.RelativeTo(p.pkg))+"(1) << n")
}

// untyped reports a constant expression without any type of its own.
func (p *pass) untyped(e ast.Expr) bool {
	free := true
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			free = false
		case *ast.Ident:
			if c, ok := p.info.Uses[n].(*types.Const); ok {
				b, ok := c.Type().(*types.Basic)
				free = free && ok && b.Info()&types.IsUntyped != 0
			}
		}
		return true
	})
	return free
}

// packageTuple refuses a package variable that is set with others by one call:
// the interpreter leaves it zero.
func packageTuple(p *pass, n ast.Node) {
	spec, ok := n.(*ast.ValueSpec)
	if !ok || len(spec.Names) < 2 || len(spec.Values) != 1 || len(p.path) != 3 {
		return
	}
	p.fault(spec, "the interpreter does not set package variables from a call with several results", "declare them, and set them in func init: var x, err = f() is func init() { x, err = f() }")
}

// initOrder refuses the initialiser of a package variable that calls a function
// which uses a variable declared further below: the interpreter initialises in
// the order of the file, except for what an initialiser names itself.
func initOrder(p *pass, n ast.Node) {
	decl, ok := n.(*ast.GenDecl)
	if !ok || decl.Tok != token.VAR || len(p.path) != 2 {
		return
	}
	for _, s := range decl.Specs {
		spec := s.(*ast.ValueSpec)
		reach := &reach{pass: p, seen: make(map[*types.Func]bool), from: spec}
		for _, v := range spec.Values {
			reach.expression(v)
		}
		if reach.later != nil {
			p.fault(spec, "the interpreter initialises in the order of the file: "+spec.Names[0].Name+" calls a function that uses "+reach.later.Name()+", which comes later", "declare "+reach.later.Name()+" above")
		}
	}
}

// reach follows the calls of an initialiser to the package variables that they
// use.
type reach struct {
	*pass
	seen  map[*types.Func]bool
	from  *ast.ValueSpec
	later *types.Var // that is declared after from, or nil
}

func (r *reach) expression(e ast.Node) {
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false // not called here
		case *ast.CallExpr:
			if f, ok := ast.Unparen(n.Fun).(*ast.FuncLit); ok {
				r.body(f.Body)
			} else if f := r.callee(n); f != nil {
				r.function(f)
			}
		}
		return true
	})
}

func (r *reach) function(f *types.Func) {
	decl := r.facts.functions[f]
	if r.seen[f] || decl == nil || decl.Body == nil {
		return
	}
	r.seen[f] = true
	r.body(decl.Body)
}

func (r *reach) body(body *ast.BlockStmt) {
	ast.Inspect(body, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok {
			return true
		}
		switch o := r.info.Uses[id].(type) {
		case *types.Var:
			if o.Parent() == r.pkg.Scope() && o.Pos() > r.from.Pos() && !within(o.Pos(), r.from) && r.later == nil {
				r.later = o
			}
		case *types.Func:
			r.function(o)
		}
		return true
	})
}
