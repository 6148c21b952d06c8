// Package logerrors counts the lines of a log file, and those that tell of an
// error, from when it starts. It goes on with the next file when the log is
// rotated.
//
//vedette:name log-errors
//vedette:interval 10s
//vedette:needs fs:/var/log
package logerrors

import (
	"bytes"
	"context"
	"io"
	"os"
	"regexp"

	"github.com/vedettehq/vedette/inspectors"
)

// The file, and which of its lines are errors.
const file = "/var/log/syslog"

var bad = regexp.MustCompile(`(?im)^.*\b(error|fatal|panic|critical|emerg)\b.*$`)

// A run reads so much at most; the next one goes on from there.
const most = 4 << 20

var (
	begun         bool
	offset        int64
	before        os.FileInfo
	lines, errors float64
)

// Inspect reads what was written since the last run.
func Inspect(_ context.Context, r *inspectors.Report) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	switch {
	case !begun:
		begun, offset = true, info.Size()
	case !os.SameFile(before, info) || info.Size() < offset:
		offset = 0
	}
	before = info
	text, err := io.ReadAll(io.NewSectionReader(f, offset, most))
	if err != nil {
		return err
	}
	// A line that is not finished is left for the next run, unless it never ends.
	end := bytes.LastIndexByte(text, '\n') + 1
	if end == 0 && len(text) == most {
		end = most
	}
	text = text[:end]
	offset += int64(end)
	lines += float64(bytes.Count(text, []byte("\n")))
	errors += float64(len(bad.FindAllIndex(text, -1)))
	r.Counter("lines_total", lines)
	r.Counter("errors_total", errors)
	r.Gauge("behind_bytes", float64(info.Size()-offset))
	return nil
}
