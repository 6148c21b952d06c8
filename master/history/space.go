package history

import (
	"fmt"
	"log/slog"
)

// How much must stay free if the options do not say.
const (
	leastFree     = 256 << 20
	mostExtraFree = 1 << 30
	extraFreePart = 20 // one twentieth of the file system
)

const (
	// chunkSamples is how many samples of a series stay in memory before they are written
	// out, in the worst case for all series at once.
	chunkSamples = 120
	// worstSampleBytes is what a sample takes on the disk if it cannot be compressed at
	// all.
	worstSampleBytes = 10
)

// space watches the free space of the store's file system. It belongs to the
// writer's goroutine.
type space struct {
	dir string
	min int64 // 0: by the size of the file system
	log *slog.Logger

	low string // why nothing may be written, or ""
}

func newSpace(dir string, least int64, log *slog.Logger) *space {
	return &space{dir: dir, min: least, log: log}
}

// leastOf is how much of a file system of the given size must stay free.
func leastOf(least, total int64) int64 {
	if least == 0 {
		return leastFree + min(total/extraFreePart, mostExtraFree)
	}
	return least
}

// Headroom returns how many bytes of the disk are left until the store stops taking
// samples. It is false for a store in memory, and if that is unknown.
func (s *Store) Headroom() (bytes int64, ok bool) {
	if s.opts.Dir == "" {
		return 0, false
	}
	free, total, err := diskSpace(s.opts.Dir)
	return free - leastOf(s.opts.MinFreeBytes, total), err == nil
}

// look returns why nothing may be written now, or "". It calls onLow when that has just
// become so. pending are the samples that the database will write out in any case, for
// which there must be room in addition to the space that must stay free. It costs about a
// microsecond.
func (s *space) look(pending int64, onLow func()) string {
	free, total, err := diskSpace(s.dir)
	if err != nil {
		return s.low // if it cannot be seen, a write will fail
	}
	least := leastOf(s.min, total) + pending*worstSampleBytes
	switch {
	case s.low == "" && free < least:
		s.low = fmt.Sprintf("the disk of %s has %d MiB free, and %d MiB are needed", s.dir, free>>20, (least+(1<<20)-1)>>20)
		s.log.Error("history takes no samples until the disk has room; agents keep theirs", "dir", s.dir, "free_bytes", free, "needed_bytes", least)
		onLow()
	case s.low != "" && free >= least+least/8:
		s.low = ""
		s.log.Warn("history takes samples again: the disk has room", "dir", s.dir, "free_bytes", free)
	}
	return s.low
}
