// Package textfile reports the metrics that other programs leave in the .prom
// files of a folder, like the textfile collector of node_exporter.
//
//vedette:name textfile
//vedette:interval 30s
//vedette:needs fs:/var/lib/prometheus/node-exporter
package textfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/vedettehq/vedette/inspectors"
)

// The folder.
const folder = "/var/lib/prometheus/node-exporter"

// The most that is read of a file.
const most = 4 << 20

// Inspect reads every file. A file that cannot be read does not stop the others.
func Inspect(_ context.Context, r *inspectors.Report) error {
	if _, err := os.ReadDir(folder); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(folder, "*.prom"))
	if err != nil {
		return err
	}
	r.Gauge("files", float64(len(files)))
	var faults []error
	for _, file := range files {
		read := 1.0
		if err := report(r, file); err != nil {
			read = 0
			faults = append(faults, fmt.Errorf("%s: %w", filepath.Base(file), err))
		}
		r.Gauge("file_read", read, "file", filepath.Base(file))
	}
	return errors.Join(faults...)
}

// report adds the metrics of a file, and its age.
func report(r *inspectors.Report, file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	r.Gauge("file_age_seconds", time.Since(info.ModTime()).Seconds(), "file", filepath.Base(file))
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return err
	}
	if len(text) > most {
		return fmt.Errorf("it is larger than %d bytes", most)
	}
	return inspectors.ParseProm(r, text)
}
