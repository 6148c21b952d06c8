// Package openfiles tells how many files and sockets are open on this host, and how
// close that is to the kernel's limit.
//
//vedette:name open-files
//vedette:interval 10s
//vedette:alert many warning used_percent > 90 clear < 85 for 5m "{{ $labels.host }} uses {{ $value | printf "%.0f" }} % of its open files"
package openfiles

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/vedettehq/vedette/inspectors"
)

const (
	files   = "/proc/sys/fs/file-nr"
	sockets = "/proc/net/sockstat"
)

// Inspect reads two files of the kernel.
func Inspect(_ context.Context, r *inspectors.Report) error {
	text, err := os.ReadFile(files)
	if err != nil {
		return err
	}
	fields := strings.Fields(string(text))
	if len(fields) != 3 {
		return fmt.Errorf("%s has %d numbers, not 3", files, len(fields))
	}
	open, err := strconv.ParseFloat(fields[0], 64)
	if err != nil {
		return err
	}
	most, err := strconv.ParseFloat(fields[2], 64)
	if err != nil {
		return err
	}
	r.Gauge("open", open)
	r.Gauge("limit", most)
	if most > 0 {
		r.Gauge("used_percent", open/most*100)
	}
	if text, err = os.ReadFile(sockets); err != nil {
		return err
	}
	for _, line := range strings.Split(string(text), "\n") {
		name, rest, _ := strings.Cut(line, ":")
		fields := strings.Fields(rest)
		if len(fields) < 2 || fields[0] != "used" && fields[0] != "inuse" {
			continue
		}
		if v, err := strconv.ParseFloat(fields[1], 64); err == nil {
			r.Gauge("sockets", v, "kind", strings.ToLower(name))
		}
	}
	return nil
}
