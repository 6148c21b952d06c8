package generate

import (
	"fmt"
	"go/types"
	"strings"
)

// moreKinds are the order in which package variables come about, generic code
// over types of the program, and constructs put into each other.
func moreKinds() []statement {
	return []statement{
		{"initorder", 3, (*gen).initOrder},
		{"inits", 1, (*gen).inits},
		{"genericown", 3, (*gen).genericOwn},
		{"genericlist", 2, (*gen).genericList},
		{"genericcache", 2, (*gen).genericCache},
		{"switchinswitch", 3, (*gen).switchInSwitch},
		{"rangefunc", 3, (*gen).rangeOfCall},
		{"structcompare", 3, (*gen).structCompare},
		{"ifacemap", 3, (*gen).interfaceMap},
		{"setters", 3, (*gen).setters},
		{"boolchains", 3, (*gen).boolChains},
		{"missing", 4, (*gen).missing},
	}
}

// initOrder declares package variables that need each other, in any order.
func (g *gen) initOrder() {
	v := "pkg" + g.fresh("")
	g.use("fmt")
	parts := []string{
		fmt.Sprintf("var %sa = %sb + %sf()\n", v, v, v),
		fmt.Sprintf("var %sb = len(%sc) * %d\n", v, v, g.between(1, 5)),
		fmt.Sprintf("var %sc = map[string]int{\"x\": 1, \"y\": %sd}\n", v, v),
		fmt.Sprintf("var %sd, %se = %sg()\n", v, v, v),
		fmt.Sprintf("func %sf() int { return %sc[\"y\"] + len(%se) }\n", v, v, v),
		fmt.Sprintf("func %sg() (int, string) { return %d, fmt.Sprint(%sk) }\n", v, g.between(1, 9), v),
		fmt.Sprintf("const %sk = iota + %d\n", v, g.r.Intn(9)),
	}
	g.r.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	g.helper(v, strings.Join(parts, "\n"))
	g.p("fmt.Println(%sa, %sb, len(%sc), %sd, %se)\n%sa++", v, v, v, v, v, v)
}

// inits makes func init set variables that are used later.
func (g *gen) inits() {
	v := "set" + g.fresh("")
	g.use("fmt")
	g.helper(v, fmt.Sprintf("var %s []string\n\nfunc init() { %s = append(%s, \"first\") }\n\nfunc init() {\n\tfor i := range 2 {\n\t\tdefer func() { %s = append(%s, fmt.Sprint(i)) }()\n\t}\n}\n", v, v, v, v, v))
	g.p("fmt.Println(%s, len(%s))\n%s = append(%s, \"run\")", v, v, v, v)
}

// genericOwn uses generic functions whose constraints have methods.
func (g *gen) genericOwn() {
	g.use("fmt")
	g.use("strings")
	g.helper("measured", "type measured interface{ size() int }\n\ntype wordy string\n\nfunc (w wordy) size() int { return len(w) }\n\ntype span struct{ from, to int }\n\nfunc (s *span) size() int { s.to++; return s.to - s.from }\n\nfunc biggest[T measured](list ...T) (best T, at int) {\n\tat = -1\n\tn := 0\n\tfor i, e := range list {\n\t\tif s := e.size(); at < 0 || s > n {\n\t\t\tbest, at, n = e, i, s\n\t\t}\n\t}\n\treturn best, at\n}\n\nfunc mapped[K comparable, V, W any](m map[K]V, f func(K, V) W) map[K]W {\n\tout := make(map[K]W, len(m))\n\tfor k, v := range m {\n\t\tout[k] = f(k, v)\n\t}\n\treturn out\n}\n\nfunc reduce[T, A any](list []T, a A, f func(A, T) A) A {\n\tfor _, e := range list {\n\t\ta = f(a, e)\n\t}\n\treturn a\n}\n")
	x := g.fresh("b")
	switch g.r.Intn(4) {
	case 0:
		g.p("%s, at%s := biggest(wordy(%s), wordy(%s), \"mid\")\nfmt.Println(string(%s), at%s)", x, x, g.text(), g.text(), x, x)
	case 1:
		g.p("%s, at%s := biggest(&span{1, %d}, &span{2, 5})\nfmt.Println(%s.from, %s.to, at%s)", x, x, g.between(2, 9), x, x, x)
	case 2:
		g.p("%s := mapped(map[string]int{\"a\": 1, \"b\": %s}, func(k string, v int) []string { return []string{strings.ToUpper(k), fmt.Sprint(v)} })\nfmt.Println(%s)", x, g.et(tInt, 1), x)
	default:
		t := g.basicType()
		g.p("%s := reduce([]%s%s, map[%s]int{}, func(m map[%s]int, e %s) map[%s]int { m[e]++; return m })\nfmt.Println(len(%s), reduce([]int{1, 2, 3}, \"\", func(s string, n int) string { return s + fmt.Sprint(n) }))", x, g.ts(t), g.listBody(t, 3, 1, false), g.ts(t), g.ts(t), g.ts(t), g.ts(t), x)
	}
}

// genericList uses a generic type that holds itself.
func (g *gen) genericList() {
	g.use("fmt")
	g.helper("chainOf", "type chainOf[T any] struct {\n\tv    T\n\tnext *chainOf[T]\n}\n\nfunc (c *chainOf[T]) push(v T) *chainOf[T] { return &chainOf[T]{v, c} }\n\nfunc (c *chainOf[T]) each(f func(int, T)) (n int) {\n\tfor e := c; e != nil; e = e.next {\n\t\tf(n, e.v)\n\t\tn++\n\t}\n\treturn n\n}\n\ntype numbered[T any] struct {\n\tchainOf[T]\n\tn int\n}\n")
	t := g.anyType(1)
	for full(t) || types.IsInterface(t) {
		t = g.basicType()
	}
	x := g.fresh("c")
	g.p("var %s *chainOf[%s]\n%s = %s.push(%s).push(%s)\nfmt.Println(%s.each(func(i int, v %s) { fmt.Println(i) }))", x, g.ts(t), x, x, g.e(t, 1), g.e(t, 1), x, g.ts(t))
	g.p("n%s := numbered[%s]{n: 4}\nn%s.v = %s\nv%s := n%s.chainOf.v", x, g.ts(t), x, g.e(t, 1), x, x)
	g.declare("v"+x, t)
}

// genericCache uses a generic type with a func in it, kept from run to run.
func (g *gen) genericCache() {
	g.use("fmt")
	v := "cache" + g.fresh("")
	g.helper("cacheOf", "type cacheOf[K comparable, V any] struct {\n\tvalues map[K]V\n\tmake   func(K) (V, error)\n\thits, misses int\n}\n\nfunc newCache[K comparable, V any](f func(K) (V, error)) *cacheOf[K, V] {\n\treturn &cacheOf[K, V]{values: map[K]V{}, make: f}\n}\n\nfunc (c *cacheOf[K, V]) get(k K) (v V, err error) {\n\tif v, ok := c.values[k]; ok {\n\t\tc.hits++\n\t\treturn v, nil\n\t}\n\tc.misses++\n\tif v, err = c.make(k); err != nil {\n\t\treturn v, fmt.Errorf(\"%v: %w\", k, err)\n\t}\n\tc.values[k] = v\n\treturn v, nil\n}\n")
	k := pick[types.Type](g, tInt, tString)
	g.helper(v, fmt.Sprintf("var %s = newCache(func(k %s) (string, error) {\n\tif fmt.Sprint(k) == \"2\" {\n\t\treturn \"\", fmt.Errorf(\"bad\")\n\t}\n\treturn fmt.Sprint(k, \"!\"), nil\n})\n", v, g.ts(k)))
	a := g.et(k, 1)
	g.p("for _, k := range []%s{%s, %s, %s} {\ns, err := %s.get(k)\nfmt.Println(s, err)\n}\nfmt.Println(%s.hits, %s.misses)", g.ts(k), a, g.et(k, 1), a, v, v, v)
}

// switchInSwitch nests switches, with breaks and returns of each.
func (g *gen) switchInSwitch() {
	h := "route" + g.fresh("")
	g.use("fmt")
	arms := func(depth int) string {
		return pick(g, "s += \"x\"", "break", "return s + \"!\"", "s += \"y\"\n\t\tfallthrough", "if n > 1 {\n\t\t\tbreak\n\t\t}\n\t\ts += \"z\"", "")
	}
	last := func() string { return strings.TrimSuffix(arms(0), "\n\t\tfallthrough") }
	inner := fmt.Sprintf("switch k {\n\tcase \"a\", name:\n\t\t%s\n\tdefault:\n\t\t%s\n\tcase \"b\", \"c\":\n\t\t%s\n\t}", arms(1), arms(1), last())
	g.helper(h, fmt.Sprintf("func %s(n int, k string) (s string) {\n\tname := fmt.Sprint(\"n\", n)\n\tswitch {\n\tcase n < 0, n == 2:\n\t\t%s\n\tcase n == 1:\n\t\t%s\n\t\ts += \"after\"\n\tdefault:\n\t\t%s\n\tcase n > 3 && k != \"\":\n\t\ts += \"big\"\n\t\t%s\n\t}\n\treturn s + \".\"\n}\n", h, inner, inner, arms(0), last()))
	g.p("for i := -1; i < 6; i += 2 {\nfmt.Println(%s(i, %s), %s(i+1, \"n1\"))\n}", h, pick(g, `"a"`, `"b"`, `""`, g.text()), h)
}

// rangeOfCall ranges over the result of a call, which is made once.
func (g *gen) rangeOfCall() {
	h := "items" + g.fresh("")
	g.use("fmt")
	t := g.basicType()
	form := pick(g, "[]%s{a, b, a}", "[3]%s{a, b}", "map[int]%s{7: a}", "&[2]%s{a, b}")
	typ := strings.TrimSuffix(strings.Split(strings.Replace(form, "&", "*", 1), "{")[0], "")
	g.helper(h, fmt.Sprintf("var calls%s int\n\nfunc %s(a, b %s) %s {\n\tcalls%s++\n\treturn %s\n}\n", h, h, g.ts(t), fmt.Sprintf(typ, g.ts(t)), h, fmt.Sprintf(form, g.ts(t))))
	g.p("for k, v := range %s(%s, %s) {\nif k == 1 {\ncontinue\n}\nfmt.Println(k, v)\n}", h, g.et(t, 1), g.et(t, 1))
	g.p("for k := range %s(%s, %s) {\nfmt.Println(k)\nbreak\n}\nfmt.Println(calls%s)", h, g.et(t, 1), g.et(t, 1), h)
}

// structCompare compares structs, arrays and pointers in conditions.
func (g *gen) structCompare() {
	g.use("fmt")
	t := g.ownType(func(t types.Type) bool { return types.Comparable(t) && !hasInterface(t) && !full(t) && basic(t) == nil })
	if t == nil {
		t = types.NewArray(g.basicType(), 2)
	}
	a, b := g.fresh("a"), g.fresh("b")
	g.p("%s := %s\n%s := %s", a, g.literal(t, 1).s, b, pick(g, a, g.literal(t, 1).s))
	g.declare(a, t)
	g.declare(b, t)
	g.p("p%s, q%s := &%s, &%s", a, a, a, b)
	g.p("fmt.Println(%s == %s, %s != %s, p%s == q%s, *p%s == *q%s, p%s != nil)", a, b, a, b, a, a, a, a, a)
	g.p("if %s == %s && %s || !(%s != *q%s) {\nfmt.Println(\"same\")\n}", a, b, g.condition(), b, a)
	g.p("seen%s := map[%s]int{%s: 1}\nseen%s[%s]++\nfmt.Println(len(seen%s), seen%s[%s])", a, g.ts(t), a, a, b, a, a, a)
}

// interfaceMap keeps values of several types by name, behind an interface.
func (g *gen) interfaceMap() {
	g.use("fmt")
	g.use("sort")
	g.helper("metric", "type metric interface {\n\tread() float64\n\treset()\n}\n\ntype counter struct{ n float64 }\n\nfunc (c *counter) read() float64 { c.n++; return c.n }\nfunc (c *counter) reset()        { *c = counter{} }\n\ntype fixed float64\n\nfunc (f fixed) read() float64 { return float64(f) }\nfunc (f fixed) reset()        { f = 0 }\n\ntype computed func() float64\n\nfunc (c computed) read() float64 { return c() }\nfunc (c computed) reset()        { c = nil }\n")
	m := g.fresh("m")
	x := g.fresh("f")
	g.p("%s := fixed(%s)\n%s := map[string]metric{\"c\": &counter{%s}, \"f\": %s, \"g\": computed(func() float64 { %s *= 2; return float64(%s) })}", x, g.et(tFloat, 1), m, g.et(tFloat, 1), x, x, x)
	g.p("%s += 100\nvar names%s []string\nfor k := range %s {\nnames%s = append(names%s, k)\n}\nsort.Strings(names%s)", x, m, m, m, m, m)
	g.p("for range 2 {\nfor _, k := range names%s {\nv := %s[k]\nfmt.Println(k, v.read())\nif c, ok := v.(*counter); ok && c.n > 2 {\nv.reset()\n} else if _, ok := v.(fixed); ok {\n%s[k] = fixed(v.read() + 1)\n}\n}\n}", m, m, m)
}

// setters changes values by methods with value and pointer receivers.
func (g *gen) setters() {
	g.use("fmt")
	g.helper("acc", "type acc struct {\n\tsum  int\n\tlast [2]int\n\tnote map[string]int\n}\n\nfunc (a acc) lost(n int) acc { a.sum += n; a.last[0] = n; return a }\nfunc (a *acc) kept(n int) *acc {\n\ta.sum += n\n\ta.last[0], a.last[1] = n, a.last[0]\n\tif a.note == nil {\n\t\ta.note = map[string]int{}\n\t}\n\ta.note[fmt.Sprint(n%3)]++\n\treturn a\n}\n\ntype team struct {\n\tacc\n\tmembers []acc\n\tlead    *acc\n}\n")
	x := g.fresh("t")
	g.p("%s := team{members: make([]acc, 2), lead: &acc{sum: %s}}", x, g.et(tInt, 1))
	for range g.between(2, 5) {
		n := g.et(tInt, 1)
		g.p("%s", pick(g, x+".kept("+n+")", "_ = "+x+".lost("+n+")", x+".acc = "+x+".lost("+n+")", x+".members[1].kept("+n+").kept(2)", "for _, m := range "+x+".members {\nm.kept("+n+")\n}",
			"for i := range "+x+".members {\n"+x+".members[i].kept(i)\n}", x+".lead.kept("+n+")", "*"+x+".lead = "+x+".members[0]", x+".lead = &"+x+".members[0]", "f := "+x+".members[1].kept\nf(7)", "g := "+x+".lost\n"+x+".sum = 0\nfmt.Println(g(1).sum)", x+".members = append("+x+".members, *"+x+".lead)"))
		if g.chance(30) {
			break
		}
	}
	g.p("fmt.Println(%s.sum, %s.last, len(%s.note), %s.members[0].sum, %s.members[1].last, %s.lead.sum, len(%s.members))", x, x, x, x, x, x, x)
}

// boolChains mixes conditions of every kind.
func (g *gen) boolChains() {
	g.use("fmt")
	m, x := g.fresh("m"), g.fresh("x")
	g.p("%s := map[string]bool{\"a\": %s}\nvar %s any = %s", m, g.e(tBool, 1), x, g.e(g.basicType(), 1))
	g.p("_ = %s", x)
	operand := func() string {
		return pick(g, m+"[\"a\"]", "!"+m+"["+g.text()+"]", x+" != nil", "struct{ ok bool }{"+g.e(tBool, 0)+"}.ok", "[2]bool{true}[1]", "func() bool { return "+g.e(tBool, 1)+" }()", "*&[]bool{true}[0]",
			"len("+m+") > 0", "([2]int{1, 2} == [2]int{1, "+g.et(tInt, 0)+"})", g.condition(), "("+g.condition()+")")
	}
	g.p("b%s := %s %s %s %s !(%s)\nfmt.Println(b%s)", x, operand(), pick(g, "&&", "||"), operand(), pick(g, "&&", "||"), operand(), x)
	g.p("if %s && (%s || %s) {\nfmt.Println(1)\n} else if !(%s) || %s {\nfmt.Println(2)\n}", operand(), operand(), operand(), operand(), operand())
	g.p("for i := 0; i < 3 && (%s || i == 0); i++ {\nfmt.Println(i, %s || i > 0)\n}", operand(), operand())
	g.p("switch {\ncase %s, %s && %s:\nfmt.Println(\"a\")\ncase %s:\nfmt.Println(\"b\")\n}", operand(), operand(), operand(), operand())
}

// missing asks again and again, round by round, for what is there and what is
// not.
func (g *gen) missing() {
	g.use("fmt")
	t := g.anyType(1)
	for full(t) {
		t = g.basicType()
	}
	m, v, ok := g.fresh("m"), g.fresh("v"), g.fresh("ok")
	leaves := func() string {
		if l := g.leaves(v, t, 2); len(l) > 0 {
			return join(l)
		}
		return ok
	}
	head := "for _, k := range []string{\"a\", \"z\", \"b\", \"y\", \"a\"} {\n"
	switch g.r.Intn(6) {
	case 0:
		g.p("%s := map[string]%s{\"a\": %s, \"b\": %s}\n%s%s, %s := %s[k]\nfmt.Println(%s, %s)\n}", m, g.ts(t), g.et(t, 1), g.et(t, 1), head, v, ok, m, ok, leaves())
	case 1:
		g.p("%s := map[string]%s{\"a\": %s, \"b\": %s}\nvar %s %s\nvar %s bool\n%s%s, %s = %s[k]\nfmt.Println(%s, %s)\n}", m, g.ts(t), g.et(t, 1), g.et(t, 1), v, g.ts(t), ok, head, v, ok, m, ok, leaves())
	case 2:
		g.p("%s := map[string]%s{\"a\": %s}\n%s%s := %s[k]\n%s := true\nfmt.Println(%s, %s)\n}", m, g.ts(t), g.et(t, 1), head, v, m, ok, ok, leaves())
	case 3:
		g.p("for _, x := range []any{%s, nil, %s, 1, \"s\"} {\n%s, %s := x.(%s)\nfmt.Println(%s, %s)\n}", g.e(t, 1), g.e(t, 1), v, ok, g.ts(t), ok, leaves())
	case 4:
		g.p("%s := make(chan %s, 2)\n%s <- %s\nclose(%s)\nfor range 3 {\n%s, %s := <-%s\nfmt.Println(%s, %s)\n}", m, g.ts(t), m, g.et(t, 1), m, v, ok, m, ok, leaves())
	default:
		g.p("%s := map[string]%s{\"a\": %s}\n%sif %s, %s := %s[k]; !%s {\nfmt.Println(%s)\n%s[k] = %s\n} else if k == \"a\" {\ndelete(%s, k)\n}\n}", m, g.ts(t), g.et(t, 1), head, v, ok, m, ok, leaves(), m, g.et(t, 1), m)
	}
}
