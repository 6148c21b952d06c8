package plugins_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/plugins"
)

// hostile is a script that does its worst, and what becomes of it.
type hostile struct {
	name    string
	body    string
	want    error  // that its first outcome wraps, or nil for any other error
	say     string // what the error of its first outcome holds
	crashes bool   // whether it takes its process with it
}

func hostiles() []hostile {
	return []hostile{
		{name: "spins", body: "\tfor {\n\t}\n", want: plugins.ErrTimeout},
		{name: "panics", body: "\tpanic(\"boom\")\n", say: "boom"},
		{name: "indexes", body: "\tvar a []float64\n\treturn a[3], nil\n", say: "index out of range"},
		{
			name: "recurses", body: "\treturn down(1), nil\n}\n\nfunc down(x float64) float64 {\n\treturn down(x+1) + 1\n",
			want: plugins.ErrCrashed, say: "stack overflow", crashes: true,
		},
		{
			name: "allocates", body: "\tb := make([]byte, 1<<40)\n\treturn float64(len(b)), nil\n",
			want: plugins.ErrCrashed, say: "memory", crashes: true,
		},
		{
			name: "grows", body: "\tvar all [][]byte\n\tfor {\n\t\tall = append(all, make([]byte, 1<<24))\n\t}\n",
			want: plugins.ErrCrashed, say: "memory", crashes: true,
		},
		{name: "yields-nan", body: "\treturn math.NaN(), nil\n", say: "not a finite number"},
		{name: "never-returns", body: "\ttime.Sleep(time.Hour)\n\treturn 0, nil\n", want: plugins.ErrTimeout},
		{name: "blocks", body: "\tvar c chan float64\n\treturn <-c, nil\n", want: plugins.ErrTimeout},
	}
}

func (h hostile) source() string {
	var imports string
	for _, name := range []string{"math", "time"} {
		if strings.Contains(h.body, name+".") {
			imports += fmt.Sprintf("import %q\n", name)
		}
	}
	return "package hostile\n\n" + imports + "\nfunc Inspect() (float64, error) {\n" + h.body + "}\n"
}

// neighbours loads scripts that behave and returns their names.
func (f *fixture) neighbours() []string {
	names := []string{"alpha", "beta", "omega"}
	for _, name := range names {
		f.mustLoad(script(name, goodScript))
	}
	return names
}

// round runs the culprit beside its neighbours and returns its outcome, and how
// many of the neighbours missed a run.
func (f *fixture) round(culprit string, timeout time.Duration, neighbours []string) (plugins.Outcome, int) {
	f.t.Helper()
	jobs := []plugins.Job{{Name: neighbours[0], Timeout: testTimeout}, {Name: culprit, Timeout: timeout}}
	for _, name := range neighbours[1:] {
		jobs = append(jobs, plugins.Job{Name: name, Timeout: testTimeout})
	}
	var outcome plugins.Outcome
	outcomes, missed := 0, 0
	f.Run(f.t.Context(), jobs, func(o plugins.Outcome) {
		outcomes++
		switch {
		case o.Name == culprit:
			outcome = o
		case o.Err != nil:
			missed++
			f.t.Logf("%s missed a run beside %s: %v", o.Name, culprit, o.Err)
		}
	})
	if outcomes != len(jobs) {
		f.t.Errorf("%d outcomes of %d jobs", outcomes, len(jobs))
	}
	return outcome, missed
}

func TestHostileScripts(t *testing.T) {
	for _, h := range hostiles() {
		t.Run(h.name, func(t *testing.T) {
			if raceEnabled && h.name == "grows" {
				t.Skip("the race detector and a memory limit do not go together")
			}
			t.Parallel()
			f := newFixture(t, plugins.PoolOptions{})
			neighbours := f.neighbours()
			f.mustLoad(script(h.name, h.source()))
			timeout := testTimeout // what else ends it is far nearer
			if errors.Is(h.want, plugins.ErrTimeout) {
				timeout = 300 * time.Millisecond
			}
			first, missed := f.round(h.name, timeout, neighbours)
			h.check(t, first)
			for range 3 {
				_, more := f.round(h.name, timeout, neighbours)
				missed += more
			}
			if missed > 0 {
				t.Errorf("the neighbours missed %d runs", missed)
			}
			h.checkFate(f)
		})
	}
}

func (h hostile) check(t *testing.T, o plugins.Outcome) {
	t.Helper()
	switch {
	case o.Err == nil:
		t.Error("it had a good run")
	case h.want != nil && !errors.Is(o.Err, h.want):
		t.Errorf("error %v, want one that wraps %q", o.Err, h.want)
	case h.want == nil && (errors.Is(o.Err, plugins.ErrCrashed) || errors.Is(o.Err, plugins.ErrTimeout)):
		t.Errorf("error %v, want one of the run itself", o.Err)
	case !strings.Contains(o.Err.Error(), h.say):
		t.Errorf("error %v, want one that says %q", o.Err, h.say)
	}
}

// checkFate checks what is known of the culprit after four runs.
func (h hostile) checkFate(f *fixture) {
	f.t.Helper()
	s := f.State(h.name)
	if !h.crashes {
		if s.Crashes != 0 || s.Host != "shared" || s.Quarantined {
			f.t.Errorf("state %+v; want one that shares the host and crashed nothing", s)
		}
		return
	}
	if !s.Quarantined || s.Crashes != 2 || !strings.Contains(s.Reason, h.say) {
		f.t.Errorf("state %+v; want a quarantine after two crashes that say %q", s, h.say)
	}
	if o := f.runOne(h.name); !errors.Is(o.Err, plugins.ErrQuarantined) || !strings.Contains(o.Err.Error(), h.say) {
		f.t.Errorf("a run in quarantine: %v", o.Err)
	}
	f.wantLog("level=ERROR", "quarantined", "inspector="+h.name, h.say)
	f.mustLoad(script(h.name, goodScript)) // a new revision is a new chance
	if o := f.runOne(h.name); o.Err != nil {
		f.t.Errorf("a new revision: %v", o.Err)
	}
	if s := f.State(h.name); s.Quarantined || s.Host != "shared" || s.Crashes != 2 || s.Reason != "" {
		f.t.Errorf("state of the new revision %+v", s)
	}
}

// A goroutine that panics does so after the run that started it has ended, and
// maybe while another one runs. It is the label in the trace that tells.
func TestPanicInGoroutineBlamesTheRightOne(t *testing.T) {
	f := nativePool(t)
	f.mustLoad(script("a", "ok"), script("culprit", "panic-in-goroutine"), script("z", "ok"))
	blamed := 0
	for range 6 {
		got := f.run(testTimeout, "a", "culprit", "z")
		f.wantGood(got, "a", "z")
		if f.State("culprit").Quarantined {
			break
		}
		blamed++
	}
	if s := f.State("culprit"); !s.Quarantined || !strings.Contains(s.Reason, "boom in a goroutine") {
		t.Errorf("after %d rounds the culprit's state is %+v", blamed, s)
	}
	for _, name := range []string{"a", "z"} {
		if s := f.State(name); s != (plugins.State{Host: "shared"}) {
			t.Errorf("%s was blamed: %+v", name, s)
		}
	}
}

func TestKilledScriptHost(t *testing.T) {
	t.Parallel()
	f := nativePool(t)
	names := []string{"a", "b", "c"}
	for _, name := range names {
		f.mustLoad(script(name, "ok"))
	}
	for range 5 {
		pid := f.pid("shared")
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		f.wantGood(f.run(testTimeout, names...), names...)
		eventually(t, "another process is there", func() bool { return f.replaced(pid) })
	}
	for _, name := range names {
		if s := f.State(name); s.Crashes != 0 || s.Host != "shared" {
			t.Errorf("%s was blamed for a kill between runs: %+v", name, s)
		}
	}
	f.wantLog("level=ERROR", "no inspector is to blame", "a, b, c", "killed by signal 9")
}

// A kill in the middle of a run hits whoever runs. That one is put to the proof
// and comes back.
func TestSuspectComesBack(t *testing.T) {
	t.Parallel()
	f := nativePool(t)
	once := filepath.Join(t.TempDir(), "once")
	if err := os.WriteFile(once, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f.mustLoad(script("a", "ok"), script("culprit", "exit-once "+once))
	got := f.run(testTimeout, "a", "culprit")
	f.wantGood(got, "a")
	if err := got["culprit"].Err; !errors.Is(err, plugins.ErrCrashed) || !strings.Contains(err.Error(), "exit status 7") {
		t.Errorf("the culprit: %v", err)
	}
	if s := f.State("culprit"); s.Host != "own" || s.Crashes != 1 || s.Quarantined {
		t.Errorf("state after the crash %+v", s)
	}
	for range 10 {
		f.wantGood(f.run(testTimeout, "a", "culprit"), "a", "culprit")
	}
	eventually(t, "the suspect is back", func() bool { return f.State("culprit").Host == "shared" })
	eventually(t, "its own host is gone", func() bool { return len(f.Processes()) == 1 })
	f.wantGood(f.run(testTimeout, "a", "culprit"), "a", "culprit")
	f.wantLog("shares the script host again", "inspector=culprit")
}

func TestDeafRunsAreAnswered(t *testing.T) {
	t.Parallel()
	f := nativePool(t)
	f.mustLoad(script("a", "ok"), script("deaf", "deaf"))
	pid := f.pid("shared")
	for i := range 4 { // the first run is given up; three find it going on
		got, missed := f.round("deaf", 50*time.Millisecond, []string{"a"})
		if !errors.Is(got.Err, plugins.ErrTimeout) || missed != 0 {
			t.Errorf("round %d: %v, %d missed", i, got.Err, missed)
		}
	}
	eventually(t, "the process that cannot be freed is replaced", func() bool {
		return f.replaced(pid)
	})
	f.wantGood(f.run(testTimeout, "a"), "a")
	if s := f.State("deaf"); s.Crashes != 0 || s.Host != "shared" {
		t.Errorf("state %+v", s)
	}
	f.wantLog("replacing a process", "a run of deaf does not end")
}

func TestLeakingHostIsReplaced(t *testing.T) {
	f := nativePool(t)
	f.mustLoad(script("a", "ok"), script("leaky", "leak 51"))
	pid := f.pid("shared")
	f.wantGood(f.run(testTimeout, "a", "leaky"), "a", "leaky")
	eventually(t, "the leaking process is replaced", func() bool {
		f.wantGood(f.run(testTimeout, "a"), "a") // without a gap
		return f.replaced(pid)
	})
}

func TestWedgedHostIsKilled(t *testing.T) {
	t.Parallel()
	f := nativePool(t)
	f.SetStandstill(time.Second)
	f.mustLoad(script("a", "ok"))
	pid := f.pid("shared")
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it stands still", func() bool { return stopped(t, pid) })
	got := f.run(100*time.Millisecond, "a")
	if err := got["a"].Err; err == nil {
		t.Error("a stopped process gave a good run")
	}
	f.wantGood(f.run(testTimeout, "a"), "a")
	if f.pid("shared") == pid {
		t.Error("the stopped process is still there")
	}
	f.wantLog("no answer", "a (timeout 100ms)")
}

// stopped reports whether every thread of a process is stopped.
func stopped(t *testing.T, pid int) bool {
	t.Helper()
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	if err != nil || len(threads) == 0 {
		t.Fatalf("process %d has no threads: %v", pid, err)
	}
	for _, thread := range threads {
		stat, err := os.ReadFile(thread)
		if _, state, _ := strings.Cut(string(stat), ") "); err != nil || !strings.HasPrefix(state, "T") {
			return false
		}
	}
	return true
}

func TestCrashWhileLoading(t *testing.T) {
	f := nativePool(t)
	f.mustLoad(script("a", "ok"), script("b", "ok"))
	err := f.Load(t.Context(), script("b", "load-exit"))
	if !errors.Is(err, plugins.ErrCrashed) || !strings.Contains(err.Error(), `"b"`) || !strings.Contains(err.Error(), "exit status 8") {
		t.Errorf("Load: %v", err)
	}
	f.wantGood(f.run(testTimeout, "a", "b"), "a", "b") // the old b goes on
	if s := f.State("b"); s.Crashes != 0 || s.Host != "shared" {
		t.Errorf("the old revision was blamed: %+v", s)
	}
	f.wantLog("level=ERROR", "while it was loaded", "inspector=b", "exit status 8")
}

func TestOutput(t *testing.T) {
	lines := make(chan string, 10)
	f := newFixture(t, plugins.PoolOptions{
		ScriptHost: []string{os.Args[0], nativeHost},
		Output:     func(inspector, line string) { lines <- inspector + ": " + line },
	})
	f.mustLoad(script("talker", "print"))
	f.runOne("talker")
	for _, want := range []string{"talker: one", "talker: two", "talker: three"} {
		if got := patience.Receive(t, "a line of output", lines); got != want {
			t.Errorf("line %q, want %q", got, want)
		}
	}
}
