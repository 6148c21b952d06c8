package generate

import (
	"fmt"
	"go/types"
	"strings"
)

// show prints a value, whatever its type, by its parts of basic types.
func (g *gen) show(name string, t types.Type) {
	if g.fn.times > 60 {
		g.p("_ = %s", name)
		return
	}
	g.use("fmt")
	leaves := g.leaves(name, t, 3)
	if len(leaves) > 6 {
		g.r.Shuffle(len(leaves), func(i, j int) { leaves[i], leaves[j] = leaves[j], leaves[i] })
		leaves = leaves[:6]
	}
	if len(leaves) == 0 {
		g.p("_ = %s", name)
		return
	}
	g.p("fmt.Println(%q, %s)", name, strings.Join(leaves, ", "))
}

// leaves returns the parts of a value that can be printed.
func (g *gen) leaves(e string, t types.Type, depth int) []string {
	if depth == 0 {
		return nil
	}
	switch u := under(t).(type) {
	case *types.Basic:
		return []string{e}
	case *types.Struct:
		var list []string
		for f := range u.Fields() {
			list = append(list, g.leaves(e+"."+f.Name(), f.Type(), depth-1)...)
		}
		return list
	case *types.Array:
		if g.plain(u.Elem()) {
			return []string{e}
		}
		return g.leaves(fmt.Sprintf("%s[%d]", e, g.r.Intn(int(u.Len()))), u.Elem(), depth-1)
	case *types.Slice:
		list := []string{"len(" + e + ")"}
		if g.plain(u.Elem()) {
			list = append(list, e)
		}
		return list
	case *types.Map:
		list := []string{"len(" + e + ")"}
		if g.plain(u.Elem()) && basic(u.Key()) != nil && namedOf(u.Key()) == nil {
			list = append(list, e)
		}
		return list
	case *types.Pointer:
		if s, ok := under(u.Elem()).(*types.Struct); ok && namedOf(t) == nil {
			var list []string
			for f := range s.Fields() {
				list = append(list, g.leaves(e+"."+f.Name(), f.Type(), depth-1)...)
			}
			return list
		}
		if basic(u.Elem()) != nil {
			return []string{"*" + e}
		}
		return nil
	case *types.Signature:
		return nil
	case *types.Interface:
		return g.interfaceLeaves(e, t, u)
	}
	return nil
}

// plain reports a type whose values print the same by themselves and in a list.
func (g *gen) plain(t types.Type) bool { return basic(t) != nil && namedOf(t) == nil }

func (g *gen) interfaceLeaves(e string, t types.Type, u *types.Interface) []string {
	if types.Identical(t, tError) {
		return []string{e + " == nil", "fmt.Sprint(" + e + ")"}
	}
	var list []string
	if u.NumMethods() == 0 {
		return []string{e + " == nil"}
	}
	if g.fn.level < levelFunction {
		return nil
	}
	for m := range u.Methods() {
		if m.Signature().Params().Len() == 0 && m.Signature().Results().Len() == 1 {
			list = append(list, e+"."+m.Name()+"()")
		}
	}
	return list
}

// trace prints the values of expressions.
func (g *gen) trace() {
	if g.fn.times > 60 {
		return
	}
	g.use("fmt")
	var list []string
	for range g.between(1, 3) {
		list = append(list, g.e(g.basicType(), 2))
	}
	g.p("fmt.Println(%s)", strings.Join(list, ", "))
}

// helper declares a helper function of the program once.
func (g *gen) helper(name, text string) {
	if text == "" || g.helpers[name] {
		return
	}
	g.helpers[name] = true
	g.decls = append(g.decls, text)
}
