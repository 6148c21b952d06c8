package script

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/inspectors/script/check"
)

// Sources whose cost is measured.
const (
	trivialScript = `package trivial

func Inspect() (float64, error) { return 1, nil }
`
	typicalScript = `package typical

import (
	"bufio"
	"context"
	"os"
	"strconv"
	"strings"

	"github.com/vedettehq/vedette/inspectors"
)

func Inspect(ctx context.Context, r *inspectors.Report) error {
	f, err := os.Open("/proc/meminfo")
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 2 {
			continue
		}
		v, err := strconv.ParseFloat(fields[1], 64)
		if err != nil {
			continue
		}
		switch strings.TrimSuffix(fields[0], ":") {
		case "MemTotal":
			r.Gauge("total_bytes", v*1024)
		case "MemFree":
			r.Gauge("free_bytes", v*1024)
		case "Cached":
			r.Gauge("cached_bytes", v*1024)
		}
	}
	return lines.Err()
}
`
	tablesScript = `//vedette:needs net
package tables

import (
	"encoding/xml"
	"hash/crc32"
	"net/http"
	"unicode"
)

func Inspect() (float64, error) {
	tables := len(unicode.Scripts) + len(unicode.Categories) + len(unicode.Properties) + len(unicode.CaseRanges) + len(xml.HTMLEntity)
	if http.DefaultClient.Timeout != 0 {
		return 0, nil
	}
	return float64(tables) + float64(crc32.Checksum(nil, crc32.MakeTable(crc32.Castagnoli))), nil
}
`
	gopsutilScript = `package gopsutil

import (
	"context"

	"github.com/shirou/gopsutil/v3/load"
	"github.com/shirou/gopsutil/v3/mem"
	"github.com/vedettehq/vedette/inspectors"
)

func Inspect(ctx context.Context, r *inspectors.Report) error {
	avg, err := load.AvgWithContext(ctx)
	if err != nil {
		return err
	}
	vm, err := mem.VirtualMemoryWithContext(ctx)
	if err != nil {
		return err
	}
	r.Gauge("load1", avg.Load1)
	r.Gauge("used_percent", vm.UsedPercent)
	return nil
}
`
)

func definition(source string) inspectors.Definition {
	return inspectors.Definition{Name: "test", Interval: time.Second, Timeout: time.Second, Script: &inspectors.Script{File: "test.go", Line: 1, Source: source}}
}

func BenchmarkLoad(b *testing.B) {
	for _, c := range []struct{ name, source string }{
		{"trivial", trivialScript},
		{"meminfo", typicalScript},
		{"gopsutil", gopsutilScript},
		{"tables", tablesScript},
	} {
		b.Run(c.name, func(b *testing.B) {
			d := translated(b, c.source)
			b.ReportAllocs()
			for b.Loop() {
				p, err := Load(d)
				if err != nil {
					b.Fatal(err)
				}
				p.Close()
			}
		})
	}
}

func BenchmarkInspect(b *testing.B) {
	for _, c := range []struct{ name, source string }{{"trivial", trivialScript}, {"meminfo", typicalScript}, {"gopsutil", gopsutilScript}} {
		b.Run(c.name, func(b *testing.B) {
			p, err := Load(definition(c.source))
			if err != nil {
				b.Fatal(err)
			}
			defer p.Close()
			ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
			defer cancel()
			b.ReportAllocs()
			for b.Loop() {
				if err := p.Inspect(ctx, inspectors.NewReport("test", time.Now())); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkMemory reports the heap of each of 100 loaded scripts: typical ones, and ones
// that get copies of all the large tables.
func BenchmarkMemory(b *testing.B) {
	for _, c := range []struct{ name, source string }{{"meminfo", typicalScript}, {"tables", tablesScript}} {
		b.Run(c.name, func(b *testing.B) { benchmarkMemory(b, c.source) })
	}
}

func benchmarkMemory(b *testing.B, source string) {
	const n = 100
	for b.Loop() {
		before := heap()
		programs := make([]*Program, n)
		for i := range programs {
			p, err := Load(translated(b, fmt.Sprintf("%s\n// %d\n", source, i)))
			if err != nil {
				b.Fatal(err)
			}
			if err := p.Inspect(context.Background(), inspectors.NewReport("test", time.Now())); err != nil {
				b.Fatal(err)
			}
			programs[i] = p
		}
		b.ReportMetric(float64(heap()-before)/n, "heap-B/script")
		for _, p := range programs {
			p.Close()
		}
	}
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// translated returns the definition of a script as a script host gets it: with its
// translation.
func translated(b *testing.B, source string) inspectors.Definition {
	b.Helper()
	d := definition(source)
	core, faults := check.Translate(*d.Script)
	if len(faults) > 0 {
		b.Fatal(faults)
	}
	d.Script.Core = core
	return d
}
