// Package deadline waits for the end of its context, and says so.
package deadline

import (
	"context"

	"github.com/vedettehq/vedette/inspectors"
)

func Inspect(ctx context.Context, r *inspectors.Report) error {
	r.Gauge("before", 1)
	<-ctx.Done()
	return ctx.Err()
}
