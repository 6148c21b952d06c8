package source

import (
	"go/ast"
	"go/token"
	"strconv"
)

// LocalResults rewrites the functions of the file that have named results, and no
// defer that could see them, so that the results are variables of the body:
//
//	func sum(xs []int) (n int) { …; return }
//	func sum(xs []int) int     { var n int; …; return n }
//
// Go gives both one meaning. The interpreter does not set named results to zero
// when the function is called, and keeps them where the caller is going to put
// them: without this, a sum that is taken twice into one variable is doubled, and
// the error of the round before is that of the next. It is done to the file that
// is compiled; what is checked is the file as its author wrote it.
func (s *Source) LocalResults() {
	ast.Inspect(s.File, func(n ast.Node) bool {
		switch f := n.(type) {
		case *ast.FuncDecl:
			localResults(f.Type, f.Body)
		case *ast.FuncLit:
			localResults(f.Type, f.Body)
		}
		return true
	})
}

func localResults(f *ast.FuncType, body *ast.BlockStmt) {
	if body == nil || f.Results == nil || len(f.Results.List) == 0 || len(f.Results.List[0].Names) == 0 || Defers(body) {
		return
	}
	var results []*ast.Field
	var declared []ast.Stmt
	var names []string
	for _, field := range f.Results.List {
		for _, name := range field.Names {
			text := name.Name
			if text == "_" {
				text = "result\u00b7" + strconv.Itoa(len(names)) // a name that no author can write
			}
			names = append(names, text)
			results = append(results, &ast.Field{Type: field.Type})
			spec := &ast.ValueSpec{Names: []*ast.Ident{{NamePos: body.Lbrace, Name: text}}, Type: field.Type}
			declared = append(declared, &ast.DeclStmt{Decl: &ast.GenDecl{TokPos: body.Lbrace, Tok: token.VAR, Specs: []ast.Spec{spec}}})
		}
	}
	f.Results = &ast.FieldList{Opening: f.Results.Opening, List: results, Closing: f.Results.Closing}
	own(body, func(n ast.Node) {
		if ret, ok := n.(*ast.ReturnStmt); ok && len(ret.Results) == 0 {
			for _, name := range names {
				ret.Results = append(ret.Results, &ast.Ident{NamePos: ret.Return, Name: name})
			}
		}
	})
	body.List = append(declared, body.List...)
}

// Defers reports whether a function defers anything: with that it may see its own
// results after it has returned.
func Defers(body *ast.BlockStmt) bool {
	found := false
	own(body, func(n ast.Node) {
		_, ok := n.(*ast.DeferStmt)
		found = found || ok
	})
	return found
}

// own visits what stands in a function itself and not in a function literal
// inside of it.
func own(body *ast.BlockStmt, visit func(ast.Node)) {
	ast.Inspect(body, func(n ast.Node) bool {
		if _, ok := n.(*ast.FuncLit); ok {
			return false
		}
		if n != nil {
			visit(n)
		}
		return true
	})
}
