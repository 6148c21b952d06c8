package history

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/prometheus/prometheus/tsdb/fileutil"
)

// Names in the folder of a store. The first ones are the database's.
const (
	walDir      = "wal" // the log
	wblDir      = "wbl" // the log of what came late
	chunksDir   = "chunks_head"
	lockFile    = "lock"
	asideDir    = "damaged" // what could not be read, by time
	beforeDir   = "before"  // links to the logs while they are read
	probeFile   = ".probe"  // written and removed
	tempPattern = "vedette-history-*"
)

// folder is the folder of a store. It is locked while it is open.
type folder struct {
	dir       string
	temporary bool // removed at the end
	log       *slog.Logger
	lock      fileutil.Releaser
}

// openFolder makes and locks a folder; a temporary one if dir is empty.
func openFolder(dir string, log *slog.Logger) (*folder, error) {
	f := &folder{dir: dir, log: log, temporary: dir == ""}
	if f.temporary {
		removeAbandoned(log)
		temp, err := os.MkdirTemp("", tempPattern)
		if err != nil {
			return nil, fmt.Errorf("cannot make a temporary folder for the history: %w", err)
		}
		f.dir = temp
	} else if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the folder of the history: %w", err)
	}
	lock, _, err := fileutil.Flock(filepath.Join(f.dir, lockFile))
	if err != nil {
		return nil, fmt.Errorf("cannot lock the history in %q: %w (%v)", f.dir, ErrLocked, err)
	}
	f.lock = lock
	return f, nil
}

// close unlocks the folder, and removes a temporary one.
func (f *folder) close() error {
	if f.temporary {
		return errors.Join(os.RemoveAll(f.dir), f.lock.Release())
	}
	return f.lock.Release()
}

// removeAbandoned removes the temporary folders of stores that were killed, which nobody
// holds locked.
func removeAbandoned(log *slog.Logger) {
	dirs, err := filepath.Glob(filepath.Join(os.TempDir(), tempPattern))
	if err != nil {
		return
	}
	for _, dir := range dirs {
		// A folder without a lock is being made right now.
		if _, err := os.Stat(filepath.Join(dir, lockFile)); err != nil {
			continue
		}
		lock, _, err := fileutil.Flock(filepath.Join(dir, lockFile))
		if err != nil {
			continue // in use, or somebody else's
		}
		if err := errors.Join(os.RemoveAll(dir), lock.Release()); err == nil {
			log.Info("removed what a killed process left", "dir", dir)
		}
	}
}

// probe returns nil if something can be written to the folder and forced to the disk.
func (f *folder) probe() error {
	path := filepath.Join(f.dir, probeFile)
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = file.Write(make([]byte, 1<<16))
	return errors.Join(err, file.Sync(), file.Close(), os.Remove(path))
}
