package script

import (
	"go/ast"
	"go/token"
	"reflect"
)

// rangeOverNumber refuses to range over integers and functions, which came
// after Go 1.21 and make the interpreter panic. Without types, it knows those
// that show it: literals, lengths, conversions, what is declared as such, and
// the results of library functions.
func rangeOverNumber(w *walker, n ast.Node) {
	loop, ok := n.(*ast.RangeStmt)
	if !ok {
		return
	}
	switch w.kindOf(loop.X, 0) {
	case reflect.Int:
		i := "i"
		if key, ok := loop.Key.(*ast.Ident); ok && key.Name != "_" {
			i = key.Name
		}
		w.fault(loop.X.Pos(), "ranging over an integer needs Go 1.22; inspectors are Go 1.21", "write for "+i+" := 0; "+i+" < n; "+i+"++")
	case reflect.Func:
		w.fault(loop.X.Pos(), "ranging over a function needs Go 1.23; inspectors are Go 1.21", "call it with a function that does what the body does")
	}
}

// kindOf tells reflect.Int (any integer), reflect.Func or reflect.Invalid (not
// known, or something else) of an expression.
func (w *walker) kindOf(e ast.Expr, depth int) reflect.Kind {
	if depth > 8 {
		return reflect.Invalid
	}
	switch e := e.(type) {
	case *ast.ParenExpr:
		return w.kindOf(e.X, depth+1)
	case *ast.BasicLit:
		if e.Kind == token.INT || e.Kind == token.CHAR {
			return reflect.Int
		}
	case *ast.FuncLit:
		return reflect.Func
	case *ast.BinaryExpr:
		if x := w.kindOf(e.X, depth+1); x == reflect.Int {
			return x
		}
		return w.kindOf(e.Y, depth+1)
	case *ast.CallExpr:
		return w.kindOfCall(e, depth)
	case *ast.Ident:
		if e.Obj != nil {
			return w.kindOfDeclared(e, depth)
		}
	}
	return reflect.Invalid
}

func (w *walker) kindOfCall(call *ast.CallExpr, depth int) reflect.Kind {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		if f.Obj == nil {
			return kindNamed(f.Name)
		}
		if d, ok := f.Obj.Decl.(*ast.FuncDecl); ok && d.Type.Results.NumFields() == 1 {
			return w.kindOfType(d.Type.Results.List[0].Type)
		}
	case *ast.SelectorExpr:
		x, ok := f.X.(*ast.Ident)
		if !ok || x.Obj != nil {
			return reflect.Invalid
		}
		p, ok := w.imports[x.Name]
		if !ok || !p.Has(f.Sel.Name) {
			return reflect.Invalid
		}
		if t := p.Value(f.Sel.Name).Type(); t.Kind() == reflect.Func && t.NumOut() > 0 {
			return integerOrFunc(t.Out(0))
		}
	}
	return reflect.Invalid
}

// kindOfDeclared follows a name to its declaration.
func (w *walker) kindOfDeclared(name *ast.Ident, depth int) reflect.Kind {
	find := func(names []ast.Expr, values []ast.Expr) reflect.Kind {
		for i, n := range names {
			if id, ok := n.(*ast.Ident); ok && id.Name == name.Name {
				switch {
				case len(values) == len(names):
					return w.kindOf(values[i], depth+1)
				case i == 0 && len(values) == 1:
					return w.kindOf(values[0], depth+1) // the first result of a call
				}
			}
		}
		return reflect.Invalid
	}
	switch d := name.Obj.Decl.(type) {
	case *ast.AssignStmt:
		if len(d.Rhs) == 1 {
			if u, ok := d.Rhs[0].(*ast.UnaryExpr); ok && u.Op == token.RANGE {
				return reflect.Invalid
			}
		}
		return find(d.Lhs, d.Rhs)
	case *ast.ValueSpec:
		if d.Type != nil {
			return w.kindOfType(d.Type)
		}
		names := make([]ast.Expr, len(d.Names))
		for i := range d.Names {
			names[i] = d.Names[i]
		}
		return find(names, d.Values)
	case *ast.Field:
		return w.kindOfType(d.Type)
	case *ast.FuncDecl:
		return reflect.Func
	}
	return reflect.Invalid
}

func (w *walker) kindOfType(t ast.Expr) reflect.Kind {
	switch t := t.(type) {
	case *ast.Ident:
		if t.Obj == nil {
			return kindNamed(t.Name)
		}
		if spec, ok := t.Obj.Decl.(*ast.TypeSpec); ok && spec.Type != t {
			if named, ok := spec.Type.(*ast.Ident); ok && named.Obj == nil {
				return kindNamed(named.Name)
			}
		}
	case *ast.FuncType:
		return reflect.Func
	case *ast.SelectorExpr:
		if x, ok := t.X.(*ast.Ident); ok && w.imports[x.Name].Path != "" && w.imports[x.Name].Has(t.Sel.Name) {
			if typ := w.imports[x.Name].Value(t.Sel.Name).Type(); typ.Kind() == reflect.Pointer {
				return integerOrFunc(typ.Elem())
			}
		}
	}
	return reflect.Invalid
}

// kindNamed is the kind of what a predeclared function or conversion yields.
func kindNamed(name string) reflect.Kind {
	switch name {
	case "len", "cap", "copy", "int", "int8", "int16", "int32", "int64", "uint", "uint8", "uint16", "uint32", "uint64", "uintptr", "byte", "rune":
		return reflect.Int
	}
	return reflect.Invalid
}

func integerOrFunc(t reflect.Type) reflect.Kind {
	switch k := t.Kind(); {
	case k >= reflect.Int && k <= reflect.Uintptr:
		return reflect.Int
	case k == reflect.Func:
		return k
	}
	return reflect.Invalid
}

// rangeAssigns refuses "for k = range", which the interpreter does not assign.
func rangeAssigns(w *walker, n ast.Node) {
	if loop, ok := n.(*ast.RangeStmt); ok && loop.Tok == token.ASSIGN {
		w.fault(loop.Key.Pos(), "the interpreter does not set the variables of a range with =", "write := and assign in the body")
	}
}

// forWithoutCondition refuses a loop whose initialiser the interpreter would
// run again each time round.
func forWithoutCondition(w *walker, n ast.Node) {
	if loop, ok := n.(*ast.ForStmt); ok && loop.Cond == nil && loop.Init != nil {
		w.fault(loop.Pos(), "the interpreter runs the start of a for without a condition each time round", "put the start before the loop, or a condition into it")
	}
}

// breakOutOfSelect refuses "break label" inside a select inside the loop of the
// label, on which the interpreter hangs.
func breakOutOfSelect(w *walker, n ast.Node) {
	b, ok := n.(*ast.BranchStmt)
	if !ok || b.Tok != token.BREAK || b.Label == nil {
		return
	}
	sel := w.around(func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectStmt:
			return true
		case *ast.LabeledStmt:
			return n.Label.Name == b.Label.Name
		}
		return false
	})
	if _, ok := sel.(*ast.SelectStmt); ok {
		w.fault(b.Pos(), "a labelled break out of a select hangs the interpreter", "set a variable that the loop's condition asks, or return from a function of its own")
	}
}

// selectAssigns refuses "case v = <-c", on which the interpreter panics.
func selectAssigns(w *walker, n ast.Node) {
	clause, ok := n.(*ast.CommClause)
	if !ok {
		return
	}
	if a, ok := clause.Comm.(*ast.AssignStmt); ok && a.Tok == token.ASSIGN {
		w.fault(a.Pos(), "a receive into variables that are there already makes the interpreter panic", "write := and assign in the body of the case")
	}
}

// deferInLoop refuses a defer in a loop: the interpreter runs the last of them
// as often as there are, and the others leak.
func deferInLoop(w *walker, n ast.Node) {
	if d, ok := n.(*ast.DeferStmt); ok && w.inLoop() {
		w.fault(d.Pos(), "of the defers in a loop the interpreter runs only the last, as often as there are", "make the body a function of its own, or call it without defer")
	}
}

// deferArguments refuses arguments of a deferred call that may change before
// it: the interpreter evaluates them when the function ends.
func deferArguments(w *walker, n ast.Node) {
	d, ok := n.(*ast.DeferStmt)
	if !ok {
		return
	}
	for _, arg := range d.Call.Args {
		if !constant(arg) {
			w.fault(arg.Pos(), "the interpreter evaluates the arguments of a deferred call when the function ends", "write defer func() { … }() with what you need in variables that do not change")
			return
		}
	}
}

// constant reports expressions that cannot change between a defer and its call.
func constant(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.BasicLit:
		return true
	case *ast.Ident:
		return e.Obj == nil || e.Obj.Kind == ast.Con
	case *ast.SelectorExpr:
		x, ok := e.X.(*ast.Ident)
		return ok && x.Obj == nil
	case *ast.UnaryExpr:
		return e.Op != token.ARROW && constant(e.X)
	case *ast.BinaryExpr:
		return constant(e.X) && constant(e.Y)
	}
	return false
}

// assignsThroughIndex refuses "m[k], err = f()", of which the interpreter does
// not write the entry.
func assignsThroughIndex(w *walker, n ast.Node) {
	a, ok := n.(*ast.AssignStmt)
	if !ok || len(a.Lhs) < 2 || len(a.Rhs) != 1 {
		return
	}
	for _, lhs := range a.Lhs {
		if index, ok := lhs.(*ast.IndexExpr); ok {
			w.fault(index.Pos(), "the interpreter does not write an element from a call with several results", "take the results into variables first, then assign the element")
		}
	}
}
