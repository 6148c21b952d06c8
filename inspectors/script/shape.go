package script

import (
	"go/ast"
)

// shape is one of the signatures that Inspect may have.
type shape int

const (
	noShape         shape = iota
	valueShape            // func Inspect() (float64, error)
	valueCtxShape         // func Inspect(ctx context.Context) (float64, error)
	reportShape           // func Inspect(ctx context.Context, r *inspectors.Report) error
	shapesForPeople = "write func Inspect() (float64, error), or func Inspect(ctx context.Context) (float64, error), " +
		"or func Inspect(ctx context.Context, r *inspectors.Report) error"
)

// findShape finds func Inspect and its shape, or records that there is none.
func (s *source) findShape() {
	for _, decl := range s.file.Decls {
		f, ok := decl.(*ast.FuncDecl)
		if !ok || f.Recv != nil || f.Name.Name != "Inspect" {
			continue
		}
		if s.shape = s.shapeOf(f.Type); s.shape == noShape {
			s.fault(f.Pos(), "func Inspect has none of the accepted signatures", shapesForPeople)
		} else if f.Body == nil {
			s.fault(f.Pos(), "func Inspect has no body", "")
		}
		return
	}
	s.fault(s.file.Package, "the file has no func Inspect", shapesForPeople)
}

func (s *source) shapeOf(f *ast.FuncType) shape {
	if f.TypeParams != nil {
		return noShape
	}
	params, results := s.typeNames(f.Params), s.typeNames(f.Results)
	switch {
	case equal(results, "float64", "error") && len(params) == 0:
		return valueShape
	case equal(results, "float64", "error") && equal(params, "context.Context"):
		return valueCtxShape
	case equal(results, "error") && equal(params, "context.Context", "*"+inspectorsPath+".Report"):
		return reportShape
	}
	return noShape
}

// typeNames returns one name for each parameter: of a type of a package with
// the import path of the package before it, whatever its name in the file.
func (s *source) typeNames(list *ast.FieldList) []string {
	if list == nil {
		return nil
	}
	var names []string
	for _, field := range list.List {
		for range max(1, len(field.Names)) {
			names = append(names, s.typeName(field.Type))
		}
	}
	return names
}

func (s *source) typeName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		if e.Obj != nil {
			return "local " + e.Name // a type of the file, whatever its name
		}
		return e.Name
	case *ast.StarExpr:
		return "*" + s.typeName(e.X)
	case *ast.ParenExpr:
		return s.typeName(e.X)
	case *ast.SelectorExpr:
		if x, ok := e.X.(*ast.Ident); ok {
			return s.imports[x.Name].Path + "." + e.Sel.Name
		}
	}
	return "?"
}

func equal(names []string, want ...string) bool {
	if len(names) != len(want) {
		return false
	}
	for i := range names {
		if names[i] != want[i] {
			return false
		}
	}
	return true
}
