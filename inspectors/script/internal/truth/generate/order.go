package generate

import (
	"fmt"
	"go/types"
)

// orderKinds are about the order in which things happen, and about what is bound
// to which name.
func orderKinds() []statement {
	return []statement{
		{"evalorder", 4, (*gen).evaluationOrder},
		{"loopcapture", 4, (*gen).loopCapture},
		{"rangechange", 2, (*gen).rangeChange},
		{"select", 3, (*gen).selects},
		{"namedresults", 3, (*gen).namedResults},
		{"panics", 3, (*gen).panicChains},
		{"captures", 3, (*gen).captures},
		{"gotoforward", 1, (*gen).gotoForward},
		{"predeclared", 2, (*gen).predeclared},
		{"nilvalues", 3, (*gen).nilValues},
		{"shifts", 2, (*gen).shifts},
		{"floats", 2, (*gen).floats},
		{"anyswitch", 2, (*gen).anySwitch},
		{"embeddedinterface", 2, (*gen).embeddedInterface},
		{"deepcopy", 3, (*gen).deepCopy},
		{"mapupdate", 3, (*gen).mapUpdate},
		{"invalidtext", 1, (*gen).invalidText},
		{"alias type", 1, (*gen).aliasType},
		{"functype", 2, (*gen).funcTypeMethods},
		{"printing", 3, (*gen).printing},
		{"tangle", 4, (*gen).tangle},
	}
}

// noted declares a func that says when a value is computed, and returns its name.
func (g *gen) noted(t types.Type) string {
	name := "note" + g.ts(t)
	g.use("fmt")
	g.helper(name, fmt.Sprintf("func %s(at string, v %s) %s {\n\tfmt.Println(at, v)\n\treturn v\n}\n", name, g.ts(t), g.ts(t)))
	return name
}

func (g *gen) evaluationOrder() {
	n, s, b := g.noted(tInt), g.noted(tString), g.noted(tBool)
	x := g.fresh("x")
	i := func() string { return g.e(tInt, 1) }
	switch g.r.Intn(10) {
	case 0:
		g.p("%s := %s(\"a\", %s) - %s(\"b\", %s)*%s(\"c\", %s)", x, n, i(), n, i(), n, i())
		g.declare(x, tInt)
	case 1:
		g.p("%s := []int{%s(\"a\", 1), %s(\"b\", 2), 5: %s(\"c\", %s)}", x, n, n, n, i())
		g.p("%s[%s(\"i\", 1)], %s[%s(\"j\", 2)] = %s(\"v\", %s), %s(\"w\", %s)", x, n, x, n, n, i(), n, i())
		g.p("fmt.Println(%s)", x)
	case 2:
		g.p("if %s(\"a\", %s) && %s(\"b\", %s) || %s(\"c\", %s) {\nfmt.Println(\"yes\")\n}", b, g.e(tBool, 1), b, g.e(tBool, 1), b, g.e(tBool, 1))
	case 3:
		g.p("%s := map[string]int{}\n%s[%s(\"k\", %s)] = %s(\"v\", %s)", x, x, s, g.e(tString, 1), n, i())
		g.p("%s[%s(\"k\", \"q\")] += %s(\"v\", %s)", x, s, n, i())
		g.p("fmt.Println(len(%s), %s[\"q\"])", x, x)
	case 4:
		g.p("func(a int, c ...string) { fmt.Println(a, len(c)) }(%s(\"a\", %s), %s(\"b\", %s), %s(\"c\", \"z\"))", n, i(), s, g.e(tString, 1), s)
	case 5:
		g.p("switch %s(\"tag\", %s) {\ncase %s(\"one\", 1), %s(\"two\", %s):\nfmt.Println(\"hit\")\ncase %s(\"three\", 3):\ndefault:\nfmt.Println(\"miss\")\n}", n, i(), n, n, i(), n)
	case 6:
		g.p("switch {\ncase %s(\"p\", %s), %s(\"q\", %s):\nfmt.Println(\"first\")\ncase %s(\"r\", true):\nfmt.Println(\"second\")\n}", b, g.e(tBool, 1), b, g.e(tBool, 1), b)
	case 7:
		g.p("%s := struct{ a, b int }{b: %s(\"b\", %s), a: %s(\"a\", %s)}\nfmt.Println(%s.a, %s.b)", x, n, i(), n, i(), x, x)
	case 8:
		g.p("for %s := %s(\"init\", 0); %s(\"cond\", %s < 2); %s += %s(\"post\", 1) {\nfmt.Println(\"body\", %s)\n}", x, n, b, x, x, n, x)
	default:
		g.p("for _, %s := range []int{%s(\"a\", 1), %s(\"b\", 2)}[%s(\"lo\", 0):%s(\"hi\", 2)] {\nfmt.Println(%s)\n}", x, n, n, n, n, x)
	}
}

// loopCapture captures the variable of a loop that the body changes too.
func (g *gen) loopCapture() {
	fs, i := g.fresh("fs"), g.fresh("i")
	g.use("fmt")
	g.p("var %s []func() int", fs)
	capture := fmt.Sprintf("%s = append(%s, func() int { %s return %s })", fs, fs, pick(g, "", i+"++;", i+" += 10;"), i)
	switch g.r.Intn(6) {
	case 0:
		g.p("for %s := 0; %s < 3; %s++ {\n%s\n%s}", i, i, i, capture, pick(g, "", "if "+i+" == 1 {\ncontinue\n}\n", i+" += 0\n"))
	case 1:
		g.p("for %s := 0; %s < 6; %s++ {\n%s\n%s++\n}", i, i, i, capture, i)
	case 2:
		g.p("for %s, p := 0, new(int); %s < 3; %s++ {\n%s\n*p += %s\nfmt.Println(*p)\n}", i, i, i, capture, i)
	case 3:
		g.p("for _, %s := range []int{%s, 4, 5} {\n%s\n%s *= 2\n}", i, g.et(tInt, 1), capture, i)
	case 4:
		g.p("var ps%s []*int\nfor %s := 0; %s < 3; %s++ {\n%s\nps%s = append(ps%s, &%s)\n}", fs, i, i, i, capture, fs, fs, i)
		g.p("*ps%s[0] = 50\nfor _, p := range ps%s {\nfmt.Println(*p)\n}", fs, fs)
	default:
		g.p("for %s := range \"aé\" {\n%s\n}", i, capture)
	}
	g.p("for _, f := range %s {\nfmt.Println(f(), f())\n}", fs)
}

// rangeChange changes the operand of a range while it runs.
func (g *gen) rangeChange() {
	l := g.fresh("l")
	g.use("fmt")
	g.p("%s := []int{1, 2, %s}", l, g.et(tInt, 1))
	switch g.r.Intn(5) {
	case 0:
		g.p("for i, v := range %s {\nif i < 2 {\n%s = append(%s, v*10)\n}\n%s[(i+1)%%3] += v\n}", l, l, l, l)
	case 1:
		g.p("for i := range %s {\n%s = %s[:1]\nfmt.Println(i)\n}", l, l, l)
	case 2:
		g.p("for _, v := range %s {\nv++\n%s[0] = v\n}", l, l)
	case 3:
		g.p("for i, v := range %s {\n%s = nil\nfmt.Println(i, v)\n}", l, l)
	default:
		g.p("for i := 0; i < len(%s); i++ {\nif %s[i] == 2 {\n%s = append(%s[:i], %s[i+1:]...)\ni--\n}\n}", l, l, l, l, l)
	}
	g.p("fmt.Println(%s)", l)
}

// selects waits for one of several channels, exactly one of which is ready.
func (g *gen) selects() {
	a, b := g.fresh("a"), g.fresh("b")
	t := g.basicType()
	g.use("fmt")
	g.p("%s, %s := make(chan %s, 2), make(chan string, 1)", a, b, g.ts(t))
	switch g.r.Intn(6) {
	case 0:
		g.p("%s <- %s\nselect {\ncase v := <-%s:\nfmt.Println(\"a\", v)\ncase s := <-%s:\nfmt.Println(\"b\", s)\n}", a, g.et(t, 1), a, b)
	case 1:
		g.p("select {\ncase %s <- %s:\nfmt.Println(\"sent\", len(%s))\ncase s, ok := <-%s:\nfmt.Println(s, ok)\n}", a, g.et(t, 1), a, b)
	case 2:
		g.p("close(%s)\nselect {\ncase v, ok := <-%s:\nfmt.Println(v, ok)\ncase <-%s:\n}", a, a, b)
	case 3:
		g.p("%s <- \"x\"\nvar v%s string\nselect {\ncase v%s = <-%s:\ndefault:\nfmt.Println(\"none\")\n}\nfmt.Println(v%s)", b, b, b, b, b)
	case 4:
		l := g.fresh("L")
		g.p("%s <- %s\n%s <- \"stop\"\nn%s := 0\n%s:\nfor {\nselect {\ncase <-%s:\nn%s++\ncontinue %s\ndefault:\n}\nselect {\ncase s := <-%s:\nfmt.Println(s)\nbreak %s\ndefault:\nbreak\n}\nn%s += 10\n}\nfmt.Println(n%s)", a, g.et(t, 1), b, a, l, a, a, l, b, l, a, a)
	default:
		g.p("for i := 0; i < 3; i++ {\nselect {\ncase %s <- %s:\nfmt.Println(i, \"sent\")\ndefault:\nfmt.Println(i, \"full\")\nif i == 2 {\nbreak\n}\n}\n}", a, g.et(t, 1))
	}
	g.p("fmt.Println(len(%s), cap(%s), len(%s))", a, a, b)
}

// namedResults returns by name in several ways.
func (g *gen) namedResults() {
	h := "res" + g.fresh("")
	t := pick[types.Type](g, tInt, tString, tFloat)
	typ := g.ts(t)
	g.use("fmt")
	body := pick(g,
		"lo, hi = b, a\n\treturn hi, lo",
		"lo = a\n\tif lo == b {\n\t\treturn b, a\n\t}\n\thi = b\n\treturn",
		"defer func() { lo, hi = hi, lo }()\n\treturn a, b",
		"for _, v := range []"+typ+"{a, b} {\n\t\tlo, hi = v, lo\n\t}\n\treturn hi, lo",
		"func() { lo = b }()\n\treturn lo, a",
		"p := &lo\n\t*p = a\n\thi, *p = *p, b\n\treturn",
		"if lo := b; lo == a {\n\t\treturn lo, hi\n\t}\n\tlo, err := a, fmt.Sprint(b)\n\t_ = err\n\treturn lo, b",
		"set := func(v "+typ+") (r "+typ+") { defer func() { lo = v }(); return v }\n\thi = set(a)\n\treturn lo, hi")
	g.helper(h, fmt.Sprintf("func %s(a, b %s) (lo, hi %s) {\n\t%s\n}\n", h, typ, typ, body))
	g.p("fmt.Println(%s(%s, %s))", h, g.et(t, 1), g.et(t, 1))
	if g.chance(40) {
		g.p("fmt.Println(fmt.Sprint(%s(%s, %s)))", h, g.et(t, 1), g.et(t, 1))
	}
}

// panicChains lets panics pass through several functions.
func (g *gen) panicChains() {
	h := "boom" + g.fresh("")
	g.use("fmt")
	g.use("errors")
	g.helper("custom", "type custom struct{ code int }\n\nfunc (c custom) Error() string { return fmt.Sprint(\"custom \", c.code) }\n")
	value := pick(g, "\"text\"", "7", "errors.New(\"e\")", "fmt.Errorf(\"w %w\", errors.New(\"in\"))", "2.5", "custom{3}", "&custom{4}", "[]int{1}", "error(custom{5})")
	handle := pick(g,
		"fmt.Println(\"got\", r)",
		"if err, ok := r.(error); ok {\n\t\t\t\tfmt.Println(\"error\", err.Error())\n\t\t\t} else {\n\t\t\t\tfmt.Println(\"other\", r)\n\t\t\t}",
		"switch v := r.(type) {\n\t\t\tcase string:\n\t\t\t\tfmt.Println(\"s\", v)\n\t\t\tcase custom:\n\t\t\t\tfmt.Println(\"c\", v.code)\n\t\t\tcase error:\n\t\t\t\tfmt.Println(\"e\", v)\n\t\t\tdefault:\n\t\t\t\tfmt.Println(\"?\", v)\n\t\t\t}",
		"fmt.Println(\"again\")\n\t\t\t\tout = -1")
	between := pick(g, "defer func() { out += 5 }()", "defer fmt.Println(\"unwinding\")", "defer func() { _ = recover() }()", "for i := 0; i < 2; i++ {\n\t\tdefer func() { out++ }()\n\t}")
	g.helper(h, fmt.Sprintf("func %s(n int) (out int) {\n\tdefer func() {\n\t\tif r := recover(); r != nil {\n\t\t\t%s\n\t\t}\n\t}()\n\t%s\n\tif n > 0 {\n\t\tfunc() {\n\t\t\tdefer func() { out += 100 }()\n\t\t\tpanic(%s)\n\t\t}()\n\t}\n\treturn 50\n}\n", h, handle, between, value))
	g.p("fmt.Println(%s(%d), %s(0))", h, g.r.Intn(2), h)
}

// captures has literals capture parameters, receivers, results and each other.
func (g *gen) captures() {
	h := "cap" + g.fresh("")
	g.use("fmt")
	g.helper("holder", "type holder struct {\n\tn    int\n\tfree func()\n}\n\nfunc (h holder) by(d int) func() int { return func() int { h.n += d; return h.n } }\nfunc (h *holder) with(d int) func() int { return func() int { h.n += d; d++; return h.n } }\n")
	switch g.r.Intn(4) {
	case 0:
		g.helper(h, fmt.Sprintf("func %s(a int, s ...string) (get func() string, set func(int)) {\n\tget = func() string { return fmt.Sprint(a, s) }\n\tset = func(n int) { a += n; if len(s) > 0 { s[0] += \"!\" } }\n\ta *= 2\n\treturn get, set\n}\n", h))
		g.p("get%s, set%s := %s(%s, %s)\nset%s(%s)\nfmt.Println(get%s())\nset%s(1)\nfmt.Println(get%s())", h, h, h, g.et(tInt, 1), g.text(), h, g.et(tInt, 1), h, h, h)
	case 1:
		x := g.fresh("h")
		g.p("%s := %sholder{n: %s}\nf%s, g%s := %s.by(2), %s.with(3)\n%s.n = 100\nfmt.Println(f%s(), f%s(), g%s(), g%s(), %s.n)", x, pick(g, "", "&"), g.et(tInt, 1), x, x, x, x, x, x, x, x, x, x)
	case 2:
		x := g.fresh("m")
		g.p("%s := map[string]func(int) int{}\nn%s := %s\n%s[\"add\"] = func(d int) int { n%s += d; return n%s }\n%s[\"twice\"] = func(d int) int { return %s[\"add\"](d) + %s[\"add\"](d) }\nfmt.Println(%s[\"twice\"](%d), n%s)", x, x, g.et(tInt, 1), x, x, x, x, x, x, x, g.between(1, 9), x)
	default:
		x := g.fresh("list")
		g.p("var %s []holder\nfor i := 0; i < 3; i++ {\nh := holder{n: i}\nh.free = func() { fmt.Println(\"free\", i, h.n) }\n%s = append(%s, h)\nh.n += 10\n}\nfor i := range %s {\n%s[i].n = 7\n%s[i].free()\n}", x, x, x, x, x, x)
	}
}

// gotoForward jumps over statements, and out of blocks.
func (g *gen) gotoForward() {
	l := g.fresh("L")
	g.use("fmt")
	h := "jump" + g.fresh("")
	g.helper(h, fmt.Sprintf("func %s(n int) (s string) {\n\tfor i := 0; i < 3; i++ {\n\t\tif i == n {\n\t\t\tgoto %s\n\t\t}\n\t\ts += fmt.Sprint(i)\n\t}\n\ts += \"all\"\n%s:\n\ts += \"end\"\n\tif len(s) < %d {\n\t\tn++\n\t\tgoto %s\n\t}\n\treturn s\n}\n", h, l, l, g.between(3, 12), l))
	g.p("fmt.Println(%s(%d))", h, g.r.Intn(5))
}

// predeclared gives a variable the name of something that Go declares, of a
// package, or of a func or type of the program.
func (g *gen) predeclared() {
	g.use("fmt")
	name := pick(g, "len", "cap", "string", "int", "new", "copy", "error", "max", "min", "true", "nil", "close", "any", "append", "strings", "time")
	t := pick[types.Type](g, tInt, tString)
	switch g.r.Intn(3) {
	case 0:
		g.p("{\n%s := %s\nfmt.Println(%s)\n}", name, g.typedConstant(t).s, name)
	case 1:
		g.p("func(%s %s) { fmt.Println(%s) }(%s)", name, g.ts(t), name, g.et(t, 1))
	default:
		g.p("for _, %s := range []%s{%s, %s} {\nfmt.Println(%s)\n}", name, g.ts(t), g.et(t, 1), g.et(t, 1), name)
	}
}

// nilValues uses nil values.
func (g *gen) nilValues() {
	g.use("fmt")
	x := g.fresh("z")
	t := g.basicType()
	switch g.r.Intn(7) {
	case 0:
		g.p("var %s []%s\nfmt.Println(%s == nil, len(%s), cap(%s))\nfor range %s {\nfmt.Println(\"no\")\n}\n%s = append(%s, %s)\nfmt.Println(%s == nil, %s)", x, g.ts(t), x, x, x, x, x, x, g.et(t, 1), x, x)
	case 1:
		g.p("var %s map[string]%s\nfmt.Println(%s == nil, len(%s), %s[\"a\"])\n_, ok%s := %s[\"a\"]\ndelete(%s, \"a\")\nfmt.Println(ok%s)", x, g.ts(t), x, x, x, x, x, x, x)
	case 2:
		g.p("var %s *%s\nfmt.Println(%s == nil)\nif %s == nil {\n%s = new(%s)\n}\n*%s = %s\nfmt.Println(*%s)", x, g.ts(t), x, x, x, g.ts(t), x, g.et(t, 1), x)
	case 3:
		g.p("var %s func(int) int\nfmt.Println(%s == nil)\nif %s != nil {\nfmt.Println(%s(1))\n}\n%s = func(n int) int { return n + 1 }\nfmt.Println(%s != nil, %s(2))", x, x, x, x, x, x, x)
	case 4:
		g.p("var %s error\nfmt.Println(%s == nil, %s)\n%s = fmt.Errorf(\"x\")\nif %s != nil {\n%s = nil\n}\nfmt.Println(%s)", x, x, x, x, x, x, x)
	case 5:
		g.helper("nothing", "type nothing struct{ s string }\n\nfunc (n *nothing) Error() string { return \"n\" + n.s }\n\nfunc find(ok bool) *nothing {\n\tif ok {\n\t\treturn nil\n\t}\n\treturn &nothing{\"x\"}\n}\n")
		g.p("if %s := find(%s); %s != nil {\nfmt.Println(%s.Error())\n}\nvar e%s error = find(false)\nfmt.Println(e%s != nil, e%s)", x, g.e(tBool, 1), x, x, x, x, x)
	default:
		g.p("%s := []any{nil, []int(nil), map[string]int(nil), (*int)(nil)}\nfor i, v := range %s {\nfmt.Println(i, v == nil)\n}", x, x)
	}
}

// shifts shifts by large counts, and numbers of every width.
func (g *gen) shifts() {
	g.use("fmt")
	x, n := g.fresh("x"), g.fresh("n")
	t := types.Typ[pick(g, types.Uint8, types.Int8, types.Uint16, types.Int32, types.Uint32, types.Int64, types.Uint64, types.Int)]
	g.p("var %s %s = %d\nvar %s uint = %d", x, g.ts(t), g.between(1, 120), n, pick(g, 0, 1, 7, 8, 31, 32, 63, 64, 70))
	g.p("fmt.Println(%s<<%s, %s>>%s, -%s>>1, ^%s, %s&^3, 1<<(%s&7))", x, n, x, n, x, x, x, n)
	g.p("fmt.Println(int64(%s)<<%s, uint8(1)<<%s, %s(1)<<%s)", x, n, n, g.ts(t), n)
	g.p("%s <<= %s & 3\n%s |= 1 << (%s & 3)\nfmt.Println(%s, -7/2, -7%%3, %s/3*3+%s%%3 == %s)", x, n, x, n, x, x, x, x)
}

// floats prints special floats.
func (g *gen) floats() {
	g.use("fmt")
	g.use("math")
	x := g.fresh("x")
	g.p("%s := %s", x, g.e(tFloat, 1))
	switch g.r.Intn(4) {
	case 0:
		g.p("nan%s := math.NaN()\nfmt.Println(nan%s == nan%s, nan%s < %s, nan%s != %s, math.IsNaN(nan%s))", x, x, x, x, x, x, x, x)
	case 1:
		g.p("zero%s := 0.0\nfmt.Println(%s/zero%s > 1, -zero%s, 1/zero%s, math.Signbit(-zero%s))", x, x, x, x, x, x)
	case 2:
		g.p("fmt.Println(float32(%s), float64(float32(%s)), float32(0.1)+float32(%s), 0.1+0.2, 1e21, 1e20, 1e-7)", x, x, x)
	default:
		g.p("fmt.Println(int(math.Round(%s*100)), uint8(%s), math.MaxInt64, uint64(math.MaxUint64))", g.whole(x, 1e6), g.whole(x, 255))
	}
	g.p("_ = %s", x)
}

// anySwitch switches on values of any kind.
func (g *gen) anySwitch() {
	g.use("fmt")
	x := g.fresh("x")
	t := g.basicType()
	g.p("for _, %s := range []any{1, \"a\", %s, 2.5, nil, true} {\nswitch %s {\ncase 1, %s:\nfmt.Println(\"one\")\ncase \"a\", 2.5:\nfmt.Println(\"a or 2.5\")\ncase nil:\nfmt.Println(\"nil\")\ndefault:\nfmt.Println(\"other\")\n}\n}", x, g.e(t, 1), x, g.e(t, 1))
}

// embeddedInterface embeds interfaces in interfaces and structs.
func (g *gen) embeddedInterface() {
	g.use("fmt")
	g.helper("namer", "type namer interface{ name() string }\n\ntype sizer interface{ size() int }\n\ntype both interface {\n\tnamer\n\tsizer\n}\n\ntype file struct {\n\tn string\n\ts int\n}\n\nfunc (f file) name() string { return f.n }\nfunc (f *file) size() int   { f.s++; return f.s }\n\ntype wrapped struct {\n\tboth\n\textra int\n}\n\nfunc (w wrapped) size() int { return w.both.size()*10 + w.extra }\n")
	x := g.fresh("b")
	g.p("var %s both = &file{%s, %s}\nw%s := wrapped{%s, %d}", x, g.text(), g.et(tInt, 1), x, x, g.between(1, 9))
	switch g.r.Intn(5) {
	case 0:
		g.p("fmt.Println(w%s.name(), w%s.size(), %s.size())", x, x, x)
	case 1:
		g.p("var n%s namer = w%s\nif s, ok := n%s.(sizer); ok {\nfmt.Println(s.size(), n%s.name())\n}", x, x, x, x)
	case 2:
		g.p("%s = w%s\nfmt.Println(%s.size(), %s.name())", x, x, x, x)
	case 3:
		g.p("for _, n := range []namer{%s, w%s, file{\"v\", 1}} {\nswitch v := n.(type) {\ncase both:\nfmt.Println(\"both\", v.size())\ncase file:\nfmt.Println(\"file\", v.s)\ndefault:\nfmt.Println(\"?\")\n}\n}", x, x)
	default:
		g.p("f := func(s sizer) int { return s.size() }\nfmt.Println(f(%s), f(w%s), f(&file{s: 4}))", x, x)
	}
}

// deepCopy copies structs that hold arrays, structs, slices and maps.
func (g *gen) deepCopy() {
	g.use("fmt")
	g.helper("inner", "type inner struct {\n\tv int\n\tl []int\n}\n\ntype outer struct {\n\tin   inner\n\tarr  [2]inner\n\tgrid [2][2]int\n\tm    map[string]inner\n\tp    *inner\n}\n\nfunc newOuter(n int) outer {\n\treturn outer{inner{n, []int{n}}, [2]inner{{v: n}, {n + 1, nil}}, [2][2]int{{n}}, map[string]inner{\"a\": {n, nil}}, &inner{v: n}}\n}\n")
	a, b := g.fresh("a"), g.fresh("b")
	g.p("%s := newOuter(%s)", a, g.et(tInt, 1))
	g.p("%s := %s", b, pick(g, a, "[]outer{"+a+"}[0]", "func(o outer) outer { o.in.v++; return o }("+a+")", "map[int]outer{1: "+a+"}[1]", "*&"+a, "struct{ o outer }{"+a+"}.o", "[1]outer{"+a+"}[0]"))
	for range g.between(2, 4) {
		w := pick(g, a, b)
		g.p("%s", pick(g, w+".in.v = 10", w+".arr[1].v += 20", w+".grid[0][1] = 30", w+".in.l[0]++", w+".m[\"a\"] = inner{40, nil}", w+".p.v = 50", w+".arr["+fmt.Sprint(g.r.Intn(2))+"] = "+w+".in", w+".grid[1] = "+w+".grid[0]", w+".in = *"+w+".p", "for _, e := range "+w+".arr {\ne.v = 99\n}", "for i := range "+w+".arr {\ne := &"+w+".arr[i]\ne.v *= 2\n}"))
	}
	for _, w := range []string{a, b} {
		g.p("fmt.Println(%s.in.v, %s.in.l, %s.arr[0].v, %s.arr[1].v, %s.grid, %s.m[\"a\"].v, %s.p.v)", w, w, w, w, w, w, w)
	}
}

// mapUpdate changes entries in place.
func (g *gen) mapUpdate() {
	g.use("fmt")
	m := g.fresh("m")
	k := pick(g, "\"a\"", "\"z\"", g.text())
	switch g.r.Intn(6) {
	case 0:
		g.p("%s := map[string]int{\"a\": 1}\n%s[%s]++\n%s[%s] *= 3\n%s[%s] -= %s\nfmt.Println(%s)", m, m, k, m, k, m, k, g.et(tInt, 1), m)
	case 1:
		g.p("%s := map[string][2]int{\"a\": {1, 2}}\nv%s := %s[%s]\nv%s[0] = 9\nfmt.Println(%s[%s], v%s, %s[\"q\"][1])", m, m, m, k, m, m, k, m, m)
	case 2:
		g.p("%s := map[bool]string{}\nfor i := 0; i < 4; i++ {\n%s[i%%2 == 0] += fmt.Sprint(i)\n}\nfmt.Println(%s[true], %s[false])", m, m, m, m)
	case 3:
		g.p("type key%s struct {\na string\nb int\n}\n%s := map[key%s][]string{}\nfor _, s := range []string{\"x\", %s, \"x\"} {\nk := key%s{s, len(s)}\n%s[k] = append(%s[k], s)\n}\nfmt.Println(len(%s), len(%s[key%s{\"x\", 1}]))", m, m, m, g.text(), m, m, m, m, m, m)
	case 4:
		g.p("%s := map[string]map[int]bool{}\nif %s[%s] == nil {\n%s[%s] = map[int]bool{}\n}\n%s[%s][3] = true\nif !%s[\"none\"][1] {\nfmt.Println(len(%s), %s[%s][3])\n}", m, m, k, m, k, m, k, m, m, m, k)
	default:
		g.p("%s := map[string]struct{}{\"a\": {}}\n%s[%s] = struct{}{}\n_, ok%s := %s[%s]\nfmt.Println(ok%s, len(%s))", m, m, k, m, m, k, m, m)
	}
}

// invalidText goes through text that is not UTF-8.
func (g *gen) invalidText() {
	g.use("fmt")
	s := pick(g, `"a\xffb"`, `"\xe6\x97b"`, `"é\xc3"`, `"\xf0\x9f"`)
	switch g.r.Intn(4) {
	case 0:
		g.p("for i, r := range %s {\nfmt.Println(i, r)\n}", s)
	case 1:
		g.p("for i := range %s {\nfmt.Println(i)\n}", s)
	case 2:
		g.p("fmt.Println(len([]rune(%s)), []byte(%s), []rune(%s))", s, s, s)
	default:
		g.p("fmt.Printf(\"%%q %%x %%+q\\n\", %s, %s, string([]rune(%s)))", s, s, s)
	}
}

// aliasType uses another name of a type.
func (g *gen) aliasType() {
	g.use("fmt")
	n := "Alias" + g.fresh("")
	t := pick[types.Type](g, tInts, tTexts, tCounts, tInt, tString)
	g.helper(n, fmt.Sprintf("type %s = %s\n", n, g.ts(t)))
	x := g.fresh("x")
	g.p("var %s %s = %s\nvar y%s %s = %s\nfmt.Println(%s, y%s)", x, n, g.et(t, 1), x, g.ts(t), x, x, x)
}

// funcTypeMethods uses methods of func types, maps and slices.
func (g *gen) funcTypeMethods() {
	g.use("fmt")
	g.helper("handler", "type handler func(string) string\n\nfunc (h handler) serve(s string) string { return \"<\" + h(s) + \">\" }\n\ntype server interface{ serve(string) string }\n\ntype chain []server\n\nfunc (c chain) serve(s string) string {\n\tfor _, x := range c {\n\t\ts = x.serve(s)\n\t}\n\treturn s\n}\n\ntype lookup map[string]string\n\nfunc (l lookup) serve(s string) string {\n\tif v, ok := l[s]; ok {\n\t\treturn v\n\t}\n\tl[s] = s + s\n\treturn \"?\"\n}\n\nfunc plain(s string) string { return s + \".\" }\n")
	x := g.fresh("c")
	g.p("p%s := %s\n%s := chain{handler(func(s string) string { return p%s + s }), handler(plain), lookup{\"a\": \"b\"}}", x, g.text(), x, x)
	g.p("fmt.Println(%s.serve(%s), len(%s))\np%s += \"!\"", x, g.text(), x, x)
	g.p("var s%s server = %s\nfmt.Println(s%s.serve(\"a\"), handler(plain).serve(\"q\"))", x, x, x)
}

// printing prints values whose type is the program's, with verbs that show what
// is inside.
func (g *gen) printing() {
	g.use("fmt")
	g.helper("point", "type point struct{ X, Y int }\n\ntype shape struct {\n\tName string\n\tAt   point\n\tList []point\n\tTags map[string]int\n\tnext *point\n}\n\ntype temp float64\n\nfunc (t temp) String() string { return fmt.Sprintf(\"%.1f°\", float64(t)) }\n")
	x := g.fresh("s")
	g.p("%s := shape{%s, point{%s, 2}, []point{{1, 2}}, map[string]int{\"b\": 1, \"a\": 2}, nil}", x, g.text(), g.et(tInt, 1))
	g.p("%s", pick(g,
		fmt.Sprintf("fmt.Println(%s.At, %s.List, %s.Tags)", x, x, x),
		fmt.Sprintf("fmt.Println(%s)", x),
		fmt.Sprintf("fmt.Printf(\"%%v %%+v\\n\", %s.At, %s.At)", x, x),
		fmt.Sprintf("fmt.Printf(\"%%+v\\n\", %s)", x),
		fmt.Sprintf("fmt.Println(&%s.At, []any{%s.At, 1})", x, x),
		fmt.Sprintf("fmt.Println(temp(%s), []temp{1, 2.5}, map[string]temp{\"k\": 3}, %s.At)", g.e(tFloat, 1), x),
		fmt.Sprintf("fmt.Println(struct{ T temp }{4}, %s.At == point{1, 2})", x),
		fmt.Sprintf("fmt.Printf(\"%%d %%x %%5.1f %%s %%v\\n\", %s.At, %s.At, temp(2), temp(3), []temp{1})", x, x),
		fmt.Sprintf("fmt.Println(fmt.Sprint(%s.At, %s.List), fmt.Errorf(\"at %%v\", %s.At))", x, x, x)))
	g.p("_ = %s", x)
}
