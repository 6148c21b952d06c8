package broker

import "golang.org/x/sys/unix"

// pathArgument returns which argument is the path, and whether the call reads a
// link, with the buffer and its size as the next two.
func (c *call) pathArgument() (at int, reads bool) {
	switch c.request.call.number {
	case unix.SYS_OPEN:
		return 0, false
	case unix.SYS_READLINK:
		return 0, true
	case unix.SYS_READLINKAT:
		return 1, true
	}
	return 1, false // openat
}
