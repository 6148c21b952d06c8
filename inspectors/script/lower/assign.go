package lower

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// place is the destination of a value. Plain places may be read and written as they are.
type place struct {
	text   string
	plain  bool
	blank  bool
	erased bool // a field that is Any in Core
}

// target makes the code of a place, with everything that must be computed for it. A
// function on the way to it is called once, however often the place is written.
func (l *lowering) target(e ast.Expr) place {
	e = ast.Unparen(e)
	if calls(e) {
		return l.frozen(e, nil)
	}
	switch e := e.(type) {
	case *ast.Ident:
		if e.Name == "_" {
			return place{text: "_", blank: true}
		}
		c := l.ident(e)
		return place{text: c.text, plain: c.p == atom || c.p == primary}
	case *ast.IndexExpr:
		t := l.typeOf(e.X)
		m, isMap := t.Underlying().(*types.Map)
		c := l.inOrder(func() code { return l.indexed(e.X) }, func() code {
			if isMap {
				return l.key2(e.Index, m.Key())
			}
			return l.expr(e.Index)
		})
		for i := range c {
			if !c[i].stable() {
				c[i] = l.hold(c[i], nil)
			}
		}
		return place{text: c[0].in(primary) + "[" + c[1].text + "]"}
	case *ast.SelectorExpr:
		c := l.selector(e, true)
		return place{text: c.text, plain: c.stable(), erased: l.erasedSelector(e)}
	case *ast.StarExpr:
		c := l.expr(e.X)
		if !c.stable() {
			c = l.hold(c, l.typeOf(e.X))
		}
		return place{text: "*" + c.in(unary)}
	}
	l.refuse(e.Pos(), "an assignment to this", "write it otherwise")
	return place{}
}

// indexed makes the code of what an element is set of: an array where it is, not a copy.
func (l *lowering) indexed(e ast.Expr) code {
	if _, array := l.typeOf(e).Underlying().(*types.Array); !array {
		return l.operand(e)
	}
	text := l.target(e).text
	if text[0] == '*' {
		text = "(" + text + ")"
	}
	return code{text, atom}
}

// assign translates assignments and short declarations: one value goes to one
// place at a time.
func (l *lowering) assign(s *ast.AssignStmt) {
	switch {
	case s.Tok == token.DEFINE:
		l.define(s.Lhs, s.Rhs)
	case s.Tok != token.ASSIGN:
		l.assignOp(s)
	case len(s.Lhs) == 1:
		l.assignOne(s.Lhs[0], s.Rhs[0])
	case len(s.Rhs) == 1:
		l.assignSeveral(s.Lhs, s.Rhs[0])
	default:
		l.assignEach(s)
	}
}

func (l *lowering) assignOne(to, e ast.Expr) {
	if id, ok := ast.Unparen(to).(*ast.Ident); ok && id.Name == "_" {
		l.discard(e, l.expr(e))
		return
	}
	t := l.typeOf(to)
	var p place
	var c code
	before := l.apart(func() { p = l.target(to) })
	value := l.apart(func() { c = l.to(e, t) })
	l.fn.out.WriteString(before)
	l.fn.out.WriteString(value)
	if types.IsInterface(l.subst(t)) && c.p < atom || !p.plain && c.p < primary || l.global(to) && strings.HasSuffix(c.text, "}") {
		c = l.holdAs(c, t)
	}
	l.set(p, c, t)
}

// set sets a place to a value of a type.
func (l *lowering) set(p place, c code, t types.Type) {
	if p.erased {
		c = l.laid(c, t)
	}
	l.line(p.text + " = " + c.text)
}

// global reports a variable of the package. The interpreter stores a literal that is
// assigned to one in another place, and pointers to the variable keep the old value.
func (l *lowering) global(e ast.Expr) bool {
	id, ok := ast.Unparen(e).(*ast.Ident)
	if !ok {
		return false
	}
	o, ok := l.fn.info.Uses[id].(*types.Var)
	return ok && o.Parent() == o.Pkg().Scope()
}

// assignOp translates x op= y.
func (l *lowering) assignOp(s *ast.AssignStmt) {
	op := strings.TrimSuffix(s.Tok.String(), "=")
	t := l.typeOf(s.Lhs[0])
	var p place
	late := l.acts(s.Rhs[0]) // the place is computed after the calls, as by the compiler
	if late {
		_, found := l.inTurn(nil, s.Lhs[0], s.Rhs[0])
		l.make(found)
	} else {
		p = l.target(s.Lhs[0])
	}
	y := l.divisor(l.expr(s.Rhs[0]), s.Rhs[0], s.Tok, t)
	if s.Tok == token.SHL_ASSIGN || s.Tok == token.SHR_ASSIGN {
		y = l.shiftCount(y, s.Rhs[0])
	}
	if b, ok := l.typeOf(s.Rhs[0]).Underlying().(*types.Basic); ok && b.Info()&types.IsUntyped != 0 && y.p != constantCode {
		y = l.holdAs(y, t)
	} else if late && !y.stable() {
		y = l.holdAs(y, l.typeOf(s.Rhs[0]))
	}
	if late {
		p = l.target(s.Lhs[0])
	}
	if p.plain {
		l.line(p.text + " " + op + "= " + y.text)
		return
	}
	v := l.temp()
	l.line(v + " := " + p.text)
	l.line(v + " " + op + "= " + y.text)
	l.line(p.text + " = " + v)
}

// assignSeveral sets places to the values of one call, or of a comma-ok form. Go does not
// specify whether a variable on the way to a place is read before that call or after it;
// its compiler reads it after.
func (l *lowering) assignSeveral(lhs []ast.Expr, e ast.Expr) {
	var places []place
	var values []string
	var from []types.Type
	freeze := func() {
		for _, to := range lhs {
			places = append(places, l.frozen(to, lhs))
		}
	}
	if slices.ContainsFunc(lhs, calls) {
		freeze()
		values, from = l.several(e)
	} else {
		values, from = l.several(e)
		freeze()
	}
	for i, p := range places {
		if p.blank {
			continue
		}
		t := l.typeOf(lhs[i])
		l.set(p, l.steady(l.convert(code{values[i], atom}, from[i], t, nil), t), t)
	}
}

// assignEach sets several places to one value each. All values, and everything from which
// the places are computed, are read before the first place is set.
func (l *lowering) assignEach(s *ast.AssignStmt) {
	var places []place
	for _, e := range s.Lhs {
		places = append(places, l.frozen(e, s.Lhs))
	}
	l.callsFirstFor(func(i int) types.Type { return l.typeOf(s.Lhs[i]) }, s.Rhs...)
	var values []code
	for i, e := range s.Rhs {
		if places[i].blank {
			l.discard(e, l.expr(e))
			values = append(values, code{})
			continue
		}
		t := l.typeOf(s.Lhs[i])
		c := l.to(e, t)
		if c.p != constantCode {
			c = l.holdAs(c, t)
		}
		values = append(values, c)
	}
	for i, p := range places {
		if !p.blank {
			l.set(p, values[i], l.typeOf(s.Lhs[i]))
		}
	}
}

// frozen is target for one of several places: everything from which it is computed is read
// before any of them is set.
func (l *lowering) frozen(e ast.Expr, lhs []ast.Expr) place {
	f := &freezer{l: l, lhs: lhs}
	if id, ok := ast.Unparen(e).(*ast.Ident); ok {
		return l.target(id)
	}
	return place{text: f.code(e).text, erased: l.erasedSelector(e)}
}

// freezer makes the code of a place, and puts the pointers, slices, maps and indexes on the
// way to it in variables if a statement may set those.
type freezer struct {
	l   *lowering
	lhs []ast.Expr // the variables that the statement sets, or nil if it may set anything
}

func (f *freezer) code(e ast.Expr) code {
	l := f.l
	switch e := ast.Unparen(e).(type) {
	case *ast.IndexExpr:
		t := l.typeOf(e.X)
		m, isMap := t.Underlying().(*types.Map)
		var x code
		if _, array := t.Underlying().(*types.Array); array {
			x = f.code(e.X)
		} else {
			x = f.keep(e.X, l.operand(e.X))
		}
		index := l.typeOf(e.Index)
		var i code
		if isMap {
			i, index = l.key2(e.Index, m.Key()), m.Key()
		} else {
			i = l.expr(e.Index)
		}
		if i.p != constantCode && (f.sets(e.Index) || !i.stable()) {
			i = l.holdAs(i, index)
		}
		return code{x.in(primary) + "[" + i.text + "]", primary}
	case *ast.StarExpr:
		return code{"*" + f.keep(e.X, l.expr(e.X)).in(unary), unary}
	case *ast.SelectorExpr:
		s := l.fn.info.Selections[e]
		if s == nil || s.Kind() != types.FieldVal {
			return l.expr(e)
		}
		t := l.typeOf(e.X)
		x := f.base(e.X, t)
		c, _ := l.fieldPlace(x, t, l.fieldPath(e, s))
		return c
	}
	return l.expr(e)
}

// base makes the code of the operand of a field selection.
func (f *freezer) base(e ast.Expr, t types.Type) code {
	if isPointer(t) {
		return f.keep(e, f.l.expr(e))
	}
	return f.code(e)
}

// keep puts a pointer, slice or map into a variable if it may be set.
func (f *freezer) keep(e ast.Expr, c code) code {
	if c.stable() && !f.sets(e) {
		return c
	}
	return f.l.hold(c, f.l.typeOf(e))
}

// sets reports whether the statement may set something that an expression reads.
func (f *freezer) sets(e ast.Expr) bool {
	if f.lhs == nil {
		return true
	}
	info := f.l.fn.info
	set := make(map[types.Object]bool)
	parts := false // elements, fields, and the targets of pointers
	for _, to := range f.lhs {
		if id, plain := ast.Unparen(to).(*ast.Ident); plain {
			set[info.ObjectOf(id)] = true
		} else {
			parts = true
		}
	}
	found := false
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.IndexExpr, *ast.StarExpr:
			found = found || parts
		case *ast.Ident:
			if v, ok := info.ObjectOf(n).(*types.Var); ok {
				found = found || set[v] || parts && (v.IsField() || f.l.boxed(v) || f.l.statics[v] != "")
			}
		}
		return true
	})
	return found
}

// define declares variables with values. It sets variables of the same scope that exist
// already.
func (l *lowering) define(lhs, rhs []ast.Expr) {
	if len(lhs) == 1 {
		l.defineOne(lhs[0], rhs[0])
		return
	}
	if len(rhs) == 1 {
		l.defineSeveral(lhs, rhs[0])
		return
	}
	l.callsFirst(rhs...)
	values := make([]code, len(rhs))
	for i, e := range rhs {
		t := l.typeOf(e)
		if o := l.fn.info.ObjectOf(lhs[i].(*ast.Ident)); o != nil {
			t = l.subst(o.Type())
		}
		c := l.to(e, t)
		if c.p != constantCode && i < len(rhs)-1 {
			c = l.holdAs(c, t)
		}
		values[i] = c
	}
	for i, e := range lhs {
		id, _ := e.(*ast.Ident)
		l.receive(id, values[i], rhs[i])
	}
}

// receive declares a variable with a value, or sets an existing one.
func (l *lowering) receive(id *ast.Ident, c code, e ast.Expr) {
	if id.Name == "_" {
		if e != nil {
			l.discard(e, c)
		}
		return
	}
	if o := l.fn.info.Defs[id]; o != nil {
		l.declare(l.name(o), o.Type(), c, l.boxed(o))
		return
	}
	l.line(l.ident(id).text + " = " + c.text)
}

func (l *lowering) defineOne(to, e ast.Expr) {
	id, _ := to.(*ast.Ident)
	t := l.typeOf(e)
	if o := l.fn.info.ObjectOf(id); o != nil {
		t = l.subst(o.Type())
	}
	if id.Name == "_" && isNil(l.fn.info, e) {
		return
	}
	c := l.to(e, t)
	if types.IsInterface(t) && c.p < atom {
		c = l.holdAs(c, t)
	}
	l.receive(id, c, e)
}

// defineSeveral declares variables with the values of one call. If all of them are new and
// plain, the call sets them itself.
func (l *lowering) defineSeveral(lhs []ast.Expr, e ast.Expr) {
	if x, ok := ast.Unparen(e).(*ast.CallExpr); ok {
		if names := l.plainNames(lhs, x); names != nil {
			text := l.callText(x)
			l.line(strings.Join(names, ", ") + " := " + text)
			return
		}
	}
	values, from := l.several(e)
	for i, e := range lhs {
		id, _ := e.(*ast.Ident)
		c := code{values[i], atom}
		if o := l.fn.info.ObjectOf(id); o != nil && id.Name != "_" {
			c = l.steady(l.convert(c, from[i], o.Type(), nil), o.Type())
		}
		l.receive(id, c, nil)
	}
}

// plainNames returns the names of variables that a call may declare itself, or
// nil.
func (l *lowering) plainNames(lhs []ast.Expr, e *ast.CallExpr) []string {
	tuple, _ := l.typeOf(e).(*types.Tuple)
	for i, x := range lhs {
		id, _ := x.(*ast.Ident)
		if id.Name == "_" {
			continue
		}
		o := l.fn.info.ObjectOf(id)
		if o == nil || l.boxed(o) || l.statics[o] != "" || !types.Identical(l.subst(o.Type()), tuple.At(i).Type()) {
			return nil
		}
		if l.fn.info.Defs[id] == nil && l.variable(o).captured {
			return nil
		}
	}
	var names []string
	for _, x := range lhs {
		id, _ := x.(*ast.Ident)
		if id.Name == "_" {
			names = append(names, "_")
			continue
		}
		names = append(names, l.name(l.fn.info.ObjectOf(id)))
	}
	return names
}

// calls reports an expression that calls something or receives.
func calls(e ast.Expr) bool {
	found := false
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			found = true
		case *ast.UnaryExpr:
			found = found || n.Op == token.ARROW
		}
		return !found
	})
	return found
}
