package generate

import (
	"fmt"
	"go/token"
	"go/types"
	"strings"
)

// Types that are used by name.
var (
	tInt    types.Type = types.Typ[types.Int]
	tFloat  types.Type = types.Typ[types.Float64]
	tString types.Type = types.Typ[types.String]
	tBool   types.Type = types.Typ[types.Bool]
	tByte   types.Type = types.Typ[types.Uint8]
	tError  types.Type = types.Universe.Lookup("error").Type()
	tAny    types.Type = types.Universe.Lookup("any").Type()
	tInts   types.Type = types.NewSlice(tInt)
	tTexts  types.Type = types.NewSlice(tString)
	tCounts types.Type = types.NewMap(tString, tInt)
)

// ts writes a type.
func (g *gen) ts(t types.Type) string {
	return types.TypeString(t, func(p *types.Package) string {
		if p == g.pkg {
			return ""
		}
		return p.Name()
	})
}

func under(t types.Type) types.Type { return t.Underlying() }

func basic(t types.Type) *types.Basic {
	b, _ := under(t).(*types.Basic)
	return b
}

func isNumber(t types.Type) bool {
	b := basic(t)
	return b != nil && b.Info()&types.IsNumeric != 0
}

func isInteger(t types.Type) bool {
	b := basic(t)
	return b != nil && b.Info()&types.IsInteger != 0
}

func isUnsigned(t types.Type) bool {
	b := basic(t)
	return b != nil && b.Info()&types.IsUnsigned != 0
}

func isText(t types.Type) bool {
	b := basic(t)
	return b != nil && b.Info()&types.IsString != 0
}

func isFloat(t types.Type) bool {
	b := basic(t)
	return b != nil && b.Info()&types.IsFloat != 0
}

func isTruth(t types.Type) bool {
	b := basic(t)
	return b != nil && b.Info()&types.IsBoolean != 0
}

func isAny(t types.Type) bool {
	i, ok := under(t).(*types.Interface)
	return ok && i.NumMethods() == 0
}

// full reports a type of which no value may be the zero value: one that holds
// pointers, funcs or interfaces with methods, which the program calls.
func full(t types.Type) bool {
	switch u := under(t).(type) {
	case *types.Pointer, *types.Signature:
		return true
	case *types.Interface:
		return u.NumMethods() > 0 && !types.Identical(t, tError)
	case *types.Array:
		return full(u.Elem())
	case *types.Struct:
		for f := range u.Fields() {
			if full(f.Type()) {
				return true
			}
		}
	}
	return false
}

// basicType returns a basic type, mostly an ordinary one.
func (g *gen) basicType() types.Type {
	return types.Typ[pick(g, types.Int, types.Int, types.Int, types.Int, types.Int, types.Float64, types.Float64, types.Float64,
		types.String, types.String, types.String, types.String, types.Bool, types.Bool, types.Uint8, types.Int64, types.Int64,
		types.Uint64, types.Uint64, types.Int32, types.Uint32, types.Int8, types.Int16, types.Uint16, types.Uint, types.Float32)]
}

// keyType returns a type for the keys of a map.
func (g *gen) keyType() types.Type {
	switch g.r.Intn(8) {
	case 0:
		return types.NewArray(tInt, 2)
	case 1:
		if t := g.ownType(func(t types.Type) bool { return types.Comparable(t) && !full(t) && !hasInterface(t) }); t != nil {
			return t
		}
	case 2, 3:
		return tInt
	case 4:
		return g.basicKey()
	}
	return tString
}

func (g *gen) basicKey() types.Type {
	return types.Typ[pick(g, types.Int, types.String, types.String, types.Uint8, types.Int64, types.Uint16, types.Bool)]
}

func hasInterface(t types.Type) bool {
	switch u := under(t).(type) {
	case *types.Interface:
		return true
	case *types.Array:
		return hasInterface(u.Elem())
	case *types.Struct:
		for f := range u.Fields() {
			if hasInterface(f.Type()) {
				return true
			}
		}
	}
	return false
}

// ownType returns a type of the program for which ok is true, or nil.
func (g *gen) ownType(ok func(types.Type) bool) types.Type {
	var list []types.Type
	for _, n := range g.named {
		if ok == nil || ok(n) {
			list = append(list, n)
		}
	}
	if len(list) == 0 {
		return nil
	}
	return pick(g, list...)
}

func isStruct(t types.Type) bool {
	_, ok := under(t).(*types.Struct)
	return ok
}

// anyType returns a type for a variable, field or element.
func (g *gen) anyType(depth int) types.Type {
	if depth <= 0 || g.chance(40) {
		if g.chance(30) {
			if t := g.ownType(nil); t != nil {
				return t
			}
		}
		return g.basicType()
	}
	switch g.r.Intn(14) {
	case 0, 1, 2:
		return types.NewSlice(g.anyType(depth - 1))
	case 3, 4:
		return types.NewArray(g.anyType(depth-1), int64(g.between(1, 4)))
	case 5, 6:
		return types.NewMap(g.keyType(), g.anyType(depth-1))
	case 7, 8:
		if t := g.ownType(isStruct); t != nil {
			return types.NewPointer(t)
		}
		return types.NewPointer(g.basicType())
	case 9:
		return g.funcType()
	case 10:
		if len(g.ifaces) > 0 {
			return pick(g, g.ifaces...)
		}
		return tAny
	case 11:
		return tAny
	case 12:
		return tError
	}
	if t := g.ownType(nil); t != nil {
		return t
	}
	return g.basicType()
}

// funcType returns one of a few func types, so that values of them meet.
func (g *gen) funcType() *types.Signature {
	return pick(g,
		g.sig(nil, tInt), g.sig([]types.Type{tInt}, tInt), g.sig([]types.Type{tString}, tString),
		g.sig([]types.Type{tInt}, tBool), g.sig(nil, tString), g.sig([]types.Type{tFloat, tFloat}, tFloat))
}

func (g *gen) sig(params []types.Type, results ...types.Type) *types.Signature {
	return types.NewSignatureType(nil, nil, nil, g.tuple(params), g.tuple(results), false)
}

func (g *gen) tuple(list []types.Type) *types.Tuple {
	vars := make([]*types.Var, len(list))
	for i, t := range list {
		vars[i] = types.NewVar(token.NoPos, g.pkg, "", t)
	}
	return types.NewTuple(vars...)
}

// newNamed declares a type of the program.
func (g *gen) newNamed(name string, u types.Type) *types.Named {
	n := types.NewNamed(types.NewTypeName(token.NoPos, g.pkg, name, nil), u, nil)
	return n
}

// declareTypes declares the types of the program.
func (g *gen) declareTypes() {
	for range g.r.Intn(5) {
		name := g.fresh("T")
		u, text := g.underlying(name)
		n := g.newNamed(name, u)
		g.named = append(g.named, n)
		g.decls = append(g.decls, text)
	}
	g.planMethods()
}

// underlying returns the underlying type of a new type, and its declaration.
func (g *gen) underlying(name string) (types.Type, string) {
	if g.chance(65) {
		return g.structType(name)
	}
	var u types.Type
	switch g.r.Intn(8) {
	case 0:
		u = types.NewSlice(g.anyType(1))
	case 1:
		u = types.NewArray(g.anyType(1), int64(g.between(2, 3)))
	case 2:
		u = types.NewMap(g.basicKey(), g.anyType(1))
	case 3:
		u = g.funcType()
	default:
		u = g.basicType()
	}
	return u.Underlying(), fmt.Sprintf("type %s %s\n", name, g.ts(u))
}

// structType makes a struct, sometimes with another one embedded.
func (g *gen) structType(name string) (types.Type, string) {
	var fields []*types.Var
	var b strings.Builder
	fmt.Fprintf(&b, "type %s struct {\n", name)
	if base := g.ownType(isStruct); base != nil && g.chance(25) {
		t := base
		if g.chance(30) {
			t = types.NewPointer(base)
		}
		fields = append(fields, types.NewField(token.NoPos, g.pkg, base.(*types.Named).Obj().Name(), t, true))
		fmt.Fprintf(&b, "\t%s\n", g.ts(t))
	}
	for i := range g.between(1, 4) {
		t := g.anyType(pick(g, 0, 1, 1, 2))
		if _, ok := t.(*types.Named); ok && len(fields) > 0 && fields[0].Embedded() && types.Identical(fields[0].Type(), t) {
			t = tInt
		}
		field := pick(g, "a", "b", "n", "name", "count", "list", "V", "Max") + fmt.Sprint(i)
		fields = append(fields, types.NewField(token.NoPos, g.pkg, field, t, false))
		fmt.Fprintf(&b, "\t%s %s\n", field, g.ts(t))
	}
	b.WriteString("}\n")
	return types.NewStruct(fields, nil), b.String()
}

// method is a kind of method that types of programs have.
type method struct {
	name    string
	params  []types.Type
	results []types.Type
}

func vocabulary() []method {
	return []method{
		{"Name", nil, []types.Type{tString}},
		{"Val", nil, []types.Type{tInt}},
		{"Scale", []types.Type{tInt}, []types.Type{tFloat}},
		{"Add", []types.Type{tInt}, nil},
		{"Pair", nil, []types.Type{tInt, tError}},
		{"String", nil, []types.Type{tString}},
	}
}

func (g *gen) methodSig(recv types.Type, m method) *types.Signature {
	var r *types.Var
	if recv != nil {
		r = types.NewVar(token.NoPos, g.pkg, "x", recv)
	}
	return types.NewSignatureType(r, nil, nil, g.tuple(m.params), g.tuple(m.results), false)
}

// planMethods gives the types methods, whose bodies are written later, and
// declares interfaces of them.
func (g *gen) planMethods() {
	all := vocabulary()
	for _, n := range g.named {
		if _, isFunc := n.Underlying().(*types.Signature); isFunc && g.chance(70) {
			continue
		}
		pointer := isStruct(n) && g.chance(40)
		taken := g.fieldNames(n)
		for _, m := range all {
			if !g.chance(35) || taken[m.name] || m.name == "String" && g.chance(60) {
				continue
			}
			var recv types.Type = n
			if pointer || isStruct(n) && g.chance(10) {
				recv = types.NewPointer(n)
			}
			n.AddMethod(types.NewFunc(token.NoPos, g.pkg, m.name, g.methodSig(recv, m)))
		}
	}
	for range g.r.Intn(3) {
		g.declareInterface(all)
	}
}

func (g *gen) fieldNames(n *types.Named) map[string]bool {
	names := make(map[string]bool)
	if s, ok := n.Underlying().(*types.Struct); ok {
		for f := range s.Fields() {
			names[f.Name()] = true
		}
	}
	return names
}

// declareInterface declares an interface that some type implements.
func (g *gen) declareInterface(all []method) {
	var methods []*types.Func
	var b strings.Builder
	name := g.fresh("I")
	fmt.Fprintf(&b, "type %s interface {\n", name)
	for _, i := range g.r.Perm(len(all))[:g.between(1, 2)] {
		m := all[i]
		sig := g.methodSig(nil, m)
		methods = append(methods, types.NewFunc(token.NoPos, g.pkg, m.name, sig))
		fmt.Fprintf(&b, "\t%s%s\n", m.name, strings.TrimPrefix(g.ts(sig), "func"))
	}
	b.WriteString("}\n")
	u := types.NewInterfaceType(methods, nil)
	u.Complete()
	n := g.newNamed(name, u)
	if len(g.implementers(n)) == 0 {
		return
	}
	g.ifaces = append(g.ifaces, n)
	g.decls = append(g.decls, b.String())
}

// implementers returns the types of the program whose values are an interface.
func (g *gen) implementers(i types.Type) []types.Type {
	u := under(i).(*types.Interface)
	var list []types.Type
	for _, n := range g.named {
		switch {
		case types.Implements(n, u):
			list = append(list, n)
		case types.Implements(types.NewPointer(n), u):
			list = append(list, types.NewPointer(n))
		}
	}
	return list
}
