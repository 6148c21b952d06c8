package source

import (
	"go/ast"
)

// Shape is one of the signatures that Inspect may have.
type Shape int

// The shapes.
const (
	NoShape         Shape = iota // none of them
	ValueShape                   // func Inspect() (float64, error)
	ValueCtxShape                // func Inspect(ctx context.Context) (float64, error)
	ReportShape                  // func Inspect(ctx context.Context, r *inspectors.Report) error
	shapesForPeople = "write func Inspect() (float64, error), or func Inspect(ctx context.Context) (float64, error), " +
		"or func Inspect(ctx context.Context, r *inspectors.Report) error"
)

// findShape finds func Inspect and its shape, or records that there is none.
func (s *Source) findShape() {
	for _, decl := range s.File.Decls {
		f, ok := decl.(*ast.FuncDecl)
		if !ok || f.Recv != nil || f.Name.Name != "Inspect" {
			continue
		}
		if s.Shape = s.shapeOf(f.Type); s.Shape == NoShape {
			s.fault(f.Pos(), "func Inspect has none of the accepted signatures", shapesForPeople)
		} else if f.Body == nil {
			s.fault(f.Pos(), "func Inspect has no body", "")
		}
		return
	}
	s.fault(s.File.Package, "the file has no func Inspect", shapesForPeople)
	for _, decl := range s.File.Decls {
		if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "main" {
			s.fault(f.Pos(), "func main of an inspector is never called", "name it Inspect, with one of the accepted signatures")
		}
	}
}

func (s *Source) shapeOf(f *ast.FuncType) Shape {
	if f.TypeParams != nil {
		return NoShape
	}
	params, results := s.typeNames(f.Params), s.typeNames(f.Results)
	switch {
	case equal(results, "float64", "error") && len(params) == 0:
		return ValueShape
	case equal(results, "float64", "error") && equal(params, "context.Context"):
		return ValueCtxShape
	case equal(results, "error") && equal(params, "context.Context", "*"+inspectorsPath+".Report"):
		return ReportShape
	}
	return NoShape
}

// typeNames returns one name for each parameter: of a type of a package with
// the import path of the package before it, whatever its name in the file.
func (s *Source) typeNames(list *ast.FieldList) []string {
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

func (s *Source) typeName(e ast.Expr) string {
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
			return s.Imports[x.Name].Path + "." + e.Sel.Name
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
