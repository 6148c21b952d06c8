package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/vedettehq/vedette/agent"
	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/plugins"
	"github.com/vedettehq/vedette/rpc"
)

// chaosSettings configure the process of one agent, as JSON in the variable CHAOS_AGENT.
type chaosSettings struct {
	Host, Master, Data string
	Boot               int // the number of this start of the agent, from 1
	Inspectors, Width  int // the number of inspectors, and of series of each
	Interval           time.Duration
	Skew               time.Duration // the error of its clock
	Spool              config.Spool
	BufferReports      int
	FileLimit          uint64 // the most bytes of a file, as if the disk were full; 0 is no limit
}

// bootStep separates the values of one start from those of the next.
const bootStep = 1_000_000

// chaosAgent is the program chaos-agent: a real agent, whose inspectors run in its own
// process and yield a known sequence. It prints a line when it is ready for signals, and a
// line "name value" for each run whose samples the agent has accepted. At SIGUSR1 it stops
// yielding samples.
func chaosAgent() {
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	if err := runChaosAgent(log); err != nil {
		log.Error("chaos-agent ends", "error", err)
		os.Exit(1)
	}
}

func runChaosAgent(log *slog.Logger) error {
	var s chaosSettings
	if err := json.Unmarshal([]byte(os.Getenv("CHAOS_AGENT")), &s); err != nil {
		return err
	}
	if err := limitFiles(s.FileLimit); err != nil {
		return err
	}
	quiet, stopQuiet := signal.NotifyContext(context.Background(), syscall.SIGUSR1)
	defer stopQuiet()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	fmt.Println("ready") // for signals
	r := &chaosRunner{settings: &s, quiet: quiet, runs: make(map[string]int), slots: make([]inspectors.Labels, s.Width)}
	for i := range r.slots {
		r.slots[i], _ = inspectors.NewLabels("slot", fmt.Sprint(i))
	}
	var defs []inspectors.Definition
	for i := range s.Inspectors {
		defs = append(defs, inspectors.Definition{
			Name: fmt.Sprintf("chaos/%d", i), Interval: s.Interval, Timeout: s.Interval,
			Script: &inspectors.Script{File: "chaos.go", Line: 1, Source: "package chaos"},
		})
	}
	a, err := agent.New(config.Agent{
		Host: s.Host, Master: s.Master, Data: s.Data, Spool: s.Spool, BufferReports: s.BufferReports,
	}, agent.Deps{
		Log: log, Version: "chaos", Runner: r, Definitions: defs,
		Backoff: rpc.Backoff{First: 100 * time.Millisecond, Max: 500 * time.Millisecond},
	})
	if err != nil {
		return err
	}
	return a.Run(ctx)
}

// limitFiles makes writes beyond a size fail with an error instead of a signal.
func limitFiles(bytes uint64) error {
	if bytes == 0 {
		return nil
	}
	signal.Ignore(syscall.SIGXFSZ)
	return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: bytes, Max: bytes})
}

// chaosRunner implements schedule.Runner.
type chaosRunner struct {
	settings *chaosSettings
	quiet    context.Context
	slots    []inspectors.Labels

	mu   sync.Mutex
	runs map[string]int // by name
}

func (r *chaosRunner) Load(context.Context, inspectors.Definition) error { return nil }

func (r *chaosRunner) Unload(string) {}

func (r *chaosRunner) Run(_ context.Context, jobs []plugins.Job, done func(plugins.Outcome)) {
	for _, job := range jobs {
		r.mu.Lock()
		r.runs[job.Name]++
		n := r.runs[job.Name]
		r.mu.Unlock()
		o := plugins.Outcome{Name: job.Name, Start: time.Now().Add(r.settings.Skew)}
		if r.quiet.Err() != nil {
			// A changing error makes the agent send the status, and with it the counts.
			o.Err = fmt.Errorf("quiet, %w %d", errChaos, n)
			done(o)
			continue
		}
		value := r.settings.Boot*bootStep + n
		for _, slot := range r.slots {
			o.Samples = append(o.Samples, inspectors.Sample{Key: job.Name, Labels: slot, Time: o.Start, Value: float64(value)})
		}
		done(o)
		fmt.Printf("%s %d\n", job.Name, value) // one write, not buffered
	}
}

var errChaos = errors.New("run")
