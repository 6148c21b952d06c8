package source

import (
	"slices"

	"github.com/vedettehq/vedette/inspectors/script/prelude"
	"github.com/vedettehq/vedette/inspectors/script/symbols"
)

// lookup returns a package that scripts may import: one of the symbols, or one
// that is translated with the script.
func lookup(path string) (symbols.Package, bool) {
	if names := prelude.Names(path); names != nil {
		return symbols.Listed(path, path, names), true
	}
	return symbols.Lookup(path)
}

// paths returns the import paths of all packages, sorted.
func paths() []string {
	all := append(prelude.Paths(), symbols.Paths()...)
	slices.Sort(all)
	return all
}
