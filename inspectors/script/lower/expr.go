package lower

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// code is an expression in Core, and its precedence.
type code struct {
	text string
	p    int
}

// Precedences of code, beyond those of binary operators, which are 1 to 5.
const (
	unary        = 6
	primary      = 7
	call         = 8 // a call: it may do something
	atom         = 9 // a variable
	constantCode = 10
)

// in returns the text of code for a place with a precedence.
func (c code) in(p int) string {
	if c.p < p {
		return "(" + c.text + ")"
	}
	return c.text
}

// pointer returns the code of a pointer, if c is the pointer's target.
func (c code) pointer() (code, bool) {
	if c.p != unary || !strings.HasPrefix(c.text, "*") {
		return c, false
	}
	if strings.ContainsAny(c.text[1:2], "*&") {
		return code{c.text[1:], unary}, true
	}
	return code{c.text[1:], primary}, true
}

// stable reports code that means the same after other code has run, as far as Go promises
// that: it neither calls nor receives.
func (c code) stable() bool {
	if c.p == atom || c.p == constantCode {
		return true
	}
	text := strings.ReplaceAll(c.text, "(*", "") // the target of a pointer, or a conversion, which has one more
	return !strings.Contains(text, "(") && !strings.Contains(text, "<-")
}

// inOrder makes the code of several expressions that are used together. If a later one
// needs statements before it, the calls in earlier ones are made before those.
func (l *lowering) inOrder(parts ...func() code) []code {
	out := make([]code, 0, len(parts))
	for _, part := range parts {
		var c code
		before := l.apart(func() { c = part() })
		if before != "" {
			for i := range out {
				if !out[i].stable() {
					name := l.temp()
					l.line(name + " := " + out[i].text)
					out[i] = code{name, atom}
				}
			}
			l.fn.out.WriteString(before)
		}
		out = append(out, c)
	}
	return out
}

// to makes the code of an expression for a place of a type.
func (l *lowering) to(e ast.Expr, t types.Type) code {
	if lit, ok := ast.Unparen(e).(*ast.CompositeLit); ok && lit.Type == nil {
		return l.compositeLit(lit)
	}
	c := l.expr(e)
	if isNil(l.fn.info, e) {
		return l.nilOf(t)
	}
	return l.convert(c, l.typeOf(e), t, e)
}

// nilOf is nil of a type. A function's nil must be typed.
func (l *lowering) nilOf(types.Type) code { return code{"nil", atom} }

func isNil(info *types.Info, e ast.Expr) bool { return info.Types[ast.Unparen(e)].IsNil() }

// expr makes the code of an expression, and writes the statements that must precede it.
func (l *lowering) expr(e ast.Expr) code {
	if tv := l.fn.info.Types[e]; tv.Value != nil {
		return l.constantExpr(e, tv)
	}
	if c, ok := l.fn.made[e]; ok {
		delete(l.fn.made, e)
		return c
	}
	switch e := e.(type) {
	case *ast.ParenExpr:
		return l.expr(e.X)
	case *ast.Ident:
		return l.ident(e)
	case *ast.SelectorExpr:
		return l.selector(e, false)
	case *ast.CallExpr:
		return l.call(e)
	case *ast.IndexExpr:
		return l.index(e)
	case *ast.IndexListExpr:
		return l.funcValue(e)
	case *ast.SliceExpr:
		return l.slice(e)
	case *ast.StarExpr:
		if c, ok := l.arrayOfSlice(e); ok {
			return c
		}
		return code{"*" + l.settled(e.X).in(unary), unary}
	case *ast.UnaryExpr:
		return l.unary(e)
	case *ast.BinaryExpr:
		return l.binary(e)
	case *ast.CompositeLit:
		return l.compositeLit(e)
	case *ast.FuncLit:
		return l.funcLit(e)
	case *ast.TypeAssertExpr:
		return l.typeAssert(e)
	}
	l.refuse(e.Pos(), "an expression that cannot be translated", "write it otherwise")
	return code{}
}

// constantExpr writes a constant by its value; a typed constant of the library is left to
// the library.
func (l *lowering) constantExpr(e ast.Expr, tv types.TypeAndValue) code {
	if sel, ok := ast.Unparen(e).(*ast.SelectorExpr); ok {
		if c, ok := l.fn.info.Uses[sel.Sel].(*types.Const); ok && c.Pkg() != l.Pkg && l.infos[c.Pkg()] == nil {
			if _, named := types.Unalias(c.Type()).(*types.Named); named {
				return code{l.pkg(c.Pkg().Path(), c.Pkg().Name()) + "." + c.Name(), constantCode}
			}
		}
	}
	return l.constant(tv.Value, tv.Type, false)
}

func (l *lowering) ident(id *ast.Ident) code {
	switch o := l.fn.info.ObjectOf(id).(type) {
	case *types.Nil:
		return code{"nil", atom}
	case *types.Var:
		return l.varCode(o)
	case *types.Func:
		return l.funcValue(id)
	}
	l.refuse(id.Pos(), "the name "+id.Name+" cannot be used here", "write it otherwise")
	return code{}
}

// varCode is the code of a variable.
func (l *lowering) varCode(v *types.Var) code {
	if name, ok := l.statics[v]; ok {
		return code{name, atom}
	}
	if v.Pkg() != nil && v.Parent() == v.Pkg().Scope() {
		if l.infos[v.Pkg()] == nil {
			return code{l.pkg(v.Pkg().Path(), v.Pkg().Name()) + "." + v.Name(), primary}
		}
	}
	name := l.name(v)
	if !l.boxed(v) {
		return code{name, atom}
	}
	text := l.unbox(name, v.Type())
	if text[0] == '*' {
		return code{text, unary}
	}
	return code{text, primary}
}

// selector translates x.y that is not called; place says that it is set.
func (l *lowering) selector(sel *ast.SelectorExpr, place bool) code {
	s := l.fn.info.Selections[sel]
	if s == nil {
		switch o := l.fn.info.Uses[sel.Sel].(type) {
		case *types.Var:
			return l.varCode(o)
		case *types.Func:
			return l.funcValue(sel)
		}
	}
	switch s.Kind() {
	case types.MethodVal:
		return l.methodValue(sel)
	case types.MethodExpr:
		return l.methodExpr(sel)
	}
	t := l.typeOf(sel.X)
	path := l.fieldPath(sel, s)
	if place {
		c, _ := l.fieldPlace(l.settled(sel.X), t, path)
		return c
	}
	c, _ := l.fields(l.settled(sel.X), t, path)
	return c
}

// fieldPath is the path to a selected field.
func (l *lowering) fieldPath(sel *ast.SelectorExpr, s *types.Selection) []int {
	if l.fn.env != nil {
		if _, index, _ := types.LookupFieldOrMethod(l.typeOf(sel.X), true, l.fn.pkg, sel.Sel.Name); index != nil {
			return index
		}
	}
	return s.Index()
}

// fields follows a path of fields, including those of embedded structs, which the
// interpreter does not always promote.
func (l *lowering) fields(x code, t types.Type, path []int) (code, types.Type) {
	if len(path) == 0 {
		return x, t
	}
	last := len(path) - 1
	x, of := l.fieldPlace(x, t, path)
	if owner := l.ownerOf(t, path); l.erased(owner, path[last]) {
		return l.restored(x, of), of
	}
	return x, of
}

// ownerOf returns the type that has the last of a path of fields.
func (l *lowering) ownerOf(t types.Type, path []int) types.Type {
	for _, i := range path[:len(path)-1] {
		s, ok := deref2(t).Underlying().(*types.Struct)
		if !ok {
			return t
		}
		t = s.Field(i).Type()
	}
	return t
}

// fieldPlace is fields for a field that is set.
func (l *lowering) fieldPlace(x code, t types.Type, path []int) (code, types.Type) {
	for at, i := range path {
		owner := t
		if p, ok := t.Underlying().(*types.Pointer); ok {
			t = p.Elem()
		}
		s, ok := t.Underlying().(*types.Struct)
		if !ok {
			l.refuse(l.fn.pos, "a field of "+t.String(), "write it otherwise")
		}
		if l.foreign(t) && at < len(path)-1 {
			t = s.Field(i).Type()
			continue // the library's types promote their fields themselves
		}
		text := x.in(primary)
		if p, ok := x.pointer(); ok && !isPointer(owner) {
			text = p.in(primary) // a field of a pointer's target
		} else if x.p == unary && text[1] == '&' {
			text = x.text[1:] // a field of the variable whose address it is
		}
		name := s.Field(i).Name()
		if l.own(t) != nil || t == t.Underlying() {
			name = l.fieldName(s, i)
		}
		x = code{text + "." + name, primary}
		if strings.Contains(text, "(") {
			x = code{text + "." + name, primary}
		}
		t = s.Field(i).Type()
		if at < len(path)-1 && l.erased(owner, i) {
			x = l.restored(x, t)
		}
	}
	return x, t
}

// foreign reports a type that the library declares.
func (l *lowering) foreign(t types.Type) bool {
	n, ok := types.Unalias(deref2(t)).(*types.Named)
	return ok && l.own(n) == nil
}

func (l *lowering) unary(e *ast.UnaryExpr) code {
	switch e.Op {
	case token.AND:
		return l.address(e.X)
	case token.ADD:
		return l.expr(e.X)
	case token.ARROW:
		return l.hold(code{"<-" + l.expr(e.X).in(unary), unary}, l.typeOf(e))
	}
	x := l.expr(e.X)
	if x.p == unary {
		x = l.hold(x, l.typeOf(e.X))
	}
	return code{e.Op.String() + x.in(unary), unary}
}

// address takes the address of a variable, a part of one, or a literal.
func (l *lowering) address(e ast.Expr) code {
	e = ast.Unparen(e)
	t := l.typeOf(e)
	if lit, ok := e.(*ast.CompositeLit); ok {
		c := l.compositeLit(lit)
		if _, isStruct := t.Underlying().(*types.Struct); isStruct {
			return l.hold(code{"&" + c.text, unary}, types.NewPointer(t))
		}
		box := l.temp()
		l.line(box + " := new(" + l.box(t) + ")")
		l.line(box + ".V = " + c.text)
		return code{"&" + box + ".V", unary}
	}
	if id, ok := e.(*ast.Ident); ok {
		if v, ok := l.fn.info.ObjectOf(id).(*types.Var); ok && l.statics[v] == "" && l.boxed(v) {
			if _, isStruct := l.subst(v.Type()).Underlying().(*types.Struct); isStruct {
				return code{l.name(v), atom}
			}
		}
	}
	if l.erasedSelector(e) {
		l.refuse(e.Pos(), "the address of a field of a struct that is made of other structs which are made of it",
			"put what the field holds into a variable, and set the field after")
	}
	x := l.expr(e)
	if p, ok := x.pointer(); ok {
		return p
	}
	return code{"&" + x.in(unary), unary}
}

func (l *lowering) binary(e *ast.BinaryExpr) code {
	switch e.Op {
	case token.LAND, token.LOR:
		return l.logical(e)
	case token.EQL, token.NEQ:
		return l.comparison(e)
	case token.SHL, token.SHR:
		return l.shift(e)
	}
	p := e.Op.Precedence()
	l.callsFirst(e.X, e.Y)
	operand := l.expr
	if e.Op == token.QUO || e.Op == token.REM {
		operand = l.settled
	}
	c := l.inOrder(func() code { return operand(e.X) }, func() code { return l.divisor(operand(e.Y), e.Y, e.Op, l.typeOf(e)) })
	return code{c[0].in(p) + " " + e.Op.String() + " " + c[1].in(p+1), p}
}

// divisor puts a constant zero by which a fraction is divided into a variable. In Go the
// result is an infinity; the interpreter refuses the constant.
func (l *lowering) divisor(c code, e ast.Expr, op token.Token, t types.Type) code {
	if tv := l.fn.info.Types[e]; (op == token.QUO || op == token.QUO_ASSIGN) && tv.Value != nil && constant.Sign(tv.Value) == 0 {
		return l.hold(l.constant(tv.Value, t, true), t)
	}
	return c
}

// shift gives the constant in 1 << n its type, because the interpreter would treat it as an
// int.
func (l *lowering) shift(e *ast.BinaryExpr) code {
	p := e.Op.Precedence()
	l.callsFirst(e.X, e.Y)
	c := l.inOrder(func() code {
		if tv := l.fn.info.Types[e.X]; tv.Value != nil {
			t := l.typeOf(e)
			x := l.constant(tv.Value, t, true)
			if x.p == constantCode {
				return l.hold(x, t)
			}
			return x
		}
		return l.expr(e.X)
	}, func() code {
		if tv := l.fn.info.Types[e.Y]; tv.Value != nil {
			return code{constant.ToInt(tv.Value).ExactString(), constantCode}
		}
		return l.shiftCount(l.expr(e.Y), e.Y)
	})
	return code{c[0].in(p) + " " + e.Op.String() + " " + c[1].in(p+1), p}
}

// shiftCount makes a shift by a negative count panic; the interpreter would use a large
// count.
func (l *lowering) shiftCount(c code, e ast.Expr) code {
	t := l.typeOf(e)
	if b, ok := t.Underlying().(*types.Basic); !ok || b.Info()&types.IsUnsigned != 0 || l.fn.info.Types[e].Value != nil {
		return c
	}
	c = l.steady(c, t)
	l.block("if "+c.text+" < 0", func() { l.line(l.host() + ".NegativeShift()") })
	return c
}

// logical translates && and ||. If the right side needs statements before it, it becomes an
// if, so that they run only when Go would evaluate it.
func (l *lowering) logical(e *ast.BinaryExpr) code {
	p := e.Op.Precedence()
	if tv := l.fn.info.Types[e.X]; tv.Value != nil {
		if (tv.Value.String() == "true") == (e.Op == token.LAND) {
			return l.expr(e.Y)
		}
		return l.decided(e, e.X, tv)
	}
	x := l.operandOf(e.X)
	if tv := l.fn.info.Types[e.Y]; tv.Value != nil {
		if (tv.Value.String() == "true") == (e.Op == token.LAND) {
			return x
		}
		l.discard(e.X, x)
		return l.decided(e, e.Y, tv)
	}
	var y code
	before := l.apart(func() { y = l.operandOf(e.Y) })
	if before == "" {
		return code{x.in(p) + " " + e.Op.String() + " " + y.in(p+1), p}
	}
	result := l.temp()
	l.line(result + " := " + x.text)
	condition := result
	if e.Op == token.LOR {
		condition = "!" + result
	}
	l.block("if "+condition, func() {
		l.fn.out.WriteString(before)
		l.line(result + " = " + y.text)
	})
	return code{result, atom}
}

// decided is the value of e, which one operand decides. It goes into a variable, because Go
// does not treat it as a constant, and the interpreter ignores everything after a constant
// in !true || x.
func (l *lowering) decided(e *ast.BinaryExpr, operand ast.Expr, tv types.TypeAndValue) code {
	return l.hold(l.constantExpr(operand, tv), l.typeOf(e))
}

// operandOf makes the code of an operand of && or ||. The interpreter wants an operand with
// its own place: one that is part of something else, or compares anything but numbers and
// strings, goes into a variable.
func (l *lowering) operandOf(e ast.Expr) code {
	c := l.expr(e)
	if c.p == primary || strings.Contains(c.text, "{") || !l.basicComparison(e) {
		return l.holdAs(c, types.Typ[types.Bool])
	}
	return c
}

// basicComparison reports an operand that is no comparison, or one of numbers,
// strings, pointers and the like.
func (l *lowering) basicComparison(e ast.Expr) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.UnaryExpr:
		return l.basicComparison(e.X) && (e.Op != token.ARROW)
	case *ast.BinaryExpr:
		if e.Op != token.EQL && e.Op != token.NEQ {
			return true
		}
		switch l.typeOf(e.X).Underlying().(type) {
		case *types.Struct, *types.Array:
			return false
		}
	case *ast.IndexExpr, *ast.SelectorExpr, *ast.StarExpr:
		return false
	}
	return true
}

// comparison translates == and !=. Interfaces are compared by the host.
func (l *lowering) comparison(e *ast.BinaryExpr) code {
	x, y := l.typeOf(e.X), l.typeOf(e.Y)
	nilX, nilY := isNil(l.fn.info, e.X), isNil(l.fn.info, e.Y)
	p := e.Op.Precedence()
	l.callsFirst(e.X, e.Y)
	if !nilX && !nilY && (types.IsInterface(x) || types.IsInterface(y)) {
		held := types.Universe.Lookup("any").Type()
		c := l.inOrder(func() code { return l.to(e.X, held) }, func() code { return l.to(e.Y, held) })
		text := l.equal(c[0], c[1])
		if e.Op == token.NEQ {
			return code{"!" + text, unary}
		}
		return code{text, call}
	}
	if types.IsInterface(x) && nilY || types.IsInterface(y) && nilX {
		z := e.X
		if nilX {
			z = e.Y
		}
		if !l.libraryInterface(l.typeOf(z)) {
			text := l.host() + ".Holds(" + l.expr(z).text + ")"
			if e.Op == token.EQL {
				return code{"!" + text, unary}
			}
			return code{text, call}
		}
	}
	c := l.inOrder(func() code { return l.expr(e.X) }, func() code { return l.expr(e.Y) })
	if ptr, ok := x.Underlying().(*types.Pointer); ok && !nilX && !nilY {
		if _, ok := ptr.Elem().Underlying().(*types.Signature); ok { // the interpreter has two names for its type
			text := l.equal(c[0], c[1])
			if e.Op == token.NEQ {
				return code{"!" + text, unary}
			}
			return code{text, call}
		}
	}
	if _, ok := x.Underlying().(*types.Chan); ok && !nilX && !nilY && l.typ(x) != l.typ(y) {
		one := types.NewChan(types.RecvOnly, x.Underlying().(*types.Chan).Elem())
		c[0], c[1] = l.holdAs(c[0], one), l.holdAs(c[1], one)
	}
	if _, ok := x.Underlying().(*types.Struct); ok && !types.Identical(x, y) && l.typ(x) != l.typ(y) { // one of the two has no name
		c[0], c[1] = l.holdAs(c[0], x), l.hold(code{l.typ(x) + "(" + c[1].text + ")", call}, x)
	}
	return code{c[0].in(p+1) + " " + e.Op.String() + " " + c[1].in(p+1), p}
}

func (l *lowering) index(e *ast.IndexExpr) code {
	if _, ok := l.fn.info.Instances[instanceIdent(e)]; ok {
		return l.funcValue(e)
	}
	t := l.typeOf(e.X)
	m, isMap := t.Underlying().(*types.Map)
	l.callsFirst(e.X, e.Index)
	c := l.inOrder(func() code { return l.operand(e.X) }, func() code {
		if isMap {
			return l.key2(e.Index, m.Key())
		}
		return l.settled(e.Index)
	})
	return code{c[0].in(primary) + "[" + c[1].text + "]", primary}
}

// key2 makes the code of a map's key.
func (l *lowering) key2(e ast.Expr, t types.Type) code {
	c := l.to(e, t)
	if types.IsInterface(l.subst(t)) || c.text == "nil" || c.p < primary {
		return l.holdAs(c, t)
	}
	return c
}

// holdAs puts a value into a variable of a type.
func (l *lowering) holdAs(c code, t types.Type) code {
	name := l.temp()
	l.line(l.variableLine(name, c, t))
	return code{name, atom}
}

// variableLine declares a variable with its type, where that has a name.
func (l *lowering) variableLine(name string, c code, t types.Type) string {
	if c.text != "nil" && c.p != constantCode && !l.nameable(t) {
		return name + " := " + c.text
	}
	return "var " + name + " " + l.typ(t) + " = " + c.text
}

// operand makes the code of an expression that is indexed, sliced or ranged over; for a
// pointer to an array, that of the array.
func (l *lowering) operand(e ast.Expr) code {
	c := l.expr(e)
	if p, ok := l.typeOf(e).Underlying().(*types.Pointer); ok {
		if _, ok := p.Elem().Underlying().(*types.Array); ok {
			// A slice of it: an assignment to "(*p)[i].f" would be lost.
			return l.hold(code{"(*" + c.in(unary) + ")[:]", primary}, nil)
		}
	}
	if c.p == call {
		return l.hold(c, l.typeOf(e))
	}
	return c
}

func (l *lowering) slice(e *ast.SliceExpr) code {
	l.callsFirst(slices.DeleteFunc([]ast.Expr{e.X, e.Low, e.High, e.Max}, func(e ast.Expr) bool { return e == nil })...)
	parts := []func() code{func() code { return l.operand(e.X) }}
	for _, bound := range []ast.Expr{e.Low, e.High, e.Max} {
		parts = append(parts, func() code {
			if bound == nil {
				return code{"", atom}
			}
			return l.settled(bound)
		})
	}
	c := l.inOrder(parts...)
	text := c[0].in(primary) + "[" + c[1].text + ":" + c[2].text
	if e.Max != nil {
		text += ":" + c[3].text
	}
	return code{text + "]", primary}
}

// compositeLit translates a literal, with the types of its parts written out.
func (l *lowering) compositeLit(e *ast.CompositeLit) code {
	t := l.typeOf(e)
	pointer := false
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t, pointer = p.Elem(), true // an element &T{} that is written as {}
	}
	if _, ok := t.Underlying().(*types.Map); !ok {
		values := make([]ast.Expr, len(e.Elts))
		places := make([]types.Type, len(e.Elts))
		for i, elt := range e.Elts {
			_, values[i], places[i] = l.element(t, i, elt)
		}
		l.callsFirstFor(func(i int) types.Type { return places[i] }, values...)
	}
	var labels []string
	var parts []func() code
	for i, elt := range e.Elts {
		label, value, to := l.element(t, i, elt)
		labels = append(labels, label)
		parts = append(parts, func() code {
			c := l.part(value, to)
			if l.erased(t, l.fieldIndex(t, i, elt)) {
				return l.laid(c, to)
			}
			return c
		})
	}
	if m, ok := t.Underlying().(*types.Map); ok {
		return l.mapLit(e, t, m)
	}
	var b strings.Builder
	for i, c := range l.inOrder(parts...) {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(labels[i] + c.text)
	}
	c := code{l.typ(t) + "{" + b.String() + "}", primary}
	if pointer {
		return l.hold(code{"&" + c.text, unary}, t)
	}
	return c
}

// part makes the code of an element of a literal that is a variable, a constant or plain,
// because the interpreter loses operators and computations in that place.
func (l *lowering) part(e ast.Expr, t types.Type) code {
	c := l.to(e, t)
	if c.p < primary || c.p == call || types.IsInterface(l.subst(t)) && c.p == constantCode {
		return l.holdAs(c, t)
	}
	return c
}

// fieldIndex is the index of the field that an element of a struct's literal sets.
func (l *lowering) fieldIndex(t types.Type, i int, elt ast.Expr) int {
	kv, _ := elt.(*ast.KeyValueExpr)
	s, ok := t.Underlying().(*types.Struct)
	if id, keyed := keyName(kv); ok && keyed {
		for j := range s.NumFields() {
			if s.Field(j).Name() == id {
				return j
			}
		}
	}
	return i
}

// element returns the label, the value and the type of an element of a literal.
func (l *lowering) element(t types.Type, i int, elt ast.Expr) (label string, value ast.Expr, to types.Type) {
	kv, keyed := elt.(*ast.KeyValueExpr)
	value = elt
	if keyed {
		value = kv.Value
	}
	switch u := t.Underlying().(type) {
	case *types.Struct:
		at := l.fieldIndex(t, i, elt)
		return l.fieldName(u, at) + ": ", value, u.Field(at).Type()
	case *types.Slice:
		to = u.Elem()
	case *types.Array:
		to = u.Elem()
	case *types.Map:
		return "", value, u.Elem()
	}
	if keyed {
		label = l.constant(l.fn.info.Types[kv.Key].Value, types.Typ[types.Int], false).text + ": "
	}
	return label, value, to
}

func keyName(kv *ast.KeyValueExpr) (string, bool) {
	if kv == nil {
		return "", false
	}
	id, ok := kv.Key.(*ast.Ident)
	if !ok {
		return "", false
	}
	return id.Name, true
}

// mapLit makes a map and sets its entries, if not all parts are plain.
func (l *lowering) mapLit(e *ast.CompositeLit, t types.Type, m *types.Map) code {
	var parts []func() code
	for _, elt := range e.Elts {
		kv, ok := elt.(*ast.KeyValueExpr)
		if !ok {
			l.refuse(elt.Pos(), "an element of a map without a key", "write key: value")
		}
		parts = append(parts, func() code { return l.part(kv.Key, m.Key()) }, func() code { return l.part(kv.Value, m.Elem()) })
	}
	if slices.ContainsFunc(e.Elts, calls) { // the compiler has each entry in variables
		for i, part := range parts {
			parts[i] = func() code {
				c := part()
				if c.p == constantCode || c.text == "nil" {
					return c
				}
				return l.hold(c, nil)
			}
		}
	}
	c := l.inOrder(parts...)
	// The compiler puts constant entries into the map before the others, which shows if two
	// of them have the same key.
	var constant, computed []string
	for i := 0; i < len(c); i += 2 {
		entry := c[i].text + ": " + c[i+1].text
		if l.fn.info.Types[e.Elts[i/2].(*ast.KeyValueExpr).Key].Value != nil && l.fn.info.Types[e.Elts[i/2].(*ast.KeyValueExpr).Value].Value != nil {
			constant = append(constant, entry)
		} else {
			computed = append(computed, entry)
		}
	}
	return code{l.typ(t) + "{" + strings.Join(append(constant, computed...), ", ") + "}", primary}
}

// typeAssert translates an assertion that panics on failure.
func (l *lowering) typeAssert(e *ast.TypeAssertExpr) code {
	from, to := l.typeOf(e.X), l.typeOf(e.Type)
	x := l.holdAs(l.expr(e.X), from)
	v, ok := l.assert(x, from, to)
	l.block("if !"+ok, func() {
		l.line(l.host() + ".NoAssertion(" + x.text + ", " + quote(l.shown(from)) + ", " + quote(l.shown(to)) + ")")
	})
	return code{v, atom}
}
