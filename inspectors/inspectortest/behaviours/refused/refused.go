// Package refused yields samples that a report refuses between samples that are good.
package refused

import (
	"context"
	"math"

	"github.com/vedettehq/vedette/inspectors"
)

func Inspect(ctx context.Context, r *inspectors.Report) error {
	r.Gauge("first", 1)
	r.Gauge("nan", math.NaN())
	r.Gauge("infinite", math.Inf(1))
	r.Gauge("<b>", 1)
	r.Gauge("label", 1, "only a name")
	r.Gauge("first", 2)
	r.Gauge("last", 3)
	return nil
}
