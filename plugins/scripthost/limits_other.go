//go:build !linux

package scripthost

import (
	"errors"

	"github.com/vedettehq/vedette/plugins"
)

// confineSystem reports that there is nothing to set on this system.
func confineSystem(plugins.Limits) []error {
	return []error{errors.New("cannot limit memory and priority on this system: only Linux is supported; the stack and the number of processors are limited")}
}
