package rpc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"
)

// Peer is one end of a connection. All its methods may be called from any
// goroutine, also from handlers, except as their comments say.
type Peer struct {
	// Set before the goroutines start and never changed.
	ws       *websocket.Conn
	conn     *bufferedConn // below ws
	codec    codec
	handler  Handler // never nil
	inOrder  func(method string) bool
	opts     Options
	log      *slog.Logger
	shapes   *shapes
	pools    *pools
	queue    *queue
	ctx      context.Context // ends when the connection is down; carries the peer
	cancel   context.CancelCauseFunc
	slots    chan struct{} // one entry for each request in a goroutine
	down     chan struct{} // closed when the connection is down
	gone     chan struct{} // closed when every goroutine has ended
	written  chan struct{} // closed when the writer has ended
	onGone   func(error)   // or nil; runs before gone is closed
	handlers sync.WaitGroup

	lastID    atomic.Uint64 // of the calls of this end
	readLimit atomic.Int64  // bytes of a received message; 0 is Options.MaxFrameBytes

	mu       sync.Mutex                    // guards all below
	calls    map[uint64]chan<- answer      // waiting; nil while empty
	inFlight map[string]context.CancelFunc // requests being handled, by id; nil while empty
	err      error                         // why the connection is down; nil while it is up
	closing  *CloseError                   // the close frame to send, or nil
	identity any
}

// answer is the outcome of a call.
type answer struct {
	result []byte // raw
	err    error
}

// peerParts are what newPeer needs beside the Options.
type peerParts struct {
	ws       *websocket.Conn
	conn     *bufferedConn
	handler  Handler
	shapes   *shapes
	pools    *pools
	identity any
}

// newPeer makes a Peer. Its goroutines begin with start.
func newPeer(parts peerParts, o Options) *Peer {
	p := &Peer{
		ws: parts.ws, conn: parts.conn, handler: parts.handler, shapes: parts.shapes, pools: parts.pools,
		identity: parts.identity,
		codec:    codecByName(parts.ws.Subprotocol()),
		inOrder:  func(string) bool { return false },
		opts:     o,
		log:      o.Log.With("remote", parts.ws.RemoteAddr().String()),
		queue:    newQueue(o),
		slots:    make(chan struct{}, o.MaxInFlight),
		down:     make(chan struct{}), gone: make(chan struct{}), written: make(chan struct{}),
	}
	if p.handler == nil {
		p.handler = NewMux()
	}
	if ord, ok := p.handler.(Orderer); ok {
		p.inOrder = ord.InOrder
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	p.ctx, p.cancel = context.WithValue(ctx, peerKey{}, p), cancel
	p.ws.SetCloseHandler(func(int, string) error { return nil }) // the reader sees the CloseError
	p.conn.turnOn()
	return p
}

func (p *Peer) startWriter() { go p.writeLoop() }
func (p *Peer) startReader() { go p.readLoop() }

// Call calls a method of the other end and waits for its answer, which it reads
// into result unless that is nil. params is anything that encodes as an object
// or array, or nil for none.
//
// When ctx ends, Call returns at once with its cause and tells the other end,
// whose handler's context then ends. An answer that is an error is returned as
// *Error. When the connection goes down the error wraps ErrClosed. Call must
// not be used in a handler that is InOrder.
func (p *Peer) Call(ctx context.Context, method string, params, result any) error {
	id := p.lastID.Add(1)
	m, err := p.encodeRequest(id, method, params)
	if err != nil {
		return err
	}
	answers := make(chan answer, 1)
	if err := p.expect(id, answers); err != nil {
		return fmt.Errorf("cannot call %q: %w", method, err)
	}
	defer p.lend(ctx)()
	if err := p.queue.put(ctx, m); err != nil {
		p.forget(id)
		return fmt.Errorf("cannot call %q: %w", method, err)
	}
	select {
	case a := <-answers:
		return p.readAnswer(method, a, result)
	case <-ctx.Done():
	}
	if !p.forget(id) { // it was answered in this very moment
		return p.readAnswer(method, <-answers, result)
	}
	if m, err := p.encodeRequest(0, methodCancel, cancelParams{ID: id}); err == nil {
		p.queue.try(m)
	}
	return fmt.Errorf("cannot wait for %q: %w", method, context.Cause(ctx))
}

// methodCancel is the notification that ends a request.
const methodCancel = "$/cancel"

type cancelParams struct {
	ID uint64 `json:"id"`
}

func (p *Peer) readAnswer(method string, a answer, result any) error {
	if a.err != nil {
		if _, ok := a.err.(*Error); ok {
			return a.err
		}
		return fmt.Errorf("cannot call %q: %w", method, a.err)
	}
	if result == nil {
		return nil
	}
	if err := p.codec.decode(a.result, result); err != nil {
		return fmt.Errorf("cannot read the result of %q: %w", method, err)
	}
	return nil
}

// expect registers a call.
func (p *Peer) expect(id uint64, answers chan<- answer) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return p.err
	}
	if p.calls == nil {
		p.calls = map[uint64]chan<- answer{}
	}
	p.calls[id] = answers
	return nil
}

// forget ends a call that nobody waits for any more; false if its answer has
// been sent to the channel.
func (p *Peer) forget(id uint64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, ok := p.calls[id]
	delete(p.calls, id)
	if len(p.calls) == 0 {
		p.calls = nil
	}
	return ok
}

// answered delivers an answer; false if nobody waits for it.
func (p *Peer) answered(id uint64, a answer) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	ch, ok := p.calls[id]
	if !ok {
		return false
	}
	delete(p.calls, id)
	if len(p.calls) == 0 {
		p.calls = nil
	}
	ch <- a // has room: one answer only
	return true
}

// Notify sends a notification. It waits for room in the queue, not for the
// other end.
func (p *Peer) Notify(ctx context.Context, method string, params any) error {
	m, err := p.encodeRequest(0, method, params)
	if err != nil {
		return err
	}
	if err := p.queue.put(ctx, m); err != nil {
		return fmt.Errorf("cannot notify %q: %w", method, err)
	}
	return nil
}

func (p *Peer) encodeRequest(id uint64, method string, params any) (outgoing, error) {
	var buf bytes.Buffer
	if err := p.codec.appendRequest(&buf, id, method, params); err != nil {
		return outgoing{}, fmt.Errorf("cannot encode the params of %q: %w", method, err)
	}
	return outgoing{data: buf.Bytes()}, p.fits(buf.Len(), method)
}

func (p *Peer) fits(n int, method string) error {
	if int64(n) > p.opts.MaxFrameBytes {
		return fmt.Errorf("cannot send %q: %w: %d bytes, at most %d", method, ErrTooLarge, n, p.opts.MaxFrameBytes)
	}
	return nil
}

// Close takes the connection down with a close code (RFC 6455, section 7.4) and a
// reason of at most 123 bytes; longer ones are cut. Messages that are queued are still
// sent. Close does not wait, so handlers may call it; see Wait. It returns an error
// that wraps ErrClosed when the connection was down before.
func (p *Peer) Close(code int, reason string) error {
	ce := &CloseError{Code: code, Reason: cutReason(reason), Local: true}
	p.queue.close(ce, false) // first, so that nothing is taken and then not sent
	return p.fail(ce, ce)
}

func cutReason(s string) string {
	const limit = 123 // a control frame's 125 less the code
	if len(s) <= limit {
		return s
	}
	s = s[:limit]
	for len(s) > 0 && !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s
}

// fail takes the connection down because of err, once: it returns the earlier
// reason if there is one. closing is the close frame to send, or nil for none.
func (p *Peer) fail(err error, closing *CloseError) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return p.err
	}
	p.err, p.closing = err, closing
	for id, ch := range p.calls {
		ch <- answer{err: err}
		delete(p.calls, id)
	}
	p.cancel(err)
	close(p.down)
	if closing != nil {
		// From here the reader only looks for the other end's close frame.
		_ = p.conn.SetReadDeadline(time.Now().Add(closeGrace))
	}
	return nil
}

// abort takes the connection down without a close frame.
func (p *Peer) abort(err error) {
	_ = p.fail(err, nil)
	p.queue.close(err, true)
	_ = p.conn.Close()
}

// Done is closed as soon as the connection is down, by either end or by a
// fault. Handlers may still be running; their contexts have ended.
func (p *Peer) Done() <-chan struct{} { return p.down }

// Err says why the connection is down: a *CloseError when either end closed it,
// otherwise what went wrong; in any case it wraps ErrClosed. It is nil while the
// connection is up.
func (p *Peer) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// Wait returns when the connection is down and every goroutine of the peer has
// ended, handlers too. It must not be called in a handler.
func (p *Peer) Wait() { <-p.gone }

// RemoteAddr returns the network address of the other end.
func (p *Peer) RemoteAddr() string { return p.ws.RemoteAddr().String() }

// Codec returns the subprotocol that the connection speaks.
func (p *Peer) Codec() string { return p.codec.name() }

// Queued returns how many messages wait to be sent.
func (p *Peer) Queued() int { return p.queue.len() }

// SetReadLimit bounds received messages from now on, in bytes, to less than
// Options.MaxFrameBytes; 0 removes the bound. It keeps the memory small that is given to
// clients who have not logged in yet.
func (p *Peer) SetReadLimit(bytes int64) { p.readLimit.Store(bytes) }

func (p *Peer) maxRead() int64 {
	if n := p.readLimit.Load(); n > 0 {
		return min(n, p.opts.MaxFrameBytes)
	}
	return p.opts.MaxFrameBytes
}

// Identity returns the identity that Server.Authenticate gave the other end, or nil.
func (p *Peer) Identity() any { return p.identity }

// closedError says that the connection was lost rather than closed.
func closedError(doing string, err error) error {
	if ce, ok := errors.AsType[*websocket.CloseError](err); ok && ce.Code == websocket.CloseAbnormalClosure {
		err = errors.New("the other end hung up without a word")
	}
	if ne, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](err); ok && ne.Timeout() {
		err = errors.New("the other end is silent")
	}
	return fmt.Errorf("%w: cannot %s: %w", ErrClosed, doing, err)
}
