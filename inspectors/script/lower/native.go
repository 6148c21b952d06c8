package lower

import (
	"go/ast"
	"go/types"
	"strings"
)

// native makes the arguments of a function of the library.
func (l *lowering) native(e *ast.CallExpr, sig *types.Signature, f *types.Func) string {
	var parts []func() code
	n := sig.Params().Len()
	if l.spreads(e) {
		values, from := l.several(e.Args[0])
		var out []string
		for i, v := range values {
			t := sig.Params().At(min(i, n-1)).Type()
			if sig.Variadic() && i >= n-1 {
				s, _ := t.Underlying().(*types.Slice)
				t = s.Elem()
			}
			out = append(out, l.nativeValue(code{v, atom}, from[i], t, f, nil).text)
		}
		return "(" + strings.Join(out, ", ") + ")"
	}
	for i, a := range e.Args {
		t := sig.Params().At(min(i, n-1)).Type()
		if s, ok := t.(*types.Slice); ok && sig.Variadic() && i >= n-1 && !e.Ellipsis.IsValid() {
			t = s.Elem()
		}
		parts = append(parts, func() code { return l.settle(l.nativeArgument(a, t, f), a) })
	}
	out := strings.Join(texts(l.inOrder(parts...)), ", ")
	if e.Ellipsis.IsValid() {
		out += "..."
	}
	return "(" + out + ")"
}

func (l *lowering) nativeArgument(a ast.Expr, t types.Type, f *types.Func) code {
	if isNil(l.fn.info, a) {
		return code{"nil", atom}
	}
	from := l.typeOf(a)
	if !types.IsInterface(l.subst(t)) {
		c := l.to(a, t)
		if _, ok := from.Underlying().(*types.Signature); ok && c.p != atom {
			return l.steady(c, from)
		}
		return c
	}
	return l.nativeValue(l.expr(a), from, t, f, a)
}

// nativeValue converts a value to the form that a library function takes. Encoders,
// scanners and sorters get values of the script as they are.
func (l *lowering) nativeValue(c code, from, to types.Type, f *types.Func, e ast.Expr) code {
	from = l.subst(from)
	if l.takesRaw(f, from) && f.Pkg().Path() != "sort" && l.mentionsErased(from) {
		l.refuse(l.fn.pos, "structs that are made of each other, in package "+f.Pkg().Path(), "copy what it needs into a struct of its own")
	}
	if scanner := scannerOf(f, from); scanner != nil && l.mentions(from) && l.ownInterface(l.subst(to)) {
		return l.wrap(c, from, scanner)
	}
	if !types.IsInterface(from) && l.mentions(from) && l.ownInterface(l.subst(to)) && l.takesRaw(f, from) {
		return l.steady(c, from)
	}
	if l.ownInterface(from) && (l.takesRaw(f, from) || strings.HasPrefix(f.Pkg().Path(), "encoding/")) && l.ownInterface(l.subst(to)) {
		return l.hold(code{l.host() + ".Raw(" + c.text + ")", call}, from)
	}
	if l.libraryInterface(from) && !isError(from) && l.ownInterface(l.subst(to)) {
		return l.hold(code{l.host() + ".Unwrapped(" + c.text + ")", call}, from)
	}
	c = l.convert(c, from, to, e)
	if l.spaces(f) && l.ownInterface(l.subst(to)) && (types.IsInterface(from) && !isError(from) || l.mentions(from) && isString(from.Underlying())) {
		return l.hold(code{l.host() + ".Printed(" + c.text + ")", call}, from)
	}
	if c.p == call || c.p < primary {
		return l.hold(c, from)
	}
	return c
}

// spaces reports a function that prints a space between operands if none of them is a
// string.
func (l *lowering) spaces(f *types.Func) bool {
	switch f.Pkg().Path() {
	case "fmt", "log":
	default:
		return false
	}
	switch f.Name() {
	case "Print", "Sprint", "Fprint", "Append":
		return true
	}
	return false
}

// takesRaw reports a library function that looks into the values that it gets.
func (l *lowering) takesRaw(f *types.Func, from types.Type) bool {
	path := f.Pkg().Path()
	switch {
	case path == "fmt" && strings.Contains(f.Name(), "can"), path == "sort", strings.HasPrefix(path, "encoding/"):
		return true
	}
	return false
}

// scannerOf returns fmt.Scanner if a function of package fmt scans a value that reads
// itself.
func scannerOf(f *types.Func, from types.Type) types.Type {
	if f.Pkg().Path() != "fmt" || !strings.Contains(f.Name(), "can") {
		return nil
	}
	o := f.Pkg().Scope().Lookup("Scanner")
	if i, ok := o.Type().Underlying().(*types.Interface); ok && types.Implements(from, i) {
		return o.Type()
	}
	return nil
}
