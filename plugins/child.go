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

// drainTime is how long the pipes of a child are read after its death: a
// grandchild that holds them open must not delay the agent.
const drainTime = 500 * time.Millisecond

// child is one process. go-plugin calls it a runner.
type child struct {
	cmd     *exec.Cmd
	spawner *spawner
	// The folder of its socket, as the child sees it and as the agent does; both
	// are empty if they are the same.
	inside, outside string

	stdout *childPipe // nil before Start, like stderr
	stderr *childPipe
	exited chan struct{} // closed when the process is gone and its stderr was read
	err    error         // of its end; valid once exited is closed

	mu     sync.Mutex
	pid    int  // guarded by mu, like all below: 0 before the start and after the end
	doomed bool // killed before it was started
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
	c.mu.Lock()
	c.pid = c.cmd.Process.Pid
	if c.doomed {
		c.killLocked()
	}
	c.mu.Unlock()
	go c.wait()
	return nil
}

func (c *child) wait() {
	defer close(c.exited)
	c.err = c.cmd.Wait()
	c.mu.Lock()
	c.killLocked() // processes that it left behind must not outlive it
	c.pid = 0
	c.mu.Unlock()
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

// Kill kills the process and all of its group. A process that is just being
// started is killed as soon as it exists.
func (c *child) Kill(context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.doomed = true
	c.killLocked()
	return nil
}

func (c *child) killLocked() {
	if c.pid != 0 {
		_ = syscall.Kill(-c.pid, syscall.SIGKILL) // ESRCH when none is left
		_ = syscall.Kill(c.pid, syscall.SIGKILL)  // in case it left its group
	}
}

// end says how the process ended, such as "exit status 2". It is valid once the
// process has exited.
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

// killedFromOutside reports whether a process that has exited was killed with
// SIGKILL and never held more memory than most; 0 sets no bound. Only the agent, a
// person or the kernel can send that signal.
func (c *child) killedFromOutside(most int64) bool {
	state := c.cmd.ProcessState
	if state == nil {
		return false
	}
	status, ok := state.Sys().(syscall.WaitStatus)
	if !ok || !status.Signaled() || status.Signal() != syscall.SIGKILL {
		return false
	}
	usage, ok := state.SysUsage().(*syscall.Rusage)
	return ok && (most <= 0 || maxResident(usage) <= most)
}

// Stdout returns the pipe of the standard output. It and the methods below are
// those that go-plugin wants of a runner.
func (c *child) Stdout() io.ReadCloser { return c.stdout }

// Stderr returns the pipe of the standard error.
func (c *child) Stderr() io.ReadCloser { return c.stderr }

// Name returns the program.
func (c *child) Name() string { return c.cmd.Path }

// ID returns the process id, or 0 while there is no process.
func (c *child) ID() string { return strconv.Itoa(c.id()) }

func (c *child) id() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pid
}

// Diagnose adds nothing: process says why a start failed.
func (c *child) Diagnose(context.Context) string { return "" }

// PluginToHost translates an address: a script host sees the folder of its socket
// under another name.
func (c *child) PluginToHost(network, address string) (string, string, error) {
	return network, c.outsidePath(address), nil
}

// HostToPlugin would be the inverse, for connections that a child makes to the
// agent. There are none.
func (c *child) HostToPlugin(network, address string) (string, string, error) {
	return network, address, nil
}

// childPipe is the agent's end of a pipe from a child. It knows when everything
// has been read.
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
		err = io.EOF // also if the pipe was closed on purpose
	}
	return n, err
}
