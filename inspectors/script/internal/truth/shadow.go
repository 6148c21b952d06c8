package truth

import (
	"go/ast"
	"go/types"
	"math/rand"
	"sort"
	"strconv"
	"strings"
)

// Shadow gives local variables of a script names that others have too, so that they hide
// each other, as in code that people write. The script does the same as before: a name that
// would change its meaning is left alone.
func (l *Library) Shadow(source string, r *rand.Rand) string {
	for range 3 {
		t, faults := l.Check(source)
		if len(faults) > 0 {
			return source
		}
		names := make(map[types.Object]string)
		for _, o := range t.local() {
			if r.Intn(100) < 25 {
				names[o] = shadowNames()[r.Intn(len(shadowNames()))]
			}
		}
		source = l.renamedAlike(t, names)
	}
	return l.strange(source, r)
}

// strange gives a few types, functions and variables unexpected names: those of predeclared
// identifiers, of packages, and those that a translation may generate.
func (l *Library) strange(source string, r *rand.Rand) string {
	for range 6 {
		t, faults := l.Check(source)
		if len(faults) > 0 {
			return source
		}
		all := append(t.global(), t.local()...)
		if len(all) == 0 {
			return source
		}
		o := all[r.Intn(len(all))]
		if global := t.global(); len(global) > 0 && r.Intn(2) == 0 {
			o = global[r.Intn(len(global))]
		}
		source = l.renamedAlike(t, map[types.Object]string{o: strangeNames()[r.Intn(len(strangeNames()))]})
	}
	return source
}

// renamedAlike returns the script with other names for some objects where it still
// means the same, and otherwise as it is.
func (l *Library) renamedAlike(t *Typed, names map[types.Object]string) string {
	if text := t.renamed(names); text != t.Source && l.same(t, text) {
		return text
	}
	return t.Source
}

// local returns the variables that are declared in functions, in their order.
func (t *Typed) local() []types.Object {
	return t.declared(func(o types.Object) bool {
		v, ok := o.(*types.Var)
		return ok && !v.IsField() && o.Parent() != t.Pkg.Scope() && o.Name() != "ctx"
	})
}

// global returns the types, functions, constants and variables of the script that may
// have any name, and the types that are declared in functions.
func (t *Typed) global() []types.Object {
	return t.declared(func(o types.Object) bool {
		if _, ok := o.(*types.TypeName); ok {
			return true
		}
		return o.Parent() == t.Pkg.Scope() && o.Name() != "Inspect"
	})
}

func (t *Typed) declared(want func(types.Object) bool) []types.Object {
	var list []types.Object
	for id, o := range t.Info.Defs {
		if o != nil && o.Parent() != nil && id.Name != "_" && id.Name != "init" && want(o) {
			list = append(list, o)
		}
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Pos() < list[j].Pos() })
	return list
}

// shadowNames are names that people give to variables, again and again.
func shadowNames() []string {
	return []string{"i", "n", "v", "s", "x", "k", "ok", "err", "list", "m", "name", "f"}
}

// strangeNames are names that are free for the taking, and that somebody else has
// a use for.
func strangeNames() []string {
	return []string{
		"t", "a", "x", "f", "h0", "a0", "id", "box", "set", "held", "call", "is", "to", "host", "core", "V", "Any", "Object",
		"len", "cap", "append", "any", "string", "int", "float64", "true", "nil", "error", "new", "make", "max", "print", "panic",
		"inspector", "os", "sort", "time", "reflect", "main", "init1", "iota", "T", "t1", "_t", "xT", "Xt",
	}
}

// renamed returns the source with other names for some objects.
func (t *Typed) renamed(names map[types.Object]string) string {
	type edit struct {
		at        int
		old, text string
	}
	var edits []edit
	add := func(id *ast.Ident, o types.Object) {
		if name, ok := names[o]; ok {
			edits = append(edits, edit{t.Fset.Position(id.Pos()).Offset, id.Name, name})
		}
	}
	for id, o := range t.Info.Uses {
		add(id, o)
	}
	for id, o := range t.Info.Defs {
		add(id, o)
	}
	sort.Slice(edits, func(i, j int) bool { return edits[i].at < edits[j].at })
	var b strings.Builder
	end := 0
	for _, e := range edits {
		if e.at < end {
			continue
		}
		b.WriteString(t.Source[end:e.at])
		b.WriteString(e.text)
		end = e.at + len(e.old)
	}
	b.WriteString(t.Source[end:])
	return b.String()
}

// same reports whether a text that differs from a script by names alone is
// well-typed and every name in it means what it meant.
func (l *Library) same(t *Typed, text string) bool {
	other, faults := l.Check(text)
	return len(faults) == 0 && meanings(t) == meanings(other)
}

// meanings lists, for each identifier in order, the place among all identifiers
// at which what it means is declared.
func meanings(t *Typed) string {
	var ids []*ast.Ident
	index := make(map[int]int) // of a declaration's position
	ast.Inspect(t.File, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			index[int(id.Pos())] = len(ids)
			ids = append(ids, id)
		}
		return true
	})
	var b strings.Builder
	for _, id := range ids {
		o := t.Info.Uses[id]
		if o == nil {
			o = t.Info.Defs[id]
		}
		switch {
		case o == nil:
			b.WriteString("-")
		case o.Pkg() == t.Pkg:
			if i, ok := index[int(o.Pos())]; ok {
				b.WriteString(strconv.Itoa(i))
			}
		default:
			b.WriteString("." + o.Name())
		}
		b.WriteByte(' ')
	}
	return b.String()
}
