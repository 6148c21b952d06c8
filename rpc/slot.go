package rpc

import (
	"context"
	"sync"
)

// slot is one of the MaxInFlight places of a peer, held by a request that is
// handled in a goroutine. While its handler waits for a call on the same peer
// the place is lent to other requests: reading must go on, or the answer that
// the handler waits for would never be read.
type slot struct {
	peer *Peer

	mu   sync.Mutex // guards all below
	lent int        // calls that the handler waits for
	held bool
}

type slotKey struct{}

// takeSlot waits for a place; nil when the connection goes down.
func (p *Peer) takeSlot() *slot {
	select {
	case p.slots <- struct{}{}:
		return &slot{peer: p, held: true}
	case <-p.down:
		return nil
	}
}

// lend gives the place of the handler whose context ctx is away, if it is a
// handler of p. The returned function takes it back.
func (p *Peer) lend(ctx context.Context) (takeBack func()) {
	s, ok := ctx.Value(slotKey{}).(*slot)
	if !ok || s.peer != p {
		return func() {}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lent++; s.lent == 1 && s.held {
		s.held = false
		<-p.slots
	}
	return s.takeBack
}

func (s *slot) takeBack() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lent--; s.lent > 0 || s.held {
		return
	}
	select {
	case s.peer.slots <- struct{}{}:
		s.held = true
	case <-s.peer.down:
	}
}

// release gives the place back for good.
func (s *slot) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held {
		s.held = false
		<-s.peer.slots
	}
}
