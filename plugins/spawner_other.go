//go:build !linux

package plugins

import (
	"errors"
	"os"
	"syscall"
)

// childAttributes puts a child into a separate process group. The lifeline ends it
// together with the agent.
func childAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

func confineThread(Limits) []error {
	return []error{errors.New("cannot lower the priority of script hosts on this system: only Linux is supported")}
}

// ownProgram is the file of the running program, or the name under which it was
// called.
func ownProgram() string {
	path, err := os.Executable()
	if err != nil {
		return os.Args[0]
	}
	return path
}

// maxResident is the most memory that an ended process ever held, in bytes,
// including shared memory.
func maxResident(u *syscall.Rusage) int64 { return u.Maxrss }
