package check

import (
	"errors"
	"go/ast"
	"go/types"
	"slices"
	"strings"
)

// languageVersion is the language of inspectors.
const languageVersion = "go1.22"

func newInfo() *types.Info {
	return &types.Info{
		Types:      make(map[ast.Expr]types.TypeAndValue),
		Defs:       make(map[*ast.Ident]types.Object),
		Uses:       make(map[*ast.Ident]types.Object),
		Implicits:  make(map[ast.Node]types.Object),
		Selections: make(map[*ast.SelectorExpr]*types.Selection),
		Instances:  make(map[*ast.Ident]types.Instance),
	}
}

// checkTypes runs Go's type checker over the file and records its errors. It sets pkg and
// info as far as they could be determined.
//
// The interpreter itself accepts much that Go does not: a missing return, an unused
// variable, a duplicate case, a method that only the pointer has, and assignments of the
// wrong number of values.
func (p *pass) checkTypes(lib types.Importer) {
	p.rule = "types"
	p.info = newInfo()
	config := types.Config{
		GoVersion: languageVersion,
		Importer:  lib,
		Sizes:     types.SizesFor("gc", "amd64"),
		Error: func(err error) {
			var e types.Error
			if errors.As(err, &e) {
				p.typeFault(e)
			}
		},
	}
	p.File.GoVersion = "" // a build constraint does not make the language newer
	pkg, err := config.Check("inspector", p.Fset, []*ast.File{p.File}, p.info)
	if err == nil || pkg != nil {
		p.pkg = pkg // the errors have been recorded one by one
	}
}

// typeFault records one error of the type checker.
func (p *pass) typeFault(e types.Error) {
	message, fix := e.Msg, ""
	message = strings.ReplaceAll(message, "inspector.", "") // the package that every script is in
	message, _, _ = strings.Cut(message, " (file declares")
	message, _, _ = strings.Cut(message, " (declared at -)")
	message = strings.ReplaceAll(strings.ReplaceAll(message, "\n\thave ", ": have "), "\n\twant ", ", want ")
	switch {
	case strings.HasPrefix(message, "\t"):
		return // the continuation of the error before
	case strings.Contains(message, "cannot range over") && strings.Contains(message, "go1.23"):
		message, _, _ = strings.Cut(message, ": requires")
		message += ", which needs Go 1.23; inspectors are Go 1.22"
		fix = "call it with a function that does what the body does"
	case strings.HasPrefix(message, "declared and not used"):
		fix = "take it out, or name it _"
	case strings.Contains(message, "enough return values"), strings.Contains(message, "too many return values"):
		fix = "return one value for each result, as: return 0, err"
	case message == "missing return":
		fix = "end with a return of every result"
	case strings.Contains(message, "mismatched types"):
		fix = "convert one side, as float64(n)"
	case strings.Contains(message, "assignment mismatch"):
		fix = "name as many variables as there are values; _ for those that you do not need"
	case strings.Contains(message, "cannot assign to struct field"):
		fix = "take the struct into a variable, change it, and put it back"
	case strings.Contains(message, "has pointer receiver"):
		fix = "use a pointer: &T{…}"
	case strings.Contains(message, "requires go1."):
		fix = "inspectors are Go 1.22"
	}
	p.faultAt(e.Pos, message, fix)
}

// own returns the type that the script itself declares under t, through at most one
// pointer, or nil.
func (p *pass) own(t types.Type) *types.Named {
	if t == nil {
		return nil
	}
	if ptr, ok := types.Unalias(t).(*types.Pointer); ok {
		t = ptr.Elem()
	}
	n, ok := types.Unalias(t).(*types.Named)
	if !ok || n.Obj().Pkg() != p.pkg {
		return nil
	}
	return n
}

// isInterface reports an interface type, with or without a name.
func isInterface(t types.Type) bool { return t != nil && types.IsInterface(t) }

// isAny reports an interface type without methods.
func isAny(t types.Type) bool {
	i, ok := t.Underlying().(*types.Interface)
	return ok && i.NumMethods() == 0
}

// isError reports the predeclared type error.
func isError(t types.Type) bool {
	return types.Identical(t, types.Universe.Lookup("error").Type())
}

// ownInterface reports an interface type with methods that the script declares or writes as
// a literal.
func (p *pass) ownInterface(t types.Type) bool {
	return isInterface(t) && !isAny(t) && !isError(t) && (p.own(t) != nil || isLiteral(t))
}

// isLiteral reports a type literal, which has no name.
func isLiteral(t types.Type) bool {
	_, named := types.Unalias(t).(*types.Named)
	return !named
}

func isStruct(t types.Type) bool {
	_, ok := t.Underlying().(*types.Struct)
	return ok
}

// typeOf returns the type of an expression, or types.Invalid if the type checker could not
// determine it, so rules need not ask.
func (p *pass) typeOf(e ast.Expr) types.Type {
	if e != nil {
		if t := p.info.TypeOf(e); t != nil {
			return t
		}
	}
	return types.Typ[types.Invalid]
}

// isNil reports the identifier nil.
func (p *pass) isNil(e ast.Expr) bool { return p.info.Types[e].IsNil() }

// callee returns the function or method that a call calls by name, or nil.
func (p *pass) callee(call *ast.CallExpr) *types.Func {
	var name *ast.Ident
	switch f := ast.Unparen(call.Fun).(type) {
	case *ast.Ident:
		name = f
	case *ast.SelectorExpr:
		name = f.Sel
	default:
		return nil
	}
	f, _ := p.info.Uses[name].(*types.Func)
	return f
}

// builtin returns the name of the predeclared function that a call calls, or "".
func (p *pass) builtin(call *ast.CallExpr) string {
	if name, ok := ast.Unparen(call.Fun).(*ast.Ident); ok {
		if b, ok := p.info.Uses[name].(*types.Builtin); ok {
			return b.Name()
		}
	}
	return ""
}

// prints reports a call that prints its arguments: of package fmt or log.
func (p *pass) prints(call *ast.CallExpr) bool {
	f := p.callee(call)
	if f == nil || f.Pkg() == nil {
		return false
	}
	path := f.Pkg().Path()
	return path == "fmt" && (strings.Contains(f.Name(), "rint") || f.Name() == "Errorf" || strings.HasPrefix(f.Name(), "Append")) || path == "log"
}

// function returns the type and the body of the function that the visited node
// stands in, or nil.
func (p *pass) function() (*ast.FuncType, *ast.BlockStmt) {
	for i := len(p.path) - 2; i >= 0; i-- {
		switch f := p.path[i].(type) {
		case *ast.FuncLit:
			return f.Type, f.Body
		case *ast.FuncDecl:
			return f.Type, f.Body
		}
	}
	return nil, nil
}

// name writes a type as the author would.
func (p *pass) name(t types.Type) string {
	return types.TypeString(t, func(other *types.Package) string {
		if other == p.pkg {
			return ""
		}
		return other.Name()
	})
}

// calls reports whether a call calls one of the named functions of a package.
func (p *pass) calls(call *ast.CallExpr, path string, names ...string) bool {
	f := p.callee(call)
	return f != nil && f.Pkg() != nil && f.Pkg().Path() == path && (len(names) == 0 || slices.Contains(names, f.Name()))
}
