package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/vedettehq/vedette/bench/internal/process"
)

// pairs is how many agents speak in clear text, and as many by TLS.
const pairs = 3

// besideTLS runs agents without inspectors at the same time, some without TLS and some over
// TLS with the certificate of their host, each group with its own master, and prints the
// memory that they take. Pages that they share are divided among them.
func besideTLS(ctx context.Context, w io.Writer, dir, clear string, settle, measure time.Duration) error {
	secure, err := startSecureMaster(ctx, filepath.Join(dir, "secure"), filepath.Join(dir, "vedette"))
	if err != nil {
		return err
	}
	ways := []struct {
		name string
		pids []int
	}{{name: "clear text"}, {name: "TLS, with the certificate of the host"}}
	defer func() {
		for _, way := range ways {
			for _, pid := range way.pids {
				if p, err := os.FindProcess(pid); err == nil {
					p.Signal(os.Interrupt)
				}
			}
		}
	}()
	for i := range pairs {
		for at := range ways {
			folder := filepath.Join(dir, fmt.Sprintf("pair-%d-%d", i, at))
			file := filepath.Join(folder, "agent.yaml")
			if err := os.MkdirAll(folder, 0o700); err != nil {
				return err
			}
			text := fmt.Sprintf("agent:\n  host: pair-%d\n  library: none\n  master: %s\n  data: %s\n", i, clear, folder)
			if at == 1 {
				if text, err = secure.join(ctx, fmt.Sprint("pair-", i), folder); err != nil {
					return err
				}
			}
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				return err
			}
			cmd := exec.CommandContext(ctx, filepath.Join(dir, "vedette-agent"), "--config", file)
			cmd.Stderr = os.Stderr
			if err := cmd.Start(); err != nil {
				return err
			}
			go cmd.Wait() //nolint:errcheck // its memory tells that it lives
			ways[at].pids = append(ways[at].pids, cmd.Process.Pid)
		}
	}
	time.Sleep(settle)
	var before [2]time.Duration
	for at, way := range ways {
		before[at] = process.CPU(way.pids...)
	}
	time.Sleep(measure)
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(out, "an idle agent\tPSS MiB\tRSS MiB\tCPU %\t")
	for at, way := range ways {
		cpu := process.CPU(way.pids...) - before[at]
		percent := 100 * cpu.Seconds() / measure.Seconds()
		pss, rss := process.PSS(way.pids...), process.RSS(way.pids...)
		fmt.Fprintf(out, "%s\t%.2f\t%.2f\t%.3f\t\n", way.name, pss/pairs, rss/pairs, percent/pairs)
	}
	return out.Flush()
}

// secureMaster is a master with its own authority.
type secureMaster struct{ program, dir, url string }

func startSecureMaster(ctx context.Context, dir, program string) (*secureMaster, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "master.yaml")
	if err := os.WriteFile(file, []byte("master: { tls: { own: true } }\n"), 0o600); err != nil {
		return nil, err
	}
	url, err := startProgram(ctx, program, "master", "--config", file, "--listen", "127.0.0.1:0", "--data", dir)
	return &secureMaster{program, dir, url}, err
}

// join has a host join, and returns the configuration of its agent.
func (m *secureMaster) join(ctx context.Context, host, folder string) (string, error) {
	run := func(program string, args ...string) ([]byte, error) {
		cmd := exec.CommandContext(ctx, program, args...)
		cmd.Env = append(os.Environ(), "VEDETTE_MASTER="+m.url, "VEDETTE_CA="+filepath.Join(m.dir, "authority.crt"))
		cmd.Stderr = os.Stderr
		return cmd.Output()
	}
	out, err := run(m.program, "join-token", "--json")
	var made struct{ Token string }
	if err == nil {
		err = json.Unmarshal(out, &made)
	}
	file := filepath.Join(folder, "joined.yaml")
	if err == nil {
		_, err = run(m.program+"-agent", "join", m.url, "--token", made.Token, "--host", host, "--data", folder, "--config", file)
	}
	if err != nil {
		return "", fmt.Errorf("cannot have %s join: %w", host, err)
	}
	text, err := os.ReadFile(file)
	return string(text) + "\n  library: none\n", err
}
