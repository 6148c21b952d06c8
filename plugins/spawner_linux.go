package plugins

import (
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// childAttributes puts a child into a separate process group, so that a ^C in the
// terminal goes to the agent alone and the whole group can be killed, and ends it
// together with the agent.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// confineThread sets on the calling thread what its children must inherit.
func confineThread(limits Limits) []error {
	var faults []error
	if limits.Nice > niceNow() {
		if err := unix.Setpriority(unix.PRIO_PROCESS, 0, limits.Nice); err != nil { // of this thread
			faults = append(faults, fmt.Errorf("cannot lower the priority of script hosts to nice %d: %w", limits.Nice, err))
		}
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		faults = append(faults, fmt.Errorf("cannot keep script hosts from gaining privileges: %w", err))
	}
	return faults
}

// niceNow is how nice the calling thread is, or 0. One that is nicer than its children
// are to be may not make them less so, and need not.
func niceNow() int {
	priority, err := unix.Getpriority(unix.PRIO_PROCESS, 0) // 20 less the niceness
	if err != nil {
		return 0
	}
	return 20 - priority
}

// ownProgram is the file of the running program, even if it has been replaced on
// disk since.
func ownProgram() string { return "/proc/self/exe" }

// maxResident is the most memory that an ended process ever held, in bytes,
// including shared memory.
func maxResident(u *syscall.Rusage) int64 { return u.Maxrss << 10 }
