package catalog

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/inspectors/alerts"
	"github.com/vedettehq/vedette/inspectors/script/check"
	"github.com/vedettehq/vedette/master/scope"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

const (
	// maxChecks bounds the scripts that are checked at a time: a large one takes a
	// processor for a while.
	maxChecks = 2
	// maxMessageBytes and maxFileBytes bound the texts of a push apart from its
	// code.
	maxMessageBytes = 4 << 10
	maxFileBytes    = 200
)

// Check reports whether code would be accepted, and what a push would do to hosts.
func (c *Catalog) Check(ctx context.Context, p wire.CheckParams) (wire.CheckResult, error) {
	code, definition, err := complete(p.Code)
	result := wire.CheckResult{
		Diagnostics: []wire.Diagnostic{}, Revision: wire.RevisionOf(code), Name: code.Name,
		IntervalMS: definition.Interval.Milliseconds(), TimeoutMS: definition.Timeout.Milliseconds(),
	}
	if err == nil {
		err = c.checkCode(ctx, definition)
	}
	signatures, signaturesErr := c.signatures(ctx, result.Revision)
	if signaturesErr != nil {
		return result, signaturesErr
	}
	if err := c.preview(scope.From(ctx), signedCode{code, slices.Concat(signatures, p.Signatures)}, p.Selector, &result); err != nil {
		return result, err
	}
	var faults inspectors.Diagnostics
	switch {
	case ctx.Err() != nil:
		return result, context.Cause(ctx)
	case errors.As(err, &faults):
		result.Diagnostics = toWire(faults)
	case err != nil:
		result.Diagnostics = append(result.Diagnostics, wire.Diagnostic{File: code.File, Message: err.Error()})
	}
	return result, nil
}

// accept completes code, and returns it if it may be pushed, with the reason if it
// was not built first. Its error has every fault.
func (c *Catalog) accept(ctx context.Context, code wire.Code) (_ wire.Code, notBuilt string, _ error) {
	code, definition, err := complete(code)
	if err == nil {
		err = c.checkCode(ctx, definition)
	}
	if err == nil {
		err = c.checkArtefacts(code)
	}
	if err == nil && definition.Script != nil && c.opts.Builder != nil {
		err = c.opts.Builder(ctx, definition)
	}
	if ctx.Err() == nil && errors.Is(err, ErrNotBuilt) {
		c.opts.Log.Warn("a script is accepted without being built; its hosts will find out whether it builds", "inspector", code.Name, "reason", err)
		return code, err.Error(), nil
	}
	if err == nil {
		return code, "", nil
	}
	if ctx.Err() != nil {
		return code, "", context.Cause(ctx)
	}
	refusal := rpc.Errorf(rpc.CodeInvalidParams, "%v", err)
	var faults inspectors.Diagnostics
	if errors.As(err, &faults) {
		refusal.Data = map[string]any{"diagnostics": toWire(faults)}
	}
	return code, "", refusal
}

func toWire(faults inspectors.Diagnostics) []wire.Diagnostic {
	all := make([]wire.Diagnostic, len(faults))
	for i, f := range faults {
		all[i] = wire.Diagnostic{File: f.File, Line: f.Line, Col: f.Col, Message: f.Message, Fix: f.Fix}
	}
	return all
}

// checkCode checks a script as its author's editor does. Plugins are not checked.
func (c *Catalog) checkCode(ctx context.Context, definition inspectors.Definition) error {
	if definition.Script == nil {
		return nil
	}
	select {
	case c.checks <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-c.checks }()
	return append(check.Definition(definition), alerts.Check(definition)...).Err()
}

func (c *Catalog) checkArtefacts(code wire.Code) error {
	if code.Plugin == nil || c.opts.HasArtefact == nil {
		return nil
	}
	for platform, artefact := range code.Plugin.Artefacts {
		if !c.opts.HasArtefact(artefact) {
			return fmt.Errorf("the program for %s, of %d bytes, is not on the master: PUT it to %s%s first", platform, artefact.Size, wire.ArtefactPath, artefact.SHA256)
		}
	}
	return nil
}

// complete gives code without a name the name in its directives, and returns the
// definition that would run. Its error has every fault of the settings.
func complete(code wire.Code) (wire.Code, inspectors.Definition, error) {
	definition := inspectors.Definition{
		Interval: time.Duration(code.IntervalMS) * time.Millisecond, Timeout: time.Duration(code.TimeoutMS) * time.Millisecond,
		Pushed: true, Isolation: inspectors.Isolation(code.Isolation), Budget: budgetOf(code.Budget),
	}
	var faults []error
	if len(code.Source) > inspectors.MaxSourceBytes {
		return code, definition, fmt.Errorf("the script is %d bytes long; at most %d are allowed", len(code.Source), inspectors.MaxSourceBytes)
	}
	if code.Source != "" {
		directives, err := inspectors.ParseDirectives(cmp.Or(code.File, "script"), code.Source)
		faults = appendError(faults, err)
		code.Name = cmp.Or(code.Name, directives.Name)
		code.File = cmp.Or(code.File, strings.ReplaceAll(code.Name, "/", "-")+".go")
		definition.Script = &inspectors.Script{File: code.File, Line: 1, Source: code.Source}
		if !utf8.ValidString(code.Source) {
			faults = append(faults, errors.New("the script is not UTF-8"))
		}
	}
	if code.Plugin != nil {
		definition.Plugin = &inspectors.Plugin{Path: "plugin", Args: code.Plugin.Args}
		faults = append(faults, validateArtefacts(code.Plugin)...)
	}
	definition.Name = code.Name
	if len(faults) == 0 {
		faults = appendError(faults, definition.Complete()) // as every host will do
	}
	faults = appendError(faults, validateFile(code.File))
	if len(faults) == 0 || !errors.As(faults[0], new(inspectors.Diagnostics)) {
		faults = appendError(faults, definition.Validate())
	}
	return code, definition, errors.Join(faults...)
}

func appendError(faults []error, err error) []error {
	if err == nil {
		return faults
	}
	return append(faults, err)
}

func budgetOf(b *wire.PushedBudget) inspectors.Budget {
	if b == nil {
		return inspectors.Budget{}
	}
	return inspectors.Budget{CPU: time.Duration(b.CPUMS) * time.Millisecond, Heap: b.HeapBytes, Output: b.OutputBytes, Series: b.Series}
}

// validateFile checks the file name that a script's errors show.
func validateFile(file string) error {
	bad := func(r rune) bool { return r == '/' || r == '\\' || !unicode.IsPrint(r) }
	if len(file) > maxFileBytes || strings.ContainsFunc(file, bad) {
		return fmt.Errorf("the file name %.80q is not a plain name of at most %d bytes", file, maxFileBytes)
	}
	return nil
}

func validateArtefacts(plugin *wire.PushedPlugin) []error {
	var faults []error
	if len(plugin.Artefacts) == 0 {
		faults = append(faults, errors.New("the plugin has no program for any platform"))
	}
	for platform, artefact := range plugin.Artefacts {
		system, arch, found := strings.Cut(platform, "/")
		if sum, err := hex.DecodeString(artefact.SHA256); err != nil || len(sum) != 32 || strings.ToLower(artefact.SHA256) != artefact.SHA256 {
			faults = append(faults, fmt.Errorf("the program for %.40q: sha256 is not 64 lower-case hex digits", platform))
		}
		if artefact.Size <= 0 {
			faults = append(faults, fmt.Errorf("the program for %.40q has no size", platform))
		}
		if !found || system == "" || arch == "" || strings.Contains(arch, "/") {
			faults = append(faults, fmt.Errorf("%.40q is not a platform; write linux/amd64", platform))
		}
	}
	return faults
}

func kindOf(code wire.Code) string {
	if code.Plugin != nil {
		return "plugin"
	}
	return "script"
}

// ParseSelector reads a selector given by a caller.
func ParseSelector(text string) (labels.Selector, error) {
	selector, err := scope.ParseSelector(text)
	if err != nil {
		return nil, rpc.Errorf(rpc.CodeInvalidParams, "%v", err)
	}
	return selector, nil
}

func validateMessage(message string) error {
	if len(message) > maxMessageBytes {
		return rpc.Errorf(rpc.CodeInvalidParams, "the message is %d bytes long; at most %d are allowed", len(message), maxMessageBytes)
	}
	return nil
}
