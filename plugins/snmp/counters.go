package main

import (
	"math"
	"strings"
	"time"
)

const turn = 1 << 32 // a counter of 32 bits begins again here

// counters are the counters of 32 bits of one device. Such a counter begins again at zero
// when it is full, which for a busy interface is after some minutes. So what is reported
// is how much it has grown since the plugin first read it: that survives both the turn of
// the counter and a restart of the device, and begins at zero when the plugin is started
// again, which PromQL's rate and increase understand. Counters of 64 bits are reported as
// they are.
type counters struct {
	known map[string]growth // by series
	seen  map[string]bool   // in this run
	// ticks is the uptime of the device in hundredths of a second at the time at, if timed.
	ticks uint32
	at    time.Time
	timed bool
	// starts is how often the device has restarted meanwhile.
	starts int
}

type growth struct {
	last   uint32
	total  uint64
	starts int // as it was then
}

// begin begins a run, with the uptime that the device tells, if it does.
func (c *counters) begin(ticks uint32, timed bool, now time.Time) {
	if timed && c.timed && restarted(c.ticks, ticks, now.Sub(c.at)) {
		c.starts++
	}
	if timed {
		c.ticks, c.timed, c.at = ticks, true, now
	}
	c.seen = make(map[string]bool)
	if c.known == nil {
		c.known = make(map[string]growth)
	}
}

// restarted reports whether a device has restarted whose uptime has gone from one value to
// another in so much time. The uptime too begins again when it is full, after 497 days.
func restarted(from, to uint32, took time.Duration) bool {
	passed := float64(took) / float64(10*time.Millisecond)
	slack := max(1000, passed/20) // clocks differ
	expected := math.Mod(float64(from)+passed, turn)
	short := expected - float64(to)
	if short > turn/2 { // it was expected just before the turn
		short -= turn
	} else if short < -turn/2 {
		short += turn
	}
	return short > slack || to < from && float64(from)+passed+slack < turn
}

// grown returns how much a counter has grown since it was first read.
func (c *counters) grown(value uint32, series ...string) float64 {
	key := strings.Join(series, "\xff")
	g, known := c.known[key]
	switch {
	case !known:
	case g.starts != c.starts:
		g.total += uint64(value)
	case value >= g.last:
		g.total += uint64(value - g.last)
	case value-g.last < turn/2: // modulo 2^32: it was full
		g.total += uint64(value - g.last)
	default: // set back by the device
		g.total += uint64(value)
	}
	g.last, g.starts = value, c.starts
	c.known[key], c.seen[key] = g, true
	return float64(g.total)
}

// end ends a run that has read everything: counters that are not there any more are
// forgotten.
func (c *counters) end() {
	for key := range c.known {
		if !c.seen[key] {
			delete(c.known, key)
		}
	}
}
