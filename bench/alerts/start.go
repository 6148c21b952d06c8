package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// program is one that runs in a folder with these files.
type program struct {
	name  string
	args  []string
	files map[string]string
}

// started are programs that run.
type started struct {
	dir  string
	cmds []*exec.Cmd
}

// startAll builds what is ours, and starts everything until ctx ends; stop waits for the
// end of it.
func startAll(ctx context.Context, dir string, o options, bed string) (stop func(), err error) {
	s := &started{dir: dir}
	stop = func() {
		for _, cmd := range s.cmds {
			_ = cmd.Wait()
		}
	}
	for _, name := range []string{"prometheus", "prometheus-alertmanager"} {
		if _, err := exec.LookPath(name); err != nil {
			return stop, errors.New("this compares with Debian's programs: apt-get install prometheus prometheus-alertmanager")
		}
	}
	build := exec.CommandContext(ctx, "go", "build", "-o", dir, "./cmd/vedette", "./cmd/vedette-agent")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return stop, fmt.Errorf("cannot build; run this in the repository: %w", err)
	}
	every := o.interval.String()
	// Both systems choose by hashes of names where in an interval they do something. So the
	// names are others in each run.
	name := fmt.Sprint("bench-", rand.IntN(1e6))
	rules := fmt.Sprintf("groups:\n  - name: %s\n    interval: %s\n    rules: [{ alert: level/high, expr: bench_level > 90 }]\n", name, every)
	tell := func(hook int) string {
		return "route: { receiver: hook, group_by: [id], group_wait: 0s, group_interval: 1s, repeat_interval: 12h }\n" +
			fmt.Sprintf("receivers: [{ name: hook, webhook_configs: [{ url: '%s/hook/%d' }] }]\n", bed, hook)
	}
	target, err := url.Parse(bed)
	if err != nil {
		return stop, err
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return stop, err
	}
	alertmanager := free.Addr().String()
	if err := free.Close(); err != nil {
		return stop, err
	}
	master, err := s.start(ctx, program{name: filepath.Join(dir, "vedette"), files: map[string]string{
		"rules.yaml": rules, "alertmanager.yml": tell(0),
		"master.yaml": "master:\n  alerts: { built_in: false, rules: [rules.yaml], alertmanager_config: alertmanager.yml }\n",
	}, args: []string{"master", "--listen", "127.0.0.1:0", "--config", "master.yaml", "--data", "data"}}, true)
	if err != nil {
		return stop, err
	}
	for _, p := range []program{
		{name: filepath.Join(dir, "vedette-agent"), files: map[string]string{
			"agent.yaml": fmt.Sprintf("agent: { library: none, host: %s }\ninspectors:\n  bench: { scrape: '%s/metrics', interval: %s }\n", name, bed, every),
		}, args: []string{"--config", "agent.yaml", "--master", master, "--data", "data"}},
		{name: "prometheus-alertmanager", files: map[string]string{"alertmanager.yml": tell(1)}, args: []string{
			"--config.file=alertmanager.yml", "--storage.path=data", "--web.listen-address=" + alertmanager, "--cluster.listen-address=",
		}},
		{name: "prometheus", files: map[string]string{
			"rules.yaml": rules, "prometheus.yml": fmt.Sprintf("global: { scrape_interval: %s, scrape_timeout: %s }\n"+
				"rule_files: [rules.yaml]\nalerting: { alertmanagers: [{ static_configs: [{ targets: ['%s'] }] }] }\n"+
				"scrape_configs: [{ job_name: bench, static_configs: [{ targets: ['%s'] }] }]\n", every, every, alertmanager, target.Host),
		}, args: []string{"--config.file=prometheus.yml", "--storage.tsdb.path=data", "--web.listen-address=127.0.0.1:0"}},
	} {
		if _, err := s.start(ctx, p, false); err != nil {
			return stop, err
		}
	}
	return stop, nil
}

// start starts a program; with says it returns the address that the program prints.
func (s *started) start(ctx context.Context, p program, says bool) (address string, err error) {
	dir := filepath.Join(s.dir, "of-"+filepath.Base(p.name))
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", err
	}
	for name, text := range p.files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return "", err
		}
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return "", err
	}
	defer log.Close()
	cmd := exec.CommandContext(ctx, p.name, p.args...)
	cmd.Dir, cmd.Stderr = dir, log
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	s.cmds = append(s.cmds, cmd)
	lines := bufio.NewScanner(stdout)
	for says && lines.Scan() {
		for word := range strings.FieldsSeq(lines.Text()) {
			if u, err := url.Parse(word); err == nil && strings.HasPrefix(u.Scheme, "http") {
				address, says = word, false
			}
		}
	}
	if says {
		return "", fmt.Errorf("%s ended without printing its address; its log is %s", p.name, log.Name())
	}
	go func() {
		for lines.Scan() { // keep the pipe empty
		}
	}()
	return address, nil
}
