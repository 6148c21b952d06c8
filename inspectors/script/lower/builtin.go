package lower

import (
	"go/ast"
	"go/types"
	"strconv"
	"strings"
)

// builtin translates a call of a predeclared function.
func (l *lowering) builtin(e *ast.CallExpr, name string) code {
	anything := types.Universe.Lookup("any").Type()
	if l.spreads(e) {
		return l.spreadBuiltin(e, name)
	}
	l.callsFirstFor(func(i int) types.Type {
		if s, ok := l.typeOf(e.Args[0]).Underlying().(*types.Slice); ok && name == "append" && i > 0 && !e.Ellipsis.IsValid() {
			return s.Elem()
		}
		return nil
	}, e.Args...)
	switch name {
	case "panic":
		return code{l.host() + ".Panic(" + l.argument(e.Args[0], anything).text + ")", call}
	case "recover":
		return l.hold(code{l.host() + ".Recover()", call}, anything)
	case "append":
		return l.appendCall(e)
	case "make":
		return l.makeCall(e)
	case "new":
		if !l.fn.info.Types[e.Args[0]].IsType() {
			t := l.typeOf(e.Args[0])
			p := l.temp()
			l.line(p + " := new(" + l.typ(t) + ")")
			l.line("*" + p + " = " + l.to(e.Args[0], t).text)
			return code{p, atom}
		}
		return code{"new(" + l.typ(l.typeOf(e.Args[0])) + ")", call}
	case "min", "max":
		return l.minmax(e, name)
	case "clear":
		return code{l.host() + ".Clear(" + l.steady(l.expr(e.Args[0]), l.typeOf(e.Args[0])).text + ")", call}
	case "delete":
		m, _ := l.typeOf(e.Args[0]).Underlying().(*types.Map)
		c := l.inOrder(func() code { return l.operand(e.Args[0]) }, func() code { return l.key2(e.Args[1], m.Key()) })
		return code{"delete(" + c[0].text + ", " + c[1].text + ")", call}
	case "copy":
		c := l.inOrder(func() code { return l.operand(e.Args[0]) }, func() code { return l.bytes(e.Args[1]) })
		return code{"copy(" + c[0].text + ", " + c[1].text + ")", call}
	case "len", "cap":
		if p, ok := l.typeOf(e.Args[0]).Underlying().(*types.Pointer); ok {
			a, _ := p.Elem().Underlying().(*types.Array)
			l.discard(e.Args[0], l.expr(e.Args[0]))
			return code{strconv.FormatInt(a.Len(), 10), constantCode}
		}
		c := l.operand(e.Args[0])
		if _, ok := c.pointer(); ok {
			c = l.hold(c, l.typeOf(e.Args[0]))
		}
		return code{name + "(" + c.text + ")", call}
	}
	var parts []func() code
	for _, a := range e.Args {
		parts = append(parts, func() code {
			if tv := l.fn.info.Types[a]; tv.Value != nil {
				return l.constant(tv.Value, types.Default(tv.Type), true)
			}
			return l.expr(a)
		})
	}
	return code{name + "(" + strings.Join(texts(l.inOrder(parts...)), ", ") + ")", call}
}

// bytes makes the code of a slice, or of the bytes of a string where the string may stand
// for them.
func (l *lowering) bytes(e ast.Expr) code {
	c := l.expr(e)
	if b, ok := l.typeOf(e).Underlying().(*types.Basic); ok && b.Info()&types.IsString != 0 {
		return code{"[]byte(" + c.text + ")", call}
	}
	return c
}

func (l *lowering) appendCall(e *ast.CallExpr) code {
	t := l.typeOf(e)
	s, ok := t.Underlying().(*types.Slice)
	if !ok {
		return l.expr(e.Args[0])
	}
	parts := []func() code{func() code {
		if isNil(l.fn.info, e.Args[0]) {
			return l.holdAs(code{"nil", atom}, t)
		}
		return l.operand(e.Args[0])
	}}
	if e.Ellipsis.IsValid() {
		parts = append(parts, func() code {
			if isNil(l.fn.info, e.Args[1]) {
				return l.holdAs(code{"nil", atom}, t)
			}
			return l.bytes(e.Args[1])
		})
		c := l.inOrder(parts...)
		return code{"append(" + c[0].text + ", " + c[1].text + "...)", call}
	}
	for _, a := range e.Args[1:] {
		parts = append(parts, func() code {
			c := l.part(a, s.Elem())
			if len(e.Args) > 2 && c.p == primary {
				return l.holdAs(c, s.Elem()) // append may overwrite the element
			}
			return c
		})
	}
	c := l.inOrder(parts...)
	if len(c) == 1 {
		return c[0]
	}
	return code{"append(" + strings.Join(texts(c), ", ") + ")", call}
}

// spreadBuiltin translates a builtin whose arguments are the values of one call.
func (l *lowering) spreadBuiltin(e *ast.CallExpr, name string) code {
	values, from := l.several(e.Args[0])
	if s, ok := l.typeOf(e).Underlying().(*types.Slice); ok && name == "append" {
		for i := 1; i < len(values); i++ {
			values[i] = l.steady(l.convert(code{values[i], atom}, from[i], s.Elem(), nil), s.Elem()).text
		}
	}
	if name == "copy" && isString(from[1].Underlying()) {
		values[1] = "[]byte(" + values[1] + ")"
	}
	return code{name + "(" + strings.Join(values, ", ") + ")", call}
}

func (l *lowering) makeCall(e *ast.CallExpr) code {
	t := l.typeOf(e.Args[0])
	if c, ok := t.Underlying().(*types.Chan); ok && c.Dir() != types.SendRecv {
		t = types.NewChan(types.SendRecv, c.Elem())
	}
	parts := []func() code{func() code { return code{l.typ(t), atom} }}
	for _, a := range e.Args[1:] {
		parts = append(parts, func() code {
			c := l.expr(a)
			if b, ok := l.typeOf(a).Underlying().(*types.Basic); ok && b.Kind() != types.Int && c.p != constantCode {
				return code{"int(" + c.text + ")", call}
			}
			return c
		})
	}
	c := code{"make(" + strings.Join(texts(l.inOrder(parts...)), ", ") + ")", call}
	if made := l.typeOf(e.Args[0]); l.typ(made) != l.typ(t) {
		return l.holdAs(c, made)
	}
	return c
}

// minmax translates min and max into ifs. The interpreter does not know them.
func (l *lowering) minmax(e *ast.CallExpr, name string) code {
	t := l.typeOf(e)
	var parts []func() code
	for _, a := range e.Args {
		parts = append(parts, func() code { return l.expr(a) })
	}
	c := l.inOrder(parts...)
	result := l.holdAs(c[0], t)
	op := " < "
	if name == "max" {
		op = " > "
	}
	b, _ := t.Underlying().(*types.Basic)
	for _, next := range c[1:] {
		v := l.holdAs(next, t)
		if b.Info()&types.IsFloat != 0 {
			l.line(result.text + " = " + l.typ(t) + "(" + l.host() + "." + strings.ToUpper(name[:1]) + name[1:] + "(float64(" + result.text + "), float64(" +
				v.text + ")))")
			continue
		}
		l.block("if "+v.text+op+result.text, func() { l.line(result.text + " = " + v.text) })
	}
	return result
}
