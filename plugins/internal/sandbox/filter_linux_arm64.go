package sandbox

import "golang.org/x/sys/unix"

const (
	auditArch = unix.AUDIT_ARCH_AARCH64
	// foreignNumbers is 0: there is one set of numbers.
	foreignNumbers = 0
	newFstatat     = unix.SYS_FSTATAT
)

// archCalls are the calls that only this architecture has.
func archCalls() []uint32 { return []uint32{unix.SYS_ACCEPT, unix.SYS_GETRLIMIT} }

// archRules extend FilterOptions.rules.
func archRules(uint32) []rule { return nil }
