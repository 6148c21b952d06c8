package history

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// snapshotDir holds the snapshots that are in use, in the folder of the store.
const snapshotDir = "snapshots"

// Snapshot calls use with a folder of blocks that contain everything stored when Snapshot
// was called, and perhaps some later samples. Existing blocks are linked into it, so it
// takes little room; the newest samples are written again. The folder is removed when use
// returns. Nobody who stores samples has to wait meanwhile.
func (s *Store) Snapshot(ctx context.Context, use func(dir string) error) (err error) {
	s.snapshots.Lock()
	defer s.snapshots.Unlock()
	gen, release, err := s.acquire()
	if err != nil {
		return err
	}
	released := false
	defer func() {
		if !released {
			release()
		}
	}()
	parent := filepath.Join(s.files.dir, snapshotDir)
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return fmt.Errorf("cannot make the folder of a snapshot: %w", err)
	}
	dir, err := os.MkdirTemp(parent, "s")
	if err != nil {
		return fmt.Errorf("cannot make the folder of a snapshot: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	// The database's own snapshots do not contain late samples until these are in a block.
	if err := gen.db.CompactOOOHead(ctx); err != nil {
		return fmt.Errorf("cannot write late samples into blocks: %w", err)
	}
	if err := gen.db.Snapshot(dir, true); err != nil {
		return fmt.Errorf("cannot make a snapshot of the history: %w", err)
	}
	released = true
	release() // the folder is a separate one from here on
	return use(dir)
}

// removeSnapshots removes the snapshots of a process that was killed.
func (f *folder) removeSnapshots() error {
	return os.RemoveAll(filepath.Join(f.dir, snapshotDir))
}
