package generate

import (
	"fmt"
	"strings"
)

// knots are values that are reached through each other, and set several at once: what a
// target of an assignment is found by may be what another target of it sets.
const knots = `type knot struct {
	n   int
	at  [2]int
	on  [2]bool
	to  *knot
	row []*knot
	by  map[string]*knot
}

func tied(n int) *knot {
	k := &knot{n: n, at: [2]int{n, n + 1}}
	k.to, k.row, k.by = k, []*knot{k, k}, map[string]*knot{"a": k}
	return k
}

func tieAll(n int) []*knot {
	var all []*knot
	for i := 0; i < n; i++ {
		all = append(all, tied(i))
	}
	for i, k := range all {
		k.to, k.row[0], k.by["a"] = all[(i+1)%n], all[(i+2)%n], all[(i+3)%n]
	}
	return all
}

func showTied(all []*knot) {
	for _, k := range all {
		fmt.Println(k.n, k.at, k.on, k.to.n, k.to.at, k.row[0].n, k.row[1].n, k.row[1].on, k.by["a"].n, k.by["a"].at)
	}
}

func tiedPair(n int) (*knot, int) { return tied(n), n + 1 }
`

// tangle sets several places that depend on each other at once.
func (g *gen) tangle() {
	g.use("fmt")
	g.helper("knots", knots)
	k := g.fresh("knots")
	g.p("%s := tieAll(4)", k)
	g.p("row%s, index%s := [2]*knot{%s[1], %s[2]}, []int{1, 0, 3, 2}", k, k, k, k)
	for range g.between(2, 4) {
		switch g.r.Intn(8) {
		case 0:
			g.p("%s, %s = tiedPair(%s)", g.knotPlace(k, 2), g.numberPlace(k, 2), g.numberOf(k, 2))
		case 1:
			g.p("for %s, %s = range []int{%s, %s} {\nfmt.Println(%s)\n}", g.numberPlace(k, 2), g.numberPlace(k, 2), g.numberOf(k, 1), g.numberOf(k, 1), g.numberOf(k, 1))
		case 2:
			g.p("%s, %s = map[string]int{\"a\": %s}[%s]", g.numberPlace(k, 2), g.truthPlace(k, 2), g.numberOf(k, 1), pick(g, `"a"`, `"b"`))
		default:
			g.tangleAssignment(k)
		}
	}
	g.p("showTied(%s)\nshowTied(row%s[:])\nfmt.Println(index%s)", k, k, k)
}

// tangleAssignment is one assignment to two to four places.
func (g *gen) tangleAssignment(k string) {
	var left, right []string
	seen := make(map[string]bool)
	for range g.between(2, 4) {
		place, value := "", ""
		switch g.r.Intn(8) {
		case 0, 1, 2:
			place, value = g.numberPlace(k, 2), g.numberOf(k, 2)
		case 3, 4:
			place, value = g.knotPlace(k, 2), g.knotOf(k, 2)
		case 5:
			place, value = "*"+g.knotOf(k, 1), "*"+g.knotOf(k, 1)
		case 6:
			place, value = g.through(k, 1)+".at", fmt.Sprintf("[2]int{%s, %s}", g.numberOf(k, 1), g.numberOf(k, 1))
		default:
			place, value = g.through(k, 1)+".row", fmt.Sprintf("[]*knot{%s, %s}", g.knotOf(k, 1), g.knotOf(k, 1))
		}
		if !seen[place] {
			seen[place] = true
			left, right = append(left, place), append(right, value)
		}
	}
	g.p("%s = %s", strings.Join(left, ", "), strings.Join(right, ", "))
}

// through is an expression of a knot that may be selected from.
func (g *gen) through(k string, depth int) string {
	if depth <= 0 || g.chance(30) {
		return fmt.Sprintf("%s[%s]", k, g.knotIndex(k, depth-1, 3))
	}
	return g.knotPlace(k, depth-1)
}

// knotPlace is a place of a knot.
func (g *gen) knotPlace(k string, depth int) string {
	switch g.r.Intn(6) {
	case 0, 1:
		return fmt.Sprintf("%s[%s]", k, g.knotIndex(k, depth, 3))
	case 2:
		return fmt.Sprintf("row%s[%s]", k, g.knotIndex(k, depth, 1))
	case 3:
		return g.through(k, depth) + ".to"
	case 4:
		return fmt.Sprintf("%s.row[%s]", g.through(k, depth), g.knotIndex(k, depth-1, 1))
	default:
		return g.through(k, depth) + `.by["a"]`
	}
}

func (g *gen) knotOf(k string, depth int) string {
	if g.chance(25) {
		return fmt.Sprintf("tied(%s)", g.numberOf(k, depth-1))
	}
	return g.knotPlace(k, depth)
}

// numberPlace is a place of an int.
func (g *gen) numberPlace(k string, depth int) string {
	switch g.r.Intn(4) {
	case 0:
		return fmt.Sprintf("index%s[%s]", k, g.knotIndex(k, depth-1, 3))
	case 1:
		return fmt.Sprintf("%s.at[%s]", g.through(k, depth), g.knotIndex(k, depth-1, 1))
	default:
		return g.through(k, depth) + ".n"
	}
}

func (g *gen) numberOf(k string, depth int) string {
	if depth <= 0 || g.chance(40) {
		return fmt.Sprint(g.r.Intn(10))
	}
	return g.numberPlace(k, depth-1)
}

func (g *gen) truthPlace(k string, depth int) string {
	return fmt.Sprintf("%s.on[%s]", g.through(k, depth), g.knotIndex(k, depth-1, 1))
}

// knotIndex is an index of at most most, which is 1 or 3.
func (g *gen) knotIndex(k string, depth, most int) string {
	if depth <= 0 || g.chance(35) {
		return fmt.Sprint(g.r.Intn(most + 1))
	}
	return fmt.Sprintf("%s&%d", g.numberPlace(k, depth-1), most)
}
