package check

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
)

// name writes a type as the author does.
func (p *pass) name(t types.Type) string {
	return types.TypeString(t, func(other *types.Package) string {
		if other == p.pkg {
			return ""
		}
		return other.Name()
	})
}

// operationToInterface refuses to assign or to return the result of an operator
// as an interface: the interpreter writes it as if there were none, and the
// function ends there without a result, or panics. Sums, products and bits have
// code of their own and come out right.
func operationToInterface(p *pass, n ast.Node) {
	for _, c := range p.conversions(n) {
		if c.how != byAssignment && c.how != byReturn || p.info.Types[c.value].Value != nil {
			continue
		}
		switch e := ast.Unparen(c.value).(type) {
		case *ast.UnaryExpr:
			if e.Op == token.AND || e.Op == token.ARROW {
				continue
			}
		case *ast.BinaryExpr:
			switch e.Op {
			case token.ADD, token.SUB, token.MUL, token.QUO, token.AND, token.OR, token.XOR, token.AND_NOT:
				continue
			}
		default:
			continue
		}
		p.fault(c.value, "the interpreter loses the result of this operator where it becomes an interface", "take it into a variable of its own type first")
	}
}

// typeAssertion refuses the assertions whose outcome the interpreter gets wrong.
// It compares how values are laid out and not the names of their types.
func typeAssertion(p *pass, n ast.Node) {
	a, ok := n.(*ast.TypeAssertExpr)
	if !ok || a.Type == nil {
		return
	}
	from, to := p.typeOf(a.X), p.typeOf(a.Type)
	if isInterface(to) {
		before := len(p.found)
		p.assertInterface(a, from, to)
		if len(p.found) == before && !isAny(to) && !p.askedForNil(a) {
			p.fault(a, "the interpreter panics at this assertion where the value is nil", "ask before: if "+types.ExprString(a.X)+" != nil")
		}
		return
	}
	if why, fix := p.confused(from, to); why != "" {
		p.fault(a, why, fix)
	}
}

// askedForNil reports whether what an assertion looks at was compared with nil
// before, in the same function, or cannot be nil.
func (p *pass) askedForNil(a *ast.TypeAssertExpr) bool {
	if v := p.variable(a.X); p.isRecover(a.X) || v != nil && p.facts.recovered[v] {
		return true // another rule refuses it in any case
	} else if v != nil && !p.written(v) {
		if spec, ok := p.facts.declared[v].(*ast.ValueSpec); ok && len(spec.Values) == len(spec.Names) && len(spec.Values) > 0 && !isInterface(p.typeOf(spec.Values[0])) {
			return !p.isNil(spec.Values[0])
		}
	}
	asked, text := false, types.ExprString(a.X)
	_, body := p.function()
	if body == nil {
		return false
	}
	ast.Inspect(body, func(n ast.Node) bool {
		b, ok := n.(*ast.BinaryExpr)
		if ok && b.Pos() < a.Pos() && (p.isNil(b.Y) && types.ExprString(b.X) == text || p.isNil(b.X) && types.ExprString(b.Y) == text) {
			asked = true
		}
		return true
	})
	return asked
}

const switchOnMethod = "give the types a method that tells them apart, and call it: Kind() string"

func (p *pass) assertInterface(a *ast.TypeAssertExpr, from, to types.Type) {
	switch {
	case p.ownInterface(to) && !p.ownInterface(from):
		p.fault(a, "the interpreter finds the methods of "+p.name(to)+" on no value that is held as "+p.name(from), "hold the values as "+p.name(to)+" from the start; for an error of the library use errors.As")
	case isAny(to) || isError(to):
	case isAny(from) || p.ownInterface(from) && p.libraryInterface(to):
		for o := range p.facts.boxed {
			if i, ok := to.Underlying().(*types.Interface); ok && (types.Implements(o, i) || types.Implements(types.NewPointer(o), i)) {
				p.fault(a, "the interpreter does not find the method on a value of type "+p.name(o), "hold the values as "+p.name(to)+" from the start")
				return
			}
		}
	}
}

// confused says why the interpreter cannot tell whether a value held as from is
// of the concrete type to, and what to do, or returns "".
func (p *pass) confused(from, to types.Type) (why, fix string) {
	o := p.own(to)
	if o == nil {
		if other := p.alike(to); other != nil && (isAny(from) || isInterface(from)) {
			return fmt.Sprintf("the interpreter cannot tell %s from %s, which has the same representation", p.name(to), p.name(other)), "put values of one of the two into a struct"
		}
		return "", ""
	}
	switch {
	case !isStruct(o) && isAny(from) && p.mixed(o):
		return fmt.Sprintf("the interpreter cannot tell %s from %s", p.name(o), p.name(o.Underlying())), "put it into a struct"
	case p.twin(o) != nil:
		return fmt.Sprintf("the interpreter cannot tell %s from %s, which has the same representation", p.name(o), p.name(p.twin(o))), "give one of the two a field more; or " + switchOnMethod
	case isStruct(o) && !isPointer(to) && p.libraryInterface(from):
		return fmt.Sprintf("the interpreter does not find a %s that is held as %s", p.name(to), p.name(from)), "use pointers: &" + p.name(o) + "{…} and x.(*" + p.name(o) + ")"
	}
	return "", ""
}

// mixed reports a type of the script, not a struct, beside which values of
// another type with the same representation may be held as any: those that the
// script makes, and those that come from package encoding/json.
func (p *pass) mixed(o *types.Named) bool {
	switch u := o.Underlying().(type) {
	case *types.Basic:
		if u.Kind() == types.String || u.Kind() == types.Float64 || u.Kind() == types.Bool {
			return true
		}
	case *types.Map:
		return isInterface(u.Elem())
	case *types.Slice:
		return isInterface(u.Elem())
	}
	for _, t := range p.facts.held {
		if !types.Identical(t, o) && types.Identical(t.Underlying(), o.Underlying()) {
			return true
		}
	}
	return false
}

// typeSwitch refuses the cases of a type switch that the interpreter gets wrong.
func typeSwitch(p *pass, n ast.Node) {
	s, ok := n.(*ast.TypeSwitchStmt)
	if !ok {
		return
	}
	var from types.Type
	ast.Inspect(s.Assign, func(n ast.Node) bool {
		if a, ok := n.(*ast.TypeAssertExpr); ok && from == nil {
			from = p.typeOf(a.X)
		}
		return true
	})
	if from == nil {
		return
	}
	for _, clause := range s.Body.List {
		c := clause.(*ast.CaseClause)
		for _, e := range c.List {
			if why, fix := p.confusedCase(from, e, len(c.List)); why != "" {
				p.fault(e, why, fix)
			}
		}
	}
}

func (p *pass) confusedCase(from types.Type, e ast.Expr, count int) (why, fix string) {
	to := p.typeOf(e)
	if p.isNil(e) {
		if p.ownInterface(from) {
			return "the interpreter does not take this case for a nil " + p.name(from), "ask before the switch: if x == nil"
		}
		return "", ""
	}
	const ask = "ask before the switch: if v, ok := x.(%s); ok"
	switch {
	case isInterface(to):
		return "the interpreter does not take the case of an interface", fmt.Sprintf(ask, p.name(to))
	case holdsInterface(to):
		return "the interpreter does not take the case of a type that is made of interfaces", fmt.Sprintf(ask, p.name(to))
	case p.own(to) != nil && count > 1:
		return "the interpreter does not take a case of several types with one of the script's own", "write a case for each"
	case p.own(to) != nil && p.libraryInterface(from):
		return "the interpreter does not take the case of a type of the script for a value that is held as " + p.name(from), fmt.Sprintf(ask, p.name(to))
	}
	return p.confused(from, to)
}

// holdsInterface reports a slice, array, map, channel or pointer of an interface
// type.
func holdsInterface(t types.Type) bool {
	if !isLiteral(t) {
		return false
	}
	switch t := t.(type) {
	case *types.Slice:
		return isInterface(t.Elem()) || holdsInterface(t.Elem())
	case *types.Array:
		return isInterface(t.Elem()) || holdsInterface(t.Elem())
	case *types.Pointer:
		return isInterface(t.Elem())
	case *types.Chan:
		return isInterface(t.Elem())
	case *types.Map:
		return isInterface(t.Elem()) || isInterface(t.Key()) || holdsInterface(t.Elem())
	}
	return false
}

// comparison refuses to compare interfaces that hold values of the script's own
// types: the interpreter compares how they are wrapped.
func comparison(p *pass, n ast.Node) {
	b, ok := n.(*ast.BinaryExpr)
	if !ok || b.Op != token.EQL && b.Op != token.NEQ || p.isNil(b.X) || p.isNil(b.Y) {
		return
	}
	x, y := p.typeOf(b.X), p.typeOf(b.Y)
	if !isInterface(x) && !isInterface(y) {
		return
	}
	const fix = "compare what they hold: a field, or what a method returns"
	switch {
	case p.ownInterface(x) || p.ownInterface(y):
		p.fault(b, "the interpreter compares how the values are wrapped, and finds them different", fix)
	case p.comparedWrong(x) || p.comparedWrong(y):
		p.fault(b, "the interpreter does not compare a value of the script's own type with an interface", fix)
	case isError(x) && isError(y) && (p.holdsOwn(b.X) || p.holdsOwn(b.Y)):
		p.fault(b, "the interpreter does not compare an error of the script's own type", "make the error with errors.New, or ask for its type: err.(*E)")
	case !isInterface(x) && p.alike(x) != nil, !isInterface(y) && p.alike(y) != nil:
		p.fault(b, "the interpreter cannot tell this type from one of the script's own with the same representation", fix)
	}
}

// comparedWrong reports a type of the script of which the interpreter does not
// compare values with an interface: one with methods, or one that it cannot tell
// from another.
func (p *pass) comparedWrong(t types.Type) bool {
	o := p.own(t)
	return o != nil && !isInterface(t) && (o.NumMethods() > 0 || !isStruct(o) || p.twin(o) != nil)
}

// holdsOwn reports a variable of an interface type that was declared with a
// value of the script's own type.
func (p *pass) holdsOwn(e ast.Expr) bool {
	v := p.variable(e)
	if v == nil {
		return false
	}
	spec, ok := p.facts.declared[v].(*ast.ValueSpec)
	if !ok {
		return false
	}
	for i, name := range spec.Names {
		if p.variable(name) == v && i < len(spec.Values) {
			return p.own(p.typeOf(spec.Values[i])) != nil && !isInterface(p.typeOf(spec.Values[i]))
		}
	}
	return false
}

// interfaceKey refuses values of the script's own types as keys of a map whose
// keys are interfaces: the interpreter mixes the types up, or panics.
func interfaceKey(p *pass, n ast.Node) {
	for _, c := range p.conversions(n) {
		o := p.own(c.from)
		if c.how == byKey && o != nil && (!isAny(c.to) || !isStruct(o)) {
			p.fault(c.value, "the interpreter mixes up values of the script's own types as keys that are interfaces", "give the map keys of one type")
		}
	}
}

// explicitConversion refuses I(v) where I is an interface of the library and v
// of a type of the script: the interpreter does not wrap it.
func explicitConversion(p *pass, n ast.Node) {
	for _, c := range p.conversions(n) {
		if c.how == byExplicit && p.own(c.from) != nil && p.libraryInterface(c.to) {
			p.fault(c.value, "the interpreter does not make a "+p.name(c.to)+" of it here", "declare a variable: var x "+p.name(c.to)+" = …")
		}
	}
}

// libraryField refuses a value of the script's own type as a field of a literal
// of a type of the library, at which the interpreter panics.
func libraryField(p *pass, n ast.Node) {
	lit, ok := n.(*ast.CompositeLit)
	if !ok || p.own(p.typeOf(lit)) != nil || isLiteral(p.typeOf(lit)) {
		return
	}
	for _, c := range p.conversions(n) {
		if c.how == byField && p.own(c.from) != nil && !isAny(c.to) {
			p.fault(c.value, "the interpreter panics at a value of the script's own type in a literal of "+p.name(p.typeOf(lit)), "set the field after the literal: x.Field = v")
		}
	}
}

// variadicInterface refuses values of the script's own types for a parameter
// ...I of the library, at which the interpreter panics.
func variadicInterface(p *pass, n ast.Node) {
	for _, c := range p.conversions(n) {
		if c.how != byVariadic || p.own(c.from) == nil || isAny(c.to) {
			continue
		}
		if f := p.callee(c.call); f != nil && f.Pkg() != p.pkg {
			p.fault(c.value, "the interpreter panics at a value of the script's own type here", "declare a variable: var x "+p.name(c.to)+" = …, and pass that")
		}
	}
}

// embeddedMethods refuses a struct as an interface whose methods it has from an
// embedded interface, or from an embedded type of the library: the interpreter
// does not find them.
func embeddedMethods(p *pass, n ast.Node) {
	for _, c := range p.conversions(n) {
		o := p.own(c.from)
		if o == nil || isAny(c.to) {
			continue
		}
		i := c.to.Underlying().(*types.Interface)
		for j := range i.NumMethods() {
			m := i.Method(j)
			found, index, _ := types.LookupFieldOrMethod(c.from, true, p.pkg, m.Name())
			if f, ok := found.(*types.Func); ok && len(index) > 1 && (f.Pkg() != p.pkg || isInterface(f.Signature().Recv().Type())) {
				p.fault(c.value, "the interpreter does not find the embedded method "+m.Name()+" on a "+p.name(c.to), "name the field and write the method: func (x "+o.Obj().Name()+") "+m.Name()+"…")
				break
			}
		}
	}
}
