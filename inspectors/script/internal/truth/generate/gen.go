// Package generate makes random scripts: well-typed, terminating, the same at
// each run of the same seed, and made of every construct of the language.
//
// A program is put together of statements, types, places where a value comes from
// (a literal, a variable, a field, an element, a call, a conversion …) and places
// where it goes (a variable, an element, an argument, an interface, a result …),
// each chosen by itself. It prints what it computes as it goes. For each program a
// few kinds of statements are chosen first, so that one program is about a few
// things, and all programs together are about everything.
package generate

import (
	"fmt"
	"go/format"
	"go/types"
	"maps"
	"math/rand"
	"slices"
	"strings"
)

// modulePath is where the API of scripts is.
const modulePath = "github.com/vedettehq/vedette/inspectors"

// Program returns the program of a seed.
func Program(seed int64) string {
	g := &gen{
		r:       rand.New(rand.NewSource(seed)),
		pkg:     types.NewPackage("inspector", "inspector"),
		imports: make(map[string]bool),
	}
	return g.program()
}

// gen is one program in the making.
type gen struct {
	r       *rand.Rand
	pkg     *types.Package
	imports map[string]bool

	decls   []string // package-level declarations, in no order
	named   []*types.Named
	ifaces  []*types.Named
	funcs   []*function
	methods []*function
	globals []*variable
	consts  []*variable
	helpers map[string]bool
	generic map[string]bool

	out   *strings.Builder
	scope []*variable
	fn    *frame
	n     int
	kinds []statement // of this program
	left  int         // how many statements may still be written
	errs  []string    // sentinel errors
}

// variable is something with a name that holds a value.
type variable struct {
	name  string
	typ   types.Type
	fixed bool // not to be assigned
	least int  // of a slice: it has this many elements at least
	con   bool // a constant
	used  bool
	lit   int // how many literals stand around its declaration
	at    int // where in the text it was declared
}

// function is a declared function or method, or a generic one's instance.
type function struct {
	name  string
	recv  types.Type // or nil
	sig   *types.Signature
	cost  int
	level int
}

// Levels order functions so that calls end: a body calls what has a lower one, or
// what was declared before it.
const (
	levelHelper = iota
	levelMethod
	levelFunction
	levelInspect
)

// frame is the function that is being written.
type frame struct {
	results []types.Type
	named   []*variable
	level   int
	cost    int
	times   int // how often the current place runs
	lits    int // how many literals stand around the current place
	loops   int
	depth   int
	last    string // the return at its end
	breaks  int    // innermost breakable statements within the function
}

// budget is how many statements a run may execute, about.
const budget = 1500

func (g *gen) chance(percent int) bool { return g.r.Intn(100) < percent }

// between returns a number from lo to hi.
func (g *gen) between(lo, hi int) int { return lo + g.r.Intn(hi-lo+1) }

func pick[T any](g *gen, list ...T) T { return list[g.r.Intn(len(list))] }

func (g *gen) use(path string) { g.imports[path] = true }

// fresh returns a name that was not used before, mostly a short one.
func (g *gen) fresh(base string) string {
	g.n++
	return fmt.Sprintf("%s%d", base, g.n)
}

// p writes a line.
func (g *gen) p(text string, args ...any) {
	if len(args) > 0 {
		text = fmt.Sprintf(text, args...)
	}
	g.out.WriteString(text)
	g.out.WriteByte('\n')
}

// capture returns what write writes.
func (g *gen) capture(write func()) string {
	saved := g.out
	g.out = new(strings.Builder)
	write()
	text := g.out.String()
	g.out = saved
	return text
}

// block writes statements in a scope that ends with them; what it declared is
// printed, or used, at its end.
func (g *gen) block(write func()) {
	mark := len(g.scope)
	g.fn.depth++
	write()
	g.close(mark)
	g.fn.depth--
}

// close ends a scope.
func (g *gen) close(mark int) {
	for _, v := range g.scope[mark:] {
		switch {
		case v.con:
		case g.chance(35):
			g.show(v.name, v.typ)
		case !v.used && !reads(g.out.String()[v.at:], v.name):
			g.p("_ = %s", v.name)
		}
	}
	g.scope = g.scope[:mark]
}

// reads reports whether a text uses a name other than as the target of an
// assignment.
func reads(text, name string) bool {
	for line := range strings.SplitSeq(text, "\n") {
		for rest := line; ; {
			i := strings.Index(rest, name)
			if i < 0 {
				break
			}
			start := len(line) - len(rest) + i
			end := start + len(name)
			rest = line[end:]
			if end < len(line) && isWord(line[end]) || start > 0 && isWord(line[start-1]) {
				continue
			}
			if at := strings.Index(line, "= "); at < 0 || start > at {
				return true
			}
		}
	}
	return false
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// loop writes the body of a loop that runs a number of times.
func (g *gen) loop(times int, write func()) {
	saved := g.fn.times
	g.fn.times *= times
	g.fn.loops++
	g.fn.breaks++
	g.block(write)
	g.fn.breaks--
	g.fn.loops--
	g.fn.times = saved
}

// declare makes a variable visible from here on.
func (g *gen) declare(name string, t types.Type) *variable {
	v := &variable{name: name, typ: t, lit: g.fn.lits, at: g.out.Len()}
	g.scope = append(g.scope, v)
	return v
}

// literal writes the body of a func literal or a function: statements, and a
// return of the results.
func (g *gen) function(results []types.Type, level int, params []*variable, write func()) (text string, cost int) {
	saved := g.fn
	f := &frame{results: results, level: level, times: 1}
	inLiteral := saved != nil && level < 0
	if inLiteral {
		f.level, f.lits, f.times, f.depth = saved.level, saved.lits+1, saved.times, saved.depth
	}
	g.fn = f
	mark := len(g.scope)
	if !inLiteral {
		g.scope = nil
		mark = 0
	}
	old := g.scope
	for _, p := range params {
		p.used = true
		p.lit = f.lits
		g.scope = append(g.scope, p)
	}
	text = g.capture(func() {
		write()
		g.close(mark + len(params))
		if f.last != "" {
			g.p("%s", f.last)
		}
	})
	if inLiteral {
		g.scope = g.scope[:mark]
		saved.cost += f.cost
	} else {
		g.scope = old
	}
	g.fn = saved
	return text, f.cost
}

// spend accounts for statements, and reports whether they may be run here.
func (g *gen) spend(cost int) bool {
	if g.fn.cost+cost*g.fn.times > budget {
		return false
	}
	g.fn.cost += cost * g.fn.times
	return true
}

// program writes everything.
func (g *gen) program() string {
	g.out = new(strings.Builder)
	g.helpers, g.generic = make(map[string]bool), make(map[string]bool)
	g.chooseKinds()
	g.left = g.between(3, 14)
	g.declareTypes()
	g.declareConsts()
	g.declareGlobals()
	for range g.r.Intn(3) {
		g.declareFunction(levelHelper)
	}
	g.declareMethods()
	for range g.r.Intn(3) {
		g.declareFunction(levelFunction)
	}
	g.left = g.between(4, 16)
	entry := g.declareInspect()
	if g.chance(30) {
		g.r.Shuffle(len(g.decls), func(i, j int) { g.decls[i], g.decls[j] = g.decls[j], g.decls[i] })
	}
	if g.chance(30) {
		g.decls = append([]string{entry}, g.decls...)
	} else {
		g.decls = append(g.decls, entry)
	}
	var b strings.Builder
	b.WriteString("package inspector\n\n")
	body := strings.Join(g.decls, "\n")
	var paths []string
	for _, path := range slices.Sorted(maps.Keys(g.imports)) {
		name := path[strings.LastIndexByte(path, '/')+1:]
		if strings.Contains(body, name+".") {
			paths = append(paths, path)
		}
	}
	b.WriteString("import (\n")
	for _, path := range paths {
		fmt.Fprintf(&b, "\t%q\n", path)
	}
	b.WriteString(")\n\n")
	b.WriteString(body)
	text, err := format.Source([]byte(b.String()))
	if err != nil {
		return b.String() + "\n// cannot format: " + err.Error()
	}
	return string(text)
}

// declareInspect writes the entry.
func (g *gen) declareInspect() string {
	g.use("fmt")
	body, _ := g.function([]types.Type{tFloat, tError}, levelInspect, nil, func() {
		g.statements(g.between(2, 8))
		for _, v := range g.globals {
			if g.chance(60) {
				g.show(v.name, v.typ)
			}
		}
	})
	switch g.r.Intn(6) {
	case 0:
		g.use("context")
		return "func Inspect(ctx context.Context) (float64, error) {\n" + body + "return 1, nil\n}\n"
	case 1:
		g.use("context")
		g.use(modulePath)
		report := g.reportInto()
		return "func Inspect(ctx context.Context, r *inspectors.Report) error {\n" + body + report + "return nil\n}\n"
	}
	return "func Inspect() (float64, error) {\n" + body + "return 1, nil\n}\n"
}

// reportInto returns statements that report values.
func (g *gen) reportInto() string {
	var b strings.Builder
	for i := range g.between(1, 3) {
		fmt.Fprintf(&b, "r.Gauge(\"v%d\", float64(%d), \"k\", fmt.Sprint(%d))\n", i, g.r.Intn(50), i)
	}
	return b.String()
}
