package live

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/vedettehq/vedette/inspectors"
)

// IdleAfter is how long a series may be silent before the hub forgets it. It is
// known again as soon as it reports.
const IdleAfter = 15 * time.Minute

// Series is one series in the hub. Its fields do not change.
type Series struct {
	Host   string
	Key    string
	Labels inspectors.Labels
	Kind   inspectors.Kind

	id   string
	path string // metrics/<host>/<key>

	// Guarded by Hub.mu.
	known  bool // in Hub.series
	latest Point
	heard  time.Time // the master's clock
}

// Path returns the event path of the series.
func (s *Series) Path() string { return s.path }

// Point is a value at a time.
type Point struct {
	T int64 // ms since the epoch, UTC, by the clock of the host
	V float64
}

// Sample is a point of a series.
type Sample struct {
	Series *Series
	Point
}

// Hub is safe for use from many goroutines.
type Hub struct {
	mu            sync.Mutex
	series        map[string]*Series // by id
	perHost       map[string]int
	subscriptions map[*Subscription]struct{}

	lost atomic.Uint64 // of all subscriptions, including closed ones
}

// NewHub makes an empty hub.
func NewHub() *Hub {
	return &Hub{
		series:        make(map[string]*Series),
		perHost:       make(map[string]int),
		subscriptions: make(map[*Subscription]struct{}),
	}
}

// Intern returns the one Series with these names, which must be valid. The kind is
// that of the first call. An unknown series is made only if its host has fewer
// than most; otherwise Intern returns nil.
func (h *Hub) Intern(host, key string, labels inspectors.Labels, kind inspectors.Kind, most int) *Series {
	id := host + "/" + key + labels.String()
	h.mu.Lock()
	defer h.mu.Unlock()
	if s, ok := h.series[id]; ok {
		return s
	}
	if h.perHost[host] >= most {
		return nil
	}
	s := &Series{Host: host, Key: key, Labels: labels, Kind: kind, id: id, path: "metrics/" + host + "/" + key}
	h.addLocked(s)
	return s
}

// Publish passes samples to every matching subscription. It does not wait, and
// keeps nothing of the slice.
func (h *Hub) Publish(samples []Sample) {
	now := time.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, sample := range samples {
		s := sample.Series
		if !s.known {
			h.addLocked(s)
		}
		s.heard = now
		if sample.T >= s.latest.T {
			s.latest = sample.Point
		}
	}
	for sub := range h.subscriptions {
		sub.add(samples)
	}
}

// Announce passes an event that is not a sample to every subscription that matches
// its path. The data must not be changed afterwards.
func (h *Hub) Announce(path string, data any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for sub := range h.subscriptions {
		sub.announce(path, data)
	}
}

// SeriesCount returns how many series are known, of one host or, if host is empty,
// in all.
func (h *Hub) SeriesCount(host string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	if host == "" {
		return len(h.series)
	}
	return h.perHost[host]
}

// Subscriptions returns how many readers there are.
func (h *Hub) Subscriptions() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.subscriptions)
}

// Lost returns how many samples and events readers have missed since the start,
// because they were too slow.
func (h *Hub) Lost() uint64 { return h.lost.Load() }

// Sweep forgets the series that have been silent for IdleAfter.
func (h *Hub) Sweep(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for id, s := range h.series {
		if now.Sub(s.heard) < IdleAfter {
			continue
		}
		delete(h.series, id)
		s.known = false
		if h.perHost[s.Host]--; h.perHost[s.Host] == 0 {
			delete(h.perHost, s.Host)
		}
		for sub := range h.subscriptions {
			sub.forget(s)
		}
	}
}

func (h *Hub) addLocked(s *Series) {
	if other, ok := h.series[s.id]; ok && other != s {
		// s was forgotten while a connection still held it, and the same series
		// has come back in another way: the new one gives way to the old.
		other.known = false
		h.perHost[s.Host]--
	}
	h.series[s.id] = s
	h.perHost[s.Host]++
	s.known = true
	s.heard = time.Now()
}
