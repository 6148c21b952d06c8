package plugins

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// drainTime is how long after the death of a child its pipes are read: a
// grandchild that holds them open must not hold up the agent.
const drainTime = 500 * time.Millisecond

// child is one process. It is what go-plugin calls a runner.
type child struct {
	cmd     *exec.Cmd
	spawner *spawner
	stdout  *childPipe // nil before Start, as stderr
	stderr  *childPipe
	exited  chan struct{} // closed when the process is gone and its stderr was read
	err     error         // of its end; valid once exited is closed
}

func newChild(cmd *exec.Cmd, s *spawner) *child {
	return &child{cmd: cmd, spawner: s, exited: make(chan struct{})}
}

// Start starts the process, and a goroutine that lives as long as it does.
func (c *child) Start(context.Context) error {
	out, outWrite, err := os.Pipe()
	if err != nil {
		return err
	}
	errs, errsWrite, err := os.Pipe()
	if err != nil {
		_, _ = out.Close(), outWrite.Close()
		return err
	}
	c.cmd.Stdout, c.cmd.Stderr = outWrite, errsWrite
	c.stdout, c.stderr = newChildPipe(out), newChildPipe(errs)
	err = c.spawner.start(c.cmd)
	_, _ = outWrite.Close(), errsWrite.Close()
	if err != nil {
		_, _ = out.Close(), errs.Close()
		c.err = err
		close(c.exited)
		return err
	}
	go c.wait()
	return nil
}

func (c *child) wait() {
	defer close(c.exited)
	c.err = c.cmd.Wait()
	c.killGroup() // what it leaves behind must not outlive it
	deadline := time.NewTimer(drainTime)
	defer deadline.Stop()
	for _, pipe := range []*childPipe{c.stderr, c.stdout} {
		select {
		case <-pipe.drained:
		case <-deadline.C:
			_, _ = c.stdout.Close(), c.stderr.Close()
			return
		}
	}
}

// Wait waits for the end of the process.
func (c *child) Wait(context.Context) error {
	<-c.exited
	return c.err
}

// Kill kills the process and all of its group.
func (c *child) Kill(context.Context) error {
	if c.cmd.Process == nil {
		return nil
	}
	select {
	case <-c.exited:
	default:
		c.killGroup()
		_ = c.cmd.Process.Kill() // had it left its group
	}
	return nil
}

func (c *child) killGroup() {
	_ = syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL) // ESRCH when none is left
}

// end says how the process ended, as "exit status 2". Valid once it exited.
func (c *child) end() string {
	state := c.cmd.ProcessState
	if state == nil {
		return fmt.Sprint(c.err)
	}
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return fmt.Sprintf("killed by signal %d (%v)", status.Signal(), status.Signal())
	}
	return state.String()
}

// Stdout, Stderr, Name, ID and Diagnose are what go-plugin asks of a runner.
func (c *child) Stdout() io.ReadCloser { return c.stdout }

// Stderr returns the other pipe.
func (c *child) Stderr() io.ReadCloser { return c.stderr }

// Name returns the program.
func (c *child) Name() string { return c.cmd.Path }

// ID returns the number of the process, 0 where there is none.
func (c *child) ID() string { return strconv.Itoa(c.pid()) }

func (c *child) pid() int {
	if c.cmd.Process == nil {
		return 0
	}
	return c.cmd.Process.Pid
}

// Diagnose adds nothing: process says why a start failed.
func (c *child) Diagnose(context.Context) string { return "" }

// PluginToHost and HostToPlugin translate addresses; both ends see the same
// file system.
func (c *child) PluginToHost(network, address string) (string, string, error) {
	return network, address, nil
}

// HostToPlugin is the inverse of PluginToHost.
func (c *child) HostToPlugin(network, address string) (string, string, error) {
	return network, address, nil
}

// childPipe is the agent's end of a pipe from a child. It knows when all was
// read.
type childPipe struct {
	*os.File
	once    sync.Once
	drained chan struct{} // closed at the end of the pipe
}

func newChildPipe(f *os.File) *childPipe {
	return &childPipe{File: f, drained: make(chan struct{})}
}

// Read reads, and closes drained at the end.
func (p *childPipe) Read(data []byte) (int, error) {
	n, err := p.File.Read(data)
	if err != nil {
		p.once.Do(func() { close(p.drained) })
		err = io.EOF // also when the pipe was closed on purpose
	}
	return n, err
}
