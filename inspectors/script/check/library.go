package check

import (
	"bytes"
	"compress/gzip"
	_ "embed" // for the types of the packages
	"encoding/gob"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"sync"

	"github.com/vedettehq/vedette/inspectors/script/lower"
	"github.com/vedettehq/vedette/inspectors/script/prelude"
	"golang.org/x/tools/go/gcexportdata"
)

// exportData is the output of gen: a compressed gob of []exportedPackage.
//
//go:embed types.gob.gz
var exportData []byte

// exportedPackage is the shape of gen.Package.
type exportedPackage struct {
	Path string
	Data []byte
}

// library imports the packages that inspectors may import, each when it is first needed. It
// implements types.Importer, and may be used by many goroutines.
type library struct {
	mu       sync.Mutex
	data     map[string][]byte         // by import path; nil once the package is read
	packages map[string]*types.Package // these and what they refer to
	complete map[string]bool           // those of packages that have been read
	prelude  map[*types.Package]*lower.Source
	fset     *token.FileSet
}

// sharedLibrary is the one library of the process: about 5 to 15 MiB once it is
// used, and nothing before.
var sharedLibrary = sync.OnceValue(newLibrary)

func newLibrary() *library {
	l := &library{
		data:     make(map[string][]byte),
		packages: make(map[string]*types.Package),
		complete: make(map[string]bool),
		prelude:  make(map[*types.Package]*lower.Source),
		fset:     token.NewFileSet(),
	}
	var list []exportedPackage
	z, err := gzip.NewReader(bytes.NewReader(exportData))
	if err == nil {
		err = gob.NewDecoder(z).Decode(&list)
	}
	if err != nil {
		panic(fmt.Sprintf("cannot read the embedded types.gob.gz: %v", err)) // a broken build
	}
	for _, p := range list {
		l.data[p.Path] = p.Data
	}
	return l
}

// Import returns the package of an import path.
func (l *library) Import(path string) (*types.Package, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.importLocked(path)
}

// importer is the library for a package that it compiles itself.
type importer struct{ l *library }

func (i importer) Import(path string) (*types.Package, error) { return i.l.importLocked(path) }

// compile checks the types of a package that is translated with the scripts.
func (l *library) compile(path, text string) (*types.Package, error) {
	file, err := parser.ParseFile(l.fset, path+".go", text, parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("cannot read package %q: %w", path, err)
	}
	s := &lower.Source{Info: newInfo(), Files: []*ast.File{file}}
	config := types.Config{GoVersion: languageVersion, Importer: importer{l}, Sizes: types.SizesFor("gc", "amd64")}
	p, err := config.Check(path, l.fset, s.Files, s.Info)
	if err != nil {
		return nil, fmt.Errorf("cannot read package %q: %w", path, err)
	}
	l.packages[path], l.complete[path], l.prelude[p] = p, true, s
	return p, nil
}

// source returns the source of a package that is translated with the scripts, or
// nil.
func (l *library) source(p *types.Package) *lower.Source {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.prelude[p]
}

func (l *library) importLocked(path string) (*types.Package, error) {
	if l.complete[path] {
		return l.packages[path], nil
	}
	if text := prelude.Source(path); text != "" {
		return l.compile(path, text)
	}
	data, ok := l.data[path]
	if !ok {
		return nil, fmt.Errorf("package %q is not available to inspectors", path)
	}
	p, err := gcexportdata.Read(bytes.NewReader(data), l.fset, l.packages, path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the types of package %q: %w", path, err)
	}
	l.data[path], l.complete[path] = nil, true
	return p, nil
}
