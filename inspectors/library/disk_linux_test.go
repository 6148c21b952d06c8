package library

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/vedettehq/vedette/inspectors"
)

// mountID asks the kernel for the id of the mount that a path leads into.
func mountID(t *testing.T, path string) string {
	t.Helper()
	var st unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, path, unix.AT_SYMLINK_NOFOLLOW, unix.STATX_MNT_ID, &st); err != nil {
		return "" // another lies over it, without the folder
	}
	if st.Mask&unix.STATX_MNT_ID == 0 {
		t.Skip("this kernel tells no ids of mounts")
	}
	return fmt.Sprint(st.Mnt_id)
}

// tableLine is a line of /proc/self/mountinfo as far as a test needs it.
type tableLine struct{ id, device, root, point string }

// tables returns the mounts below a folder, and makes the table, in which what is in
// memory stands for a disk, the one that the inspector reads.
func tables(t *testing.T, below string) []tableLine {
	t.Helper()
	text := read(t, "/proc/self/mountinfo")
	file := filepath.Join(os.Getenv("HOST_PROC"), "self/mountinfo")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(text, " - tmpfs ", " - ext4 ")), 0o644); err != nil {
		t.Fatal(err)
	}
	var lines []tableLine
	for _, line := range strings.Split(text, "\n") {
		if w := strings.Fields(line); len(w) > 5 && strings.HasPrefix(w[4], below) {
			lines = append(lines, tableLine{w[0], w[2], w[3], strings.ReplaceAll(w[4], `\040`, " ")})
		}
	}
	return lines
}

// Random mounts over, in and of each other, parts of file systems too: each file
// system that can be reached is reported once, at a place that leads into it by the
// kernel's own word, all of it where that is to be had, with its own size.
func TestRandomMounts(t *testing.T) {
	if !inside(t, false) {
		return
	}
	random := rand.New(rand.NewPCG(rand.Uint64(), 0))
	base := t.TempDir()
	mount(t, "none", base, "tmpfs", 0, "size=400k")
	t.Cleanup(func() { _ = syscall.Unmount(base, syscall.MNT_DETACH) })
	folders := []string{"a", "a/b", "a/b/c", "a d", "e", "e/b"}
	size := 1
	fakeRoot(t, map[string]string{"proc/self/mountinfo": ""})
	disk := interpreted(t, "disk")
	for step := range 80 {
		for _, f := range folders {
			if err := os.MkdirAll(filepath.Join(base, f), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		path := func() string { return filepath.Join(base, folders[random.IntN(len(folders))]) }
		switch random.IntN(5) {
		case 0, 1:
			size++
			mount(t, "none", path(), "tmpfs", 0, fmt.Sprintf("size=%dk", 400+4*size))
		case 2:
			_ = syscall.Mount(path(), path(), "", syscall.MS_BIND, "") // a folder, or all of a file system
		case 3:
			_ = syscall.Mount(path(), path(), "", syscall.MS_MOVE, "")
		case 4:
			_ = syscall.Unmount(path(), 0)
		}
		visible, sizes := make(map[string][]tableLine), make(map[string]float64)
		for _, m := range tables(t, base) {
			if mountID(t, m.point) != m.id {
				continue // another lies over it
			}
			visible[m.device] = append(visible[m.device], m)
			var st unix.Statfs_t
			if err := unix.Statfs(m.point, &st); err != nil {
				t.Fatal(err)
			}
			sizes[m.device] = float64(st.Blocks) * float64(st.Bsize)
		}
		got := inspect(t, disk, "disk")
		for device, list := range visible {
			whole, reported := false, []tableLine{}
			for _, m := range list {
				whole = whole || m.root == "/"
				if v, ok := got[fmt.Sprintf("disk/total_bytes{mount=%q}", m.point)]; ok {
					reported = append(reported, m)
					if v != sizes[device] {
						t.Errorf("step %d: %s has %v bytes, want %v", step, m.point, v, sizes[device])
					}
				}
			}
			if len(reported) != 1 || whole && reported[0].root != "/" {
				t.Errorf("step %d: of the mounts %v of one file system %v are reported", step, list, reported)
			}
		}
		for series := range got {
			if point, ok := strings.CutPrefix(series, `disk/total_bytes{mount="`+base); ok && point != `"}` {
				point = base + strings.TrimSuffix(point, `"}`)
				if !strings.Contains(fmt.Sprint(visible), point) {
					t.Errorf("step %d: %s is reported and cannot be reached", step, point)
				}
			}
		}
		if t.Failed() {
			t.Fatalf("the table is\n%s", read(t, "/proc/self/mountinfo"))
		}
	}
}

// A mount of a btrfs, or in a container, is seldom a whole file system.
func TestPartsOfFileSystems(t *testing.T) {
	for name, c := range map[string]struct{ table, want string }{
		"a subvolume alone":        {"2 1 0:40 /@home %s/a rw - btrfs /dev/sdb rw", "/a"},
		"two subvolumes":           {"2 1 0:40 /@home %[1]s/a/b rw - btrfs /dev/sdb rw\n3 1 0:40 /@log %[1]s/a rw - btrfs /dev/sdb rw", "/a"},
		"a folder of another disk": {"2 1 8:1 /data %s/a rw - ext4 /dev/sda1 rw", "/a"},
		"a file of another disk":   {"2 1 8:1 /data/hosts %s/file rw - ext4 /dev/sda1 rw", ""},
		"the disk beside a folder": {"2 1 8:1 /data %[1]s/a rw - ext4 /dev/sda1 rw\n3 2 8:1 / %[1]s/a/b rw - ext4 /dev/sda1 rw", "/a/b"},
		"mounted over":             {"2 1 8:1 / %[1]s/a rw - ext4 /dev/sda1 rw\n3 2 8:2 / %[1]s/a rw - ext4 /dev/sda2 rw", "/a"},
		"hidden by its parent":     {"2 1 8:1 / %[1]s/a/b rw - ext4 /dev/sda1 rw\n3 1 8:2 / %[1]s/a rw - ext4 /dev/sda2 rw", "/a"},
		"a blank in its name":      {`2 1 8:1 / %s/with\040blank rw - ext4 /dev/sda1 rw`, "/with blank"},
		"gone meanwhile":           {"2 1 8:1 / %s/gone rw - ext4 /dev/sda1 rw", ""},
	} {
		t.Run(name, func(t *testing.T) {
			base := t.TempDir()
			for _, folder := range []string{"a/b", "with blank"} {
				if err := os.MkdirAll(filepath.Join(base, folder), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.WriteFile(filepath.Join(base, "file"), nil, 0o644); err != nil {
				t.Fatal(err)
			}
			text := "1 0 0:1 / / rw - overlay overlay rw\n" + fmt.Sprintf(c.table+"%.0s", base) + "\n"
			fakeRoot(t, map[string]string{"proc/self/mountinfo": text})
			got, mounts := inspect(t, interpreted(t, "disk"), "disk"), ""
			for series := range got {
				if point, ok := strings.CutPrefix(series, `disk/total_bytes{mount="`+base); ok {
					mounts += strings.TrimSuffix(point, `"}`)
				}
			}
			if _, ok := got[`disk/total_bytes{mount="/"}`]; !ok || mounts != c.want {
				t.Errorf("reported are %q and the root %v, want %q", mounts, ok, c.want)
			}
		})
	}
}

// If /proc hides the processes of other users, the error says so, and what cannot be seen
// is not counted.
func TestHiddenProcesses(t *testing.T) {
	for option, hides := range map[string]bool{
		"rw": false, "rw,hidepid=0": false, "rw,hidepid=off": false, "rw,gid=5,hidepid=1": true, "rw,hidepid=2": true,
		"rw,hidepid=noaccess": true, "rw,hidepid=invisible,gid=5": true, "rw,hidepid=ptraceable": true,
	} {
		for _, first := range []bool{false, true} {
			files := map[string]string{
				"proc/loadavg": "1.25 2.5 3.75 4/321 9999\n", "proc/self/mountinfo": "20 1 0:5 / /proc rw - proc proc " + option + "\n",
				"proc/stat": "cpu  1 2 3 4 5 6 7 8 0 0\nprocesses 5000\nprocs_running 2\nprocs_blocked 1\n", "proc/77/stat": "77 (own) R 1",
			}
			if first {
				files["proc/1/stat"] = "1 (init) S 0" // it is root, or of the group
			}
			fakeRoot(t, files)
			r := inspectors.NewReport("processes", time.Now())
			err := interpreted(t, "processes").Inspect(t.Context(), r)
			text := ""
			for _, s := range r.Samples() {
				text += s.Key + s.Labels.String() + " "
			}
			hidden := hides && !first
			if hidden != (err != nil && strings.Contains(err.Error(), "hides the processes of others")) || hidden == strings.Contains(text, "processes/total") {
				t.Errorf("%s, the first process seen %v: %s and %v", option, first, text, err)
			}
			if !strings.Contains(text, "processes/threads") || !strings.Contains(text, `{state="running"}`) {
				t.Errorf("%s: what the system counts is not told: %s", option, text)
			}
		}
	}
}
