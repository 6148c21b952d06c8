//go:build unix

package conns

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// manyDescriptors is the number that counts as no limit.
const manyDescriptors = 1 << 20

// Descriptors returns how many files and connections this process may have open at
// a time.
func Descriptors() int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil || uint64(limit.Cur) > manyDescriptors {
		return manyDescriptors
	}
	return int(limit.Cur)
}

// unused returns how many more descriptors the process may have, if the system
// tells. Descriptors above a limit that was lowered do not count, because they
// block none below it.
func unused() (n int, known bool) {
	names, err := os.ReadDir("/dev/fd")
	if err != nil {
		return 0, exhausted(err)
	}
	n = Descriptors()
	limit := n
	for _, name := range names {
		if fd, err := strconv.Atoi(name.Name()); err == nil && fd < limit {
			n--
		}
	}
	return n, true
}
