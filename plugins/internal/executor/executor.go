// Package executor runs programs for scripts, which cannot run any themselves,
// because no script host can execute.
//
// A script host asks its agent over their connection (Execute of the contract).
// The agent checks whether the scripts of that host need the program, and has a
// keeper run it. The keeper is the agent's own binary in a process between the
// two. It strips the program of everything that it does not need, adopts all
// processes that the program leaves behind, and lets none of them outlive the run.
// It is needed because most of that can only be done from inside the process that
// is going to execute, and because only an ancestor finds a process that left its
// group.
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
	// maxStderr is how much of a program's standard error is kept, from its end.
	maxStderr = 1 << 10
	// drainTime is how long the output of a program is read after it has ended.
	drainTime = 500 * time.Millisecond
)

// environment is the whole environment of a program.
func environment() []string {
	return []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C"}
}

// errTooMuch is why a program that wrote too much was ended.
var errTooMuch = fmt.Errorf("it wrote more than %d bytes, and was ended", inspectors.MaxExecOutputBytes)

// Outcome is how a program ended by itself.
type Outcome struct {
	// Output is its standard output.
	Output []byte
	// Code is its exit status, or -1 if a signal ended it.
	Code int
	// Reason says that in words; it is empty where Code is 0.
	Reason string
	// Stderr is the end of its standard error.
	Stderr []byte
	// CPU is the processor time of the program, of everything that it started, and
	// of its keeper. It is the only field that is set together with an error.
	CPU time.Duration
}

// Result returns the outcome in the form of inspectors.Exec.
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

// captured is the output of a command.
type captured struct {
	stdout, stderr []byte
	over           bool // it wrote more than it may
}

// capture runs a command and reads its output. It calls end, once, when ctx ends
// or the command writes too much: then end must end the command. After the command
// has ended, left is called for the processes that it left behind. The error is
// that of the start; the caller looks up how the command ended.
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

// head reads up to limit bytes, and reports whether there are more.
func head(r io.Reader, limit int) (data []byte, more bool) {
	data, _ = io.ReadAll(io.LimitReader(r, int64(limit)+1)) // the read fails if the pipe is closed on purpose
	if len(data) > limit {
		return data[:limit], true
	}
	return data, false
}

// tail reads everything, and returns the last bytes.
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

// plain removes the path from the error of a start, because the message has it
// already.
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
