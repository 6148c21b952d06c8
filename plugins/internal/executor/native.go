package executor

import (
	"context"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
)

// Native is an inspectors.Executor for a process that may execute, such as a
// script that was compiled into a plugin. The program has the rights of this
// process, cannot gain any more, and is killed together with its process group.
func Native(ctx context.Context, path string, args []string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var outcome Outcome
	err := error(nil)
	done := make(chan struct{})
	go func() {
		defer close(done)
		// Never unlocked: the thread, which can no longer gain rights, ends with
		// this goroutine, and the program with the thread.
		runtime.LockOSThread()
		confineNative()
		outcome, err = native(ctx, path, args)
	}()
	<-done
	if err != nil {
		return nil, err
	}
	return outcome.Result(path)
}

func native(ctx context.Context, path string, args []string) (Outcome, error) {
	cmd := &exec.Cmd{
		Path: path, Args: append([]string{path}, args...),
		Dir: "/", Env: environment(), SysProcAttr: nativeAttributes(),
	}
	var mu sync.Mutex
	running := false // guarded by mu: while true, the process id is the program's
	kill := func() {
		mu.Lock()
		defer mu.Unlock()
		if running {
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		}
	}
	start := func(cmd *exec.Cmd) error {
		mu.Lock()
		defer mu.Unlock()
		err := cmd.Start()
		running = err == nil
		return err
	}
	left := func() {
		// While the group has members its number cannot be reused. The number of
		// an empty group may belong to a new one, but only once all numbers have
		// been used.
		kill()
		mu.Lock()
		defer mu.Unlock()
		running = false
	}
	c, err := capture(ctx, cmd, start, kill, left)
	switch {
	case err != nil:
		return Outcome{}, plain(err)
	case c.over:
		return Outcome{}, errTooMuch
	case ctx.Err() != nil:
		return Outcome{}, context.Cause(ctx)
	}
	o := Outcome{Output: c.stdout, Stderr: c.stderr}
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok {
		o.Code, o.Reason = reasonOf(status)
	}
	return o, nil
}
