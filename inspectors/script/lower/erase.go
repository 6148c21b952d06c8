package lower

import (
	"go/ast"
	"go/types"
)

// The interpreter builds struct types incorrectly if they refer to each other, have
// functions that take or return them, or maps that have them as keys. So a field that leads
// back to its own struct in such a way is Any in Core: a pointer, slice, map, channel or
// function. It gets its type back where it is read.

// erased reports such a field of a struct.
func (l *lowering) erased(t types.Type, i int) bool {
	t = types.Unalias(deref2(t))
	s, ok := t.Underlying().(*types.Struct)
	if _, named := t.(*types.Named); !ok || named && l.own(t) == nil {
		return false
	}
	fields, known := l.erasures[t]
	if !known {
		key := l.key(t)
		for f := range s.Fields() {
			fields = append(fields, l.leadsBack(key, f.Type()))
		}
		l.erasures[t] = fields
	}
	return fields[i]
}

// leadsBack reports the type of a field of a struct, given by its key, that is erased.
func (l *lowering) leadsBack(key string, field types.Type) bool {
	switch field.Underlying().(type) {
	case *types.Pointer, *types.Slice, *types.Map, *types.Chan, *types.Signature:
	default:
		return false
	}
	back := false
	l.structs(field, func(t types.Type, odd bool) {
		self := l.key(t) == key
		back = back || self && odd || !self && l.reaches(t, key, make(map[string]bool))
	})
	return back
}

// reaches reports a struct that contains another one, given by its key, at any depth.
func (l *lowering) reaches(from types.Type, key string, seen map[string]bool) bool {
	if seen[l.key(from)] {
		return false
	}
	seen[l.key(from)] = true
	found := false
	s, _ := from.Underlying().(*types.Struct)
	for f := range s.Fields() {
		l.structs(f.Type(), func(t types.Type, _ bool) {
			found = found || l.key(t) == key || l.reaches(t, key, seen)
		})
	}
	return found
}

// structs visits the structs of the script that a type mentions, and does not look into
// those. Odd says that the struct was reached through a function or the key of a map.
func (l *lowering) structs(t types.Type, visit func(t types.Type, odd bool)) {
	v := &structVisitor{l: l, visit: visit, seen: make(map[types.Type]bool)}
	v.look(t, false)
}

type structVisitor struct {
	l     *lowering
	visit func(t types.Type, odd bool)
	seen  map[types.Type]bool // named types that are not structs
}

func (v *structVisitor) look(t types.Type, odd bool) {
	t = types.Unalias(t)
	switch t := t.(type) {
	case *types.Named:
		if v.l.own(t) == nil || v.seen[t] {
			return
		}
		if _, ok := t.Underlying().(*types.Struct); ok {
			v.visit(t, odd)
			return
		}
		v.seen[t] = true
		v.look(t.Underlying(), odd)
		delete(v.seen, t)
	case *types.Pointer:
		v.look(t.Elem(), odd)
	case *types.Slice:
		v.look(t.Elem(), odd)
	case *types.Array:
		v.look(t.Elem(), odd)
	case *types.Chan:
		v.look(t.Elem(), odd)
	case *types.Map:
		v.look(t.Key(), true)
		v.look(t.Elem(), odd)
	case *types.Struct:
		v.visit(t, odd)
	case *types.Signature:
		for _, tuple := range []*types.Tuple{t.Params(), t.Results()} {
			for p := range tuple.Variables() {
				v.look(p.Type(), true)
			}
		}
	}
}

// restored reads a field that is erased.
func (l *lowering) restored(c code, t types.Type) code {
	v, ok := l.temp(), l.temp()
	l.ask(v, ok, t, c.in(primary)+".("+l.typ(t)+")")
	return code{v, atom}
}

// laid converts the code of a value to that for an erased field. A nil pointer is stored as
// nil, so that structs compare as in Go.
func (l *lowering) laid(c code, t types.Type) code {
	if c.text == "nil" {
		return c
	}
	c = l.steady(c, t)
	switch l.subst(t).Underlying().(type) {
	case *types.Pointer, *types.Chan:
		return l.hold(code{l.host() + ".Laid(" + c.text + ")", call}, nil)
	}
	return c
}

// erasedSelector reports an expression that selects a field that is erased.
func (l *lowering) erasedSelector(e ast.Expr) bool {
	sel, ok := ast.Unparen(e).(*ast.SelectorExpr)
	if !ok {
		return false
	}
	s := l.fn.info.Selections[sel]
	if s == nil || s.Kind() != types.FieldVal {
		return false
	}
	path := l.fieldPath(sel, s)
	return l.erased(l.ownerOf(l.typeOf(sel.X), path), path[len(path)-1])
}

// mentionsErased reports a type with fields that are erased in it.
func (l *lowering) mentionsErased(t types.Type) bool {
	found := false
	seen := make(map[string]bool)
	var look func(t types.Type, odd bool)
	look = func(t types.Type, _ bool) {
		if seen[l.key(t)] {
			return
		}
		seen[l.key(t)] = true
		s, _ := t.Underlying().(*types.Struct)
		for i := range s.NumFields() {
			found = found || l.erased(t, i)
			l.structs(s.Field(i).Type(), look)
		}
	}
	l.structs(t, look)
	return found
}
