package lower

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// stmts translates statements.
func (l *lowering) stmts(list []ast.Stmt) {
	for _, s := range list {
		l.stmt(s)
	}
}

// stmt translates one statement.
func (l *lowering) stmt(s ast.Stmt) {
	if _, ok := s.(*ast.BlockStmt); !ok {
		l.fn.pos = s.Pos()
		l.place(s.Pos())
	}
	switch s := s.(type) {
	case *ast.ExprStmt:
		l.exprStmt(s)
	case *ast.AssignStmt:
		l.assign(s)
	case *ast.DeclStmt:
		l.declStmt(s)
	case *ast.IncDecStmt:
		l.incDec(s)
	case *ast.ReturnStmt:
		l.returnStmt(s)
	case *ast.IfStmt:
		l.ifStmt(s)
	case *ast.BlockStmt:
		l.stmts(s.List) // no name hides another, so that no block is needed
	case *ast.ForStmt:
		l.forStmt(s, nil)
	case *ast.RangeStmt:
		l.rangeStmt(s, nil)
	case *ast.SwitchStmt:
		l.switchStmt(s, nil)
	case *ast.TypeSwitchStmt:
		l.typeSwitch(s, nil)
	case *ast.SelectStmt:
		l.selectStmt(s, nil)
	case *ast.LabeledStmt:
		l.labeled(s)
	case *ast.BranchStmt:
		l.branch(s)
	case *ast.DeferStmt:
		l.deferStmt(s)
	case *ast.SendStmt:
		l.send(s)
	case *ast.EmptyStmt:
	case *ast.GoStmt:
		// The checker refuses it; without a check the script must behave as in Go.
		f := l.hold(code{l.deferred(s.Call, ast.Unparen(s.Call.Fun)), call}, nil)
		l.line("go " + f.text + "()")
	default:
		l.refuse(s.Pos(), "a statement that cannot be translated", "write it otherwise")
	}
}

func (l *lowering) exprStmt(s *ast.ExprStmt) {
	e := ast.Unparen(s.X)
	if c, ok := e.(*ast.CallExpr); ok {
		if tuple, ok := l.typeOf(e).(*types.Tuple); ok && tuple.Len() > 1 {
			l.line(l.callText(c))
			return
		}
	}
	c := l.expr(e)
	if c.p == call {
		l.line(c.text)
		return
	}
	l.discard(e, c)
}

// discard evaluates an expression whose value is not used.
func (l *lowering) discard(e ast.Expr, c code) {
	if c.p == atom || c.p == constantCode {
		return
	}
	name := l.temp()
	t := l.typeOf(e)
	if b, ok := t.(*types.Basic); ok && b.Info()&types.IsUntyped != 0 {
		t = types.Default(t)
	}
	l.line(l.variableLine(name, c, t))
	l.line("_ = " + name)
}

func (l *lowering) declStmt(s *ast.DeclStmt) {
	d, ok := s.Decl.(*ast.GenDecl)
	if !ok || d.Tok != token.VAR {
		return // constants are written by their values, types where they are used
	}
	for _, spec := range d.Specs {
		v, _ := spec.(*ast.ValueSpec)
		var lhs []ast.Expr
		for _, id := range v.Names {
			lhs = append(lhs, id)
		}
		if len(v.Values) > 0 {
			l.define(lhs, v.Values)
			continue
		}
		for _, id := range v.Names {
			if o := l.fn.info.Defs[id]; o != nil && id.Name != "_" {
				l.declare(l.name(o), o.Type(), code{}, l.boxed(o))
			}
		}
	}
}

func (l *lowering) incDec(s *ast.IncDecStmt) {
	op := " += "
	if s.Tok == token.DEC {
		op = " -= "
	}
	t := l.typeOf(s.X)
	p := l.target(s.X)
	one := "1"
	if b, ok := t.Underlying().(*types.Basic); ok && b.Info()&types.IsComplex != 0 {
		one = "complex(1, 0)"
	}
	if p.plain && op == " += " {
		l.line(p.text + "++")
		return
	}
	if p.plain {
		l.line(p.text + "--")
		return
	}
	v := l.temp()
	l.line(v + " := " + p.text)
	l.line(v + op + one)
	l.line(p.text + " = " + v)
}

// returnStmt translates a return. Results that have places are set there.
func (l *lowering) returnStmt(s *ast.ReturnStmt) {
	results := l.fn.sig.Results()
	if len(s.Results) == 0 {
		l.bareReturn()
		return
	}
	if len(s.Results) == 1 && results.Len() > 1 {
		values, from := l.several(s.Results[0])
		for i := range values {
			values[i] = l.convert(code{values[i], atom}, from[i], results.At(i).Type(), nil).text
		}
		l.give(values)
		return
	}
	l.callsFirstFor(func(i int) types.Type { return results.At(i).Type() }, s.Results...)
	var parts []func() code
	for i, e := range s.Results {
		t := results.At(i).Type()
		parts = append(parts, func() code { return l.resultValue(e, t) })
	}
	values := l.inOrder(parts...)
	if len(values) > 1 {
		for i, c := range values {
			if c.p != atom && c.p != constantCode {
				values[i] = l.holdAs(c, results.At(i).Type())
			}
		}
	}
	l.give(texts(values))
}

// resultValue makes the code of a value that is returned.
func (l *lowering) resultValue(e ast.Expr, t types.Type) code {
	c := l.to(e, t)
	if types.IsInterface(l.subst(t)) && c.p < atom && !(c.p == call && types.Identical(l.typeOf(e), l.subst(t))) {
		return l.holdAs(c, t)
	}
	return c
}

// give writes the return of values.
func (l *lowering) give(values []string) {
	if l.fn.results == nil {
		l.line("return " + strings.Join(values, ", "))
		return
	}
	if len(values) > 1 {
		for i, v := range values {
			name := l.temp()
			t := l.fn.sig.Results().At(i).Type()
			l.line("var " + name + " " + l.typ(t) + " = " + v)
			values[i] = name
		}
	}
	for i, v := range values {
		l.line(l.fn.results[i] + " = " + v)
	}
	l.line("return")
}

func (l *lowering) bareReturn() {
	sig := l.fn.sig
	if l.fn.results != nil || sig.Results().Len() == 0 {
		l.line("return")
		return
	}
	var values []string
	for _, v := range l.resultVars() {
		if v == nil {
			values = append(values, "")
			continue
		}
		values = append(values, l.varCode(v).text)
	}
	for i, v := range values {
		if v == "" {
			name := l.temp()
			l.line("var " + name + " " + l.typ(sig.Results().At(i).Type()))
			values[i] = name
		}
	}
	l.line("return " + strings.Join(values, ", "))
}

// resultVars returns the named results of the function, nil for those that are
// called _.
func (l *lowering) resultVars() []*types.Var {
	var ft *ast.FuncType
	switch f := l.fn.literal.(type) {
	case *ast.FuncDecl:
		ft = f.Type
	case *ast.FuncLit:
		ft = f.Type
	}
	var vars []*types.Var
	for _, field := range ft.Results.List {
		for _, id := range field.Names {
			v, _ := l.fn.info.Defs[id].(*types.Var)
			if id.Name == "_" {
				v = nil
			}
			vars = append(vars, v)
		}
	}
	return vars
}

// ifStmt translates an if. Statements that its condition needs come before it.
func (l *lowering) ifStmt(s *ast.IfStmt) {
	if s.Init != nil {
		l.stmt(s.Init)
	}
	if tv := l.fn.info.Types[s.Cond]; tv.Value != nil {
		if tv.Value.String() == "true" {
			l.stmt(s.Body)
		} else if s.Else != nil {
			l.stmt(s.Else)
		}
		return
	}
	l.line("if " + l.condition(s.Cond) + " {")
	l.stmt(s.Body)
	if s.Else == nil {
		l.line("}")
		return
	}
	l.line("} else {")
	l.stmt(s.Else)
	l.line("}")
}

// condition makes the code of a condition.
func (l *lowering) condition(e ast.Expr) string {
	c := l.expr(e)
	if strings.Contains(c.text, "{") { // a literal would be parsed as the body
		return l.holdAs(c, types.Typ[types.Bool]).text
	}
	return c.text
}

func (l *lowering) send(s *ast.SendStmt) {
	c, _ := l.typeOf(s.Chan).Underlying().(*types.Chan)
	l.callsFirst(s.Chan, s.Value)
	parts := l.inOrder(func() code { return l.operand(s.Chan) }, func() code { return l.part(s.Value, c.Elem()) })
	l.line(parts[0].in(unary) + " <- " + parts[1].text)
}

// returns reports a terminating statement.
func returns(s ast.Stmt) bool {
	_, ok := s.(*ast.ReturnStmt)
	return ok
}
