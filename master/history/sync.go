package history

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// sync forces the newest part of the log to the disk once a second if something was
// written, until ctx ends. The database itself does so only when it begins a new part,
// every 128 MiB.
func (s *Store) sync(ctx context.Context) {
	if s.files.temporary {
		return
	}
	ticker := time.NewTicker(keepEvery)
	defer ticker.Stop()
	var synced uint64
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		commits := s.commits.Load()
		if commits == synced {
			continue
		}
		err := errors.Join(syncNewest(filepath.Join(s.files.dir, walDir)), syncNewest(filepath.Join(s.files.dir, wblDir)))
		switch {
		case err == nil:
			synced = commits
		case !failing:
			s.opts.Log.Error("history cannot force its log to the disk; a loss of power may lose samples", "error", err)
		}
		failing = err != nil
	}
}

// syncNewest forces the newest segment in a folder, and the folder, to the disk. A missing
// folder has nothing to lose.
func syncNewest(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	newest := ""
	for _, entry := range entries { // sorted by name, which are numbers of one width
		if entry.Type().IsRegular() && isSegment(entry.Name()) {
			newest = entry.Name()
		}
	}
	if newest == "" {
		return nil
	}
	return errors.Join(syncPath(filepath.Join(dir, newest)), syncPath(dir))
}

func isSegment(name string) bool {
	for _, c := range name {
		if c < '0' || c > '9' {
			return false
		}
	}
	return name != ""
}

func syncPath(path string) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // the database has just removed it
	}
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
