//go:build unix

package conns

import "golang.org/x/sys/unix"

// Descriptors returns how many files and connections this process may have open
// at once.
func Descriptors() int {
	var limit unix.Rlimit
	const most = 1 << 20
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil || uint64(limit.Cur) > most {
		return most
	}
	return int(limit.Cur)
}
