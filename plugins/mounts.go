package plugins

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// disksOf returns the disks that a process sees as mounted, and where, as text.
// pid "self" is this process. It returns "" if that cannot be found out.
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

// watchMounts replaces script hosts that see other disks than the agent does. If
// the mount of / is shared, as systemd makes it, their view follows by itself.
// Otherwise they would keep an unmounted disk in use, and a newly mounted one
// would not appear. A script host is replaced once for each change.
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

// outdated replaces a process whose view of the file systems differs from the
// agent's.
func (h *host) outdated(p *process) {
	h.replace(p, "disks were mounted or unmounted, which it does not see")
}

// mountTable gives a script host the path of the agent's table of mounts, in the
// way in which gopsutil reads it. The agent answers for the size of each mount,
// and sees later mounts.
func (p *process) mountTable() []string {
	const name = "HOST_PROC_MOUNTINFO="
	given := slices.ContainsFunc(p.spec.env, func(pair string) bool { return strings.HasPrefix(pair, name) })
	if p.spec.foreign || given {
		return nil
	}
	return []string{fmt.Sprintf("%s/proc/%d/mountinfo", name, os.Getpid())}
}
