package generate

import (
	"fmt"
	"go/types"
	"strings"
)

// mutual declares structs that are made of each other, by pointers, lists, maps, channels
// and functions, and goes from one to the other.
func (g *gen) mutual() {
	g.use("fmt")
	base := g.fresh("Ring")
	n := g.between(1, 3)
	name := func(i int) string { return fmt.Sprintf("%s%c", base, 'a'+i%n) }
	t := pick[types.Type](g, tInt, tString, tFloat)
	var decls []string
	roads := make([][]string, n)
	for i := range n {
		next := name(i + 1)
		fields := []string{"v " + g.ts(t), "to *" + next}
		for _, f := range []string{
			"list []" + next, "refs []*" + next, "by map[string]" + next, "seen map[*" + name(i) + "]bool", "f func(*" + next + ") " + name(i),
			"back *" + name(i), "hooks []func(x *" + name(i) + ", y *" + next + ") int", "meta struct {\n\t\tin []*" + next + "\n\t\tn int\n\t}", "ch chan *" + next,
		} {
			if g.chance(45) {
				fields = append(fields, f)
				roads[i] = append(roads[i], strings.Fields(f)[0])
			}
		}
		g.r.Shuffle(len(fields), func(i, j int) { fields[i], fields[j] = fields[j], fields[i] })
		decls = append(decls, fmt.Sprintf("type %s struct {\n\t%s\n}\n\nfunc (x *%s) depth(n int) int {\n\tif x == nil || n > 4 {\n\t\treturn n\n\t}\n\treturn x.to.depth(n + 1)\n}\n", name(i), strings.Join(fields, "\n\t"), name(i)))
	}
	g.r.Shuffle(len(decls), func(i, j int) { decls[i], decls[j] = decls[j], decls[i] })
	g.decls = append(g.decls, decls...)
	vars := make([]string, n)
	for i := range n {
		vars[i] = g.fresh("ring")
		if g.chance(50) {
			g.p("%s := &%s{v: %s}", vars[i], name(i), g.et(t, 1))
		} else {
			g.p("var s%s %s\ns%s.v = %s\n%s := &s%s", vars[i], name(i), vars[i], g.et(t, 1), vars[i], vars[i])
		}
	}
	for i := range n {
		g.p("%s.to = %s", vars[i], vars[(i+1)%n])
	}
	for i := range n {
		for _, road := range roads[i] {
			g.p("{")
			g.along(road, vars[i], vars[(i+1)%n], name(i), name(i+1))
			g.p("}")
		}
		g.p("fmt.Println(%s.depth(%d), %s.to.to.v)", vars[i], g.r.Intn(3), vars[i])
	}
}

// along uses one field of a struct that leads to another.
func (g *gen) along(road, x, y, tx, ty string) {
	switch road {
	case "list":
		g.p("%[1]s.list = append(%[1]s.list, *%[2]s, %[3]s{})\n%[1]s.list[1].v = %[2]s.v\nfor i, e := range %[1]s.list {\ne.v = %[2]s.v\nfmt.Println(i, e.v, len(%[1]s.list[i:]), %[1]s.list[i].to == %[2]s.to)\n}", x, y, ty)
	case "refs":
		g.p("fmt.Println(%[1]s.refs == nil, len(%[1]s.refs))\n%[1]s.refs = []*%[3]s{nil, %[2]s}\n%[1]s.refs[0], %[1]s.refs[1] = %[1]s.refs[1], %[1]s.refs[0]\nfmt.Println(%[1]s.refs[0].v, %[1]s.refs[1] == nil)", x, y, ty)
	case "by":
		g.p("if %[1]s.by == nil {\n%[1]s.by = map[string]%[3]s{}\n}\n%[1]s.by[\"a\"] = *%[2]s\ne, ok := %[1]s.by[\"b\"]\nfmt.Println(len(%[1]s.by), e.v, ok, %[1]s.by[\"a\"].v)\ndelete(%[1]s.by, \"a\")", x, y, ty)
	case "seen":
		g.p("%[1]s.seen = map[*%[2]s]bool{%[1]s: true, {}: false}\nfmt.Println(%[1]s.seen[%[1]s], len(%[1]s.seen), %[1]s.seen[nil])", x, tx)
	case "f":
		g.p("if %[1]s.f == nil {\n%[1]s.f = func(p *%[3]s) %[4]s {\nc := *%[1]s\nif p == nil {\nc.to = nil\n}\nreturn c\n}\n}\nfmt.Println(%[1]s.f(%[2]s).to == %[2]s, %[1]s.f(nil).to == nil, %[1]s.f(%[2]s).v)", x, y, ty, tx)
	case "back":
		g.p("%[1]s.back, %[1]s.to = %[1]s, %[2]s\nfmt.Println(%[1]s.back.back.back.v)", x, y)
	case "hooks":
		g.p("for i := range 3 {\n%[1]s.hooks = append(%[1]s.hooks, func(x *%[3]s, y *%[4]s) int { return i + x.depth(4) - y.depth(4) })\n}\nfor _, h := range %[1]s.hooks[1:] {\nfmt.Println(h(%[1]s, %[2]s), h(nil, nil))\n}", x, y, tx, ty)
	case "meta":
		g.p("%[1]s.meta.in = append(%[1]s.meta.in, %[2]s)\n%[1]s.meta.n += len(%[1]s.meta.in)\nm := %[1]s.meta\nm.in[0] = nil\nfmt.Println(m.n, %[1]s.meta.in[0] == nil)", x, y)
	case "ch":
		g.p("%[1]s.ch = make(chan *%[3]s, 2)\n%[1]s.ch <- %[2]s\n%[1]s.ch <- nil\nfmt.Println((<-%[1]s.ch).v, <-%[1]s.ch == nil, len(%[1]s.ch))", x, y, ty)
	}
}
