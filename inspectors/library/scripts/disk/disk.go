// Package disk reports how full the file systems are, by where they are
// mounted: those that keep data on this host, each once. Left out are pseudo
// file systems, images that are always full, and those of other machines, which
// may hang for ever; the root is always in.
//
//vedette:name disk
//vedette:interval 5s
package disk

import (
	"context"
	"errors"
	"fmt"
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
	parts, err := disk.PartitionsWithContext(ctx, true)
	if err != nil {
		return err
	}
	var failed []string
	for _, mount := range mounts(parts) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		u, err := disk.UsageWithContext(ctx, mount)
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

// mounts returns one mount point of each device: the root, or the shortest that
// is no bind mount of a part of it.
func mounts(parts []disk.PartitionStat) []string {
	chosen := map[string]string{}
	for _, p := range parts {
		device := p.Device
		if p.Mountpoint == "/" {
			chosen[device] = "/"
			continue
		}
		if !kept[p.Fstype] || bound(p.Opts) {
			continue
		}
		before, ok := chosen[device]
		if !ok || len(p.Mountpoint) < len(before) {
			chosen[device] = p.Mountpoint
		}
	}
	var list []string
	for _, mount := range chosen {
		list = append(list, mount)
	}
	sort.Strings(list)
	return list
}

func bound(options []string) bool {
	for _, o := range options {
		if o == "bind" {
			return true
		}
	}
	return false
}
