// Command filecount is an external plugin: it counts the files in folders, such as
// mail queues and spools, and reports how old the oldest file is.
//
// Its arguments are the folders. See README.md for how to run it.
package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/plugins"
)

func main() {
	counter := folders(os.Args[1:])
	plugins.Serve(plugins.Inspectors{"filecount": counter.inspect})
}

// folders are the folders to count in.
type folders []string

// inspect reports on each folder. A folder that cannot be read does not keep the
// others from being counted.
func (f folders) inspect(ctx context.Context, r *inspectors.Report) error {
	if len(f) == 0 {
		return errors.New("no folder is given; list some under args")
	}
	var faults []error
	for _, dir := range f {
		c, err := count(ctx, dir)
		if err != nil {
			faults = append(faults, fmt.Errorf("cannot count %q: %w", dir, err))
			continue
		}
		r.Gauge("files", float64(c.files), "dir", dir)
		r.Gauge("size_bytes", float64(c.bytes), "dir", dir)
		r.Gauge("oldest_age_seconds", c.oldest.Seconds(), "dir", dir)
	}
	return errors.Join(faults...)
}

// contents sums up a folder.
type contents struct {
	files  int
	bytes  int64
	oldest time.Duration // age of the file that was changed longest ago
}

// count walks through dir and all below it. Files that vanish meanwhile, as
// they do in a queue, are not counted.
func count(ctx context.Context, dir string) (contents, error) {
	var c contents
	now := time.Now()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && path != dir && errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case !entry.Type().IsRegular():
			return nil
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		c.files++
		c.bytes += info.Size()
		c.oldest = max(c.oldest, now.Sub(info.ModTime()))
		return nil
	})
	return c, err
}
