package script

import (
	"context"
	"strconv"

	"github.com/shirou/gopsutil/v3/disk"
	"golang.org/x/sys/unix"

	"github.com/vedettehq/vedette/internal/statfs"
)

// usage is disk.UsageWithContext, but also works for file systems that are mounted where
// only the agent may look.
func usage(ctx context.Context, path string) (*disk.UsageStat, error) {
	u, err := disk.UsageWithContext(ctx, path)
	if err == nil || ctx.Err() != nil {
		return u, err
	}
	var st unix.Statfs_t
	if statfs.Stat(path, &st) != nil {
		return nil, err
	}
	block := uint64(st.Bsize)
	u = &disk.UsageStat{
		Path:        path,
		Total:       st.Blocks * block,
		Free:        st.Bavail * block,
		Used:        (st.Blocks - st.Bfree) * block,
		InodesTotal: st.Files,
		InodesFree:  st.Ffree,
	}
	if plain, err := strconv.Unquote(`"` + path + `"`); err == nil {
		u.Path = plain // as in /proc/mounts
	}
	if reach := u.Used + u.Free; reach > 0 { // without the space reserved for root
		u.UsedPercent = float64(u.Used) / float64(reach) * 100
	}
	if st.Files > st.Ffree {
		u.InodesUsed = st.Files - st.Ffree
		u.InodesUsedPercent = float64(u.InodesUsed) / float64(st.Files) * 100
	}
	return u, nil
}
