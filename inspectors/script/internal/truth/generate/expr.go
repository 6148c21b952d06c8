package generate

import (
	"fmt"
	"go/types"
	"strconv"
	"strings"
)

// ex is an expression: its text, how tightly its outermost operator binds (1 to
// 5 as in Go, 6 for unary ones, 7 for operands), and whether it is a constant.
type ex struct {
	s   string
	p   int
	con bool
}

func operand(format string, args ...any) ex {
	return ex{s: fmt.Sprintf(format, args...), p: 7}
}

// within returns the text of an expression as an operand of an operator that
// binds as tightly as p.
func (g *gen) within(e ex, p int) string {
	if e.p < p || e.p < 7 && g.chance(12) {
		return "(" + e.s + ")"
	}
	return e.s
}

// e writes an expression of exactly the type t.
func (g *gen) e(t types.Type, depth int) string { return g.expr(t, depth).s }

// et writes an expression for where a value of type t is wanted: it may be an
// untyped constant, nil, or a value of a type that is assignable to t.
func (g *gen) et(t types.Type, depth int) string {
	if basic(t) != nil && g.chance(25) {
		return g.constant(t).s
	}
	if i, ok := under(t).(*types.Interface); ok && g.chance(75) {
		return g.intoInterface(t, i, depth).s
	}
	return g.expr(t, depth).s
}

// expr returns an expression of exactly the type t.
func (g *gen) expr(t types.Type, depth int) ex {
	if g.chance(55) {
		if e, ok := g.place(t); ok {
			return e
		}
	}
	if depth <= 0 {
		return g.literal(t, 0)
	}
	switch g.r.Intn(12) {
	case 0, 1:
		if e, ok := g.callFor(t, depth); ok {
			return e
		}
	case 2:
		if !full(t) {
			// A literal that is called at once.
			body, _ := g.function([]types.Type{t}, -1, nil, func() { g.fn.last = "return " + g.et(t, depth-1) })
			return operand("func() %s { %s }()", g.ts(t), strings.TrimSpace(body))
		}
	case 3:
		if e, ok := g.ofLiteral(t, depth); ok {
			return e
		}
	}
	switch u := under(t).(type) {
	case *types.Basic:
		return g.basicExpr(t, depth)
	case *types.Slice:
		return g.sliceExpr(t, u, depth)
	case *types.Interface:
		if g.chance(30) {
			return operand("%s(%s)", g.ts(t), g.intoInterface(t, u, depth-1).s)
		}
	}
	if g.chance(10) && !isAny(t) && namedOf(t) != nil {
		if u := under(t); !isInterfaceType(t) {
			if e, ok := g.place(u); ok {
				return operand("%s(%s)", g.ts(t), e.s)
			}
		}
	}
	return g.literal(t, depth)
}

func isInterfaceType(t types.Type) bool { return types.IsInterface(t) }

func namedOf(t types.Type) *types.Named {
	n, _ := t.(*types.Named)
	return n
}

// visible returns the variables that may be used here.
func (g *gen) visible() []*variable {
	list := make([]*variable, 0, len(g.scope)+len(g.globals)+len(g.consts))
	list = append(list, g.scope...)
	if g.fn.level > levelHelper {
		list = append(list, g.globals...)
	}
	return append(list, g.consts...)
}

// place returns a variable, or a part of one, of type t.
func (g *gen) place(t types.Type) (ex, bool) {
	list := g.visible()
	var found []ex
	for _, v := range list {
		found = append(found, g.paths(ex{s: v.name, p: 7, con: v.con}, v.typ, t, 2, v.least, true)...)
	}
	if len(found) == 0 {
		return ex{}, false
	}
	i := g.r.Intn(len(found))
	if g.chance(40) { // the latest are the most interesting
		i = len(found) - 1 - g.r.Intn((len(found)+1)/2)
	}
	return found[i], true
}

// paths returns the ways to a value of type t from a value of type from: itself,
// its fields and elements, what it points at.
func (g *gen) paths(e ex, from, t types.Type, depth, least int, reading bool) []ex {
	var list []ex
	if types.Identical(from, t) {
		list = append(list, e)
	}
	if depth == 0 || e.con {
		return list
	}
	add := func(more []ex) { list = append(list, more...) }
	switch u := under(from).(type) {
	case *types.Struct:
		for f := range u.Fields() {
			add(g.paths(operand("%s.%s", g.within(e, 7), f.Name()), f.Type(), t, depth-1, 0, reading))
		}
	case *types.Array:
		add(g.paths(operand("%s[%s]", g.within(e, 7), g.index(int(u.Len()))), u.Elem(), t, depth-1, 0, reading))
	case *types.Slice:
		if least > 0 {
			add(g.paths(operand("%s[%d]", g.within(e, 7), g.r.Intn(least)), u.Elem(), t, depth-1, 0, reading))
		}
	case *types.Map:
		if reading && !full(u.Elem()) && basic(u.Key()) != nil {
			add(g.paths(operand("%s[%s]", g.within(e, 7), g.constant(u.Key()).s), u.Elem(), t, depth-1, 0, reading))
		}
	case *types.Pointer:
		if types.Identical(u.Elem(), t) {
			list = append(list, ex{s: "*" + g.within(e, 6), p: 6})
		}
		if s, ok := under(u.Elem()).(*types.Struct); ok {
			for f := range s.Fields() {
				add(g.paths(operand("%s.%s", g.within(e, 7), f.Name()), f.Type(), t, depth-1, 0, reading))
			}
		}
		if a, ok := under(u.Elem()).(*types.Array); ok && namedOf(from) == nil {
			add(g.paths(operand("%s[%s]", g.within(e, 7), g.index(int(a.Len()))), a.Elem(), t, depth-1, 0, reading))
		}
	}
	return list
}

// index returns an index into something with n elements.
func (g *gen) index(n int) string {
	if g.chance(50) {
		return strconv.Itoa(g.r.Intn(n))
	}
	for range 3 {
		if len(g.scope) == 0 {
			break
		}
		if v := pick(g, g.scope...); types.Identical(v.typ, tInt) && !v.con {
			return fmt.Sprintf("(%s&7)%%%d", v.name, n)
		}
	}
	return strconv.Itoa(g.r.Intn(n))
}

// target returns a place of type t that may be assigned to.
func (g *gen) target(t types.Type) (string, bool) {
	var found []string
	for _, v := range g.visible() {
		if v.con {
			continue
		}
		for i, e := range g.paths(ex{s: v.name, p: 7}, v.typ, t, 2, v.least, false) {
			if i == 0 && e.s == v.name && (v.fixed || v.least > 0) {
				continue
			}
			if v.fixed && !strings.ContainsAny(e.s, "*.[") {
				continue
			}
			found = append(found, e.s)
		}
		if m, ok := under(v.typ).(*types.Map); ok && types.Identical(m.Elem(), t) {
			found = append(found, fmt.Sprintf("%s[%s]", v.name, g.et(m.Key(), 0)))
		}
	}
	if len(found) == 0 {
		return "", false
	}
	return pick(g, found...), true
}
