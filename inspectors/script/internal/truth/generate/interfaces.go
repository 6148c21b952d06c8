package generate

import (
	"fmt"
	"go/types"
	"strings"
)

// interfaceKinds are values in interfaces, and what is asked of them.
func interfaceKinds() []statement {
	return []statement{
		{"ifacevar", 4, (*gen).interfaceVariable},
		{"ifacelist", 5, (*gen).interfaceList},
		{"typeswitch", 6, (*gen).typeSwitch},
		{"ownswitch", 4, (*gen).ownSwitch},
		{"assertion", 4, (*gen).assertion},
		{"anyvalues", 4, (*gen).anyValues},
		{"errors", 5, (*gen).errorsOf},
		{"ownerror", 3, (*gen).ownError},
		{"embedded", 2, (*gen).embedded},
		{"stringer", 2, (*gen).stringer},
		{"ifacecompare", 1, (*gen).interfaceCompare},
	}
}

// interfaceVariable puts a value into an interface of the program and changes
// where it came from.
func (g *gen) interfaceVariable() {
	if len(g.ifaces) == 0 || g.fn.level < levelFunction {
		g.anyValues()
		return
	}
	i := pick(g, g.ifaces...)
	t := pick(g, g.implementers(i)...)
	p, v := g.fresh("p"), g.fresh("i")
	g.p("%s := %s", p, g.e(t, 2))
	g.declare(p, t).used = true
	switch g.r.Intn(7) {
	case 0:
		g.p("var %s %s = %s", v, g.ts(i), p)
	case 1:
		g.p("%s := %s(%s)", v, g.ts(i), p)
	case 2:
		g.p("var %s %s\n%s = %s", v, g.ts(i), v, p)
	case 3:
		g.p("%s := []%s{%s}[0]", v, g.ts(i), p)
	case 4:
		g.p("%s := map[string]%s{\"a\": %s}[\"a\"]", v, g.ts(i), p)
	case 5:
		g.p("%s := struct{ i %s }{%s}.i", v, g.ts(i), p)
	default:
		g.p("%s := func(i %s) %s { return i }(%s)", v, g.ts(i), g.ts(i), p)
	}
	g.declare(v, i)
	g.show(v, i)
	part := g.partOf(t)
	if _, ok := t.(*types.Pointer); ok {
		part = g.partOf(part)
	}
	for _, e := range g.paths(ex{s: p, p: 7}, t, part, 2, 0, false) {
		g.p("%s = %s", e.s, g.et(part, 1))
		break
	}
	g.show(v, i)
	g.show(p, t)
}

// interfaceList fills a list of an interface with values of several types.
func (g *gen) interfaceList() {
	if len(g.ifaces) == 0 || g.fn.level < levelFunction {
		g.anyValues()
		return
	}
	i := pick(g, g.ifaces...)
	list, e := g.fresh("list"), g.fresh("e")
	impl := g.implementers(i)
	if g.chance(50) {
		g.p("%s := []%s{%s, %s}", list, g.ts(i), g.e(pick(g, impl...), 2), g.e(pick(g, impl...), 2))
	} else {
		g.p("var %s []%s", list, g.ts(i))
	}
	t := pick(g, impl...)
	from := g.fresh("from")
	g.p("%s := []%s%s", from, g.ts(t), g.listBody(t, 3, 2, false))
	switch g.r.Intn(4) {
	case 0:
		g.p("for _, %s := range %s {\n%s = append(%s, %s)\n}", e, from, list, list, e)
	case 1:
		g.p("for i := range %s {\n%s = append(%s, %s[i])\n}", from, list, list, from)
	case 2:
		g.p("for i := 0; i < len(%s); i++ {\n%s := %s[i]\n%s = append(%s, %s, %s)\n}", from, e, from, list, list, e, e)
	default:
		g.p("%s = append(%s, %s[0], %s[1])", list, list, from, from)
	}
	if _, ok := t.(*types.Pointer); !ok && g.chance(40) {
		g.p("%s[0] = %s", from, g.literal(t, 1).s)
	}
	it := types.NewSlice(i)
	v := g.declare(list, it)
	v.fixed, v.used = true, true
	g.showEach(list, it, i)
	if g.chance(40) {
		g.p("for _, %s := range %s {", e, list)
		g.loop(4, func() {
			g.declare(e, i)
			g.inner()
		})
		g.p("}")
	}
}

// dynamic returns some types that a value in an any may have.
func (g *gen) dynamic(n int) []types.Type {
	var list []types.Type
	add := func(t types.Type) {
		for _, o := range list {
			if types.Identical(o, t) {
				return
			}
		}
		list = append(list, t)
	}
	for len(list) < n {
		switch g.r.Intn(8) {
		case 0, 1, 2:
			if t := g.ownType(nil); t != nil {
				add(t)
				continue
			}
		case 3:
			if t := g.ownType(isStruct); t != nil {
				add(types.NewPointer(t))
				continue
			}
		case 4:
			add(pick[types.Type](g, tInts, tTexts, tCounts, types.NewSlice(tByte), types.NewMap(tString, tAny), types.NewSlice(tAny)))
			continue
		case 5:
			add(pick[types.Type](g, types.NewArray(tInt, 2), g.sig(nil, tInt)))
			continue
		}
		add(g.basicType())
	}
	return list
}

// typeSwitch asks for the types of several values in any.
func (g *gen) typeSwitch() {
	dyn := g.dynamic(g.between(2, 4))
	list, x := g.fresh("list"), g.fresh("x")
	var values []string
	for _, t := range dyn {
		values = append(values, g.e(t, 1))
	}
	values = append(values, pick(g, "nil", "1", "\"t\"", "2.5", "true"))
	if len(g.errs) > 0 && g.chance(30) {
		values = append(values, g.errs[0])
	}
	g.r.Shuffle(len(values), func(i, j int) { values[i], values[j] = values[j], values[i] })
	g.p("%s := []any{%s}", list, strings.Join(values, ", "))
	g.p("for _, %s := range %s {", x, list)
	g.loop(len(values), func() {
		g.switchOn(x, tAny, dyn)
	})
	g.p("}")
}

// switchOn writes a type switch, with or without a variable.
func (g *gen) switchOn(x string, t types.Type, dyn []types.Type) {
	g.use("fmt")
	v := ""
	head := x + ".(type)"
	if g.chance(60) {
		v = g.fresh("v")
		head = v + " := " + head
	}
	if g.chance(15) {
		head = fmt.Sprintf("n := %d; %s", g.r.Intn(5), head)
		g.p("switch %s {", head)
		g.p("case nil:\nfmt.Println(\"nil\", n)")
		if v != "" {
			g.p("_ = %s", v)
		}
	} else {
		g.p("switch %s {", head)
	}
	g.typeClauses(v, t, dyn)
	g.p("}")
}

// typeClauses writes the clauses of a type switch.
func (g *gen) typeClauses(v string, t types.Type, dyn []types.Type) {
	rest := dyn
	at := g.r.Intn(len(dyn) + 2)
	i := 0
	for len(rest) > 0 {
		if i == at {
			g.p("default:\nfmt.Println(\"other\")")
			if v != "" {
				g.p("_ = %s", v)
			}
		}
		i++
		n := 1
		if len(rest) > 1 && g.chance(25) {
			n = 2
		}
		var names []string
		for _, d := range rest[:n] {
			names = append(names, g.ts(d))
		}
		g.p("case %s:", strings.Join(names, ", "))
		g.fn.breaks++
		g.block(func() {
			g.p("fmt.Println(%q)", strings.Join(names, "|"))
			if v == "" {
				return
			}
			of := rest[0]
			if n > 1 {
				of = t
			}
			g.declare(v, of)
			if n == 1 {
				g.show(v, of)
			}
			g.p("_ = %s", v)
			if g.chance(30) {
				g.statement()
			}
		})
		g.fn.breaks--
		rest = rest[n:]
	}
}

// ownSwitch asks an interface of the program, or an error, for its type.
func (g *gen) ownSwitch() {
	if len(g.ifaces) == 0 || g.fn.level < levelFunction {
		g.typeSwitch()
		return
	}
	i := pick(g, g.ifaces...)
	x := g.fresh("x")
	dyn := g.implementers(i)
	for _, o := range g.ifaces {
		if o != i && g.chance(30) {
			dyn = append(dyn, o)
		}
	}
	g.r.Shuffle(len(dyn), func(i, j int) { dyn[i], dyn[j] = dyn[j], dyn[i] })
	var values []string
	for _, t := range g.implementers(i) {
		values = append(values, g.e(t, 1))
	}
	g.p("for _, %s := range []%s{%s} {", x, g.ts(i), strings.Join(values, ", "))
	g.loop(len(values), func() {
		g.switchOn(x, i, dyn)
	})
	g.p("}")
}

// assertion takes values out of an any, with and without asking.
func (g *gen) assertion() {
	dyn := g.dynamic(2)
	x := g.fresh("x")
	g.use("fmt")
	g.p("var %s any = %s", x, g.e(dyn[0], 2))
	for _, t := range dyn {
		v, ok := g.fresh("v"), g.fresh("ok")
		switch g.r.Intn(4) {
		case 0:
			g.p("%s, %s := %s.(%s)", v, ok, x, g.ts(t))
			g.p("fmt.Println(%s)", ok)
			if full(t) {
				g.p("_ = %s", v)
				continue
			}
			if _, isMap := under(t).(*types.Map); isMap {
				g.p("fmt.Println(len(%s))", v)
				continue
			}
			g.declare(v, t)
		case 1:
			g.p("if %s, %s := %s.(%s); %s {", v, ok, x, g.ts(t), ok)
			g.block(func() {
				g.declare(v, t)
				g.show(v, t)
				g.p("_ = %s", v)
			})
			g.p("} else {\nfmt.Println(\"no\")\n}")
		case 2:
			g.p("_, %s := %s.(%s)", ok, x, g.ts(t))
			g.p("fmt.Println(%s)", ok)
		default:
			g.p("%s := %s.(%s)", v, x, g.ts(dyn[0]))
			g.declare(v, dyn[0])
			g.show(v, dyn[0])
			g.p("_ = %s", v)
		}
	}
	if g.chance(30) && len(g.ifaces) > 0 {
		i := pick(g, g.ifaces...)
		ok := g.fresh("ok")
		g.p("_, %s := %s.(%s)", ok, x, g.ts(i))
		g.p("fmt.Println(%s)", ok)
	}
	if g.chance(30) {
		g.p("%s = %s", x, g.e(dyn[1], 1))
		g.p("_, same%s := %s.(%s)\nfmt.Println(same%s)", x, x, g.ts(dyn[1]), x)
	}
}

// anyValues keeps values of several types in any and prints them.
func (g *gen) anyValues() {
	g.use("fmt")
	name := g.fresh("x")
	a, b := g.basicType(), g.basicType()
	switch g.r.Intn(5) {
	case 0:
		g.p("var %s any = %s", name, g.e(a, 2))
		g.p("fmt.Println(%s)", name)
		g.p("%s = %s", name, g.e(b, 2))
		g.p("fmt.Println(%s, %s == nil)", name, name)
	case 1:
		g.p("%s := map[string]any{\"a\": %s, \"b\": %s, \"c\": nil}", name, g.e(a, 1), g.e(b, 1))
		g.p("fmt.Println(%s[\"a\"], %s[\"b\"], %s[\"c\"] == nil, len(%s))", name, name, name, name)
	case 2:
		g.p("%s := []any{%s, %s}", name, g.e(a, 2), g.e(b, 2))
		g.p("%s = append(%s, %s, nil)", name, name, g.e(a, 1))
		g.p("fmt.Println(%s...)", name)
		g.p("fmt.Println(%s[0] == any(%s))", name, g.e(a, 1))
	case 3:
		v := g.fresh("v")
		g.p("%s := %s", v, g.e(a, 2))
		g.declare(v, a)
		g.p("var %s any = %s", name, v)
		g.p("%s = %s", v, g.et(a, 1))
		g.p("fmt.Println(%s, %s)", name, v)
	default:
		g.p("func(list ...any) { fmt.Println(len(list), list[0]) }(%s, %s)", g.e(a, 1), g.e(b, 1))
	}
}

// errorsOf makes, wraps and asks errors.
func (g *gen) errorsOf() {
	g.use("errors")
	g.use("fmt")
	e := g.fresh("err")
	switch g.r.Intn(6) {
	case 0:
		g.helper("errBase", "var errBase = errors.New(\"base\")\n")
		g.p("%s := fmt.Errorf(\"%s: %%w\", errBase)", e, pick(g, "read", "parse é"))
		g.p("fmt.Println(%s, errors.Is(%s, errBase), errors.Unwrap(%s) == errBase)", e, e, e)
		g.p("%s = fmt.Errorf(\"outer %%d: %%w\", %s, %s)", e, g.e(tInt, 1), e)
		g.p("fmt.Println(%s, errors.Is(%s, errBase))", e, e)
	case 1:
		g.use("strconv")
		v := g.fresh("v")
		g.p("%s, %s := strconv.%s", v, e, pick(g, "Atoi(\"12x\")", "ParseFloat(\"1.5e\", 64)", "ParseBool(\"maybe\")", "ParseInt(\"300\", 10, 8)", "Atoi(\"-7\")", "ParseUint(\"ff\", 16, 64)"))
		g.p("fmt.Println(%s, %s, errors.Is(%s, strconv.ErrSyntax), errors.Is(%s, strconv.ErrRange))", v, e, e, e)
		n := g.fresh("n")
		g.p("var %s *strconv.NumError\nif errors.As(%s, &%s) {\nfmt.Println(%s.Func, %s.Num)\n}", n, e, n, n, n)
	case 2:
		g.p("%s := errors.Join(errors.New(%s), nil, errors.New(\"b\"))", e, g.text())
		g.p("fmt.Println(%s)", e)
	case 3:
		g.helper("try", "func try(n int) (v int, err error) {\n\tif n < 0 {\n\t\treturn 0, fmt.Errorf(\"negative: %d\", n)\n\t}\n\treturn n * 2, nil\n}\n")
		g.p("for _, n := range []int{%s, -1, 2} {", g.e(tInt, 1))
		g.p("v, err := try(n)\nif err != nil {\nfmt.Println(\"failed:\", err)\ncontinue\n}\nfmt.Println(v)\n}")
	case 4:
		g.p("var %s error", e)
		g.p("for i := 0; i < 3; i++ {\nif i == %d {\n%s = errors.Join(%s, fmt.Errorf(\"i %%d\", i))\n}\n}", g.r.Intn(4), e, e)
		g.p("fmt.Println(%s == nil, %s)", e, e)
	default:
		g.p("%s := func() error {\nif %s {\nreturn errors.New(\"x\")\n}\nreturn nil\n}()", e, g.condition())
		g.p("if %s != nil {\nfmt.Println(%s.Error())\n}", e, e)
	}
}

// ownError declares an error type and finds it again.
func (g *gen) ownError() {
	g.use("errors")
	g.use("fmt")
	pointer := g.chance(60)
	star, amp := "", ""
	name := "valueError"
	if pointer {
		star, amp, name = "*", "&", "codeError"
	}
	extra := ""
	unwraps := g.chance(40)
	if unwraps {
		name += "W"
		extra = fmt.Sprintf("\nfunc (e %s%s) Unwrap() error { return e.cause }\n", star, name)
	}
	g.helper(name, fmt.Sprintf("type %s struct {\n\tcode int\n\tcause error\n}\n\nfunc (e %s%s) Error() string { return fmt.Sprint(\"code \", e.code) }\n%s", name, star, name, extra))
	g.helper("errBase", "var errBase = errors.New(\"base\")\n")
	e := g.fresh("err")
	g.p("var %s error = %s%s{%s, errBase}", e, amp, name, g.et(tInt, 1))
	if g.chance(50) {
		g.p("%s = fmt.Errorf(\"wrapped: %%w\", %s)", e, e)
	}
	g.p("fmt.Println(%s.Error(), errors.Is(%s, errBase))", e, e)
	switch g.r.Intn(3) {
	case 0:
		v := g.fresh("ce")
		g.p("var %s %s%s\nif errors.As(%s, &%s) {\nfmt.Println(%s.code)\n}", v, star, name, e, v, v)
	case 1:
		g.p("if ce, ok := %s.(%s%s); ok {\nfmt.Println(ce.code)\n}", e, star, name)
	default:
		g.p("switch ce := %s.(type) {\ncase %s%s:\nfmt.Println(\"own\", ce.code)\ncase nil:\nfmt.Println(\"nil\")\ndefault:\nfmt.Println(\"other\", ce.Error())\n}", e, star, name)
	}
}

// embedded uses what a struct gets from another one.
func (g *gen) embedded() {
	g.use("fmt")
	g.helper("device", "type device struct {\n\tid   int\n\tname string\n}\n\nfunc (d device) label() string { return fmt.Sprint(d.name, \"-\", d.id) }\nfunc (d *device) rename(s string) { d.name = s }\n\ntype disk struct {\n\tdevice\n\tsize float64\n}\n\ntype raid struct {\n\t*disk\n\tparts []disk\n}\n\ntype labelled interface{ label() string }\n")
	d := g.fresh("d")
	g.p("%s := disk{device{%s, %s}, %s}", d, g.et(tInt, 1), g.text(), g.et(tFloat, 1))
	switch g.r.Intn(4) {
	case 0:
		g.p("%s.rename(%s)", d, g.text())
		g.p("fmt.Println(%s.label(), %s.device.id, %s.size)", d, d, d)
	case 1:
		r := g.fresh("r")
		g.p("%s := raid{&%s, []disk{%s}}", r, d, d)
		g.p("%s.rename(\"new\")\n%s.id++", r, r)
		g.p("fmt.Println(%s.label(), %s.label(), %s.parts[0].label())", r, d, r)
	case 2:
		l := g.fresh("l")
		g.p("var %s labelled = %s", l, pick(g, d, "&"+d))
		g.p("%s.id = 99", d)
		g.p("fmt.Println(%s.label(), %s.label())", l, d)
	default:
		g.p("list := []labelled{%s, &%s, %s.device}", d, d, d)
		g.p("%s.name = \"z\"\nfor _, l := range list {\nfmt.Println(l.label())\n}", d)
	}
}

// stringer prints values of a type with a String method.
func (g *gen) stringer() {
	g.use("fmt")
	g.helper("level", "type level int\n\nfunc (l level) String() string {\n\tswitch l {\n\tcase 0:\n\t\treturn \"low\"\n\tcase 1, 2:\n\t\treturn \"mid\"\n\t}\n\treturn fmt.Sprintf(\"level(%d)\", int(l))\n}\n")
	l := g.fresh("l")
	g.p("%s := level(%d)", l, g.r.Intn(4))
	switch g.r.Intn(5) {
	case 0:
		g.p("fmt.Println(%s, %s.String(), int(%s))", l, l, l)
	case 1:
		g.p("fmt.Printf(\"%%v %%s|%%6s|\\n\", %s, %s, %s)", l, l, l)
	case 2:
		g.p("var s fmt.Stringer = %s\n%s++\nfmt.Println(s.String(), %s)", l, l, l)
	case 3:
		g.p("for %s := level(0); %s < 3; %s++ {\nfmt.Println(%s)\n}", l, l, l, l)
	default:
		g.p("m := map[level]int{%s: 1, 9: 2}\nfmt.Println(len(m), m[%s], m[level(7)])", l, l)
	}
}

// interfaceCompare compares interfaces.
func (g *gen) interfaceCompare() {
	a, b := g.fresh("x"), g.fresh("y")
	t := g.basicType()
	if o := g.ownType(func(t types.Type) bool { return types.Comparable(t) && !hasInterface(t) && !full(t) }); o != nil && g.chance(40) {
		t = o
	}
	g.use("fmt")
	g.p("var %s any = %s\nvar %s any = %s", a, g.e(t, 1), b, g.e(t, 1))
	g.p("fmt.Println(%s == %s, %s != %s, %s == nil)", a, b, a, b, a)
	g.p("%s = %s\nfmt.Println(%s == %s)", a, b, a, b)
}
