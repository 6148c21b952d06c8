//go:build !(linux || darwin || freebsd)

package history

import "errors"

// diskSpace is not known on this system.
func diskSpace(string) (free, total int64, err error) { return 0, 0, errors.ErrUnsupported }
