package history

import (
	"sync/atomic"

	"github.com/prometheus/prometheus/tsdb"
)

// lateBlocks keeps blocks of late samples from being merged too soon.
//
// The database begins to read its log where its blocks end, those of late
// samples aside: these may reach into the hours that are still in the log. But
// the mark of such a block does not outlive a merge, and a process that was
// then killed would take the log's samples of these hours to be in the merged
// block, and pass them over.
type lateBlocks struct {
	db atomic.Pointer[tsdb.DB] // nil until it is open
}

// tooSoon tells whether a block must stay as it is, and those made after it.
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
