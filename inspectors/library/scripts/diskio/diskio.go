// Package diskio reports what the disks have read and written since the system
// started, by device. It counts whole disks, not their partitions, and leaves out
// loop devices, RAM disks and disks that have never been used.
//
//vedette:name disk-io
//vedette:interval 1s
package diskio

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/vedettehq/vedette/inspectors"
)

// sectorBytes is the unit of /proc/diskstats, whatever the disk's own sector size.
const sectorBytes = 512

func Inspect(ctx context.Context, r *inspectors.Report) error {
	text, err := os.ReadFile(path("HOST_PROC", "/proc", "diskstats"))
	if err != nil {
		return err
	}
	for _, line := range strings.Split(string(text), "\n") {
		// Reads and writes are the fourth and the eighth word.
		if words := strings.Fields(line); len(words) == 0 || len(words) > 7 && words[3] == "0" && words[7] == "0" {
			continue
		}
		var device string
		var major, minor, reads, readsMerged, readSectors, readMs, writes, writesMerged, writtenSectors, writeMs, going, ioMs float64
		if _, err := fmt.Sscan(line, &major, &minor, &device, &reads, &readsMerged, &readSectors, &readMs,
			&writes, &writesMerged, &writtenSectors, &writeMs, &going, &ioMs); err != nil {
			return fmt.Errorf("cannot read the line %q: %w", line, err)
		}
		if reads+writes == 0 || !whole(device) {
			continue
		}
		r.Counter("read_bytes_total", readSectors*sectorBytes, "device", device)
		r.Counter("write_bytes_total", writtenSectors*sectorBytes, "device", device)
		r.Counter("reads_total", reads, "device", device)
		r.Counter("writes_total", writes, "device", device)
		r.Counter("io_seconds_total", ioMs/1000, "device", device)
	}
	return nil
}

// disks remembers for each device whether it is a whole disk.
var disks = map[string]bool{}

func whole(device string) bool {
	if is, known := disks[device]; known {
		return is
	}
	is := !strings.HasPrefix(device, "loop") && !strings.HasPrefix(device, "ram") && !strings.HasPrefix(device, "fd")
	if is {
		// The folder of a partition is inside that of its disk.
		_, err := os.Stat(path("HOST_SYS", "/sys", "class/block/"+device+"/partition"))
		is = err != nil
	}
	disks[device] = is
	return is
}

func path(variable, usual, name string) string {
	root := os.Getenv(variable)
	if root == "" {
		root = usual
	}
	return filepath.Join(root, name)
}
