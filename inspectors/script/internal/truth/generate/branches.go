package generate

import (
	"fmt"
	"go/types"
	"strings"
)

// condition is a condition for an if, for or case.
func (g *gen) condition() string {
	s := g.truth(tBool, 2).s
	if strings.Contains(s, "{") {
		return "(" + s + ")"
	}
	return s
}

// guarded puts an expression in parentheses where it holds a composite literal,
// so that it may stand in front of a block.
func guarded(s string) string {
	if strings.Contains(s, "{") {
		return "(" + s + ")"
	}
	return s
}

// branchKinds are ifs and switches.
func branchKinds() []statement {
	return []statement{
		{"if", 10, (*gen).ifElse},
		{"switch", 8, (*gen).tagless},
		{"switchtag", 8, (*gen).tagged},
		{"guard", 3, (*gen).guard},
		{"switchloop", 3, (*gen).switchInLoop},
		{"labelblock", 1, (*gen).labelBlock},
		{"block", 1, func(g *gen) { g.p("{"); g.block(g.inner); g.p("}") }},
	}
}

// ifElse writes an if with its branches.
func (g *gen) ifElse() {
	mark := len(g.scope)
	head := ""
	if g.chance(25) {
		t := g.basicType()
		name := g.fresh("v")
		head = fmt.Sprintf("%s := %s; ", name, guarded(g.e(t, 2)))
		g.declare(name, t).used = true
	}
	g.p("if %s%s {", head, g.conditionOr(mark))
	g.block(g.inner)
	for g.chance(25) {
		g.p("} else if %s {", g.condition())
		g.block(g.inner)
	}
	if g.chance(40) {
		g.p("} else {")
		g.block(g.inner)
	}
	g.p("}")
	g.scope = g.scope[:mark]
}

// conditionOr is a condition that uses the variable that was declared for it.
func (g *gen) conditionOr(mark int) string {
	if len(g.scope) > mark {
		v := g.scope[len(g.scope)-1]
		if isTruth(v.typ) {
			return v.name
		}
		return fmt.Sprintf("%s != %s", v.name, g.typedConstant(v.typ).s)
	}
	return g.condition()
}

// guard writes an early exit.
func (g *gen) guard() {
	if g.fn.lits == 0 && g.fn.level == levelInspect && g.fn.loops == 0 {
		g.ifElse()
		return
	}
	g.p("if %s {", g.condition())
	switch {
	case g.fn.loops > 0 && g.chance(60):
		g.p(pick(g, "continue", "break"))
	case g.fn.level == levelInspect && g.fn.lits == 0:
		g.p("fmt.Println(%s)", g.e(tInt, 1))
	case len(g.fn.named) > 0 && g.chance(40):
		g.p("return")
	default:
		g.p("return %s", g.resultList(g.fn.results, 1))
	}
	g.p("}")
}

// clauses writes the clauses of a switch: default anywhere, fallthrough, empty
// ones.
func (g *gen) clauses(n int, head func(i int) string) {
	at := -1
	if g.chance(65) {
		at = g.r.Intn(n + 1)
	}
	g.fn.breaks++
	for i := range n + 1 {
		last := i == n || i == n-1 && at != n
		switch {
		case i == at:
			g.p("default:")
		case i == n:
			continue
		default:
			g.p("case %s:", head(i))
		}
		if g.chance(8) {
			continue
		}
		g.block(func() {
			g.inner()
			if g.chance(8) {
				g.p("if %s {\nbreak\n}", g.condition())
				g.trace()
			}
		})
		if !last && g.chance(10) {
			g.p("fallthrough")
		}
	}
	g.fn.breaks--
}

// tagless writes a switch of conditions.
func (g *gen) tagless() {
	mark := len(g.scope)
	head := ""
	if g.chance(20) {
		t := g.basicType()
		name := g.fresh("v")
		head = fmt.Sprintf("%s := %s; ", name, guarded(g.e(t, 2)))
		g.declare(name, t)
	}
	if g.chance(10) {
		head += "true "
	}
	g.p("switch %s{", head)
	if len(g.scope) > mark {
		g.scope[mark].used = true
		g.p("case %s == %s:", g.scope[mark].name, g.typedConstant(g.scope[mark].typ).s)
		g.block(g.inner)
	}
	g.clauses(g.between(1, 4), func(int) string {
		list := []string{g.condition()}
		for g.chance(35) {
			list = append(list, g.condition())
		}
		if g.chance(4) {
			list[0] = pick(g, "1 > 2", "!true", "true && false", "len(\"ab\") == 3")
		}
		return strings.Join(list, ", ")
	})
	g.p("}")
	g.scope = g.scope[:mark]
}

// tagged writes a switch of a value of any type that can be compared.
func (g *gen) tagged() {
	t := g.switchType()
	mark := len(g.scope)
	tag := guarded(g.e(t, 2))
	head := tag
	switch g.r.Intn(6) {
	case 0:
		name := g.fresh("v")
		head = fmt.Sprintf("%s := %s; %s", name, tag, name)
		g.declare(name, t).used = true
	case 1:
		if place, ok := g.target(tInt); ok {
			head = fmt.Sprintf("%s = %s; %s", place, guarded(g.e(tInt, 1)), tag)
		}
	}
	g.p("switch %s {", head)
	seen := make(map[string]bool)
	g.clauses(g.between(1, 4), func(int) string {
		var list []string
		if isTruth(t) && len(seen) > 0 {
			return g.within(g.comparison(1), 1)
		}
		for range g.between(1, 3) {
			s := g.caseValue(t)
			if !seen[s] {
				seen[s] = true
				list = append(list, s)
			}
		}
		if len(list) == 0 {
			list = append(list, "(*&[]"+g.ts(t)+"{"+g.e(t, 0)+"}[0])")
		}
		return strings.Join(list, ", ")
	})
	g.p("}")
	g.scope = g.scope[:mark]
}

// switchType returns a type to switch on.
func (g *gen) switchType() types.Type {
	for range 5 {
		t := g.anyType(1)
		if types.Comparable(t) && !hasInterface(t) {
			if _, pointer := t.(*types.Pointer); !pointer || g.chance(30) {
				return t
			}
		}
	}
	return pick[types.Type](g, tInt, tString)
}

// caseValue returns a value for a case: constants differ from each other.
func (g *gen) caseValue(t types.Type) string {
	if basic(t) == nil || g.chance(45) {
		e := g.expr(t, 2)
		if !e.con {
			return e.s
		}
	}
	switch {
	case isTruth(t):
		return pick(g, "true", "false")
	case isText(t):
		return g.text()
	case basic(t) != nil:
		return fmt.Sprint(g.r.Intn(12))
	}
	return g.e(t, 1)
}

// switchInLoop switches on the elements of a loop.
func (g *gen) switchInLoop() {
	name := g.fresh("s")
	g.p("for _, %s := range []string{%s, %s, %s} {", name, g.text(), g.text(), g.text())
	g.loop(3, func() {
		v := g.declare(name, tString)
		v.fixed, v.used = true, true
		g.p("switch %s {", pick(g, name, "strings.TrimSpace("+name+")", name+"[:len("+name+")/2]"))
		g.use("strings")
		seen := make(map[string]bool)
		g.clauses(g.between(2, 4), func(int) string {
			s := g.text()
			for seen[s] {
				s += " + \"'\""
			}
			seen[s] = true
			if g.chance(30) {
				s += ", " + g.within(g.stringExpr(tString, 1), 4) + " + \"x\""
			}
			return s
		})
		g.p("}")
	})
	g.p("}")
}

// labelBlock leaves a labelled block or switch early.
func (g *gen) labelBlock() {
	label := g.fresh("L")
	g.p("%s:", label)
	g.p("switch {")
	g.p("case %s:", g.condition())
	g.block(func() {
		g.p("if %s {\nbreak %s\n}", g.condition(), label)
		g.inner()
	})
	g.p("default:")
	g.block(func() {
		g.inner()
		g.p("break %s", label)
	})
	g.p("}")
}
