package main

import (
	"fmt"
	"go/constant"
	"go/types"
	"math/big"
	"sort"
	"strconv"
	"strings"
	"text/template"
)

// table is what one generated file says.
type table struct {
	Path    string // import path
	Name    string // package name
	Ident   string // start of the Go identifiers of this table
	Imports []importLine
	Symbols []symbol
	Wraps   []wrapper

	imports map[string]string // path → name in this file
}

type importLine struct{ Name, Path string }

// Library reports a package of Go's own.
func (l importLine) Library() bool { return !strings.Contains(l.Path, ".") }

// symbol is one exported name and the expression of its reflect.Value.
type symbol struct{ Name, Value string }

// wrapper is the struct that stands for an interface.
type wrapper struct {
	Name    string // of the interface
	Type    string // of the struct
	Methods []method
}

type method struct {
	Name, Params, Results, Args, Return string
	Guard                               string // what comes first, or empty
	Body                                string // what stands in place of the call, or empty
}

func (t *table) slug() string {
	return strings.NewReplacer("/", "_", ".", "_", "-", "_").Replace(strings.TrimPrefix(t.Path, "github.com/"))
}

// SymbolNames and WrapperNames are the lists that the table carries as one
// string each, so that they cost nothing until they are asked for.
func (t *table) SymbolNames() string {
	names := make([]string, len(t.Symbols))
	for i, s := range t.Symbols {
		names[i] = s.Name
	}
	return strings.Join(names, " ")
}

// WrapperNames lists the interfaces that have wrappers.
func (t *table) WrapperNames() string {
	names := make([]string, len(t.Wraps))
	for i, w := range t.Wraps {
		names[i] = "_" + w.Name
	}
	return strings.Join(names, " ")
}

func newTable(a allowed, p *types.Package) (*table, error) {
	names, err := choose(a, p)
	if err != nil {
		return nil, err
	}
	t := &table{Path: a.path, Name: p.Name(), Ident: identifier(a.path), imports: map[string]string{"reflect": "reflect"}}
	for _, name := range names {
		value, err := t.value(p.Scope().Lookup(name))
		if err != nil {
			return nil, err
		}
		t.Symbols = append(t.Symbols, symbol{name, value})
		t.wrap(p.Scope().Lookup(name))
	}
	for path, name := range t.imports {
		line := importLine{Path: path}
		if base := path[strings.LastIndex(path, "/")+1:]; base != name {
			line.Name = name
		}
		t.Imports = append(t.Imports, line)
	}
	sort.Slice(t.Imports, func(i, j int) bool { return t.Imports[i].Path < t.Imports[j].Path })
	return t, nil
}

// qualify imports a package into the generated file and returns its name there.
func (t *table) qualify(p *types.Package) string {
	if name, ok := t.imports[p.Path()]; ok {
		return name
	}
	name := p.Name()
	for _, taken := range t.imports {
		if taken == name {
			name = identifier(p.Path())
		}
	}
	t.imports[p.Path()] = name
	return name
}

// value returns the expression of a symbol's reflect.Value, in the form that
// the interpreter expects: a type is a nil pointer to it, a variable is
// addressable, an untyped constant is a constant.Value.
func (t *table) value(o types.Object) (string, error) {
	switch o := o.(type) {
	case *types.Func:
		return fmt.Sprintf("reflect.ValueOf(%s.%s)", t.qualify(o.Pkg()), o.Name()), nil
	case *types.Var:
		return fmt.Sprintf("reflect.ValueOf(&%s.%s).Elem()", t.qualify(o.Pkg()), o.Name()), nil
	case *types.TypeName:
		return fmt.Sprintf("reflect.ValueOf((*%s.%s)(nil))", t.qualify(o.Pkg()), o.Name()), nil
	case *types.Const:
		if b, ok := o.Type().(*types.Basic); ok && b.Info()&types.IsUntyped != 0 {
			return t.untyped(o), nil
		}
		return fmt.Sprintf("reflect.ValueOf(%s.%s)", t.qualify(o.Pkg()), o.Name()), nil
	}
	return "", fmt.Errorf("%s.%s is a %T", o.Pkg().Path(), o.Name(), o)
}

func (t *table) untyped(o *types.Const) string {
	t.imports["go/constant"], t.imports["go/token"] = "constant", "token"
	literal := func(text, kind string) string {
		return fmt.Sprintf("reflect.ValueOf(constant.MakeFromLiteral(%q, token.%s, 0))", text, kind)
	}
	switch v := o.Val(); v.Kind() {
	case constant.String:
		return literal(v.ExactString(), "STRING")
	case constant.Int:
		switch o.Name() {
		case "MaxInt", "MinInt", "UintSize", "IntSize": // these differ by platform
			delete(t.imports, "go/token")
			return fmt.Sprintf("reflect.ValueOf(constant.MakeInt64(int64(%s.%s)))", t.qualify(o.Pkg()), o.Name())
		case "MaxUint":
			return fmt.Sprintf("reflect.ValueOf(constant.MakeUint64(uint64(%s.%s)))", t.qualify(o.Pkg()), o.Name())
		}
		return literal(v.ExactString(), "INT")
	case constant.Float:
		f, ok := constant.Val(v).(*big.Float)
		if !ok {
			f = new(big.Float).SetRat(constant.Val(v).(*big.Rat))
		}
		return literal(f.Text('g', int(f.Prec())), "FLOAT")
	}
	return fmt.Sprintf("reflect.ValueOf(%s.%s)", t.qualify(o.Pkg()), o.Name())
}

// wrap adds the wrapper of an interface type that a script could implement.
func (t *table) wrap(o types.Object) {
	name, ok := o.(*types.TypeName)
	if !ok {
		return
	}
	iface, ok := name.Type().Underlying().(*types.Interface)
	if !ok || iface.NumMethods() == 0 {
		return
	}
	w := wrapper{Name: o.Name(), Type: t.Ident + o.Name()}
	for i := range iface.NumMethods() {
		m := iface.Method(i)
		if !m.Exported() {
			return
		}
		made := t.method(m)
		if strings.Contains(made.Guard, "slices.") {
			t.imports["slices"] = "slices"
		}
		w.Methods = append(w.Methods, made)
	}
	t.Wraps = append(t.Wraps, w)
}

func (t *table) method(f *types.Func) method {
	s := f.Type().(*types.Signature)
	var params, args, results []string
	for i := range s.Params().Len() {
		arg := "a" + strconv.Itoa(i)
		text := types.TypeString(s.Params().At(i).Type(), t.qualify)
		if s.Variadic() && i == s.Params().Len()-1 {
			text = "..." + strings.TrimPrefix(text, "[]")
			params, args = append(params, arg+" "+text), append(args, arg+"...")
			continue
		}
		params, args = append(params, arg+" "+text), append(args, arg)
	}
	for i := range s.Results().Len() {
		results = append(results, types.TypeString(s.Results().At(i).Type(), t.qualify))
	}
	m := method{Name: f.Name(), Params: "(" + strings.Join(params, ", ") + ")", Args: "(" + strings.Join(args, ", ") + ")"}
	if len(results) > 0 {
		m.Results, m.Return = "("+strings.Join(results, ", ")+")", "return "
	}
	if f.Name() == "String" && len(params) == 0 {
		// A value without the method is asked for it all the same by fmt.
		m.Guard = "if w.WString == nil {\nreturn \"\"\n}\n"
	}
	m.lend(s)
	return m
}

// lend has a method get only what is its own, or taken back at its end. The
// library uses a buffer or the state of a print again for somebody else, which
// a script could hold on to.
func (m *method) lend(s *types.Signature) {
	for i := range s.Params().Len() {
		arg := "a" + strconv.Itoa(i)
		switch types.TypeString(s.Params().At(i).Type(), nil) {
		case "fmt.State", "fmt.ScanState":
			kind := strings.TrimPrefix(types.TypeString(s.Params().At(i).Type(), nil), "fmt.")
			m.Guard += fmt.Sprintf("%s, end := lend%s(%[1]s)\ndefer end()\n", arg, kind)
		case "[]byte":
			if strings.HasPrefix(m.Name, "Write") {
				m.Guard += fmt.Sprintf("%s = slices.Clone(%[1]s)\n", arg)
			}
			if !strings.HasPrefix(m.Name, "Read") {
				continue
			}
			results := make([]string, s.Results().Len())
			for r := range results {
				results[r] = "r" + strconv.Itoa(r)
			}
			list := strings.Join(results, ", ")
			m.Body = fmt.Sprintf("lent := %s\n%[1]s = make([]byte, len(lent))\n%s := w.W%s%s\ncopy(lent, %[1]s[:min(max(r0, 0), len(lent))])\nreturn %[2]s",
				arg, list, m.Name, m.Args)
		}
	}
}

func tableTemplate() *template.Template {
	return template.Must(template.New("table").Parse(`// Code generated by inspectors/script/symbols/gen. DO NOT EDIT.

//lint:file-ignore SA1019 what is deprecated is there for scripts all the same

package symbols

import (
{{- range .Imports}}{{if .Library}}
	{{.Name}} {{printf "%q" .Path}}
{{- end}}{{end}}
{{range .Imports}}{{if not .Library}}
	{{.Name}} {{printf "%q" .Path}}
{{- end}}{{end}}
)

const (
	{{.Ident}}Names = {{printf "%q" .SymbolNames}}
	{{.Ident}}Wrappers = {{printf "%q" .WrapperNames}}
)

func {{.Ident}}Lookup(name string) reflect.Value {
	switch name {
	{{- range .Symbols}}
	case {{printf "%q" .Name}}:
		return {{.Value}}
	{{- end}}
	{{- range .Wraps}}
	case "_{{.Name}}":
		return reflect.ValueOf((*{{.Type}})(nil))
	{{- end}}
	}
	return reflect.Value{}
}
{{range $w := .Wraps}}
// {{.Type}} stands for {{.Name}}.
type {{.Type}} struct {
	IValue any
	{{- range .Methods}}
	W{{.Name}} func{{.Params}} {{.Results}}
	{{- end}}
}
{{range .Methods}}
func (w {{$w.Type}}) {{.Name}}{{.Params}} {{.Results}} {
	{{.Guard}}{{if .Body}}{{.Body}}{{else}}{{.Return}}w.W{{.Name}}{{.Args}}{{end}}
}
{{end}}
{{- end}}
`))
}

func indexTemplate() *template.Template {
	return template.Must(template.New("index").Parse(`// Code generated by inspectors/script/symbols/gen. DO NOT EDIT.

package symbols

// Lookup returns the package of an import path.
func Lookup(path string) (Package, bool) {
	switch path {
	{{- range .}}
	case {{printf "%q" .Path}}:
		return Package{Path: {{printf "%q" .Path}}, Name: {{printf "%q" .Name}}, names: {{.Ident}}Names, wrappers: {{.Ident}}Wrappers, lookup: {{.Ident}}Lookup}, true
	{{- end}}
	}
	return Package{}, false
}

// Paths returns the import paths of all packages, sorted.
func Paths() []string {
	return []string{
	{{- range .}}
		{{printf "%q" .Path}},
	{{- end}}
	}
}
`))
}
