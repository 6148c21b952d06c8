// Package owner asks the kernel whose process is at the other end of a TCP
// connection within this machine. Loopback is not one user: without this, anybody
// who may log in here would count as the user who runs the master.
package owner

import "errors"

// ErrUnknown is wrapped by the errors for a connection whose owner the kernel does
// not tell: one from another machine or network namespace, one whose other end has
// hung up, or any if the kernel cannot be asked.
var ErrUnknown = errors.New("the kernel does not tell whose the other end is")
