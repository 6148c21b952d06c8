// Package disk reports how full the root filesystem is.
//
//vedette:name disk
//vedette:interval 30s
//vedette:timeout 3s
package disk

import "github.com/shirou/gopsutil/v3/disk"

func Inspect() (float64, error) {
	u, err := disk.Usage("/")
	if err != nil {
		return 0, err
	}
	return u.UsedPercent, nil
}
