// Command footprint measures what an agent costs its host: the memory and the
// CPU time of vedette-agent and its script host, while they run the built-in
// inspectors and while they run trivial ones, against a real master on this
// machine. It builds the programs, starts them, lets them settle, measures, and
// prints a table. Then it runs the agent and other programs of the field at the
// same time, each measuring this machine once a second, and prints what each takes:
// those that Debian has and that are installed here (collectd-core,
// prometheus-node-exporter, netdata-core).
//
//	go run ./bench/footprint -seconds 30
//	go run ./bench/footprint -peers-only
//	go run ./bench/footprint -tls-only
//
// PSS is the memory of a process with the pages that it shares counted by
// halves (proc(5), smaps_rollup). CPU is user and system time, in percent of
// one core.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/vedettehq/vedette/bench/internal/process"
)

func main() {
	seconds := flag.Int("seconds", 30, "how long each case is measured")
	settle := flag.Int("settle", 10, "how long each case runs before that, in seconds")
	peersOnly := flag.Bool("peers-only", false, "run only the agent beside other programs")
	tlsOnly := flag.Bool("tls-only", false, "run only agents in clear text beside agents by TLS")
	flag.Parse()
	if err := run(*peersOnly, *tlsOnly, time.Duration(*settle)*time.Second, time.Duration(*seconds)*time.Second); err != nil {
		fmt.Fprintln(os.Stderr, "footprint:", err)
		os.Exit(1)
	}
}

// scenario is one configuration of an agent.
type scenario struct {
	name   string
	config string
}

func scenarios() []scenario {
	list := []scenario{{"no inspector", "agent: { library: none }\n"}, {"built-in library", "agent: { library: all }\n"}}
	for _, n := range []int{1, 10, 100} {
		var b strings.Builder
		b.WriteString("agent: { library: none }\ninspectors:\n")
		for i := range n {
			fmt.Fprintf(&b, "  trivial/n%d: { interval: 1s, go: 'return %d, nil' }\n", i, i)
		}
		list = append(list, scenario{fmt.Sprintf("%d trivial at 1 s", n), b.String()})
	}
	return list
}

func run(peersOnly, tlsOnly bool, settle, measure time.Duration) error {
	dir, err := os.MkdirTemp("", "vedette-footprint-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", dir, "./cmd/vedette", "./cmd/vedette-agent")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("cannot build; run this in the repository: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	master, err := startMaster(ctx, dir)
	if err != nil {
		return err
	}
	if tlsOnly {
		return besideTLS(ctx, os.Stdout, dir, master, settle, measure)
	}
	if !peersOnly {
		if err := measureAll(ctx, dir, master, settle, measure); err != nil {
			return err
		}
	}
	return sideBySide(ctx, os.Stdout, dir, master, settle, measure)
}

// measureAll measures an agent with each configuration, one after the other.
func measureAll(ctx context.Context, dir, master string, settle, measure time.Duration) error {
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(out, "case\tagent PSS MiB\tscript host PSS MiB\ttogether\tagent CPU %\tscript host CPU %\ttogether\t")
	for _, s := range scenarios() {
		if err := measureAgent(ctx, out, dir, master, s, settle, measure); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return out.Flush()
}

// startMaster starts a master on a free port and returns its URL, which it
// prints when it is ready.
func startMaster(ctx context.Context, dir string) (string, error) {
	return startProgram(ctx, filepath.Join(dir, "vedette"), "master", "--listen", "127.0.0.1:0", "--data", filepath.Join(dir, "master"))
}

// startProgram starts a program that prints its URL when it is ready.
func startProgram(ctx context.Context, program string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		for word := range strings.FieldsSeq(lines.Text()) {
			if u, err := url.Parse(word); err == nil && strings.HasPrefix(u.Scheme, "http") {
				go func() {
					for lines.Scan() { // keep the pipe empty
					}
				}()
				return word, nil
			}
		}
	}
	return "", fmt.Errorf("the master ended without printing its address: %v", cmd.Wait())
}

func startAgent(ctx context.Context, dir, master, text string) (*exec.Cmd, error) {
	config := filepath.Join(dir, "agent.yaml")
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(dir, "vedette-agent"), "--config", config, "--master", master, "--data", filepath.Join(dir, "agent"))
	cmd.Stderr = os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	return cmd, cmd.Start()
}

func measureAgent(ctx context.Context, out *tabwriter.Writer, dir, master string, s scenario, settle, measure time.Duration) error {
	cmd, err := startAgent(ctx, dir, master, s.config)
	if err != nil {
		return err
	}
	defer func() {
		cmd.Process.Signal(os.Interrupt)
		cmd.Wait()
	}()
	time.Sleep(settle)
	agent, children := cmd.Process.Pid, process.Children(cmd.Process.Pid)
	agentCPU, hostCPU := process.CPU(agent), process.CPU(children...)
	time.Sleep(measure)
	agentCPU, hostCPU = process.CPU(agent)-agentCPU, process.CPU(children...)-hostCPU
	agentPSS, hostPSS := process.PSS(agent), process.PSS(children...)
	if agentPSS == 0 {
		return fmt.Errorf("the agent is gone")
	}
	percent := func(d time.Duration) float64 { return 100 * d.Seconds() / measure.Seconds() }
	fmt.Fprintf(out, "%s\t%.1f\t%.1f\t%.1f\t%.2f\t%.2f\t%.2f\t\n", s.name, agentPSS, hostPSS, agentPSS+hostPSS,
		percent(agentCPU), percent(hostCPU), percent(agentCPU+hostCPU))
	return nil
}
