//go:build linux || darwin || freebsd

package history

import "golang.org/x/sys/unix"

// diskSpace returns the bytes of the file system that holds dir: those that are free for
// us, and all.
func diskSpace(dir string) (free, total int64, err error) {
	var stat unix.Statfs_t
	if err := unix.Statfs(dir, &stat); err != nil {
		return 0, 0, err
	}
	size := int64(stat.Bsize)
	return int64(stat.Bavail) * size, int64(stat.Blocks) * size, nil
}
