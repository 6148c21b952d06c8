package truth

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"sort"
	"strings"

	"github.com/vedettehq/vedette/inspectors/script/symbols"
)

// Library gives the types of the packages that scripts may import, from the
// export data of the Go toolchain. It is not safe for concurrent use.
type Library struct {
	importer types.Importer
}

// NewLibrary asks the Go toolchain for the export data of all packages.
func NewLibrary() (*Library, error) {
	cmd := exec.Command("go", append([]string{"list", "-export", "-deps", "-json=ImportPath,Export"}, symbols.Paths()...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("cannot list the packages of scripts: %w\n%s", err, stderr.String())
	}
	files := make(map[string]string)
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct{ ImportPath, Export string }
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		files[p.ImportPath] = p.Export
	}
	open := func(path string) (io.ReadCloser, error) {
		file, ok := files[path]
		if !ok {
			return nil, fmt.Errorf("cannot import package %q: scripts may not", path)
		}
		return os.Open(file)
	}
	return &Library{importer.ForCompiler(token.NewFileSet(), "gc", open)}, nil
}

// GoVersion is the language that scripts are compiled as.
const GoVersion = "go1.22"

// Typed is a script with its types.
type Typed struct {
	Source string
	Fset   *token.FileSet
	File   *ast.File
	Pkg    *types.Package
	Info   *types.Info
}

// Check parses and type-checks a script. The errors are all that the type
// checker found.
func (l *Library) Check(source string) (*Typed, []types.Error) {
	t := &Typed{
		Source: source,
		Fset:   token.NewFileSet(),
		Info: &types.Info{
			Types:     make(map[ast.Expr]types.TypeAndValue),
			Defs:      make(map[*ast.Ident]types.Object),
			Uses:      make(map[*ast.Ident]types.Object),
			Implicits: make(map[ast.Node]types.Object),
		},
	}
	file, err := parser.ParseFile(t.Fset, "p.go", source, parser.SkipObjectResolution|parser.ParseComments)
	if err != nil {
		return nil, []types.Error{{Fset: t.Fset, Msg: err.Error()}}
	}
	t.File = file
	var faults []types.Error
	config := types.Config{
		GoVersion: GoVersion,
		Importer:  l.importer,
		Sizes:     types.SizesFor("gc", "amd64"),
		Error: func(err error) {
			var e types.Error
			if errors.As(err, &e) && !strings.HasPrefix(e.Msg, "\t") {
				faults = append(faults, e)
			}
		},
	}
	t.File.GoVersion = ""
	t.Pkg, _ = config.Check("main", t.Fset, []*ast.File{file}, t.Info)
	if len(faults) == 0 && !t.entry() {
		faults = []types.Error{{Fset: t.Fset, Pos: file.Package, Msg: "there is no func Inspect of a known signature"}}
	}
	return t, faults
}

// entry reports whether there is a func Inspect as scripts have it.
func (t *Typed) entry() bool {
	f, ok := t.Pkg.Scope().Lookup("Inspect").(*types.Func)
	if !ok {
		return false
	}
	sig := f.Signature()
	switch listed(sig.Params()) + " " + listed(sig.Results()) {
	case " float64,error,", "context.Context, float64,error,", "context.Context,*inspectors.Report, error,":
		return true
	}
	return false
}

// listed writes the types of a tuple.
func listed(t *types.Tuple) string {
	var b strings.Builder
	for v := range t.Variables() {
		b.WriteString(types.TypeString(v.Type(), (*types.Package).Name) + ",")
	}
	return b.String()
}

// Prefixed returns the source with a prefix before each package-level name and
// in package main, so that many scripts are one package.
func (t *Typed) Prefixed(prefix string) string {
	type edit struct {
		at   int
		old  string
		text string
	}
	var edits []edit
	replace := func(id *ast.Ident, text string) {
		edits = append(edits, edit{t.Fset.Position(id.Pos()).Offset, id.Name, text})
	}
	seen := make(map[*ast.Ident]bool)
	rename := func(id *ast.Ident, o types.Object) {
		if o == nil || seen[id] || id.Name == "_" || id.Name == "init" || !t.packageLevel(o) {
			return
		}
		seen[id] = true
		replace(id, prefix+id.Name)
	}
	for id, o := range t.Info.Uses {
		rename(id, o)
	}
	for id, o := range t.Info.Defs {
		rename(id, o)
	}
	replace(t.File.Name, "main")
	sort.Slice(edits, func(i, j int) bool { return edits[i].at < edits[j].at })
	var b strings.Builder
	b.WriteString("//go:build " + GoVersion + "\n\n")
	end := 0
	for _, e := range edits {
		b.WriteString(t.Source[end:e.at])
		b.WriteString(e.text)
		end = e.at + len(e.old)
	}
	b.WriteString(t.Source[end:])
	return b.String()
}

// packageLevel reports an object whose name is that of a package-level
// declaration of the script: also an embedded field, which has its type's.
func (t *Typed) packageLevel(o types.Object) bool {
	if v, ok := o.(*types.Var); ok && v.Embedded() {
		typ := v.Type()
		if p, ok := types.Unalias(typ).(*types.Pointer); ok {
			typ = p.Elem()
		}
		switch n := typ.(type) {
		case *types.Named:
			return t.packageLevel(n.Obj())
		case *types.Alias:
			return t.packageLevel(n.Obj())
		}
		return false
	}
	return o.Pkg() == t.Pkg && o.Parent() == t.Pkg.Scope()
}
