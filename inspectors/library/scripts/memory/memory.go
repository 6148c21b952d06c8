// Package memory reports how the memory is used. Used is the memory that programs
// cannot get, so used and available make up the total; cached and buffers are part
// of available.
//
//vedette:name memory
//vedette:interval 1s
package memory

import (
	"context"
	"errors"

	"github.com/shirou/gopsutil/v3/mem"
	"github.com/vedettehq/vedette/inspectors"
)

func Inspect(ctx context.Context, r *inspectors.Report) error {
	m, err := mem.VirtualMemoryWithContext(ctx)
	if err != nil {
		return err
	}
	if m.Total == 0 {
		return errors.New("the system reports no memory at all")
	}
	used := float64(m.Total) - float64(m.Available)
	r.Gauge("total_bytes", float64(m.Total))
	r.Gauge("used_bytes", used)
	r.Gauge("available_bytes", float64(m.Available))
	r.Gauge("free_bytes", float64(m.Free))
	r.Gauge("cached_bytes", float64(m.Cached))
	r.Gauge("buffers_bytes", float64(m.Buffers))
	r.Gauge("used_percent", used/float64(m.Total)*100)
	return nil
}
