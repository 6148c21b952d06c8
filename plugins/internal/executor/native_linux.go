package executor

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// confineNative keeps the programs that the calling thread starts from gaining
// rights.
func confineNative() { _ = unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) } // works on every kernel that runs Go

// nativeAttributes puts a program into a separate group, and ends it with the
// thread that started it.
func nativeAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
