// Package blank reports one number; replace it with what you want to know.
//
//vedette:name blank
//vedette:interval 10s
package blank

import (
	"context"
	"os"

	"github.com/vedettehq/vedette/inspectors"
)

// Inspect runs once each interval. An error that it returns is shown on the page.
func Inspect(_ context.Context, r *inspectors.Report) error {
	entries, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	r.Gauge("threads", float64(len(entries)))
	return nil
}
