// Package scriptcheck checks scripts in a short-lived child process of the agent,
// so that the agent itself never holds the types that a check needs, and that a
// script which is too much for the checker is too much for the child alone. The
// child is the agent's own binary, run again with one argument.
package scriptcheck

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/inspectors/script/check"
)

// Command is the argument with which the agent runs its own binary again.
const Command = "script-check"

const (
	// idle is how long a child waits for the next script before it is ended:
	// what is loaded together is checked by one.
	idle = 5 * time.Second
	// longest is how long the check of one script may take. Most take a
	// millisecond, the first of a child some ten.
	longest = 10 * time.Second
)

// Main is the main function of the child: it checks the scripts that come in as
// JSON, one after the other, and answers each with its diagnostics or with its
// translation, until its input ends. It returns the exit status.
func Main(in io.Reader, out io.Writer) int {
	scripts, answers := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var s inspectors.Script
		err := scripts.Decode(&s)
		if errors.Is(err, io.EOF) {
			return 0
		}
		if err == nil {
			var a answer
			a.Core, a.Faults = check.Translate(s)
			err = answers.Encode(a)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, Command+":", err)
			return 1
		}
	}
}

// answer is what the child says of one script: what is wrong with it, or what the
// interpreter is to run.
type answer struct {
	Faults inspectors.Diagnostics `json:",omitempty"`
	Core   string                 `json:",omitempty"`
}

// Checker hands scripts to a child, which it starts when there is something to
// check. Its methods may be called from any goroutine; scripts are checked one
// at a time.
type Checker struct {
	command []string
	idle    time.Duration

	mu     sync.Mutex
	child  *child // or nil
	closed bool
}

// New makes a checker whose child is started by a command line. It starts
// nothing.
func New(command []string) *Checker {
	return &Checker{command: command, idle: idle}
}

// Check checks a script and returns what the interpreter is to run of it, for
// inspectors.Script.Core. The error is inspectors.Diagnostics; or it says why the
// script could not be checked, and the script is not to be run then either.
func (c *Checker) Check(ctx context.Context, s inspectors.Script) (core string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return "", errors.New("cannot check a script: the checker is closed")
	}
	fresh := c.child == nil
	a, err := c.ask(ctx, s)
	if err != nil && !fresh && ctx.Err() == nil {
		a, err = c.ask(ctx, s) // the child that was there may have died meanwhile
	}
	if err != nil {
		return "", fmt.Errorf("cannot check %s: %w", s.File, err)
	}
	return a.Core, a.Faults.Err()
}

// ask checks a script in the child, starting it where there is none. A child that
// fails is ended.
func (c *Checker) ask(ctx context.Context, s inspectors.Script) (answer, error) {
	if c.child == nil {
		started, err := start(c.command)
		if err != nil {
			return answer{}, err
		}
		c.child = started
	}
	ctx, cancel := context.WithTimeoutCause(ctx, longest, fmt.Errorf("the check did not end within %v", longest))
	defer cancel()
	c.child.rest(nil)
	a, err := c.child.ask(ctx, s)
	if err != nil {
		c.child.end()
		c.child = nil
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return answer{}, err
	}
	mine := c.child
	mine.rest(time.AfterFunc(c.idle, func() { c.retire(mine) }))
	return a, nil
}

// retire ends a child that nobody has asked for a while.
func (c *Checker) retire(old *child) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.child == old && old.resting() {
		old.end()
		c.child = nil
	}
}

// Close ends the child and returns when it is gone.
func (c *Checker) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	if c.child != nil {
		c.child.rest(nil)
		c.child.end()
		c.child = nil
	}
}

// child is a process that checks.
type child struct {
	cmd    *exec.Cmd
	input  io.WriteCloser
	output *bufio.Reader
	timer  *time.Timer // that retires it, or nil while it is asked
}

func start(command []string) (*child, error) {
	c := &child{cmd: exec.Command(command[0], command[1:]...)}
	// It needs nothing of the agent's environment, which may hold secrets.
	c.cmd.Env = []string{"GOMAXPROCS=1", "GOTRACEBACK=none"}
	var err error
	if c.input, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	output, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.output = bufio.NewReader(output)
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("cannot start the checker: %w", err)
	}
	return c, nil
}

// ask sends a script and waits for the answer. When ctx ends the child is killed.
func (c *child) ask(ctx context.Context, s inspectors.Script) (answer, error) {
	stop := context.AfterFunc(ctx, func() { _ = c.cmd.Process.Kill() })
	defer stop()
	if err := json.NewEncoder(c.input).Encode(s); err != nil {
		return answer{}, fmt.Errorf("cannot send it to the checker: %w", err)
	}
	line, err := c.output.ReadBytes('\n')
	if err != nil {
		return answer{}, fmt.Errorf("the checker ended without an answer: %w", err)
	}
	var a answer
	if err := json.Unmarshal(line, &a); err != nil {
		return answer{}, fmt.Errorf("cannot read the checker's answer: %w", err)
	}
	return a, nil
}

// rest sets the timer that will retire the child, in place of the one that is
// set; nil is for a child that is at work.
func (c *child) rest(timer *time.Timer) {
	if c.timer != nil {
		c.timer.Stop()
	}
	c.timer = timer
}

// resting reports whether the child waits to be retired.
func (c *child) resting() bool { return c.timer != nil }

// end ends the child, by the end of its input or by force, and waits for it.
func (c *child) end() {
	_ = c.input.Close()
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait()
}
