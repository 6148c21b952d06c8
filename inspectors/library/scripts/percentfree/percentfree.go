// Package percentfree reports how much of the memory is used for nothing at all, in
// percent with three decimals. Caches count as used; the memory that programs can
// still get is memory/available_bytes.
//
//vedette:name memory/percent-free
//vedette:interval 1s
package percentfree

import (
	"errors"
	"math"

	"github.com/shirou/gopsutil/v3/mem"
)

func Inspect() (float64, error) {
	m, err := mem.VirtualMemory()
	if err != nil {
		return 0, err
	}
	if m.Total == 0 {
		return 0, errors.New("the system reports no memory at all")
	}
	percent := float64(m.Free) / float64(m.Total) * 100
	return math.Round(percent*1000) / 1000, nil
}
