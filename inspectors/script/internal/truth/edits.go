package truth

import (
	"go/ast"
	"go/token"
	"go/types"
)

// edit is one way to make a program smaller, applied in place to its syntax tree.
type edit func()

// edits returns the ways to make a script smaller, the larger steps first. Each
// is for a tree that is parsed again, by its number.
func edits(t *Typed) []edit {
	e := &editor{typed: t}
	e.declarations()
	ast.Inspect(t.File, func(n ast.Node) bool {
		e.lists(n)
		e.shapes(n)
		return true
	})
	ast.Inspect(t.File, func(n ast.Node) bool {
		e.expressions(n)
		return true
	})
	return e.list
}

type editor struct {
	typed *Typed
	list  []edit
}

func (e *editor) add(f edit) { e.list = append(e.list, f) }

// declarations takes out declarations, several at a time first.
func (e *editor) declarations() {
	f := e.typed.File
	for size := len(f.Decls); size >= 1; size /= 2 {
		for at := 0; at+size <= len(f.Decls); at += size {
			e.add(func() { f.Decls = append(f.Decls[:at:at], f.Decls[at+size:]...) })
		}
	}
	for _, d := range f.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok != token.IMPORT && len(g.Specs) > 1 {
			for i := range g.Specs {
				e.add(func() { g.Specs = append(g.Specs[:i:i], g.Specs[i+1:]...) })
			}
		}
	}
}

// chunks adds edits that take some of n elements out.
func (e *editor) chunks(n, least int, without func(at, size int)) {
	for size := n; size >= 1; size /= 2 {
		for at := 0; at+size <= n; at += size {
			if n-size >= least {
				e.add(func() { without(at, size) })
			}
		}
	}
}

func cut[T any](list []T, at, size int) []T {
	return append(list[:at:at], list[at+size:]...)
}

// lists takes elements out of lists: statements, clauses, elements, arguments,
// fields.
func (e *editor) lists(n ast.Node) {
	switch n := n.(type) {
	case *ast.BlockStmt:
		e.chunks(len(n.List), 0, func(at, size int) { n.List = cut(n.List, at, size) })
	case *ast.CaseClause:
		e.chunks(len(n.Body), 0, func(at, size int) { n.Body = cut(n.Body, at, size) })
		e.chunks(len(n.List), 1, func(at, size int) { n.List = cut(n.List, at, size) })
	case *ast.CommClause:
		e.chunks(len(n.Body), 0, func(at, size int) { n.Body = cut(n.Body, at, size) })
	case *ast.CompositeLit:
		e.chunks(len(n.Elts), 0, func(at, size int) { n.Elts = cut(n.Elts, at, size) })
	case *ast.CallExpr:
		if e.typed.Info.Types[n.Fun].IsType() {
			return
		}
		e.chunks(len(n.Args), 0, func(at, size int) { n.Args = cut(n.Args, at, size) })
	case *ast.FieldList:
		e.chunks(len(n.List), 0, func(at, size int) { n.List = cut(n.List, at, size) })
	case *ast.AssignStmt:
		if len(n.Lhs) > 1 && len(n.Lhs) == len(n.Rhs) {
			for i := range n.Lhs {
				e.add(func() { n.Lhs, n.Rhs = cut(n.Lhs, i, 1), cut(n.Rhs, i, 1) })
			}
		}
	}
}

// shapes replaces statements by the statements inside them.
func (e *editor) shapes(n ast.Node) {
	switch n := n.(type) {
	case *ast.BlockStmt:
		for i, s := range n.List {
			if inner := insides(s); inner != nil {
				e.add(func() {
					n.List = append(n.List[:i:i], append(inner, n.List[i+1:]...)...)
				})
			}
			if b, ok := s.(*ast.IfStmt); ok {
				e.ifs(b)
			}
		}
	case *ast.CaseClause:
		for i, s := range n.Body {
			if inner := insides(s); inner != nil {
				e.add(func() {
					n.Body = append(n.Body[:i:i], append(inner, n.Body[i+1:]...)...)
				})
			}
		}
	case *ast.SwitchStmt:
		if n.Init != nil {
			e.add(func() { n.Init = nil })
		}
	case *ast.RangeStmt:
		if n.Value != nil {
			e.add(func() { n.Value = nil })
		}
	}
}

func (e *editor) ifs(b *ast.IfStmt) {
	if b.Else != nil {
		e.add(func() { b.Else = nil })
		if _, ok := b.Else.(*ast.BlockStmt); ok {
			e.add(func() { b.Body = b.Else.(*ast.BlockStmt); b.Else = nil })
		}
	}
	if b.Init != nil {
		e.add(func() { b.Init = nil })
	}
}

// insides returns the statements inside a statement.
func insides(s ast.Stmt) []ast.Stmt {
	switch s := s.(type) {
	case *ast.BlockStmt:
		return s.List
	case *ast.IfStmt:
		list := s.Body.List
		if s.Init != nil {
			list = append([]ast.Stmt{s.Init}, list...)
		}
		return list
	case *ast.ForStmt:
		list := s.Body.List
		if s.Init != nil {
			list = append([]ast.Stmt{s.Init}, list...)
		}
		return list
	case *ast.RangeStmt:
		return s.Body.List
	case *ast.LabeledStmt:
		return []ast.Stmt{s.Stmt}
	case *ast.SwitchStmt:
		return clauseBodies(s.Body)
	case *ast.TypeSwitchStmt:
		return clauseBodies(s.Body)
	case *ast.ExprStmt:
		if call, ok := s.X.(*ast.CallExpr); ok {
			if lit, ok := call.Fun.(*ast.FuncLit); ok {
				return lit.Body.List
			}
		}
	}
	return nil
}

func clauseBodies(b *ast.BlockStmt) []ast.Stmt {
	var list []ast.Stmt
	for _, c := range b.List {
		if c, ok := c.(*ast.CaseClause); ok {
			list = append(list, c.Body...)
		}
	}
	return list
}

// expressions replaces expressions by a literal of their type or by an operand.
func (e *editor) expressions(n ast.Node) {
	slot := func(p *ast.Expr) {
		x := *p
		if x == nil {
			return
		}
		tv, ok := e.typed.Info.Types[x]
		if !ok || !tv.IsValue() {
			return
		}
		for _, small := range e.smaller(x, tv.Type) {
			e.add(func() { *p = small })
		}
	}
	list := func(l []ast.Expr) {
		for i := range l {
			slot(&l[i])
		}
	}
	switch n := n.(type) {
	case *ast.AssignStmt:
		list(n.Rhs)
	case *ast.ReturnStmt:
		list(n.Results)
	case *ast.ValueSpec:
		list(n.Values)
	case *ast.CallExpr:
		list(n.Args)
	case *ast.CompositeLit:
		list(n.Elts)
	case *ast.KeyValueExpr:
		slot(&n.Value)
	case *ast.BinaryExpr:
		slot(&n.X)
		slot(&n.Y)
	case *ast.UnaryExpr:
		slot(&n.X)
	case *ast.ParenExpr:
		slot(&n.X)
	case *ast.IfStmt:
		slot(&n.Cond)
	case *ast.SwitchStmt:
		if n.Tag != nil {
			slot(&n.Tag)
		}
	case *ast.CaseClause:
		list(n.List)
	case *ast.RangeStmt:
		slot(&n.X)
	case *ast.IndexExpr:
		slot(&n.Index)
	case *ast.SendStmt:
		slot(&n.Value)
	case *ast.SelectorExpr:
		slot(&n.X)
	}
}

// smaller returns smaller expressions of the same type.
func (e *editor) smaller(x ast.Expr, t types.Type) []ast.Expr {
	var list []ast.Expr
	if b, ok := t.(*types.Basic); ok {
		if text := zero(b); text != "" {
			if lit, ok := x.(*ast.BasicLit); !ok || len(lit.Value) > len(text)+1 {
				if id, ok := x.(*ast.Ident); !ok || id.Name != text {
					list = append(list, &ast.Ident{Name: text})
				}
			}
		}
	}
	for _, child := range operands(x) {
		if c := e.typed.Info.Types[child].Type; c != nil && types.Identical(c, t) {
			list = append(list, child)
		}
	}
	if lit, ok := x.(*ast.CompositeLit); ok && len(lit.Elts) > 1 && lit.Type != nil {
		list = append(list, &ast.CompositeLit{Type: lit.Type})
	}
	return list
}

// zero is a literal of a basic type, such as it would be without a conversion.
func zero(b *types.Basic) string {
	switch b.Kind() {
	case types.Int, types.UntypedInt:
		return "1"
	case types.Float64, types.UntypedFloat:
		return "1.5"
	case types.String, types.UntypedString:
		return `"a"`
	case types.Bool, types.UntypedBool:
		return "true"
	}
	return ""
}

// operands returns the direct operands of an expression.
func operands(x ast.Expr) []ast.Expr {
	switch x := x.(type) {
	case *ast.BinaryExpr:
		return []ast.Expr{x.X, x.Y}
	case *ast.UnaryExpr:
		return []ast.Expr{x.X}
	case *ast.ParenExpr:
		return []ast.Expr{x.X}
	case *ast.CallExpr:
		if lit, ok := x.Fun.(*ast.FuncLit); ok && len(lit.Body.List) == 1 {
			if r, ok := lit.Body.List[0].(*ast.ReturnStmt); ok {
				return r.Results
			}
		}
		return x.Args
	case *ast.IndexExpr:
		return []ast.Expr{x.X, x.Index}
	case *ast.SliceExpr:
		return []ast.Expr{x.X}
	}
	return nil
}
