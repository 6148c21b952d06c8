package inspectors

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Bounds of the input and output of one program.
const (
	// MaxExecOutputBytes is the most that a program may write to its standard
	// output. One that writes more is killed.
	MaxExecOutputBytes = 1 << 20
	// MaxExecArgBytes is the largest total size of its arguments.
	MaxExecArgBytes = 32 << 10
)

// Exec runs a program and returns its standard output. The script has to name the
// program:
//
//	//vedette:needs exec:/usr/bin/uptime
//
// agent.policy.exec in the host's configuration has to name it too. The path is
// absolute: PATH is not searched, and there is no shell.
//
// The program gets no input, the working folder /, and only PATH and LANG=C in its
// environment. It runs as the user that scripts run as, and cannot gain rights. It
// is killed, with everything that it has started, when ctx ends or it writes more
// than MaxExecOutputBytes. Processes that it leaves behind are killed when it
// ends. ctx must be that of Inspect or derived from it.
//
// If the program ends with another status than 0, the error is an *ExitError, and
// the output is returned as well.
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

// ExitError says how a program ended that did not end well.
type ExitError struct {
	// Path is the program.
	Path string
	// Code is its exit status, or -1 if a signal ended it.
	Code int
	// Reason says the same in words, such as "exit status 3".
	Reason string
	// Stderr is the end of its standard error, up to 1 KiB.
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

// Executor runs a program for a script that may run it. Its errors do not name the
// program, except for an *ExitError, together with which it returns the output. It
// respects ctx, and may be called from any goroutine.
type Executor func(ctx context.Context, path string, args []string) ([]byte, error)

// WithExec returns a context in which Exec runs programs by execute, but only the
// named ones. They end with ctx, whatever happens to contexts derived from it. It
// is for runtimes.
func WithExec(ctx context.Context, programs []string, execute Executor) context.Context {
	return context.WithValue(ctx, grantKey{}, &grant{run: ctx, programs: programs, execute: execute})
}

// grant says which programs a run may execute; it is in the run's context.
type grant struct {
	run      context.Context
	programs []string
	execute  Executor
}

// until returns ctx with the deadline of the run, which it may have lost, if that
// is the earlier one. It has no timer itself: a timer that fires before the run's
// own would turn the run's timeout into an error of the script.
func (g *grant) until(ctx context.Context) context.Context {
	end, ok := g.run.Deadline()
	if earlier, has := ctx.Deadline(); !ok || has && earlier.Before(end) {
		return ctx
	}
	return deadline{ctx, end}
}

// deadline is a context with a deadline that other code enforces.
type deadline struct {
	context.Context
	end time.Time
}

func (d deadline) Deadline() (time.Time, bool) { return d.end, true }

type grantKey struct{}
