package lower

import (
	"go/ast"
	"go/types"
	"slices"
	"strconv"
	"strings"
)

func quote(s string) string { return strconv.Quote(s) }

// instanceIdent returns the identifier by which an expression names a generic
// function.
func instanceIdent(e ast.Expr) *ast.Ident {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		return e
	case *ast.SelectorExpr:
		return e.Sel
	case *ast.IndexExpr:
		return instanceIdent(e.X)
	case *ast.IndexListExpr:
		return instanceIdent(e.X)
	}
	return nil
}

// callee returns the function that an expression names, with the types of its
// instance, or nil.
func (l *lowering) callee(e ast.Expr) (*types.Func, []types.Type) {
	id := instanceIdent(e)
	if id == nil {
		return nil, nil
	}
	f, _ := l.fn.info.Uses[id].(*types.Func)
	if f == nil {
		return nil, nil
	}
	var args []types.Type
	if inst, ok := l.fn.info.Instances[id]; ok {
		for t := range inst.TypeArgs.Types() {
			args = append(args, l.subst(t))
		}
	}
	return f, args
}

// translated reports a function that is translated and not in the library.
func (l *lowering) translated(f *types.Func) bool {
	if f.Pkg() == nil {
		return false
	}
	l.declaration(f.Origin())
	return l.infos[f.Pkg()] != nil
}

// call translates a call that yields at most one value.
func (l *lowering) call(e *ast.CallExpr) code {
	if l.fn.info.Types[e.Fun].IsType() {
		return l.conversion(e)
	}
	if name := l.predeclared(e); name != "" {
		return l.builtin(e, name)
	}
	return code{l.callText(e), call}
}

// callText translates a call.
func (l *lowering) callText(e *ast.CallExpr) string {
	sig, _ := l.typeOf(e.Fun).Underlying().(*types.Signature)
	fun := ast.Unparen(e.Fun)
	f, targs := l.callee(fun)
	if !l.spreads(e) {
		l.operandsFirst(e, fun, sig)
	}
	if sel, ok := fun.(*ast.SelectorExpr); ok && f != nil {
		if s := l.fn.info.Selections[sel]; s != nil && s.Kind() == types.MethodVal {
			return l.methodCall(e, sel, f, sig)
		}
	}
	if f != nil && l.fn.info.Selections[selection(fun)] == nil {
		if text, ok := l.special(e, f); ok {
			return text
		}
		if l.translated(f) {
			args := l.arguments(e, sig, nil, l.handed)
			return l.funcName(f, targs) + "(" + strings.Join(texts(args), ", ") + ")"
		}
		return l.pkg(f.Pkg().Path(), f.Pkg().Name()) + "." + f.Name() + l.native(e, sig, f)
	}
	args := l.arguments(e, sig, func() code { return l.function(fun) }, nil)
	return args[0].text + "(" + strings.Join(texts(args[1:]), ", ") + ")"
}

// operandsFirst is callsFirst for the operands of a call.
func (l *lowering) operandsFirst(e *ast.CallExpr, fun ast.Expr, sig *types.Signature) {
	list := operands(fun, e.Args)
	before := len(list) - len(e.Args)
	l.callsFirstFor(func(i int) types.Type {
		i -= before
		last := sig.Params().Len() - 1
		if i < 0 || last < 0 {
			return nil
		}
		t := sig.Params().At(min(i, last)).Type()
		if s, ok := t.Underlying().(*types.Slice); ok && sig.Variadic() && i >= last && !e.Ellipsis.IsValid() {
			return s.Elem()
		}
		return t
	}, list...)
}

// operands returns the expressions that a call evaluates: the operand of the function, and
// the arguments.
func operands(fun ast.Expr, args []ast.Expr) []ast.Expr {
	switch fun := fun.(type) {
	case *ast.SelectorExpr:
		return append([]ast.Expr{fun.X}, args...)
	case *ast.FuncLit:
		return args
	}
	return append([]ast.Expr{fun}, args...)
}

// function makes the code of a called function value.
func (l *lowering) function(fun ast.Expr) code {
	t := l.typeOf(fun)
	c := l.steady(l.expr(fun), t)
	if n := l.own(t); n != nil && recursive(n) {
		return l.hold(code{c.text + ".(" + l.typ(t.Underlying()) + ")", primary}, t)
	}
	return c
}

func selection(e ast.Expr) *ast.SelectorExpr {
	sel, _ := e.(*ast.SelectorExpr)
	return sel
}

func texts(list []code) []string {
	out := make([]string, len(list))
	for i, c := range list {
		out[i] = c.text
	}
	return out
}

// arguments makes the code of an optional receiver and of the arguments for a function in
// Core, which is never variadic. hand, unless nil, converts each argument to the form that
// the function takes.
func (l *lowering) arguments(e *ast.CallExpr, sig *types.Signature, first func() code, hand func(code, types.Type, ast.Expr) code) []code {
	if hand == nil {
		hand = func(c code, _ types.Type, _ ast.Expr) code { return c }
	}
	var parts []func() code
	if first != nil {
		parts = append(parts, first)
	}
	if l.spreads(e) {
		if first != nil {
			c := first()
			if !c.stable() {
				c = l.hold(c, nil)
			}
			parts = []func() code{func() code { return c }}
		}
		values, from := l.several(e.Args[0])
		return l.packed(parts, values, from, sig)
	}
	n := sig.Params().Len()
	for i := range n {
		t := sig.Params().At(i).Type()
		if sig.Variadic() && i == n-1 && !e.Ellipsis.IsValid() {
			parts = append(parts, func() code { return l.rest(e.Args[min(i, len(e.Args)):], t) })
			continue
		}
		parts = append(parts, func() code { return hand(l.argument(e.Args[i], t), t, e.Args[i]) })
	}
	return l.inOrder(parts...)
}

// argument makes the code of an argument.
func (l *lowering) argument(e ast.Expr, t types.Type) code {
	c := l.to(e, t)
	if c.text == "nil" {
		return l.holdAs(c, t)
	}
	if _, ok := l.typeOf(e).Underlying().(*types.Signature); ok && c.p != atom {
		return l.holdAs(c, t)
	}
	if types.IsInterface(l.subst(t)) && (c.p == call || c.p < primary) {
		return l.holdAs(c, t)
	}
	return c
}

// rest makes a slice of the arguments for the last parameter of a function.
func (l *lowering) rest(args []ast.Expr, t types.Type) code {
	if len(args) == 0 {
		return l.holdAs(code{"nil", atom}, t)
	}
	s, _ := l.subst(t).Underlying().(*types.Slice)
	var parts []func() code
	for _, a := range args {
		parts = append(parts, func() code { return l.part(a, s.Elem()) })
	}
	return code{l.typ(t) + "{" + strings.Join(texts(l.inOrder(parts...)), ", ") + "}", primary}
}

// spreads reports a call f(g()) where g yields several values.
func (l *lowering) spreads(e *ast.CallExpr) bool {
	if len(e.Args) != 1 {
		return false
	}
	_, tuple := l.fn.info.TypeOf(e.Args[0]).(*types.Tuple)
	return tuple
}

// packed makes arguments from existing values.
func (l *lowering) packed(parts []func() code, values []string, from []types.Type, sig *types.Signature) []code {
	n := sig.Params().Len()
	for i := range n {
		t := sig.Params().At(i).Type()
		if !sig.Variadic() || i < n-1 {
			parts = append(parts, func() code { return l.convert(code{values[i], atom}, from[i], t, nil) })
			continue
		}
		s, _ := t.Underlying().(*types.Slice)
		var rest []string
		for j := i; j < len(values); j++ {
			rest = append(rest, l.steady(l.convert(code{values[j], atom}, from[j], s.Elem(), nil), s.Elem()).text)
		}
		text := l.typ(t) + "{" + strings.Join(rest, ", ") + "}"
		parts = append(parts, func() code { return code{text, primary} })
	}
	return l.inOrder(parts...)
}

// several writes a call that yields several values into variables, and returns
// those and their types.
func (l *lowering) several(e ast.Expr) ([]string, []types.Type) {
	e = ast.Unparen(e)
	switch x := e.(type) {
	case *ast.CallExpr:
		tuple, _ := l.typeOf(e).(*types.Tuple)
		text := l.callText(x)
		var names []string
		var from []types.Type
		for v := range tuple.Variables() {
			names, from = append(names, l.temp()), append(from, v.Type())
		}
		l.line(strings.Join(names, ", ") + " := " + text)
		return names, from
	case *ast.TypeAssertExpr:
		from := l.typeOf(x.X)
		to := l.typeOf(x.Type)
		v, ok := l.assert(l.holdAs(l.expr(x.X), from), from, to)
		return []string{v, ok}, []types.Type{to, types.Typ[types.Bool]}
	}
	v, ok := l.temp(), l.temp()
	t := l.typeOf(e)
	if tuple, is := t.(*types.Tuple); is {
		t = tuple.At(0).Type()
	}
	switch x := e.(type) {
	case *ast.IndexExpr:
		l.ask(v, ok, t, l.index(x).text)
	case *ast.UnaryExpr:
		l.line(v + ", " + ok + " := <-" + l.expr(x.X).in(unary))
	}
	return []string{v, ok}, []types.Type{t, types.Typ[types.Bool]}
}

// ask sets two new variables to the value in a map or an interface, and to whether it
// exists. If it does not, the interpreter leaves the old value, which in a loop is that of
// the last round; so it is zeroed first.
func (l *lowering) ask(v, ok string, t types.Type, question string) {
	l.line("var " + v + " " + l.typ(t))
	l.line("var " + ok + " bool")
	l.line(v + ", " + ok + " = " + question)
}

// methodCall translates a method call: for the script's own types it is a function call,
// and for an interface of the script a function that looks at the dynamic type.
func (l *lowering) methodCall(e *ast.CallExpr, sel *ast.SelectorExpr, f *types.Func, sig *types.Signature) string {
	t := l.typeOf(sel.X)
	recv, owner := l.receiver(sel, t)
	if types.IsInterface(owner) && l.ownInterface(owner) {
		args := l.arguments(e, sig, recv, l.handed)
		return l.dispatch(f, sig) + "(" + strings.Join(texts(args), ", ") + ")"
	}
	if n := l.own(deref(owner)); n != nil && !types.IsInterface(owner) {
		m := l.methodOf(owner, f)
		args := l.arguments(e, sig, func() code { return l.handed(recv(), m.Signature().Recv().Type(), nil) }, l.handed)
		return l.funcName(m, typeArgs(n)) + "(" + strings.Join(texts(args), ", ") + ")"
	}
	var native string
	var c []code
	before := l.apart(func() { native = l.native(e, sig, f) })
	c = []code{recv()}
	if before != "" && !c[0].stable() {
		c[0] = l.hold(c[0], owner)
	}
	l.fn.out.WriteString(before)
	if c[0].p == call || strings.Contains(c[0].text, ".(") {
		c[0] = l.hold(c[0], owner)
	}
	text := c[0].in(primary)
	if p, ok := c[0].pointer(); ok && !isPointer(owner) {
		text = p.in(primary)
	}
	return text + "." + f.Name() + native
}

func typeArgs(n *types.Named) []types.Type {
	var args []types.Type
	for t := range n.TypeArgs().Types() {
		args = append(args, t)
	}
	return args
}

// methodOf returns the method that a selection means.
func (l *lowering) methodOf(t types.Type, f *types.Func) *types.Func {
	o, _, _ := types.LookupFieldOrMethod(t, true, f.Pkg(), f.Name())
	if m, ok := o.(*types.Func); ok {
		return m
	}
	return f
}

// receiver returns a function that makes the code of a method's receiver in the form that
// the method wants, and the type that declares the method or is the interface.
func (l *lowering) receiver(sel *ast.SelectorExpr, t types.Type) (func() code, types.Type) {
	o, path, _ := types.LookupFieldOrMethod(t, true, l.fn.pkg, sel.Sel.Name)
	f, ok := o.(*types.Func)
	if !ok {
		l.refuse(sel.Pos(), "the method "+sel.Sel.Name+" of "+t.String(), "write it otherwise")
	}
	path, owner := l.promoted(t, path)
	if types.IsInterface(owner) || l.own(deref(owner)) == nil {
		return func() code {
			c, _ := l.fields(l.expr(sel.X), t, path[:len(path)-1])
			if types.IsInterface(owner) {
				return l.steady(c, owner)
			}
			return c
		}, owner
	}
	wantsPointer := isPointer(f.Signature().Recv().Type())
	return func() code {
		if wantsPointer && !isPointer(owner) {
			if len(path) == 1 {
				return l.address(sel.X)
			}
			c, _ := l.fields(l.expr(sel.X), t, path[:len(path)-1])
			return code{"&" + c.in(unary), unary}
		}
		c, _ := l.fields(l.expr(sel.X), t, path[:len(path)-1])
		if !wantsPointer && isPointer(owner) {
			return code{"*" + c.in(unary), unary}
		}
		return c
	}, owner
}

// promoted follows the path to a method up to the type that declares it, or up to a library
// type, which promotes its methods itself.
func (l *lowering) promoted(t types.Type, path []int) ([]int, types.Type) {
	for at, i := range path[:len(path)-1] {
		if l.foreign(t) {
			return append(slices.Clone(path[:at]), -1), t
		}
		s, _ := deref2(t).Underlying().(*types.Struct)
		t = s.Field(i).Type()
	}
	return path, t
}

func deref2(t types.Type) types.Type {
	if p, ok := t.Underlying().(*types.Pointer); ok {
		return p.Elem()
	}
	return t
}

// callMethod calls a method on a value that is in a variable, with arguments that
// are in variables.
func (l *lowering) callMethod(x code, t types.Type, name string, pkg *types.Package, args []code) string {
	o, path, _ := types.LookupFieldOrMethod(t, true, pkg, name)
	f, ok := o.(*types.Func)
	if !ok {
		l.refuse(l.fn.pos, "the method "+name+" of "+t.String(), "write it otherwise")
	}
	path, owner := l.promoted(t, path)
	c, _ := l.fields(x, t, path[:len(path)-1])
	switch {
	case types.IsInterface(owner) && l.ownInterface(owner):
		return l.dispatch(f, f.Signature()) + "(" + strings.Join(texts(append([]code{l.steady(c, owner)}, args...)), ", ") + ")"
	case types.IsInterface(owner) || l.own(deref(owner)) == nil:
		if f.Signature().Variadic() && len(args) > 0 {
			args[len(args)-1].text += "..."
		}
		return c.in(primary) + "." + f.Name() + "(" + strings.Join(texts(args), ", ") + ")"
	}
	wantsPointer := isPointer(f.Signature().Recv().Type())
	switch {
	case wantsPointer && !isPointer(owner):
		c = code{"&" + c.in(unary), unary}
	case !wantsPointer && isPointer(owner):
		c = code{"*" + c.in(unary), unary}
	}
	c = l.handed(c, f.Signature().Recv().Type(), nil)
	return l.funcName(f, typeArgs(l.own(deref(owner)))) + "(" + strings.Join(texts(append([]code{c}, args...)), ", ") + ")"
}

// conversion translates T(x).
func (l *lowering) conversion(e *ast.CallExpr) code {
	to, from := l.typeOf(e.Fun), l.typeOf(e.Args[0])
	if isNil(l.fn.info, e.Args[0]) {
		name := l.temp()
		l.line("var " + name + " " + l.typ(to))
		return code{name, atom}
	}
	if types.IsInterface(to) {
		return l.holdAs(l.to(e.Args[0], to), to)
	}
	tv := l.fn.info.Types[e.Args[0]]
	var x code
	if b, ok := from.(*types.Basic); ok && tv.Value != nil && b.Info()&types.IsUntyped != 0 {
		x = l.constant(tv.Value, types.Default(from), false)
	} else {
		x = l.expr(e.Args[0])
	}
	text := l.typ(to)
	if text == l.typ(from) && tv.Value == nil {
		return x
	}
	if l.mentionsErased(to) || l.mentionsErased(from) {
		l.refuse(e.Pos(), "a conversion between structs that are made of each other", "set the fields one by one")
	}
	if text == l.host()+".Any" {
		return l.holdAs(x, to)
	}
	if strings.HasPrefix(text, "*") || strings.HasPrefix(text, "<-") || strings.HasPrefix(text, "func") {
		text = "(" + text + ")"
	}
	if a, ok := to.Underlying().(*types.Array); ok {
		if _, ok := from.Underlying().(*types.Slice); ok {
			return l.sliceToArray(x, from, a)
		}
	}
	if _, ok := to.Underlying().(*types.Pointer); ok {
		if _, ok := from.Underlying().(*types.Slice); ok {
			s, none := l.steady(x, from), l.temp()
			l.line("var " + none + " " + l.typ(to))
			return l.hold(code{l.host() + ".ArrayPointer(" + s.text + ", " + none + ").(" + l.typ(to) + ")", primary}, to)
		}
	}
	if narrows(from, to) && tv.Value == nil {
		x = code{l.host() + ".Int32(float64(" + x.text + "))", call}
	}
	return code{text + "(" + x.text + ")", call}
}

// narrows reports a conversion of a float that Go makes by way of an int32, and the
// interpreter by way of an int64, which leaves other bits of what is out of range.
func narrows(from, to types.Type) bool {
	f, ok := from.Underlying().(*types.Basic)
	if !ok || f.Info()&types.IsFloat == 0 {
		return false
	}
	t, ok := to.Underlying().(*types.Basic)
	if !ok {
		return false
	}
	switch t.Kind() {
	case types.Int8, types.Int16, types.Int32, types.Uint8, types.Uint16:
		return true
	}
	return false
}

// sliceToArray copies the elements of a slice into an array.
func (l *lowering) sliceToArray(x code, from types.Type, a *types.Array) code {
	s := l.steady(x, from)
	box := l.temp()
	l.line(box + " := new(" + l.box(a) + ")")
	l.line(l.host() + ".Long(len(" + s.text + "), " + strconv.FormatInt(a.Len(), 10) + ")")
	l.line("copy(" + box + ".V[:], " + s.text + ")")
	return code{box + ".V", primary}
}

// arrayOfSlice translates *(*[4]int)(s), which copies the array.
func (l *lowering) arrayOfSlice(e *ast.StarExpr) (code, bool) {
	c, ok := ast.Unparen(e.X).(*ast.CallExpr)
	if !ok || !l.fn.info.Types[c.Fun].IsType() || len(c.Args) != 1 {
		return code{}, false
	}
	from := l.typeOf(c.Args[0])
	if _, ok := from.Underlying().(*types.Slice); !ok {
		return code{}, false
	}
	a, ok := deref2(l.typeOf(c.Fun)).Underlying().(*types.Array)
	if !ok {
		return code{}, false
	}
	return l.sliceToArray(l.expr(c.Args[0]), from, a), true
}
