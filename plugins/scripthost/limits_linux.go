package scripthost

import (
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/vedettehq/vedette/plugins"
)

// confineSystem sets the limits that the kernel holds.
func confineSystem(limits plugins.Limits) []error {
	var faults []error
	check := func(what string, err error) {
		if err != nil {
			faults = append(faults, fmt.Errorf("cannot %s: %w", what, err))
		}
	}
	check("name the process", os.WriteFile("/proc/self/comm", []byte("vedette-scripts"), 0))
	check("switch off core dumps", unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}))
	if n := limits.DataBytes; n > 0 {
		check(fmt.Sprintf("limit the memory to %d bytes", n),
			unix.Setrlimit(unix.RLIMIT_DATA, &unix.Rlimit{Cur: uint64(n), Max: uint64(n)}))
	}
	if n := limits.OOMScoreAdj; n > 0 {
		check("offer itself first when memory runs out",
			os.WriteFile("/proc/self/oom_score_adj", []byte(strconv.Itoa(n)), 0))
	}
	return faults
}
