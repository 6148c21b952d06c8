// Package partial yields a sample and then an error.
package partial

import (
	"context"
	"errors"
	"fmt"

	"github.com/vedettehq/vedette/inspectors"
)

var errSecond = errors.New("no second disk")

func Inspect(ctx context.Context, r *inspectors.Report) error {
	r.Gauge("first", 1)
	return fmt.Errorf("cannot read: %w", errSecond)
}
