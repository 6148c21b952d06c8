package generate

import (
	"go/types"
	"strings"
)

// statement is a kind of statement.
type statement struct {
	name   string
	weight int
	write  func(*gen)
}

// statementKinds returns all kinds of statements. The weights are how often
// operators write them.
func statementKinds() []statement {
	var all []statement
	for _, group := range [][]statement{plainKinds(), branchKinds(), loopKinds(), closureKinds(), valueKinds(), interfaceKinds(), deferKinds(), libraryKinds(), packageKinds(), genericKinds(), orderKinds(), chainKinds(), moreKinds()} {
		all = append(all, group...)
	}
	return all
}

// Kinds returns the names of all kinds of statements.
func Kinds() []string {
	var names []string
	for _, k := range statementKinds() {
		names = append(names, k.name)
	}
	return names
}

// chooseKinds takes a few kinds for this program, and the plain ones.
func (g *gen) chooseKinds() {
	all := statementKinds()
	for range g.between(2, 5) {
		k := all[g.weighted(all)]
		k.weight *= 6
		g.kinds = append(g.kinds, k)
	}
	g.kinds = append(g.kinds, plainKinds()...)
	if g.chance(30) {
		g.kinds = append(g.kinds, all...)
	}
}

func (g *gen) weighted(list []statement) int {
	sum := 0
	for _, s := range list {
		sum += s.weight
	}
	n := g.r.Intn(sum)
	for i, s := range list {
		if n -= s.weight; n < 0 {
			return i
		}
	}
	return 0
}

// statements writes some statements.
func (g *gen) statements(n int) {
	for range n {
		g.statement()
	}
}

// statement writes a statement of a kind of this program.
func (g *gen) statement() {
	if !g.spend(3) {
		return
	}
	if g.left--; g.left < 0 {
		if g.chance(40) {
			plain := plainKinds()
			plain[g.weighted(plain)].write(g)
		}
		return
	}
	if g.fn.depth > 4 {
		plain := plainKinds()
		plain[g.weighted(plain)].write(g)
		return
	}
	g.kinds[g.weighted(g.kinds)].write(g)
}

// inner writes the body of a branch or a loop.
func (g *gen) inner() { g.statements(g.between(1, 3)) }

func plainKinds() []statement {
	return []statement{
		{"define", 10, (*gen).define},
		{"assign", 8, (*gen).assign},
		{"opassign", 5, (*gen).opAssign},
		{"trace", 4, (*gen).trace},
	}
}

// define declares a variable in one of the ways there are.
func (g *gen) define() {
	t := g.anyType(pick(g, 0, 1, 2, 2, 3))
	name := g.fresh("v")
	least := 0
	_, isMap := under(t).(*types.Map)
	switch g.r.Intn(7) {
	case 0:
		if full(t) || isMap {
			g.p("%s := %s", name, g.e(t, 2))
			break
		}
		g.p("var %s %s", name, g.ts(t))
	case 1:
		g.p("var %s %s = %s", name, g.ts(t), g.et(t, 2))
	case 2:
		g.p("var %s = %s", name, g.e(t, 2))
	case 3:
		t2 := g.basicType()
		name2 := g.fresh("v")
		g.p("%s, %s := %s, %s", name, name2, g.e(t, 2), g.e(t2, 2))
		g.declare(name2, t2)
	default:
		if s, ok := under(t).(*types.Slice); ok && g.chance(60) {
			least = g.between(1, 3)
			g.p("%s := %s%s", name, g.ts(t), g.listBody(s.Elem(), least, 2, false))
			break
		}
		g.p("%s := %s", name, g.e(t, 3))
	}
	v := g.declare(name, t)
	v.least = least
}

// assignable returns the type of some variable or part of one, and the place.
func (g *gen) assignable(ok func(types.Type) bool) (types.Type, string) {
	var list []*variable
	for _, v := range g.visible() {
		if !v.con {
			list = append(list, v)
		}
	}
	for range 6 {
		if len(list) == 0 {
			break
		}
		v := pick(g, list...)
		t := v.typ
		for range g.r.Intn(3) {
			t = g.partOf(t)
		}
		if ok != nil && !ok(t) {
			continue
		}
		if p, found := g.target(t); found {
			return t, p
		}
	}
	return nil, ""
}

// partOf returns the type of a part of a value.
func (g *gen) partOf(t types.Type) types.Type {
	switch u := under(t).(type) {
	case *types.Struct:
		if u.NumFields() > 0 {
			return u.Field(g.r.Intn(u.NumFields())).Type()
		}
	case *types.Array:
		return u.Elem()
	case *types.Slice:
		return u.Elem()
	case *types.Map:
		return u.Elem()
	case *types.Pointer:
		return u.Elem()
	}
	return t
}

// value is an expression of type t to be kept: strings and lists that are set in
// loops must not grow without end.
func (g *gen) value(t types.Type, depth int) string {
	if g.fn.times > 1 || g.fn.lits > 0 || g.fn.level < levelInspect {
		if _, ok := under(t).(*types.Slice); ok {
			return g.literal(t, depth).s
		}
	}
	return g.et(t, depth)
}

// assign sets one or several places.
func (g *gen) assign() {
	t, place := g.assignable(nil)
	if t == nil {
		g.define()
		return
	}
	switch g.r.Intn(6) {
	case 0:
		t2, place2 := g.assignable(nil)
		if t2 == nil {
			break
		}
		g.p("%s, %s = %s, %s", place, place2, g.value(t, 2), g.value(t2, 2))
		return
	case 1:
		if place2, ok := g.target(t); ok && place2 != place && !strings.HasSuffix(place2, "]") && !strings.HasSuffix(place, "]") {
			g.p("%s, %s = %s, %s", place, place2, place2, place)
			return
		}
	case 2:
		if g.tupleInto(t, place) {
			return
		}
	}
	g.p("%s = %s", place, g.value(t, 3))
}

// tupleInto sets a place and another one from a call of two results.
func (g *gen) tupleInto(t types.Type, place string) bool {
	for _, f := range g.funcs {
		r := f.sig.Results()
		if r.Len() != 2 || !types.Identical(r.At(0).Type(), t) || !g.mayCall(f) || !g.spend(f.cost) {
			continue
		}
		if p, ok := g.target(r.At(1).Type()); ok {
			g.p("%s, %s = %s(%s)", place, p, f.name, g.args(f.sig, 1))
		} else {
			g.p("%s, _ = %s(%s)", place, f.name, g.args(f.sig, 1))
		}
		return true
	}
	if types.Identical(t, tInt) {
		g.use("strconv")
		name := g.fresh("err")
		g.p("%s, %s := strconv.Atoi(%s)", name+"v", name, g.e(tString, 1))
		g.p("%s, %s = %sv, %s", place, name, name, name)
		g.declare(name, tError)
		return true
	}
	return false
}

// opAssign writes an assignment with an operator, or an increment.
func (g *gen) opAssign() {
	t, place := g.assignable(func(t types.Type) bool { return basic(t) != nil && !isTruth(t) })
	if t == nil {
		g.define()
		return
	}
	switch {
	case isText(t):
		if g.fn.times > 1 || g.fn.level < levelInspect {
			g.helper("clip", "func clip(s string) string {\n\tif len(s) > 40 {\n\t\treturn s[:40]\n\t}\n\treturn s\n}\n")
			if types.Identical(t, tString) {
				g.p("%s = clip(%s + %s)", place, place, g.e(t, 1))
				return
			}
		}
		g.p("%s += %s", place, g.text())
	case g.chance(30):
		g.p("%s%s", place, pick(g, "++", "--"))
	case isFloat(t):
		g.p("%s %s= %s", place, pick(g, "+", "-", "*"), g.et(t, 2))
	default:
		switch g.r.Intn(4) {
		case 0:
			g.p("%s %s= %d", place, pick(g, "/", "%"), g.between(1, 9))
		case 1:
			g.p("%s %s= %d", place, pick(g, "<<", ">>"), g.r.Intn(7))
		default:
			g.p("%s %s= %s", place, pick(g, "+", "-", "*", "|", "&", "^", "&^"), g.et(t, 2))
		}
	}
}
