// Package average1 reports the load average of the last minute: how many tasks
// ran, waited for a CPU, or waited for a disk, on average.
//
//vedette:name load/average-1
//vedette:interval 1s
package average1

import "github.com/shirou/gopsutil/v3/load"

func Inspect() (float64, error) {
	avg, err := load.Avg()
	if err != nil {
		return 0, err
	}
	return avg.Load1, nil
}
