package lower

import (
	"fmt"
	"go/ast"
	"go/types"
	"strings"
)

// funcValue makes a value of a declared function. A function of the script is wrapped in a
// literal, because the interpreter's own value of it cannot be returned or put into a list.
func (l *lowering) funcValue(e ast.Expr) code {
	f, targs := l.callee(e)
	if f == nil {
		l.refuse(e.Pos(), "a function that cannot be used as a value", "write a function literal that calls it")
	}
	sig, _ := l.typeOf(e).Underlying().(*types.Signature)
	if !l.translated(f) {
		name := l.pkg(f.Pkg().Path(), f.Pkg().Name()) + "." + f.Name()
		if !sig.Variadic() {
			return code{name, primary}
		}
		return code{l.wrapper(nil, sig, func(args []string) string { return name + "(" + strings.Join(args, ", ") + "...)" }), call}
	}
	name := l.funcName(f, targs)
	return code{l.wrapper(nil, sig, func(args []string) string { return name + "(" + strings.Join(args, ", ") + ")" }), call}
}

// wrapper makes a function literal that makes one call.
func (l *lowering) wrapper(captured []capture, sig *types.Signature, invoke func(args []string) string) string {
	var params, args []string
	for i, v := range vars(sig.Params()) {
		p := fmt.Sprintf("a%s%d", mark, i)
		params, args = append(params, p+" "+l.typ(v.Type())), append(args, p)
	}
	body := l.returning(sig, func() string { return invoke(args) })
	return l.maker(captured, strings.Join(params, ", "), l.results(sig), body)
}

// methodValue makes a function of x.M, with the receiver as it is now; the interpreter
// would look it up at the call.
func (l *lowering) methodValue(sel *ast.SelectorExpr) code {
	t := l.typeOf(sel.X)
	recv, owner := l.receiver(sel, t)
	sig, _ := l.typeOf(sel).Underlying().(*types.Signature)
	f, _ := l.fn.info.Uses[sel.Sel].(*types.Func)
	c := recv()
	held := owner
	if o, _, _ := types.LookupFieldOrMethod(owner, true, f.Pkg(), f.Name()); o != nil && !types.IsInterface(owner) {
		m, _ := o.(*types.Func)
		pointer := isPointer(m.Signature().Recv().Type())
		switch {
		case l.own(deref(owner)) != nil:
			if pointer && !isPointer(owner) {
				held = types.NewPointer(owner)
			} else if !pointer && isPointer(owner) {
				held = deref(owner)
			}
		case pointer && !isPointer(owner):
			held = types.NewPointer(owner)
			if p, ok := c.pointer(); ok {
				c = p
			} else {
				c = code{"&" + c.in(unary), unary}
			}
		}
	}
	x := l.temp()
	l.line(x + " := " + c.text)
	if types.IsInterface(held) {
		l.line(l.host() + ".NotNil(" + x + ")")
	}
	return code{l.wrapper([]capture{l.capture(x, held)}, sig, func(args []string) string {
		var list []code
		for _, a := range args {
			list = append(list, code{a, atom})
		}
		return l.callMethod(code{x, atom}, held, f.Name(), f.Pkg(), list)
	}), call}
}

// methodExpr makes a function of T.M, which takes the receiver first.
func (l *lowering) methodExpr(sel *ast.SelectorExpr) code {
	sig, _ := l.typeOf(sel).Underlying().(*types.Signature)
	f, _ := l.fn.info.Uses[sel.Sel].(*types.Func)
	t := l.typeOf(sel.X)
	return code{l.wrapper(nil, sig, func(args []string) string {
		var list []code
		for _, a := range args[1:] {
			list = append(list, code{a, atom})
		}
		return l.callMethod(code{args[0], atom}, t, f.Name(), f.Pkg(), list)
	}), call}
}
