//go:build !amd64

package broker

import "golang.org/x/sys/unix"

// pathArgument returns which argument is the path, and whether the call reads a
// link, with the buffer and its size as the next two.
func (c *call) pathArgument() (at int, reads bool) {
	return 1, c.request.call.number == unix.SYS_READLINKAT // else openat
}
