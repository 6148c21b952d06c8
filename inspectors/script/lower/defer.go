package lower

import (
	"go/ast"
	"go/types"
	"strconv"
	"strings"
)

// deferStmt pushes a call on the function's stack of deferred calls, with its function and
// arguments as they are now. Only a call that may itself recover gets the panic.
func (l *lowering) deferStmt(s *ast.DeferStmt) {
	fun := ast.Unparen(s.Call.Fun)
	handles := true
	if lit, ok := fun.(*ast.FuncLit); ok {
		handles = l.recovers(lit.Body)
		if len(s.Call.Args) == 0 && lit.Type.Results.NumFields() == 0 {
			l.push(l.funcLit(lit).text, handles)
			return
		}
	}
	if named, _ := l.callee(fun); named != nil {
		if d := l.decls[named.Origin()]; d != nil && d.Body != nil {
			handles = l.recovers(d.Body)
		}
	}
	l.push(l.deferred(s.Call, fun), handles)
}

func (l *lowering) push(f string, handles bool) {
	l.line(l.fn.defers + ".Push(" + f + ", " + strconv.FormatBool(handles) + ")")
}

// recovers reports a function that calls recover itself.
func (l *lowering) recovers(body ast.Node) bool {
	found := false
	own(body, func(n ast.Node) {
		if c, ok := n.(*ast.CallExpr); ok {
			if id, ok := ast.Unparen(c.Fun).(*ast.Ident); ok && id.Name == "recover" {
				found = true
			}
		}
	})
	return found
}

// deferred makes a function of a call whose parts are evaluated now.
func (l *lowering) deferred(e *ast.CallExpr, fun ast.Expr) string {
	if name := l.predeclared(e); name != "" {
		return l.deferredBuiltin(e, name)
	}
	sig, _ := l.typeOf(fun).Underlying().(*types.Signature)
	f, _ := l.callee(fun)
	native := f != nil && l.fn.info.Selections[selection(fun)] == nil && !l.translated(f)
	var captured []capture
	name := ""
	if !l.spreads(e) {
		l.operandsFirst(e, fun, sig)
	}
	if native {
		name = l.pkg(f.Pkg().Path(), f.Pkg().Name()) + "." + f.Name()
	} else {
		held := l.hold(l.expr(fun), l.typeOf(fun))
		name = held.text
		captured = append(captured, l.capture(name, sig))
	}
	var args []string
	for i, c := range l.arguments(e, sig, nil, nil) {
		t := sig.Params().At(i).Type()
		v := l.holdAs(c, t)
		captured = append(captured, l.capture(v.text, t))
		args = append(args, v.text)
	}
	text := strings.Join(args, ", ")
	if native && sig.Variadic() {
		text += "..."
	}
	return l.maker(captured, "", "", name+"("+text+")\n")
}

func (l *lowering) deferredBuiltin(e *ast.CallExpr, name string) string {
	if name == "recover" {
		return l.maker(nil, "", "", "return\n")
	}
	var captured []capture
	var args []string
	for _, a := range e.Args {
		t := l.typeOf(a)
		if name == "panic" {
			t = types.Universe.Lookup("any").Type()
		}
		v := l.holdAs(l.to(a, t), t)
		captured = append(captured, l.capture(v.text, t))
		args = append(args, v.text)
	}
	if name == "panic" {
		name = l.host() + ".Panic"
	}
	if name == "clear" {
		name = l.host() + ".Clear"
	}
	return l.maker(captured, "", "", name+"("+strings.Join(args, ", ")+")\n")
}
