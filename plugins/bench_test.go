//go:build linux

package plugins_test

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/plugins"
)

// Run with: go test -run '^$' -bench . -benchmem ./plugins
//
// CPU times are those of the kernel's scheduler, of all threads of a process.

const trivialScript = "package trivial\n\nfunc Inspect() (float64, error) { return 1, nil }\n"

func benchPool(b *testing.B) *plugins.Pool {
	b.Helper()
	dir, err := os.MkdirTemp("", "vb")
	if err != nil {
		b.Fatal(err)
	}
	p := plugins.NewPool(plugins.PoolOptions{Dir: dir, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	b.Cleanup(func() {
		_ = p.Close()
		_ = os.RemoveAll(dir)
	})
	return p
}

func benchLoad(b *testing.B, p *plugins.Pool, n int) []plugins.Job {
	b.Helper()
	jobs := make([]plugins.Job, n)
	for i := range n {
		name := fmt.Sprintf("chart/item-%d", i)
		jobs[i] = plugins.Job{Name: name, Timeout: 10 * time.Second}
		if err := p.Load(b.Context(), script(name, trivialScript)); err != nil {
			b.Fatal(err)
		}
	}
	return jobs
}

// cpu is the time that all threads of a process spent on a processor.
func cpu(b *testing.B, pid int) time.Duration {
	b.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil {
		b.Fatal(err)
	}
	var sum int64
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended
		}
		ns, err := strconv.ParseInt(strings.Fields(string(data))[0], 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		sum += ns
	}
	return time.Duration(sum)
}

// pss is the memory of a process in MiB, shared pages counted by share.
func pss(b *testing.B, pid int) float64 {
	b.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, "Pss:"); ok {
			kib, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			if err != nil {
				b.Fatal(err)
			}
			return kib / 1024
		}
	}
	return 0
}

func benchRun(b *testing.B, p *plugins.Pool, jobs []plugins.Job, pid int) {
	b.Helper()
	bad := 0
	run := func() {
		p.Run(b.Context(), jobs, func(o plugins.Outcome) {
			if o.Err != nil || len(o.Samples) == 0 {
				bad++
			}
		})
	}
	run()
	agent, child := cpu(b, os.Getpid()), cpu(b, pid)
	runs := 0
	for b.Loop() {
		run()
		runs += len(jobs)
	}
	if bad > 0 {
		b.Fatalf("%d bad runs", bad)
	}
	perRun := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 / float64(runs) }
	b.ReportMetric(perRun(b.Elapsed()), "µs/run")
	b.ReportMetric(perRun(cpu(b, os.Getpid())-agent), "agent-cpu-µs/run")
	b.ReportMetric(perRun(cpu(b, pid)-child), "child-cpu-µs/run")
	b.ReportMetric(pss(b, pid), "child-PSS-MiB")
}

// A batch of trivial scripts, from the agent and back.
func BenchmarkRun(b *testing.B) {
	for _, n := range []int{1, 10, 100} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			p := benchPool(b)
			jobs := benchLoad(b, p, n)
			benchRun(b, p, jobs, p.Processes()[0].PID)
		})
	}
}

// The same of an external plugin, over mTLS.
func BenchmarkRunExternal(b *testing.B) {
	p := benchPool(b)
	if err := p.Load(b.Context(), external("ok")); err != nil {
		b.Fatal(err)
	}
	benchRun(b, p, []plugins.Job{{Name: "ok", Timeout: time.Second}}, p.Processes()[0].PID)
}

// One run of a thousand samples with two labels each.
func BenchmarkManySamples(b *testing.B) {
	source := `package many

import (
	"context"
	"strconv"

	"github.com/vedettehq/vedette/inspectors"
)

func Inspect(ctx context.Context, r *inspectors.Report) error {
	for i := 0; i < 1000; i++ {
		r.Gauge("used_bytes", float64(i), "mount", "/mnt/"+strconv.Itoa(i), "device", "sda")
	}
	return nil
}
`
	p := benchPool(b)
	if err := p.Load(b.Context(), script("many", source)); err != nil {
		b.Fatal(err)
	}
	benchRun(b, p, []plugins.Job{{Name: "many", Timeout: 10 * time.Second}}, p.Processes()[0].PID)
}

// From nothing to the first result of a first script.
func BenchmarkSpawnToFirstResult(b *testing.B) {
	first := func(b *testing.B, d inspectors.Definition) {
		for b.Loop() {
			p := benchPool(b)
			if err := p.Load(b.Context(), d); err != nil {
				b.Fatal(err)
			}
			p.Run(b.Context(), []plugins.Job{{Name: d.Name, Timeout: 10 * time.Second}}, func(o plugins.Outcome) {
				if o.Err != nil {
					b.Fatal(o.Err)
				}
			})
			b.StopTimer()
			_ = p.Close()
			b.StartTimer()
		}
	}
	b.Run("script", func(b *testing.B) { first(b, script("a", trivialScript)) })
	b.Run("external", func(b *testing.B) { first(b, external("ok")) })
}

// From the death of a script host with a hundred scripts to all their results.
func BenchmarkRestart100(b *testing.B) {
	p := benchPool(b)
	p.SetDelay(func(int) time.Duration { return 0 })
	jobs := benchLoad(b, p, 100)
	for b.Loop() {
		if err := syscall.Kill(p.Processes()[0].PID, syscall.SIGKILL); err != nil {
			b.Fatal(err)
		}
		var bad error
		p.Run(b.Context(), jobs, func(o plugins.Outcome) { bad = errors.Join(bad, o.Err) })
		if bad != nil {
			b.Fatal(bad)
		}
		b.StopTimer()
		for len(p.Processes()) != 1 { // the corpse is still being looked at
		}
		b.StartTimer()
	}
}

// A new revision of a script, from Load to its first result.
func BenchmarkRepush(b *testing.B) {
	p := benchPool(b)
	jobs := benchLoad(b, p, 10)
	i := 0
	for b.Loop() {
		i++
		d := script(jobs[0].Name, fmt.Sprintf("package trivial\n\nvar n = %d\n\nfunc Inspect() (float64, error) { return float64(n), nil }\n", i))
		if err := p.Load(b.Context(), d); err != nil {
			b.Fatal(err)
		}
		p.Run(b.Context(), jobs[:1], func(o plugins.Outcome) {
			if o.Err != nil {
				b.Fatal(o.Err)
			}
		})
	}
}

// What one loaded script adds to the script host.
func BenchmarkMemoryOfARevision(b *testing.B) {
	const scripts = 200
	for b.Loop() {
		p := benchPool(b)
		benchLoad(b, p, 1)
		before := pss(b, p.Processes()[0].PID)
		jobs := make([]plugins.Job, scripts)
		for i := range scripts {
			name := fmt.Sprintf("typical/item-%d", i)
			jobs[i] = plugins.Job{Name: name, Timeout: 10 * time.Second}
			if err := p.Load(b.Context(), script(name, goodScript)); err != nil {
				b.Fatal(err)
			}
		}
		p.Run(b.Context(), jobs, func(plugins.Outcome) {})
		b.ReportMetric((pss(b, p.Processes()[0].PID)-before)/scripts, "MiB/revision")
	}
}

// The same trivial inspector in each of the places where one can run.
func BenchmarkRunByTier(b *testing.B) {
	own := script("a", trivialScript)
	own.Isolation = inspectors.IsolationOwn
	for tier, d := range map[string]inspectors.Definition{
		"shared": script("a", trivialScript), "own": own, "external": external("ok", "ok"),
	} {
		b.Run(tier, func(b *testing.B) {
			p := benchPool(b)
			if err := p.Load(b.Context(), d); err != nil {
				b.Fatal(err)
			}
			benchRun(b, p, []plugins.Job{{Name: d.Name, Timeout: 10 * time.Second}}, p.Processes()[0].PID)
		})
	}
}

// The same loop over 60 kB, interpreted and compiled.
func BenchmarkInterpretedAgainstNative(b *testing.B) {
	const loop = `package loop

var data = make([]byte, 60000)

func Inspect() (float64, error) {
	sum := 0
	for _, c := range data {
		sum += int(c)
	}
	return float64(sum), nil
}
`
	for kind, d := range map[string]inspectors.Definition{"interpreted": script("loop", loop), "native": external("loop", "loop")} {
		b.Run(kind, func(b *testing.B) {
			p := benchPool(b)
			d.Budget.CPU = time.Minute
			if err := p.Load(b.Context(), d); err != nil {
				b.Fatal(err)
			}
			benchRun(b, p, []plugins.Job{{Name: d.Name, Timeout: 10 * time.Second}}, p.Processes()[0].PID)
		})
	}
}
