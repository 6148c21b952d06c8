// Package starve tells a process or a host that gets too little processor time
// from one that is at fault.
//
// A Watch looks at one process: in how much of the time that passed could it have
// worked? A Gauge sums up how long work on this host had to wait.
package starve

import (
	"fmt"
	"sync"
	"time"
)

const (
	// window is the period by which the state of a host is judged.
	window = 10 * time.Second
	// enough is how much of the window must have been spent waiting.
	enough = window / 10
	// slots divide the window.
	slots = 10
)

// Gauge counts how long work on this host had to wait for a processor, and knows
// from that whether the host is starved. A nil Gauge counts nothing. Its methods
// may be called from any goroutine.
type Gauge struct {
	mu      sync.Mutex
	total   time.Duration        // guarded by mu, like all below
	covered time.Time            // waits are counted up to here
	recent  [slots]time.Duration // waiting time, by period
	turned  [slots]int64         // the period that each entry of recent belongs to

	quota   string    // guarded by mu: the limit of a control group
	quotaOn time.Time // guarded by mu: when quota was read
}

// Add counts a wait. Waits at the same time count once.
func (g *Gauge) Add(from, to time.Time) {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if from.Before(g.covered) {
		from = g.covered
	}
	if !to.After(from) {
		return
	}
	g.covered = to
	g.total += to.Sub(from)
	const part = window / slots
	if oldest := to.Add(-window); from.Before(oldest) {
		from = oldest
	}
	for from.Before(to) {
		turn := from.UnixNano() / int64(part)
		end := time.Unix(0, (turn+1)*int64(part))
		step := min(end.Sub(from.Round(0)), to.Sub(from))
		if slot := turn % slots; g.turned[slot] == turn {
			g.recent[slot] += step
		} else {
			g.turned[slot], g.recent[slot] = turn, step
		}
		from = from.Add(max(step, 1))
	}
}

// Total is how long work had to wait since the start.
func (g *Gauge) Total() time.Duration {
	if g == nil {
		return 0
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.total
}

// Reason says why this host counts as starved at a time, or is empty if it does
// not: work had to wait for a tenth of the last ten seconds.
func (g *Gauge) Reason(now time.Time) string {
	if g == nil {
		return ""
	}
	g.mu.Lock()
	var sum time.Duration
	turn := now.UnixNano() / int64(window/slots)
	for slot := range g.recent {
		if age := turn - g.turned[slot]; age >= 0 && age < slots {
			sum += g.recent[slot]
		}
	}
	quota := ""
	if sum >= enough {
		quota = g.quotaLocked(now)
	}
	g.mu.Unlock()
	if sum < enough {
		return ""
	}
	text := fmt.Sprintf("what measures got no processor for %v of the last %v", sum.Round(100*time.Millisecond), window)
	for _, cause := range []string{quota, pressure()} {
		if cause != "" {
			text += "; " + cause
		}
	}
	return text
}

// quotaLocked is the limit that a control group sets for this process. It is read
// once in a window: a starved host has better things to do.
func (g *Gauge) quotaLocked(now time.Time) string {
	if g.quotaOn.IsZero() || now.Sub(g.quotaOn) >= window {
		g.quota, g.quotaOn = quota("/proc/self"), now
	}
	return g.quota
}
