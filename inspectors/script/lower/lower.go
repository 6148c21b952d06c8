package lower

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// Input is a script that has passed the type checker.
type Input struct {
	Fset *token.FileSet
	File *ast.File
	Pkg  *types.Package
	Info *types.Info
	// Head is the line of the author's first line, less one, in the file.
	Head int
	// Importable reports whether the interpreter knows a name of a package.
	Importable func(path, name string) bool
	// Source returns the declarations of a package that is translated with the
	// script, or nil.
	Source func(pkg *types.Package) *Source
}

// Source is a package whose functions are translated where they are used.
type Source struct {
	Info  *types.Info
	Files []*ast.File
}

// Fault is something that cannot be translated.
type Fault struct {
	Pos          token.Pos
	Message, Fix string
}

// File translates a script into Core. If it cannot, it says why and what to write instead.
func File(in Input) (core string, faults []Fault) {
	l := &lowering{
		Input:    in,
		infos:    map[*types.Package]*types.Info{in.Pkg: in.Info},
		decls:    make(map[types.Object]*ast.FuncDecl),
		top:      predeclaredNames(),
		imports:  make(map[string]string),
		named:    make(map[string]string),
		boxes:    make(map[string]string),
		once:     make(map[string]string),
		funcs:    make(map[string]string),
		statics:  make(map[types.Object]string),
		keys:     make(map[types.Type]string),
		copied:   make(map[*types.TypeName]int),
		erasures: make(map[types.Type][]bool),
	}
	defer func() {
		if v := recover(); v != nil {
			stop, ok := v.(refusal)
			if !ok {
				stop = refusal{in.File.Package, fmt.Sprintf("this file cannot be translated (%v)", v), "write what is unusual in it otherwise"}
				if l.fn != nil && l.fn.pos.IsValid() {
					stop.Pos = l.fn.pos
				}
			}
			core, faults = "", []Fault{Fault(stop)}
		}
	}()
	l.names()
	return l.file(), nil
}

// names refuses the letter that is reserved for names in Core.
func (l *lowering) names() {
	ast.Inspect(l.File, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && strings.Contains(id.Name, mark) {
			l.refuse(id.Pos(), "the letter "+mark+" in a name, which the translation uses", "call it otherwise")
		}
		return true
	})
}

// refusal ends a translation.
type refusal Fault

// lowering is the translation of one script.
type lowering struct {
	Input
	infos map[*types.Package]*types.Info
	decls map[types.Object]*ast.FuncDecl // by origin
	vars  map[types.Object]*variable     // how local variables are used

	top      map[string]bool         // names that are taken at the top level
	imports  map[string]string       // by path, the names in Core
	named    map[string]string       // by key, the names of struct types in Core
	boxes    map[string]string       // by type in Core, the name of the struct that holds one
	once     map[string]string       // by key, the names of functions that are made once
	funcs    map[string]string       // by key, the names of functions and instances
	statics  map[types.Object]string // package variables and functions
	erasures map[types.Type][]bool   // the fields of a struct that are erased
	keys     map[types.Type]string   // what tells types apart; see key
	copied   map[*types.TypeName]int // the types that instances of functions declare, numbered
	dynamic  []*dynamicType          // types whose values are held in interfaces
	queue    []func()                // translations to be done later
	types    []string                // declarations of types
	tops     []string                // declarations of functions
	lates    []*lateFunc
	shapes   []string // of the dynamic types

	fn *function // that is being translated
}

// file translates the whole file.
func (l *lowering) file() string {
	l.gather(l.File, l.Info)
	l.reserve()
	var globals []string
	var inits []string
	for _, decl := range l.File.Decls {
		switch d := decl.(type) {
		case *ast.GenDecl:
			if d.Tok == token.VAR {
				globals = append(globals, l.globals(d)...)
			}
		case *ast.FuncDecl:
			if name := l.funcDecl(d); d.Recv == nil && d.Name.Name == "init" {
				inits = append(inits, name)
			}
		}
	}
	start := l.initialisers()
	l.drain()
	l.dispatchers()
	m := marker{name: l.fresh("line" + mark)}
	for i, t := range l.tops {
		l.tops[i] = m.mark(t)
	}
	if m.used {
		globals = append(globals, "var "+m.name+" int\n")
		start = l.host() + ".At(&" + m.name + ")\n" + start
	}
	var b strings.Builder
	fmt.Fprintf(&b, "package inspector\n")
	for _, path := range sortedKeys(l.imports) {
		fmt.Fprintf(&b, "import %s %q\n", l.imports[path], path)
	}
	for _, t := range l.types {
		b.WriteString(t)
	}
	for _, g := range globals {
		b.WriteString(g)
	}
	for _, d := range l.dynamic {
		fmt.Fprintf(&b, "var %s *%s.Type\n", d.name, l.host())
	}
	for _, t := range l.tops {
		b.WriteString(t)
	}
	b.WriteString("func init() {\n")
	for _, d := range l.dynamic {
		b.WriteString(d.setup)
	}
	for _, s := range l.shapes {
		b.WriteString(s)
	}
	b.WriteString(start)
	for _, name := range inits {
		b.WriteString(name + "()\n")
	}
	b.WriteString("}\n")
	return b.String()
}

// drain translates the declarations that were needed meanwhile.
func (l *lowering) drain() {
	for len(l.queue) > 0 {
		next := l.queue[0]
		l.queue = l.queue[1:]
		next()
	}
}

// reserve reserves the names of the file's declarations, so that no generated name collides
// with one.
func (l *lowering) reserve() {
	scope := l.Pkg.Scope()
	for _, name := range scope.Names() {
		o := scope.Lookup(name)
		switch o.(type) {
		case *types.Var, *types.Func:
			l.statics[o] = l.fresh(name)
		}
	}
}

// globals declares package variables without values, because initialisers set them in Go's
// order.
func (l *lowering) globals(d *ast.GenDecl) []string {
	var list []string
	for _, spec := range d.Specs {
		for _, name := range spec.(*ast.ValueSpec).Names {
			if v, ok := l.Info.Defs[name].(*types.Var); ok && name.Name != "_" {
				list = append(list, fmt.Sprintf("var %s %s\n", l.statics[v], l.typ(v.Type())))
			}
		}
	}
	return list
}

// initialisers sets the package variables in Go's order; the interpreter would use the
// order of the file.
func (l *lowering) initialisers() string {
	var calls strings.Builder
	for _, init := range l.Info.InitOrder {
		name := l.fresh("set" + mark)
		l.begin(l.Pkg, l.Info, nil)
		l.place(init.Rhs.Pos())
		l.initialise(init)
		l.tops = append(l.tops, "func "+name+"() {\n"+l.end()+"}\n")
		calls.WriteString(name + "()\n")
	}
	return calls.String()
}

func (l *lowering) initialise(init *types.Initializer) {
	if len(init.Lhs) == 1 {
		v := init.Lhs[0]
		value := l.to(init.Rhs, v.Type())
		if v.Name() == "_" {
			l.line("var " + l.temp() + " " + l.typ(v.Type()) + " = " + value.text)
			return
		}
		l.line(l.statics[v] + " = " + value.text)
		return
	}
	values, from := l.several(init.Rhs)
	for i, v := range init.Lhs {
		if v.Name() != "_" {
			l.line(l.statics[v] + " = " + l.convert(code{values[i], atom}, from[i], v.Type(), nil).text)
		}
	}
}

// refuse ends the translation.
func (l *lowering) refuse(pos token.Pos, message, fix string) {
	panic(refusal{pos, message, fix})
}

// mark is a letter of generated names, which no author may write.
const mark = "ᐧ"

// Mark is the letter that distinguishes the names of Core from those of authors.
const Mark = mark

// fresh returns an unused name for the top level. Generated names have one mark before
// their number.
func (l *lowering) fresh(name string) string {
	try := name
	for i := 1; l.top[try] || try == mark; i++ {
		try = fmt.Sprintf("%s%s%s%d", strings.TrimSuffix(name, mark), mark, mark, i)
	}
	l.top[try] = true
	return try
}

func predeclaredNames() map[string]bool {
	names := map[string]bool{"_": true, "init": true, "main": true, "any": true, "iota": true}
	for _, name := range types.Universe.Names() {
		names[name] = true
	}
	return names
}

// host is the name in Core of the package that serves it.
func (l *lowering) host() string { return l.pkg(HostPath, "host") }

// HostPath is the import path of the package that serves Core.
const HostPath = "vedette/core"

// pkg returns the name in Core of an imported package.
func (l *lowering) pkg(path, name string) string {
	if have, ok := l.imports[path]; ok {
		return have
	}
	l.imports[path] = l.fresh(name + mark)
	return l.imports[path]
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, cmp.Compare[string])
	return keys
}
