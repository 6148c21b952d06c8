package exposition

import (
	"os"
	"runtime"
	"runtime/metrics"
	"strconv"
	"strings"
	"time"
)

// Process adds the metrics that every Go program has, under the names that
// Prometheus' libraries give them. Values that the system does not provide are
// left out.
func (t *Text) Process(started time.Time) {
	t.Family("go_info", Gauge, "The version of Go that built the program.")
	t.Sample("go_info", 1, "version", runtime.Version())
	t.Single("go_threads", Gauge, "System threads that were created.", read("/sched/threads/total:threads"))
	t.Single("go_goroutines", Gauge, "Goroutines that currently exist.", float64(runtime.NumGoroutine()))
	t.Single("go_memstats_heap_alloc_bytes", Gauge, "Memory of objects on the heap.", read("/memory/classes/heap/objects:bytes"))
	t.Single("go_memstats_alloc_bytes_total", Counter, "Memory ever allocated on the heap.", read("/gc/heap/allocs:bytes"))
	t.Single("go_memstats_sys_bytes", Gauge, "Memory taken from the system.", read("/memory/classes/total:bytes"))
	t.Single("process_start_time_seconds", Gauge, "When the process began, in seconds since 1970.", float64(started.UnixMilli())/1000)
	if cpu, resident, ok := stat(); ok {
		t.Single("process_cpu_seconds_total", Counter, "User and system time of the process.", cpu)
		t.Single("process_resident_memory_bytes", Gauge, "Resident memory of the process.", resident)
	}
	if files, err := os.ReadDir("/proc/self/fd"); err == nil {
		t.Single("process_open_fds", Gauge, "Open files.", float64(len(files)-1)) // the folder itself does not count
	}
}

// read returns a measure of the runtime.
func read(name string) float64 {
	samples := []metrics.Sample{{Name: name}}
	metrics.Read(samples)
	switch v := samples[0].Value; v.Kind() {
	case metrics.KindUint64:
		return float64(v.Uint64())
	case metrics.KindFloat64:
		return v.Float64()
	}
	return 0
}

// stat reads proc_pid_stat(5).
func stat() (cpuSeconds, residentBytes float64, ok bool) {
	text, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return 0, 0, false
	}
	// The name of the program, in parentheses, may have spaces.
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	const utime, stime, rss = 14 - 3, 15 - 3, 24 - 3
	if len(fields) <= rss {
		return 0, 0, false
	}
	number := func(i int) float64 {
		v, _ := strconv.ParseFloat(fields[i], 64)
		return v
	}
	const ticksPerSecond = 100 // on every system that Go runs on
	return (number(utime) + number(stime)) / ticksPerSecond, number(rss) * float64(os.Getpagesize()), true
}
