// Package fileage tells how old the newest file of a folder is, and how large, so
// it notices a backup that was not made.
//
//vedette:name file-age
//vedette:interval 1m
//vedette:needs fs:/var/backups
package fileage

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/vedettehq/vedette/inspectors"
)

// The folder, and which of its files count.
const (
	folder  = "/var/backups"
	pattern = "*"
)

// Inspect looks at the folder itself, not at those in it.
func Inspect(_ context.Context, r *inspectors.Report) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	var newest os.FileInfo
	files := 0
	for _, entry := range entries {
		matches, err := filepath.Match(pattern, entry.Name())
		if err != nil {
			return err
		}
		if !matches || !entry.Type().IsRegular() {
			continue
		}
		info, err := entry.Info()
		if err != nil {
			continue // it has just been removed
		}
		files++
		if newest == nil || info.ModTime().After(newest.ModTime()) {
			newest = info
		}
	}
	r.Gauge("files", float64(files))
	if newest == nil {
		return fmt.Errorf("no file in %s is named like %q", folder, pattern)
	}
	r.Gauge("newest_age_seconds", time.Since(newest.ModTime()).Seconds())
	r.Gauge("newest_bytes", float64(newest.Size()))
	return nil
}
