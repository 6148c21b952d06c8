package sandbox

import "golang.org/x/sys/unix"

const (
	auditArch = unix.AUDIT_ARCH_X86_64
	// foreignNumbers is where the numbers of x32 begin, which are other names of
	// the same calls.
	foreignNumbers = 0x40000000
	newFstatat     = unix.SYS_NEWFSTATAT
)

// archCalls are the calls that only this architecture has: older forms.
func archCalls() []uint32 {
	return []uint32{
		unix.SYS_STAT, unix.SYS_LSTAT, unix.SYS_ACCESS, unix.SYS_POLL, unix.SYS_SELECT, unix.SYS_PIPE, unix.SYS_DUP2,
		unix.SYS_EPOLL_CREATE, unix.SYS_EPOLL_WAIT, unix.SYS_EVENTFD, unix.SYS_ACCEPT, unix.SYS_GETPGRP, unix.SYS_TIME,
		unix.SYS_GETRLIMIT, unix.SYS_ARCH_PRCTL, unix.SYS_GETDENTS,
	}
}

// archRules extend FilterOptions.rules; open is the verdict on opening.
func archRules(open uint32) []rule {
	return []rule{
		{number: unix.SYS_OPEN, when: []condition{lacks(1, writing)}, verdict: open},
		{number: unix.SYS_READLINK, verdict: open},
	}
}
