package generate

import (
	"go/types"
)

// genericKinds are functions and types with type parameters, and what came with
// Go 1.21 and later.
func genericKinds() []statement {
	return []statement{
		{"genericfunc", 4, (*gen).genericFunc},
		{"generictype", 3, (*gen).genericType},
		{"minmax", 3, (*gen).minMax},
		{"clear", 1, (*gen).clearOf},
		{"slicespkg", 4, (*gen).slicesOf},
		{"mapspkg", 2, (*gen).mapsOf},
	}
}

// genericFunc calls a generic function, with its types given or not.
func (g *gen) genericFunc() {
	g.use("fmt")
	t := g.basicType()
	typ := g.ts(t)
	switch g.r.Intn(6) {
	case 0:
		g.helper("mapTo", "func mapTo[T, U any](list []T, f func(T) U) []U {\n\tout := make([]U, 0, len(list))\n\tfor _, e := range list {\n\t\tout = append(out, f(e))\n\t}\n\treturn out\n}\n")
		g.p("fmt.Println(mapTo([]%s%s, func(e %s) string { return fmt.Sprint(e, \"!\") }))", typ, g.listBody(t, 3, 1, false), typ)
	case 1:
		g.helper("filter", "func filter[T any](list []T, ok func(T) bool) (out []T) {\n\tfor _, e := range list {\n\t\tif ok(e) {\n\t\t\tout = append(out, e)\n\t\t}\n\t}\n\treturn out\n}\n")
		g.p("fmt.Println(len(filter([]%s%s, func(e %s) bool { return e == %s })))", typ, g.listBody(t, 3, 1, false), typ, g.typedConstant(t).s)
	case 2:
		g.helper("sumOf", "type number interface {\n\t~int | ~int64 | ~float64 | ~uint64\n}\n\nfunc sumOf[T number](list ...T) T {\n\tvar s T\n\tfor _, e := range list {\n\t\ts += e\n\t}\n\treturn s\n}\n")
		n := pick[types.Type](g, tInt, tFloat, types.Typ[types.Int64], types.Typ[types.Uint64])
		g.p("fmt.Println(sumOf(%s, %s), sumOf[%s]())", g.e(n, 1), g.e(n, 1), g.ts(n))
	case 3:
		g.helper("ptr", "func ptr[T any](v T) *T { return &v }\n")
		a := g.fresh("p")
		g.p("%s := ptr(%s)\n*%s = %s\nfmt.Println(*%s)", a, g.e(t, 1), a, g.et(t, 1), a)
	case 4:
		g.use("sort")
		g.helper("sortedKeys", "func sortedKeys[V any](m map[string]V) []string {\n\tvar keys []string\n\tfor k := range m {\n\t\tkeys = append(keys, k)\n\t}\n\tsort.Strings(keys)\n\treturn keys\n}\n")
		g.p("fmt.Println(sortedKeys(map[string]%s{\"b\": %s, \"a\": %s}))", typ, g.et(t, 1), g.et(t, 1))
	default:
		g.helper("either", "func either[T comparable](a, b T) T {\n\tvar zero T\n\tif a == zero {\n\t\treturn b\n\t}\n\treturn a\n}\n")
		g.p("fmt.Println(either(%s, %s), either[%s](%s, %s))", g.e(t, 1), g.e(t, 1), typ, g.et(t, 1), g.et(t, 1))
	}
}

// genericType uses a generic type with some type.
func (g *gen) genericType() {
	g.use("fmt")
	t := g.basicType()
	typ := g.ts(t)
	v := g.fresh("s")
	switch g.r.Intn(3) {
	case 0:
		g.helper("stack", "type stack[T any] struct{ items []T }\n\nfunc (s *stack[T]) push(v T) { s.items = append(s.items, v) }\n\nfunc (s *stack[T]) pop() (T, bool) {\n\tvar zero T\n\tif len(s.items) == 0 {\n\t\treturn zero, false\n\t}\n\tv := s.items[len(s.items)-1]\n\ts.items = s.items[:len(s.items)-1]\n\treturn v, true\n}\n")
		g.p("var %s stack[%s]\n%s.push(%s)\n%s.push(%s)", v, typ, v, g.et(t, 1), v, g.et(t, 1))
		g.p("for {\ne, ok := %s.pop()\nif !ok {\nbreak\n}\nfmt.Println(e)\n}", v)
	case 1:
		g.helper("pairOf", "type pairOf[K comparable, V any] struct {\n\tkey K\n\tval V\n}\n\nfunc (p pairOf[K, V]) with(v V) pairOf[K, V] {\n\tp.val = v\n\treturn p\n}\n")
		g.p("%s := pairOf[string, %s]{%s, %s}\nw%s := %s.with(%s)\nfmt.Println(%s.key, %s.val, w%s.val)", v, typ, g.text(), g.et(t, 1), v, v, g.et(t, 1), v, v, v)
	default:
		g.helper("setOf", "type setOf[T comparable] map[T]struct{}\n\nfunc (s setOf[T]) add(v T) bool {\n\tif _, ok := s[v]; ok {\n\t\treturn false\n\t}\n\ts[v] = struct{}{}\n\treturn true\n}\n")
		g.p("%s := setOf[%s]{}\nfmt.Println(%s.add(%s), %s.add(%s), len(%s))", v, typ, v, g.et(t, 1), v, g.et(t, 1), v)
	}
}

func (g *gen) minMax() {
	g.use("fmt")
	t := pick[types.Type](g, tInt, tFloat, tString, types.Typ[types.Uint8])
	g.p("fmt.Println(min(%s, %s), max(%s, %s, %s))", g.e(t, 1), g.e(t, 1), g.e(t, 1), g.et(t, 1), g.e(t, 1))
}

func (g *gen) clearOf() {
	g.use("fmt")
	v := g.fresh("v")
	if g.chance(50) {
		g.p("%s := map[string]int{\"a\": 1}\nclear(%s)\nfmt.Println(len(%s))", v, v, v)
		return
	}
	t := g.basicType()
	g.p("%s := []%s%s\nclear(%s[1:])\nfmt.Println(%s)", v, g.ts(t), g.listBody(t, 3, 1, false), v, v)
}

func (g *gen) slicesOf() {
	g.use("fmt")
	g.use("slices")
	t := pick[types.Type](g, tInt, tString, tFloat)
	v := g.fresh("v")
	g.p("%s := []%s%s", v, g.ts(t), g.listBody(t, 4, 1, false))
	switch g.r.Intn(6) {
	case 0:
		g.p("slices.Sort(%s)\nfmt.Println(%s, slices.Contains(%s, %s))", v, v, v, g.et(t, 1))
	case 1:
		g.p("fmt.Println(slices.Index(%s, %s), slices.Max(%s), slices.Min(%s))", v, g.et(t, 1), v, v)
	case 2:
		g.p("slices.Reverse(%s)\nfmt.Println(%s)", v, v)
	case 3:
		g.use("cmp")
		g.p("slices.SortFunc(%s, func(a, b %s) int { return cmp.Compare(b, a) })\nfmt.Println(%s)", v, g.ts(t), v)
	case 4:
		g.p("w%s := slices.Clone(%s)\nw%s[0] = %s\nfmt.Println(%s, w%s, slices.Equal(%s, w%s))", v, v, v, g.et(t, 1), v, v, v, v)
	default:
		g.p("fmt.Println(slices.IndexFunc(%s, func(e %s) bool { return e == %s }), slices.Compact(%s))", v, g.ts(t), g.typedConstant(t).s, v)
	}
}

func (g *gen) mapsOf() {
	g.use("fmt")
	g.use("maps")
	v := g.fresh("m")
	t := g.basicType()
	g.p("%s := map[string]%s{\"a\": %s}\nw%s := maps.Clone(%s)\nw%s[\"b\"] = %s\nfmt.Println(len(%s), len(w%s), maps.Equal(%s, w%s))", v, g.ts(t), g.et(t, 1), v, v, v, g.et(t, 1), v, v, v, v)
}
