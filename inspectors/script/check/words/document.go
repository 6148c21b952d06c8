package main

import (
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"strings"

	"golang.org/x/tools/go/packages"

	"github.com/vedettehq/vedette/inspectors/script/prelude"
)

// authorsAPI is the package whose documentation is included in full.
const authorsAPI = "github.com/vedettehq/vedette/inspectors"

// document adds the first sentence of its documentation to each word.
func document(list []*Package) error {
	files, err := sources(list)
	if err != nil {
		return err
	}
	for _, p := range list {
		if err := documentOne(p, files[p.Path]); err != nil {
			return fmt.Errorf("cannot read the documentation of %q: %w", p.Path, err)
		}
	}
	return nil
}

// sources returns the files of each package on Linux. The sources of packages that are
// translated with the scripts are embedded in this program.
func sources(list []*Package) (map[string][]string, error) {
	var paths []string
	for _, p := range list {
		if prelude.Source(p.Path) == "" {
			paths = append(paths, p.Path)
		}
	}
	config := &packages.Config{
		Mode: packages.NeedName | packages.NeedFiles,
		Env:  append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0"),
	}
	loaded, err := packages.Load(config, paths...)
	if err != nil {
		return nil, err
	}
	files := make(map[string][]string)
	for _, p := range loaded {
		files[p.PkgPath] = p.GoFiles
	}
	return files, nil
}

func documentOne(p *Package, files []string) error {
	fset := token.NewFileSet()
	var parsed []*ast.File
	for _, name := range files {
		f, err := parser.ParseFile(fset, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		parsed = append(parsed, f)
	}
	if text := prelude.Source(p.Path); text != "" {
		f, err := parser.ParseFile(fset, p.Name+".go", text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		parsed = append(parsed, f)
	}
	if len(parsed) == 0 {
		return fmt.Errorf("it has no files")
	}
	said, err := doc.NewFromFiles(fset, parsed, p.Path)
	if err != nil {
		return err
	}
	p.Doc = said.Synopsis(said.Doc)
	sentences := sentencesOf(said, said.Synopsis)
	if p.Path == authorsAPI {
		sentences = sentencesOf(said, strings.TrimSpace)
	}
	for _, w := range p.Words {
		w.Doc = sentences[w.Name]
		for _, m := range w.Members {
			m.Doc = sentences[w.Name+"."+m.Name]
		}
	}
	return nil
}

// sentencesOf returns shortened documentation by name, and by Type.Member.
func sentencesOf(p *doc.Package, shorten func(string) string) map[string]string {
	said := make(map[string]string)
	note := func(name, text string) {
		if text != "" {
			said[name] = shorten(text)
		}
	}
	values := func(list []*doc.Value) {
		for _, v := range list {
			for _, name := range v.Names {
				note(name, v.Doc)
			}
			for _, spec := range v.Decl.Specs {
				s := spec.(*ast.ValueSpec)
				for _, name := range s.Names {
					note(name.Name, s.Doc.Text()+s.Comment.Text())
				}
			}
		}
	}
	funcs := func(list []*doc.Func, prefix string) {
		for _, f := range list {
			note(prefix+f.Name, f.Doc)
		}
	}
	values(p.Consts)
	values(p.Vars)
	funcs(p.Funcs, "")
	for _, t := range p.Types {
		note(t.Name, t.Doc)
		values(t.Consts)
		values(t.Vars)
		funcs(t.Funcs, "")
		funcs(t.Methods, t.Name+".")
		fields(t, note)
	}
	return said
}

// fields notes the comments of the fields of a struct and the methods of an interface.
func fields(t *doc.Type, note func(name, text string)) {
	for _, spec := range t.Decl.Specs {
		s, ok := spec.(*ast.TypeSpec)
		if !ok {
			continue
		}
		var list *ast.FieldList
		switch u := s.Type.(type) {
		case *ast.StructType:
			list = u.Fields
		case *ast.InterfaceType:
			list = u.Methods
		default:
			continue
		}
		for _, f := range list.List {
			for _, name := range f.Names {
				note(t.Name+"."+name.Name, f.Doc.Text()+f.Comment.Text())
			}
		}
	}
}
