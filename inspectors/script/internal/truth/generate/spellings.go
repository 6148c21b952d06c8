package generate

import (
	"fmt"
	"strings"
)

// spelt are types that are written in several ways.
const spelt = `type unitOf struct{ n int }

type sameUnit = unitOf

type coupled = struct {
	a int
	u sameUnit
}

type namedPair struct {
	a int
	u unitOf
}

type coupledList = []coupled

type anything = any

type wholeNumber = int

type changeFunc = func(old, new wholeNumber) (ok bool)

func isOf[T any](v any) bool {
	_, ok := v.(T)
	return ok
}

func asPair(p coupled) any { return p }
`

// spellings are groups of types that are one type, each written in several ways.
func spellings() [][]string {
	return [][]string{
		{"unitOf", "sameUnit"},
		{"*unitOf", "*sameUnit"},
		{"coupled", "struct {\na int\nu unitOf\n}", "struct {\na wholeNumber\nu sameUnit\n}"},
		{"namedPair"},
		{"coupledList", "[]coupled", "[]struct {\na int\nu unitOf\n}"},
		{"changeFunc", "func(int, int) bool", "func(a, b wholeNumber) (c bool)"},
		{"map[string]any", "map[string]anything", "map[string]interface{}"},
		{"[2]wholeNumber", "[2]int"},
		{"struct{ unitOf }"},
		{"struct{ sameUnit }"},
		{"struct{ unitOf unitOf }", "struct{ unitOf sameUnit }"},
		{"[]interface{ A(); B(wholeNumber) }", "[]interface{ B(n int); A() }"},
		{"chan<- sameUnit", "chan<- unitOf"},
		{"[]func(...wholeNumber) anything", "[]func(n ...int) any"},
	}
}

// spelling holds values in interfaces as one spelling of their type, and asserts others.
func (g *gen) spelling() {
	g.use("fmt")
	g.helper("spelt", spelt)
	groups := spellings()
	v, p := g.fresh("v"), g.fresh("p")
	var values []string
	for range g.between(2, 5) {
		values = append(values, "*new("+pick(g, pick(g, groups...)...)+")")
	}
	g.p("for _, %s := range []any{%s} {", v, strings.Join(values, ", "))
	for i := range g.between(2, 5) {
		t := pick(g, pick(g, groups...)...)
		g.p("_, ok%d := %s.(%s)\nfmt.Println(ok%d, isOf[%s](%s))", i, v, t, i, t, v)
	}
	g.p("}")
	g.p("%s, n%s := coupled{a: %s}, namedPair{a: 2}", p, p, g.et(tInt, 1))
	for range g.between(2, 4) {
		a, b := p, "n"+p
		if g.chance(50) {
			a, b = b, a
		}
		g.p("%s", pick(g, a+" = "+b, a+".a++", "fmt.Println("+a+" == "+b+", "+b+" != "+a+")", "fmt.Println(any("+a+") == any("+b+"), any("+a+") == any(coupled{a: 2}))",
			fmt.Sprintf("fmt.Println(asPair(%s) == asPair(%s), isOf[coupled](asPair(%s)), isOf[namedPair]([]namedPair{%s, %s}[0]))", a, b, a, a, b),
			fmt.Sprintf("%s, %s = %s, %s", a, b, b, a), fmt.Sprintf("fmt.Println(map[any]int{asPair(%s): 1}[coupled(%s)], map[namedPair]int{%s: 2}[%s])", a, b, a, b)))
	}
	g.p("fmt.Println(%s, n%s, isOf[coupled](%s), isOf[namedPair](n%s))", p, p, p, p)
}
