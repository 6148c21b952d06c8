//go:build linux

package plugins_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vedettehq/vedette/plugins"
)

// resident is the memory of a process that is its own, in bytes.
func resident(t *testing.T, pid int) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(text))
	all, err1 := strconv.Atoi(fields[1])
	shared, err2 := strconv.Atoi(fields[2])
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	return (all - shared) * os.Getpagesize()
}

// Ten thousand new revisions of one script leave no more behind than the first
// thousands did.
func TestRepushesKeepMemoryFlat(t *testing.T) {
	pushes := 10_000
	switch {
	case testing.Short():
		t.Skip("takes a while")
	case raceEnabled:
		pushes = 500
	}
	f := newFixture(t, plugins.PoolOptions{State: t.TempDir()})
	f.mustLoad(script("stays", goodScript))
	pid := f.pid("shared")
	var child, agent []int
	for i := range pushes {
		source := strings.Replace(goodScript, "var n float64", fmt.Sprintf("var n float64 = %d", i), 1)
		f.mustLoad(script("changes", source))
		if i%10 == 0 {
			f.wantGood(f.run(testTimeout, "changes", "stays"), "changes", "stays")
		}
		if (i+1)%(pushes/10) == 0 {
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			child, agent = append(child, resident(t, pid)>>10), append(agent, int(m.HeapAlloc>>10))
		}
	}
	t.Logf("KiB after each tenth of %d: script host %v, heap of the agent %v", pushes, child, agent)
	if now := f.pid("shared"); now != pid {
		t.Errorf("the script host was replaced")
	}
	const most = 16 << 10 // KiB
	if grown := child[9] - child[2]; grown > most {
		t.Errorf("the script host grew by %d KiB", grown)
	}
	if grown := agent[9] - agent[2]; grown > most/4 {
		t.Errorf("the agent grew by %d KiB", grown)
	}
}

// An agent that is killed, at whatever moment, leaves no child behind, and the
// next one cleans up what it left on the disk.
func TestKilledAgentsLeaveNothing(t *testing.T) {
	t.Parallel()
	kills := 100
	switch {
	case testing.Short():
		t.Skip("takes a while")
	case raceEnabled:
		kills = 15
	}
	dir, state, seen := shortDir(t), t.TempDir(), 0
	for i := range kills {
		agent := exec.CommandContext(t.Context(), os.Args[0], agentLike, dir, state)
		out, err := agent.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := agent.Start(); err != nil {
			t.Fatal(err)
		}
		moment := time.NewTimer(rand.N(150 * time.Millisecond))
		if i%4 == 0 { // once it is all there
			firstLine(t, out)
		} else {
			<-moment.C
		}
		moment.Stop()
		// Stopped, it makes no more children while they are counted.
		if err := agent.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		children := childrenOf(agent.Process.Pid)
		if seen += len(children); i%4 == 0 && len(children) < 2 {
			t.Errorf("%d children of an agent that has started", len(children))
		}
		if err := agent.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = agent.Wait()
		for _, pid := range children {
			eventually(t, fmt.Sprintf("child %d is gone", pid), func() bool { return !alive(pid) })
		}
	}
	t.Logf("%d agents were killed, with %d children", kills, seen)
	f := newFixture(t, plugins.PoolOptions{Dir: dir})
	f.mustLoad(script("good", goodScript))
	f.wantGood(f.run(testTimeout, "good"), "good")
	if runs, _ := filepath.Glob(filepath.Join(dir, "run-*")); len(runs) != 1 {
		t.Errorf("%d folders of sockets are left, want that of the pool alone: %v", len(runs), runs)
	}
}

// childrenOf lists the children of a process.
func childrenOf(parent int) []int {
	var found []int
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		_, rest, _ := strings.Cut(string(text), ") ")
		fields := strings.Fields(rest) // state, parent, …
		if len(fields) < 2 || fields[1] != strconv.Itoa(parent) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file))); err == nil {
			found = append(found, pid)
		}
	}
	return found
}
