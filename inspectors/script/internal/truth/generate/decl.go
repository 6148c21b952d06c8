package generate

import (
	"fmt"
	"go/types"
	"strings"
)

// declareConsts declares constants: typed, untyped, with iota.
func (g *gen) declareConsts() {
	for range g.r.Intn(3) {
		switch g.r.Intn(4) {
		case 0:
			name := g.fresh("k")
			t := g.basicType()
			g.decls = append(g.decls, fmt.Sprintf("const %s %s = %s\n", name, g.ts(t), g.constant(t).s))
			g.consts = append(g.consts, &variable{name: name, typ: t, con: true, fixed: true})
		case 1:
			g.iotaBlock()
		case 2:
			name := g.fresh("k")
			g.decls = append(g.decls, fmt.Sprintf("const %s = %s\n", name, pick(g, "10", "1 << 10", "60 * 60", "7 % 4", "100 - 1")))
			g.consts = append(g.consts, &variable{name: name, typ: tInt, con: true, fixed: true})
		case 3:
			name := g.fresh("k")
			g.decls = append(g.decls, fmt.Sprintf("const %s = %s\n", name, pick(g, "0.5", "1.0 / 4", "2 * 3.5", "1e6", "7 / 2.0")))
			g.consts = append(g.consts, &variable{name: name, typ: tFloat, con: true, fixed: true})
		}
	}
}

func (g *gen) iotaBlock() {
	var t types.Type = tInt
	typ := ""
	if o := g.ownType(isInteger); o != nil && g.chance(60) {
		t, typ = o, " "+g.ts(o)
	} else if g.chance(30) {
		t = types.Typ[pick(g, types.Uint8, types.Int64, types.Uint32)]
		typ = " " + g.ts(t)
	}
	var b strings.Builder
	b.WriteString("const (\n")
	init := pick(g, "iota", "iota + 1", "1 << iota", "iota * 10", "3 - iota", "1 << (iota * 2)")
	if isUnsigned(t) && strings.HasPrefix(init, "3 -") {
		init = "iota"
	}
	for i := range g.between(2, 4) {
		name := g.fresh("k")
		if i > 0 && g.chance(20) {
			b.WriteString("\t_\n")
		}
		if i == 0 {
			fmt.Fprintf(&b, "\t%s%s = %s\n", name, typ, init)
		} else {
			fmt.Fprintf(&b, "\t%s\n", name)
		}
		g.consts = append(g.consts, &variable{name: name, typ: t, con: true, fixed: true})
	}
	b.WriteString(")\n")
	g.decls = append(g.decls, b.String())
}

// declareGlobals declares package variables, which keep their values from run to
// run, and sentinel errors.
func (g *gen) declareGlobals() {
	g.fn = &frame{level: levelHelper, times: 1}
	for range g.r.Intn(4) {
		t := g.anyType(2)
		name := g.fresh("g")
		switch {
		case !full(t) && g.chance(35):
			g.decls = append(g.decls, fmt.Sprintf("var %s %s\n", name, g.ts(t)))
			if _, ok := under(t).(*types.Map); ok {
				continue // it would be nil
			}
		case g.chance(50):
			g.decls = append(g.decls, fmt.Sprintf("var %s %s = %s\n", name, g.ts(t), g.et(t, 1)))
		default:
			g.decls = append(g.decls, fmt.Sprintf("var %s = %s\n", name, g.e(t, 1)))
		}
		g.globals = append(g.globals, &variable{name: name, typ: t, used: true})
	}
	if g.chance(25) {
		name := g.fresh("err")
		g.use("errors")
		g.decls = append(g.decls, fmt.Sprintf("var %s = errors.New(%s)\n", name, g.text()))
		g.errs = append(g.errs, name)
	}
	if len(g.globals) > 0 && g.chance(15) {
		body, _ := g.function(nil, levelHelper+1, nil, func() {
			g.fn.depth = 3
			g.assign()
		})
		g.decls = append(g.decls, "func init() {\n"+body+"}\n")
	}
}

// declareFunction declares a func with random parameters and results.
func (g *gen) declareFunction(level int) {
	name := g.fresh("f")
	var params []*variable
	var typeList []types.Type
	var list []string
	variadic := g.chance(15)
	n := g.r.Intn(4)
	if variadic {
		n = max(1, n)
	}
	for i := range n {
		t := g.anyType(2)
		pname := g.fresh("p")
		text := g.ts(t)
		if variadic && i == n-1 {
			text = "..." + text
			t = types.NewSlice(t)
		}
		params = append(params, &variable{name: pname, typ: t})
		typeList = append(typeList, t)
		list = append(list, pname+" "+text)
	}
	results := g.resultTypes()
	named := len(results) > 0 && g.chance(25)
	for _, r := range results {
		if full(r) {
			named = false
		}
	}
	text, resultVars := g.resultText(results, named)
	body, cost := g.function(results, level, append(params, resultVars...), func() {
		g.fn.named = resultVars
		g.statements(g.between(1, 4))
		g.returns()
	})
	tuple := g.tuple(typeList)
	sig := types.NewSignatureType(nil, nil, nil, tuple, g.tuple(results), variadic)
	g.decls = append(g.decls, fmt.Sprintf("func %s(%s) %s {\n%s}\n", name, strings.Join(list, ", "), text, body))
	g.funcs = append(g.funcs, &function{name: name, sig: sig, cost: cost + 2, level: level})
}

func (g *gen) resultTypes() []types.Type {
	switch g.r.Intn(6) {
	case 0:
		return nil
	case 1:
		return []types.Type{g.basicType(), tError}
	case 2:
		return []types.Type{g.anyType(1), g.basicType()}
	}
	return []types.Type{g.anyType(2)}
}

func (g *gen) resultText(results []types.Type, named bool) (string, []*variable) {
	var list []string
	var vars []*variable
	for _, t := range results {
		if named {
			name := g.fresh("r")
			_, isMap := under(t).(*types.Map)
			vars = append(vars, &variable{name: name, typ: t, fixed: isMap})
			list = append(list, name+" "+g.ts(t))
		} else {
			list = append(list, g.ts(t))
		}
	}
	for _, v := range vars {
		if _, ok := under(v.typ).(*types.Map); ok {
			// A nil map cannot be written: give names only without.
			return g.resultText(results, false)
		}
	}
	if len(list) == 1 && !named {
		return list[0], vars
	}
	return "(" + strings.Join(list, ", ") + ")", vars
}

// returns ends a function.
func (g *gen) returns() {
	switch {
	case len(g.fn.results) == 0:
		return
	case len(g.fn.named) > 0 && g.chance(50):
		g.fn.last = "return"
	default:
		g.fn.last = "return " + g.resultList(g.fn.results, 2)
	}
}

// declareMethods writes the bodies of the methods.
func (g *gen) declareMethods() {
	for _, n := range g.named {
		for m := range n.Methods() {
			g.declareMethod(n, m)
		}
	}
}

func (g *gen) declareMethod(n *types.Named, m *types.Func) {
	recv := m.Signature().Recv().Type()
	this := &variable{name: "x", typ: recv, fixed: true, used: true}
	params := []*variable{this}
	var list []string
	for v := range m.Signature().Params().Variables() {
		name := g.fresh("p")
		params = append(params, &variable{name: name, typ: v.Type()})
		list = append(list, name+" "+g.ts(v.Type()))
	}
	var results []types.Type
	for v := range m.Signature().Results().Variables() {
		results = append(results, v.Type())
	}
	body, cost := g.function(results, levelMethod, params, func() {
		if m.Name() == "Add" || g.chance(20) {
			g.assign()
		}
		if g.chance(20) {
			g.statement()
		}
		if m.Name() == "Name" || m.Name() == "String" {
			g.use("fmt")
			leaves := g.leaves("x", recv, 2)
			if n.Method(0) != nil && len(leaves) == 1 && leaves[0] == "x" {
				leaves[0] = g.ts(under(n)) + "(x)" // not by its own String
			}
			leaves = append([]string{`"` + n.Obj().Name() + `"`}, leaves...)
			g.fn.last = "return fmt.Sprint(" + strings.Join(leaves[:min(3, len(leaves))], ", ") + ")"
			return
		}
		g.returns()
	})
	text, _ := g.resultText(results, false)
	if len(results) == 0 {
		text = ""
	}
	g.decls = append(g.decls, fmt.Sprintf("func (x %s) %s(%s) %s {\n%s}\n", g.ts(recv), m.Name(), strings.Join(list, ", "), text, body))
	g.methods = append(g.methods, &function{name: m.Name(), recv: recv, sig: m.Signature(), cost: cost, level: levelMethod})
}
