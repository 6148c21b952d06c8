// Package library has the inspectors that come with Vedette: Go scripts that look like
// those of any author and run in the same engine.
//
// Each has its own folder below scripts. It also compiles natively, so tests can compare
// the two. Its name, interval and timeout are directives in its package comment.
package library

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"sort"

	"github.com/vedettehq/vedette/inspectors"
)

//go:embed scripts/*/*.go
var scripts embed.FS

// Definitions returns the built-in inspectors, sorted by name.
func Definitions() []inspectors.Definition {
	files, err := fs.Glob(scripts, "scripts/*/*.go")
	if err != nil {
		panic(err) // the pattern is good
	}
	definitions := make([]inspectors.Definition, 0, len(files))
	for _, file := range files {
		definitions = append(definitions, definition(file))
	}
	sort.Slice(definitions, func(i, j int) bool { return definitions[i].Name < definitions[j].Name })
	return definitions
}

// Names returns the names of the built-in inspectors, sorted.
func Names() []string {
	definitions := Definitions()
	names := make([]string, len(definitions))
	for i, d := range definitions {
		names[i] = d.Name
	}
	return names
}

// Get returns the built-in inspector with a name.
func Get(name string) (inspectors.Definition, bool) {
	for _, d := range Definitions() {
		if d.Name == name {
			return d, true
		}
	}
	return inspectors.Definition{}, false
}

// definition makes the definition of an embedded file. A file without a definition is our
// mistake, which the tests find.
func definition(file string) inspectors.Definition {
	source, err := scripts.ReadFile(file)
	if err != nil {
		panic(fmt.Sprintf("cannot read the embedded %s: %v", file, err))
	}
	script := inspectors.Script{File: path.Join("library", path.Base(file)), Line: 1, Source: string(source)}
	about, err := script.Directives()
	if err != nil {
		panic(fmt.Sprintf("cannot read the directives of a built-in inspector: %v", err))
	}
	d := inspectors.Definition{Name: about.Name, Interval: about.Interval, Timeout: about.Timeout, Script: &script}
	if d.Interval == 0 {
		d.Interval = inspectors.DefaultInterval
	}
	if d.Timeout == 0 {
		d.Timeout = inspectors.DefaultTimeout(d.Interval)
	}
	return d
}
