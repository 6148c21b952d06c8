// Package labels yields series of one key that labels tell apart, the labels
// in no order.
package labels

import (
	"context"

	"github.com/vedettehq/vedette/inspectors"
)

func Inspect(ctx context.Context, r *inspectors.Report) error {
	for i, device := range []string{"sda", "sdb"} {
		r.Gauge("used_bytes", float64(i), "mount", "/mnt/ü "+device, "device", device)
	}
	return nil
}
