package script

import (
	"errors"
	"fmt"
	"go/ast"
	"reflect"
	"strings"

	"github.com/traefik/yaegi/interp"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/inspectors/script/internal/core"
	"github.com/vedettehq/vedette/inspectors/script/internal/source"
)

// translate turns an error of the interpreter's compiler into diagnostics.
func translate(o source.Origin, err error) error {
	text := strings.TrimSpace(err.Error())
	var faults inspectors.Diagnostics
	for line := range strings.SplitSeq(text, "\n") {
		d, rest := interpPlace(o, line)
		d.Message = strings.ReplaceAll(rest, "/"+source.FileName, "") // it names an import fmt/inspector.go
		faults = append(faults, d)
	}
	return faults.Err()
}

// interpPlace splits "inspector.go:5:2: text" and places it.
func interpPlace(o source.Origin, text string) (inspectors.Diagnostic, string) {
	line, col, rest, ok := cutPlace(text)
	if !ok {
		return o.Script.Place(1, 0), text
	}
	return o.PlaceAt(line, col), rest
}

// cutPlace splits "inspector.go:5:2: text".
func cutPlace(text string) (line, col int, rest string, ok bool) {
	at := strings.Index(text, source.FileName+":")
	if at < 0 {
		return 0, 0, text, false
	}
	place := text[at+len(source.FileName)+1:]
	if n, err := fmt.Sscanf(place, "%d:%d", &line, &col); n != 2 || err != nil {
		return 0, 0, text, false
	}
	_, rest, _ = strings.Cut(place, ": ")
	return line, col, rest, true
}

// enclosing returns the name and the place of the function around a place that the
// interpreter has recorded.
func enclosing(s *source.Source, note string) (string, inspectors.Diagnostic, bool) {
	line, _, _, ok := cutPlace(note)
	if !ok {
		return "", inspectors.Diagnostic{}, false
	}
	if f := function(s, line); f != nil {
		return f.Name.Name, s.Place(f.Pos()), true
	}
	return "", inspectors.Diagnostic{}, false
}

// around returns the name of the function around a line of the text, or "".
func around(s *source.Source, line int) string {
	if f := function(s, line); f != nil {
		return f.Name.Name
	}
	return ""
}

// function returns the function around a line of the text, or nil.
func function(s *source.Source, line int) *ast.FuncDecl {
	for _, decl := range s.File.Decls {
		f, ok := decl.(*ast.FuncDecl)
		if ok && line >= s.Fset.Position(f.Pos()).Line && line <= s.Fset.Position(f.End()).Line {
			return f
		}
	}
	return nil
}

// asDiagnostics returns the faults that an error holds, or the error as one
// fault at the start of the file.
func asDiagnostics(script inspectors.Script, err error) inspectors.Diagnostics {
	var list inspectors.Diagnostics
	if errors.As(err, &list) {
		return list
	}
	var one inspectors.Diagnostic
	if errors.As(err, &one) {
		return inspectors.Diagnostics{one}
	}
	d := script.Place(1, 0)
	d.Message = err.Error()
	return inspectors.Diagnostics{d}
}

// panicError is a panic of the script and its place.
type panicError struct{ at inspectors.Diagnostic }

func (e *panicError) Error() string   { return e.at.Error() }
func (e *panicError) Unwrap() []error { return []error{ErrPanic, e.at} }

// panicked describes a panic of the script with its line. If the line is unknown, it names
// the function: the interpreter records those through which it panicked, innermost first,
// each by its first statement.
func (m *machine) panicked(err error) error {
	var p interp.Panic
	if !errors.As(err, &p) {
		return err
	}
	what, note := describe(p.Value), m.notes.first()
	if line := m.core.Line(); line > 0 {
		at := m.origin.PlaceAt(line, 0)
		at.Message = "panic: " + what
		if name := around(source.Parse(m.origin.Script), line); name != "" {
			at.Message = "panic in func " + name + ": " + what
		}
		return &panicError{at}
	}
	if name, at, ok := enclosing(source.Parse(m.origin.Script), note); ok {
		at.Message = "panic in func " + name + ": " + what
		return &panicError{at}
	}
	at, _ := interpPlace(m.origin, note)
	at.Message = "panic: " + what
	return &panicError{at}
}

// describe prints the value of a panic, which may have methods of the script.
func describe(value any) (text string) {
	defer func() {
		if recover() != nil {
			text = "a value of type " + reflect.TypeOf(value).String()
		}
	}()
	return fmt.Sprint(core.Normalised(value))
}
