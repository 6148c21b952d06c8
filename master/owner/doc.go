// Package owner asks the kernel whose process is at the other end of a TCP
// connection within this machine. Loopback is not one user: without this,
// whoever may log in here would be whoever runs the master.
package owner

import "errors"

// ErrUnknown is wrapped by the errors for a connection whose owner the kernel does not
// tell: one from another machine or network namespace, one whose other end has hung up,
// or any where the kernel cannot be asked.
var ErrUnknown = errors.New("the kernel does not tell whose the other end is")
