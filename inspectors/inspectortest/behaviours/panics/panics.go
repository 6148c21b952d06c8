// Package panics panics.
package panics

import (
	"context"

	"github.com/vedettehq/vedette/inspectors"
)

func Inspect(ctx context.Context, r *inspectors.Report) error {
	r.Gauge("before", 1)
	return explode(nil)
}

func explode(m map[string]int) error {
	m["a"] = 1
	return nil
}
