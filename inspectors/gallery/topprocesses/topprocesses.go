// Package topprocesses names the programs that take the most processor time and
// memory. Processes of the same name are added up.
//
//vedette:name top
//vedette:interval 10s
package topprocesses

import (
	"context"
	"sort"
	"time"

	"github.com/shirou/gopsutil/v3/process"
	"github.com/vedettehq/vedette/inspectors"
)

// How many programs of each kind are named.
const most = 5

type usage struct {
	name        string
	cpu, memory float64
	count       int
}

var (
	spent = map[int32]float64{} // processor seconds, by process
	last  time.Time
)

// Inspect compares the processor time of each process with the last run.
func Inspect(ctx context.Context, r *inspectors.Report) error {
	all, err := process.ProcessesWithContext(ctx)
	if err != nil {
		return err
	}
	now := time.Now()
	passed := now.Sub(last).Seconds()
	first := last.IsZero()
	fresh := map[int32]float64{}
	byName := map[string]*usage{}
	for _, p := range all {
		name, err := p.NameWithContext(ctx)
		if err != nil {
			continue // it has ended meanwhile
		}
		times, err := p.TimesWithContext(ctx)
		if err != nil {
			continue
		}
		u := byName[name]
		if u == nil {
			u = &usage{name: name}
			byName[name] = u
		}
		u.count++
		total := times.User + times.System
		fresh[p.Pid] = total
		if before, known := spent[p.Pid]; known && total >= before && passed > 0 {
			u.cpu += (total - before) / passed * 100
		}
		if memory, err := p.MemoryInfoWithContext(ctx); err == nil && memory != nil {
			u.memory += float64(memory.RSS)
		}
	}
	spent, last = fresh, now
	list := make([]*usage, 0, len(byName))
	for _, u := range byName {
		list = append(list, u)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].memory > list[j].memory })
	for i := 0; i < len(list) && i < most; i++ {
		r.Gauge("memory_bytes", list[i].memory, "program", list[i].name)
	}
	if first {
		return nil
	}
	sort.Slice(list, func(i, j int) bool { return list[i].cpu > list[j].cpu })
	for i := 0; i < len(list) && i < most; i++ {
		r.Gauge("cpu_percent", list[i].cpu, "program", list[i].name)
		r.Gauge("processes", float64(list[i].count), "program", list[i].name)
	}
	return nil
}
