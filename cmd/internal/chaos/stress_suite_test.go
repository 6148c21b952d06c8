//go:build linux

package chaos

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// trouble does something bad to processes for a while. It returns a function that ends it.
type trouble func(s *stress, pids func() []int) (end func())

// victims are the processes that something bad may happen to.
func (s *stress) victims() map[string]func() []int {
	return map[string]func() []int{
		"agent":        func() []int { return []int{s.agent.cmd.Process.Pid} },
		"script hosts": s.scriptHosts,
		"master":       func() []int { return []int{s.master.cmd.Process.Pid} },
	}
}

// TestStress does each of the bad things to the processes, while they run and while they
// start. Afterwards everything runs, no inspector is blamed, and no measured sample is
// lost. Each run does another two of them. If STRESS_SECONDS says how long each must last,
// it does all of them, also to each of the processes alone; see make chaos.
func TestStress(t *testing.T) {
	t.Parallel()
	left := inTurn(2)
	for name, c := range map[string]struct {
		bad     trouble
		seconds int
	}{
		"stopped":            {stopAll, 12},
		"starved":            {starveAll, 8},
		"out of descriptors": {noDescriptors, 5},
		"out of memory":      {killAll, 5},
		"slow disk":          {slowDisk, 5},
	} {
		bad := c.bad
		t.Run(name, func(t *testing.T) {
			left(t)
			t.Parallel()
			s := newStress(t, c.seconds)
			if os.Getenv("STRESS_SECONDS") != "" {
				for who, pids := range s.victims() {
					s.suffer(name+", "+who, bad, pids)
				}
			}
			s.suffer(name+", everybody", bad, func() []int {
				var all []int
				for _, pids := range s.victims() {
					all = append(all, pids()...)
				}
				return all
			})
			s.agent.kill() // and again, with the trouble there at the start
			end := bad(s, func() []int { return append([]int{s.master.cmd.Process.Pid}, s.scriptHosts()...) })
			s.startAgent()
			pauseFor(s.during / 2)
			end()
			s.wantWell(name + ", at the start")
			s.wantNothingLost()
			s.wantEverySample()
		})
	}
}

// inTurn returns a function that skips a test after the given number of calls, unless
// STRESS_SECONDS asks for all of them. The caller ranges over a map, whose order differs
// each time.
func inTurn(most int) func(*testing.T) {
	return func(t *testing.T) {
		t.Helper()
		if most--; most < 0 && os.Getenv("STRESS_SECONDS") == "" {
			t.Skip("make chaos does all of its kind; this run did others")
		}
	}
}

// suffer lets something bad happen for a while, and then requires that everything recovers.
func (s *stress) suffer(what string, bad trouble, pids func() []int) {
	s.Helper()
	end := bad(s, pids)
	pauseFor(s.during)
	end()
	began := time.Now()
	s.wantWell(what)
	s.Logf("%s: all is well, and has been measured again, %v later", what, time.Since(began).Round(time.Second))
}

// pauseFor lets time pass, because that is what the test is about.
func pauseFor(d time.Duration) {
	timer := time.NewTimer(d)
	<-timer.C
}

// wantNothingLost checks that nothing is queued, and that the agent dropped only what it
// had in memory when it was killed, and has reported that.
func (s *stress) wantNothingLost() {
	s.Helper()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		host, _ := s.box()
		if a := host.Agent; a != nil && a.SamplesDropped > s.lostByKills() {
			s.Fatalf("%d samples were dropped, %d of them by kills", a.SamplesDropped, s.lostByKills())
		} else if a != nil && a.ReportsQueued < 10 {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			s.Fatalf("reports still wait: %+v", host.Agent)
		}
	}
}

// killLoss matches the line in which an agent reports at its start what its last end has
// cost.
var killLoss = regexp.MustCompile(`samples that it had in memory are lost".* samples_dropped=(\d+)`)

// lostByKills is the number of samples that the agent reported as lost from memory when it
// was killed. It is never more than a report or two.
func (s *stress) lostByKills() (sum uint64) {
	s.Helper()
	text, err := os.ReadFile(filepath.Join(s.folder, "agent.log"))
	if err != nil {
		s.Fatal(err)
	}
	for _, found := range killLoss.FindAllSubmatch(text, -1) {
		n, err := strconv.ParseUint(string(found[1]), 10, 64)
		if err != nil || n > 1000 {
			s.Fatalf("a kill has cost %s samples", found[1])
		}
		sum += n
	}
	return sum
}

// stopAll stops the processes.
func stopAll(_ *stress, pids func() []int) func() {
	stopped := pids()
	for _, pid := range stopped {
		_ = syscall.Kill(pid, syscall.SIGSTOP)
	}
	return func() {
		for _, pid := range stopped {
			_ = syscall.Kill(pid, syscall.SIGCONT)
		}
	}
}

// starveAll lets the processes run for 4 ms in each second.
func starveAll(s *stress, pids func() []int) func() {
	d := newDuty(s.TB.(*testing.T))
	d.take(pids())
	return d.free
}

// noDescriptors leaves the processes no free file descriptors.
func noDescriptors(s *stress, pids func() []int) func() {
	before := make(map[int]unix.Rlimit)
	for _, pid := range pids() {
		files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
		if err != nil {
			continue // the process has ended
		}
		var old unix.Rlimit
		most := unix.Rlimit{Cur: uint64(len(files))}
		if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, nil, &old); err != nil {
			s.Logf("process %d, of another user, keeps its limit: %v", pid, err)
			continue
		}
		before[pid], most.Max = old, old.Max
		if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, &most, nil); err != nil {
			s.Logf("process %d, of another user, keeps its limit: %v", pid, err)
			delete(before, pid)
		}
	}
	return func() {
		for pid, old := range before {
			_ = unix.Prlimit(pid, unix.RLIMIT_NOFILE, &old, nil)
		}
	}
}

// killAll kills the processes as the kernel does when memory runs out: in a control group
// if the system has one, and directly otherwise. Processes that the agent does not start
// again are started again here.
func killAll(s *stress, pids func() []int) func() {
	victims, end := pids(), func() {}
	if group := newMemory(s); group != "" {
		end = s.squeeze(group, victims)
	}
	return func() {
		for _, pid := range victims { // which the kernel has spared
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		end()
		s.startAgain()
	}
}

// startAgain starts the master and the agent if they were killed.
func (s *stress) startAgain() {
	if killed(s.master) {
		s.startMaster()
	}
	if killed(s.agent) {
		s.startAgent()
	}
}

// killed reports whether a process has ended, or is about to end after a kill.
func killed(p *chaosProcess) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	pending := false
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		pending = pending || name == "State" && (value[0] == 'Z' || value[0] == 'X')
		if set, err := strconv.ParseUint(value, 16, 64); err == nil && (name == "ShdPnd" || name == "SigPnd") {
			pending = pending || set&(1<<(uint(syscall.SIGKILL)-1)) != 0
		}
	}
	if err == nil && len(text) > 0 && !pending {
		return false
	}
	p.done.Wait()
	return true
}

// newMemory makes a control group for memory, or returns "".
func newMemory(s *stress) string {
	folder := filepath.Join("/sys/fs/cgroup/memory", fmt.Sprintf("vedette-test-%d-%d", os.Getpid(), time.Now().UnixNano()))
	if os.Mkdir(folder, 0o755) != nil {
		return ""
	}
	if os.WriteFile(filepath.Join(folder, "memory.limit_in_bytes"), []byte("8M"), 0) != nil {
		_ = os.Remove(folder)
		return ""
	}
	s.Cleanup(func() { _ = os.Remove(folder) })
	// Memory that a process already holds counts only after it is in the group.
	_ = os.WriteFile(filepath.Join(folder, "memory.move_charge_at_immigrate"), []byte("1"), 0)
	return folder
}

// squeeze moves processes into a group in which they have too little memory.
func (s *stress) squeeze(folder string, pids []int) func() {
	homes := make(map[int]string)
	for _, pid := range pids {
		homes[pid] = "/sys/fs/cgroup/memory" + memoryGroup(pid)
		_ = os.WriteFile(filepath.Join(folder, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0)
	}
	return func() {
		for pid, home := range homes {
			_ = os.WriteFile(filepath.Join(home, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0)
		}
		for _, pid := range s.scriptHosts() { // started in the group
			_ = os.WriteFile("/sys/fs/cgroup/memory/cgroup.procs", []byte(strconv.Itoa(pid)), 0)
		}
	}
}

// memoryGroup is the path of a process's control group for memory.
func memoryGroup(pid int) string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.SplitN(strings.TrimSpace(line), ":", 3); len(fields) == 3 && fields[1] == "memory" {
			return fields[2]
		}
	}
	return ""
}

// slowDisk keeps the disk under the data of both busy: other processes write and sync all
// the time, so each write has to wait.
func slowDisk(s *stress, _ func() []int) func() {
	end := make(chan struct{})
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			file, err := os.Create(filepath.Join(s.folder, fmt.Sprintf("busy-%d", i)))
			if err != nil {
				s.Error(err)
				return
			}
			defer os.Remove(file.Name())
			defer file.Close()
			block := make([]byte, 1<<20)
			for n := int64(0); ; n++ {
				select {
				case <-end:
					return
				default:
				}
				if _, err := file.WriteAt(block, n%16<<20); err != nil {
					s.Error(err)
					return
				}
				_ = file.Sync()
			}
		})
	}
	return func() {
		close(end)
		all.Wait()
	}
}
