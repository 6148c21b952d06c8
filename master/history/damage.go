package history

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/prometheus/prometheus/tsdb/wlog"
)

// maxTail is the most that an unfinished record can leave unread at the end of a log: one
// page.
const maxTail = 32 << 10

// damage is the place from which a log cannot be read.
type damage struct {
	log     string // wal or wbl
	segment int
	offset  int64
	lost    int64 // bytes that come after
	err     error
}

func (d damage) String() string {
	if d.err == nil {
		return "unknown"
	}
	return fmt.Sprintf("%s segment %d, near byte %d: %v", d.log, d.segment, d.offset, d.err)
}

// inspectLogs reads the logs below dir from end to end and returns the worst damage. It is
// called only when the database has complained.
func inspectLogs(dir string) damage {
	var worst damage
	for _, name := range []string{walDir, wblDir} {
		if d := inspectLog(filepath.Join(dir, name)); d.err != nil && (worst.err == nil || d.lost > worst.lost) {
			worst = d
		}
	}
	return worst
}

func inspectLog(dir string) damage {
	segments, err := wlog.NewSegmentsReader(dir)
	if err != nil {
		return damage{}
	}
	defer segments.Close()
	reader := wlog.NewReader(segments)
	for reader.Next() {
	}
	var corruption *wlog.CorruptionErr
	if !errors.As(reader.Err(), &corruption) {
		return damage{}
	}
	d := damage{log: filepath.Base(dir), segment: corruption.Segment, offset: corruption.Offset, err: corruption.Err}
	for number := corruption.Segment; ; number++ {
		size, err := contentSize(wlog.SegmentName(dir, number))
		if err != nil {
			break
		}
		d.lost += size
	}
	d.lost = max(d.lost-d.offset, 0)
	return d
}

// contentSize is the size of a file without the zeros at its end.
func contentSize(path string) (int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	buf := make([]byte, 64<<10)
	for end := info.Size(); end > 0; {
		n := min(end, int64(len(buf)))
		if _, err := f.ReadAt(buf[:n], end-n); err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		for i := n; i > 0; i-- {
			if buf[i-1] != 0 {
				return end - n + i, nil
			}
		}
		end -= n
	}
	return 0, nil
}
