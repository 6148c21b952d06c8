package live

import (
	"context"
	"sync"
)

// MaxBuffered is how many samples and events a subscription holds for a slow
// reader. It is about two seconds of the busiest page.
const MaxBuffered = 1 << 16

// Batch is the content of a subscription for its reader.
type Batch struct {
	Samples []Sample
	Events  []Event
	// Lost is how many samples and events did not fit since the last batch.
	Lost uint64
}

// Event is something that happened, other than a sample.
type Event struct {
	Path string
	Data any
}

// Subscription is one reader's interest. Next is called from one goroutine.
type Subscription struct {
	hub     *Hub
	pattern Pattern
	whole   bool          // stars match the product's own measurements too
	ready   chan struct{} // holds one token while pending is not empty, perhaps longer

	mu      sync.Mutex
	matches map[*Series]bool
	pending Batch
	spare   Batch // the buffers of the batch that was read last
}

// Subscribe starts a subscription. With latest, its first batch holds the latest
// value of every matching series, including the product's own measurements;
// without it, those come only if the pattern names them. Close must be called.
func (h *Hub) Subscribe(pattern Pattern, latest bool) *Subscription {
	sub := &Subscription{hub: h, pattern: pattern, whole: latest, ready: make(chan struct{}, 1), matches: make(map[*Series]bool)}
	h.mu.Lock()
	defer h.mu.Unlock()
	if latest {
		for _, s := range h.series {
			if s.latest.T != 0 {
				sub.add([]Sample{{s, s.latest}})
			}
		}
	}
	h.subscriptions[sub] = struct{}{}
	return sub
}

// Close ends the subscription; Next returns the rest, then waits for ctx.
func (s *Subscription) Close() {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	delete(s.hub.subscriptions, s)
}

// Next waits for something to read. The batch is not empty, and is the caller's
// until the next call. The error is that of ctx.
func (s *Subscription) Next(ctx context.Context) (Batch, error) {
	for {
		select {
		case <-ctx.Done():
			return Batch{}, ctx.Err()
		case <-s.ready:
		}
		// The previous batch may have had everything that this token announced.
		if batch, ok := s.take(); ok {
			return batch, nil
		}
	}
}

// take returns the waiting batch, if there is one.
func (s *Subscription) take() (Batch, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	batch := s.pending
	if len(batch.Samples)+len(batch.Events) == 0 && batch.Lost == 0 {
		return Batch{}, false
	}
	clear(s.spare.Samples)
	clear(s.spare.Events)
	s.pending = Batch{Samples: s.spare.Samples[:0], Events: s.spare.Events[:0]}
	s.spare = batch
	return batch, true
}

func (s *Subscription) add(samples []Sample) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sample := range samples {
		match, known := s.matches[sample.Series]
		if !known {
			match = s.wants(sample.Series)
			s.matches[sample.Series] = match
		}
		if !match {
			continue
		}
		if s.fullLocked() {
			s.loseLocked()
			continue
		}
		s.pending.Samples = append(s.pending.Samples, sample)
		s.wake()
	}
}

func (s *Subscription) wants(series *Series) bool {
	if s.whole {
		return s.pattern.Match(series.path)
	}
	return s.pattern.Names(series.Host, series.Key)
}

func (s *Subscription) announce(path string, data any) {
	if !s.pattern.Match(path) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fullLocked() {
		s.loseLocked()
		return
	}
	s.pending.Events = append(s.pending.Events, Event{path, data})
	s.wake()
}

func (s *Subscription) forget(series *Series) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.matches, series)
}

func (s *Subscription) fullLocked() bool {
	return len(s.pending.Samples)+len(s.pending.Events) >= MaxBuffered
}

func (s *Subscription) loseLocked() {
	s.pending.Lost++
	s.hub.lost.Add(1)
}

func (s *Subscription) wake() {
	select {
	case s.ready <- struct{}{}:
	default:
	}
}
