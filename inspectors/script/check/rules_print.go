package check

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/types"
	"strings"
)

// printMethods are the methods by which a value says how it is printed.
func printMethods() []string { return []string{"String", "Error", "Format", "GoString"} }

// printsItself reports a type of the script with one of the print methods, for
// a value of exactly this type.
func (p *pass) printsItself(t types.Type) bool {
	if p.own(t) == nil || isInterface(t) {
		return false
	}
	for _, m := range printMethods() {
		if hasMethod(t, m, false) {
			return true
		}
	}
	return false
}

// verb is one verb of a format and the argument that it is for.
type verb struct {
	flags string
	name  rune
	arg   ast.Expr
}

// verbs returns the verbs of a call of fmt or log whose format is constant.
func (p *pass) verbs(call *ast.CallExpr) []verb {
	f := p.callee(call)
	if f == nil || !strings.HasSuffix(f.Name(), "f") || call.Ellipsis.IsValid() {
		return nil
	}
	at := f.Signature().Params().Len() - 2
	if at < 0 || at >= len(call.Args) {
		return nil
	}
	value := p.info.Types[call.Args[at]].Value
	if value == nil || value.Kind() != constant.String {
		return nil
	}
	return pairVerbs(constant.StringVal(value), call.Args[at+1:])
}

// pairVerbs pairs verbs and arguments. It gives up at explicit indexes, which
// nobody writes for values of types of their own.
func pairVerbs(format string, args []ast.Expr) []verb {
	var list []verb
	next := 0
	for {
		_, rest, found := strings.Cut(format, "%")
		if !found {
			return list
		}
		end := strings.IndexFunc(rest, func(r rune) bool { return !strings.ContainsRune("+-# 0123456789.*[]", r) })
		if end < 0 || strings.Contains(rest[:end], "[") {
			return list
		}
		flags := rest[:end]
		next += strings.Count(flags, "*")
		name := []rune(rest[end:])[0]
		format = rest[end+len(string(name)):]
		if name == '%' {
			continue
		}
		if next >= len(args) {
			return list
		}
		list = append(list, verb{flags, name, args[next]})
		next++
	}
}

// printedVerb refuses the verbs that show what the interpreter has made of a
// value: the name of its type, the names of its fields, or the wrapper by which
// it has got its methods.
func printedVerb(p *pass, n ast.Node) {
	call, ok := n.(*ast.CallExpr)
	if !ok || !p.prints(call) {
		return
	}
	for _, v := range p.verbs(call) {
		t := p.typeOf(v.arg)
		name := "%" + v.flags + string(v.name)
		switch {
		case v.name == 'T' && (p.mentionsOwn(t, 0) || isInterface(t) && len(p.facts.boxed) > 0):
			p.fault(v.arg, "the interpreter does not know the names of the script's types, which "+name+" prints", "write the name")
		case strings.Contains(v.flags, "#") && v.name == 'v' && p.mentionsOwn(t, 0):
			p.fault(v.arg, "the interpreter does not know the names of the script's types and fields, which "+name+" prints", "print the fields that you need")
		case strings.Contains(v.flags, "+") && v.name == 'v' && p.hidesField(t, 0):
			p.fault(v.arg, "the interpreter prints fields that start with a small letter by other names", "print the fields that you need, or start their names with a capital")
		case p.own(t) != nil && hasMethod(t, "String", false) && !isInterface(t) && !strings.ContainsRune("vsqxXT", v.name):
			p.fault(v.arg, fmt.Sprintf("the interpreter prints its own wrapper of a %s with %s", p.name(t), name), "convert it: int("+types.ExprString(v.arg)+")")
		}
	}
}

const maxDepth = 6

// mentionsOwn reports a type of the script in t.
func (p *pass) mentionsOwn(t types.Type, depth int) bool {
	if depth > maxDepth {
		return false
	}
	if p.own(t) != nil {
		return true
	}
	return anyPart(t, false, func(part types.Type, _ *types.Var) bool { return p.mentionsOwn(part, depth+1) })
}

// hidesField reports a struct of the script in t that has an unexported field.
func (p *pass) hidesField(t types.Type, depth int) bool {
	if depth > maxDepth || !isLiteral(t) && p.own(t) == nil {
		return false
	}
	return anyPart(t, true, func(part types.Type, field *types.Var) bool {
		return field != nil && !field.Exported() || p.hidesField(part, depth+1)
	})
}

// anyPart reports whether ask is true of a type that t is made of: an element, a
// key, what a pointer points to, and, where fields is set or t has no name, a
// field, which is given too.
func anyPart(t types.Type, fields bool, ask func(types.Type, *types.Var) bool) bool {
	switch u := t.Underlying().(type) {
	case *types.Pointer:
		return ask(u.Elem(), nil)
	case *types.Slice:
		return ask(u.Elem(), nil)
	case *types.Array:
		return ask(u.Elem(), nil)
	case *types.Map:
		return ask(u.Key(), nil) || ask(u.Elem(), nil)
	case *types.Struct:
		if !fields && !isLiteral(t) {
			return false
		}
		for i := range u.NumFields() {
			if ask(u.Field(i).Type(), u.Field(i)) {
				return true
			}
		}
	}
	return false
}

// printedNested refuses to print what holds values that print themselves: fmt
// finds their methods natively, and the interpreter shows it the raw value; or
// the other way round in fields that start with a small letter, and for methods
// that only a pointer has.
func printedNested(p *pass, n ast.Node) {
	call, ok := n.(*ast.CallExpr)
	if !ok || !p.prints(call) {
		return
	}
	for _, c := range p.conversions(n) {
		if !isAny(c.to) {
			continue
		}
		t := c.from
		if p.own(t) != nil && !isPointer(t) && !p.printsItself(t) && p.printsItself(types.NewPointer(t)) {
			p.fault(c.value, "the interpreter prints this with the method of a pointer to it", "print the fields that you need")
			continue
		}
		if p.own(t) != nil && p.printsItself(t) {
			continue
		}
		if part := p.printsWithin(t, false, 0); part != nil {
			p.fault(c.value, "the interpreter does not print the "+p.name(part)+" in this as it would print itself", "print the parts one by one")
		}
	}
}

// printsWithin returns a part of t that prints itself, and that the interpreter
// would print otherwise, or nil. hidden says that t stands in an unexported
// field, where Go does not call methods and the interpreter does.
func (p *pass) printsWithin(t types.Type, hidden bool, depth int) types.Type {
	if depth > maxDepth {
		return nil
	}
	if depth > 0 {
		switch {
		case p.ownInterface(t) || p.printsItself(t):
			return t
		case hidden && p.libraryPrints(t):
			return t
		}
	}
	if !isLiteral(t) && p.own(t) == nil || depth > 0 && isPointer(t) {
		return nil
	}
	var found types.Type
	anyPart(t, true, func(part types.Type, field *types.Var) bool {
		found = p.printsWithin(part, hidden || field != nil && !field.Exported(), depth+1)
		return found != nil
	})
	return found
}

// libraryPrints reports a type of the library that prints itself, an error among
// them.
func (p *pass) libraryPrints(t types.Type) bool {
	if p.own(t) != nil || isAny(t) {
		return false
	}
	for _, m := range printMethods() {
		if hasMethod(t, m, false) {
			return true
		}
	}
	return false
}

// printedAny refuses values that print themselves among values of any kind: in
// such company the interpreter prints its own wrapper of them.
func printedAny(p *pass, n ast.Node) {
	for _, c := range p.conversions(n) {
		if !isAny(c.to) || !p.printsItself(c.from) {
			continue
		}
		switch c.how {
		case byElement, byField:
		case byVariadic:
			if f := p.callee(c.call); f == nil || f.Pkg() != p.pkg {
				continue
			}
		default:
			continue
		}
		p.fault(c.value, "among values of any kind the interpreter prints its own wrapper of a "+p.name(c.from), "put its text there: fmt.Sprint("+types.ExprString(c.value)+")")
	}
}
