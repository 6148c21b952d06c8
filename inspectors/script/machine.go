package script

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"reflect"
	"strings"
	"sync"
	"testing/fstest"
	"time"

	"github.com/traefik/yaegi/interp"
	"github.com/vedettehq/vedette/inspectors"
)

// machine is one interpreter with the script in it. It is used by one run at a
// time, and never again once a run was cut off: from then on the interpreter
// returns zero values for whatever it is asked.
type machine struct {
	source *source
	host   *host
	interp *interp.Interpreter
	driver *interp.Program
	notes  *notes
}

// hostPath is the import path by which the driver reaches the machine. A script
// cannot import it: it is not on the allow-list.
const hostPath = "vedette/host"

// drivers are what one run executes, by shape. Leave is deferred so that it is
// called however the run ends, also long after it was cut off.
const (
	driverHead = "package main\n\nimport \"" + hostPath + "\"\n\nfunc main() {\n\tdefer host.Leave()\n\thost.Enter()\n\t"
	driverTail = "\n}\n"
)

func driver(s shape) string {
	switch s {
	case valueShape:
		return driverHead + "host.Value(" + packageName + ".Inspect())" + driverTail
	case valueCtxShape:
		return driverHead + "host.Value(" + packageName + ".Inspect(host.Context()))" + driverTail
	}
	return driverHead + "host.Result(" + packageName + ".Inspect(host.Context(), host.Report()))" + driverTail
}

// build makes a machine of the script and runs its initialisers, until ctx ends.
func (p *Program) build(ctx context.Context) (m *machine, err error) {
	s := p.source
	defer func() {
		// The interpreter panics on some programs that it cannot compile.
		if v := recover(); v != nil {
			d := s.place(s.file.Package)
			d.Message = fmt.Sprintf("the interpreter cannot compile this file (%v)", v)
			d.Fix = "take out what is not plain Go 1.21"
			m, err = nil, inspectors.Diagnostics{d}
		}
	}()
	h := &host{output: p.output, tally: &p.tally}
	m = &machine{source: s, host: h, notes: &notes{}}
	m.interp = interp.New(interp.Options{
		Stdout: p.output, Stderr: m.notes, Args: []string{}, Env: []string{},
		SourcecodeFilesystem: fstest.MapFS{}, // nothing is imported from the disk
	})
	if err := m.interp.Use(exports(s, h)); err != nil {
		return nil, fmt.Errorf("cannot give the interpreter its packages: %w", err)
	}
	program, err := m.compile()
	if err != nil {
		return nil, s.translate(err)
	}
	h.start(ctx, nil)
	if _, err := m.execute(ctx, program); err != nil {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("the initialisers of the package variables do not end: %w", err)
		}
		return nil, m.panicked(err)
	}
	m.driver, err = m.interp.Compile(driver(s.shape))
	if err != nil {
		return nil, s.translate(err)
	}
	return m, nil
}

// compile compiles the script. The file of source is read from more than one
// machine, one after the other, and never written.
func (m *machine) compile() (*interp.Program, error) {
	// The interpreter asks its own file set for places: it gets a file of the
	// same base and the same lines as the one that the script was parsed into.
	file := m.source.fset.File(m.source.file.Package)
	m.interp.FileSet().AddFile(fileName, file.Base(), file.Size()).SetLines(file.Lines())
	renamed := *m.source.file
	name := *renamed.Name
	name.Name = packageName
	renamed.Name = &name
	return m.interp.CompileAST(&renamed)
}

// run executes the script once. keep says whether the machine may be used
// again, settled whether the run is over, so that own may be read.
func (m *machine) run(ctx context.Context, own *inspectors.Report) (keep, settled bool, err error) {
	m.notes.reset()
	h := m.host
	h.start(ctx, own)
	late, stop := after(ctx, grace)
	defer stop()
	if cut, err := m.execute(late, m.driver); cut {
		settled = h.abandon()
		return false, settled, fmt.Errorf("cut off: %w", context.Cause(ctx))
	} else if err != nil {
		return false, true, m.panicked(err)
	}
	if err := h.outcome(); err != nil {
		return true, true, err
	}
	return true, true, nil
}

// execute runs a program until ctx ends; cut says that it did so first.
func (m *machine) execute(ctx context.Context, p *interp.Program) (cut bool, err error) {
	defer func() {
		v := recover()
		switch v.(type) {
		case nil:
		case cutOff:
			cut, err = true, ctx.Err()
		default:
			panic(v)
		}
	}()
	_, err = m.interp.ExecuteWithContext(cutContext{ctx}, p)
	return false, err
}

// cutContext ends as its parent does, but panics when it is asked why.
// ExecuteWithContext asks once, after it has stopped the interpreter and before
// it writes its results, which the goroutine that it has left behind is going
// to write as well: the panic is the way out that does not write them.
type cutContext struct{ context.Context }

type cutOff struct{}

func (c cutContext) Err() error { panic(cutOff{}) }

// after returns a context that ends some time after ctx does.
func after(ctx context.Context, wait time.Duration) (context.Context, func()) {
	late, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var timer *time.Timer
	var mu sync.Mutex
	stopped := false
	stop := context.AfterFunc(ctx, func() {
		mu.Lock()
		defer mu.Unlock()
		if !stopped {
			timer = time.AfterFunc(wait, cancel)
		}
	})
	return late, func() {
		stop()
		mu.Lock()
		defer mu.Unlock()
		stopped = true
		if timer != nil {
			timer.Stop()
		}
		cancel()
	}
}

// translate turns an error of the interpreter's compiler into diagnostics.
func (s *source) translate(err error) error {
	text := strings.TrimSpace(err.Error())
	var faults inspectors.Diagnostics
	for line := range strings.SplitSeq(text, "\n") {
		d, rest := s.interpPlace(line)
		d.Message = strings.ReplaceAll(rest, packageName+"/", "")
		faults = append(faults, d)
	}
	return faults.Err()
}

// interpPlace splits "inspector.go:5:2: text" and places it.
func (s *source) interpPlace(text string) (inspectors.Diagnostic, string) {
	line, col, rest, ok := cutPlace(text)
	if !ok {
		return s.script.Place(1, 0), text
	}
	return s.placeAt(line, col), rest
}

// cutPlace splits "inspector.go:5:2: text".
func cutPlace(text string) (line, col int, rest string, ok bool) {
	at := strings.Index(text, fileName+":")
	if at < 0 {
		return 0, 0, text, false
	}
	place := text[at+len(fileName)+1:]
	if n, err := fmt.Sscanf(place, "%d:%d", &line, &col); n != 2 || err != nil {
		return 0, 0, text, false
	}
	_, rest, _ = strings.Cut(place, ": ")
	return line, col, rest, true
}

// enclosing returns the name and the place of the function around a place that
// the interpreter has noted.
func (s *source) enclosing(note string) (string, inspectors.Diagnostic, bool) {
	line, _, _, ok := cutPlace(note)
	if !ok {
		return "", inspectors.Diagnostic{}, false
	}
	for _, decl := range s.file.Decls {
		f, ok := decl.(*ast.FuncDecl)
		if !ok || line < s.fset.Position(f.Pos()).Line || line > s.fset.Position(f.End()).Line {
			continue
		}
		return f.Name.Name, s.place(f.Pos()), true
	}
	return "", inspectors.Diagnostic{}, false
}

// asDiagnostics returns the faults that an error holds, or the error as one
// fault at the start of the file.
func asDiagnostics(s *source, err error) inspectors.Diagnostics {
	var list inspectors.Diagnostics
	if errors.As(err, &list) {
		return list
	}
	var one inspectors.Diagnostic
	if errors.As(err, &one) {
		return inspectors.Diagnostics{one}
	}
	d := s.script.Place(1, 0)
	d.Message = err.Error()
	return inspectors.Diagnostics{d}
}

// panicked describes a panic of the script. The interpreter notes the functions
// that it panicked through, innermost first, each by its first statement: which
// one of the statements it was is not known.
func (m *machine) panicked(err error) error {
	var p interp.Panic
	if !errors.As(err, &p) {
		return err
	}
	what := describe(p.Value)
	note := m.notes.first()
	if note == "" {
		return fmt.Errorf("%w: %s", ErrPanic, what)
	}
	at, _ := m.source.interpPlace(note)
	at.Message = what
	if name, place, ok := m.source.enclosing(note); ok {
		at = place
		at.Message = "in func " + name + ": " + what
	}
	return fmt.Errorf("%w: %w", ErrPanic, at)
}

// describe prints the value of a panic, which may have methods of the script.
func describe(value any) (text string) {
	defer func() {
		if recover() != nil {
			text = "a value of type " + reflect.TypeOf(value).String()
		}
	}()
	return fmt.Sprint(value)
}
