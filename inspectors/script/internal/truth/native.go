package truth

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Native builds the jobs as one package, runs each and returns the results by
// name. Dir is a folder of this module in which the package is laid over what is
// there; nothing is written into it. A program that the type checker refuses has
// the end EndLoad.
func (l *Library) Native(dir string, jobs []Job) (map[string]Result, error) {
	results := make(map[string]Result)
	var sources []string
	var good []Job
	for _, j := range jobs {
		typed, faults := l.Check(j.Source)
		if len(faults) > 0 {
			results[j.Name] = Result{Name: j.Name, End: EndLoad, Fault: "build: " + faults[0].Error()}
			continue
		}
		sources = append(sources, typed.Prefixed(fmt.Sprintf("p%d_", len(good))))
		good = append(good, j)
	}
	if len(good) == 0 {
		return results, nil
	}
	temp, err := os.MkdirTemp("", "truth")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(temp) }()
	binary, bad, err := buildNative(temp, dir, good, sources)
	if err != nil {
		return nil, err
	}
	if bad == nil {
		if bad, err = initialise(binary, len(good)); err != nil {
			return nil, err
		}
	}
	if bad != nil {
		// The compiler refuses what the type checker did not, or a program fails
		// before main, which ends them all: build the rest.
		var left []Job
		for i, j := range good {
			if fault, ok := bad[i]; ok {
				results[j.Name] = Result{Name: j.Name, End: EndLoad, Fault: fault}
				continue
			}
			left = append(left, j)
		}
		rest, err := l.Native(dir, left)
		for name, r := range rest {
			results[name] = r
		}
		return results, err
	}
	return results, runTwice(binary, good, results)
}

// runTwice runs the programs twice and adds their outputs to the results. A program whose
// second output differs has the end EndUnsteady.
func runTwice(binary string, jobs []Job, results map[string]Result) error {
	for round := range 2 {
		for start := 0; start < len(jobs); {
			done, err := runNative(binary, jobs, start)
			if err != nil {
				return err
			}
			for _, r := range done {
				if round == 1 && r.Output != results[r.Name].Output {
					r.End, r.Fault = EndUnsteady, "prints something else each time"
				}
				results[r.Name] = r
			}
			start += len(done)
		}
	}
	return nil
}

// buildNative builds the sources as one program. It returns the binary, or by
// number what the compiler says of those that do not compile.
func buildNative(temp, dir string, jobs []Job, sources []string) (binary string, bad map[int]string, err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return "", nil, err
	}
	const under = "nativetruth"
	replace := make(map[string]string)
	lay := func(name, text string) {
		real := filepath.Join(temp, name)
		if e := os.WriteFile(real, []byte(text), 0o600); e != nil {
			err = e
		}
		replace[filepath.Join(dir, under, name)] = real
	}
	var list strings.Builder
	for i, j := range jobs {
		lay(fmt.Sprintf("p%d.go", i), sources[i])
		fmt.Fprintf(&list, "\t{%q, %d, p%d_Inspect},\n", j.Name, max(1, j.Runs), i)
	}
	lay("main.go", nativeMain)
	lay("list.go", "package main\n\nvar programs = []program{\n"+list.String()+"}\n")
	if err != nil {
		return "", nil, err
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", nil, err
	}
	overlayFile := filepath.Join(temp, "overlay.json")
	if err := os.WriteFile(overlayFile, overlay, 0o600); err != nil {
		return "", nil, err
	}
	binary = filepath.Join(temp, "native")
	cmd := exec.Command("go", "build", "-gcflags=-e -N -l", "-ldflags=-s -w", "-overlay", overlayFile, "-o", binary, "./"+under)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err == nil {
		return binary, nil, nil
	}
	place := regexp.MustCompile(`\bp(\d+)\.go:\d+:\d+: .*`)
	bad = make(map[int]string)
	for _, m := range place.FindAllStringSubmatch(string(out), -1) {
		i, _ := strconv.Atoi(m[1])
		if bad[i] == "" {
			bad[i] = "build: "
		}
		bad[i] += m[0] + "\n"
	}
	if len(bad) == 0 {
		return "", nil, fmt.Errorf("cannot build the programs natively: %w\n%s", err, tail(out, 2000))
	}
	return "", bad, nil
}

// ownFile is the file of a program in the trace of a panic.
var ownFile = regexp.MustCompile(`\bp(\d+)\.go:\d+`)

// initialise starts the programs and runs none. It returns by number what the one
// says whose initialisers fail, or nil.
func initialise(binary string, programs int) (bad map[int]string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), nativePatience)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, strconv.Itoa(programs))
	cmd.Env = nativeEnv()
	cmd.SysProcAttr = endsWithParent()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err = cmd.Run(); err == nil {
		return nil, nil
	}
	m := ownFile.FindStringSubmatch(stderr.String())
	if m == nil {
		return nil, fmt.Errorf("cannot initialise the programs natively: %w\n%s", err, tail(stderr.Bytes(), 2000))
	}
	i, _ := strconv.Atoi(m[1])
	return map[int]string{i: "initialisers: " + firstLine(stderr.String())}, nil
}

func nativeEnv() []string { return append(os.Environ(), "GOMEMLIMIT=1GiB", "GODEBUG=") }

func tail(b []byte, n int) []byte { return b[max(0, len(b)-n):] }

// nativePatience is how long a native program may take over its runs; it needs
// milliseconds.
const nativePatience = 60 * time.Second

// runNative runs the programs from start on, and returns a result for each that
// was started: for one at least.
func runNative(binary string, jobs []Job, start int) ([]Result, error) {
	cmd := exec.Command(binary, strconv.Itoa(start))
	cmd.Env = nativeEnv()
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
	done, ended := readNative(pipe, cmd)
	err = cmd.Wait()
	switch {
	case ended:
		return done, nil
	case start+len(done) >= len(jobs):
		return done, err
	}
	fault := fmt.Sprintf("the process died: %v %s", err, firstLine(stderr.String()))
	return append(done, Result{Name: jobs[start+len(done)].Name, End: EndDied, Fault: fault}), nil
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// readNative reads results until the program says that it has done all.
func readNative(pipe io.Reader, cmd *exec.Cmd) (done []Result, ended bool) {
	stuck := time.AfterFunc(nativePatience, func() { _ = cmd.Process.Kill() })
	defer stuck.Stop()
	lines := bufio.NewScanner(pipe)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		stuck.Reset(nativePatience)
		var r Result
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			continue
		}
		if r.Name == "" {
			return done, true
		}
		r.Output = ownNames.ReplaceAllString(r.Output, "inspector.")
		done = append(done, r)
	}
	return done, false
}

// ownNames are the prefixed names of types, as they are printed.
var ownNames = regexp.MustCompile(`\bmain\.p\d+_`)

// nativeMain runs each program with its standard output in a file. What a
// program prints in a run it would also print in a second run from the start
// where it is determined by its text alone: the caller runs it twice to know.
const nativeMain = `package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/vedettehq/vedette/inspectors"
)

type program struct {
	name    string
	runs    int
	inspect any
}

type result struct {
	Name, Output, End, Fault string
	Line                     int
}

func main() {
	start, _ := strconv.Atoi(os.Args[1])
	begun.Store(time.Now().Unix())
	go watch()
	results := json.NewEncoder(os.Stdout)
	f, err := os.CreateTemp("", "native")
	if err != nil {
		panic(err)
	}
	os.Remove(f.Name())
	os.Stdout = f
	log.SetOutput(f)
	log.SetFlags(0)
	for _, p := range programs[start:] {
		results.Encode(run(p, f))
	}
	results.Encode(result{})
}

// begun is when the program that runs was started, in seconds.
var begun atomic.Int64

// watch ends the process where a program does not end, or fills the memory.
func watch() {
	for range time.Tick(200 * time.Millisecond) {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		if m.HeapAlloc > 512<<20 || time.Now().Unix()-begun.Load() > 20 {
			os.Stderr.WriteString("a program does not end, or fills the memory\n")
			os.Exit(3)
		}
	}
}

func run(p program, f *os.File) (r result) {
	r.Name = p.name
	begun.Store(time.Now().Unix())
	for range p.runs {
		f.Truncate(0)
		f.Seek(0, 0)
		report := inspectors.NewReport("test", time.UnixMilli(0))
		err := call(p.inspect, report, &r)
		f.Seek(0, 0)
		printed, _ := io.ReadAll(f)
		r.Output += string(printed) + describe(report, err)
		if r.End != "" {
			break
		}
	}
	return r
}

func call(inspect any, report *inspectors.Report, r *result) (err error) {
	defer func() {
		if v := recover(); v != nil {
			r.End, r.Fault, r.Line = "panic", fmt.Sprint("panic: ", v), line()
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	switch f := inspect.(type) {
	case func() (float64, error):
		return value(report, func(context.Context) (float64, error) { return f() })
	case func(context.Context) (float64, error):
		return value(report, f)
	case func(context.Context, *inspectors.Report) error:
		return f(ctx, report)
	}
	panic("not an inspector")
}

// line returns the line of the program that panicked.
func line() int {
	pcs := make([]uintptr, 500)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(0, pcs)])
	for panicking := false; ; {
		f, more := frames.Next()
		panicking = panicking || f.Function == "runtime.gopanic"
		if panicking && own.MatchString(f.File) {
			return f.Line - headLines
		}
		if !more {
			return 0
		}
	}
}

var own = regexp.MustCompile("/p[0-9]+\\.go$")

// headLines are put before each program.
const headLines = 2

func value(r *inspectors.Report, f func(context.Context) (float64, error)) error {
	return inspectors.Value(f).Inspect(context.Background(), r)
}

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
`
