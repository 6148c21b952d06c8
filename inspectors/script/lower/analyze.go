package lower

import (
	"go/ast"
	"go/token"
	"go/types"
)

// variable says how a local variable is used.
type variable struct {
	owner    ast.Node // the function literal or declaration that declares it
	captured bool     // by a literal inside of that
	written  bool     // outside its declaration and the head of the loop that declares it
	addr     bool     // its address is taken
}

// variable returns the uses of a local variable.
func (l *lowering) variable(o types.Object) *variable {
	v := l.vars[o]
	if v == nil {
		v = &variable{}
		l.vars[o] = v
	}
	return v
}

// boxed reports a variable whose place is outside the interpreter's frame.
func (l *lowering) boxed(o types.Object) bool {
	v := l.vars[o]
	return v != nil && (v.addr || v.captured && v.written)
}

// gather analyses how the variables of a file are used.
func (l *lowering) gather(file *ast.File, info *types.Info) {
	if l.vars == nil {
		l.vars = make(map[types.Object]*variable)
	}
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok {
			if o := info.Defs[f.Name]; o != nil {
				l.decls[o] = f
			}
		}
	}
	g := &gatherer{l: l, info: info}
	ast.Inspect(file, g.visit)
}

type gatherer struct {
	l    *lowering
	info *types.Info
	path []ast.Node
}

func (g *gatherer) visit(n ast.Node) bool {
	if n == nil {
		g.path = g.path[:len(g.path)-1]
		return true
	}
	g.path = append(g.path, n)
	switch n := n.(type) {
	case *ast.Ident:
		g.ident(n)
	case *ast.CaseClause:
		if v := g.info.Implicits[n]; v != nil {
			g.l.variable(v).owner = g.owner() // each clause of a type switch has a separate variable
		}
	case *ast.AssignStmt:
		for _, e := range n.Lhs {
			if id, ok := e.(*ast.Ident); ok && n.Tok == token.DEFINE && g.info.Defs[id] != nil {
				continue
			}
			g.wrote(e)
		}
	case *ast.IncDecStmt:
		g.wrote(n.X)
	case *ast.RangeStmt:
		if n.Tok == token.ASSIGN {
			g.wrote(n.Key)
			g.wrote(n.Value)
		}
	case *ast.UnaryExpr:
		if n.Op == token.AND {
			g.addressed(n.X)
		}
	case *ast.SliceExpr:
		if _, ok := g.info.TypeOf(n.X).Underlying().(*types.Array); ok {
			g.addressed(n.X)
		}
	case *ast.SelectorExpr:
		g.selector(n)
	}
	return true
}

// owner is the function that contains the visited node.
func (g *gatherer) owner() ast.Node {
	for i := len(g.path) - 1; i >= 0; i-- {
		switch f := g.path[i].(type) {
		case *ast.FuncLit, *ast.FuncDecl:
			return f
		}
	}
	return nil
}

func (g *gatherer) ident(id *ast.Ident) {
	if v, ok := g.info.Defs[id].(*types.Var); ok {
		g.l.variable(v).owner = g.owner()
	}
	if v, ok := g.info.Uses[id].(*types.Var); ok && !v.IsField() {
		if known := g.l.variable(v); known.owner != nil && known.owner != g.owner() {
			known.captured = true
		}
	}
}

// wrote records a variable that is set, or a part of which is.
func (g *gatherer) wrote(e ast.Expr) {
	v := g.root(e)
	if v == nil {
		return
	}
	for i := len(g.path) - 1; i > 0; i-- {
		if loop, ok := g.path[i-1].(*ast.ForStmt); ok && loop.Post == g.path[i] && loop.Init != nil && v.Pos() >= loop.Init.Pos() && v.Pos() < loop.Init.End() {
			return
		}
	}
	g.l.variable(v).written = true
}

// addressed records a variable whose address is taken, or that of a part of it.
func (g *gatherer) addressed(e ast.Expr) {
	if v := g.root(e); v != nil {
		g.l.variable(v).addr = true
	}
}

// selector records the receiver of a pointer method, if it is a variable that is not a
// pointer.
func (g *gatherer) selector(sel *ast.SelectorExpr) {
	s := g.info.Selections[sel]
	if s == nil || s.Kind() != types.MethodVal {
		return
	}
	f, ok := s.Obj().(*types.Func)
	if !ok {
		return
	}
	recv := f.Signature().Recv().Type()
	if _, pointer := types.Unalias(recv).(*types.Pointer); !pointer {
		return
	}
	v := g.root(sel.X)
	if v == nil {
		return
	}
	if _, pointer := v.Type().Underlying().(*types.Pointer); pointer && sel.X == ast.Expr(nil) {
		return
	}
	if g.throughPointer(sel, s) {
		return
	}
	called := false
	if len(g.path) > 1 {
		c, ok := g.path[len(g.path)-2].(*ast.CallExpr)
		called = ok && ast.Unparen(c.Fun) == sel
	}
	if f.Pkg() == g.l.Pkg || !called {
		g.l.variable(v).addr = true
	} else {
		g.l.variable(v).written = true
	}
}

// throughPointer reports a selection that reaches the receiver from the variable by way of
// a pointer.
func (g *gatherer) throughPointer(sel *ast.SelectorExpr, s *types.Selection) bool {
	t := g.info.TypeOf(sel.X)
	for _, i := range s.Index()[:len(s.Index())-1] {
		if p, ok := t.Underlying().(*types.Pointer); ok {
			return p != nil
		}
		if st, ok := t.Underlying().(*types.Struct); ok {
			t = st.Field(i).Type()
		}
	}
	_, pointer := t.Underlying().(*types.Pointer)
	return pointer
}

// root returns the variable that an expression is a part of, not looking through
// pointers, slices and maps, or nil.
func (g *gatherer) root(e ast.Expr) *types.Var {
	for e != nil {
		switch x := ast.Unparen(e).(type) {
		case *ast.Ident:
			v, _ := g.info.ObjectOf(x).(*types.Var)
			if v == nil || v.IsField() || v.Pkg() == nil || v.Parent() == v.Pkg().Scope() {
				return nil
			}
			return v
		case *ast.SelectorExpr:
			s := g.info.Selections[x]
			if s == nil || s.Indirect() {
				return nil
			}
			if _, ok := g.info.TypeOf(x.X).Underlying().(*types.Pointer); ok {
				return nil
			}
			e = x.X
		case *ast.IndexExpr:
			if _, ok := g.info.TypeOf(x.X).Underlying().(*types.Array); !ok {
				return nil
			}
			e = x.X
		default:
			return nil
		}
	}
	return nil
}

// defers reports whether a function defers anything itself.
func defers(body *ast.BlockStmt) bool {
	found := false
	own(body, func(n ast.Node) {
		_, ok := n.(*ast.DeferStmt)
		found = found || ok
	})
	return found
}

// own visits the nodes of a function itself, and not of the literals inside.
func own(body ast.Node, visit func(ast.Node)) {
	ast.Inspect(body, func(n ast.Node) bool {
		if _, ok := n.(*ast.FuncLit); ok && n != body {
			return false
		}
		if n != nil {
			visit(n)
		}
		return true
	})
}
