package starve

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// write makes a file below a folder.
func write(t *testing.T, text string, parts ...string) {
	t.Helper()
	name := filepath.Join(parts...)
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Random trees of groups, some with a quota: the smallest on the way up is found, and
// no other.
func TestQuotaOfARandomTree(t *testing.T) {
	for range 300 {
		proc, mount := t.TempDir(), t.TempDir()
		v2, depth := rand.IntN(2) == 0, rand.IntN(5)
		root := []string{"/", "/docker/1"}[rand.IntN(2)] // of the mount
		bound := func(at string, processors float64) {
			period := []int{50_000, 100_000, 1_000_000}[rand.IntN(3)]
			quota := strconv.Itoa(int(processors * float64(period)))
			if v2 {
				if processors < 0 {
					quota = "max"
				}
				write(t, fmt.Sprintf("%s %d\n", quota, period), mount, at, "cpu.max")
				return
			}
			if processors < 0 {
				quota = "-1"
			}
			write(t, quota+"\n", mount, at, "cpu.cfs_quota_us")
			write(t, fmt.Sprintln(period), mount, at, "cpu.cfs_period_us")
		}
		group, least, whose := "/", -1.0, ""
		for level := range depth {
			group = path.Join(group, fmt.Sprintf("g%d", level))
			switch rand.IntN(3) {
			case 0:
				processors := float64(1+rand.IntN(300)) / 100
				bound(group, processors)
				if least < 0 || processors <= least {
					least, whose = processors, path.Join(root, group)
				}
			case 1:
				bound(group, -1)
			}
		}
		bound(path.Join(group, "below"), 0.01)
		bound("/beside", 0.01)
		controllers, system := "", "cgroup2 cgroup2 rw"
		if !v2 {
			controllers, system = []string{"cpu", "cpu,cpuacct"}[rand.IntN(2)], "cgroup cgroup rw,cpu,cpuacct"
		}
		write(t, fmt.Sprintf("7:name=systemd:/x\n0:%s:%s\n", controllers, path.Join(root, group)), proc, "cgroup")
		write(t, fmt.Sprintf("1 2 0:3 / / rw - ext4 /dev/vda rw\n31 23 0:28 %s %s rw shared:4 - %s\n", root, mount, system), proc, "mountinfo")
		got, want := quota(proc), ""
		if whose != "" {
			want = fmt.Sprintf("the quota of the control group %q is %.3g %% of a processor", whose, 100*least)
		}
		if got != want {
			t.Fatalf("version 2 %v, group %s: %q, want %q", v2, path.Join(root, group), got, want)
		}
	}
}

// A group that is not below what is mounted here says nothing, and neither does nonsense.
func TestQuotaThatCannotBeSeen(t *testing.T) {
	proc := t.TempDir()
	if got := quota(proc); got != "" {
		t.Errorf("without files it is %q", got)
	}
	write(t, "0::/../other\n\nx\n1:cpu\n", proc, "cgroup")
	write(t, "31 23 0:28 /docker/1 /nowhere rw - cgroup2 cgroup2 rw\nnonsense\n - \n", proc, "mountinfo")
	if got := quota(proc); got != "" {
		t.Errorf("of a group that is elsewhere it is %q", got)
	}
}

// What the kernel of this machine does is understood.
func TestQuotaOfARealGroup(t *testing.T) {
	for _, kind := range []struct{ folder, file, value string }{
		{"/sys/fs/cgroup/cpu", "cpu.cfs_quota_us", "7000"},
		{"/sys/fs/cgroup", "cpu.max", "7000 100000"},
	} {
		folder, err := os.MkdirTemp(kind.folder, "vedette-quota-")
		if err != nil {
			continue
		}
		t.Cleanup(func() { _ = os.Remove(folder) })
		if os.WriteFile(filepath.Join(folder, kind.file), []byte(kind.value), 0o600) != nil {
			continue
		}
		child := exec.Command("sleep", "3600")
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _, _ = child.Process.Kill(), child.Wait() })
		if err := os.WriteFile(filepath.Join(folder, "cgroup.procs"), []byte(strconv.Itoa(child.Process.Pid)), 0o600); err != nil {
			t.Skipf("no process can be put into a group: %v", err)
		}
		want := "is 7 % of a processor"
		if got := quota(fmt.Sprintf("/proc/%d", child.Process.Pid)); !strings.Contains(got, path.Base(folder)) || !strings.HasSuffix(got, want) {
			t.Errorf("it is %q, want %q of %s", got, want, folder)
		}
		return
	}
	t.Skip("no control group can be made here")
}
