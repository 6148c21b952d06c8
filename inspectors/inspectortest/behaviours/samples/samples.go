// Package samples yields gauges and a counter, one of them under its own key.
package samples

import (
	"context"

	"github.com/vedettehq/vedette/inspectors"
)

func Inspect(ctx context.Context, r *inspectors.Report) error {
	r.Gauge("", 1)
	r.Gauge("used_percent", 2.25)
	r.Counter("bytes_total", 1<<53)
	r.Gauge("negative", -0.5)
	return nil
}
