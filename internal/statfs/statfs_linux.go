// Package statfs asks how full a file system is. In a script host it lets the
// agent answer for paths that the process itself may not see: a file system may be
// mounted below another user's folder.
package statfs

import (
	"errors"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Mark is the third argument of a statfs call that the agent must answer. The
// kernel ignores it; without an agent the call is like any other.
const Mark = 0x56445441

// Stat is like unix.Statfs.
func Stat(path string, st *unix.Statfs_t) error {
	err := call(path, st, 0)
	if errors.Is(err, unix.EACCES) || errors.Is(err, unix.ENOENT) { // a hidden path does not exist here
		return call(path, st, Mark)
	}
	return err
}

func call(path string, st *unix.Statfs_t, mark uintptr) error {
	name, err := unix.BytePtrFromString(path)
	if err != nil {
		return err
	}
	for {
		_, _, errno := unix.Syscall(unix.SYS_STATFS, uintptr(unsafe.Pointer(name)), uintptr(unsafe.Pointer(st)), mark)
		switch errno {
		case 0:
			return nil
		case unix.EINTR:
			continue
		}
		return errno
	}
}
