package truth

import "syscall"

// endsWithParent has a child end when the tests do, in whatever way.
func endsWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
