package lower

import (
	"go/ast"
	"go/types"
)

// The interpreter leaves an argument out where reflect calls it zero, which it does
// of a negative zero too, and of a struct or an array in which every number is one.
// It does not where the parameter is an interface. So what may be such a value is
// handed to the functions of Core as Any. Function literals are called otherwise, and
// take it as it is.

// signed reports a type whose values may have a negative zero in them.
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

// formal returns the type in Core of a parameter of a function that is declared there.
func (l *lowering) formal(t types.Type) string {
	if l.signed(t) {
		return l.host() + ".Any"
	}
	return l.typ(t)
}

// handed makes of the code of an argument that of one for a function that is declared
// in Core. E is where it comes from, or nil.
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
