package generate

import (
	"fmt"
	"go/types"
)

// valueKinds are about copies and shared values.
func valueKinds() []statement {
	return []statement{
		{"structcopy", 4, (*gen).structCopy},
		{"arraycopy", 3, (*gen).arrayCopy},
		{"alias", 4, (*gen).alias},
		{"pointers", 4, (*gen).pointers},
		{"indirect", 3, (*gen).indirect},
		{"mapofstruct", 4, (*gen).mapOfStruct},
		{"nestedmap", 3, (*gen).nestedMap},
		{"commaok", 4, (*gen).commaOK},
		{"multi", 4, (*gen).multi},
		{"linked", 1, (*gen).linked},
		{"mutual", 4, (*gen).mutual},
		{"anonymous", 2, (*gen).anonymous},
		{"localtype", 2, (*gen).localType},
		{"spelling", 3, (*gen).spelling},
		{"localtypes", 3, (*gen).localTypes},
		{"conversions", 4, (*gen).conversions},
		{"infinite", 2, (*gen).infinite},
		{"signs", 4, (*gen).signs},
		{"overflow", 2, (*gen).overflow},
		{"outofrange", 2, (*gen).outOfRange},
		{"constants", 3, (*gen).constants},
		{"shadow", 2, (*gen).shadow},
		{"variadic", 3, (*gen).variadicCall},
		{"matrix", 2, (*gen).matrix},
	}
}

// structCopy copies a struct and changes one of the two.
func (g *gen) structCopy() {
	t := g.ownType(isStruct)
	if t == nil {
		g.anonymous()
		return
	}
	a, b := g.fresh("a"), g.fresh("b")
	g.p("%s := %s", a, g.literal(t, 2).s)
	g.declare(a, t)
	switch g.r.Intn(5) {
	case 0:
		g.p("%s := %s", b, a)
	case 1:
		g.p("var %s %s = %s", b, g.ts(t), a)
	case 2:
		g.p("%s := []%s{%s}[0]", b, g.ts(t), a)
	case 3:
		g.p("%s := func() %s { return %s }()", b, g.ts(t), a)
	default:
		g.p("%s := struct{ in %s }{%s}.in", b, g.ts(t), a)
	}
	g.declare(b, t)
	for range 2 {
		part := g.partOf(t)
		which := pick(g, a, b)
		for _, e := range g.paths(ex{s: which, p: 7}, t, part, 2, 0, false) {
			if e.s != which {
				g.p("%s = %s", e.s, g.et(part, 1))
				break
			}
		}
	}
	g.show(a, t)
	g.show(b, t)
}

// arrayCopy does the same with arrays, and passes one to a func.
func (g *gen) arrayCopy() {
	elem := g.anyType(1)
	t := types.NewArray(elem, 2)
	a, b := g.fresh("a"), g.fresh("b")
	g.p("%s := %s", a, g.literal(t, 2).s)
	g.declare(a, t)
	if g.chance(30) {
		helper := "change" + g.fresh("")
		if !full(elem) {
			g.helper(helper, fmt.Sprintf("func %s(a [2]%s) [2]%s {\n\tvar zero %s\n\ta[0] = zero\n\treturn a\n}\n", helper, g.ts(elem), g.ts(elem), g.ts(elem)))
			g.p("%s := %s(%s)", b, helper, a)
			g.declare(b, t)
			g.show(a, t)
			g.show(b, t)
			return
		}
	}
	g.p("%s := %s", b, a)
	g.declare(b, t)
	g.p("%s[%d] = %s", pick(g, a, b), g.r.Intn(2), g.et(elem, 1))
	if g.chance(40) {
		p := g.fresh("p")
		g.p("%s := &%s", p, a)
		g.p("%s[1] = %s", p, g.et(elem, 1))
	}
	g.show(a, t)
	g.show(b, t)
}

// alias has two slices share an array, or no longer share it.
func (g *gen) alias() {
	elem := g.basicType()
	typ := g.ts(elem)
	a, b := g.fresh("a"), g.fresh("b")
	g.use("fmt")
	g.p("%s := []%s%s", a, typ, g.listBody(elem, 4, 1, false))
	g.p("%s := %s", b, pick(g, a+"[1:3]", a+"[:2]", a+"[:2:2]", a+"[1:2:3]", a, "append([]"+typ+"(nil), "+a+"...)", a+"[:0]"))
	g.p("%s = append(%s, %s)", b, b, g.et(elem, 1))
	switch g.r.Intn(6) {
	case 0:
		g.p("%s[0] = %s", b, g.et(elem, 1))
	case 1:
		g.p("%s[2] = %s", a, g.et(elem, 1))
	case 2:
		g.p("fmt.Println(copy(%s, %s[1:]))", a, a)
	case 3:
		g.p("%s, %s = append(%s, %s), %s[:1]", a, b, a, g.et(elem, 1), b)
	case 4:
		g.p("%s = append(%s[:1], %s[2:]...)", a, a, a)
	default:
		g.p("%s[0], %s[0] = %s[1], %s", a, b, a, g.et(elem, 1))
	}
	g.p("fmt.Println(%s, %s, len(%s), len(%s))", a, b, a, b)
	if g.chance(30) {
		g.p("fmt.Println(cap(%s[:2:3]), cap(%s[1:]) > 0)", a, a)
	}
	v := g.declare(a, types.NewSlice(elem))
	v.used, v.fixed = true, true
}

// pointers changes values by pointers to variables, fields and elements.
func (g *gen) pointers() {
	t := g.anyType(1)
	name, p := g.fresh("v"), g.fresh("p")
	g.p("%s := %s", name, g.e(t, 2))
	g.declare(name, t)
	switch u := under(t).(type) {
	case *types.Struct:
		if u.NumFields() > 0 && g.chance(70) {
			f := u.Field(g.r.Intn(u.NumFields()))
			g.p("%s := &%s.%s", p, name, f.Name())
			g.p("*%s = %s", p, g.et(f.Type(), 1))
			g.declare(p, types.NewPointer(f.Type())).used = true
			g.show(name, t)
			return
		}
	case *types.Array:
		g.p("%s := &%s[0]", p, name)
		g.p("*%s = %s", p, g.et(u.Elem(), 1))
		g.show(name, t)
		return
	}
	g.p("%s := &%s", p, name)
	v := g.declare(p, types.NewPointer(t))
	v.used = true
	switch g.r.Intn(4) {
	case 0:
		pp := g.fresh("p")
		g.p("%s := &%s", pp, p)
		g.p("**%s = %s", pp, g.et(t, 1))
	case 1:
		if isNumber(t) {
			g.p("*%s += 3", p)
			g.p("(*%s)++", p)
			break
		}
		g.p("*%s = %s", p, g.et(t, 1))
	case 2:
		g.p("func(q *%s) { *q = %s }(%s)", g.ts(t), g.et(t, 1), p)
	default:
		q := g.fresh("q")
		g.p("%s := %s", q, p)
		g.p("*%s = %s", q, g.et(t, 1))
		g.use("fmt")
		g.p("fmt.Println(%s == %s)", q, p)
	}
	g.show(name, t)
}

// mapOfStruct takes structs out of a map, changes them and puts them back.
func (g *gen) mapOfStruct() {
	t := g.ownType(func(t types.Type) bool { return isStruct(t) && !full(t) })
	if t == nil {
		g.nestedMap()
		return
	}
	m, v := g.fresh("m"), g.fresh("v")
	key := g.keyType()
	mt := types.NewMap(key, t)
	g.p("%s := %s", m, g.literal(mt, 2).s)
	g.declare(m, mt).fixed = true
	k := g.mapKeyOf(key)
	g.p("%s := %s[%s]", v, m, k)
	g.declare(v, t)
	part := g.partOf(t)
	for _, e := range g.paths(ex{s: v, p: 7}, t, part, 2, 0, false) {
		if e.s != v {
			g.p("%s = %s", e.s, g.et(part, 1))
			break
		}
	}
	if g.chance(70) {
		g.p("%s[%s] = %s", m, k, v)
	}
	w := g.fresh("w")
	g.p("%s, ok := %s[%s]", w, m, k)
	g.use("fmt")
	g.p("fmt.Println(ok, len(%s))", m)
	g.show(w, t)
	g.p("_ = %s", w)
}

func (g *gen) mapKeyOf(t types.Type) string { return g.et(t, 1) }

// nestedMap counts in maps of maps and of lists.
func (g *gen) nestedMap() {
	m := g.fresh("m")
	g.use("fmt")
	switch g.r.Intn(4) {
	case 0:
		g.p("%s := map[string]map[string]int{}", m)
		g.p("for _, k := range []string{%s, %s, \"a\"} {", g.text(), g.text())
		g.p("if %s[k] == nil {\n%s[k] = make(map[string]int)\n}", m, m)
		g.p("%s[k][%s]%s\n}", m, g.text(), pick(g, "++", " += 2", "--"))
	case 1:
		g.p("%s := map[string][]int{}", m)
		g.p("for i, k := range []string{%s, \"b\", \"b\", %s} {\n%s[k] = append(%s[k], i)\n}", g.text(), g.text(), m, m)
	case 2:
		g.p("%s := map[[2]int]string{{1, 2}: \"a\", {3, %d}: %s}", m, g.r.Intn(5), g.text())
		g.p("%s[[2]int{1, 2}] += %s", m, g.text())
	default:
		g.p("%s := map[string]*[2]int{\"a\": {1, 2}}", m)
		g.p("%s[\"a\"][1] += %d", m, g.r.Intn(9))
		g.p("%s[\"b\"] = &[2]int{%d}", m, g.r.Intn(9))
		g.p("fmt.Println(*%s[\"a\"], *%s[\"b\"], len(%s))", m, m, m)
		return
	}
	g.p("fmt.Println(%s, len(%s))", m, m)
	if g.chance(30) {
		g.p("for k := range %s {\ndelete(%s, k)\n}\nfmt.Println(len(%s))", m, m, m)
	}
}

// commaOK takes a value and whether there is one.
func (g *gen) commaOK() {
	elem := g.anyType(1)
	key := g.keyType()
	t := types.NewMap(key, elem)
	m := g.fresh("m")
	g.p("%s := %s", m, g.literal(t, 2).s)
	g.declare(m, t).fixed = true
	v, ok := g.fresh("v"), g.fresh("ok")
	k := g.et(key, 1)
	g.use("fmt")
	switch g.r.Intn(5) {
	case 0:
		g.p("%s, %s := %s[%s]", v, ok, m, k)
		g.p("fmt.Println(%s)", ok)
		if full(elem) {
			g.p("_ = %s", v)
			return
		}
		g.declare(v, elem)
	case 1:
		g.p("if %s, %s := %s[%s]; %s {", v, ok, m, guarded(k), ok)
		g.block(func() {
			g.declare(v, elem)
			g.show(v, elem)
			g.inner()
		})
		g.p("} else {\nfmt.Println(\"none\")\n}")
	case 2:
		if full(elem) {
			return
		}
		g.p("var %s %s\nvar %s bool", v, g.ts(elem), ok)
		g.p("%s, %s = %s[%s]", v, ok, m, k)
		g.p("fmt.Println(%s)", ok)
		g.declare(v, elem)
		g.show(v, elem)
	case 3:
		g.p("if _, %s := %s[%s]; !%s {", ok, m, guarded(k), ok)
		g.p("%s[%s] = %s", m, k, g.et(elem, 1))
		g.p("}")
		g.p("fmt.Println(len(%s))", m)
	default:
		g.p("_, %s := %s[%s]", ok, m, k)
		g.declare(ok, tBool)
	}
}

// multi sets several places at once.
func (g *gen) multi() {
	n := g.between(2, 3)
	var left, right string
	seen := make(map[string]bool)
	for i := range n {
		t, place := g.assignable(nil)
		if t == nil || seen[place] {
			place, t = "_", tInt
		}
		seen[place] = true
		if i > 0 {
			left += ", "
			right += ", "
		}
		left += place
		if place == "_" {
			right += g.e(t, 2)
		} else {
			right += g.value(t, 2)
		}
	}
	g.p("%s = %s", left, right)
}

// linked walks a list of nodes.
func (g *gen) linked() {
	g.helper("node", "type node struct {\n\tv    int\n\tnext *node\n}\n\nfunc (n *node) sum() int {\n\tif n == nil {\n\t\treturn 0\n\t}\n\treturn n.v + n.next.sum()\n}\n")
	h := g.fresh("head")
	g.use("fmt")
	g.p("var %s *node", h)
	g.p("for i := 0; i < %d; i++ {\n%s = &node{i * %d, %s}\n}", g.between(1, 4), h, g.between(1, 5), h)
	g.p("for n := %s; n != nil; n = n.next {\nfmt.Print(n.v, \" \")\n}", h)
	g.p("fmt.Println(%s.sum())", h)
	if g.chance(50) {
		p := g.fresh("prev")
		g.p("var %s *node", p)
		g.p("for %s != nil {\n%s.next, %s, %s = %s, %s, %s.next\n}", h, h, p, h, p, h, h)
		g.p("for n := %s; n != nil; n = n.next {\nfmt.Print(n.v, \" \")\n}\nfmt.Println()", p)
	}
}

// anonymous uses structs without a name.
func (g *gen) anonymous() {
	t := g.basicType()
	name := g.fresh("rows")
	g.use("fmt")
	g.p("%s := []struct {\nname string\nv %s\n}{{%s, %s}, {%s, %s}, {v: %s}}", name, g.ts(t), g.text(), g.et(t, 1), g.text(), g.et(t, 1), g.et(t, 1))
	switch g.r.Intn(3) {
	case 0:
		g.p("for i, r := range %s {\nr.name += \"!\"\nfmt.Println(i, r.name, r.v, %s[i].name)\n}", name, name)
	case 1:
		g.p("for i := range %s {\nr := &%s[i]\nr.name += \"!\"\nfmt.Println(r.name, %s[i].v)\n}", name, name, name)
	default:
		g.p("fmt.Println(%s[0] == %s[1], %s[2].v)", name, name, name)
	}
}

// localType declares a type inside of a function.
func (g *gen) localType() {
	name := g.fresh("local")
	t := g.basicType()
	v := g.fresh("v")
	g.use("fmt")
	switch g.r.Intn(3) {
	case 0:
		g.p("type %s struct {\na %s\nb []int\n}", name, g.ts(t))
		g.p("%s := []%s{{a: %s}, {%s, []int{1, 2}}}", v, name, g.et(t, 1), g.et(t, 1))
		g.p("for _, e := range %s {\nfmt.Println(e.a, len(e.b))\n}", v)
	case 1:
		g.p("type %s %s", name, g.ts(t))
		g.p("%s := %s(%s)", v, name, g.constant(t).s)
		g.p("fmt.Println(%s, %s == %s(%s))", v, v, name, g.constant(t).s)
	default:
		g.p("type %s map[string]%s", name, g.ts(t))
		g.p("%s := %s{\"a\": %s}", v, name, g.et(t, 1))
		g.p("%s[\"b\"] = %s", v, g.et(t, 1))
		g.p("fmt.Println(len(%s), %s[\"a\"])", v, v)
	}
}
