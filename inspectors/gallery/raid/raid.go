// Package raid tells whether the disk arrays of Linux and the pools of ZFS are
// whole: how many disks are missing or failed, and how far a rebuild is.
//
//vedette:name raid
//vedette:interval 1m
//vedette:alert degraded critical missing_disks > 0 for 2m "the array {{ $labels.array }} of {{ $labels.host }} misses {{ $value }} disks"
//vedette:alert pool critical pool_online < 1 for 2m "the pool {{ $labels.pool }} of {{ $labels.host }} is not online"
package raid

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/vedettehq/vedette/inspectors"
)

const (
	arrays = "/proc/mdstat"
	pools  = "/proc/spl/kstat/zfs"
)

var (
	present = regexp.MustCompile(`\[(\d+)/(\d+)\]`)
	rebuilt = regexp.MustCompile(`(?:recovery|resync|reshape|check) *= *([0-9.]+)%`)
)

// Inspect reports nothing on a host that has neither.
func Inspect(_ context.Context, r *inspectors.Report) error {
	if err := linux(r); err != nil {
		return err
	}
	return zfs(r)
}

// linux reads the arrays: one line with the disks of each, and some about its state.
func linux(r *inspectors.Report) error {
	text, err := os.ReadFile(arrays)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	array := ""
	for _, line := range strings.Split(string(text), "\n") {
		name, rest, begins := strings.Cut(line, " : ")
		if begins && strings.HasPrefix(name, "md") {
			array = name
			active := 0.0
			if strings.HasPrefix(rest, "active") {
				active = 1
			}
			r.Gauge("active", active, "array", array)
			r.Gauge("failed_disks", float64(strings.Count(rest, "(F)")), "array", array)
			continue
		}
		if array == "" {
			continue
		}
		if m := present.FindStringSubmatch(line); m != nil {
			wanted, _ := strconv.ParseFloat(m[1], 64)
			there, _ := strconv.ParseFloat(m[2], 64)
			r.Gauge("missing_disks", wanted-there, "array", array)
		}
		if m := rebuilt.FindStringSubmatch(line); m != nil {
			percent, _ := strconv.ParseFloat(m[1], 64)
			r.Gauge("rebuilt_percent", percent, "array", array)
		}
	}
	return nil
}

// zfs reads the state of each pool.
func zfs(r *inspectors.Report) error {
	states, err := filepath.Glob(pools + "/*/state")
	if err != nil {
		return err
	}
	for _, file := range states {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		online := 0.0
		if strings.TrimSpace(string(text)) == "ONLINE" {
			online = 1
		}
		r.Gauge("pool_online", online, "pool", filepath.Base(filepath.Dir(file)))
	}
	return nil
}
