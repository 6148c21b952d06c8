package executor

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// confineNative keeps what the calling thread starts from gaining rights.
func confineNative() { _ = unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) } // fails on no kernel that runs Go

// nativeAttributes give a program a group of its own, and end it with the thread
// that started it.
func nativeAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
