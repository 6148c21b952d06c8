package schedule

import (
	"hash/fnv"
	"time"
)

// A host has one beat, once a second, and its inspectors keep to it: those that
// are due together run together, and are reported together. A batch costs the
// agent as much as a dozen inspectors in it. All inspectors of one interval below
// two seconds are due at the same time; with a longer interval, each has its own
// second of the interval, so that they are not all due in the same one.
//
// Runs start on a grid. Each beat is a point of the coarse grid, and each point of
// the coarse grid is one of the fine grid.
const (
	beat       = time.Second
	coarseGrid = 250 * time.Millisecond
	fineGrid   = 50 * time.Millisecond // for intervals or windows below a second
)

// gridOf returns the grid for an interval or a window.
func gridOf(span time.Duration) time.Duration {
	if span < time.Second {
		return fineGrid
	}
	return coarseGrid
}

// instant is a moment in nanoseconds since the epoch, counted by the monotonic
// clock from one reading of the wall clock, so it never jumps.
type instant int64

func (t instant) add(d time.Duration) instant     { return t + instant(d) }
func (t instant) sub(other instant) time.Duration { return time.Duration(t - other) }

// ticker reads instants.
type ticker struct{ base time.Time }

func newTicker() ticker { return ticker{base: time.Now()} }

func (t ticker) now() instant {
	return instant(t.base.UnixNano()).add(time.Since(t.base))
}

// splay is where on the clock the inspectors of a host stand. Ten thousand hosts
// share their inspectors' names and intervals; they must not share the moment.
type splay struct {
	host   string
	offset time.Duration // of the host's beat, and of its grids
}

func newSplay(host string) splay {
	return splay{host: host, offset: time.Duration(mix(host) % uint64(beat))}
}

// phase is how long after each whole interval since the epoch the inspector is
// due: at a beat of the host, which depends on both names.
func (s splay) phase(name string, interval time.Duration) time.Duration {
	if interval < beat {
		return s.offset % interval
	}
	return s.offset + beat*time.Duration(mix(s.host, name)%uint64(interval/beat))
}

// align returns the first point of one of the host's grids that is not before t.
func (s splay) align(t instant, grid time.Duration) instant {
	return t + instant(floorMod(int64(s.offset)-int64(t), int64(grid)))
}

// after returns the first tick of the inspector that is later than t. Ticks are
// whole intervals since the epoch plus the phase, so they do not depend on when
// the agent started or how long a run took.
func (s splay) after(t instant, name string, interval time.Duration) instant {
	phase := instant(s.phase(name, interval))
	return t + instant(interval) - instant(floorMod(int64(t-phase), int64(interval)))
}

// early returns a time within window of t, for the first run of an inspector whose
// next tick is far away: the next beat if that is soon enough, otherwise a point
// of the fine grid that depends on the host.
func (s splay) early(t instant, window time.Duration) instant {
	if next := s.align(t, beat); next.sub(t) <= window {
		return next
	}
	slots := uint64(max(window/fineGrid, 1))
	return s.align(t, fineGrid).add(fineGrid * time.Duration(mix(s.host)%slots))
}

func floorMod(a, b int64) int64 {
	m := a % b
	if m < 0 {
		m += b
	}
	return m
}

// mix hashes strings evenly over all 64 bits: FNV-1a, then the finaliser of
// MurmurHash3, because FNV alone leaves the low bits of similar names alike.
func mix(parts ...string) uint64 {
	h := fnv.New64a()
	for _, part := range parts {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	x := h.Sum64()
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	x ^= x >> 33
	return x
}
