package generate

import (
	"fmt"
	"go/types"
)

// loopKinds are loops of every form.
func loopKinds() []statement {
	return []statement{
		{"for", 8, (*gen).forLoop},
		{"rangeslice", 10, (*gen).rangeSlice},
		{"rangemap", 5, (*gen).rangeMap},
		{"rangestring", 4, (*gen).rangeString},
		{"rangearray", 3, (*gen).rangeArray},
		{"rangechan", 2, (*gen).rangeChannel},
		{"rangeassign", 2, (*gen).rangeAssign},
		{"rangeint", 3, (*gen).rangeInt},
		{"labels", 3, (*gen).labelled},
		{"goto", 1, (*gen).gotoLoop},
		{"collect", 6, (*gen).collect},
	}
}

// forLoop writes a for in one of its forms.
func (g *gen) forLoop() {
	name := g.fresh("i")
	n := g.between(2, 4)
	switch g.r.Intn(9) {
	case 0:
		g.forBody(fmt.Sprintf("%s := %d; %s > 0; %s--", name, n, name, name), name, tInt, n)
	case 1:
		t := g.intType()
		g.forBody(fmt.Sprintf("%s := %s(0); %s < %d; %s += %d", name, g.ts(t), name, n*2, name, g.between(1, 2)), name, t, n*2)
	case 2:
		other := g.fresh("j")
		g.forBody(fmt.Sprintf("%s, %s := 0, %d; %s < %s; %s, %s = %s+1, %s-1", name, other, n*2, name, other, name, other, name, other), name, tInt, n)
	case 3:
		g.p("%s := 0", name)
		g.forBody(fmt.Sprintf("; %s < %d; %s++", name, n, name), name, tInt, n)
	case 4, 5, 6, 7:
		g.openLoop(name, n)
	default:
		g.forBody(fmt.Sprintf("%s := 0; %s < %d; %s++", name, name, n, name), name, tInt, n)
	}
}

// openLoop writes a for whose head does not say it all: the body counts, or
// leaves, or moves the variable on.
func (g *gen) openLoop(name string, n int) {
	head, first, last := "", "", ""
	switch g.r.Intn(4) {
	case 0:
		g.p("%s := 0", name)
		head, first = fmt.Sprintf("%s < %d", name, n), name+"++"
	case 1:
		g.p("%s := 0", name)
		first = fmt.Sprintf("if %s >= %d {\nbreak\n}\n%s++", name, n, name)
	case 2:
		head, first = fmt.Sprintf("%s := 0; ; %s++", name, name), fmt.Sprintf("if %s > %d {\nbreak\n}", name, n)
	default:
		head, last = fmt.Sprintf("%s := 0; %s < %d; %s++", name, name, n*2, name), name+"++"
	}
	g.p("for %s {", head)
	g.loop(n*2, func() {
		v := g.declare(name, tInt)
		v.fixed, v.used = true, true
		if first != "" {
			g.p("%s", first)
		}
		g.inner()
		if last != "" {
			g.p("if %s {\n%s\n}", g.condition(), last)
		}
	})
	g.p("}")
}

// forBody writes a for with a head that counts.
func (g *gen) forBody(head, name string, t types.Type, times int) {
	g.p("for %s {", head)
	g.loop(times, func() {
		v := g.declare(name, t)
		v.fixed, v.used = true, true
		g.inner()
	})
	g.p("}")
}

func (g *gen) intType() types.Type {
	return types.Typ[pick(g, types.Int64, types.Uint8, types.Int32, types.Uint64, types.Int8)]
}

// rangeOver writes a range with some of its variables.
func (g *gen) rangeOver(over string, key, elem types.Type, times int) {
	k, v := g.fresh("k"), g.fresh("e")
	form := g.r.Intn(6)
	if elem == nil && form > 1 {
		form = 1
	}
	switch form {
	case 0:
		g.p("for range %s {", over)
		k, v = "", ""
	case 1:
		g.p("for %s := range %s {", k, over)
		v = ""
	case 2:
		g.p("for %s, %s := range %s {", k, v, over)
	default:
		g.p("for _, %s := range %s {", v, over)
		k = ""
	}
	g.loop(times, func() {
		if k != "" {
			d := g.declare(k, key)
			d.fixed = true
		}
		if v != "" {
			g.declare(v, elem)
		}
		g.inner()
	})
	g.p("}")
}

// list returns a list of a random type that was or is declared.
func (g *gen) list(ok func(types.Type) bool) (string, types.Type) {
	for range 8 {
		list := g.visible()
		if len(list) == 0 {
			break
		}
		v := pick(g, list...)
		if s, isSlice := under(v.typ).(*types.Slice); isSlice && v.least > 0 && (ok == nil || ok(s.Elem())) {
			v.used = true
			return v.name, s.Elem()
		}
	}
	var elem types.Type
	for range 20 {
		if elem = g.anyType(1); ok == nil || ok(elem) {
			break
		}
		elem = tInt
	}
	t := types.NewSlice(elem)
	name := g.fresh("list")
	g.p("%s := %s", name, g.ts(t)+g.listBody(elem, 3, 2, false))
	v := g.declare(name, t)
	v.least = 3
	return name, elem
}

func (g *gen) rangeSlice() {
	name, elem := g.list(nil)
	g.rangeOver(name, tInt, elem, 4)
}

// rangeMap goes through a map in the order of its keys, or in none where that
// does not matter.
func (g *gen) rangeMap() {
	elem := g.anyType(1)
	t := types.NewMap(tString, elem)
	name := g.fresh("m")
	g.p("%s := %s%s", name, g.ts(t), g.mapBody(t, 2))
	v := g.declare(name, t)
	v.fixed, v.used = true, true
	if g.chance(30) {
		sum := g.fresh("sum")
		g.p("%s := 0", sum)
		g.p("for k, e := range %s {\n_ = e\n%s += len(k)\n%s}", name, sum, pick(g, "", "if k == \"a\" {\ndelete("+name+", k)\n}\n"))
		g.show(sum, tInt)
		return
	}
	g.use("sort")
	keys := g.fresh("keys")
	g.p("%s := make([]string, 0, len(%s))", keys, name)
	g.p("for k := range %s {\n%s = append(%s, k)\n}", name, keys, keys)
	g.p("sort.Strings(%s)", keys)
	key := g.fresh("k")
	g.p("for _, %s := range %s {", key, keys)
	g.loop(3, func() {
		k := g.declare(key, tString)
		k.fixed, k.used = true, true
		e := g.fresh("e")
		switch g.r.Intn(3) {
		case 0:
			g.p("%s := %s[%s]", e, name, key)
		case 1:
			g.p("%s, ok := %s[%s]", e, name, key)
			g.p("_ = ok")
		default:
			g.p("%s := %s[%s]", e, name, key)
			g.p("%s[%s] = %s", name, key, g.et(elem, 1))
		}
		g.declare(e, elem)
		g.inner()
	})
	g.p("}")
}

func (g *gen) rangeString() {
	over := g.e(tString, 2)
	if g.chance(50) {
		over = g.text()
	}
	g.rangeOver(guarded(over), tInt, types.Typ[types.Int32], 10)
}

func (g *gen) rangeArray() {
	elem := g.anyType(1)
	t := types.NewArray(elem, 3)
	name := g.fresh("a")
	g.p("%s := %s", name, g.literal(t, 2).s)
	v := g.declare(name, t)
	v.used = true
	over := name
	switch g.r.Intn(4) {
	case 0:
		over = "&" + name
	case 1:
		over = name + "[:]"
	case 2:
		over = name + "[1:]"
	}
	g.rangeOver(over, tInt, elem, 3)
	if g.chance(50) {
		// The range goes over a copy.
		e := g.fresh("e")
		g.p("for i, %s := range %s {", e, name)
		g.loop(3, func() {
			g.p("%s[(i+1)%%3] = %s", name, g.et(elem, 1))
			g.declare(e, elem)
			g.show(e, elem)
		})
		g.p("}")
	}
}

func (g *gen) rangeChannel() {
	elem := g.basicType()
	name := g.fresh("c")
	n := g.between(1, 3)
	g.p("%s := make(chan %s, %d)", name, g.ts(elem), n)
	for range n {
		g.p("%s <- %s", name, g.et(elem, 1))
	}
	g.p("close(%s)", name)
	if g.chance(40) {
		v, ok := g.fresh("v"), g.fresh("ok")
		g.p("%s, %s := <-%s", v, ok, name)
		g.declare(v, elem)
		g.declare(ok, tBool)
	}
	e := g.fresh("e")
	g.p("for %s := range %s {", e, name)
	g.loop(3, func() {
		g.declare(e, elem)
		g.inner()
	})
	g.p("}")
	if g.chance(30) {
		v := g.fresh("v")
		g.p("select {\ncase %s, ok := <-%s:\nfmt.Println(ok, %s)\ndefault:\nfmt.Println(\"none\")\n}", v, name, v)
		g.use("fmt")
	}
}

// rangeAssign sets variables that are there already.
func (g *gen) rangeAssign() {
	name, elem := g.list(nil)
	i, e := g.fresh("i"), g.fresh("e")
	g.p("var %s int", i)
	g.declare(i, tInt).fixed = true
	if full(elem) {
		g.p("for %s = range %s {", i, name)
		g.loop(4, g.inner)
		g.p("}")
		g.show(i, tInt)
		return
	}
	g.p("var %s %s", e, g.ts(elem))
	g.declare(e, elem).fixed = true
	g.p("for %s, %s = range %s {", pick(g, i, "_"), e, name)
	g.loop(4, g.inner)
	g.p("}")
	g.show(i, tInt)
	g.show(e, elem)
}

func (g *gen) rangeInt() {
	n := g.between(1, 4)
	over := fmt.Sprint(n)
	var t types.Type = tInt
	if g.chance(30) {
		t = g.intType()
		over = fmt.Sprintf("%s(%d)", g.ts(t), n)
	} else if g.chance(30) {
		over = fmt.Sprintf("len(%s)", g.text())
		n = 8
	}
	g.rangeOver(over, t, nil, n)
}

// labelled writes two loops that are left and continued by label.
func (g *gen) labelled() {
	label := g.fresh("L")
	i, j := g.fresh("i"), g.fresh("j")
	g.p("%s:", label)
	if g.chance(50) {
		g.p("for %s := 0; %s < 3; %s++ {", i, i, i)
	} else {
		g.p("for _, %s := range []int{5, 6, 7} {", i)
	}
	g.loop(3, func() {
		v := g.declare(i, tInt)
		v.fixed = true
		g.inner()
		inner := fmt.Sprintf("for _, %s := range []int{1, 2, 3} {", j)
		if g.chance(40) {
			inner = fmt.Sprintf("for %s := 0; %s < 3; %s++ {", j, j, j)
		}
		g.p("%s", inner)
		g.loop(3, func() {
			v := g.declare(j, tInt)
			v.fixed = true
			if g.chance(50) {
				g.statement()
			}
			how := pick(g, "continue", "break")
			if g.chance(30) {
				g.p("switch {\ncase %s:\n%s %s\ncase %s:\n%s\n}", g.condition(), how, label, g.condition(), pick(g, "break", "continue"))
			} else {
				g.p("if %s {\n%s %s\n}", g.condition(), how, label)
			}
			g.trace()
		})
		g.p("}")
		if g.chance(40) {
			g.p("if %s {\n%s %s\n}", g.condition(), pick(g, "continue", "break"), label)
		}
		g.statement()
	})
	g.p("}")
}

// gotoLoop jumps backwards a few times.
func (g *gen) gotoLoop() {
	label, name := g.fresh("L"), g.fresh("n")
	g.p("%s := 0", name)
	v := g.declare(name, tInt)
	v.fixed, v.used = true, true
	g.p("%s:", label)
	saved := g.fn.times
	g.fn.times *= 3
	g.p("{")
	g.block(g.inner)
	g.p("}")
	g.fn.times = saved
	g.p("%s++", name)
	g.p("if %s < 3 {\ngoto %s\n}", name, label)
}

// collect fills a list or a map from the elements of a loop.
func (g *gen) collect() {
	name, elem := g.list(nil)
	e := g.fresh("e")
	var into types.Type = elem
	for _, i := range g.ifaces {
		if types.AssignableTo(elem, i) && g.chance(70) {
			into = i
		}
	}
	if p := types.NewPointer(elem); into == elem && g.chance(20) {
		into = p
	}
	if into == elem && g.chance(15) && !types.IsInterface(elem) {
		into = tAny
	}
	value := e
	if _, ok := into.(*types.Pointer); ok && !types.Identical(into, elem) {
		value = "&" + e
	}
	to := g.fresh("to")
	var t types.Type = types.NewSlice(into)
	asMap := g.chance(25)
	if asMap {
		t = types.NewMap(tInt, into)
		g.p("%s := make(%s)", to, g.ts(t))
	} else {
		g.p(pick(g, "var %s %s", "%s := %s{}", "%s := make(%s, 0, 4)"), to, g.ts(t))
	}
	g.declare(to, t).fixed = true
	index := "_"
	if asMap || g.chance(20) {
		index = g.fresh("i")
	}
	g.p("for %s, %s := range %s {", index, e, name)
	g.loop(4, func() {
		if index != "_" {
			v := g.declare(index, tInt)
			v.fixed = true
		}
		d := g.declare(e, elem)
		d.used = true
		if g.chance(40) {
			g.statement()
		}
		if asMap {
			g.p("%s[%s] = %s", to, index, value)
		} else {
			g.p("%s = append(%s, %s)", to, to, value)
		}
		if g.chance(20) {
			g.assign()
		}
	})
	g.p("}")
	g.showEach(to, t, into)
}

// showEach prints the elements of a list or map, in order.
func (g *gen) showEach(name string, t, elem types.Type) {
	g.use("fmt")
	e := g.fresh("e")
	if _, ok := under(t).(*types.Map); ok {
		i := g.fresh("i")
		g.p("for %s := 0; %s < len(%s); %s++ {\n%s := %s[%s]", i, i, name, i, e, name, i)
	} else {
		g.p("for _, %s := range %s {", e, name)
	}
	if isAny(elem) {
		g.p("fmt.Println(%s != nil)", e)
	} else {
		g.show(e, elem)
		g.p("_ = %s", e)
	}
	g.p("}")
}
