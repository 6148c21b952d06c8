package link

import (
	"fmt"
	"os"
	"strconv"
	"syscall"
)

// HoldLifeline waits on a separate goroutine until the agent is gone, and then
// ends this process at once, together with the process group that it leads.
// Without a lifeline in the environment it does nothing.
func HoldLifeline() error {
	pipe, err := inherited(EnvLifeline)
	if pipe == nil {
		return err
	}
	go func() {
		var none [1]byte
		_, _ = pipe.Read(none[:]) // nothing is ever written: this is the end of the agent
		if pid := os.Getpid(); syscall.Getpgrp() == pid {
			_ = syscall.Kill(-pid, syscall.SIGKILL)
		}
		os.Exit(1)
	}()
	return nil
}

// inherited opens the file whose number is in an environment variable, or returns
// nil if the variable is not set.
func inherited(name string) (*os.File, error) {
	text := os.Getenv(name)
	if text == "" {
		return nil, nil
	}
	fd, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("cannot read %s %q: it is not the number of an open file", name, text)
	}
	syscall.CloseOnExec(int(fd))
	file := os.NewFile(uintptr(fd), name)
	if _, err := file.Stat(); err != nil {
		return nil, fmt.Errorf("cannot use %s %q: %w", name, text, err)
	}
	return file, nil
}
