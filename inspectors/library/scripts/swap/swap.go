// Package swap reports the swap space, and how much has been moved into and
// out of it. A host without swap reports a total of zero.
//
//vedette:name swap
//vedette:interval 1s
package swap

import (
	"context"

	"github.com/shirou/gopsutil/v3/mem"
	"github.com/vedettehq/vedette/inspectors"
)

func Inspect(ctx context.Context, r *inspectors.Report) error {
	s, err := mem.SwapMemoryWithContext(ctx)
	if err != nil {
		return err
	}
	r.Gauge("total_bytes", float64(s.Total))
	r.Gauge("used_bytes", float64(s.Used))
	r.Gauge("free_bytes", float64(s.Free))
	if s.Total > 0 {
		r.Gauge("used_percent", float64(s.Used)/float64(s.Total)*100)
	}
	r.Counter("in_bytes_total", float64(s.Sin))
	r.Counter("out_bytes_total", float64(s.Sout))
	return nil
}
