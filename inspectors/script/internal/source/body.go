package source

import (
	"fmt"
	"go/ast"
	"sort"
	"strings"

	"github.com/vedettehq/vedette/inspectors/script/symbols"
	"github.com/vedettehq/vedette/internal/nearest"
)

// inspectorsPath is the import path of the author's API.
const inspectorsPath = "github.com/vedettehq/vedette/inspectors"

// A bare body becomes a file in two steps. Parsed inside a function without imports, it
// shows which names it does not declare. These give the imports and the shape, and the
// whole is parsed again.
const (
	headStart  = "package " + PackageName + "\n"
	valueFunc  = "func Inspect(ctx context.Context) (float64, error) {\n"
	reportFunc = "func Inspect(ctx context.Context, r *inspectors.Report) error {\n"
	valueTail  = "\n}\n"
	reportTail = "\nreturn nil\n}\n"
)

// parseBody makes a file of a bare body and parses it.
func (s *Source) parseBody() {
	body := s.Text
	s.wrap(headStart+valueFunc, body, valueTail)
	s.parseText()
	if s.File == nil || !s.onlyInspect() {
		return
	}
	missing := s.unresolved()
	paths := map[string]bool{"context": true}
	function, tail := valueFunc, valueTail
	if _, ok := missing["r"]; ok {
		function, tail = reportFunc, reportTail
		paths[inspectorsPath] = true
		delete(missing, "r")
	}
	delete(missing, "ctx")
	for _, name := range sortedKeys(missing) {
		if path := s.inferImport(name, missing[name]); path != "" {
			paths[path] = true
		}
	}
	if len(s.Faults) > 0 {
		s.File = nil
		return
	}
	var head strings.Builder
	head.WriteString(headStart)
	for _, path := range sortedKeys(paths) {
		fmt.Fprintf(&head, "import %q\n", path)
	}
	head.WriteString(function)
	s.wrap(head.String(), body, tail)
	s.parseText()
}

func (s *Source) wrap(head, body, tail string) {
	s.Text = head + body + tail
	s.head = strings.Count(head, "\n")
}

// onlyInspect reports whether the wrapped body is one function to its end; a
// body with a "}" too many would close the function early.
func (s *Source) onlyInspect() bool {
	if len(s.File.Decls) == 1 {
		return true
	}
	s.fault(s.File.Decls[1].Pos(), "a declaration outside of the body", "balance the braces before it; or write a whole file, which starts with a package clause")
	s.File = nil
	return false
}

// missingName is a name that the script uses and does not declare.
type missingName struct {
	uses    []*ast.Ident
	members []*ast.SelectorExpr // its use as the x of x.Name
}

// unresolved returns the names that are neither declared in the file nor predeclared in Go,
// with the places of their uses.
func (s *Source) unresolved() map[string]missingName {
	ignored := make(map[*ast.Ident]bool)
	selections := make(map[*ast.Ident]*ast.SelectorExpr)
	ast.Inspect(s.File, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok {
				selections[x] = n
			}
		case *ast.CompositeLit:
			for _, e := range n.Elts {
				if kv, ok := e.(*ast.KeyValueExpr); ok {
					if key, ok := kv.Key.(*ast.Ident); ok {
						ignored[key] = true // may be the name of a field
					}
				}
			}
		}
		return true
	})
	missing := make(map[string]missingName)
	for _, ident := range s.File.Unresolved {
		if ignored[ident] || predeclared(ident.Name) {
			continue
		}
		m := missing[ident.Name]
		m.uses = append(m.uses, ident)
		if sel := selections[ident]; sel != nil {
			m.members = append(m.members, sel)
		}
		missing[ident.Name] = m
	}
	return missing
}

// inferImport returns the path of the only package with this name that has every name that
// the body selects from it; or it records the fault and returns "".
func (s *Source) inferImport(name string, m missingName) string {
	if len(m.members) < len(m.uses) {
		s.undefined(name, m)
		return ""
	}
	var called, fitting []symbols.Package
	for _, path := range paths() {
		p, _ := lookup(path)
		if p.Name != name {
			continue
		}
		called = append(called, p)
		if lacking(p, m.members) == nil {
			fitting = append(fitting, p)
		}
	}
	at := m.members[0]
	switch {
	case len(fitting) == 1:
		return fitting[0].Path
	case len(fitting) > 1:
		s.fault(at.Pos(), fmt.Sprintf("%s.%s may be that of %s", name, at.Sel.Name, quotedPaths(fitting, "or")),
			"write a whole file, with a package clause and the import that you mean")
	case len(called) == 0:
		s.fault(at.Pos(), fmt.Sprintf("%s.%s: no package %q is available to inspectors", name, at.Sel.Name, name), suggestPackage(name))
	case len(called) == 1:
		s.notAvailable(called[0], name, lacking(called[0], m.members))
	default:
		s.fault(at.Pos(), fmt.Sprintf("%s.%s and what else is selected from %s is in none of %s", name, at.Sel.Name, name, quotedPaths(called, "and")),
			"write a whole file, with a package clause and the imports that you mean")
	}
	return ""
}

// undefined records every use of a name that nothing declares.
func (s *Source) undefined(name string, m missingName) {
	fix := ""
	if near := nearest.Word(name, s.declaredNames()); near != "" && len(name) > 2 {
		fix = "did you mean " + near + "?"
	}
	for _, use := range m.uses {
		s.fault(use.Pos(), "undefined: "+name, fix)
	}
}

// declaredNames returns the names that the file declares, wherever it does, and
// those that Go does.
func (s *Source) declaredNames() []string {
	var names []string
	ast.Inspect(s.File, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && id.Obj != nil {
			names = append(names, id.Name)
		}
		return true
	})
	return append(names, predeclaredNames()...)
}

// notAvailable records a selection that the allow-list does not have.
func (s *Source) notAvailable(p symbols.Package, name string, sel *ast.SelectorExpr) {
	fix := insteadOfName(p.Path + "." + sel.Sel.Name)
	if near := nearest.Word(sel.Sel.Name, p.Names()); near != "" && fix == "" {
		fix = "did you mean " + name + "." + near + "?"
	}
	s.fault(sel.Pos(), fmt.Sprintf("%s.%s is not available to inspectors", name, sel.Sel.Name), fix)
}

// lacking returns the first selection that the package does not have, or nil.
func lacking(p symbols.Package, members []*ast.SelectorExpr) *ast.SelectorExpr {
	for _, m := range members {
		if !p.Has(m.Sel.Name) {
			return m
		}
	}
	return nil
}

func suggestPackage(name string) string {
	names := make([]string, 0, 64)
	for _, path := range paths() {
		p, _ := lookup(path)
		names = append(names, p.Name)
	}
	if near := nearest.Word(name, names); near != "" {
		return "did you mean " + near + "?"
	}
	return "declare " + name + ", or use one of the packages that are, as os, net, net/http, strings, time, or gopsutil's cpu, disk, host, load, mem, net and " +
		"process"
}

func quotedPaths(list []symbols.Package, and string) string {
	paths := make([]string, len(list))
	for i, p := range list {
		paths[i] = fmt.Sprintf("%q", p.Path)
	}
	return strings.Join(paths, " "+and+" ")
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// predeclaredNames are the names of Go 1.21 that need no declaration.
func predeclaredNames() []string {
	return strings.Fields("any bool byte comparable complex64 complex128 error float32 float64 int int8 int16 int32 int64 rune string " +
		"uint uint8 uint16 uint32 uint64 uintptr true false iota nil append cap clear close complex copy delete imag len make max min new " +
		"panic print println real recover _")
}

func predeclared(name string) bool {
	for _, n := range predeclaredNames() {
		if n == name {
			return true
		}
	}
	return false
}
