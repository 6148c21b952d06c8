package script

import (
	"fmt"
	"go/ast"
	"go/token"
)

// results checks what functions return: the interpreter accepts a missing
// return and a wrong count of values and makes zeroes of them, and it mixes up
// named results that a return puts into other places.
func results(w *walker, n ast.Node) {
	switch n := n.(type) {
	case *ast.FuncDecl:
		w.endsInReturn(n.Type, n.Body)
	case *ast.FuncLit:
		w.endsInReturn(n.Type, n.Body)
	case *ast.ReturnStmt:
		if f := w.function(); f != nil {
			w.returnCount(f, n)
			w.returnOrder(f, n)
		}
	}
}

// function returns the type of the function around the visited node.
func (w *walker) function() *ast.FuncType {
	for i := len(w.path) - 1; i >= 0; i-- {
		switch f := w.path[i].(type) {
		case *ast.FuncLit:
			return f.Type
		case *ast.FuncDecl:
			return f.Type
		}
	}
	return nil
}

func (w *walker) endsInReturn(f *ast.FuncType, body *ast.BlockStmt) {
	if body != nil && f.Results.NumFields() > 0 && !terminatingList(body.List) {
		w.fault(body.Rbrace, "missing return", "end with a return of every result")
	}
}

func (w *walker) returnCount(f *ast.FuncType, ret *ast.ReturnStmt) {
	want, got := f.Results.NumFields(), len(ret.Results)
	named := want > 0 && len(f.Results.List[0].Names) > 0
	if got == want || got == 0 && named {
		return
	}
	if got == 1 && want > 1 {
		if _, call := ret.Results[0].(*ast.CallExpr); call {
			return // may have them all
		}
	}
	w.fault(ret.Pos(), fmt.Sprintf("return has %d of %d values", got, want), "return one value for each result, as: return 0, err")
}

// returnOrder refuses "return hi, lo" where the results are named lo and hi.
func (w *walker) returnOrder(f *ast.FuncType, ret *ast.ReturnStmt) {
	if f.Results == nil || len(ret.Results) < 2 {
		return
	}
	place := make(map[string]int)
	for _, field := range f.Results.List {
		for _, name := range field.Names {
			place[name.Name] = len(place)
		}
	}
	for i, value := range ret.Results {
		if id, ok := value.(*ast.Ident); ok {
			if at, ok := place[id.Name]; ok && at == i {
				continue // in its own place
			}
		}
		ast.Inspect(value, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && id.Obj != nil {
				if at, ok := place[id.Name]; ok && at < i && id.Obj.Kind == ast.Var {
					w.fault(id.Pos(), "the interpreter has written the result "+id.Name+" before it reads it here", "take the values into variables of other names first")
				}
			}
			return true
		})
	}
}

func terminatingList(list []ast.Stmt) bool {
	for i := len(list) - 1; i >= 0; i-- {
		if _, empty := list[i].(*ast.EmptyStmt); !empty {
			return terminating(list[i], "")
		}
	}
	return false
}

// terminating is the rule of the language's specification, section
// "Terminating statements".
func terminating(stmt ast.Stmt, label string) bool {
	switch s := stmt.(type) {
	case *ast.ReturnStmt:
		return true
	case *ast.BranchStmt:
		return s.Tok == token.GOTO
	case *ast.ExprStmt:
		call, ok := s.X.(*ast.CallExpr)
		if !ok {
			return false
		}
		f, ok := call.Fun.(*ast.Ident)
		return ok && f.Name == "panic" && f.Obj == nil
	case *ast.BlockStmt:
		return terminatingList(s.List)
	case *ast.IfStmt:
		return s.Else != nil && terminatingList(s.Body.List) && terminating(s.Else, "")
	case *ast.ForStmt:
		return s.Cond == nil && !breaks(s.Body, label, true)
	case *ast.LabeledStmt:
		return terminating(s.Stmt, s.Label.Name)
	case *ast.SwitchStmt:
		return terminatingCases(s.Body, label, false)
	case *ast.TypeSwitchStmt:
		return terminatingCases(s.Body, label, false)
	case *ast.SelectStmt:
		return terminatingCases(s.Body, label, true)
	}
	return false
}

func terminatingCases(body *ast.BlockStmt, label string, complete bool) bool {
	for _, clause := range body.List {
		var list []ast.Stmt
		switch c := clause.(type) {
		case *ast.CaseClause:
			list = c.Body
			complete = complete || c.List == nil
		case *ast.CommClause:
			list = c.Body
		}
		falls := false
		if len(list) > 0 {
			b, ok := list[len(list)-1].(*ast.BranchStmt)
			falls = ok && b.Tok == token.FALLTHROUGH
		}
		if !falls && !terminatingList(list) {
			return false
		}
	}
	return complete && !breaks(body, label, true)
}

// breaks reports a break out of the statement whose body it is: one with its
// label, or, where implicit, one without.
func breaks(n ast.Node, label string, implicit bool) bool {
	found := false
	ast.Inspect(n, func(child ast.Node) bool {
		if child == n {
			return true
		}
		switch c := child.(type) {
		case *ast.BranchStmt:
			if c.Tok == token.BREAK && (c.Label == nil && implicit || c.Label != nil && c.Label.Name == label) {
				found = true
			}
		case *ast.FuncLit:
			return false
		case *ast.ForStmt, *ast.RangeStmt, *ast.SwitchStmt, *ast.TypeSwitchStmt, *ast.SelectStmt:
			if implicit && label != "" {
				found = found || breaks(c, label, false)
			}
			return !implicit
		}
		return true
	})
	return found
}
