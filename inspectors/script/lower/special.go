package lower

import (
	"go/ast"
	"go/types"
)

// special translates the calls of the library that must know the script's own
// types: errors.As for one of them, and for an interface that one of them may have.
func (l *lowering) special(e *ast.CallExpr, f *types.Func) (string, bool) {
	if f.Pkg() == nil || f.Pkg().Path() != "errors" || f.Name() != "As" || len(e.Args) != 2 {
		return "", false
	}
	ptr, ok := l.typeOf(e.Args[1]).Underlying().(*types.Pointer)
	if !ok {
		return "", false
	}
	t := ptr.Elem()
	if !l.mentions(t) && (!types.IsInterface(t) || isError(t)) {
		return "", false
	}
	c := l.inOrder(func() code { return l.steady(l.expr(e.Args[0]), l.typeOf(e.Args[0])) }, func() code { return l.hold(l.expr(e.Args[1]), l.typeOf(e.Args[1])) })
	target := c[1].text
	anything := types.Universe.Lookup("any").Type()
	body := l.apart(func() {
		v, ok := l.assert(code{"x", atom}, anything, t)
		l.block("if "+ok, func() { l.line("*" + target + " = " + v) })
		l.line("return " + ok)
	})
	match := l.maker([]capture{l.capture(target, ptr)}, "x "+l.host()+".Any", "bool", body)
	boxed := l.steady(l.convert(c[1], ptr, anything, nil), anything)
	return l.host() + ".As(" + c[0].text + ", " + boxed.text + ", " + match + ")", true
}
