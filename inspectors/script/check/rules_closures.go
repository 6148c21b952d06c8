package check

import (
	"go/ast"
	"go/token"
	"go/types"
)

// eachCapture calls found for every use, in a function literal, of a variable
// that is declared outside of it in a function.
func (p *pass) eachCapture(f *ast.FuncLit, found func(*types.Var, *ast.Ident)) {
	ast.Inspect(f.Body, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok {
			return true
		}
		v, ok := p.info.Uses[id].(*types.Var)
		if ok && !v.IsField() && v.Parent() != p.pkg.Scope() && v.Pkg() == p.pkg && !within(v.Pos(), f) {
			found(v, id)
		}
		return true
	})
}

// kept reports whether a function value, the visited node, may be called after
// the statement that it stands in. It is not where it is called at once, passed
// to a function that only calls it, or held by a variable that is only called.
func (p *pass) kept() bool {
	value := p.path[len(p.path)-1].(ast.Expr)
	i := 1
	for ; ; i++ {
		if _, paren := p.parent(i).(*ast.ParenExpr); !paren {
			break
		}
	}
	switch parent := p.parent(i).(type) {
	case *ast.CallExpr:
		if ast.Unparen(parent.Fun) == value {
			_, deferred := p.parent(i + 1).(*ast.DeferStmt)
			return deferred
		}
		return p.keepsArgument(parent, value)
	case *ast.AssignStmt:
		for j, r := range parent.Rhs {
			if ast.Unparen(r) == value && len(parent.Lhs) == len(parent.Rhs) && parent.Tok == token.DEFINE {
				v := p.variable(parent.Lhs[j])
				return v == nil || !p.onlyCalled(v, p.File)
			}
		}
	}
	return true
}

// keepsArgument reports whether the function that is called may keep a function
// that it is given. Those of the library do not, except for the ones that hold
// it in a value.
func (p *pass) keepsArgument(call *ast.CallExpr, value ast.Expr) bool {
	f := p.callee(call)
	if f == nil {
		return true
	}
	if f.Pkg() != p.pkg {
		return f.Name() == "Split" && f.Pkg().Path() == "bufio"
	}
	decl := p.facts.functions[f]
	sig := f.Signature()
	if decl == nil || decl.Body == nil {
		return true
	}
	for i, arg := range call.Args {
		if ast.Unparen(arg) == value && i < sig.Params().Len() {
			if sig.Variadic() && i >= sig.Params().Len()-1 {
				return true
			}
			return !p.onlyCalled(sig.Params().At(i), decl.Body)
		}
	}
	return true
}

// onlyCalled reports whether a variable of a function type is only called, and
// not from a deferred call or out of another function literal.
func (p *pass) onlyCalled(v *types.Var, in ast.Node) bool {
	only := true
	var path []ast.Node
	ast.Inspect(in, func(n ast.Node) bool {
		if n == nil {
			path = path[:len(path)-1]
			return true
		}
		path = append(path, n)
		if id, ok := n.(*ast.Ident); ok && p.info.Uses[id] == v {
			call, called := path[max(0, len(path)-2)].(*ast.CallExpr)
			called = called && call.Fun == id
			if called && len(path) > 2 {
				_, deferred := path[len(path)-3].(*ast.DeferStmt)
				called = !deferred
			}
			only = only && called
		}
		return true
	})
	return only
}

// iterates reports the loop around the visited node whose own variable v is.
func (p *pass) iterates(v *types.Var) bool {
	for _, n := range p.path {
		switch n := n.(type) {
		case *ast.RangeStmt:
			if p.variable2(n.Key) == v || p.variable2(n.Value) == v {
				return true
			}
		case *ast.ForStmt:
			if n.Init != nil && within(v.Pos(), n.Init) {
				return true
			}
		}
	}
	return false
}

// variable2 is variable for an expression that may be nil.
func (p *pass) variable2(e ast.Expr) *types.Var {
	if e == nil {
		return nil
	}
	return p.variable(e)
}

// loopVariable refuses function literals and pointers that outlive a round of a
// loop and mean its variable. Up to Go 1.21, and in the interpreter, there is
// one variable for all rounds; since then each has its own.
func loopVariable(p *pass, n ast.Node) {
	const message = " is one variable for all rounds of the loop in Go 1.21, and this outlives the round"
	switch n := n.(type) {
	case *ast.FuncLit:
		if len(p.loops()) == 0 || !p.kept() {
			return
		}
		seen := make(map[*types.Var]bool)
		p.eachCapture(n, func(v *types.Var, id *ast.Ident) {
			if !seen[v] && p.iterates(v) && !within(n.Pos(), p.condition(v)) {
				seen[v] = true
				p.fault(id, v.Name()+message, "copy it before: "+v.Name()+" := "+v.Name())
			}
		})
	case *ast.UnaryExpr:
		if n.Op != token.AND || len(p.loops()) == 0 {
			return
		}
		v := p.root(n.X)
		if v == nil || !p.iterates(v) {
			return
		}
		if call, ok := p.parent(1).(*ast.CallExpr); ok && p.builtin(call) == "" {
			return // for the length of a call
		}
		p.fault(n, v.Name()+message, "copy it before: "+v.Name()+" := "+v.Name())
	}
}

// condition returns the head of the loop whose variable v is: what stands there
// runs within one round.
func (p *pass) condition(v *types.Var) ast.Node {
	for _, n := range p.path {
		if loop, ok := n.(*ast.RangeStmt); ok && (p.variable2(loop.Key) == v || p.variable2(loop.Value) == v) {
			return loop.X
		}
	}
	return &ast.BadExpr{}
}

// loopCapture refuses function literals and pointers that outlive a round of a
// loop and mean a variable of the round which the interpreter keeps in one place for all: those
// of "v, ok :=", of a literal of an array, a slice or a map, of a type switch and
// of a receive in a select.
func loopCapture(p *pass, n ast.Node) {
	loops := p.loops()
	if len(loops) == 0 {
		return
	}
	outer := loops[len(loops)-1]
	refuse := func(v *types.Var, at ast.Node) {
		if within(v.Pos(), outer) && p.sharedPlace(v) {
			p.fault(at, "the interpreter keeps "+v.Name()+" in one place for all rounds of the loop, and this outlives the round", "copy it before, into a variable of its own: "+v.Name()+"2 := "+v.Name())
		}
	}
	switch n := n.(type) {
	case *ast.FuncLit:
		if p.kept() {
			seen := make(map[*types.Var]bool)
			p.eachCapture(n, func(v *types.Var, id *ast.Ident) {
				if !seen[v] {
					seen[v] = true
					refuse(v, id)
				}
			})
		}
	case *ast.UnaryExpr:
		if v := p.root(n.X); n.Op == token.AND && v != nil && !p.passed() {
			refuse(v, n)
		}
	case *ast.SliceExpr:
		if v := p.root(n.X); v != nil && !p.passed() {
			if _, array := p.typeOf(n.X).Underlying().(*types.Array); array {
				refuse(v, n)
			}
		}
	}
}

// passed reports whether the visited node is an argument of a call, other than
// of append: it is taken to be for the length of the call.
func (p *pass) passed() bool {
	call, ok := p.parent(1).(*ast.CallExpr)
	return ok && p.builtin(call) != "append"
}

// sharedPlace reports a variable whose declaration does not give it a place of
// its own each time.
func (p *pass) sharedPlace(v *types.Var) bool {
	switch d := p.facts.declared[v].(type) {
	case *ast.CaseClause:
		return true
	case *ast.AssignStmt:
		if len(d.Rhs) == 1 && len(d.Lhs) == 2 {
			_, call := ast.Unparen(d.Rhs[0]).(*ast.CallExpr)
			return !call
		}
		for i, l := range d.Lhs {
			if p.variable(l) != v || i >= len(d.Rhs) {
				continue
			}
			switch r := ast.Unparen(d.Rhs[i]).(type) {
			case *ast.CompositeLit:
				return !isStruct(v.Type())
			case *ast.UnaryExpr:
				return r.Op == token.ARROW
			}
		}
	case *ast.ValueSpec:
		if len(d.Values) == 1 && len(d.Names) == 2 {
			_, call := ast.Unparen(d.Values[0]).(*ast.CallExpr)
			return !call
		}
		for i, name := range d.Names {
			if p.variable(name) == v && i < len(d.Values) {
				_, literal := ast.Unparen(d.Values[i]).(*ast.CompositeLit)
				return literal && !isStruct(v.Type())
			}
		}
	}
	return false
}

// methodValue refuses x.Method without a call where x changes before it is
// called: the interpreter does not take a copy of x, but looks it up then.
func methodValue(p *pass, n ast.Node) {
	sel, ok := n.(*ast.SelectorExpr)
	if !ok {
		return
	}
	s := p.info.Selections[sel]
	if s == nil || s.Kind() != types.MethodVal || p.own(s.Recv()) == nil || isInterface(s.Recv()) {
		return
	}
	if call, ok := p.parent(1).(*ast.CallExpr); ok && call.Fun == sel {
		return
	}
	v := p.root(sel.X)
	if v == nil || p.byPointer(sel) && len(p.loops()) == 0 {
		return
	}
	if call, ok := p.parent(1).(*ast.CallExpr); ok && !p.keepsArgument(call, sel) {
		return
	}
	if len(p.loops()) == 0 && !p.written(v) && !p.changedThrough(v, sel) {
		return
	}
	p.fault(sel, "the interpreter looks "+v.Name()+" up when this is called, and not here", "write a function: func() { "+types.ExprString(sel)+"() }, with a copy of "+v.Name())
}

// changedThrough reports a method of a value that is taken of a pointer: what
// the pointer points to may change.
func (p *pass) changedThrough(v *types.Var, sel *ast.SelectorExpr) bool {
	f, ok := p.info.Selections[sel].Obj().(*types.Func)
	return ok && isPointer(v.Type()) && !isPointer(f.Signature().Recv().Type())
}

// methodExpression refuses T.Method: the interpreter gives it the wrong type.
func methodExpression(p *pass, n ast.Node) {
	sel, ok := n.(*ast.SelectorExpr)
	if !ok {
		return
	}
	if s := p.info.Selections[sel]; s != nil && s.Kind() == types.MethodExpr {
		p.fault(sel, "the interpreter does not take a method of a type for a function", "write a function: func(x T) { x."+sel.Sel.Name+"() }")
	}
}
