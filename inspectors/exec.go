package inspectors

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Bounds of what one program may be given and may write.
const (
	// MaxExecOutputBytes is the most that a program may write to its standard
	// output. One that writes more is killed.
	MaxExecOutputBytes = 1 << 20
	// MaxExecArgBytes is the most that its arguments may weigh together.
	MaxExecArgBytes = 32 << 10
)

// Exec runs a program and returns what it wrote to its standard output. The
// script has to name it, as
//
//	//vedette:needs exec:/usr/bin/uptime
//
// and agent.policy.exec of the host's configuration has to name it too. The path
// is absolute; nothing is looked for in PATH, and there is no shell between.
//
// The program gets no input and the working folder /, and of the environment
// PATH and LANG=C. It runs as the user that scripts run as, cannot gain rights,
// and is killed with all that it has started when ctx ends, when it writes more
// than MaxExecOutputBytes, and what it leaves behind is killed when it ends. Ctx
// is that of Inspect or one that was made of it.
//
// Where the program ends with another status than 0, the error is an *ExitError,
// and the output is returned beside it.
func Exec(ctx context.Context, path string, args ...string) ([]byte, error) {
	g, given := ctx.Value(grantKey{}).(*grant)
	switch {
	case !given:
		return nil, fmt.Errorf("cannot run %q: the context is not that of a run of a script that says //vedette:needs exec:%s", path, path)
	case !slices.Contains(g.programs, path):
		return nil, fmt.Errorf("cannot run %q: the script does not say //vedette:needs exec:%s", path, path)
	}
	if err := checkArgs(args); err != nil {
		return nil, fmt.Errorf("cannot run %q: %w", path, err)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(g.run, func() { cancel(context.Cause(g.run)) })()
	output, err := g.execute(g.until(ctx), path, args)
	var exit *ExitError
	switch {
	case err == nil, errors.As(err, &exit) && ctx.Err() == nil:
		return output, err
	case ctx.Err() != nil:
		return nil, fmt.Errorf("cannot run %q: %w", path, context.Cause(ctx))
	}
	return nil, fmt.Errorf("cannot run %q: %w", path, err)
}

func checkArgs(args []string) error {
	size := 0
	for _, arg := range args {
		size += len(arg) + 1
		if strings.ContainsRune(arg, 0) {
			return errors.New("an argument holds a zero byte")
		}
	}
	if size > MaxExecArgBytes {
		return fmt.Errorf("the arguments are %d bytes long; at most %d are allowed", size, MaxExecArgBytes)
	}
	return nil
}

// ExitError is how a program ended that did not end well.
type ExitError struct {
	// Path is the program.
	Path string
	// Code is its exit status, or -1 where a signal ended it.
	Code int
	// Reason says the same in words, as "exit status 3".
	Reason string
	// Stderr is the end of what it wrote to its standard error, up to 1 KiB.
	Stderr string
}

// Error names the program, how it ended, and the last line that it wrote to its
// standard error.
func (e *ExitError) Error() string {
	text := fmt.Sprintf("%q ended with %s", e.Path, e.Reason)
	said := strings.TrimSpace(e.Stderr)
	if said = said[strings.LastIndexByte(said, '\n')+1:]; said != "" {
		text += ": " + strings.ToValidUTF8(said, "\uFFFD")
	}
	return text
}

// Executor runs a program on behalf of a script that may run it. Its errors do
// not name the program, but for an *ExitError, beside which it returns the
// output. It heeds ctx, and may be called from any goroutine.
type Executor func(ctx context.Context, path string, args []string) ([]byte, error)

// WithExec returns a context in which Exec runs programs by execute, but no
// others than those that are named. They end with ctx, whatever becomes of the
// contexts that are made of it. It is for runtimes.
func WithExec(ctx context.Context, programs []string, execute Executor) context.Context {
	return context.WithValue(ctx, grantKey{}, &grant{run: ctx, programs: programs, execute: execute})
}

// grant is what a run may execute, as its context holds it.
type grant struct {
	run      context.Context
	programs []string
	execute  Executor
}

// until returns ctx with the deadline of the run, which it may have lost, where
// that is the earlier one. It has no timer itself: one that came before that
// of the run would make an error of the script out of its timeout.
func (g *grant) until(ctx context.Context) context.Context {
	end, ok := g.run.Deadline()
	if earlier, has := ctx.Deadline(); !ok || has && earlier.Before(end) {
		return ctx
	}
	return deadline{ctx, end}
}

// deadline is a context that tells a deadline which somebody else sees to.
type deadline struct {
	context.Context
	end time.Time
}

func (d deadline) Deadline() (time.Time, bool) { return d.end, true }

type grantKey struct{}
