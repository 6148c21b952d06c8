package history

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/master/history/forward"
)

// Defaults of Options.
const (
	DefaultRetention  = 15 * 24 * time.Hour
	DefaultOutOfOrder = 24 * time.Hour
	DefaultMaxFuture  = 10 * time.Minute
)

// MinRetention is the shortest retention: one block of the database.
const MinRetention = blockDuration

// blockDuration is what the newest samples cover before they move from the log
// into a block.
const blockDuration = 2 * time.Hour

// Options configure a Store. Zero values stand for the defaults.
type Options struct {
	// Dir is the folder of the store. Empty keeps samples only as long as the process
	// lives: older ones are moved to a temporary folder, which is removed at the end.
	Dir string
	// Retention is how long samples are stored; DefaultRetention. Whole blocks are
	// removed, so some stay for up to a tenth longer.
	Retention time.Duration
	// MaxBytes bounds the store on disk, the log included; 0 is no bound. The
	// oldest blocks go first.
	MaxBytes int64
	// OutOfOrder is how late a sample may come; DefaultOutOfOrder.
	OutOfOrder time.Duration
	// MaxFuture is how far ahead of this clock a sample may be;
	// DefaultMaxFuture. One sample from tomorrow would make those of today late.
	MaxFuture time.Duration
	// MaxSeriesPerHost bounds the active series of one host, which are those with a sample
	// in the last two to three hours; config.DefaultMaxSeriesPerHost.
	MaxSeriesPerHost int
	// MaxSeries bounds the active series of all hosts;
	// config.DefaultMaxSeries. Plan 3 KB of memory each.
	MaxSeries int
	// MinFreeBytes is how much of the file system must stay free: with less, nothing is
	// appended. 0 chooses 256 MiB plus a twentieth of the file system, at most 1.25 GiB in
	// all.
	MinFreeBytes int64
	// Forward are told of stored samples before these are acknowledged.
	Forward []Forwarder
	// Log receives messages for an administrator; nil is silent.
	Log *slog.Logger
	// Alive, or nil, is called whenever the store makes progress: often while it reads the
	// log of the last run, and at least once a second by the loop that writes. It must not
	// block, and may be called from several goroutines.
	Alive func()
	// Version is shown in the API's build information.
	Version string

	// For tests: the clock, the bytes of a segment of the log, to write whether
	// there is space or not, how often to try after a failed write, and how much
	// memory queries may take.
	now          func() time.Time
	segmentBytes int
	ignoreSpace  bool
	reopenEvery  time.Duration
	queryBytes   int64
}

// Forwarder is told of every stored sample. One goroutine calls Forward, which must not
// retain the slice. An error makes the history ask the sender to keep its samples and to
// send them again.
type Forwarder interface {
	Forward(samples []forward.Sample) error
}

func (o Options) withDefaults() Options {
	o.Retention = orDefault(o.Retention, DefaultRetention)
	o.OutOfOrder = orDefault(o.OutOfOrder, min(DefaultOutOfOrder, o.Retention))
	o.MaxFuture = orDefault(o.MaxFuture, DefaultMaxFuture)
	o.MaxSeriesPerHost = orDefault(o.MaxSeriesPerHost, config.DefaultMaxSeriesPerHost)
	o.MaxSeries = orDefault(o.MaxSeries, config.DefaultMaxSeries)
	o.reopenEvery = orDefault(o.reopenEvery, reopenEvery)
	o.queryBytes = orDefault(o.queryBytes, queryBytes)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Alive == nil {
		o.Alive = func() {}
	}
	if o.now == nil {
		o.now = time.Now
	}
	return o
}

func orDefault[T comparable](value, fallback T) T {
	var zero T
	if value == zero {
		return fallback
	}
	return value
}

func (o Options) validate() error {
	switch {
	case o.Retention < MinRetention:
		return fmt.Errorf("cannot keep history for %s: the shortest retention is %s", o.Retention, MinRetention)
	case o.OutOfOrder < 0 || o.OutOfOrder > o.Retention:
		return fmt.Errorf("cannot take samples that are %s late: that must be between 0 and the retention of %s", o.OutOfOrder, o.Retention)
	case o.MaxBytes < 0, o.MinFreeBytes < 0, o.MaxSeriesPerHost < 0, o.MaxSeries < 0, o.MaxFuture < 0:
		return fmt.Errorf("cannot use history options with a negative bound: %+v", o)
	}
	return nil
}
