package executor

import (
	"context"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
)

// Native is an inspectors.Executor for a process that may execute, as a script
// that was compiled into a plugin: the program has the rights of this process,
// but for those that it could gain, and is killed with its process group.
func Native(ctx context.Context, path string, args []string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var outcome Outcome
	err := error(nil)
	done := make(chan struct{})
	go func() {
		defer close(done)
		// Never unlocked: the thread, which can gain no rights any more, ends with
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
	running := false // guarded by mu: its number is nobody else's
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
		// What is left of the group keeps its number from being given away; that of
		// a group without members may belong to a new one only once all numbers
		// have been used.
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
