package history

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/util/compression"
)

// maxRepairs is how often the database is opened again because it has repaired a log: once
// for each of the two.
const maxRepairs = 2

// open opens the database. Damaged files are put aside and logged. It returns an error if
// the fault is the system's and not the files', or if putting them aside does not help.
func (f *folder) open(o Options, limits *limiter) (*tsdb.DB, *prometheus.Registry, error) {
	if err := errors.Join(f.removeSnapshots(), f.settleLateLog()); err != nil {
		return nil, nil, err
	}
	opts := o.forDatabase(f.temporary, limits)
	var opened atomic.Bool // lines that the database logs from here on are not progress
	defer opened.Store(true)
	getsOn := slog.New(&progress{f.log.Handler(), func() {
		if !opened.Load() {
			o.Alive()
		}
	}})
	remedies := []func(error) bool{f.asideBlocks, f.asideLogs}
	for again := 0; ; {
		f.prepare(o)
		limits.reset()
		// The database registers its metrics even when it does not open.
		registry := prometheus.NewRegistry()
		var late lateBlocks
		opts.BlockCompactionExcludeFunc = late.tooSoon
		db, err := tsdb.Open(f.dir, Quiet(getsOn), registry, opts, tsdb.NewDBStats())
		if err == nil {
			late.db.Store(db)
			if !f.reportRepair(registry) || again == maxRepairs {
				return db, registry, nil
			}
			// After it has cut off a log, it skips the log of late samples.
			if err := closeDB(db); err != nil {
				return nil, nil, err
			}
			again++
			continue
		}
		if ofTheSystem(err) {
			return nil, nil, err
		}
		for healed := false; !healed; remedies = remedies[1:] {
			if len(remedies) == 0 {
				return nil, nil, err
			}
			healed = remedies[0](err)
		}
	}
}

// prepare makes the logs ready to be read.
func (f *folder) prepare(o Options) {
	if err := f.keepLogs(); err != nil {
		// Some file systems have no links. It is a precaution, no more.
		f.log.Info("the history's log cannot be linked; where it is damaged, what cannot be read will not be kept", "dir", f.dir, "error", err)
	}
	if err := f.mendLateLog(o.segmentBytes); err != nil {
		// Nothing of it is lost yet, and the next open tries again.
		f.log.Error("the history's log of late samples cannot be mended", "dir", f.dir, "error", err)
	}
}

// ofTheSystem recognises errors that are not damage of the files, so putting files aside
// would not help.
func ofTheSystem(err error) bool {
	for _, e := range []error{
		fs.ErrPermission, syscall.ENOSPC, syscall.EDQUOT, syscall.EROFS, syscall.EIO,
		syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// forDatabase returns the options of the database.
func (o Options) forDatabase(temporary bool, limits *limiter) *tsdb.Options {
	opts := tsdb.DefaultOptions()
	opts.NoLockfile = true // ours is locked
	opts.RetentionDuration = o.Retention.Milliseconds()
	opts.MaxBytes = o.MaxBytes
	opts.MinBlockDuration = blockDuration.Milliseconds()
	opts.MaxBlockDuration = min(max(o.Retention/10, blockDuration), 31*24*time.Hour).Milliseconds()
	opts.WALSegmentSize = o.segmentBytes // 0 is the database's own default
	opts.WALCompression = compression.Snappy
	// The newest sample may be from the future, which would eat from the window.
	opts.OutOfOrderTimeWindow = (o.OutOfOrder + o.MaxFuture).Milliseconds()
	opts.EnableMemorySnapshotOnShutdown = true
	opts.SeriesLifecycleCallback = limits
	if temporary {
		opts.WALSegmentSize = -1 // none
		opts.EnableMemorySnapshotOnShutdown = false
	}
	return opts
}

// keepLogs links the logs to a second place, because the database deletes everything after
// a damaged record.
func (f *folder) keepLogs() error {
	before := filepath.Join(f.dir, beforeDir)
	if err := os.RemoveAll(before); err != nil {
		return err
	}
	if f.temporary {
		return nil
	}
	for _, name := range []string{walDir, wblDir} {
		if err := linkTree(filepath.Join(f.dir, name), filepath.Join(before, name)); err != nil {
			return err
		}
	}
	return nil
}

// linkTree makes a tree of hard links. A tree that is not there gives none.
func linkTree(from, to string) error {
	err := filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o700)
		}
		return os.Link(path, filepath.Join(to, rel))
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// reportRepair reports whether the database has cut off a log at a damaged record. If that
// was more than the unfinished record of a process that was killed, the original log is
// kept.
func (f *folder) reportRepair(registry *prometheus.Registry) (repaired bool) {
	before := filepath.Join(f.dir, beforeDir)
	repaired = counterValue(registry, "prometheus_tsdb_wal_corruptions_total") > 0
	if repaired {
		damage := inspectLogs(before)
		if damage.lost > maxTail {
			aside, err := f.aside(before)
			f.log.Error("the log of the history is damaged: samples after the damaged place are lost. "+
				"The log as it was is kept aside; remove it when nobody needs it",
				"place", damage.String(), "lost_bytes", damage.lost, "kept_in", aside, "error", err)
			return true
		}
		f.log.Info("cut an unfinished record off the history's log; it was not acknowledged", "place", damage.String())
	}
	if err := os.RemoveAll(before); err != nil {
		f.log.Warn("cannot remove the links to the history's log", "dir", before, "error", err)
	}
	return repaired
}

// asideBlocks puts aside the blocks that cannot be opened, and reports whether there were
// any.
func (f *folder) asideBlocks(error) bool {
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return false
	}
	found := false
	for _, entry := range entries {
		if _, err := ulid.ParseStrict(entry.Name()); err != nil || !entry.IsDir() {
			continue
		}
		path := filepath.Join(f.dir, entry.Name())
		block, err := tsdb.OpenBlock(Quiet(f.log), path, nil, nil)
		if err == nil {
			block.Close()
			continue
		}
		aside, moveErr := f.aside(path)
		f.log.Error("a block of the history is damaged and was put aside; its samples are not shown",
			"block", entry.Name(), "reason", err, "kept_in", aside, "error", moveErr)
		found = found || moveErr == nil
	}
	return found
}

// asideLogs puts aside the logs and everything that belongs to them: the samples of the
// last hours, which are in no block yet.
func (f *folder) asideLogs(cause error) bool {
	var paths []string
	for _, pattern := range []string{walDir, wblDir, chunksDir, "chunk_snapshot.*"} {
		found, err := filepath.Glob(filepath.Join(f.dir, pattern))
		if err != nil {
			return false
		}
		paths = append(paths, found...)
	}
	aside, err := f.aside(paths...)
	f.log.Error("the log of the history cannot be read and was put aside; the samples of the last hours are not shown",
		"reason", cause, "kept_in", aside, "error", err)
	return err == nil
}

// aside moves files and folders into a new folder for damaged files.
func (f *folder) aside(paths ...string) (string, error) {
	to := filepath.Join(f.dir, asideDir, time.Now().UTC().Format("20060102T150405.000000000"))
	if err := os.MkdirAll(to, 0o700); err != nil {
		return to, err
	}
	for _, path := range paths {
		if err := os.Rename(path, filepath.Join(to, filepath.Base(path))); err != nil {
			return to, err
		}
	}
	return to, nil
}

// Quiet returns a logger for Prometheus' own code: its reports of daily work are logged at
// debug level, because they matter only when somebody looks for a fault.
func Quiet(log *slog.Logger) *slog.Logger { return slog.New(&demoted{log.Handler()}) }
