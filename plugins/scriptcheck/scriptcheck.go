// Package scriptcheck checks scripts in a short-lived child process of the agent,
// so that the agent itself never holds the types that a check needs, and a script
// that overwhelms the checker overwhelms the child alone. The child is the agent's
// own binary, run again with one argument.
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
	// scripts that are loaded together are checked by one child.
	idle = 5 * time.Second
	// longest is how long the check of one script may take. Most take a
	// millisecond, the first of a child some ten.
	longest = 10 * time.Second
)

// Main is the main function of the child. It checks the scripts that arrive as
// JSON, one after the other, and answers each with its diagnostics or its
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

// answer is the child's answer about one script: its faults, or the translation
// for the interpreter.
type answer struct {
	Faults inspectors.Diagnostics `json:",omitempty"`
	Core   string                 `json:",omitempty"`
}

// Checker gives scripts to a child, which it starts when there is something to
// check. Its methods may be called from any goroutine; scripts are checked one at
// a time.
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

// Check checks a script and returns its translation for the interpreter, for
// inspectors.Script.Core. The error is inspectors.Diagnostics, or says why the
// script could not be checked; in neither case may the script be run.
func (c *Checker) Check(ctx context.Context, s inspectors.Script) (core string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return "", errors.New("cannot check a script: the checker is closed")
	}
	fresh := c.child == nil
	a, err := c.ask(ctx, s)
	if err != nil && !fresh && ctx.Err() == nil {
		a, err = c.ask(ctx, s) // the existing child may have died meanwhile
	}
	if err != nil {
		return "", fmt.Errorf("cannot check %s: %w", s.File, err)
	}
	return a.Core, a.Faults.Err()
}

// ask checks a script in the child, and starts one if there is none. A child that
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

// retire ends a child that has been idle for a while.
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

// child is a checking process.
type child struct {
	cmd    *exec.Cmd
	input  io.WriteCloser
	output *bufio.Reader
	timer  *time.Timer // retires it; nil while it checks
}

func start(command []string) (*child, error) {
	c := &child{cmd: exec.Command(command[0], command[1:]...)}
	// It needs nothing from the agent's environment, which may have secrets.
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

// rest replaces the timer that will retire the child; nil is for a child that is
// busy.
func (c *child) rest(timer *time.Timer) {
	if c.timer != nil {
		c.timer.Stop()
	}
	c.timer = timer
}

// resting reports whether the child waits to be retired.
func (c *child) resting() bool { return c.timer != nil }

// end ends the child, by closing its input or by force, and waits for it.
func (c *child) end() {
	_ = c.input.Close()
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait()
}
