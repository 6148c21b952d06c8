package plugins

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// disksOf returns the disks that a process sees mounted, and where, as a text. pid
// "self" is this process. It is "" where that cannot be told.
func disksOf(pid string) string {
	text, err := os.ReadFile("/proc/" + pid + "/mountinfo")
	if err != nil {
		return ""
	}
	var disks []string
	for line := range strings.Lines(string(text)) {
		// id parent device root point options … - kind source options; see proc(5)
		before, after, ok := strings.Cut(line, " - ")
		words, of := strings.Fields(before), strings.Fields(after)
		if !ok || len(words) < 5 || len(of) < 2 || !strings.HasPrefix(of[1], "/") && of[0] != "zfs" {
			continue
		}
		disks = append(disks, strings.Join([]string{words[2], words[3], words[4]}, " "))
	}
	slices.Sort(disks)
	return strings.Join(disks, "\n")
}

// watchMounts replaces the script hosts that see other disks than the agent does.
// Where / is shared, as systemd makes it, their view follows by itself. Elsewhere a
// disk that was unmounted would stay in use by them, and one that was mounted would
// not be there. A script host is replaced once for each change.
func (p *Pool) watchMounts(processes []*process) {
	now := disksOf("self")
	for _, c := range processes {
		id := c.child.id()
		if now == "" || id == 0 || c.disks == now {
			continue
		}
		if view := disksOf(fmt.Sprint(id)); view != "" && view != now {
			c.hooks.outdated(c)
		}
	}
}

// outdated replaces a process whose view of the file systems is not the agent's.
func (h *host) outdated(p *process) {
	h.replace(p, "disks were mounted or unmounted, which it does not see")
}

// mountTable tells a script host, as gopsutil reads it, where the agent's table of
// mounts is: the agent is asked for the size of what is mounted, and sees what was
// mounted later.
func (p *process) mountTable() []string {
	const name = "HOST_PROC_MOUNTINFO="
	given := slices.ContainsFunc(p.spec.env, func(pair string) bool { return strings.HasPrefix(pair, name) })
	if p.spec.foreign || given {
		return nil
	}
	return []string{fmt.Sprintf("%s/proc/%d/mountinfo", name, os.Getpid())}
}
