package check

import (
	"go/ast"
	"go/token"
	"go/types"
)

// A conversion is a value that becomes an interface. Most differences of the interpreter
// are there, because a value of a type of the script carries no type that the library could
// see.
type conversion struct {
	value ast.Expr
	from  types.Type // not an interface
	to    types.Type // an interface
	how   way
	call  *ast.CallExpr // of an argument
}

// way says how a value becomes an interface.
type way int

const (
	byAssignment  way = iota // x = v
	byDeclaration            // var x I = v
	byReturn                 // return v
	byArgument               // f(v)
	byVariadic               // f(v) where the parameter is ...I
	byElement                // an element of a composite literal, or of append
	byField                  // a field in a composite literal of a struct
	byKey                    // a key of a map
	byExplicit               // I(v)
	byComparison             // x == v
	bySend                   // c <- v
	byPanic                  // panic(v)
)

// conversions returns every conversion of a node, not of its children.
func (p *pass) conversions(n ast.Node) []conversion {
	var list []conversion
	add := func(value ast.Expr, to types.Type, how way, call *ast.CallExpr) {
		from := p.typeOf(value)
		if isInterface(from) || !isInterface(to) || p.isNil(value) {
			return
		}
		if b, ok := from.(*types.Basic); ok && b.Kind() == types.Invalid {
			return
		}
		list = append(list, conversion{value, from, to, how, call})
	}
	switch n := n.(type) {
	case *ast.AssignStmt:
		if len(n.Lhs) == len(n.Rhs) && n.Tok == token.ASSIGN {
			for i := range n.Lhs {
				add(n.Rhs[i], p.typeOf(n.Lhs[i]), byAssignment, nil)
			}
		}
	case *ast.ValueSpec:
		if n.Type != nil {
			for _, v := range n.Values {
				add(v, p.typeOf(n.Type), byDeclaration, nil)
			}
		}
	case *ast.ReturnStmt:
		p.returnConversions(n, add)
	case *ast.CallExpr:
		p.callConversions(n, add)
	case *ast.CompositeLit:
		p.literalConversions(n, add)
	case *ast.SendStmt:
		if c, ok := p.typeOf(n.Chan).Underlying().(*types.Chan); ok {
			add(n.Value, c.Elem(), bySend, nil)
		}
	case *ast.IndexExpr:
		if m, ok := p.typeOf(n.X).Underlying().(*types.Map); ok {
			add(n.Index, m.Key(), byKey, nil)
		}
	case *ast.BinaryExpr:
		if n.Op == token.EQL || n.Op == token.NEQ {
			add(n.Y, p.typeOf(n.X), byComparison, nil)
			add(n.X, p.typeOf(n.Y), byComparison, nil)
		}
	}
	return list
}

type adder func(value ast.Expr, to types.Type, how way, call *ast.CallExpr)

func (p *pass) returnConversions(n *ast.ReturnStmt, add adder) {
	f, _ := p.function()
	if f == nil || f.Results == nil {
		return
	}
	var results []types.Type
	for _, field := range f.Results.List {
		for range max(1, len(field.Names)) {
			results = append(results, p.typeOf(field.Type))
		}
	}
	if len(results) == len(n.Results) {
		for i, v := range n.Results {
			add(v, results[i], byReturn, nil)
		}
	}
}

func (p *pass) callConversions(n *ast.CallExpr, add adder) {
	if p.info.Types[n.Fun].IsType() {
		if len(n.Args) == 1 {
			add(n.Args[0], p.typeOf(n.Fun), byExplicit, n)
		}
		return
	}
	switch p.builtin(n) {
	case "append":
		if s, ok := p.typeOf(n).Underlying().(*types.Slice); ok && !n.Ellipsis.IsValid() {
			for _, v := range n.Args[1:] {
				add(v, s.Elem(), byElement, n)
			}
		}
		return
	case "panic":
		add(n.Args[0], types.Universe.Lookup("any").Type(), byPanic, n)
		return
	case "":
	default:
		return
	}
	sig, ok := p.typeOf(n.Fun).Underlying().(*types.Signature)
	if !ok {
		return
	}
	last := sig.Params().Len() - 1
	for i, v := range n.Args {
		switch {
		case sig.Variadic() && i >= last && !n.Ellipsis.IsValid():
			if s, ok := sig.Params().At(last).Type().(*types.Slice); ok {
				add(v, s.Elem(), byVariadic, n)
			}
		case i <= last:
			add(v, sig.Params().At(i).Type(), byArgument, n)
		}
	}
}

func (p *pass) literalConversions(n *ast.CompositeLit, add adder) {
	t := p.typeOf(n)
	if ptr, ok := t.Underlying().(*types.Pointer); ok {
		t = ptr.Elem() // an element &T{} written as {}
	}
	for i, e := range n.Elts {
		key, value := ast.Expr(nil), e
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			key, value = kv.Key, kv.Value
		}
		switch u := t.Underlying().(type) {
		case *types.Struct:
			if id, ok := key.(*ast.Ident); ok {
				add(value, p.typeOf(id), byField, nil)
			} else if key == nil && i < u.NumFields() {
				add(value, u.Field(i).Type(), byField, nil)
			}
		case *types.Slice:
			add(value, u.Elem(), byElement, nil)
		case *types.Array:
			add(value, u.Elem(), byElement, nil)
		case *types.Map:
			add(value, u.Elem(), byElement, nil)
			if key != nil {
				add(key, u.Key(), byKey, nil)
			}
		}
	}
}
