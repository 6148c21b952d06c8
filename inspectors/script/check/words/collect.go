package main

import (
	"fmt"
	"go/types"
	"strings"

	"github.com/vedettehq/vedette/inspectors/script/check"
)

// Package is one package that inspectors may import.
type Package struct {
	Path  string  `json:"path"`
	Name  string  `json:"name"`
	Doc   string  `json:"doc,omitempty"`
	Words []*Word `json:"words"`
}

// Word is an exported name of a package, or a field or method of a type.
type Word struct {
	Name string `json:"n"`
	Kind string `json:"k"`           // func, type, const, var, field or method
	Type string `json:"t,omitempty"` // in Go syntax
	Doc  string `json:"d,omitempty"` // its first sentence
	// Members are the exported fields and methods of a type.
	Members []*Word `json:"m,omitempty"`
}

// longestType is how long the text of a type may be.
const longestType = 300

// collect reads the checker's tables.
func collect() ([]*Package, error) {
	var all []*Package
	for _, path := range check.Importable() {
		p, names, err := check.Package(path)
		if err != nil {
			return nil, err
		}
		one := &Package{Path: path, Name: p.Name()}
		for _, name := range names {
			object := p.Scope().Lookup(name)
			if object == nil {
				return nil, fmt.Errorf("package %q has no name %q, though scripts may use it", path, name)
			}
			one.Words = append(one.Words, wordOf(object))
		}
		all = append(all, one)
	}
	return all, nil
}

func wordOf(object types.Object) *Word {
	w := &Word{Name: object.Name(), Type: typeText(object.Type())}
	switch o := object.(type) {
	case *types.Func:
		w.Kind = "func"
	case *types.Const:
		w.Kind, w.Type = "const", strings.TrimPrefix(w.Type, "untyped ")+" = "+bounded(o.Val().String())
	case *types.Var:
		w.Kind = "var"
	case *types.TypeName:
		w.Kind, w.Type = "type", typeText(o.Type().Underlying())
		w.Members = membersOf(o.Type())
		switch o.Type().Underlying().(type) {
		case *types.Struct:
			w.Type = "struct"
		case *types.Interface:
			w.Type = "interface"
		}
	}
	return w
}

// membersOf lists the exported fields of a struct, then the methods of a type and
// of its pointer; those of embedded fields are among them.
func membersOf(t types.Type) []*Word {
	var words []*Word
	if s, ok := t.Underlying().(*types.Struct); ok {
		for f := range s.Fields() {
			if f.Exported() {
				words = append(words, &Word{Name: f.Name(), Kind: "field", Type: typeText(f.Type())})
			}
		}
	}
	methods := types.NewMethodSet(types.NewPointer(t))
	if types.IsInterface(t) {
		methods = types.NewMethodSet(t)
	}
	for m := range methods.Methods() {
		if m.Obj().Exported() {
			words = append(words, &Word{Name: m.Obj().Name(), Kind: "method", Type: typeText(m.Type())})
		}
	}
	return words
}

func typeText(t types.Type) string {
	text := types.TypeString(t, func(p *types.Package) string { return p.Name() })
	return bounded(strings.ReplaceAll(text, "interface{}", "any"))
}

func bounded(text string) string {
	if len(text) <= longestType {
		return text
	}
	return strings.ToValidUTF8(text[:longestType], "") + "…"
}
