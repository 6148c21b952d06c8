package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// product is a program that stores samples, and how it is run and asked.
type product struct {
	name    string
	program string // for exec.LookPath, or a path
	ready   string // URL path that answers 200 when it is
	write   string // URL path of remote write, or "" for reports over WebSockets
	flush   string // URL path to ask for before counting, or ""
	args    func(dir, addr string) []string
}

func products(dir string) []product {
	return []product{
		{
			name: "vedette master", program: filepath.Join(dir, "vedette"), ready: "/-/ready",
			args: func(dir, addr string) []string { return []string{"master", "--listen", addr, "--data", dir} },
		},
		{
			name: "Prometheus", program: "prometheus", ready: "/-/ready", write: "/api/v1/write",
			args: func(dir, addr string) []string {
				return []string{
					"--config.file=" + filepath.Join(dir, "prometheus.yml"), "--storage.tsdb.path=" + filepath.Join(dir, "data"),
					"--web.listen-address=" + addr, "--web.enable-remote-write-receiver", "--log.level=warn",
				}
			},
		},
		{
			name: "VictoriaMetrics", program: "victoria-metrics", ready: "/health", write: "/api/v1/write", flush: "/internal/force_flush",
			args: func(dir, addr string) []string {
				return []string{"-storageDataPath=" + filepath.Join(dir, "data"), "-httpListenAddr=" + addr, "-loggerLevel=ERROR"}
			},
		},
	}
}

// store is a product with its own folder, running or not.
type store struct {
	product
	dir, addr string
	cmd       *exec.Cmd
}

// newStore makes the folder. It starts nothing.
func (p product) newStore(parent string) (*store, error) {
	dir, err := os.MkdirTemp(parent, "store-")
	if err != nil {
		return nil, err
	}
	// Prometheus wants a configuration.
	return &store{product: p, dir: dir}, os.WriteFile(filepath.Join(dir, "prometheus.yml"), nil, 0o600)
}

// start runs the program and returns how long it took until it was ready.
func (s *store) start(ctx context.Context) (time.Duration, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	s.addr = listener.Addr().String()
	_ = listener.Close()
	log, err := os.Create(filepath.Join(s.dir, "log"))
	if err != nil {
		return 0, err
	}
	defer log.Close()
	s.cmd = exec.CommandContext(ctx, s.program, s.args(s.dir, s.addr)...)
	s.cmd.Stdout, s.cmd.Stderr = log, log
	begin := time.Now()
	if err := s.cmd.Start(); err != nil {
		return 0, err
	}
	for {
		if _, err := s.get(s.ready); err == nil {
			return time.Since(begin), nil
		}
		if time.Since(begin) > 5*time.Minute {
			return 0, fmt.Errorf("%s does not get ready; see %s", s.name, log.Name())
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func (s *store) pid() int { return s.cmd.Process.Pid }

func (s *store) url(path string) string { return "http://" + s.addr + path }

// end sends a signal and waits until the program is gone.
func (s *store) end(signal os.Signal) error {
	if err := s.cmd.Process.Signal(signal); err != nil {
		return err
	}
	err := s.cmd.Wait()
	if _, ok := errors.AsType[*exec.ExitError](err); ok && signal != syscall.SIGTERM {
		return nil
	}
	return err
}

// restart ends the program and starts it again, and returns how long that start
// took until it was ready.
func (s *store) restart(ctx context.Context, signal os.Signal) (time.Duration, error) {
	if err := s.end(signal); err != nil {
		return 0, err
	}
	return s.start(ctx)
}

func (s *store) get(path string) ([]byte, error) {
	response, err := http.Get(s.url(path))
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: HTTP %d: %.200s", path, response.StatusCode, body)
	}
	return body, err
}

// count returns how many samples are stored, by PromQL.
func (s *store) count(c clock, rounds int) (int, error) {
	if s.flush != "" {
		if _, err := s.get(s.flush); err != nil {
			return 0, err
		}
	}
	end := time.UnixMilli(c.at(rounds))
	query := url.Values{
		"query": {fmt.Sprintf(`sum(count_over_time({zone="berlin"}[%ds]))`, rounds+10)},
		"time":  {strconv.FormatInt(end.Unix(), 10)},
	}
	body, err := s.get("/api/v1/query?" + query.Encode())
	if err != nil {
		return 0, err
	}
	var answer struct {
		Data struct{ Result []struct{ Value [2]any } }
	}
	if err := json.Unmarshal(body, &answer); err != nil || len(answer.Data.Result) > 1 {
		return 0, fmt.Errorf("%s: cannot read %.200s: %v", s.name, body, err)
	}
	if len(answer.Data.Result) == 0 {
		return 0, nil
	}
	text, _ := answer.Data.Result[0].Value[1].(string)
	n, err := strconv.ParseFloat(text, 64)
	return int(n), err
}
