package plugins_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/plugins"
)

// programs are shell scripts in a folder that everybody may read.
type programs struct {
	t   *testing.T
	dir string
}

func newPrograms(t *testing.T) *programs {
	t.Helper()
	p := &programs{t: t, dir: shortDir(t)}
	if err := os.Chmod(p.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return p
}

// write makes a program, and returns its path.
func (p *programs) write(name, text string) string {
	p.t.Helper()
	path := filepath.Join(p.dir, name)
	// A test beside this one may start a process now; were the file open for writing
	// in it for a moment, the file could not be run.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o755); err != nil {
		p.t.Fatal(err)
	}
	return path
}

// allowing makes a pool whose policy names paths.
func allowing(t *testing.T, paths ...string) *fixture {
	t.Helper()
	return newFixture(t, plugins.PoolOptions{Policy: inspectors.Policy{Programs: paths}})
}

// executing is a script that runs a program, prints what it writes, and yields
// how long that is.
func executing(name, program string, args ...string) inspectors.Definition {
	var quoted strings.Builder
	for _, arg := range args {
		fmt.Fprintf(&quoted, ", %q", arg)
	}
	return needing(name, "//vedette:needs exec:"+program, fmt.Sprintf(
		"out, err := inspectors.Exec(ctx, %q%s)\nfmt.Print(string(out))\nif err != nil {\n\treturn 0, err\n}\nreturn float64(len(out)), nil\n", program,
		quoted.String()))
}

func TestProgramsCountAsTheRun(t *testing.T) {
	t.Parallel()
	p := newPrograms(t)
	busy := p.write("busy", "i=0\nwhile [ $i -lt 300000 ]; do i=$((i+1)); done\ncat /proc/$$/stat\n")
	f := allowing(t, busy)
	// It yields the time that the program saw, in hundredths of a second.
	d := needing("busy", "//vedette:needs exec:"+busy, fmt.Sprintf(`out, err := inspectors.Exec(ctx, %q)
if err != nil {
	return 0, err
}
stat := string(out)
return strconv.ParseFloat(strings.Fields(stat[strings.LastIndex(stat, ")")+1:])[11], 64)
`, busy))
	const longest = 5 * testTimeout // programs yield to all else
	d.Interval, d.Timeout, d.Budget.CPU = longest, longest, longest
	f.mustLoad(d)
	o := f.run(longest, "busy")["busy"]
	if o.Err != nil || o.Samples[0].Value < 5 || o.CPU.Seconds()+0.01 < o.Samples[0].Value/100 {
		t.Fatalf("%v: a program took %v hundredths of a second, and its run %v", o.Err, o.Samples, o.CPU)
	}
	d.Budget.CPU = inspectors.MinCPUBudget
	f.mustLoad(d)
	if o := f.run(longest, "busy")["busy"]; !errors.Is(o.Err, plugins.ErrBudget) || !strings.Contains(o.Err.Error(), "cpu ") {
		t.Errorf("with a budget of %v: %v, cpu %v", d.Budget.CPU, o.Err, o.CPU)
	}
}

// wantError wants a run to end in an error with all of some words.
func (f *fixture) wantError(o plugins.Outcome, words ...string) {
	f.t.Helper()
	for _, word := range words {
		if o.Err == nil || !strings.Contains(o.Err.Error(), word) {
			f.t.Errorf("%s ended in %v, want words like %q", o.Name, o.Err, word)
		}
	}
}

func TestScriptRunsAProgram(t *testing.T) {
	t.Parallel()
	p := newPrograms(t)
	hello := p.write("hello", `printf 'hello %s|%s' "$1" "$2"`)
	f := allowing(t, hello)
	f.mustLoad(executing("hello", hello, "a b", "$(id)"))
	for range 3 {
		if o := f.runOne("hello"); o.Err != nil || o.Samples[0].Value != float64(len("hello a b|$(id)")) {
			t.Fatalf("%v, %v", o.Samples, o.Err)
		}
	}
	if s := f.State("hello"); s.Host != "shared" || s.Crashes > 0 {
		t.Errorf("its state is %+v", s)
	}
}

// A program gets no input, a bare environment and a separate user without rights; none of
// the agent's open files, nothing to write to, nobody to signal.
func TestWhatAProgramHas(t *testing.T) {
	t.Parallel()
	p := newPrograms(t)
	private := filepath.Join(p.dir, "private")
	token := filepath.Join(private, "token")
	target := filepath.Join(p.dir, "target")
	for _, err := range []error{
		os.Mkdir(private, 0o755), os.WriteFile(token, []byte("secret"), 0o644), os.WriteFile(target, []byte("x"), 0o666), os.Chmod(target, 0o666),
		os.Chmod(p.dir, 0o777),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	probe := p.write("probe", fmt.Sprintf(`
echo "input=$(cat)"
echo "env=$(env | grep -v -e ^PWD= -e ^SHLVL= -e ^_= -e ^OLDPWD= | sort | tr '\n' ' ')"
echo "user=$(id -u) groups=$(id -G)"
echo "rights=$(grep -h -e CapEff -e NoNewPrivs /proc/self/status | tr -d '\t' | tr '\n' ' ')"
echo "files=$(ls /proc/self/fd | grep -v '^10$' | tr '\n' ' ')" # 10 is the shell's
echo "folder=$(pwd)"
echo "nice=$(nice) core=$(ulimit -c)"
cat %[1]s >/dev/null 2>&1 && echo "token=read"
( echo y >%[2]s ) 2>/dev/null && echo "file=changed"
( echo y >%[3]s/new ) 2>/dev/null && echo "file=made"
( echo y >/tmp/vedette-made ) 2>/dev/null && echo "tmp=made"
kill -0 %[4]d 2>/dev/null && echo "agent=signalled"
kill -0 $PPID 2>/dev/null && echo "keeper=signalled"
cat /proc/%[4]d/environ >/dev/null 2>&1 && echo "environment=read"
true
`, token, target, p.dir, os.Getpid()))
	var said bytes.Buffer
	f := newFixture(t, plugins.PoolOptions{
		Policy: inspectors.Policy{Programs: []string{probe}}, Sandbox: plugins.Sandbox{Private: []string{private}},
		Output: func(_, line string) { fmt.Fprintln(&said, line) },
	})
	f.mustLoad(executing("probe", probe))
	f.wantGood(f.run(testTimeout, "probe"), "probe")
	user, rights := strconv.Itoa(os.Geteuid()), "CapEff:0000000000000000 NoNewPrivs:1 "
	if os.Geteuid() == 0 {
		user = strconv.Itoa(plugins.DefaultScriptUser)
	}
	want := strings.Join([]string{
		"input=", "env=LANG=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin ",
		"user=" + user + " groups=" + user, "rights=" + rights, "files=0 1 2 3 ", "folder=/", "nice=10 core=0", "",
	}, "\n")
	if said.String() != want {
		t.Errorf("it says\n%s\nwant\n%s", said.String(), want)
	}
}

func TestProgramsHaveToBeNamed(t *testing.T) {
	t.Parallel()
	p := newPrograms(t)
	listed, other := p.write("listed", "echo listed"), p.write("other", "echo other")
	link := filepath.Join(p.dir, "link")
	if err := os.Symlink(listed, link); err != nil {
		t.Fatal(err)
	}
	f := allowing(t, listed)
	for _, pushed := range []bool{false, true} {
		for _, path := range []string{other, link} {
			d := executing("refused", path)
			d.Pushed = pushed
			if err := f.Load(t.Context(), d); !errors.Is(err, inspectors.ErrPolicy) || !strings.Contains(err.Error(), "agent.policy.exec") {
				t.Errorf("%s, pushed %t: %v", path, pushed, err)
			}
		}
		good := executing("good", listed)
		good.Pushed = pushed
		f.mustLoad(good)
		f.wantGood(f.run(testTimeout, "good"), "good")
	}
	// Named by the policy, but not by this script.
	d := executing("sly", listed)
	d.Script = lowered(d.Name, strings.Replace(d.Script.Source, strconv.Quote(listed), strconv.Quote(other), 1))
	f.mustLoad(d)
	f.wantError(f.runOne("sly"), "does not say //vedette:needs exec:"+other)
	if err := newFixture(t, plugins.PoolOptions{}).Load(t.Context(), executing("without", listed)); !errors.Is(err, inspectors.ErrPolicy) {
		t.Errorf("without a policy: %v", err)
	}
	var faults inspectors.Diagnostics
	none := needing("none", "//vedette:needs net", `out, err := inspectors.Exec(ctx, "/bin/true")
return float64(len(out)), err
`)
	if err := f.Load(t.Context(), none); !errors.As(err, &faults) || !strings.Contains(err.Error(), "net exec:/path/of/the/program") {
		t.Errorf("without a need: %v", err)
	}
}

func TestHowProgramsEnd(t *testing.T) {
	t.Parallel()
	p := newPrograms(t)
	paths := map[string]string{
		"status":  p.write("status", "echo out; echo first >&2; echo it is broken >&2; exit 3"),
		"signal":  p.write("signal", "kill -9 $$"),
		"huge":    p.write("huge", "exec yes"),
		"full":    p.write("full", "exec head -c 1048576 /dev/zero"),
		"more":    p.write("more", "exec head -c 1048577 /dev/zero"),
		"missing": filepath.Join(p.dir, "missing"),
	}
	plain := filepath.Join(p.dir, "plain")
	if err := os.WriteFile(plain, []byte("no program"), 0o644); err != nil {
		t.Fatal(err)
	}
	paths["plain"] = plain
	var all []string
	for _, path := range paths {
		all = append(all, path)
	}
	f := allowing(t, all...)
	for name, words := range map[string]string{
		"status":  `"` + paths["status"] + `" ended with exit status 3: it is broken`,
		"signal":  "ended with signal 9 (killed)",
		"huge":    "it wrote more than 1048576 bytes",
		"more":    "it wrote more than 1048576 bytes",
		"missing": "no such file or directory",
		"plain":   "permission denied",
	} {
		f.mustLoad(executing(name, paths[name]))
		f.wantError(f.runOne(name), words)
	}
	full := needing("full", "//vedette:needs exec:"+paths["full"],
		fmt.Sprintf("out, err := inspectors.Exec(ctx, %q)\nreturn float64(len(out)), err\n", paths["full"]))
	status := needing("code", "//vedette:needs exec:"+paths["status"], fmt.Sprintf(`out, err := inspectors.Exec(ctx, %q)
var exit *inspectors.ExitError
if errors.As(err, &exit) && string(out) == "out\n" && strings.HasSuffix(exit.Stderr, "broken\n") {
	return float64(exit.Code), nil
}
return 0, err
`, paths["status"]))
	f.mustLoad(full, status)
	if o := f.runOne("full"); o.Err != nil || o.Samples[0].Value != 1<<20 {
		t.Errorf("%v, %v", o.Samples, o.Err)
	}
	if o := f.runOne("code"); o.Err != nil || o.Samples[0].Value != 3 {
		t.Errorf("%v, %v", o.Samples, o.Err)
	}
}

// withMark counts the processes that have a word on their command line.
func withMark(t *testing.T, word string) int {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil && bytes.Contains(text, []byte(word)) && !strings.HasPrefix(file, fmt.Sprintf("/proc/%d/", os.Getpid())) {
			n++
		}
	}
	return n
}

// A program that does not end is ended with the run, and with it what it has
// started, in whatever group and session.
func TestNoProgramOutlivesItsRun(t *testing.T) {
	t.Parallel()
	p := newPrograms(t)
	number := 100_000 + os.Getpid() // that nobody else sleeps for
	mark := strconv.Itoa(number)
	spawn := fmt.Sprintf("sleep %[1]s &\nsetsid sh -c 'setsid sleep %[1]s & exec sleep %[1]s' &\n", mark)
	forever := p.write("forever", spawn+"trap '' TERM\nsleep "+mark)
	leaves := p.write("leaves", spawn+"while [ $(cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' | grep -c 'sleep "+mark+"') -lt 1 ]; do :; done; echo done")
	f := allowing(t, forever, leaves)
	f.mustLoad(executing("forever", forever), executing("leaves", leaves), executing("killed", forever))

	o := f.run(700*time.Millisecond, "forever")["forever"]
	if !errors.Is(o.Err, plugins.ErrTimeout) {
		t.Errorf("it ended in %v", o.Err)
	}
	eventually(t, "nothing is left of it", func() bool { return withMark(t, mark) == 0 })

	if o := f.runOne("leaves"); o.Err != nil || o.Samples[0].Value != 5 {
		t.Errorf("%v, %v", o.Samples, o.Err)
	}
	if n := withMark(t, mark); n > 0 {
		t.Errorf("%d processes are left when the run is over", n)
	}

	// The script host dies in the middle.
	done := make(chan map[string]plugins.Outcome, 1)
	go func() { done <- f.run(testTimeout, "killed") }()
	eventually(t, "it runs", func() bool { return withMark(t, mark) > 0 })
	_ = f.Close()
	patience.Receive(t, "the end of a run whose pool is closed", done)
	if n := withMark(t, mark); n > 0 {
		t.Errorf("%d processes are left when the pool is closed", n)
	}
}

// A script that runs programs holds up nobody, and closes nothing of others.
func TestProgramsBesideOthers(t *testing.T) {
	t.Parallel()
	p := newPrograms(t)
	slow, quick := p.write("slow", "exec sleep 100"), p.write("quick", "echo 1")
	f := allowing(t, slow, quick)
	var names []string
	for i := range 8 {
		d := executing(fmt.Sprintf("slow-%d", i), slow)
		d.Script = lowered(d.Name, strings.Replace(d.Script.Source, "exec:"+slow, "exec:"+slow+" exec:"+quick, 1))
		f.mustLoad(d)
		names = append(names, d.Name)
	}
	f.mustLoad(executing("quick", quick), script("good", goodScript))
	got := f.run(700*time.Millisecond, append(names, "good")...)
	for _, name := range names {
		if !errors.Is(got[name].Err, plugins.ErrTimeout) {
			t.Errorf("%s ended in %v", name, got[name].Err)
		}
	}
	f.wantGood(got, "good")
	f.wantGood(f.run(testTimeout, "quick", "good"), "quick", "good")
}

// A script host that is killed takes the programs with it that it has asked for.
func TestProgramsEndWithTheirScriptHost(t *testing.T) {
	t.Parallel()
	p := newPrograms(t)
	mark := strconv.Itoa(200_000 + os.Getpid())
	f := allowing(t, p.write("forever", "sleep "+mark+" &\nsleep "+mark))
	f.mustLoad(executing("forever", filepath.Join(p.dir, "forever")))
	done := make(chan plugins.Outcome, 1)
	go func() { done <- f.run(testTimeout, "forever")["forever"] }()
	host := 0
	for range 2 { // nobody is to blame for the first kill, so it is run once more
		eventually(t, "it runs", func() bool { return f.replaced(host) && withMark(t, mark) > 0 })
		host = f.pid("shared")
		_ = syscall.Kill(host, syscall.SIGKILL)
	}
	patience.Receive(t, "the end of a run whose process is killed", done)
	eventually(t, "nothing is left", func() bool { return withMark(t, mark) == 0 })
}

// executorLike is an agent that runs a program until it is killed.
const executorLike = "executor-like"

func beExecutor() {
	program := os.Args[2]
	pool := newPool(plugins.PoolOptions{Limits: testLimits(plugins.Limits{}), Policy: inspectors.Policy{Programs: []string{program}}})
	if err := pool.Load(context.Background(), executing("forever", program)); err != nil {
		panic(err)
	}
	pool.Run(context.Background(), []plugins.Job{{Name: "forever", Timeout: time.Hour}}, func(plugins.Outcome) {})
}

// An agent that is killed takes the programs with it, and what they have started.
func TestNoProgramOutlivesItsAgent(t *testing.T) {
	t.Parallel()
	p := newPrograms(t)
	mark := strconv.Itoa(300_000 + os.Getpid())
	forever := p.write("forever", fmt.Sprintf("sleep %[1]s &\nsetsid sh -c 'setsid sleep %[1]s & exec sleep %[1]s' &\nsleep %[1]s", mark))
	agent := exec.CommandContext(t.Context(), os.Args[0], executorLike, forever)
	agent.Env = append(os.Environ(), "TMPDIR="+shortDir(t))
	agent.Stderr = os.Stderr
	if err := agent.Start(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "all of it runs", func() bool { return withMark(t, mark) >= 4 })
	if err := agent.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = agent.Wait()
	eventually(t, "nothing is left", func() bool { return withMark(t, mark) == 0 })
}

// A directive for a later version is no fault of the script that has it.
func TestDirectiveForOthersIsPassedOver(t *testing.T) {
	t.Parallel()
	f := newFixture(t, plugins.PoolOptions{})
	f.mustLoad(script("later", "//vedette:x-colour blue\nreturn 1, nil\n"))
	f.wantGood(f.run(testTimeout, "later"), "later")
	f.wantLog("inspector=later", "//vedette:x-colour is not known here, and is ignored")
}
