//go:build linux

package chaos

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vedettehq/vedette/internal/freeport"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/rpc/wire"
)

// stress is a master and an agent with the built-in inspectors, each in its own process, to
// which bad things happen.
type stress struct {
	*chaos
	agent  *chaosProcess
	during time.Duration // the length of each bad thing
}

// newStress starts both, and waits until all is well. Bad things last for the given number
// of seconds, or as the environment says.
func newStress(t *testing.T, seconds int) *stress {
	if testing.Short() {
		t.Skip("it takes some twenty seconds")
	}
	folder := shortFolder(t)
	s := &stress{
		chaos:  &chaos{TB: t, addr: freeport.Address(t), folder: folder},
		during: time.Duration(scale(t, "STRESS_SECONDS", seconds)) * time.Second,
	}
	s.writeConfig()
	t.Cleanup(s.end)
	s.startMaster()
	s.startAgent()
	s.wantWell("at the start")
	return s
}

func (s *stress) startAgent() {
	s.agent = s.spawn("agent", []string{"VEDETTE_HOST=box"}, nil,
		"vedette", "agent", "--master", "http://"+s.addr, "--data", filepath.Join(s.folder, "agent"),
		"--config", filepath.Join(s.folder, "vedette.yaml"))
}

// writeConfig writes a configuration that runs the slow built-in inspectors every two
// seconds, so that the next run of each comes soon.
func (s *stress) writeConfig() {
	scripts, err := filepath.Glob("../../../inspectors/library/scripts/*/*.go")
	if err != nil || len(scripts) == 0 {
		s.Fatalf("no built-in inspectors: %v", err)
	}
	text := "inspectors:\n"
	for _, path := range scripts {
		source, err := os.ReadFile(path)
		if err != nil {
			s.Fatal(err)
		}
		if strings.Contains(string(source), "\n//vedette:interval 1s\n") || strings.HasPrefix(string(source), "//vedette:interval 1s\n") {
			continue
		}
		own := filepath.Join(s.folder, filepath.Base(path))
		if err := os.WriteFile(own, source, 0o600); err != nil {
			s.Fatal(err)
		}
		text += fmt.Sprintf("  %s: { file: %s, interval: 2s }\n", strings.TrimSuffix(filepath.Base(path), ".go"), own)
	}
	own := filepath.Join(s.folder, "sequence.go")
	if err := os.WriteFile(own, []byte(sequence), 0o600); err != nil {
		s.Fatal(err)
	}
	text += fmt.Sprintf("  sequence: { file: %s, interval: 500ms }\n", own)
	if err := os.WriteFile(filepath.Join(s.folder, "vedette.yaml"), []byte(text), 0o600); err != nil {
		s.Fatal(err)
	}
}

// end stops both, and prints their output if the test failed.
func (s *stress) end() {
	for _, p := range []*chaosProcess{s.agent, s.master} {
		if p != nil {
			p.signal(syscall.SIGCONT)
			p.kill()
		}
	}
	if s.Failed() {
		for _, name := range []string{"agent", "master"} {
			text, _ := os.ReadFile(filepath.Join(s.folder, name+".log"))
			s.Logf("%s:\n%s", name, text[max(0, len(text)-16_000):])
		}
	}
}

// scriptHosts returns the processes that run scripts for the agent.
func (s *stress) scriptHosts() []int {
	var pids []int
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", s.agent.cmd.Process.Pid))
	for _, path := range tasks {
		text, _ := os.ReadFile(path)
		for field := range strings.FieldsSeq(string(text)) {
			if pid, err := strconv.Atoi(field); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// wantWell waits until every inspector has had a good run from now on and the host is not
// starved, unless the machine is so busy that it must be. It then checks that no inspector
// is blamed.
func (s *stress) wantWell(when string) {
	s.Helper()
	deadline := time.After(2 * patience.Limit)
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	var before map[string]uint64
	for {
		host, unwell := s.box()
		if runs := goodRuns(host); unwell == "" && before == nil {
			before = runs
		} else if unwell == "" {
			if unwell = lacksRun(host, before); unwell == "" {
				break
			}
		}
		select {
		case <-tick.C:
		case <-deadline:
			s.Fatalf("%s: %v later not all is well: %s", when, 2*patience.Limit, unwell)
		}
	}
	s.wantNobodyBlamed(when)
}

// lacksRun names an inspector that has had no good run since the given counts, or "". After
// a restart an agent counts from 0.
func lacksRun(host wire.Host, before map[string]uint64) string {
	for _, i := range host.Inspectors {
		n := i.Runs - i.Failures
		if n < before[i.Name] {
			before[i.Name] = n
		}
		if n == before[i.Name] {
			return fmt.Sprintf("%s has had no good run since; it is %s: %s", i.Name, i.State, i.Error)
		}
	}
	return ""
}

// box returns the master's view of the host, and what is wrong there. On a busy machine an
// inspector may be late at any time, so its state does not count.
func (s *stress) box() (wire.Host, string) {
	hosts, err := s.hosts()
	if err != nil {
		return wire.Host{}, err.Error()
	}
	host := hosts["box"]
	switch {
	case host.State != wire.HostUp || host.Agent == nil:
		return host, "the host is not up"
	case len(host.Inspectors) < 8:
		return host, fmt.Sprintf("there are %d inspectors", len(host.Inspectors))
	case host.Agent.Starved != "" && !busy():
		return host, "the host is starved: " + host.Agent.Starved
	}
	return host, ""
}

// busy reports whether others leave so little of this machine that a host on it is rightly
// starved.
func busy() bool {
	text, err := os.ReadFile("/proc/pressure/cpu")
	if err != nil {
		return true // unknown
	}
	_, after, _ := strings.Cut(string(text), "avg10=")
	number, _, _ := strings.Cut(after, " ")
	percent, err := strconv.ParseFloat(number, 64)
	return err != nil || percent > 20
}

func goodRuns(h wire.Host) map[string]uint64 {
	runs := make(map[string]uint64)
	for _, i := range h.Inspectors {
		runs[i.Name] = i.Runs - i.Failures
	}
	return runs
}

// wantNobodyBlamed checks that no inspector is blamed for what happened.
func (s *stress) wantNobodyBlamed(when string) {
	s.Helper()
	hosts, err := s.hosts()
	if err != nil {
		s.Fatal(err)
	}
	for _, i := range hosts["box"].Inspectors {
		if i.Crashes > 0 || i.State == wire.StateQuarantined {
			s.Errorf("%s: %s is %s after %d crashes: %s", when, i.Name, i.State, i.Crashes, i.Error)
		}
	}
	text, err := os.ReadFile(filepath.Join(s.folder, "agent.log"))
	if err != nil {
		s.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		for _, blame := range []string{"an inspector crashed", "is quarantined", "Vedette plugin?", "does not know it\""} {
			if strings.Contains(line, blame) {
				s.Errorf("%s: the log blames: %s", when, line)
			}
		}
	}
	records, err := os.ReadFile(filepath.Join(s.folder, "agent", "quarantine.json"))
	if err == nil && strings.Contains(string(records), "name") {
		s.Errorf("%s: the agent remembers %s", when, records)
	} else if err != nil && !errors.Is(err, os.ErrNotExist) {
		s.Error(err)
	}
}

// starver limits processes to 4 ms of processor time in each second.
type starver interface {
	// take adds processes; it may have them already.
	take(pids []int)
	// free releases all of them.
	free()
}

// starve starves the script hosts for a while.
func (s *stress) starve(by starver) {
	over := time.After(s.during)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	defer by.free()
	told := false
	for {
		by.take(s.scriptHosts()) // script hosts that start meanwhile starve as well
		if host, _ := s.box(); host.Agent != nil && host.Agent.Starved != "" {
			told = true
		}
		select {
		case <-tick.C:
		case <-over:
			if !told {
				s.Error("the master was never told that the host is starved")
			}
			return
		}
	}
}

// Starving script hosts, in one of two ways, are not blamed; see TestStress for which way.
func TestStarvedScriptHosts(t *testing.T) {
	t.Parallel()
	left := inTurn(1)
	for name, starver := range map[string]func(*testing.T) starver{
		"stopped for most of the time": func(t *testing.T) starver { return newDuty(t) },
		"by a quota":                   func(t *testing.T) starver { return newQuota(t) },
	} {
		t.Run(name, func(t *testing.T) {
			left(t)
			t.Parallel()
			by := starver(t)
			s := newStress(t, 15)
			s.starve(by)
			s.wantWell("after starving")
			s.wantEverySample()
			if _, ours := by.(*duty); ours {
				s.wantSeries("vedette_host_starved_seconds_total")
			}
		})
	}
}

// wantSeries checks that the history has a series with a value above 0.
func (s *stress) wantSeries(name string) {
	s.Helper()
	body := string(s.get("/api/v1/query?query=" + name + "%3E0"))
	if !strings.Contains(body, `"box"`) {
		s.Errorf("%s > 0: %s", name, body)
	}
}

// duty stops processes, and continues them for a moment, repeatedly.
type duty struct {
	more chan []int
	end  chan struct{}
	done chan struct{}
}

func newDuty(t *testing.T) *duty {
	d := &duty{more: make(chan []int), end: make(chan struct{}), done: make(chan struct{})}
	go d.run()
	t.Cleanup(d.free)
	return d
}

func (d *duty) take(pids []int) { d.more <- pids }

func (d *duty) free() {
	select {
	case <-d.end:
	default:
		close(d.end)
	}
	<-d.done
}

func (d *duty) run() {
	defer close(d.done)
	pids := make(map[int]bool)
	signal := func(s syscall.Signal) {
		for pid := range pids {
			_ = syscall.Kill(pid, s)
		}
	}
	defer signal(syscall.SIGCONT)
	for {
		signal(syscall.SIGSTOP)
		for asleep := time.After(996 * time.Millisecond); asleep != nil; {
			select {
			case <-asleep:
				asleep = nil
			case more := <-d.more:
				for _, pid := range more {
					pids[pid] = true
					_ = syscall.Kill(pid, syscall.SIGSTOP)
				}
			case <-d.end:
				return
			}
		}
		signal(syscall.SIGCONT)
		awake := time.NewTimer(4 * time.Millisecond)
		<-awake.C
	}
}

// quota is a control group.
type quota struct {
	testing.TB
	folder string
	second bool           // of version 2
	before map[int]string // where the processes came from
}

func newQuota(t *testing.T) *quota {
	name := fmt.Sprintf("vedette-test-%d", os.Getpid())
	for _, g := range []struct {
		parent, file, text string
		second             bool
	}{
		{"/sys/fs/cgroup", "cpu.max", "4000 1000000", true},
		{"/sys/fs/cgroup/cpu", "cpu.cfs_quota_us", "4000", false},
	} {
		q := &quota{TB: t, folder: filepath.Join(g.parent, name), second: g.second, before: make(map[int]string)}
		if os.Mkdir(q.folder, 0o755) != nil {
			continue
		}
		t.Cleanup(func() { _ = os.Remove(q.folder) })
		_ = os.WriteFile(filepath.Join(q.folder, "cpu.cfs_period_us"), []byte("1000000"), 0)
		if _, err := os.Stat(filepath.Join(q.folder, g.file)); err != nil {
			continue
		}
		if err := os.WriteFile(filepath.Join(q.folder, g.file), []byte(g.text), 0); err == nil {
			return q
		}
	}
	t.Skip("this system lets nobody set a quota of processor time")
	return nil
}

func (q *quota) take(pids []int) {
	for _, pid := range pids {
		if q.before[pid] != "" {
			continue
		}
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
		if err != nil {
			continue // it has ended
		}
		q.before[pid] = q.home(string(text))
		q.move(q.folder, pid)
	}
}

// home finds the folder of a process's group.
func (q *quota) home(cgroups string) string {
	for line := range strings.Lines(cgroups) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) == 3 && (q.second && fields[0] == "0" || !q.second && slices.Contains(strings.Split(fields[1], ","), "cpu")) {
			return filepath.Join(filepath.Dir(q.folder), fields[2])
		}
	}
	return filepath.Dir(q.folder)
}

func (q *quota) move(folder string, pid int) {
	err := os.WriteFile(filepath.Join(folder, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0)
	if err != nil && !errors.Is(err, syscall.ESRCH) {
		q.Errorf("cannot move a process: %v", err)
	}
}

func (q *quota) free() {
	for pid, folder := range q.before {
		q.move(folder, pid)
	}
}
