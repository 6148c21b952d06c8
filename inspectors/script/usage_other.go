//go:build !linux

package script

import (
	"context"

	"github.com/shirou/gopsutil/v3/disk"
)

// usage is disk.UsageWithContext.
func usage(ctx context.Context, path string) (*disk.UsageStat, error) {
	return disk.UsageWithContext(ctx, path)
}
