package route

import (
	"slices"
	"time"

	"github.com/prometheus/alertmanager/dispatch"
)

// openWithin is how far OpenFrom looks.
const openWithin = 8 * 24 * time.Hour

// Hours tells when the time intervals of ways let messages through. It is for one answer
// about many alerts, in one goroutine: it keeps what it has found, as thousands of alerts
// go the same few ways.
type Hours struct {
	run  *running
	from map[minuteOfWay]time.Time
}

// minuteOfWay is a minute, since 1970, of a way. Time intervals begin and end with minutes.
type minuteOfWay struct {
	way    *dispatch.Route
	minute int64
}

// Hours returns the hours of the running configuration.
func (r *Router) Hours() *Hours {
	return &Hours{run: r.now(), from: make(map[minuteOfWay]time.Time)}
}

// OpenFrom returns when, from a time on, the time intervals of a way let messages
// through: that time, or the minute at which they do. It returns the zero time if
// they do not within openWithin.
func (h *Hours) OpenFrom(way *dispatch.Route, from time.Time) time.Time {
	if h.run == nil || !h.limited(way) {
		return from
	}
	key := minuteOfWay{way, from.Unix() / 60}
	open, known := h.from[key]
	if !known {
		open = h.search(way, from.Truncate(time.Minute))
		h.from[key] = open
	}
	if !open.IsZero() && open.Before(from) {
		return from
	}
	return open
}

func (h *Hours) limited(way *dispatch.Route) bool {
	return len(way.RouteOpts.MuteTimeIntervals)+len(way.RouteOpts.ActiveTimeIntervals) > 0
}

// search looks for the first minute at which a way lets messages through.
func (h *Hours) search(way *dispatch.Route, minute time.Time) time.Time {
	for at := minute; at.Before(minute.Add(openWithin)); at = at.Add(time.Minute) {
		if muting, outside := h.Shut(way, at); len(muting)+len(outside) == 0 {
			return at
		}
	}
	return time.Time{}
}

// Shut returns why a way lets no message through at a time: the intervals that mute it
// then, and those outside of which it is silent. It returns neither if the way is open.
func (h *Hours) Shut(way *dispatch.Route, at time.Time) (muting, outside []string) {
	if h.run == nil || !h.limited(way) {
		return nil, nil
	}
	_, muting, err := h.run.intervals.Mutes(way.RouteOpts.MuteTimeIntervals, at)
	if err != nil {
		return nil, nil
	}
	only := way.RouteOpts.ActiveTimeIntervals
	if len(only) == 0 {
		return muting, nil
	}
	active, _, err := h.run.intervals.Mutes(only, at)
	if err != nil {
		return nil, nil
	}
	if !active {
		outside = slices.Clone(only)
	}
	return muting, outside
}
