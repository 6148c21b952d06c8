package lower

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"strconv"
	"strings"
)

// chain writes an if chain: each arm is tried if those before it did not match, and the
// statements that its condition needs are written then.
type chain struct {
	l    *lowering
	open int
}

// arm begins the next arm, that of a clause. Its condition is what cond returns; cond
// may write statements.
func (c *chain) arm(clause *ast.CaseClause, cond func() string, body func()) {
	if c.open > 0 {
		c.l.line("} else {")
	}
	c.l.place(clause.Pos())
	text := cond()
	c.l.line("if " + text + " {")
	body()
	c.open++
}

// last writes the code for no match, and ends the chain.
func (c *chain) last(body func()) {
	if body != nil {
		if c.open > 0 {
			c.l.line("} else {")
		}
		body()
	}
	for range c.open {
		c.l.line("}")
	}
}

// switchStmt translates a switch into an if chain. The interpreter evaluates only the first
// condition of a case and only the first value, and moves default to the end before it
// resolves fallthrough.
func (l *lowering) switchStmt(s *ast.SwitchStmt, label types.Object) {
	if s.Init != nil {
		l.stmt(s.Init)
	}
	matches := l.matcher(s)
	var clauses []*ast.CaseClause
	falls := false
	for _, stmt := range s.Body.List {
		c, _ := stmt.(*ast.CaseClause)
		clauses = append(clauses, c)
		falls = falls || fallsThrough(c)
	}
	if falls {
		l.falling(s, label, clauses, matches)
		return
	}
	l.leavable(s, label, func() {
		c := &chain{l: l}
		var rest func()
		for _, clause := range clauses {
			body := func() { l.stmts(clause.Body) }
			if clause.List == nil {
				rest = body
				continue
			}
			c.arm(clause, func() string { return l.any(clause.List, matches) }, body)
		}
		c.last(rest)
	})
}

// falling translates a switch with fallthrough: the chain finds the clause, and
// the clauses follow in their order.
func (l *lowering) falling(s *ast.SwitchStmt, label types.Object, clauses []*ast.CaseClause, matches func(ast.Expr) code) {
	which := l.temp()
	l.line("var " + which + " int = -1")
	c := &chain{l: l}
	var rest func()
	for i, clause := range clauses {
		choose := func() { l.line(which + " = " + strconv.Itoa(i)) }
		if clause.List == nil {
			rest = choose
			continue
		}
		c.arm(clause, func() string { return l.any(clause.List, matches) }, choose)
	}
	c.last(rest)
	l.leavable(s, label, func() {
		for i, clause := range clauses {
			next := ""
			if fallsThrough(clause) {
				next = which + " = " + strconv.Itoa(i+1)
			}
			l.block("if "+which+" == "+strconv.Itoa(i), func() {
				l.stmts(clause.Body)
				if next != "" {
					l.line(next)
				}
			})
		}
	})
}

func fallsThrough(c *ast.CaseClause) bool {
	if len(c.Body) == 0 {
		return false
	}
	b, ok := c.Body[len(c.Body)-1].(*ast.BranchStmt)
	return ok && b.Tok == token.FALLTHROUGH
}

// any makes the code of "one of these matches", trying one after the other.
func (l *lowering) any(list []ast.Expr, matches func(ast.Expr) code) string {
	c := matches(list[0])
	for _, e := range list[1:] {
		var next code
		before := l.apart(func() { next = matches(e) })
		if before == "" && c.p != primary && next.p != primary && !strings.Contains(c.text+next.text, "{") && l.basicTag(e) {
			c = code{c.in(1) + " || " + next.in(2), 1}
			continue
		}
		found := l.temp()
		l.line("var " + found + " bool = " + c.text)
		l.block("if !"+found, func() {
			l.fn.out.WriteString(before)
			l.line(found + " = " + next.text)
		})
		c = code{found, atom}
	}
	if c.p == constantCode || strings.Contains(c.text, "{") {
		return l.holdAs(c, types.Typ[types.Bool]).text
	}
	return c.text
}

// basicTag reports a value of a case that is compared as numbers and strings are,
// or a condition that is no comparison of others.
func (l *lowering) basicTag(e ast.Expr) bool {
	switch l.typeOf(e).Underlying().(type) {
	case *types.Struct, *types.Array:
		return false
	}
	return l.basicComparison(e)
}

// matcher evaluates the tag of a switch and returns a function that compares it with the
// value of a case.
func (l *lowering) matcher(s *ast.SwitchStmt) func(ast.Expr) code {
	if s.Tag == nil {
		return l.expr
	}
	t := l.typeOf(s.Tag)
	tv := l.fn.info.Types[s.Tag]
	if tv.Value != nil && tv.Value.Kind() == constant.Bool {
		if constant.BoolVal(tv.Value) {
			return l.expr
		}
		return func(e ast.Expr) code {
			c := l.holdAs(l.expr(e), types.Typ[types.Bool])
			return code{"!" + c.text, unary}
		}
	}
	if b, ok := t.(*types.Basic); ok && b.Info()&types.IsUntyped != 0 {
		t = types.Default(t)
	}
	tag := l.holdAs(l.to(s.Tag, t), t)
	return func(e ast.Expr) code {
		if isNil(l.fn.info, e) {
			if types.IsInterface(t) && !l.libraryInterface(t) {
				return code{"!" + l.host() + ".Holds(" + tag.text + ")", unary}
			}
			return code{tag.text + " == nil", 3}
		}
		et := l.typeOf(e)
		if types.IsInterface(t) || types.IsInterface(et) {
			held := types.Universe.Lookup("any").Type()
			x, y := l.convert(tag, t, held, nil), l.to(e, held)
			return code{l.equal(x, y), call}
		}
		return code{tag.text + " == " + l.expr(e).in(4), 3}
	}
}

// typeSwitch translates a switch on a type into an if chain of assertions.
func (l *lowering) typeSwitch(s *ast.TypeSwitchStmt, label types.Object) {
	if s.Init != nil {
		l.stmt(s.Init)
	}
	var asserted *ast.TypeAssertExpr
	ast.Inspect(s.Assign, func(n ast.Node) bool {
		if a, ok := n.(*ast.TypeAssertExpr); ok && a.Type == nil && asserted == nil {
			asserted = a
		}
		return asserted == nil
	})
	from := l.typeOf(asserted.X)
	x := l.holdAs(l.expr(asserted.X), from)
	l.leavable(s, label, func() {
		c := &chain{l: l}
		var rest func()
		for _, stmt := range s.Body.List {
			clause, _ := stmt.(*ast.CaseClause)
			value := ""
			body := func() {
				if o := l.fn.info.Implicits[clause]; o != nil {
					t := l.subst(o.Type())
					l.declare(l.name(o), t, code{value, atom}, l.boxed(o))
					l.line("_ = " + l.name(o))
				}
				l.stmts(clause.Body)
			}
			if clause.List == nil {
				rest = func() { value = x.text; body() }
				continue
			}
			c.arm(clause, func() string {
				var cond string
				cond, value = l.typeCase(x, from, clause.List)
				return cond
			}, body)
		}
		c.last(rest)
	})
}

// typeCase writes what finds out whether an interface holds one of some types,
// and returns that and the value.
func (l *lowering) typeCase(x code, from types.Type, list []ast.Expr) (cond, value string) {
	found := ""
	for i, e := range list {
		write := func() {
			if isNil(l.fn.info, e) {
				cond, value = l.temp(), x.text
				l.line(cond + " := !" + l.host() + ".Holds(" + x.text + ")")
				return
			}
			value, cond = l.assert(x, from, l.typeOf(e))
		}
		if len(list) == 1 {
			write()
			return cond, value
		}
		if i == 0 {
			found = l.temp()
			l.line("var " + found + " bool")
		}
		l.block("if !"+found, func() {
			write()
			l.line(found + " = " + cond)
		})
	}
	return found, x.text
}
