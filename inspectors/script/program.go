package script

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/inspectors/script/check"
	"github.com/vedettehq/vedette/inspectors/script/internal/files"
)

// Errors of a run, apart from those that the script itself returns. Each is wrapped with
// details.
var (
	// ErrOverlap: Inspect was called during another run.
	ErrOverlap = errors.New("a run of the script is still going")
	// ErrClosed: Inspect was called after Close.
	ErrClosed = errors.New("the script is closed")
	// ErrPanic: the script panicked.
	ErrPanic = errors.New("panic")
)

// grace is how long a run may continue after its context has ended, so that a script that
// respects the context can return its own error and keep its state. It begins when this
// process notices the end of the context.
const grace = 20 * time.Millisecond

// graceAgain is how often a run gets its grace again because the timer was late; the run
// may have had no time at all.
const graceAgain = 10

// Options say how a script is run.
type Options struct {
	// Output receives what the script prints with fmt.Print, log.Print and println, at most
	// MaxOutputBytes a run. A Write may be part of a line. One goroutine at a time calls
	// it. Nil discards the output.
	Output io.Writer
	// Files are the files, and folders with everything in them, that the script may read
	// besides the usual ones. Nil means those in its needs.
	Files []string
	// Private are files and folders that it may never read.
	Private []string
	// Exec runs the programs in the script's needs. Nil runs none.
	Exec inspectors.Executor
	// Secret returns the secrets in the script's needs. Nil returns none.
	Secret inspectors.SecretSource
}

// Program is a script, ready to run. It implements inspectors.Inspector.
//
// A program keeps its package variables from run to run. It loses them, and is built again
// before the next run, after a run that panicked or had to be cut off at the end of its
// context.
//
// Runs whose samples are only shown (inspectors.Shown) use a second instance with separate
// package variables, so they do not affect the kept runs. It exists as long as such runs
// are made.
type Program struct {
	script inspectors.Script
	output *output
	files  *files.Reader
	// within makes the context of a run that may execute programs or read secrets.
	within func(context.Context) context.Context
	busy   atomic.Bool
	closed atomic.Bool
	tally  tally
	// kept makes the runs whose samples are kept, shown the others.
	kept, shown instance
	mu          sync.Mutex // guards the fields below, and the machines of the instances
	core        string     // the translation of the script
}

// instance is one interpreter of the script, and the state of its runs.
type instance struct {
	machine *machine // or nil: built before the next run
	// counters are those of earlier runs; during a run they and used belong to it.
	counters inspectors.Counters
	used     bool // since the last run of the other instance
}

var _ inspectors.Inspector = (*Program)(nil)

// Load checks a definition's script, builds it and runs the initialisers of its package
// variables, for at most the definition's timeout. Faults of the script are Diagnostics in
// the author's own file.
//
// Load does not trust the script, but see the package comment for what it cannot prevent.
func Load(d inspectors.Definition) (*Program, error) { return Options{}.Load(d) }

// Load is the function Load with options.
func (o Options) Load(d inspectors.Definition) (*Program, error) {
	if d.Script == nil {
		return nil, fmt.Errorf("cannot load inspector %q: it is not a script", d.Name)
	}
	said, err := d.Script.Directives()
	if err != nil {
		return nil, err
	}
	core := d.Script.Core
	if core == "" {
		var faults inspectors.Diagnostics
		if core, faults = check.Lower(*d.Script); len(faults) > 0 {
			return nil, faults
		}
	}
	if o.Files == nil {
		o.Files = said.Needs.Files
	}
	timeout := d.Timeout
	if timeout <= 0 {
		timeout = inspectors.DefaultTimeout(inspectors.DefaultInterval)
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	p := &Program{script: *d.Script, core: core, output: &output{w: o.Output}, files: files.New(o.Files, o.Private)}
	p.within = o.within(said.Needs)
	p.output.begin()
	m, err := p.build(ctx, core)
	if err != nil {
		return nil, err
	}
	p.kept.machine = m
	return p, nil
}

// within returns a function that makes the context of a run of a script with these needs.
func (o Options) within(n inspectors.Needs) func(context.Context) context.Context {
	return func(ctx context.Context) context.Context {
		if len(n.Programs) > 0 && o.Exec != nil {
			ctx = inspectors.WithExec(ctx, n.Programs, o.Exec)
		}
		if len(n.Secrets) > 0 && o.Secret != nil {
			ctx = inspectors.WithSecrets(ctx, n.Secrets, o.Secret)
		}
		return ctx
	}
}

// Inspect runs the script once. In addition to the promises of inspectors.Inspector, a
// second call during a run returns ErrOverlap, and an error of the script's context wraps
// that of ctx.
func (p *Program) Inspect(ctx context.Context, r *inspectors.Report) error {
	if !p.busy.CompareAndSwap(false, true) {
		return ErrOverlap
	}
	defer p.busy.Store(false)
	if p.closed.Load() {
		return ErrClosed
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("not run: %w", err)
	}
	i := p.turn(ctx)
	m, err := p.ready(ctx, i)
	if err != nil {
		return err
	}
	p.output.begin()
	ctx = p.within(ctx)
	own := r.Fork()
	keep, settled, err := m.run(ctx, own)
	if settled {
		i.counters.Hold(own)
		r.Merge(own)
	}
	if !keep {
		p.drop(i)
		inspectors.KeptOf(ctx).Discard() // the next run begins where this one did
	}
	return err
}

// turn returns the instance for a run. The instance for runs that are only shown is dropped
// after two kept runs in a row.
func (p *Program) turn(ctx context.Context) *instance {
	if inspectors.Shown(ctx) {
		p.shown.used = true
		return &p.shown
	}
	if !p.shown.used {
		p.drop(&p.shown)
		p.shown.counters = inspectors.Counters{}
	}
	p.shown.used = false
	return &p.kept
}

// ready returns the machine for the next run, and builds it if there is none or the last
// run lost it.
func (p *Program) ready(ctx context.Context, i *instance) (*machine, error) {
	p.mu.Lock()
	m, core := i.machine, p.core
	p.mu.Unlock()
	if m != nil {
		return m, nil
	}
	m, err := p.build(ctx, core)
	if err != nil {
		return nil, fmt.Errorf("cannot start the script again: %w", err)
	}
	p.mu.Lock()
	i.machine = m
	p.mu.Unlock()
	return m, nil
}

func (p *Program) drop(i *instance) {
	p.mu.Lock()
	m := i.machine
	i.machine = nil
	p.mu.Unlock()
	if m != nil {
		m.host.release()
	}
}

// Close releases the interpreter. It does not interrupt a run; end the run's context for
// that.
func (p *Program) Close() {
	p.closed.Store(true)
	p.drop(&p.kept)
	p.drop(&p.shown)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.core = ""
}

// Leaked returns how many runs that were cut off have not ended yet, because the script is
// stuck in a library call that ignores the context. Each holds a goroutine and an
// interpreter.
func (p *Program) Leaked() int { return p.tally.leaked() }

// tally counts the cut-off runs of all machines of a program, and those of them that ended
// later.
type tally struct {
	cut, ended atomic.Int64
}

func (t *tally) leaked() int { return int(t.cut.Load() - t.ended.Load()) }
