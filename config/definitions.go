package config

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/inspectors/adapt"
)

// codePlace is the place of an inspector's source in the configuration.
type codePlace struct {
	line   int // of the first line of the source, from 1; 0 if unknown
	indent int // columns before each line of it
}

// Definitions turns the inspectors of the configuration into definitions, in the
// order of their names: it reads their files, takes each directive that the
// configuration does not override, and reports every fault with its place. A fault
// in a script's directives is an inspectors.Diagnostic; the others are Faults.
//
// It does not add the library: the agent does that from Agent.Library.
func (c *Config) Definitions() ([]inspectors.Definition, error) {
	src := c.src
	if src == nil {
		src = newSource()
	}
	var defs []inspectors.Definition
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(c.Inspectors)) {
		d, err := definition(src, name, c.Inspectors[name])
		if err != nil {
			faults = append(faults, err)
			continue
		}
		defs = append(defs, d)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return defs, nil
}

// definition makes one definition of an inspector of the configuration.
func definition(src *source, name string, in Inspector) (inspectors.Definition, error) {
	d := inspectors.Definition{Name: name, Interval: in.Interval, Timeout: in.Timeout, Budget: in.Budget.budget(), Isolation: inspectors.Isolation(in.Isolation)}
	at := src.entry("inspectors", name)
	fault := func(path string, err error) error {
		f := &source{file: src.file, lines: src.lines}
		f.fault(src.at(path), "%s: %v", path, err)
		return f.faults[0]
	}
	collector := in.collector()
	switch {
	case collector != nil:
		d.Collector = collector
	case in.Plugin != "":
		path, err := filepath.Abs(in.Plugin) // not a program of that name in PATH
		if err != nil {
			return d, fault(src.child(at, "plugin"), err)
		}
		d.Plugin = &inspectors.Plugin{Path: path, SHA256: strings.ToLower(in.SHA256), Args: in.Args}
	case in.File != "":
		text, err := readScript(in.File)
		if err != nil {
			return d, fault(src.child(at, "file"), err)
		}
		d.Script = &inspectors.Script{File: in.File, Line: 1, Source: text}
	case in.Check != "":
		text, err := adapt.Check(in.Check)
		if err != nil {
			return d, fault(src.child(at, "check"), err)
		}
		d.Script = &inspectors.Script{File: or(src.file, name), Line: max(src.at(src.child(at, "check")).line, 1), Source: text}
	default:
		d.Script = &inspectors.Script{File: or(src.file, name), Line: max(in.place.line, 1), Indent: in.place.indent, Source: in.Go}
	}
	if err := d.Complete(); err != nil {
		return d, err
	}
	if err := d.Validate(); err != nil {
		return d, fault(at, err)
	}
	return d, nil
}

// FileDefinition makes the definition of a single script, for trying it. Its name
// is that of its //vedette:name directive, or else that of the file without .go.
// Errors are those of Definitions.
func FileDefinition(path string) (inspectors.Definition, error) {
	text, err := readScript(path)
	if err != nil {
		return inspectors.Definition{}, err
	}
	d := inspectors.Definition{Script: &inspectors.Script{File: path, Line: 1, Source: text}}
	if err := d.Complete(); err != nil {
		return d, err
	}
	if d.Name == "" {
		d.Name = strings.TrimSuffix(filepath.Base(path), ".go")
	}
	if err := d.Validate(); err != nil {
		return d, fmt.Errorf("%s: %w; name the inspector with a line //vedette:name NAME above the package clause", path, err)
	}
	return d, nil
}

// readScript reads a script, up to the largest size that is run.
func readScript(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fileError(path, err)
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is not a file", quote(path))
	}
	text, err := io.ReadAll(io.LimitReader(f, inspectors.MaxSourceBytes+1))
	if err != nil {
		return "", fileError(path, err)
	}
	if len(text) > inspectors.MaxSourceBytes {
		return "", fmt.Errorf("the script %s is longer than %d bytes", quote(path), inspectors.MaxSourceBytes)
	}
	return string(text), nil
}

func (b Budget) budget() inspectors.Budget {
	return inspectors.Budget{CPU: b.CPU, Heap: int64(b.Heap), Output: int64(b.Output), Series: b.Series}
}
