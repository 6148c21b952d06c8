// Command gen writes types.gob.gz, the types of the packages that inspectors
// may import, by which package check knows them on a machine without Go. The
// packages are those of package symbols, as they are on Linux.
//
//	go run ./gen            # in inspectors/script/check; or: go generate
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/gob"
	"fmt"
	"os"

	"github.com/vedettehq/vedette/inspectors/script/symbols"
	"golang.org/x/tools/go/gcexportdata"
	"golang.org/x/tools/go/packages"
)

func main() {
	if err := run("types.gob.gz"); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(file string) error {
	exports, err := export(symbols.Paths())
	if err != nil {
		return err
	}
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return err
	}
	if err := gob.NewEncoder(z).Encode(exports); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	return os.WriteFile(file, b.Bytes(), 0o644)
}

// Package is one package as the file holds it: a gob of a slice of them,
// sorted by path. Package check reads the same shape.
type Package struct {
	Path string
	Data []byte // of gcexportdata.Write
}

func export(paths []string) ([]Package, error) {
	config := &packages.Config{
		Mode: packages.NeedName | packages.NeedTypes | packages.NeedImports | packages.NeedDeps | packages.NeedSyntax | packages.NeedTypesInfo,
		Env:  append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0"),
	}
	loaded, err := packages.Load(config, paths...)
	if err != nil {
		return nil, err
	}
	byPath := make(map[string]*packages.Package)
	for _, p := range loaded {
		byPath[p.PkgPath] = p
	}
	var exports []Package
	for _, path := range paths {
		p := byPath[path]
		if p == nil {
			return nil, fmt.Errorf("cannot load %q", path)
		}
		if len(p.Errors) > 0 {
			return nil, fmt.Errorf("cannot load %q: %w", path, p.Errors[0])
		}
		var b bytes.Buffer
		if err := gcexportdata.Write(&b, p.Fset, p.Types); err != nil {
			return nil, fmt.Errorf("cannot export %q: %w", path, err)
		}
		exports = append(exports, Package{Path: path, Data: b.Bytes()})
	}
	return exports, nil
}
