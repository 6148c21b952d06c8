package history

import (
	"sync/atomic"

	"github.com/prometheus/prometheus/tsdb"
)

// lateBlocks keeps blocks of late samples from being merged too soon.
//
// The database begins to read its log where its blocks end, except blocks of late samples,
// which may reach into the hours that are still in the log. But the mark of such a block
// is lost in a merge. If the process is then killed, the next one assumes that the log's
// samples of these hours are in the merged block, and skips them.
type lateBlocks struct {
	db atomic.Pointer[tsdb.DB] // nil until it is open
}

// tooSoon reports whether a block must stay as it is, together with those made after it.
func (l *lateBlocks) tooSoon(block *tsdb.BlockMeta) bool {
	if !block.Compaction.FromOutOfOrder() {
		return false
	}
	db := l.db.Load()
	if db == nil {
		return true
	}
	for _, other := range db.Blocks() {
		if meta := other.Meta(); !meta.Compaction.FromOutOfOrder() && meta.MaxTime >= block.MaxTime {
			return false
		}
	}
	return true
}
