package lower

import (
	"go/ast"
	"go/types"
)

// The interpreter omits an argument that reflect considers zero, which includes a negative
// zero, and a struct or an array whose numbers are all zeros. It does not if the parameter
// is an interface. So possible values of this kind are passed to functions of Core as Any.
// Function literals are called differently, and take them as they are.

// signed reports a type whose values may contain a negative zero.
func (l *lowering) signed(t types.Type) bool {
	switch u := l.subst(t).Underlying().(type) {
	case *types.Basic:
		return u.Info()&(types.IsFloat|types.IsComplex) != 0
	case *types.Array:
		return u.Len() > 0 && l.signed(u.Elem())
	case *types.Struct:
		for f := range u.Fields() {
			if l.signed(f.Type()) {
				return true
			}
		}
	}
	return false
}

// formal returns the type in Core of a parameter of a declared function.
func (l *lowering) formal(t types.Type) string {
	if l.signed(t) {
		return l.host() + ".Any"
	}
	return l.typ(t)
}

// handed converts the code of an argument for a function that is declared in Core. E is its
// expression, or nil.
func (l *lowering) handed(c code, t types.Type, e ast.Expr) code {
	if !l.signed(t) {
		return c
	}
	if e != nil {
		if tv := l.fn.info.Types[e]; tv.Value != nil {
			return l.constant(tv.Value, t, true)
		}
	}
	if c.p == call || c.p < primary {
		return l.holdAs(c, t)
	}
	return c
}
