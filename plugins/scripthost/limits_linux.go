package scripthost

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/vedettehq/vedette/plugins"
)

// confineSystem sets the limits that the kernel enforces, except for those that a
// process can no longer set in its sandbox, which package sandbox sets.
func confineSystem(limits plugins.Limits) []error {
	var faults []error
	check := func(what string, err error) {
		if err != nil {
			faults = append(faults, fmt.Errorf("cannot %s: %w", what, err))
		}
	}
	check("switch off core dumps", unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}))
	if n := limits.DataBytes; n > 0 {
		check(fmt.Sprintf("limit the memory to %d bytes", n),
			unix.Setrlimit(unix.RLIMIT_DATA, &unix.Rlimit{Cur: uint64(n), Max: uint64(n)}))
	}
	if n := limits.Files; n > 0 {
		check(fmt.Sprintf("limit the open files to %d", n),
			unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: uint64(n), Max: uint64(n)}))
	}
	return faults
}
