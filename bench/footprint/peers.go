package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/vedettehq/vedette/bench/internal/process"
)

// peer is another program that measures a host. It is given the metrics that the
// built-in library has, as far as it knows them, at an interval of 1 s.
type peer struct {
	name    string
	program string // as Debian names it
	// arguments writes what the program needs into a folder that is its own.
	arguments func(dir, address string) ([]string, error)
	scraped   bool // at address, once a second
}

func peers() []peer {
	return []peer{
		{name: "collectd", program: "collectd", arguments: collectd},
		{name: "node_exporter, scraped each second", program: "prometheus-node-exporter", scraped: true, arguments: func(_, address string) ([]string, error) {
			return []string{"--web.listen-address=" + address}, nil
		}},
		{name: "Netdata, its internal collectors", program: "netdata", arguments: netdata},
	}
}

// collectd writes to the network, where nobody listens.
func collectd(dir, address string) ([]string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "BaseDir %q\nPIDFile %q\nInterval 1\nFQDNLookup false\n", dir, filepath.Join(dir, "pid"))
	for _, plugin := range []string{"cpu", "df", "disk", "interface", "load", "memory", "processes", "swap", "tcpconns", "uptime", "vmem", "network"} {
		fmt.Fprintf(&b, "LoadPlugin %s\n", plugin)
	}
	fmt.Fprintf(&b, "<Plugin network>\n  Server %q %q\n</Plugin>\n", host, port)
	config := filepath.Join(dir, "collectd.conf")
	return []string{"-f", "-C", config}, os.WriteFile(config, []byte(b.String()), 0o600)
}

// netdata keeps its history in memory and runs only what reads /proc.
func netdata(dir, _ string) ([]string, error) {
	var b strings.Builder
	b.WriteString("[global]\nrun as user = root\n[directories]\n")
	for _, kind := range []string{"config", "cache", "lib", "log", "home"} {
		folder := filepath.Join(dir, kind)
		if err := os.Mkdir(folder, 0o700); err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "%s = %s\n", kind, folder)
	}
	b.WriteString("[db]\nmode = ram\nretention = 60\nupdate every = 1\n[web]\nmode = none\n[ml]\nenabled = no\n[health]\nenabled = no\n[statsd]\nenabled = no\n")
	b.WriteString("[plugins]\nproc = yes\ndiskspace = yes\n")
	for _, plugin := range []string{
		"enable running new plugins", "timex", "tc", "idlejitter", "cgroups", "checks", "statsd", "netdata monitoring",
		"netdata monitoring extended",
	} {
		fmt.Fprintf(&b, "%s = no\n", plugin)
	}
	config := filepath.Join(dir, "netdata.conf")
	return []string{"-D", "-c", config}, os.WriteFile(config, []byte(b.String()), 0o600)
}

// start runs the peer until ctx ends, or returns nil where it is not installed.
func (p peer) start(ctx context.Context, dir string) (*exec.Cmd, error) {
	path, err := find(p.program)
	if err != nil {
		return nil, nil
	}
	own := filepath.Join(dir, p.program)
	if err := os.Mkdir(own, 0o700); err != nil {
		return nil, err
	}
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	arguments, err := p.arguments(own, address)
	if err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(own, "output"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.CommandContext(ctx, path, arguments...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	if p.scraped {
		go scrape(ctx, "http://"+address+"/metrics")
	}
	return cmd, nil
}

// find looks for a program where servers are, too.
func find(program string) (string, error) {
	if path, err := exec.LookPath(program); err == nil {
		return path, nil
	}
	return exec.LookPath(filepath.Join("/usr/sbin", program))
}

// freeAddress is an address of loopback where nobody listens now.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// scrape reads all of a page once a second.
func scrape(ctx context.Context, url string) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return
		}
		if response, err := http.DefaultClient.Do(request); err == nil {
			_, _ = io.Copy(io.Discard, response.Body)
			_ = response.Body.Close()
		}
	}
}

// runner is a program that is measured beside others.
type runner struct {
	name    string
	cmd     *exec.Cmd
	pids    []int
	cpu     time.Duration
	percent float64
	pss     float64
}

// sideBySide runs the agent with the built-in library and every peer that is
// installed at the same time, and prints what each took in the same seconds.
func sideBySide(ctx context.Context, w io.Writer, dir, master string, settle, measure time.Duration) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	var all []*runner
	defer func() {
		cancel() // kills the peers
		for _, r := range all {
			_ = r.cmd.Wait()
		}
	}()
	agent, err := startAgent(ctx, dir, master, "agent: { library: all }\n")
	if err != nil {
		return err
	}
	all = append(all, &runner{name: "Vedette, built-in library", cmd: agent})
	for _, p := range peers() {
		cmd, err := p.start(ctx, dir)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		if cmd == nil {
			fmt.Fprintf(w, "%s is not installed (%s)\n", p.name, p.program)
			continue
		}
		all = append(all, &runner{name: p.name, cmd: cmd})
	}
	time.Sleep(settle)
	for _, r := range all {
		r.pids = process.Tree(r.cmd.Process.Pid)
		r.cpu = process.CPU(r.pids...)
	}
	time.Sleep(measure)
	for _, r := range all {
		r.percent = 100 * (process.CPU(r.pids...) - r.cpu).Seconds() / measure.Seconds()
		if r.pss = process.PSS(r.pids...); r.pss == 0 {
			err = errors.Join(err, fmt.Errorf("%s has ended; its output is in its folder", r.name))
		}
	}
	printSideBySide(w, all)
	return err
}

func printSideBySide(w io.Writer, all []*runner) {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(out, "\nat the same time\tprocesses\tPSS MiB\tVedette is\tCPU %\tVedette is\t")
	for _, r := range all {
		fmt.Fprintf(out, "%s\t%d\t%.1f\t%.2f ×\t%.2f\t%.2f ×\t\n", r.name, len(r.pids), r.pss, all[0].pss/r.pss, r.percent, all[0].percent/r.percent)
	}
	_ = out.Flush()
}
