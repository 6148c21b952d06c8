package assignment

import (
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/rpc/wire"
)

// DefinitionOf turns pushed code into a definition. Settings that are left open
// come from the directives of its source, then from the defaults. program is the
// file of the plugin, for code that is one; see artefactOf.
func DefinitionOf(code wire.Code, revision, program string) (inspectors.Definition, error) {
	d := inspectors.Definition{
		Name:      code.Name,
		Interval:  time.Duration(code.IntervalMS) * time.Millisecond,
		Timeout:   time.Duration(code.TimeoutMS) * time.Millisecond,
		Isolation: inspectors.Isolation(code.Isolation),
		Pushed:    true,
		Assigned:  revision,
	}
	if b := code.Budget; b != nil {
		d.Budget = inspectors.Budget{
			CPU:    time.Duration(b.CPUMS) * time.Millisecond,
			Heap:   b.HeapBytes,
			Output: b.OutputBytes,
			Series: b.Series,
		}
	}
	switch {
	case code.Name == "": // a name from a directive would not be the assigned one
		return d, inspectors.ValidateKey(code.Name)
	case (code.Source == "") == (code.Plugin == nil):
		return d, errors.New("exactly one of source and plugin must be given")
	case len(code.Source) > inspectors.MaxSourceBytes:
		return d, fmt.Errorf("the script is %d bytes long; at most %d are allowed", len(code.Source), inspectors.MaxSourceBytes)
	case code.Plugin != nil:
		a, err := artefactOf(code.Plugin)
		if err != nil {
			return d, err
		}
		d.Plugin = &inspectors.Plugin{Path: program, SHA256: strings.ToLower(a.SHA256), Args: code.Plugin.Args}
	default:
		file := code.File
		if file == "" {
			file = code.Name + ".go"
		}
		d.Script = &inspectors.Script{File: file, Line: 1, Source: code.Source}
	}
	if err := d.Complete(); err != nil {
		return d, err
	}
	return d, checkDefinition(&d)
}

// artefactOf chooses the program for this machine. The error lists the platforms
// that have one.
func artefactOf(p *wire.PushedPlugin) (wire.Artefact, error) {
	platform := runtime.GOOS + "/" + runtime.GOARCH
	if a, ok := p.Artefacts[platform]; ok {
		return a, nil
	}
	if len(p.Artefacts) == 0 {
		return wire.Artefact{}, errors.New("the plugin has no programs")
	}
	return wire.Artefact{}, fmt.Errorf("the plugin has no program for %s; it has those for %s",
		platform, strings.Join(slices.Sorted(maps.Keys(p.Artefacts)), ", "))
}
