package plugins_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/inspectors/inspectortest"
	"github.com/vedettehq/vedette/inspectors/script/check"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/plugins"
	"github.com/vedettehq/vedette/plugins/internal/link"
	"github.com/vedettehq/vedette/plugins/internal/server"
	"github.com/vedettehq/vedette/plugins/scripthost"
)

// The test binary is its own script host, and more: run with one of these
// arguments it is a child of a test.
const (
	nativeHost = "native-host" // a script host whose "scripts" name Go functions
	agentLike  = "agent-like"  // a process that holds a pool until it is killed
	pluginLike = "plugin-like" // an external plugin
	suiteLike  = "suite-like"  // an external plugin with one behaviour of the suite
	chatty     = "chatty"      // prints something that is no handshake
	silent     = "silent"      // neither speaks nor ends
)

// secretOfTheAgent is in the environment of the tests, which is what an agent has
// and nobody else may see.
const secretOfTheAgent = "the-secret-of-the-agent"

func TestMain(m *testing.M) {
	if len(os.Args) < 2 {
		runTests(m)
		return
	}
	switch os.Args[1] {
	case scripthost.Command:
		os.Exit(scripthost.Main())
	case nativeHost:
		serveNative()
	case agentLike:
		beAgent()
	case executorLike:
		beExecutor()
	case unprivileged:
		beUnprivileged()
	case suiteLike:
		plugins.Serve(plugins.Inspectors{os.Args[2]: inspectortest.Natives()[os.Args[2]]})
	case pluginLike:
		plugins.Serve(pluginInspectors(os.Args[2:]))
	case chatty:
		fmt.Println("hello, world")
	case silent:
		select {}
	default:
		runTests(m)
	}
}

func runTests(m *testing.M) {
	if err := os.Setenv("TORTURE_SECRET", secretOfTheAgent); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// serveNative serves what no script can do any more, or not yet, to a pool.
func serveNative() {
	_ = link.HoldLifeline()
	marker, err := link.OpenMarker()
	if err != nil {
		panic(err)
	}
	server.Serve(server.New(server.Options{Build: buildNative, Marker: marker}), func() {})
}

// native is a Go function as a program.
type native struct {
	inspectors.Inspector
	leaked atomic.Int64
}

func (n *native) Leaked() int { return int(n.leaked.Load()) }
func (n *native) Close()      {}

var errNative = errors.New("no such native script")

// buildNative makes the inspector that the first word of a source names.
func buildNative(d inspectors.Definition, output io.Writer) (server.Program, error) {
	words := strings.Fields(d.Script.Source)
	n := &native{}
	run := func(f func(ctx context.Context) error) (server.Program, error) {
		n.Inspector = inspectors.Func(func(ctx context.Context, r *inspectors.Report) error {
			r.Gauge("", 1)
			return f(ctx)
		})
		return n, nil
	}
	switch words[0] {
	case "ok":
		return run(func(context.Context) error { return nil })
	case "fail":
		return run(func(context.Context) error { return errors.New(strings.Join(words[1:], " ")) })
	case "panic-in-goroutine":
		return run(func(context.Context) error {
			go panic("boom in a goroutine")
			return nil
		})
	case "exit":
		return run(func(context.Context) error { os.Exit(7); return nil })
	case "exit-once": // as long as the file is there
		return run(func(context.Context) error {
			if os.Remove(words[1]) == nil {
				os.Exit(7)
			}
			return nil
		})
	case "deaf": // heeds no context
		return run(func(context.Context) error { select {} })
	case "leak": // pretends to leave so many goroutines behind
		return run(func(context.Context) error {
			leaked, err := strconv.ParseInt(words[1], 10, 64)
			n.leaked.Store(leaked)
			return err
		})
	case "sleep":
		return run(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
	case "load-exit":
		os.Exit(8)
	case "load-hangs":
		select {}
	case "load-late": // the file says for how many loads more it cannot be built in time
		if left, err := os.ReadFile(words[1]); err == nil && len(left) > 0 {
			if err := os.WriteFile(words[1], left[1:], 0o600); err != nil {
				return nil, err
			}
			return nil, fmt.Errorf("the initialisers do not end: %w", context.DeadlineExceeded)
		}
		return run(func(context.Context) error { return nil })
	case "print":
		return run(func(context.Context) error {
			fmt.Fprintln(output, "one\ntwo")
			fmt.Fprint(output, "three")
			return nil
		})
	case "pid":
		n.Inspector = inspectors.Func(func(_ context.Context, r *inspectors.Report) error {
			r.Gauge("", float64(os.Getpid()))
			return nil
		})
		return n, nil
	}
	return nil, fmt.Errorf("%w: %q", errNative, d.Script.Source)
}

// testTimeout is the timeout of a run that is not meant to reach it, and the
// processor time of one that is not meant to exceed it.
const testTimeout = 2 * time.Minute

// script is a definition of a script, with bounds that are far away.
func script(name, source string) inspectors.Definition {
	return inspectors.Definition{
		Name: name, Interval: 2 * testTimeout, Timeout: testTimeout, Budget: inspectors.Budget{CPU: testTimeout},
		Script: lowered(name, source),
	}
}

// lowered is a script with its translation, which an agent gets from its checker: a host
// that has to translate it itself weighs more.
func lowered(name, source string) *inspectors.Script {
	s := &inspectors.Script{File: name + ".go", Line: 1, Source: source}
	s.Core, _ = check.Lower(*s)
	return s
}

// fixture is a pool under test with the log that it writes.
type fixture struct {
	*plugins.Pool
	t   *testing.T
	log *logBuffer
}

// newFixture makes a pool that is closed with the test.
func newFixture(t *testing.T, o plugins.PoolOptions) *fixture {
	t.Helper()
	log := &logBuffer{}
	o.Log = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if o.Dir == "" {
		o.Dir = shortDir(t)
	}
	o.Limits = testLimits(o.Limits)
	f := &fixture{Pool: newPool(o), t: t, log: log}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		if t.Failed() {
			t.Logf("log:\n%s", log)
		}
	})
	return f
}

// newPool makes a pool that gives its processes time where the machine is busy.
func newPool(o plugins.PoolOptions) *plugins.Pool {
	pool := plugins.NewPool(o)
	pool.SetStartTime(testTimeout)
	pool.SetLoadTime(testTimeout)
	return pool
}

// testLimits lifts the limit of memory where the race detector is on: its shadow
// memory counts as data.
func testLimits(l plugins.Limits) plugins.Limits {
	if raceEnabled {
		l.DataBytes = -1
	}
	return l
}

// shortDir is a temporary folder whose path has room for a socket.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "vp")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func nativePool(t *testing.T) *fixture {
	f := newFixture(t, plugins.PoolOptions{ScriptHost: []string{os.Args[0], nativeHost}})
	f.SetRespite(0)
	return f
}

func (f *fixture) mustLoad(defs ...inspectors.Definition) {
	f.t.Helper()
	for _, d := range defs {
		if err := f.Load(f.t.Context(), d); err != nil {
			f.t.Fatalf("Load(%s): %v", d.Name, err)
		}
	}
}

// run runs one batch of the named inspectors and returns the outcomes by name.
func (f *fixture) run(timeout time.Duration, names ...string) map[string]plugins.Outcome {
	f.t.Helper()
	var jobs []plugins.Job
	for _, name := range names {
		jobs = append(jobs, plugins.Job{Name: name, Timeout: timeout})
	}
	got := make(map[string]plugins.Outcome)
	f.Run(f.t.Context(), jobs, func(o plugins.Outcome) {
		if _, twice := got[o.Name]; twice {
			f.t.Errorf("two outcomes of %s", o.Name)
		}
		got[o.Name] = o
	})
	if len(got) != len(names) {
		f.t.Errorf("%d outcomes of %d jobs: %v", len(got), len(names), got)
	}
	return got
}

// runOne runs one inspector.
func (f *fixture) runOne(name string) plugins.Outcome {
	f.t.Helper()
	return f.run(testTimeout, name)[name]
}

func (f *fixture) wantGood(got map[string]plugins.Outcome, names ...string) {
	f.t.Helper()
	for _, name := range names {
		if o := got[name]; o.Err != nil || len(o.Samples) == 0 {
			f.t.Errorf("%s: err %v, %d samples; want a good run", name, o.Err, len(o.Samples))
		}
	}
}

// wantLog wants one line of the log to hold all the parts. What happens is seen
// before it is logged, so it may not be there yet.
func (f *fixture) wantLog(parts ...string) {
	f.t.Helper()
	eventually(f.t, fmt.Sprintf("a line of the log holds %q", parts), func() bool { return f.log.line(parts...) })
}

// pid returns the one process of a kind.
func (f *fixture) pid(host string) int {
	f.t.Helper()
	var pids []int
	for _, p := range f.Processes() {
		if p.Host == host && p.PID > 0 { // 0 would mean this process and its group
			pids = append(pids, p.PID)
		}
	}
	if len(pids) != 1 {
		f.t.Fatalf("%d processes of kind %s, want 1: %v", len(pids), host, f.Processes())
	}
	return pids[0]
}

// replaced reports whether there is one process, and another than that. One that
// is being started has no number yet.
func (f *fixture) replaced(pid int) bool {
	all := f.Processes()
	return len(all) == 1 && all[0].PID > 0 && all[0].PID != pid
}

// eventually polls a condition that another process brings about.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	patience.Until(t, "it to be true that "+what, ok)
}

// logBuffer collects a log.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// line reports whether one line of the log holds all the parts.
func (b *logBuffer) line(parts ...string) bool {
next:
	for line := range strings.Lines(b.String()) {
		for _, part := range parts {
			if !strings.Contains(line, part) {
				continue next
			}
		}
		return true
	}
	return false
}
