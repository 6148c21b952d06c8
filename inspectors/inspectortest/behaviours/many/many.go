// Package many yields a thousand samples.
package many

import (
	"context"
	"strconv"

	"github.com/vedettehq/vedette/inspectors"
)

func Inspect(ctx context.Context, r *inspectors.Report) error {
	for i := 0; i < 1000; i++ {
		r.Gauge("value", float64(i), "index", strconv.Itoa(i))
	}
	return nil
}
