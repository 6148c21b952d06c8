package starve

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// hierarchy is a tree of control groups that can limit processes; see cgroups(7).
type hierarchy struct {
	mount string // where it is
	root  string // the group that is visible there
	group string // of this process
	v2    bool
}

// quota says which control group limits this process to a part of a processor, or
// is empty if none does. proc is the folder of the process in /proc. Of the
// process's own group and those above it, the one with the smallest quota counts.
func quota(proc string) string {
	least, whose := 0.0, ""
	for _, h := range hierarchies(proc) {
		below, err := filepath.Rel(h.root, h.group)
		if err != nil || below == ".." || strings.HasPrefix(below, "../") {
			continue // the group is not visible from here
		}
		for at := path.Join("/", below); ; at = path.Dir(at) {
			if processors := h.quotaOf(filepath.Join(h.mount, at)); processors > 0 && (whose == "" || processors < least) {
				least, whose = processors, path.Join(h.root, at)
			}
			if at == "/" {
				break
			}
		}
	}
	if whose == "" {
		return ""
	}
	return fmt.Sprintf("the quota of the control group %q is %.3g %% of a processor", whose, 100*least)
}

// quotaOf is how many processors a group may use, or 0 if it has no limit.
func (h *hierarchy) quotaOf(folder string) float64 {
	var text string
	if h.v2 {
		text = read(folder, "cpu.max")
	} else {
		text = read(folder, "cpu.cfs_quota_us") + " " + read(folder, "cpu.cfs_period_us")
	}
	fields := strings.Fields(text) // both in µs; the quota is "max" or -1 if there is none
	if len(fields) != 2 {
		return 0
	}
	most, err := strconv.ParseFloat(fields[0], 64)
	period, err2 := strconv.ParseFloat(fields[1], 64)
	if err != nil || err2 != nil || most <= 0 || period <= 0 {
		return 0
	}
	return most / period
}

func read(folder, name string) string {
	text, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		return ""
	}
	return string(text)
}

// hierarchies returns the hierarchies that limit processors, with the groups of a
// process.
func hierarchies(proc string) (list []hierarchy) {
	groups := make(map[string]string) // by the controller of version 1; that of version 2 has no name
	for line := range strings.Lines(read(proc, "cgroup")) {
		if parts := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3); len(parts) == 3 {
			for controller := range strings.SplitSeq(parts[1], ",") {
				groups[controller] = parts[2]
			}
		}
	}
	for line := range strings.Lines(read(proc, "mountinfo")) {
		before, after, found := strings.Cut(line, " - ")
		mount, system := strings.Fields(before), strings.Fields(after)
		if !found || len(mount) < 5 || len(system) < 3 {
			continue
		}
		h := hierarchy{mount: mount[4], root: mount[3], v2: system[0] == "cgroup2"}
		controller := ""
		if system[0] == "cgroup" && slices.Contains(strings.Split(system[2], ","), "cpu") {
			controller = "cpu"
		} else if !h.v2 {
			continue
		}
		var known bool
		if h.group, known = groups[controller]; known {
			list = append(list, h)
		}
	}
	return list
}
