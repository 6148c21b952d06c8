package generate

import (
	"fmt"
	"go/types"
)

// basicExpr returns an expression of a basic type, or of a type made of one.
func (g *gen) basicExpr(t types.Type, depth int) ex {
	switch {
	case isTruth(t):
		return g.truth(t, depth)
	case isText(t):
		return g.stringExpr(t, depth)
	case isFloat(t):
		return g.floatExpr(t, depth)
	}
	return g.intExpr(t, depth)
}

// binary puts an operator between two operands of type t, at least one of which is not a
// constant.
func (g *gen) binary(t types.Type, op string, prec, depth int) ex {
	a := g.expr(t, depth-1)
	b := g.expr(t, depth-1)
	if a.con && b.con {
		if e, ok := g.place(t); ok && !e.con {
			a = e
		} else {
			return a
		}
	}
	if !a.con && g.chance(35) {
		b = g.constant(t)
		if b.p == 6 {
			b = g.typedConstant(t)
		}
	}
	return ex{fmt.Sprintf("%s %s %s", g.within(a, prec), op, g.within(b, prec+1)), prec, false}
}

func (g *gen) intExpr(t types.Type, depth int) ex {
	switch g.r.Intn(17) {
	case 0, 1, 2:
		return g.binary(t, "+", 4, depth)
	case 3:
		return g.binary(t, "-", 4, depth)
	case 4:
		return g.binary(t, "*", 5, depth)
	case 5:
		return g.binary(t, pick(g, "&", "&^"), 5, depth)
	case 6:
		return g.binary(t, pick(g, "|", "^"), 4, depth)
	case 7:
		a := g.expr(t, depth-1)
		if a.con {
			return a
		}
		return ex{fmt.Sprintf("%s %s %d", g.within(a, 5), pick(g, "/", "%"), g.between(1, 9)), 5, false}
	case 8:
		b, ok := g.place(t)
		a := g.expr(t, depth-1)
		if !ok || b.con {
			return a
		}
		return ex{fmt.Sprintf("%s %s (%s|1)", g.within(a, 5), pick(g, "/", "%"), g.within(b, 5)), 5, false}
	case 9:
		a, ok := g.place(t)
		if !ok || a.con {
			return g.typedConstant(t)
		}
		if n, ok := g.place(g.basicInt()); ok && !n.con && g.chance(60) {
			return ex{fmt.Sprintf("%s %s (%s&7)", g.within(a, 5), pick(g, "<<", ">>"), g.within(n, 5)), 5, false}
		}
		return ex{fmt.Sprintf("%s %s %d", g.within(a, 5), pick(g, "<<", ">>"), g.r.Intn(8)), 5, false}
	case 10:
		if n, ok := g.place(g.basicInt()); ok && !n.con {
			return operand("(%s(1) << (%s&7))", g.ts(t), g.within(n, 5))
		}
	case 11:
		a := g.expr(t, depth-1)
		if a.con {
			return a
		}
		return ex{pick(g, "-", "^", "+") + g.within(a, 7), 6, false}
	case 12, 13:
		from := g.basicInt()
		if e, ok := g.place(from); ok && !e.con {
			return operand("%s(%s)", g.ts(t), e.s)
		}
	case 14:
		if e, ok := g.place(tFloat); ok && !e.con {
			return operand("%s(%s)", g.ts(t), g.whole(e.s, 100))
		}
	}
	return g.intCall(t, depth)
}

func (g *gen) basicInt() types.Type {
	return types.Typ[pick(g, types.Int, types.Int, types.Uint8, types.Int64, types.Uint64, types.Uint32, types.Int32, types.Int8)]
}

// intCall returns a call of the library or a built-in function that yields a
// number.
func (g *gen) intCall(t types.Type, depth int) ex {
	wrap := func(s string) ex {
		if types.Identical(t, tInt) {
			return operand("%s", s)
		}
		return operand("%s(%s)", g.ts(t), s)
	}
	switch g.r.Intn(8) {
	case 0:
		return wrap("len(" + g.e(tString, depth-1) + " + \"\")")
	case 1:
		for _, v := range g.visible() {
			switch under(v.typ).(type) {
			case *types.Slice, *types.Map:
				return wrap(pick(g, "len", "len") + "(" + v.name + ")")
			}
		}
	case 2:
		g.use("strings")
		return wrap(fmt.Sprintf("strings.%s(%s, %s)", pick(g, "Index", "Count", "LastIndex"), g.e(tString, depth-1), pick(g, `"a"`, `"=1"`, `"é"`, g.text())))
	case 3:
		g.use("unicode/utf8")
		return wrap("utf8.RuneCountInString(" + g.e(tString, depth-1) + ")")
	case 4:
		return wrap("len([]" + pick(g, "rune", "byte") + "(" + g.e(tString, depth-1) + "))")
	case 5:
		return wrap(fmt.Sprintf("int((%s + \"x\")[0])", g.within(g.expr(tString, depth-1), 4)))
	case 6:
		g.use("time")
		return wrap(fmt.Sprintf("int((time.Duration(%s) * time.Second).Milliseconds())", g.e(tInt, depth-1)))
	}
	return g.typedConstant(t)
}

func (g *gen) floatExpr(t types.Type, depth int) ex {
	switch g.r.Intn(12) {
	case 0, 1, 2:
		return g.binary(t, pick(g, "+", "-"), 4, depth)
	case 3:
		return g.binary(t, "*", 5, depth)
	case 4:
		a := g.expr(t, depth-1)
		if a.con {
			return a
		}
		return ex{fmt.Sprintf("%s / %s", g.within(a, 5), pick(g, "2", "100", "3.0", "0.25", "1024")), 5, false}
	case 5, 6:
		from := g.basicInt()
		if e, ok := g.place(from); ok && !e.con {
			return operand("%s(%s)", g.ts(t), e.s)
		}
	case 7:
		if types.Identical(t, tFloat) {
			g.use("math")
			return operand("math.%s(%s)", pick(g, "Abs", "Floor", "Round", "Trunc", "Sqrt"), g.e(t, depth-1))
		}
	case 8:
		if types.Identical(t, tFloat) {
			g.use("time")
			return operand("(time.Duration(%s) * time.Millisecond).Seconds()", g.e(tInt, depth-1))
		}
	case 9:
		return g.oddFloat(t)
	case 10, 11:
		a := g.expr(t, depth-1)
		if a.con {
			return a
		}
		return ex{"-" + g.within(a, 7), 6, false}
	}
	return g.typedConstant(t)
}

func (g *gen) truth(t types.Type, depth int) ex {
	of := func(e ex) ex {
		if namedOf(t) != nil {
			return operand("%s(%s)", g.ts(t), e.s)
		}
		return e
	}
	switch g.r.Intn(10) {
	case 0, 1, 2, 3, 4:
		return of(g.comparison(depth))
	case 5, 6:
		return g.binary(t, "&&", 2, depth)
	case 7:
		return g.binary(t, "||", 1, depth)
	case 8:
		e := g.expr(t, depth-1)
		if e.con {
			return e
		}
		return ex{"!" + g.within(e, 6), 6, false}
	case 9:
		g.use("strings")
		return of(operand("strings.%s(%s, %s)", pick(g, "Contains", "HasPrefix", "HasSuffix", "EqualFold"), g.e(tString, depth-1), g.text()))
	}
	return g.typedConstant(t)
}

// comparison compares two values of some type.
func (g *gen) comparison(depth int) ex {
	var list []*variable
	for _, v := range g.visible() {
		if types.Comparable(v.typ) && !hasInterface(v.typ) && !v.con {
			list = append(list, v)
		}
	}
	if len(list) == 0 {
		return g.typedConstant(tBool)
	}
	v := pick(g, list...)
	a := ex{s: v.name, p: 7}
	t := v.typ
	op := pick(g, "==", "!=")
	if b := basic(t); b != nil && b.Info()&types.IsOrdered != 0 {
		op = pick(g, "==", "!=", "<", "<=", ">", ">=")
	}
	if g.chance(30) && basic(t) != nil {
		a = g.basicExpr(t, depth-1)
	}
	b := g.expr(t, depth-1)
	if b.con || g.chance(30) && basic(t) != nil {
		b = g.constant(t)
	}
	if a.con && b.con {
		return g.typedConstant(tBool)
	}
	text := b.s
	if isStruct(t) || basic(t) == nil {
		text = "(" + text + ")" // a composite literal in a condition
	} else {
		text = g.within(b, 4)
	}
	if g.chance(15) && a.p == 7 && basic(t) != nil {
		return ex{fmt.Sprintf("%s %s %s", text, op, a.s), 3, false}
	}
	return ex{fmt.Sprintf("%s %s %s", g.within(a, 4), op, text), 3, false}
}

func (g *gen) stringExpr(t types.Type, depth int) ex {
	of := func(e ex) ex {
		if namedOf(t) != nil {
			return operand("%s(%s)", g.ts(t), e.s)
		}
		return e
	}
	switch g.r.Intn(12) {
	case 0, 1:
		if g.fn.times > 1 {
			break
		}
		return g.binary(t, "+", 4, depth)
	case 2:
		e, ok := g.place(t)
		if !ok || e.con || e.p < 7 {
			break
		}
		return operand(pick(g, "%[1]s[:len(%[1]s)/2]", "%[1]s[len(%[1]s)/2:]", "%[1]s[len(%[1]s)/3 : len(%[1]s)/2]"), e.s)
	case 3:
		g.use("strconv")
		return of(operand("strconv.Itoa(%s)", g.e(tInt, depth-1)))
	case 4:
		g.use("fmt")
		return of(operand("fmt.Sprint(%s)", g.printable(depth-1)))
	case 5:
		g.use("fmt")
		switch g.r.Intn(5) {
		case 0:
			return of(operand("fmt.Sprintf(%q, %s)", pick(g, "%5.2f|", "%g", "%.1f%%", "%e", "%8.3g"), g.e(tFloat, depth-1)))
		case 1:
			return of(operand("fmt.Sprintf(%q, %s)", pick(g, "%-4s|", "%q", "%6s|", "%x", "%.2s"), g.e(tString, depth-1)))
		case 2:
			return of(operand("fmt.Sprintf(%q, %s, %s)", pick(g, "%v %v", "%v=%v", "[%[2]v %[1]v]"), g.e(tBool, depth-1), g.e(tInt, depth-1)))
		}
		return of(operand("fmt.Sprintf(%q, %s)", pick(g, "%d", "%04d", "%x", "%+d", "%5d|", "%b", "%c"), g.e(tInt, depth-1)))
	case 6:
		g.use("strings")
		return of(operand("strings.%s(%s)", pick(g, "ToUpper", "TrimSpace", "ToLower"), g.e(tString, depth-1)))
	case 7:
		g.use("strings")
		return of(operand("strings.%s(%s, %s)", pick(g, "TrimPrefix", "TrimSuffix", "Trim"), g.e(tString, depth-1), g.text()))
	case 8:
		g.use("strings")
		return of(operand("strings.ReplaceAll(%s, %q, %s)", g.e(tString, depth-1), pick(g, "a", "x", " "), g.text()))
	case 9:
		if e, ok := g.place(tTexts); ok {
			g.use("strings")
			return of(operand("strings.Join(%s, %s)", e.s, g.text()))
		}
	case 10:
		if e, ok := g.place(types.Typ[types.Int32]); ok && !e.con {
			return of(operand("string(rune('a' + %s&15))", g.within(e, 5)))
		}
	case 11:
		return of(operand("string([]%s(%s))", pick(g, "rune", "byte"), g.e(tString, depth-1)))
	}
	return g.typedConstant(t)
}

// printable returns an expression of a basic type.
func (g *gen) printable(depth int) string { return g.e(g.basicType(), depth) }

// callFor returns a call of a function or method of the program that yields t.
func (g *gen) callFor(t types.Type, depth int) (ex, bool) {
	if g.fn.times > 30 {
		return ex{}, false
	}
	var found []ex
	for _, f := range g.funcs {
		if f.sig.Results().Len() != 1 || !types.Identical(f.sig.Results().At(0).Type(), t) || !g.mayCall(f) {
			continue
		}
		if g.spend(f.cost + 1) {
			found = append(found, operand("%s(%s)", f.name, g.args(f.sig, depth-1)))
		}
	}
	found = append(found, g.valueCalls(t, depth)...)
	if len(found) == 0 {
		return ex{}, false
	}
	return pick(g, found...), true
}

// mayCall reports whether a body of the current level may call f.
func (g *gen) mayCall(f *function) bool {
	return f.level < g.fn.level || f.level == g.fn.level && f.level != levelMethod
}

// valueCalls returns calls of variables: of the methods that they have, and of
// funcs.
func (g *gen) valueCalls(t types.Type, depth int) []ex {
	var found []ex
	for _, v := range g.visible() {
		if v.con {
			continue
		}
		if sig, ok := under(v.typ).(*types.Signature); ok && g.mayCallValue(v) {
			if sig.Results().Len() == 1 && types.Identical(sig.Results().At(0).Type(), t) && g.spend(20) {
				found = append(found, operand("%s(%s)", v.name, g.args(sig, depth-1)))
			}
			continue
		}
		if g.fn.level < levelFunction {
			continue
		}
		for _, m := range g.methodsOf(v.typ, v.fixed) {
			if m.Signature().Results().Len() != 1 || !types.Identical(m.Signature().Results().At(0).Type(), t) || !g.spend(10) {
				continue
			}
			found = append(found, operand("%s.%s(%s)", v.name, m.Name(), g.args(m.Signature(), depth-1)))
		}
	}
	return found
}

// mayCallValue reports whether a variable of a func type may be called here:
// inside of a literal only one that never changes and was there before the
// literal, so that no func comes to call itself.
func (g *gen) mayCallValue(v *variable) bool {
	if g.fn.lits == 0 {
		return g.fn.level == levelInspect || !g.isGlobal(v)
	}
	return v.fixed && !g.isGlobal(v)
}

func (g *gen) isGlobal(v *variable) bool {
	for _, o := range g.globals {
		if o == v {
			return true
		}
	}
	return false
}

// methodsOf returns the methods that a variable of type t has.
func (g *gen) methodsOf(t types.Type, fixed bool) []*types.Func {
	if !fixed && !types.IsInterface(t) {
		if _, ok := t.(*types.Pointer); !ok {
			t = types.NewPointer(t)
		}
	}
	set := types.NewMethodSet(t)
	var list []*types.Func
	for m := range set.Methods() {
		f := m.Obj().(*types.Func)
		if f.Pkg() == g.pkg {
			list = append(list, f)
		}
	}
	return list
}

// args returns arguments for a call.
func (g *gen) args(sig *types.Signature, depth int) string {
	text := ""
	n := sig.Params().Len()
	for i := range n {
		t := sig.Params().At(i).Type()
		if sig.Variadic() && i == n-1 {
			elem := t.(*types.Slice).Elem()
			if g.chance(25) {
				return text + g.e(t, depth) + "..."
			}
			for range g.r.Intn(4) {
				text += g.et(elem, depth) + ", "
			}
			return text
		}
		text += g.et(t, depth)
		if i < n-1 {
			text += ", "
		}
	}
	return text
}
