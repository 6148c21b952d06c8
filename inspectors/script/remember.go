package script

import (
	"context"
	"fmt"
	"hash"
	"hash/crc32"
	"reflect"
	"runtime"
	"sync"
	"time"

	"github.com/shirou/gopsutil/v3/cpu"

	"github.com/vedettehq/vedette/inspectors/script/internal/own"
)

// checksum returns the script's replacement for functions of hash/crc32 that hand out the
// process's tables, or the zero Value. The library is fast only with its own two tables, so
// it gets those if the script has not changed its copies.
func checksum(copies *own.Copies, name string) reflect.Value {
	switch name {
	case "MakeTable", "New", "Checksum", "Update":
	default:
		return reflect.Value{}
	}
	theirs := [...]*crc32.Table{crc32.IEEETable, crc32.MakeTable(crc32.Castagnoli)}
	mine := [...]*crc32.Table{own.Of(copies, theirs[0]), own.Of(copies, theirs[1])}
	quick := func(tab *crc32.Table) *crc32.Table {
		for i := range mine {
			if tab == mine[i] && *tab == *theirs[i] {
				return theirs[i]
			}
		}
		return tab
	}
	switch name {
	case "MakeTable":
		return reflect.ValueOf(func(poly uint32) *crc32.Table {
			switch poly {
			case crc32.IEEE:
				return mine[0]
			case crc32.Castagnoli:
				return mine[1]
			}
			return crc32.MakeTable(poly)
		})
	case "New":
		return reflect.ValueOf(func(tab *crc32.Table) hash.Hash32 { return crc32.New(quick(tab)) })
	case "Checksum":
		return reflect.ValueOf(func(data []byte, tab *crc32.Table) uint32 { return crc32.Checksum(data, quick(tab)) })
	}
	return reflect.ValueOf(func(crc uint32, tab *crc32.Table, p []byte) uint32 { return crc32.Update(crc, quick(tab), p) })
}

// percent returns the script's replacement for functions of gopsutil that compare with the
// last call, whoever made it, or the zero Value.
func (x *exporter) percent(name string) reflect.Value {
	if name != "Percent" && name != "PercentWithContext" {
		return reflect.Value{}
	}
	if x.last == nil {
		x.last = newLastTimes()
	}
	if name == "PercentWithContext" {
		return reflect.ValueOf(x.last.percent)
	}
	last, h := x.last, x.host
	return reflect.ValueOf(func(interval time.Duration, perCPU bool) ([]float64, error) {
		return last.percent(h.Context(), interval, perCPU)
	})
}

// lastTimes are the processor times at the last call of one script. Like gopsutil's, they
// begin with the machine's when the script is loaded.
type lastTimes struct {
	mu     sync.Mutex
	all    []cpu.TimesStat
	perCPU []cpu.TimesStat
}

func newLastTimes() *lastTimes {
	l := &lastTimes{}
	l.all, _ = cpu.Times(false)
	l.perCPU, _ = cpu.Times(true)
	return l
}

// percent is cpu.PercentWithContext, which compares with the last call if there is no
// interval.
func (l *lastTimes) percent(ctx context.Context, interval time.Duration, perCPU bool) ([]float64, error) {
	if interval > 0 {
		return cpu.PercentWithContext(ctx, interval, perCPU)
	}
	now, err := cpu.TimesWithContext(ctx, perCPU)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	last := &l.all
	if perCPU {
		last = &l.perCPU
	}
	before := *last
	*last = now
	if len(before) != len(now) {
		return nil, fmt.Errorf("cannot compare the times of %d processors with those of %d at the last call", len(now), len(before))
	}
	shares := make([]float64, len(now))
	for i := range now {
		shares[i] = busyShare(before[i], now[i])
	}
	return shares, nil
}

// busyShare is the percentage of the time between two readings in which a processor worked.
func busyShare(before, now cpu.TimesStat) float64 {
	allBefore, busyBefore := worked(before)
	allNow, busyNow := worked(now)
	switch {
	case busyNow <= busyBefore:
		return 0
	case allNow <= allBefore:
		return 100
	}
	return min(100, max(0, (busyNow-busyBefore)/(allNow-allBefore)*100))
}

// worked returns the total time of a reading, and the working part of it. Linux counts the
// time of guests twice.
func worked(t cpu.TimesStat) (all, busy float64) {
	all = t.User + t.System + t.Idle + t.Nice + t.Iowait + t.Irq + t.Softirq + t.Steal + t.Guest + t.GuestNice
	if runtime.GOOS == "linux" {
		all -= t.Guest
		all -= t.GuestNice
	}
	return all, all - t.Idle - t.Iowait
}
