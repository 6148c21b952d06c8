package generate

import (
	"fmt"
	"go/types"
)

// deferKinds are deferred calls, panics and recoveries.
func deferKinds() []statement {
	return []statement{
		{"defer", 4, (*gen).deferred},
		{"deferloop", 2, (*gen).deferLoop},
		{"recover", 5, (*gen).recovery},
		{"deferresult", 3, (*gen).deferResult},
		{"deferlocal", 3, (*gen).deferLocal},
		{"defermethod", 2, (*gen).deferMethod},
	}
}

// deferred defers calls of several forms in a literal that is called at once.
func (g *gen) deferred() {
	g.use("fmt")
	if g.fn.lits > 2 {
		return
	}
	t := g.basicType()
	v := g.fresh("v")
	body, _ := g.function(nil, -1, nil, func() {
		g.p("%s := %s", v, g.e(t, 1))
		g.declare(v, t).used = true
		for range g.between(1, 3) {
			switch g.r.Intn(4) {
			case 0:
				g.p("defer fmt.Println(\"d\", %s)", v)
			case 1:
				g.p("defer func() { fmt.Println(\"e\", %s) }()", v)
			case 2:
				g.p("defer func(a %s) { fmt.Println(\"f\", a, %s) }(%s)", g.ts(t), v, v)
			default:
				g.p("defer func() {")
				g.block(func() { g.statement(); g.trace() })
				g.p("}()")
			}
			g.p("%s = %s", v, g.et(t, 1))
		}
		if g.chance(40) {
			g.statement()
		}
	})
	g.p("func() {\n%s}()", body)
}

// deferLoop defers calls in a loop.
func (g *gen) deferLoop() {
	g.use("fmt")
	g.p("func() {")
	switch g.r.Intn(4) {
	case 0:
		g.p("for i := 0; i < 3; i++ {\ndefer fmt.Println(\"i\", i)\n}")
	case 1:
		g.p("for _, s := range []string{%s, %s} {\ndefer func(s string) { fmt.Println(s) }(s)\n}", g.text(), g.text())
	case 2:
		g.p("for i, s := range []string{\"a\", %s} {\ns := s\nif i > 0 {\ndefer fmt.Println(s, i)\n}\ndefer func() { fmt.Println(\"l\", s) }()\n}", g.text())
	default:
		g.p("var list []int\nfor i := 0; i < 3; i++ {\nlist = append(list, i)\ndefer fmt.Println(list, len(list))\n}")
	}
	g.p("fmt.Println(\"body\")")
	g.p("}()")
}

// recovery recovers from a panic of some kind.
func (g *gen) recovery() {
	g.use("fmt")
	r := g.fresh("r")
	panics := pick(g, "panic(\"boom\")", "panic(fmt.Sprint(\"n \", 7))", "panic(fmt.Errorf(\"e %d\", 3))",
		"var list []int\n_ = list[len(list)]", "var m map[string]int\nm[\"a\"] = 1", "a, b := 1, len(\"\")\nfmt.Println(a / b)",
		"var p *struct{ n int }\nfmt.Println(p.n)", "panic(42)", "var x any = 1\nfmt.Println(x.(string))", "",
		"n := len(\"\") - 1\nfmt.Println(1 << n)", "n := int8(-3)\nx := uint16(5)\nx >>= n\nfmt.Println(x)", "n := -1\nfmt.Println(len(make([]string, n)))",
		"n := 1\nfmt.Println(len(make([]int, 2, n)))", "n := -4\nfmt.Println(cap(make(chan int, n)))", "n := 1 << 62\nfmt.Println(len(make([]int, n)))",
		"m := map[any]int{}\nm[[]int{1}]++\nfmt.Println(m)", "var c chan int\nclose(c)", "c := make(chan int)\nclose(c)\nclose(c)", "var e error\nfmt.Println(e.Error())",
		"var p *[3]int\nfmt.Println(p[len(\"a\")])", "n, s := 9, \"abc\"\nfmt.Println(s[n:])", "a, b := any([]int{1}), any([]int{1})\nfmt.Println(a == b)")
	switch g.r.Intn(4) {
	case 0:
		g.p("func() {\ndefer func() {\nif %s := recover(); %s != nil {\n_, isError := %s.(error)\nfmt.Println(\"recovered\", %s, isError)\n}\n}()\n%s\n}()", r, r, r, r, panics)
	case 1:
		helper := "safe" + g.fresh("")
		g.helper(helper, fmt.Sprintf("func %s(f func() int) (n int, err error) {\n\tdefer func() {\n\t\tif r := recover(); r != nil {\n\t\t\terr = fmt.Errorf(\"caught: %%v\", r)\n\t\t\tn = %d\n\t\t}\n\t}()\n\treturn f(), nil\n}\n", helper, g.r.Intn(9)))
		v, e := g.fresh("v"), g.fresh("err")
		g.p("%s, %s := %s(func() int {\n%s\nreturn %s\n})", v, e, helper, panics, g.et(tInt, 1))
		g.p("fmt.Println(%s, %s)", v, e)
		v2 := g.fresh("v")
		g.p("%s, %s := %s(func() int { return 5 })", v2, e+"b", helper)
		g.p("fmt.Println(%s, %sb)", v2, e)
	case 2:
		g.p("func() {\ndefer fmt.Println(\"outer\")\ndefer func() {\nfmt.Println(\"got\", recover())\n}()\ndefer func() { fmt.Println(\"inner\") }()\n%s\n}()", panics)
	default:
		g.p("func() {\ndefer func() {\nfmt.Println(recover())\n}()\nfunc() {\ndefer func() {\nif r := recover(); r != nil {\npanic(fmt.Sprint(\"again \", r))\n}\n}()\n%s\n}()\n}()", panics)
	}
}

// deferResult has a deferred literal change the results.
func (g *gen) deferResult() {
	g.use("fmt")
	t := pick[types.Type](g, tInt, tString, tFloat)
	typ := g.ts(t)
	change := pick(g, "n += "+g.constant(t).s, "n = n + n", "if err != nil {\nn = "+g.constant(t).s+"\n}")
	ret := pick(g, "return "+g.constant(t).s+", nil", "n = "+g.constant(t).s+"\nreturn", "n = "+g.constant(t).s+"\nreturn n, fmt.Errorf(\"e\")", "return n, err")
	if g.chance(50) {
		helper := "late" + g.fresh("")
		g.helper(helper, fmt.Sprintf("func %s() (n %s, err error) {\n\tdefer func() {\n\t\t%s\n\t}()\n\t%s\n}\n", helper, typ, change, ret))
		g.p("fmt.Println(%s())", helper)
		return
	}
	g.p("fmt.Println(func() (n %s, err error) {\ndefer func() {\n%s\n}()\n%s\n}())", typ, change, ret)
}

// deferLocal defers a func that was made in the same function, or that calls one.
func (g *gen) deferLocal() {
	g.use("fmt")
	helper := "local" + g.fresh("")
	var body string
	switch g.r.Intn(7) {
	case 0:
		body = "done := func() { fmt.Println(\"done\") }\n\tdefer done()"
	case 1:
		body = "done := func() { fmt.Println(\"done\") }\n\tdefer func() { done() }()"
	case 2:
		body = "add := func(d int) { n += d }\n\tdefer add(3)\n\tadd(1)"
	case 3:
		body = "step := func() {\n\t\tdefer func() { n++ }()\n\t\tn *= 2\n\t}\n\tdefer func() { step() }()"
	case 4:
		body = "fs := []func(){func() { n++ }, func() { n *= 3 }}\n\tfor _, f := range fs {\n\t\tdefer f()\n\t}"
	case 5:
		body = "t := struct{ f func() }{func() { n += 7 }}\n\tdefer func() { t.f() }()"
	default:
		body = "cleanup := func() func() { n++; return func() { n += 10 } }\n\tdefer cleanup()()"
	}
	g.helper(helper, fmt.Sprintf("func %s(start int) (n int) {\n\tn = start\n\t%s\n\tn += 2\n\treturn n\n}\n", helper, body))
	g.p("fmt.Println(%s(%s))", helper, g.et(tInt, 1))
}

// deferMethod defers methods of values that change.
func (g *gen) deferMethod() {
	g.use("fmt")
	g.helper("meter", "type meter struct{ n int }\n\nfunc (m meter) print(s string) { fmt.Println(s, m.n) }\nfunc (m *meter) stop(s string) { m.n++; fmt.Println(s, m.n) }\n")
	m := g.fresh("m")
	g.p("func() {\n%s := %smeter{%s}", m, pick(g, "", "&"), g.et(tInt, 1))
	for range g.between(1, 2) {
		g.p("defer %s.%s(%s)", m, pick(g, "print", "stop"), g.text())
		g.p("%s.n += %d", m, g.between(1, 9))
	}
	if g.chance(30) {
		g.use("sync")
		g.p("var mu sync.Mutex\nmu.Lock()\ndefer mu.Unlock()")
	}
	g.p("fmt.Println(%s.n)\n}()", m)
}
