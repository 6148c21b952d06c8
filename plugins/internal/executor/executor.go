// Package executor runs programs for scripts, which cannot run any themselves:
// no script host can execute.
//
// A script host asks its agent over their connection (Execute of the contract).
// The agent looks whether the scripts of that host need the program, and has it
// run by a keeper: its own binary in a process between the two, which takes from
// the program what it does not need, adopts whatever the program leaves behind,
// and lets nothing of it outlive the run. The keeper is needed because most of
// that can only be done from inside of the process that is going to execute, and
// because a process that leaves its group is found by its ancestor alone.
//
// A script that was compiled into a plugin runs with the rights of the agent, and
// runs its programs itself; see Native.
package executor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/vedettehq/vedette/inspectors"
)

const (
	// maxStderr is how much is kept of what a program writes to its standard
	// error: the end.
	maxStderr = 1 << 10
	// drainTime is how long is read from a program that is gone.
	drainTime = 500 * time.Millisecond
)

// environment is all that a program gets of one.
func environment() []string {
	return []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C"}
}

// errTooMuch is why a program was ended that writes too much.
var errTooMuch = fmt.Errorf("it wrote more than %d bytes, and was ended", inspectors.MaxExecOutputBytes)

// Outcome is how a program ended by itself.
type Outcome struct {
	// Output is what it wrote to its standard output.
	Output []byte
	// Code is its exit status, or -1 where a signal ended it.
	Code int
	// Reason says that in words; it is empty where Code is 0.
	Reason string
	// Stderr is the end of what it wrote to its standard error.
	Stderr []byte
	// CPU is the processor time that it took, with what it started and its keeper.
	// An Outcome that comes with an error has nothing else.
	CPU time.Duration
}

// Result returns the outcome as inspectors.Exec does.
func (o Outcome) Result(path string) ([]byte, error) {
	if o.Code == 0 {
		return o.Output, nil
	}
	return o.Output, &inspectors.ExitError{Path: path, Code: o.Code, Reason: o.Reason, Stderr: string(o.Stderr)}
}

// reasonOf says how a process ended.
func reasonOf(status syscall.WaitStatus) (code int, reason string) {
	switch {
	case status.Signaled():
		return -1, fmt.Sprintf("signal %d (%v)", status.Signal(), status.Signal())
	case status.ExitStatus() != 0:
		return status.ExitStatus(), fmt.Sprintf("exit status %d", status.ExitStatus())
	}
	return 0, ""
}

// captured is what a command wrote.
type captured struct {
	stdout, stderr []byte
	over           bool // it wrote more than it may
}

// capture runs a command and reads what it writes. It calls end, once, when ctx
// ends and when too much is written: the command shall end then. When it has
// ended, left is called for what it leaves behind. The error is that of the
// start: how it ended is for the caller to look up.
func capture(ctx context.Context, cmd *exec.Cmd, start func(*exec.Cmd) error, end, left func()) (captured, error) {
	stdout, outWrite, err := os.Pipe()
	if err != nil {
		return captured{}, err
	}
	defer stdout.Close()
	stderr, errWrite, err := os.Pipe()
	if err != nil {
		_ = outWrite.Close()
		return captured{}, err
	}
	defer stderr.Close()
	cmd.Stdout, cmd.Stderr = outWrite, errWrite
	err = start(cmd)
	_, _ = outWrite.Close(), errWrite.Close()
	if err != nil {
		return captured{}, err
	}
	end = sync.OnceFunc(end)
	defer context.AfterFunc(ctx, end)()
	var c captured
	var readers sync.WaitGroup
	readers.Go(func() {
		if c.stdout, c.over = head(stdout, inspectors.MaxExecOutputBytes); c.over {
			end()
			_, _ = io.Copy(io.Discard, stdout)
		}
	})
	readers.Go(func() { c.stderr = tail(stderr, maxStderr) })
	_ = cmd.Wait()
	left()
	// Nobody should hold the other ends any more.
	timer := time.AfterFunc(drainTime, func() { _, _ = stdout.Close(), stderr.Close() })
	defer timer.Stop()
	readers.Wait()
	return c, nil
}

// head reads up to so many bytes, and reports whether there are more.
func head(r io.Reader, limit int) (data []byte, more bool) {
	data, _ = io.ReadAll(io.LimitReader(r, int64(limit)+1)) // a read fails when the pipe is closed on purpose
	if len(data) > limit {
		return data[:limit], true
	}
	return data, false
}

// tail reads all, and returns the last bytes.
func tail(r io.Reader, limit int) []byte {
	var data []byte
	buffer := make([]byte, 4<<10)
	for {
		n, err := r.Read(buffer)
		data = append(data, buffer[:n]...)
		if len(data) > limit {
			data = append(data[:0], data[len(data)-limit:]...)
		}
		if err != nil {
			return data
		}
	}
}

// plain takes out of the error of a start what is told beside it: the path.
func plain(err error) error {
	var path *os.PathError
	var name *exec.Error
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &name):
		return name.Err
	}
	return err
}
