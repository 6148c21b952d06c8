package check

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// errorType is the interface error.
func errorType() *types.Interface {
	return types.Universe.Lookup("error").Type().Underlying().(*types.Interface)
}

// errorValue refuses a struct, not a pointer to it, as an error in other places
// than a return: the interpreter panics, or prints it raw.
func errorValue(p *pass, n ast.Node) {
	for _, c := range p.conversions(n) {
		o := p.own(c.from)
		if o == nil || isPointer(c.from) || !isStruct(o) || !isError(c.to) || c.how == byReturn || c.how == byElement || c.how == byExplicit || c.how == byComparison {
			continue
		}
		p.fault(c.value, "the interpreter does not make an error of a struct here", "use a pointer: &"+o.Obj().Name()+"{…}, with the method Error on *"+o.Obj().Name())
	}
}

// errorNil refuses a pointer that was declared without a value as an error: in Go
// it is an error that is not nil, and for the interpreter it is nil.
func errorNil(p *pass, n ast.Node) {
	for _, c := range p.conversions(n) {
		v := p.variable(c.value)
		if v == nil || p.own(c.from) == nil || !isPointer(c.from) || !isError(c.to) || c.how == byComparison {
			continue
		}
		if spec, ok := p.facts.declared[v].(*ast.ValueSpec); !ok || len(spec.Values) > 0 {
			continue
		}
		guarded := p.around(func(n ast.Node) bool {
			i, ok := n.(*ast.IfStmt)
			return ok && strings.Contains(types.ExprString(i.Cond), v.Name()+" != nil")
		})
		if guarded == nil {
			p.fault(c.value, "a nil "+p.name(c.from)+" as an error is not nil in Go, and is nil for the interpreter", "return it only where it is not nil: if "+v.Name()+" != nil { return "+v.Name()+" }; return nil")
		}
	}
}

// errorMethod refuses the methods by which package errors would look into an
// error: the interpreter does not show them to it.
func errorMethod(p *pass, n ast.Node) {
	f, ok := n.(*ast.FuncDecl)
	if !ok || f.Recv == nil {
		return
	}
	switch f.Name.Name {
	case "Unwrap", "Is", "As":
	default:
		return
	}
	o, ok := p.info.Defs[f.Name].(*types.Func)
	if !ok || !hasMethod(o.Signature().Recv().Type(), "Error", true) {
		return
	}
	p.fault(f.Name, "package errors does not see the method "+f.Name.Name+" of an error of the script", "wrap with fmt.Errorf and %w, or ask for the type: err.(*E)")
}

// errorsAs refuses errors.As for a type of the script, at which it panics.
func errorsAs(p *pass, n ast.Node) {
	call, ok := n.(*ast.CallExpr)
	if !ok || !p.calls(call, "errors", "As") || len(call.Args) != 2 {
		return
	}
	ptr, ok := p.typeOf(call.Args[1]).Underlying().(*types.Pointer)
	if !ok {
		return
	}
	if t := ptr.Elem(); p.own(t) != nil || p.ownInterface(t) {
		p.fault(call, "errors.As does not know the types of the script", "ask for the type: e, ok := err.(*E); or make the error with errors.New and use errors.Is")
	}
}

// errorsIs refuses errors.Is for an error of a type of the script, which it
// never finds.
func errorsIs(p *pass, n ast.Node) {
	call, ok := n.(*ast.CallExpr)
	if !ok || !p.calls(call, "errors", "Is") || len(call.Args) != 2 {
		return
	}
	if target := call.Args[1]; p.own(p.typeOf(target)) != nil || p.holdsOwn(target) {
		p.fault(target, "errors.Is does not find an error of the script's own type", "make the error with errors.New; or ask for the type: e, ok := err.(*E)")
	}
}

// panicValue refuses panic with a value of the script's own type: what recover
// returns has lost its methods.
func panicValue(p *pass, n ast.Node) {
	for _, c := range p.conversions(n) {
		if c.how == byPanic && p.own(c.from) != nil {
			p.fault(c.value, "what recover returns of a value of the script's own type has lost its methods", "return an error; or panic with a string")
		}
	}
}

// contextKey refuses keys of the script's own types in a context where the
// interpreter cannot tell them from others.
func contextKey(p *pass, n ast.Node) {
	call, ok := n.(*ast.CallExpr)
	if !ok {
		return
	}
	var key ast.Expr
	switch {
	case p.calls(call, "context", "WithValue") && len(call.Args) == 3:
		key = call.Args[1]
	case p.calls(call, "context", "Value") && len(call.Args) == 1:
		key = call.Args[0]
	default:
		return
	}
	o := p.own(p.typeOf(key))
	if o == nil || isPointer(p.typeOf(key)) || isStruct(o) && p.twin(o) == nil && o.Underlying().(*types.Struct).NumFields() > 0 {
		return
	}
	p.fault(key, "the interpreter cannot tell keys of type "+p.name(o)+" from others with the same representation", "pass the value as a parameter")
}

// printedError refuses to print an error by its own type: the interpreter does
// not show its method Error.
func printedError(p *pass, n ast.Node) {
	call, ok := n.(*ast.CallExpr)
	if !ok || !p.prints(call) {
		return
	}
	for _, c := range p.conversions(n) {
		if o := p.own(c.from); o != nil && isAny(c.to) && types.Implements(c.from, errorType()) && !hasMethod(c.from, "String", false) {
			fix := "print its message: " + types.ExprString(c.value) + ".Error()"
			if u, ok := c.value.(*ast.UnaryExpr); ok && u.Op == token.AND {
				fix = "take it into a variable of type error first"
			}
			p.fault(c.value, "the interpreter does not show the method Error of a "+p.name(c.from)+" to "+types.ExprString(call.Fun), fix)
		}
	}
}
