// Package symbols holds what an inspector may import: an allow-list of packages
// and, within them, of names, each with the reflect value by which the
// interpreter reaches it.
//
// The tables are code, not data: a symbol's value is made when it is asked for,
// so that a process pays for what its scripts use and a process without scripts
// pays nothing.
//
// The files zsym_*.go are generated from the list in gen/allow.go.
package symbols

//go:generate go run ./gen

import (
	"reflect"
	"strings"
)

// Package is one package that inspectors may import.
type Package struct {
	// Path is the import path, as net/http.
	Path string
	// Name is the package's name, as http.
	Name string

	names    string // exported names, sorted, a space between
	wrappers string // names of the wrappers of interfaces, "_" first
	lookup   func(name string) reflect.Value
}

// Names returns the exported names that inspectors may use, sorted.
func (p Package) Names() []string { return strings.Fields(p.names) }

// Wrappers returns the names of the wrappers of interface types: "_Reader" is
// that of Reader.
func (p Package) Wrappers() []string { return strings.Fields(p.wrappers) }

// Has reports whether inspectors may use an exported name of the package.
func (p Package) Has(name string) bool {
	if name == "" || name[0] == '_' {
		return false
	}
	return p.lookup(name).IsValid()
}

// Value returns the value of a name or a wrapper: for a function the function,
// for a type a nil pointer to it, for a variable the variable itself, for an
// untyped constant a constant.Value. It is the zero Value where there is none.
func (p Package) Value(name string) reflect.Value { return p.lookup(name) }
