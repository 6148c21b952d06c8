// Package cpu reports how busy the CPUs are, all of them together: in percent
// since the last run, and in seconds by mode since the system started.
//
//vedette:name cpu
//vedette:interval 1s
package cpu

import (
	"context"
	"errors"
	"math"

	"github.com/shirou/gopsutil/v3/cpu"
	"github.com/vedettehq/vedette/inspectors"
)

// seconds are the seconds that the CPUs have spent in each mode.
type seconds struct {
	user, system, iowait, steal, idle float64
}

var (
	last    seconds
	started bool
)

func Inspect(ctx context.Context, r *inspectors.Report) error {
	times, err := cpu.TimesWithContext(ctx, false)
	if err != nil {
		return err
	}
	if len(times) == 0 {
		return errors.New("the system reports no CPU times")
	}
	t := times[0]
	now := seconds{
		user:   t.User + t.Nice,
		system: t.System + t.Irq + t.Softirq,
		iowait: t.Iowait,
		steal:  t.Steal,
		idle:   t.Idle,
	}
	if started {
		percents(r, last, now)
	}
	last, started = now, true
	r.Counter("seconds_total", now.user, "mode", "user")
	r.Counter("seconds_total", now.system, "mode", "system")
	r.Counter("seconds_total", now.iowait, "mode", "iowait")
	r.Counter("seconds_total", now.steal, "mode", "steal")
	r.Counter("seconds_total", now.idle, "mode", "idle")
	return nil
}

// percents reports the shares of the time between two runs. It reports nothing if no time
// has passed; iowait may go backwards (proc(5)).
func percents(r *inspectors.Report, from, to seconds) {
	user := math.Max(0, to.user-from.user)
	system := math.Max(0, to.system-from.system)
	iowait := math.Max(0, to.iowait-from.iowait)
	steal := math.Max(0, to.steal-from.steal)
	idle := math.Max(0, to.idle-from.idle)
	all := user + system + iowait + steal + idle
	if all == 0 {
		return
	}
	r.Gauge("used_percent", (user+system+steal)/all*100)
	r.Gauge("user_percent", user/all*100)
	r.Gauge("system_percent", system/all*100)
	r.Gauge("iowait_percent", iowait/all*100)
	r.Gauge("steal_percent", steal/all*100)
}
