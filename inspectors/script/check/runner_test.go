package check_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/inspectors/script"
)

// interpreterEnv makes the test binary an interpreter of programs.
const interpreterEnv = "VEDETTE_CHECK_TEST_INTERPRETER"

// Limits of one program, interpreted: a generous one for what is accepted, which
// ends by itself, and a short one for what is refused because it does not. A
// program that has not ended a good while after that is stuck where the
// interpreter cannot be stopped.
const (
	runTimeout     = 2 * time.Minute
	refusedTimeout = 2 * time.Second
	stuckTimeout   = 3 * time.Minute
)

// job is one program to run, and result what it printed.
type job struct {
	Name    string
	Source  string
	Timeout time.Duration
}

type result struct {
	Name   string
	Output string // what it printed, the samples it reported
	Fault  string // why there is no output: it did not load, panicked, did not end
}

// interpretJobs is the child: it runs jobs from in, in order, and says to out
// when it starts each and what came of it.
func interpretJobs(in io.Reader, out io.Writer) error {
	var jobs []job
	if err := json.NewDecoder(in).Decode(&jobs); err != nil {
		return err
	}
	w := json.NewEncoder(out)
	for _, j := range jobs {
		if err := w.Encode(result{Name: j.Name}); err != nil {
			return err
		}
		if err := w.Encode(interpret(j)); err != nil {
			return err
		}
	}
	return nil
}

// interpret runs one program once.
func interpret(j job) (r result) {
	r.Name = j.Name
	defer func() {
		if v := recover(); v != nil {
			r.Fault = fmt.Sprint("panic out of the interpreter: ", v)
		}
	}()
	var out bytes.Buffer
	definition := inspectors.Definition{
		Name: "test", Interval: time.Hour, Timeout: j.Timeout,
		Script: &inspectors.Script{File: j.Name + ".go", Line: 1, Source: j.Source},
	}
	p, err := script.Options{Output: &out}.Load(definition)
	if err != nil {
		r.Fault = "load: " + err.Error()
		return r
	}
	defer p.Close()
	ctx, cancel := context.WithTimeout(context.Background(), j.Timeout)
	defer cancel()
	report := inspectors.NewReport("test", time.UnixMilli(0))
	err = p.Inspect(ctx, report)
	switch {
	case errors.Is(err, script.ErrPanic):
		r.Fault = err.Error()
	case ctx.Err() != nil:
		r.Fault = "did not end"
	}
	r.Output = out.String() + describe(report, err)
	return r
}

// describe writes what an inspector reported, a line each.
func describe(r *inspectors.Report, err error) string {
	var b bytes.Buffer
	for _, s := range r.Samples() {
		fmt.Fprintf(&b, "%s %s%s %v\n", s.Kind, s.Key, s.Labels, s.Value)
	}
	for _, e := range []error{err, r.Err()} {
		if e != nil {
			fmt.Fprintf(&b, "error: %v\n", e)
		}
	}
	return b.String()
}

// interpretAll runs the jobs in child processes, two at a time. A child that
// dies or gets stuck is the fault of the program that it had started; the
// programs after it go to another child.
func interpretAll(t *testing.T, jobs []job) map[string]result {
	t.Helper()
	results := make(map[string]result)
	var mu sync.Mutex
	var children sync.WaitGroup
	const batch = 40
	slots := make(chan struct{}, 2)
	for start := 0; start < len(jobs); start += batch {
		part := jobs[start:min(start+batch, len(jobs))]
		children.Add(1)
		go func() {
			defer children.Done()
			slots <- struct{}{}
			defer func() { <-slots }()
			for len(part) > 0 {
				done := runChild(t, part)
				mu.Lock()
				for _, r := range done {
					results[r.Name] = r
				}
				mu.Unlock()
				part = part[len(done):]
			}
		}()
	}
	children.Wait()
	return results
}

// runChild returns a result for each job that the child has got at: for one at
// least.
func runChild(t *testing.T, jobs []job) []result {
	input, err := json.Marshal(jobs)
	if err != nil {
		t.Error(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), interpreterEnv+"=1", "GOMAXPROCS=1", "GODEBUG=", "GOMEMLIMIT=256MiB")
	cmd.Stdin = bytes.NewReader(input)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	pipe, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Error(err)
		return failed(jobs)
	}
	stuck := time.AfterFunc(stuckTimeout, func() { _ = cmd.Process.Kill() })
	defer stuck.Stop()
	var done []result
	started := ""
	lines := bufio.NewScanner(pipe)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		stuck.Reset(stuckTimeout)
		var r result
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			continue // the program has found a way to the output
		}
		if r.Name != started {
			started = r.Name
			continue
		}
		done, started = append(done, r), ""
	}
	err = cmd.Wait()
	if len(done) < len(jobs) {
		first, _, _ := bytes.Cut(stderr.Bytes(), []byte("\n"))
		done = append(done, result{Name: jobs[len(done)].Name, Fault: fmt.Sprintf("the process died: %v %s", err, first)})
	}
	return done
}

func failed(jobs []job) []result {
	list := make([]result, len(jobs))
	for i, j := range jobs {
		list[i] = result{Name: j.Name, Fault: "not run"}
	}
	return list
}
