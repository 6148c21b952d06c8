package state

import (
	"context"
	"strings"
	"sync"
)

// watchers receive every change, in order.
type watchers struct {
	mu  sync.Mutex
	all map[*watcher]struct{} // guarded by mu
}

// watcher is one call of Watch. Only the holder of watchers.mu sends to its
// channel.
type watcher struct {
	prefix string
	// events has one place more than the number of changes in it: for Lost.
	events chan Event
	lost   bool   // Lost was sent last
	stop   func() // watching for the end of its context
}

func (ws *watchers) add(ctx context.Context, prefix string) <-chan Event {
	w := &watcher{prefix: prefix, events: make(chan Event, WatchBuffer+1)}
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if ws.all == nil {
		ws.all = make(map[*watcher]struct{})
	}
	ws.all[w] = struct{}{}
	stop := context.AfterFunc(ctx, func() { ws.remove(w) })
	w.stop = func() { stop() }
	return w.events
}

func (ws *watchers) remove(w *watcher) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	ws.end(w)
}

// end closes the channel of a watcher, once. The caller holds mu.
func (ws *watchers) end(w *watcher) {
	if _, watching := ws.all[w]; watching {
		delete(ws.all, w)
		close(w.events)
	}
}

func (ws *watchers) close() {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for w := range ws.all {
		w.stop()
		ws.end(w)
	}
}

// publish announces writes that are done.
func (ws *watchers) publish(batch []*write) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	if len(ws.all) == 0 {
		return
	}
	for _, done := range batch {
		for _, e := range done.events {
			for w := range ws.all {
				if strings.HasPrefix(e.Key, w.prefix) {
					w.send(e)
				}
			}
		}
	}
}

// loseAll makes every watcher list again.
func (ws *watchers) loseAll() {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	for w := range ws.all {
		w.lose()
	}
}

func (w *watcher) send(e Event) {
	switch {
	case w.behind(): // it lists when it gets there, so e is not missed
	case len(w.events) >= WatchBuffer:
		w.lose()
	default:
		w.events <- e
	}
}

func (w *watcher) lose() {
	if !w.behind() {
		w.lost = true
		w.events <- Event{Lost: true} // there is room: see events
	}
}

// behind reports whether there is a Lost that the watcher has not taken yet.
// Because Lost is the last in the channel, it was taken if the channel is empty.
func (w *watcher) behind() bool {
	w.lost = w.lost && len(w.events) > 0
	return w.lost
}
