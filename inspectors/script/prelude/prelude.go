// Package prelude has the parts of the generic packages of the standard library that
// inspectors may use. They are written in the language of inspectors and are translated
// with each script that uses them, because the interpreter has no generic functions.
package prelude

import (
	"embed"
	"path"
)

//go:embed slices/slices.go maps/maps.go cmp/cmp.go
var sources embed.FS

// Paths returns the import paths of the packages.
func Paths() []string { return []string{"cmp", "maps", "slices"} }

// Source returns the source of a package, or "".
func Source(importPath string) string {
	text, err := sources.ReadFile(path.Join(importPath, importPath+".go"))
	if err != nil {
		return ""
	}
	return string(text)
}

// Names returns the names of a package that scripts may use, sorted, or nil.
func Names(importPath string) []string {
	switch importPath {
	case "cmp":
		return []string{"Compare", "Less", "Or", "Ordered"}
	case "maps":
		return []string{"Clone", "Copy", "DeleteFunc", "Equal", "EqualFunc", "Keys", "Values"}
	case "slices":
		return []string{
			"BinarySearch", "BinarySearchFunc", "Clone", "Collect", "Compact", "CompactFunc", "Compare", "Concat", "Contains", "ContainsFunc",
			"Delete", "DeleteFunc", "Equal", "EqualFunc", "Index", "IndexFunc", "Insert", "IsSorted", "IsSortedFunc", "Max", "MaxFunc", "Min",
			"MinFunc", "Repeat", "Reverse", "Sort", "SortFunc", "SortStableFunc", "Sorted", "SortedFunc",
		}
	}
	return nil
}
