package plugins_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/plugins"
)

// beAgent holds a pool as an agent does, until it is killed: it tells the
// numbers of its children, and what is in its folder of sockets.
func beAgent() {
	dir := os.Args[2]
	options := plugins.PoolOptions{Dir: dir, Limits: testLimits(plugins.Limits{})}
	if len(os.Args) > 3 {
		options.State = os.Args[3]
	}
	pool := newPool(options)
	for _, d := range append(agentScripts(), external("ok", "ok")) {
		if err := pool.Load(context.Background(), d); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	go pool.Run(context.Background(), []plugins.Job{{Name: "spin", Timeout: time.Hour}}, func(plugins.Outcome) {})
	pool.Run(context.Background(), []plugins.Job{{Name: "good", Timeout: time.Minute}}, func(plugins.Outcome) {})
	text, err := json.Marshal(pool.Processes())
	if err != nil {
		panic(err)
	}
	fmt.Println(string(text))
	select {}
}

// agentScripts are the scripts of what beAgent makes; spin never ends.
func agentScripts() []inspectors.Definition {
	spin := script("spin", hostiles()[0].source())
	spin.Timeout, spin.Interval, spin.Budget.CPU = time.Hour, 2*time.Hour, time.Hour
	return []inspectors.Definition{script("good", goodScript), spin}
}

// external is a definition of an inspector in the test binary as a plugin, with
// arguments that say how it behaves.
func external(name string, args ...string) inspectors.Definition {
	exe, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return inspectors.Definition{
		Name: name, Interval: 2 * testTimeout, Timeout: testTimeout, Budget: inspectors.Budget{CPU: testTimeout},
		Plugin: &inspectors.Plugin{Path: exe, Args: append([]string{pluginLike}, args...)},
	}
}

// alive reports whether a process runs; a zombie does not.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(rest, "Z") && !strings.HasPrefix(rest, "X")
}

// firstLine is what an agent tells once it has started.
func firstLine(t *testing.T, out io.Reader) []byte {
	t.Helper()
	type read struct {
		line []byte
		err  error
	}
	came := make(chan read, 1)
	go func() {
		line, err := bufio.NewReader(out).ReadBytes('\n')
		came <- read{line, err}
	}()
	got := patience.Receive(t, "the agent to start", came)
	if got.err != nil {
		t.Fatalf("the agent ended without a word: %v", got.err)
	}
	return got.line
}

func TestNoChildOutlivesItsAgent(t *testing.T) {
	t.Parallel()
	dir := shortDir(t)
	agent := exec.CommandContext(t.Context(), os.Args[0], agentLike, dir)
	agent.Stderr = os.Stderr
	out, err := agent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := agent.Start(); err != nil {
		t.Fatal(err)
	}
	line := firstLine(t, out)
	var children []plugins.Process
	if err := json.Unmarshal(line, &children); err != nil || len(children) != 2 {
		t.Fatalf("the agent tells of %d children, want a script host and a plugin: %s, %v", len(children), line, err)
	}
	for _, c := range children {
		if !alive(c.PID) {
			t.Errorf("%+v is not alive while its agent is", c)
		}
	}
	if err := agent.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = agent.Wait()
	for _, c := range children {
		eventually(t, fmt.Sprintf("%+v is gone with its agent", c), func() bool { return !alive(c.PID) })
	}

	sockets, err := filepath.Glob(filepath.Join(dir, "run-*", "*", "plugin*"))
	if err != nil || len(sockets) == 0 {
		t.Fatalf("a killed agent leaves its sockets, or this test proves nothing: %v, %v", sockets, err)
	}
	f := newFixture(t, plugins.PoolOptions{Dir: dir})
	f.mustLoad(script("good", goodScript))
	for _, s := range sockets {
		if _, err := os.Lstat(s); err == nil {
			t.Errorf("the stale socket %s is still there", s)
		}
	}
	f.wantGood(f.run(testTimeout, "good"), "good")
}

// Two agents of one machine share a folder and do not clean each other's.
func TestPoolsShareAFolder(t *testing.T) {
	t.Parallel()
	dir := shortDir(t)
	one := newFixture(t, plugins.PoolOptions{Dir: dir})
	one.mustLoad(script("good", goodScript))
	two := newFixture(t, plugins.PoolOptions{Dir: dir})
	two.mustLoad(script("good", goodScript))
	one.wantGood(one.run(testTimeout, "good"), "good")
	if err := two.Close(); err != nil {
		t.Fatal(err)
	}
	one.wantGood(one.run(testTimeout, "good"), "good")
	one.mustLoad(external("ok", "ok"))
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder of sockets: %v, %v", info.Mode(), err)
	}
	if err := one.Close(); err != nil {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "run-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestLongFolder(t *testing.T) {
	f := newFixture(t, plugins.PoolOptions{Dir: filepath.Join(shortDir(t), strings.Repeat("long", 30))})
	f.mustLoad(script("good", goodScript))
	f.wantGood(f.run(testTimeout, "good"), "good")
}
