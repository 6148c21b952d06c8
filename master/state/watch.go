package state

import (
	"context"
	"strings"
)

// watcher is one call of Watch. The store's writes guards it.
type watcher struct {
	prefix string
	events chan Event // of WatchBuffer, and one more for Lost
	lost   bool       // Lost is the last of events
	stop   func() bool
}

// Watch implements Store.
func (s *store) Watch(ctx context.Context, prefix string) (<-chan Event, error) {
	if err := checkPrefix(prefix); err != nil {
		return nil, err
	}
	end, err := s.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	s.writes.Lock()
	defer s.writes.Unlock()
	w := &watcher{prefix: prefix, events: make(chan Event, WatchBuffer+1)}
	s.watchers[w] = struct{}{}
	w.stop = context.AfterFunc(ctx, func() {
		s.writes.Lock()
		defer s.writes.Unlock()
		s.forget(w)
	})
	return w.events, nil
}

// forget ends a watcher. The caller holds writes.
func (s *store) forget(w *watcher) {
	if _, there := s.watchers[w]; there {
		w.stop()
		delete(s.watchers, w)
		close(w.events)
	}
}

// tell hands events to those who watch. The caller holds writes, which keeps
// their order that of the writes, and is the only one who sends.
func (s *store) tell(events []Event) {
	for w := range s.watchers {
		for i := range events {
			if strings.HasPrefix(events[i].Key, w.prefix) {
				w.send(events[i])
			}
		}
	}
}

func (s *store) tellLost() {
	for w := range s.watchers {
		w.lose()
	}
}

func (w *watcher) send(e Event) {
	if w.lost && len(w.events) > 0 {
		return // it lists again when it gets there
	}
	w.lost = false
	if len(w.events) == WatchBuffer {
		w.lose()
		return
	}
	w.events <- e
}

func (w *watcher) lose() {
	if w.lost && len(w.events) > 0 {
		return
	}
	w.lost = true
	w.events <- Event{Lost: true}
}
