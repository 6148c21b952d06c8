//go:build !linux

package owner

import (
	"fmt"
	"net"
	"runtime"
)

// Trusted returns nil when the other end belongs to this process's user or to
// root. Here nobody can be asked.
func Trusted(net.Conn) error {
	return fmt.Errorf("%w: that is not asked on %s", ErrUnknown, runtime.GOOS)
}
