package script

import (
	"context"
	"embed"
	"fmt"
	"sync"
	"time"

	"github.com/traefik/yaegi/interp"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/inspectors/script/internal/core"
	"github.com/vedettehq/vedette/inspectors/script/internal/source"
	"github.com/vedettehq/vedette/internal/meter"
)

// machine is one interpreter with the script in it. One run at a time uses it. After a run
// was cut off it is never used again, because the interpreter then returns zero values for
// everything.
type machine struct {
	origin source.Origin
	host   *host
	core   *core.Machine
	interp *interp.Interpreter
	driver *interp.Program
	notes  *notes
}

// hostPath is the import path by which the driver reaches the machine. It is not on the
// allow-list, so a script cannot import it.
const hostPath = "vedette/host"

// drivers are the programs that one run executes, by shape. Leave is deferred, so it is
// called however the run ends, even long after it was cut off.
const (
	driverHead = "package main\n\nimport \"" + hostPath + "\"\n\nfunc main() {\n\tdefer host.Leave()\n\thost.Enter()\n\t"
	driverTail = "\n}\n"
)

func driver(s source.Shape) string {
	switch s {
	case source.ValueShape:
		return driverHead + "host.Value(" + source.PackageName + ".Inspect())" + driverTail
	case source.ValueCtxShape:
		return driverHead + "host.Value(" + source.PackageName + ".Inspect(host.Context()))" + driverTail
	}
	return driverHead + "host.Result(" + source.PackageName + ".Inspect(host.Context(), host.Report()))" + driverTail
}

// build makes a machine from a translated script and runs its initialisers, until ctx ends.
// The machine does not keep the parsed script, which is most of the memory of a small one.
func (p *Program) build(ctx context.Context, text string) (m *machine, err error) {
	defer func() {
		// The interpreter panics on some programs that it cannot compile.
		if v := recover(); v != nil {
			d := p.script.Place(1, 0)
			d.Message = fmt.Sprintf("the interpreter cannot compile this file (%v)", v)
			d.Fix = "take out what is not plain Go"
			m, err = nil, inspectors.Diagnostics{d}
		}
	}()
	h := &host{output: p.output, tally: &p.tally, files: p.files}
	m = &machine{host: h, notes: &notes{}}
	m.core = &core.Machine{Recovered: m.notes.reset}
	m.interp = interp.New(interp.Options{
		Stdout: p.output, Stderr: m.notes, Args: []string{}, Env: []string{},
		SourcecodeFilesystem: embed.FS{}, // empty: nothing is imported from the disk
	})
	s, err := source.ParseCore(p.script, m.interp.FileSet(), text)
	if err != nil {
		return nil, err
	}
	m.origin = s.Origin
	if err := m.interp.Use(exports(s, h, m.core)); err != nil {
		return nil, fmt.Errorf("cannot give the interpreter its packages: %w", err)
	}
	program, err := m.interp.CompileAST(s.File)
	if err != nil {
		return nil, translate(s.Origin, err)
	}
	h.start(ctx, nil)
	if _, err := m.execute(ctx, program); err != nil {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("the initialisers of the package variables do not end: %w", err)
		}
		return nil, m.panicked(err)
	}
	m.driver, err = m.interp.Compile(driver(s.Shape))
	if err != nil {
		return nil, translate(s.Origin, err)
	}
	return m, nil
}

// run executes the script once. keep says whether the machine may be used again, and
// settled whether the run is over, so that its own variables may be read.
func (m *machine) run(ctx context.Context, own *inspectors.Report) (keep, settled bool, err error) {
	m.notes.reset()
	m.core.Begin()
	h := m.host
	h.start(ctx, own)
	late, stop := after(ctx, grace)
	defer stop()
	if cut, err := m.execute(late, m.driver); cut {
		settled = h.abandon()
		return false, settled, fmt.Errorf("cut off: %w", ctx.Err())
	} else if err != nil {
		return false, true, m.panicked(err)
	}
	if err := h.outcome(); err != nil {
		return true, true, err
	}
	return true, true, nil
}

// execute runs a program until ctx ends; cut says that ctx ended first.
func (m *machine) execute(ctx context.Context, p *interp.Program) (cut bool, err error) {
	defer func() {
		v := recover()
		switch v.(type) {
		case nil:
		case cutOff:
			m.core.Stop()
			cut, err = true, ctx.Err()
		default:
			panic(v)
		}
	}()
	_, err = m.interp.ExecuteWithContext(cutContext{ctx}, p)
	return false, err
}

// cutContext ends with its parent, but panics when it is asked for the reason.
// ExecuteWithContext asks once, after it has stopped the interpreter and before it writes
// its results. The goroutine that it has left behind will write them too, so the panic
// leaves the function without writing them.
type cutContext struct{ context.Context }

type cutOff struct{}

func (c cutContext) Err() error { panic(cutOff{}) }

// after returns a context that ends some time after ctx does. It ends at once if the run
// exceeded its budget: code that takes too much must not continue, and a loop whose sleeps
// return at once takes a lot.
func after(ctx context.Context, wait time.Duration) (context.Context, func()) {
	late, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var timer *time.Timer
	var mu sync.Mutex
	stopped := false
	stop := context.AfterFunc(ctx, func() {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case stopped:
		case meter.From(ctx).Excess() != nil:
			cancel()
		default:
			due, left := time.Now().Add(wait), graceAgain
			timer = time.AfterFunc(wait, func() {
				mu.Lock()
				defer mu.Unlock()
				if stopped {
					return
				}
				if left--; left >= 0 && time.Since(due) > wait/4 {
					due = time.Now().Add(wait)
					timer.Reset(wait)
					return
				}
				cancel()
			})
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
