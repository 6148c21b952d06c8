package truth

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
	"strings"
	"sync"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/inspectors/script"
	"github.com/vedettehq/vedette/inspectors/script/check"
)

// InterpreterEnv makes a test binary that calls Child first an interpreter.
const InterpreterEnv = "VEDETTE_TRUTH_INTERPRETER"

// Job is one program to run.
type Job struct {
	Name   string
	Source string
	// Runs is how often Inspect is called, with the package variables kept.
	Runs int
	// Timeout bounds each run where the program is interpreted.
	Timeout time.Duration
	// Files are the files that the script may read besides the usual ones.
	Files []string
	// AcceptedOnly says that a program that the checker refuses need not run, and that one
	// that did not end need not run again with more time.
	AcceptedOnly bool
}

// refusedPatience bounds the runs of a program that is refused, maybe because it
// would not end.
const refusedPatience = 2 * time.Second

// How a program ended. The empty End is a run to the end.
const (
	EndLoad  = "load"  // it does not compile, or its initialisers fail
	EndPanic = "panic" // a run panicked
	EndHang  = "hang"  // a run did not end
	EndDied  = "died"  // the process died
	// EndUnsteady: it ended, and prints something else each time.
	EndUnsteady = "unsteady"
)

// Result is the result of a job.
type Result struct {
	Name    string
	Output  string // its output, its samples and its errors
	End     string // one of the constants above, or ""
	Fault   string // why it did not run to the end
	Refused string // the checker's first finding, or ""
	Line    int    // the line of the program that panicked; 0 if unknown
}

// Child makes the process an interpreter if Interpret has started it, and returns
// otherwise. A TestMain must call it first.
func Child() {
	if os.Getenv(InterpreterEnv) == "" {
		return
	}
	if err := interpretJobs(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// interpretJobs runs jobs from in, in order, and says to out when it starts each
// and what came of it.
func interpretJobs(in io.Reader, out io.Writer) error {
	var jobs []Job
	if err := json.NewDecoder(in).Decode(&jobs); err != nil {
		return err
	}
	w := json.NewEncoder(out)
	for _, j := range jobs {
		if err := w.Encode(Result{Name: j.Name}); err != nil {
			return err
		}
		if err := w.Encode(interpret(j)); err != nil {
			return err
		}
	}
	return nil
}

// interpret checks one program, loads it and runs it as often as the job says.
func interpret(j Job) (r Result) {
	r.Name = j.Name
	defer func() {
		if v := recover(); v != nil {
			r.End, r.Fault = EndPanic, fmt.Sprint("panic out of the interpreter: ", v)
		}
	}()
	text := inspectors.Script{File: j.Name + ".go", Line: 1, Source: j.Source}
	if faults := check.Script(text); len(faults) > 0 {
		r.Refused = faults[0].Error()
		if j.AcceptedOnly {
			return r
		}
		j.Timeout = min(j.Timeout, refusedPatience)
	}
	var out bytes.Buffer
	p, err := script.Options{Output: &out, Files: j.Files}.Load(inspectors.Definition{
		Name: "test", Interval: time.Hour, Timeout: j.Timeout, Script: &text,
	})
	if err != nil {
		r.End, r.Fault = EndLoad, err.Error()
		return r
	}
	defer p.Close()
	for range max(1, j.Runs) {
		if !interpretOnce(p, j, &out, &r) {
			break
		}
	}
	return r
}

// interpretOnce runs a program once and reports whether it ended well.
func interpretOnce(p *script.Program, j Job, out *bytes.Buffer, r *Result) bool {
	ctx, cancel := context.WithTimeout(context.Background(), j.Timeout)
	defer cancel()
	report := inspectors.NewReport("test", time.UnixMilli(0))
	out.Reset()
	err := p.Inspect(ctx, report)
	switch {
	case errors.Is(err, script.ErrPanic):
		r.End, r.Fault = EndPanic, err.Error()
		_, _ = fmt.Sscanf(err.Error(), j.Name+".go:%d:", &r.Line)
	case ctx.Err() != nil:
		r.End, r.Fault = EndHang, "did not end"
		return false // it may still be writing
	}
	r.Output += out.String() + describe(report, err)
	return r.End == ""
}

// describe writes the samples of an inspector, one per line.
func describe(r *inspectors.Report, err error) string {
	var b strings.Builder
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

// stuckTime is how long a child may take for one program beyond the timeouts of its runs. A
// program that has not ended by then holds the interpreter where it cannot be stopped.
const stuckTime = 3 * time.Minute

// batch is how many programs one child runs.
const batch = 100

// Interpret runs the jobs in child processes, two at a time, and returns the
// results by name. A child that dies or gets stuck is the fault of the program
// that it had started; the programs after it go to another child.
func Interpret(jobs []Job) (map[string]Result, error) {
	results := make(map[string]Result)
	var mu sync.Mutex
	var failure error
	var children sync.WaitGroup
	slots := make(chan struct{}, 2)
	for start := 0; start < len(jobs); start += batch {
		part := jobs[start:min(start+batch, len(jobs))]
		children.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			for len(part) > 0 {
				done, err := runChild(part)
				mu.Lock()
				for _, r := range done {
					results[r.Name] = r
				}
				failure = errors.Join(failure, err)
				mu.Unlock()
				if err != nil {
					return
				}
				part = part[len(done):]
			}
		})
	}
	children.Wait()
	return results, failure
}

// runChild returns a result for each job that the child has got at: for one at
// least.
func runChild(jobs []Job) ([]Result, error) {
	input, err := json.Marshal(jobs)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), InterpreterEnv+"=1", "GOMAXPROCS=1", "GODEBUG=", "GOMEMLIMIT=256MiB")
	cmd.Stdin = bytes.NewReader(input)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	cmd.SysProcAttr = endsWithParent()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	done := readResults(pipe, cmd, stuckTime+3*jobs[0].Timeout)
	err = cmd.Wait()
	if len(done) < len(jobs) {
		first, _, _ := bytes.Cut(stderr.Bytes(), []byte("\n"))
		done = append(done, Result{
			Name: jobs[len(done)].Name, End: EndDied, Fault: fmt.Sprintf("the process died: %v %s", err, first),
		})
	}
	return done, nil
}

// readResults reads the output of a child until it ends, and kills it if it is silent for a
// while.
func readResults(pipe io.Reader, cmd *exec.Cmd, patience time.Duration) []Result {
	stuck := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	defer stuck.Stop()
	var done []Result
	started := ""
	lines := bufio.NewScanner(pipe)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		stuck.Reset(patience)
		var r Result
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			continue // the program has reached the real output
		}
		if r.Name != started {
			started = r.Name
			continue
		}
		done, started = append(done, r), ""
	}
	return done
}
