// Package directory tells how many files a folder and those in it hold, how large
// they are, and how old the oldest is: use it for the length of a queue, or
// for a folder that fills a disk.
//
//vedette:name directory
//vedette:interval 1m
//vedette:timeout 20s
//vedette:needs fs:/var/log
package directory

import (
	"context"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/vedettehq/vedette/inspectors"
)

// The folder, and the most entries that are looked at.
const (
	folder = "/var/log"
	most   = 20000
)

// Inspect walks through the folder. It counts folders that it may not read.
func Inspect(ctx context.Context, r *inspectors.Report) error {
	files, unread, seen, size := 0, 0, 0, int64(0)
	oldest := time.Now()
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			if path == folder {
				return err
			}
			unread++
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if seen++; seen > most {
			return fs.SkipAll
		}
		if !entry.Type().IsRegular() {
			return nil
		}
		info, err := entry.Info()
		if err != nil {
			return nil // it has just been removed
		}
		files++
		size += info.Size()
		if info.ModTime().Before(oldest) {
			oldest = info.ModTime()
		}
		return nil
	})
	if err != nil {
		return err
	}
	r.Gauge("files", float64(files))
	r.Gauge("size_bytes", float64(size))
	r.Gauge("unread_folders", float64(unread))
	if files > 0 {
		r.Gauge("oldest_age_seconds", time.Since(oldest).Seconds())
	}
	return nil
}
