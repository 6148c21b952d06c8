// Package textfile reports the metrics that other programs leave in the .prom
// files of a folder, as for the textfile collector of node_exporter.
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

// So much of a file is read at most.
const most = 4 << 20

// Inspect reads every file. One that cannot be read keeps none of the others back.
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

// report adds what is in a file, and how old that is.
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
