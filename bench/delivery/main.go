// Command delivery compares, in one run and on the same series, what it costs to
// take samples: a real master that takes the reports of agents over WebSockets
// into its history on disk, and Debian's Prometheus and VictoriaMetrics that take
// the same by remote write; and the cost of the simple call reportMetric. Each is
// a separate process with an empty folder. The samples are encoded beforehand, and
// afterwards each is asked, in PromQL, whether it has every sample. Then it
// measures the memory of 100,000 active series, how long a restart with them
// takes, and the memory of connected agents.
//
//	go run ./bench/delivery
//
// CPU is the user and system time of the process that receives, until all is
// acknowledged and half as long again, for what it does later; the sender
// shares the machine, which bounds samples/s and not CPU. Programs that are not
// installed are left out.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime/debug"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/vedettehq/vedette/bench/internal/process"
	"github.com/vedettehq/vedette/rpc"
)

func main() {
	samples := flag.Int("samples", 5_000_000, "samples of each case of reports and remote write")
	repeat := flag.Int("repeat", 1, "how often each case is measured")
	dir := flag.String("dir", "", "where the stores' folders go; on a real disk (default: the temporary folder)")
	flag.Parse()
	if err := run(context.Background(), *dir, *samples, *repeat); err != nil {
		fmt.Fprintln(os.Stderr, "delivery:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, parent string, samples, repeat int) error {
	dir, err := os.MkdirTemp(parent, "vedette-delivery-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", dir, "./cmd/vedette")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("cannot build; run this in the repository: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var there []product
	for _, p := range products(dir) {
		if _, err := exec.LookPath(p.program); err != nil {
			fmt.Fprintf(os.Stderr, "LEFT OUT: there is no %s here; on Debian: apt-get install %s\n", p.program, p.program)
			continue
		}
		there = append(there, p)
	}
	b := &bench{dir: dir, products: there}
	return b.all(ctx, samples, repeat)
}

// bench is one run of the program.
type bench struct {
	dir      string
	products []product // ours first
}

func (b *bench) all(ctx context.Context, samples, repeat int) error {
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(out, "load\tinto\tsamples/s\tCPU µs a sample\tsamples a CPU second\tRSS MiB\tPSS MiB\t")
	for _, s := range []shape{{agents: 10, series: 1000}, {agents: 100, series: 100}} {
		s.rounds = samples / (s.agents * s.series)
		for range repeat {
			for _, p := range b.products {
				if err := b.take(ctx, out, p, s, false); err != nil {
					return fmt.Errorf("%s, %s: %w", p.name, s, err)
				}
			}
		}
	}
	simple := shape{agents: 10, series: 100}
	simple.rounds = samples / 20 / (simple.agents * simple.series)
	if err := b.take(ctx, out, b.products[0], simple, true); err != nil {
		return fmt.Errorf("reportMetric: %w", err)
	}
	if err := out.Flush(); err != nil {
		return err
	}
	fmt.Println()
	fmt.Fprintln(out, "100,000 series\tPSS KiB a series\tready after a stop, s\tready after a kill, s\tacknowledged and lost by the kill\t")
	for _, p := range b.products {
		if err := b.restart(ctx, out, p); err != nil {
			return fmt.Errorf("%s, restart: %w", p.name, err)
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	fmt.Println()
	return b.agents(ctx)
}

// prepare encodes a load and connects.
func prepare(ctx context.Context, st *store, s shape, c clock, simple bool) (*sender, error) {
	switch {
	case st.write != "":
		return writes(st, s, c), nil
	case simple:
		return metrics(ctx, st, s, c)
	}
	return reports(ctx, st, s, c)
}

// take measures one product with one load and prints a line.
func (b *bench) take(ctx context.Context, out *tabwriter.Writer, p product, s shape, simple bool) error {
	st, c, err := b.begin(ctx, p, s)
	if err != nil {
		return err
	}
	out2, err := prepare(ctx, st, s, c, simple)
	if err != nil {
		return err
	}
	defer debug.FreeOSMemory()
	cpu, begin := process.CPU(st.pid()), time.Now()
	if err := out2.run(ctx); err != nil {
		return err
	}
	took := time.Since(begin)
	time.Sleep(took / 2) // what it does later, for what it has acknowledged
	cpu = process.CPU(st.pid()) - cpu
	out2.end()
	rss, pss := process.RSS(st.pid()), process.PSS(st.pid())
	if n, err := st.count(c, s.rounds); err != nil || n != s.samples() {
		return fmt.Errorf("of %d samples it has %d: %v", s.samples(), n, err)
	}
	load := s.String() + ", remote write"
	switch {
	case simple:
		load = s.String() + ", reportMetric"
	case p.write == "":
		load = s.String() + ", reports"
	}
	n := float64(s.samples())
	fmt.Fprintf(out, "%s\t%s\t%.0f k\t%.2f\t%.0f k\t%.0f\t%.0f\t\n", load, p.name, n/took.Seconds()/1000,
		cpu.Seconds()*1e6/n, n/cpu.Seconds()/1000, rss, pss)
	return b.finish(st)
}

func (b *bench) begin(ctx context.Context, p product, s shape) (*store, clock, error) {
	st, err := p.newStore(b.dir)
	if err != nil {
		return nil, clock{}, err
	}
	_, err = st.start(ctx)
	return st, newClock(s), err
}

func (b *bench) finish(st *store) error {
	if err := st.end(syscall.SIGTERM); err != nil {
		return err
	}
	return os.RemoveAll(st.dir)
}

// restart fills a store with 100,000 series of a sample every second for half a
// minute, and starts it again, after a kill and after a stop.
func (b *bench) restart(ctx context.Context, out *tabwriter.Writer, p product) error {
	s := shape{agents: 100, series: 1000, rounds: 30}
	st, c, err := b.begin(ctx, p, s)
	if err != nil {
		return err
	}
	idle := process.PSS(st.pid())
	load, err := prepare(ctx, st, s, c, false)
	if err != nil {
		return err
	}
	if err := load.run(ctx); err != nil {
		return err
	}
	load.end()
	if n, err := st.count(c, s.rounds); err != nil || n != s.samples() {
		return fmt.Errorf("of %d samples it has %d: %v", s.samples(), n, err)
	}
	killed, err := st.restart(ctx, syscall.SIGKILL)
	if err != nil {
		return err
	}
	left, err := st.count(c, s.rounds)
	if err != nil {
		return err
	}
	if left < s.samples() {
		if err := load.run(ctx); err != nil {
			return err
		}
	}
	load = nil
	debug.FreeOSMemory()
	stopped, err := st.restart(ctx, syscall.SIGTERM)
	if err != nil {
		return err
	}
	// A process that has just read its series has nothing else in its memory.
	pss := process.PSS(st.pid())
	if n, err := st.count(c, s.rounds); err != nil || n != s.samples() {
		return fmt.Errorf("of %d samples it has %d after a stop: %v", s.samples(), n, err)
	}
	fmt.Fprintf(out, "%s\t%.1f\t%.2f\t%.2f\t%d\t\n", p.name, (pss-idle)*1024/float64(s.agents*s.series),
		stopped.Seconds(), killed.Seconds(), s.samples()-left)
	return b.finish(st)
}

// agents measures what a connected, silent agent costs the master.
func (b *bench) agents(ctx context.Context) error {
	const n = 1000
	st, _, err := b.begin(ctx, b.products[0], shape{})
	if err != nil {
		return err
	}
	before := process.PSS(st.pid())
	peers, err := connect(ctx, st, n, rpc.SubprotocolCBOR)
	if err != nil {
		return err
	}
	time.Sleep(time.Second)
	fmt.Printf("memory of the master: %.1f KiB a connected agent (%d of them, silent)\n", (process.PSS(st.pid())-before)*1024/n, n)
	hangUp(peers)
	return b.finish(st)
}
