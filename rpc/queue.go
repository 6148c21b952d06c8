package rpc

import (
	"context"
	"sync"
)

// outgoing is a message on its way to the socket.
type outgoing struct{ data []byte }

// queue holds messages to be sent, bounded in messages and bytes. A message that is larger
// than the bound in bytes is accepted when the queue is empty.
type queue struct {
	maxMessages int
	maxBytes    int64
	ready       chan struct{} // has one entry when the writer has something to look at

	mu      sync.Mutex // guards all below
	items   []outgoing
	head    int // of items
	bytes   int64
	waiters int
	room    chan struct{} // closed when there may be room; nil while nobody waits
	closed  error         // why nothing more is taken, or nil
	pong    []byte        // the newest ping's data, to be answered; nil if none
}

func newQueue(o Options) *queue {
	return &queue{maxMessages: o.QueueMessages, maxBytes: o.QueueBytes, ready: make(chan struct{}, 1)}
}

func (q *queue) fitsLocked(n int) bool {
	count := len(q.items) - q.head
	return count == 0 || (count < q.maxMessages && q.bytes+int64(n) <= q.maxBytes)
}

func (q *queue) appendLocked(m outgoing) {
	q.items = append(q.items, m)
	q.bytes += int64(len(m.data))
	q.wake()
}

// wake tells the writer to look.
func (q *queue) wake() {
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

// put waits for room. It fails when ctx ends or the queue is closed.
func (q *queue) put(ctx context.Context, m outgoing) error {
	q.mu.Lock()
	waiting := false
	for {
		if q.closed != nil || (q.fitsLocked(len(m.data)) && (waiting || q.waiters == 0)) {
			break
		}
		if !waiting {
			waiting = true
			q.waiters++
		}
		if q.room == nil {
			q.room = make(chan struct{})
		}
		room := q.room
		q.mu.Unlock()
		var err error
		select {
		case <-room:
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
		q.mu.Lock()
		if err != nil {
			q.waiters--
			q.mu.Unlock()
			return err
		}
	}
	defer q.mu.Unlock()
	if waiting {
		q.waiters--
	}
	if q.closed != nil {
		return q.closed
	}
	q.appendLocked(m)
	return nil
}

// try never waits; it leaves room to those who do.
func (q *queue) try(m outgoing) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed != nil || q.waiters > 0 || !q.fitsLocked(len(m.data)) {
		return false
	}
	q.appendLocked(m)
	return true
}

// take returns the next message, if there is one.
func (q *queue) take() (outgoing, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.head == len(q.items) {
		return outgoing{}, false
	}
	m := q.items[q.head]
	q.items[q.head] = outgoing{}
	q.head++
	q.bytes -= int64(len(m.data))
	if q.head == len(q.items) {
		q.head = 0
		if q.items = q.items[:0]; cap(q.items) > 16 {
			q.items = nil // an idle peer is small
		}
	}
	q.wakeWaitersLocked()
	return m, true
}

func (q *queue) wakeWaitersLocked() {
	if q.room != nil {
		close(q.room)
		q.room = nil
	}
}

// setPong asks the writer to answer a ping. Only the newest ping needs an
// answer (RFC 6455, section 5.5.3).
func (q *queue) setPong(data string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.pong = []byte(data)
	if q.pong == nil {
		q.pong = []byte{}
	}
	q.wake()
}

func (q *queue) takePong() ([]byte, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	pong := q.pong
	q.pong = nil
	return pong, pong != nil
}

// close makes the queue refuse further messages. Those that are queued may still be
// taken, unless drop is set. The first error stays.
func (q *queue) close(err error, drop bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed == nil {
		q.closed = err
	}
	if drop {
		q.items, q.head, q.bytes = nil, 0, 0
	}
	q.wakeWaitersLocked()
	q.wake()
}

func (q *queue) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.items) - q.head
}
