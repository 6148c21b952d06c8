// Package disk reports how full the file systems are, by mount point: those that
// keep data on this host, each once. It leaves out pseudo file systems, images that
// are always full, and file systems of other machines, which may hang for ever. The
// root is always included.
//
//vedette:name disk
//vedette:interval 5s
package disk

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/shirou/gopsutil/v3/disk"
	"github.com/vedettehq/vedette/inspectors"
)

// kept are the types of file systems that keep data on this host.
var kept = map[string]bool{
	"apfs": true, "bcachefs": true, "btrfs": true, "exfat": true, "ext2": true, "ext3": true, "ext4": true, "f2fs": true,
	"fuseblk": true, "hfs": true, "hfsplus": true, "jfs": true, "msdos": true, "nilfs2": true, "ntfs": true, "ntfs3": true, "ocfs2": true,
	"reiserfs": true, "ubifs": true, "udf": true, "ufs": true, "vfat": true, "xfs": true, "zfs": true,
}

func Inspect(ctx context.Context, r *inspectors.Report) error {
	table, err := mounts()
	if err != nil {
		return err
	}
	var failed []string
	for _, mount := range choose(table) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		u, err := disk.UsageWithContext(ctx, mount)
		if errors.Is(err, os.ErrNotExist) {
			continue // it has just been unmounted
		}
		if err != nil {
			failed = append(failed, fmt.Sprintf("%s: %v", mount, err))
			continue
		}
		if u.Total == 0 {
			continue
		}
		r.Gauge("total_bytes", float64(u.Total), "mount", mount)
		r.Gauge("used_bytes", float64(u.Used), "mount", mount)
		r.Gauge("free_bytes", float64(u.Free), "mount", mount)
		r.Gauge("used_percent", u.UsedPercent, "mount", mount)
		if u.InodesTotal > 0 {
			r.Gauge("inodes_used_percent", u.InodesUsedPercent, "mount", mount)
		}
	}
	if len(failed) > 0 {
		return errors.New(strings.Join(failed, "; "))
	}
	return nil
}

// mounted is a line of the table of mounts, see proc(5).
type mounted struct {
	id, parent string
	device     string // of the file system, major:minor
	root       string // the part of the file system that is mounted
	point      string
	kind       string
}

// mounts reads the table of mounts in which sizes are looked up: the agent's, if the agent
// names it, or this process's.
func mounts() ([]mounted, error) {
	root := os.Getenv("HOST_PROC")
	if root == "" {
		root = "/proc"
	}
	text, err := os.ReadFile(os.Getenv("HOST_PROC_MOUNTINFO"))
	if err != nil {
		text, err = os.ReadFile(filepath.Join(root, "self/mountinfo"))
	}
	if err != nil {
		return nil, err
	}
	var table []mounted
	for _, line := range strings.Split(string(text), "\n") {
		words := strings.Fields(line)
		kind := ""
		for i, word := range words {
			if word == "-" && i >= 6 && i+1 < len(words) {
				kind = words[i+1]
				break
			}
		}
		if kind == "" {
			continue
		}
		table = append(table, mounted{id: words[0], parent: words[1], device: words[2], root: plain(words[3]), point: plain(words[4]), kind: kind})
	}
	if len(table) == 0 {
		return nil, errors.New("the table of mounts is empty")
	}
	return table, nil
}

// plain decodes escapes of the table such as \040, which is a blank.
func plain(path string) string {
	parts := strings.Split(path, "\\")
	text := parts[0]
	for _, part := range parts[1:] {
		code, err := 0, errors.New("too short")
		if len(part) >= 3 {
			_, err = fmt.Sscanf(part[:3], "%o", &code)
		}
		if err != nil {
			text += "\\" + part
			continue
		}
		text += string([]byte{byte(code)}) + part[3:]
	}
	return text
}

// choose returns one mount point for each file system: the root, or else the shortest one
// of the whole file system, or else the shortest of a part of it. It leaves out mount
// points that another mount covers.
func choose(table []mounted) []string {
	children := map[string][]mounted{}
	known := map[string]bool{}
	for _, m := range table {
		children[m.parent] = append(children[m.parent], m)
		known[m.id] = true
	}
	bottom := ""
	for _, m := range table {
		if m.point == "/" && (!known[m.parent] || m.parent == m.id) {
			bottom = m.id
		}
	}
	chosen := map[string]mounted{}
	for _, m := range table {
		if m.point != "/" && !kept[m.kind] || top(children, bottom, m.point) != m.id {
			continue
		}
		before, ok := chosen[m.device]
		if (!ok || better(m, before)) && (m.root == "/" || folder(m.point)) {
			chosen[m.device] = m
		}
	}
	var list []string
	for _, m := range chosen {
		list = append(list, m.point)
	}
	sort.Strings(list)
	return list
}

// better reports whether one mount should stand for a file system rather than another.
func better(m, other mounted) bool {
	if (m.point == "/") != (other.point == "/") {
		return m.point == "/"
	}
	if (m.root == "/") != (other.root == "/") {
		return m.root == "/"
	}
	if len(m.point) != len(other.point) {
		return len(m.point) < len(other.point)
	}
	return m.point < other.point
}

// top returns the id of the mount that a path leads into, which is the last one on
// the way to it from the root.
func top(children map[string][]mounted, root, path string) string {
	at, position := root, "/"
	seen := map[string]bool{}
	for !seen[at] {
		seen[at] = true
		next, found := mounted{}, false
		for _, child := range children[at] {
			if !seen[child.id] && within(child.point, position) && within(path, child.point) && (!found || len(child.point) <= len(next.point)) {
				next, found = child, true
			}
		}
		if !found {
			return at
		}
		at, position = next.id, next.point
	}
	return at
}

// within reports whether a path is a folder or below it.
func within(path, folder string) bool {
	return path == folder || folder == "/" || strings.HasPrefix(path, folder+"/")
}

// folder reports whether a mount point is a folder. Single files can be mounted too, mostly
// into containers.
func folder(path string) bool {
	_, err := disk.Usage(path + "/.")
	return err == nil
}
