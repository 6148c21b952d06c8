package check

import (
	"go/ast"
	"go/constant"
	"go/types"
	"strings"
)

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

// pairVerbs pairs verbs and arguments. It gives up at explicit indexes, which nobody uses
// for values of the script's types.
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

// printedType refuses %T for types of the script, whose names the interpreter does not
// know.
func printedType(p *pass, n ast.Node) {
	call, ok := n.(*ast.CallExpr)
	if !ok || !p.prints(call) {
		return
	}
	for _, v := range p.verbs(call) {
		t := p.typeOf(v.arg)
		if v.name == 'T' && (p.mentionsOwn(t, 0) || isInterface(t) && len(p.facts.boxed) > 0) {
			p.fault(v.arg, "the interpreter does not know the names of the script's types, which %T prints", "write the name")
		}
	}
}

const maxDepth = 6

// mentionsOwn reports a type of the script in t, or a type parameter that may stand for one.
func (p *pass) mentionsOwn(t types.Type, depth int) bool {
	if depth > maxDepth {
		return false
	}
	if p.own(t) != nil {
		return true
	}
	below := func(part types.Type) bool { return p.mentionsOwn(part, depth+1) }
	switch t := types.Unalias(t).(type) {
	case *types.TypeParam:
		return p.instancesMentionOwn(depth)
	case *types.Chan:
		return below(t.Elem())
	case *types.Signature:
		for _, tuple := range []*types.Tuple{t.Params(), t.Results()} {
			for v := range tuple.Variables() {
				if below(v.Type()) {
					return true
				}
			}
		}
		return false
	}
	return anyPart(t, false, func(part types.Type, _ *types.Var) bool { return below(part) })
}

// instancesMentionOwn reports whether any type argument in the script mentions a type of it.
func (p *pass) instancesMentionOwn(depth int) bool {
	for _, inst := range p.info.Instances {
		for arg := range inst.TypeArgs.Types() {
			if _, isParam := types.Unalias(arg).(*types.TypeParam); !isParam && p.mentionsOwn(arg, depth+1) {
				return true
			}
		}
	}
	return false
}

// anyPart reports whether ask is true for a part of a type: an element, a key, the target
// of a pointer and, if fields is set or t has no name, a field, which is passed too.
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
