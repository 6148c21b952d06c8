package truth

import (
	"go/ast"
	"go/types"
	"math/rand"
	"sort"
	"strconv"
	"strings"
)

// Shadow gives local variables of a script names that other ones have too, so
// that they hide each other, as they do in what people write. What the script
// does stays the same: a name that would come to mean something else is left as
// it was.
func (l *Library) Shadow(source string, r *rand.Rand) string {
	for range 3 {
		t, faults := l.Check(source)
		if len(faults) > 0 {
			return source
		}
		names := make(map[types.Object]string)
		var locals []types.Object
		for id, o := range t.Info.Defs {
			if v, ok := o.(*types.Var); ok && !v.IsField() && o.Parent() != t.Pkg.Scope() && o.Parent() != nil && id.Name != "_" && id.Name != "ctx" {
				locals = append(locals, o)
			}
		}
		sort.Slice(locals, func(i, j int) bool { return locals[i].Pos() < locals[j].Pos() })
		for _, o := range locals {
			if r.Intn(100) < 25 {
				names[o] = shadowNames()[r.Intn(len(shadowNames()))]
			}
		}
		text := t.renamed(names)
		if text != source && l.same(t, text) {
			source = text
		}
	}
	return source
}

// shadowNames are names that people give to variables, again and again.
func shadowNames() []string {
	return []string{"i", "n", "v", "s", "x", "k", "ok", "err", "list", "m", "name", "f"}
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
