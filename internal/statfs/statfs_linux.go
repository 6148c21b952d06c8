// Package statfs asks how full a file system is, and, in a script host, has the
// agent answer where the process itself may not look: a file system may be
// mounted below a folder of somebody else.
package statfs

import (
	"errors"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Mark is the third argument of a call of statfs that the agent shall answer.
// The kernel ignores it; where there is no agent the call is like any other.
const Mark = 0x56445441

// Stat is as unix.Statfs.
func Stat(path string, st *unix.Statfs_t) error {
	err := call(path, st, 0)
	if errors.Is(err, unix.EACCES) || errors.Is(err, unix.ENOENT) { // what is hidden is not there
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
