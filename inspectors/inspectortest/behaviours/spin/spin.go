// Package spin never returns and never looks at its context.
package spin

import (
	"context"

	"github.com/vedettehq/vedette/inspectors"
)

func Inspect(ctx context.Context, r *inspectors.Report) error {
	r.Gauge("before", 1)
	turns := 0
	for {
		turns++
	}
}
