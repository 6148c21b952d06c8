package generate

import (
	"fmt"
	"go/types"
)

// closureKinds are func values: made, kept, captured and called.
func closureKinds() []statement {
	return []statement{
		{"closure", 5, (*gen).closure},
		{"counter", 3, (*gen).counter},
		{"loopfuncs", 4, (*gen).loopFuncs},
		{"recursive", 2, (*gen).recursive},
		{"functable", 3, (*gen).funcTable},
		{"funcparam", 3, (*gen).funcParam},
		{"methodvalue", 3, (*gen).methodValue},
		{"declaredvalue", 3, (*gen).declaredValue},
		{"returned", 2, (*gen).returned},
		{"callnow", 2, (*gen).callNow},
	}
}

// closure makes a func that reads and sets the variables around it, and calls it.
func (g *gen) closure() {
	t := g.funcType()
	name := g.fresh("f")
	g.p("%s := %s", name, g.funcLiteral(t, t, 2).s)
	v := g.declare(name, t)
	v.fixed, v.used = true, true
	if g.fn.lits > 2 || !g.spend(20) {
		g.p("_ = %s", name)
		return
	}
	g.use("fmt")
	g.p("fmt.Println(%s(%s))", name, g.args(t, 1))
	if g.chance(40) {
		g.assign()
		g.p("fmt.Println(%s(%s))", name, g.args(t, 1))
	}
}

// counter makes funcs that share a variable.
func (g *gen) counter() {
	t := pick[types.Type](g, tInt, tFloat, types.Typ[types.Uint8], types.Typ[types.Int64])
	n, inc, get := g.fresh("n"), g.fresh("inc"), g.fresh("get")
	g.use("fmt")
	g.p("var %s %s = %s", n, g.ts(t), g.constant(t).s)
	g.declare(n, t)
	g.p("%s := func() { %s %s }", inc, n, pick(g, "++", "+= 2", "-= 1", "*= 3"))
	g.p("%s := func() %s { return %s }", get, g.ts(t), n)
	for range g.between(1, 3) {
		g.p("%s()", inc)
	}
	g.p("fmt.Println(%s(), %s)", get, n)
	if g.chance(50) {
		g.p("%s = %s", n, g.constant(t).s)
		g.p("%s()", inc)
		g.p("fmt.Println(%s, %s())", n, get)
	}
}

// loopFuncs makes funcs in a loop and calls them afterwards.
func (g *gen) loopFuncs() {
	list, elem := g.list(nil)
	e, fs, i := g.fresh("e"), g.fresh("fs"), g.fresh("i")
	g.use("fmt")
	asMap := g.chance(25)
	if asMap {
		g.p("%s := map[int]func() string{}", fs)
	} else {
		g.p("var %s []func() string", fs)
	}
	withElement := g.chance(50)
	switch {
	case withElement:
		g.p("for %s, %s := range %s {", i, e, list)
	case g.chance(50):
		g.p("for %s := 0; %s < 3; %s++ {", i, i, i)
	default:
		g.p("for %s := range %s {", i, list)
	}
	g.loop(4, func() {
		v := g.declare(i, tInt)
		v.fixed = true
		captured := g.captured(i, tInt)
		if withElement {
			g.declare(e, elem)
			captured = append(captured, g.captured(e, elem)...)
		}
		if g.chance(40) {
			t := g.anyType(1)
			c := g.fresh("c")
			g.p("%s := %s", c, g.e(t, 2))
			g.declare(c, t)
			captured = append(captured, g.leaves(c, t, 2)...)
		}
		lit := g.capturing(captured)
		store := fmt.Sprintf("%s = append(%s, %s)", fs, fs, lit)
		if asMap {
			store = fmt.Sprintf("%s[%s] = %s", fs, i, lit)
		}
		if g.chance(20) {
			store = fmt.Sprintf("switch {\ncase %s:\n%s\ndefault:\n%s\n}", g.condition(), store, store)
		}
		g.p("%s", store)
	})
	g.p("}")
	if asMap {
		g.p("for i := 0; i < len(%s); i++ {\nfmt.Println(i, %s[i]())\n}", fs, fs)
		return
	}
	f := g.fresh("f")
	g.p("for i, %s := range %s {\nfmt.Println(i, %s())\n}", f, fs, f)
	if g.chance(30) {
		g.p("for i := len(%s) - 1; i >= 0; i-- {\nfmt.Println(%s[i](), %s[i]())\n}", fs, fs, fs)
	}
}

// captured returns what a literal captures of a variable of a loop: the variable
// itself, or a copy of the round.
func (g *gen) captured(name string, t types.Type) []string {
	if g.chance(50) {
		return g.leaves(name, t, 2)
	}
	c := g.fresh("c")
	g.p("%s := %s", c, name)
	g.declare(c, t)
	return g.leaves(c, t, 2)
}

// capturing returns a literal that returns what it captured, or a variable that
// holds one.
func (g *gen) capturing(captured []string) string {
	lit := fmt.Sprintf("func() string { return fmt.Sprint(%s) }", join(captured))
	if g.chance(15) {
		lit = fmt.Sprintf("func() func() string { return %s }()", lit)
	}
	if g.chance(15) {
		f := g.fresh("f")
		g.p("%s := %s", f, lit)
		lit = f
	}
	return lit
}

// join writes a few expressions as arguments.
func join(list []string) string {
	s := ""
	for i, e := range list[:min(4, len(list))] {
		if i > 0 {
			s += ", "
		}
		s += e
	}
	return s
}

// recursive declares a func variable that calls itself.
func (g *gen) recursive() {
	if !g.spend(60) {
		return
	}
	f := g.fresh("f")
	g.use("fmt")
	switch g.r.Intn(4) {
	case 0:
		g.p("var %s func(int) int", f)
		g.p("%s = func(n int) int {\nif n <= %d {\nreturn %s\n}\nreturn %s(n-1) %s n\n}", f, g.r.Intn(3), g.et(tInt, 1), f, pick(g, "+", "*", "^"))
		g.p("fmt.Println(%s(%d))", f, g.between(1, 7))
	case 1:
		g.p("var %s func(int, int) (int, string)", f)
		g.p("%s = func(a, b int) (int, string) {\nif b == 0 {\nreturn a, \"z\"\n}\nr, s := %s(b, a%%b)\nreturn r, s + fmt.Sprint(b)\n}", f, f)
		g.p("fmt.Println(%s(%d, %d))", f, g.between(10, 90), g.between(2, 30))
	case 2:
		g.p("var %s func(n int, acc []int) []int", f)
		g.p("%s = func(n int, acc []int) []int {\nif n == 0 {\nreturn acc\n}\nreturn %s(n-1, append(acc, n*%d))\n}", f, f, g.between(1, 5))
		g.p("fmt.Println(%s(%d, nil))", f, g.between(1, 5))
	default:
		g.helper("fib", "func fib(n int) int {\n\tif n < 2 {\n\t\treturn n\n\t}\n\treturn fib(n-1) + fib(n-2)\n}\n")
		g.helper("walk", "func walk(n int, visit func(int, string)) string {\n\tif n == 0 {\n\t\treturn \".\"\n\t}\n\tvisit(n, \"in\")\n\ts := walk(n-1, visit)\n\tvisit(n, s)\n\treturn s + \"|\"\n}\n")
		g.p("fmt.Println(fib(%d))", g.between(1, 6))
		s := g.fresh("sum")
		g.p("%s := 0", s)
		g.p("fmt.Println(walk(%d, func(n int, s string) { %s += n + len(s) }), %s)", g.between(1, 4), s, s)
		g.p("fmt.Println(%s)", s)
	}
}

// funcTable keeps funcs in a map, a list or a struct.
func (g *gen) funcTable() {
	t := g.funcType()
	name := g.fresh("table")
	g.use("fmt")
	if !g.spend(60) {
		return
	}
	lit := func() string {
		for _, f := range g.funcs {
			if types.Identical(f.sig, t) && g.mayCall(f) && g.spend(f.cost*3) {
				return f.name
			}
		}
		return g.funcLiteral(t, t, 2).s
	}
	switch g.r.Intn(4) {
	case 0:
		g.p("%s := map[string]%s{\"a\": %s, \"b\": %s}", name, g.ts(t), lit(), lit())
		g.p("for _, k := range []string{\"a\", \"b\", \"c\"} {\nif f, ok := %s[k]; ok {\nfmt.Println(k, f(%s))\n}\n}", name, g.args(t, 1))
	case 1:
		g.p("%s := []%s{%s, %s}", name, g.ts(t), lit(), lit())
		g.p("for i := range %s {\nfmt.Println(i, %s[i](%s))\n}", name, name, g.args(t, 1))
	case 2:
		g.p("%s := []struct {\nname string\nf %s\n}{{\"x\", %s}, {name: \"y\", f: %s}}", name, g.ts(t), lit(), lit())
		g.p("for _, row := range %s {\nfmt.Println(row.name, row.f(%s))\n}", name, g.args(t, 1))
	default:
		g.p("%s := struct{ f, h %s }{%s, %s}", name, g.ts(t), lit(), lit())
		g.p("fmt.Println(%s.f(%s))", name, g.args(t, 1))
		g.p("%s.f, %s.h = %s.h, %s.f", name, name, name, name)
		g.p("fmt.Println(%s.f(%s), %s.h(%s))", name, g.args(t, 1), name, g.args(t, 1))
	}
}

// funcParam passes literals and declared funcs to a func.
func (g *gen) funcParam() {
	elem := pick[types.Type](g, tInt, tString, tFloat)
	helper := "apply" + g.ts(elem)
	e := g.ts(elem)
	g.helper(helper, fmt.Sprintf("func %s(list []%s, f func(int, %s) %s) []%s {\n\tvar out []%s\n\tfor i, e := range list {\n\t\tout = append(out, f(i, e))\n\t}\n\treturn out\n}\n", helper, e, e, e, e, e))
	sig := g.sig([]types.Type{tInt, elem}, elem)
	g.use("fmt")
	if !g.spend(60) {
		return
	}
	g.p("fmt.Println(%s([]%s%s, %s))", helper, e, g.listBody(elem, 3, 1, false), g.funcLiteral(sig, sig, 2).s)
}

// methodValue takes a method without calling it, or as a func of its receiver.
func (g *gen) methodValue() {
	if g.fn.level < levelFunction {
		return
	}
	g.use("fmt")
	for range 10 {
		if len(g.scope) == 0 {
			break
		}
		v := pick(g, g.scope...)
		if v.con {
			continue
		}
		for _, m := range g.methodsOf(v.typ, v.fixed) {
			sig := m.Signature()
			if sig.Results().Len() != 1 || !g.spend(20) {
				continue
			}
			v.used = true
			f := g.fresh("f")
			_, pointer := sig.Recv().Type().(*types.Pointer)
			if named := namedOf(v.typ); named != nil && g.chance(30) && !pointer && !types.IsInterface(v.typ) {
				args := g.args(sig, 1)
				if args != "" {
					args = ", " + args
				}
				g.p("%s := %s.%s", f, g.ts(v.typ), m.Name())
				g.p("fmt.Println(%s(%s%s))", f, v.name, args)
				return
			}
			g.p("%s := %s.%s", f, v.name, m.Name())
			if g.chance(60) && !v.fixed {
				g.p("%s = %s", v.name, g.literal(v.typ, 2).s)
			}
			g.p("fmt.Println(%s(%s))", f, g.args(sig, 1))
			return
		}
	}
	g.closure()
}

// declaredValue uses a declared func as a value in all the places where one can
// go.
func (g *gen) declaredValue() {
	t := g.funcType()
	name := ""
	for _, f := range g.funcs {
		if types.Identical(f.sig, t) && g.mayCall(f) && g.spend(f.cost*4) {
			name = f.name
		}
	}
	if name == "" {
		t = g.sig([]types.Type{tInt}, tInt)
		name = "twice"
		g.helper("twice", "func twice(n int) int { return n * 2 }\n")
	}
	g.use("fmt")
	switch g.r.Intn(6) {
	case 0:
		f := g.fresh("fs")
		g.p("var %s []%s", f, g.ts(t))
		g.p("%s = append(%s, %s, %s)", f, f, name, g.funcLiteral(t, t, 1).s)
		g.p("fmt.Println(%s[0](%s), %s[1](%s))", f, g.args(t, 1), f, g.args(t, 1))
	case 1:
		f := g.fresh("f")
		g.p("%s := func(yes bool) %s {\nif yes {\nreturn %s\n}\nreturn %s\n}", f, g.ts(t), name, g.funcLiteral(t, t, 1).s)
		g.p("fmt.Println(%s(true)(%s), %s(false)(%s))", f, g.args(t, 1), f, g.args(t, 1))
	case 2:
		f := g.fresh("f")
		g.p("%s := %s", f, name)
		g.p("%s = %s", f, g.funcLiteral(t, t, 1).s)
		g.p("fmt.Println(%s(%s))", f, g.args(t, 1))
		g.p("%s = %s", f, name)
		g.p("fmt.Println(%s(%s), %s != nil)", f, g.args(t, 1), f)
	case 3:
		f := g.fresh("s")
		g.p("%s := struct{ f %s }{%s}", f, g.ts(t), name)
		g.p("fmt.Println(%s.f(%s))", f, g.args(t, 1))
	case 4:
		helper := "pass" + g.fresh("")
		g.helper(helper, fmt.Sprintf("func %s(f %s) %s { return f }\n", helper, g.ts(t), g.ts(t)))
		g.p("fmt.Println(%s(%s)(%s))", helper, name, g.args(t, 1))
	default:
		f := g.fresh("m")
		g.p("%s := map[string]%s{}", f, g.ts(t))
		g.p("%s[\"f\"] = %s", f, name)
		g.p("fmt.Println(%s[\"f\"](%s), len(%s))", f, g.args(t, 1), f)
	}
}

// returned calls the result of a func, which keeps a state.
func (g *gen) returned() {
	helper := "adder" + g.fresh("")
	t := pick[types.Type](g, tInt, tFloat)
	typ := g.ts(t)
	g.helper(helper, fmt.Sprintf("func %s(start %s) func(%s) %s {\n\tsum := start\n\treturn func(d %s) %s {\n\t\tsum += d\n\t\treturn sum\n\t}\n}\n", helper, typ, typ, typ, typ, typ))
	a, b := g.fresh("a"), g.fresh("b")
	g.use("fmt")
	g.p("%s, %s := %s(%s), %s(%s)", a, b, helper, g.et(t, 1), helper, g.et(t, 1))
	g.p("fmt.Println(%s(%s), %s(%s), %s(%s))", a, g.et(t, 1), b, g.et(t, 1), a, g.et(t, 1))
}

// callNow calls a literal with parameters and several results at once.
func (g *gen) callNow() {
	t1, t2 := g.basicType(), g.anyType(1)
	a, b := g.fresh("a"), g.fresh("b")
	if g.fn.lits > 2 {
		return
	}
	body, _ := g.function([]types.Type{t1, t2}, -1, nil, func() {
		if g.chance(60) {
			g.statement()
		}
		g.fn.last = "return " + g.et(t1, 1) + ", " + g.et(t2, 1)
	})
	g.p("%s, %s := func() (%s, %s) {\n%s}()", a, b, g.ts(t1), g.ts(t2), body)
	g.declare(a, t1)
	g.declare(b, t2)
}
