package check

import (
	"go/types"
	"slices"

	"github.com/vedettehq/vedette/inspectors/script/prelude"
	"github.com/vedettehq/vedette/inspectors/script/symbols"
)

// Importable returns the import paths that scripts may use, sorted.
func Importable() []string {
	paths := append(symbols.Paths(), prelude.Paths()...)
	slices.Sort(paths)
	return slices.Compact(paths)
}

// Package returns a package that scripts may import, as the checker knows it, and
// the names of it that they may use, sorted.
func Package(path string) (*types.Package, []string, error) {
	p, err := sharedLibrary().Import(path)
	if err != nil {
		return nil, nil, err
	}
	if names := prelude.Names(path); names != nil {
		return p, names, nil
	}
	listed, _ := symbols.Lookup(path)
	return p, listed.Names(), nil
}
