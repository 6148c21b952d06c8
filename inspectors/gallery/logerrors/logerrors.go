// Package logerrors counts the lines of a log file, and those among them that report
// an error, from its start on. It continues with the next file when the log is
// rotated.
//
//vedette:name log-errors
//vedette:interval 10s
//vedette:needs fs:/var/log
package logerrors

import (
	"context"
	"regexp"
	"strings"

	"github.com/vedettehq/vedette/inspectors"
)

// The file, and which of its lines are errors.
var file = inspectors.NewTail("/var/log/syslog", inspectors.TailOptions{})

var bad = regexp.MustCompile(`(?im)^.*\b(error|fatal|panic|critical|emerg)\b.*$`)

var lines, errors float64

// Inspect reads the lines that were written since the last run.
func Inspect(ctx context.Context, r *inspectors.Report) error {
	text, err := file.Text(ctx)
	if err != nil {
		return err
	}
	lines += float64(strings.Count(text, "\n"))
	errors += float64(len(bad.FindAllStringIndex(text, -1)))
	r.Counter("lines_total", lines)
	r.Counter("errors_total", errors)
	r.Gauge("behind_bytes", float64(file.Behind()))
	return nil
}
