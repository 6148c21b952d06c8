// Command gen writes the symbol tables of package symbols: for each package on
// the allow-list one file that maps the names of its exported functions, types,
// variables and constants to their reflect values, and for each interface type
// the wrapper struct by which the interpreter makes a value of an interpreted
// type satisfy it.
//
//	go run ./gen            # in inspectors/script/symbols; or: go generate
//
// Generic functions and types have no reflect value and are left out, and so
// is what returns iterators: an inspector could not range over them.
package main

import (
	"bytes"
	"fmt"
	"go/format"
	"go/types"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"text/template"

	"golang.org/x/tools/go/packages"
)

func main() {
	if err := run("."); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(dir string) error {
	tables, err := loadTables(allowList())
	if err != nil {
		return err
	}
	old, err := filepath.Glob(filepath.Join(dir, "zsym_*.go"))
	if err != nil {
		return err
	}
	for _, file := range old {
		if err := os.Remove(file); err != nil {
			return err
		}
	}
	for _, t := range tables {
		if err := write(filepath.Join(dir, "zsym_"+t.slug()+".go"), tableTemplate(), t); err != nil {
			return err
		}
	}
	return write(filepath.Join(dir, "zsym_index.go"), indexTemplate(), tables)
}

func write(file string, t *template.Template, data any) error {
	var b bytes.Buffer
	if err := t.Execute(&b, data); err != nil {
		return err
	}
	source, err := format.Source(b.Bytes())
	if err != nil {
		return fmt.Errorf("cannot format %s: %w\n%s", file, err, b.Bytes())
	}
	return os.WriteFile(file, source, 0o644)
}

// loadTables type-checks the packages and makes a table of each.
func loadTables(list []allowed) ([]*table, error) {
	paths := make([]string, len(list))
	for i, a := range list {
		paths[i] = a.path
	}
	config := &packages.Config{Mode: packages.NeedName | packages.NeedTypes}
	loaded, err := packages.Load(config, paths...)
	if err != nil {
		return nil, err
	}
	byPath := make(map[string]*types.Package)
	for _, p := range loaded {
		if len(p.Errors) > 0 {
			return nil, fmt.Errorf("cannot load %s: %v", p.PkgPath, p.Errors[0])
		}
		byPath[p.PkgPath] = p.Types
	}
	var tables []*table
	for _, a := range list {
		p := byPath[a.path]
		if p == nil {
			return nil, fmt.Errorf("cannot load %s", a.path)
		}
		t, err := newTable(a, p)
		if err != nil {
			return nil, err
		}
		tables = append(tables, t)
	}
	sort.Slice(tables, func(i, j int) bool { return tables[i].Path < tables[j].Path })
	return tables, nil
}

func wholeName(expression string) (*regexp.Regexp, error) {
	if expression == "" {
		return nil, nil
	}
	return regexp.Compile("^(?:" + expression + ")$")
}

// choose returns the exported names of a package that the allow-list lets
// through, in order.
func choose(a allowed, p *types.Package) ([]string, error) {
	only, err := wholeName(a.only)
	if err != nil {
		return nil, err
	}
	not, err := wholeName(a.not)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, name := range p.Scope().Names() {
		o := p.Scope().Lookup(name)
		switch {
		case !o.Exported(), generic(o), iterator(o):
		case only != nil && !only.MatchString(name):
		case not != nil && not.MatchString(name):
		default:
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("nothing is left of %s", a.path)
	}
	return names, nil
}

func generic(o types.Object) bool {
	switch t := types.Unalias(o.Type()).(type) {
	case *types.Signature:
		return t.TypeParams().Len() > 0
	case *types.Named:
		return t.TypeParams().Len() > 0 && t.TypeArgs().Len() == 0
	case *types.Interface:
		return !t.IsMethodSet()
	}
	if i, ok := o.Type().Underlying().(*types.Interface); ok {
		return !i.IsMethodSet()
	}
	return false
}

// iterator reports functions that return an iter.Seq or iter.Seq2.
func iterator(o types.Object) bool {
	s, ok := o.Type().(*types.Signature)
	if !ok {
		return false
	}
	for i := range s.Results().Len() {
		if n, ok := types.Unalias(s.Results().At(i).Type()).(*types.Named); ok && n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == "iter" {
			return true
		}
	}
	return false
}

// identifier makes a Go identifier of an import path: netHTTP of net/http.
func identifier(path string) string {
	words := strings.FieldsFunc(path, func(r rune) bool { return strings.ContainsRune("/.-", r) })
	for i, w := range words {
		if i > 0 {
			words[i] = strings.ToUpper(w[:1]) + w[1:]
		}
	}
	return strings.Join(words, "")
}
