package rpc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// readLoop is the only goroutine that reads. It ends when the connection is
// down and, after a close by this end, when the other end has answered with its
// own close frame or closeGrace is over. It ends the peer.
func (p *Peer) readLoop() {
	// Deferred, for a handler in order may end the goroutine.
	defer func() {
		p.abort(closedError("read", errors.New("a handler ended the reading")))
		<-p.written
		p.handlers.Wait()
		if p.onGone != nil {
			p.onGone(p.Err())
		}
		close(p.gone)
	}()
	p.readMessages()
}

func (p *Peer) readMessages() {
	reader := &messageReader{peer: p}
	// Both are called while next waits.
	p.ws.SetPingHandler(func(data string) error {
		reader.alive()
		p.queue.setPong(data)
		return nil
	})
	p.ws.SetPongHandler(func(string) error {
		reader.alive()
		return nil
	})
	for {
		kind, err := reader.next()
		if err != nil {
			p.readFailed(err)
			return
		}
		if p.isDown() {
			continue // this end has closed: what still comes is not heard
		}
		if kind != p.codec.frameType() {
			_ = p.Close(CloseUnsupportedData, "this connection speaks "+p.codec.name()+": "+frameWord(p.codec.frameType())+" frames only")
			continue
		}
		if err := reader.read(p.handleFrame); err != nil {
			p.readFailed(err)
			return
		}
	}
}

func frameWord(kind int) string {
	if kind == websocket.TextMessage {
		return "text"
	}
	return "binary"
}

func (p *Peer) isDown() bool {
	select {
	case <-p.down:
		return true
	default:
		return false
	}
}

// readFailed takes the connection down after err ended the reading.
func (p *Peer) readFailed(err error) {
	if ce, ok := errors.AsType[*websocket.CloseError](err); ok && ce.Code != websocket.CloseAbnormalClosure {
		got := &CloseError{Code: ce.Code, Reason: ce.Text}
		_ = p.fail(got, got) // the close frame goes back as it came
		p.queue.close(got, true)
		select {
		case <-p.written:
		case <-time.After(closeGrace):
		}
		return
	}
	_ = p.conn.flush() // the library may have written a close frame for a protocol error
	p.abort(closedError("read", err))
}

// messageReader reads messages off the socket into pooled buffers.
type messageReader struct {
	peer    *Peer
	r       io.Reader
	touched time.Time // when the read deadline was last moved
}

// alive moves the deadline by which something must be received. Moving it for
// every read would cost more than it is worth.
func (r *messageReader) alive() {
	now, timeout := time.Now(), r.peer.opts.PongTimeout
	if now.Sub(r.touched) < timeout/16 {
		return
	}
	r.touched = now
	r.peer.mu.Lock()
	defer r.peer.mu.Unlock()
	if r.peer.err == nil { // after that closeGrace is what counts
		_ = r.peer.conn.SetReadDeadline(now.Add(timeout))
	}
}

// next waits for a message and returns its type of frame.
func (r *messageReader) next() (int, error) {
	r.alive()
	kind, rd, err := r.peer.ws.NextReader()
	r.r = rd
	return kind, err
}

// read reads the message that next found and gives it to handle, for as long
// as handle runs. A message beyond the limit closes the connection.
func (r *messageReader) read(handle func([]byte)) error {
	buf := r.peer.pools.getRead()
	defer r.peer.pools.putRead(buf)
	data, limit := (*buf)[:0], r.peer.maxRead()
	for {
		if len(data) == cap(data) {
			data = slices.Grow(data, max(4<<10, len(data)))
		}
		n, err := r.r.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		*buf = data
		if int64(len(data)) > limit {
			_ = r.peer.Close(CloseTooBig, fmt.Sprintf("a message may have at most %d bytes", limit))
			return nil
		}
		if err == io.EOF {
			handle(data)
			return nil
		}
		if err != nil {
			return err
		}
		r.alive()
	}
}

// handleFrame handles one received message, which it may use until it returns.
func (p *Peer) handleFrame(data []byte) {
	if len(data) == 0 {
		p.reply(nil, nil, Errorf(CodeParse, "the frame is empty"))
		return
	}
	if err := p.codec.check(data); err != nil {
		p.reply(nil, nil, Errorf(CodeParse, "cannot read the frame: %v", err))
		return
	}
	if !p.codec.isArray(data) {
		p.handleMessage(data, nil)
		return
	}
	items := p.codec.elements(data)
	switch {
	case len(items) == 0:
		p.reply(nil, nil, Errorf(CodeInvalidRequest, "the batch is empty"))
	case len(items) > maxBatch:
		p.reply(nil, nil, Errorf(CodeInvalidRequest, "the batch has %d messages, at most %d are taken", len(items), maxBatch))
	default:
		b := &batch{open: 1}
		for _, item := range items {
			p.handleMessage(item, b)
		}
		p.batchDone(b, nil)
	}
}

// handleMessage handles one message. b is the batch it came in, or nil.
func (p *Peer) handleMessage(data []byte, b *batch) {
	e, fault := p.codec.split(data)
	switch {
	case fault != nil && !e.hasMethod && (e.result != nil || e.err != nil):
		p.log.Warn("ignored a malformed answer", "error", fault)
	case fault != nil:
		b.add()
		p.reply(b, e.id, fault)
	case e.isAnswer():
		p.handleAnswer(e)
	case e.method == methodCancel && e.id == nil:
		p.handleCancel(e)
	default:
		p.handleRequest(e, b)
	}
}

func (p *Peer) handleAnswer(e envelope) {
	id, ok := p.codec.idNumber(e.id)
	a := answer{result: bytes.Clone(e.result)}
	if e.err != nil && !(e.result != nil && p.codec.isNull(e.err)) {
		re := new(Error)
		if err := p.codec.decode(e.err, re); err != nil {
			re = Errorf(CodeInternal, "the error of the answer cannot be read: %v", err)
		}
		a = answer{err: re}
	}
	switch {
	case ok && p.answered(id, a):
	case ok && id != 0 && id <= p.lastID.Load():
		p.log.Debug("ignored an answer that nobody waits for", "id", id)
	default:
		p.log.Warn("ignored an answer with an unknown id", "id", p.codec.idKey(e.id), "error", a.err)
	}
}

// handleCancel ends the context of a request.
func (p *Peer) handleCancel(e envelope) {
	// The params have one member of an envelope, the id, and need only that.
	var params envelope
	if e.params != nil {
		params, _ = p.codec.split(e.params)
	}
	if params.id == nil {
		p.log.Warn("ignored a malformed notification", "method", methodCancel)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if cancel, ok := p.inFlight[p.codec.idKey(params.id)]; ok {
		cancel()
	}
}

// handleRequest handles a request or notification, here if it has to be in order,
// otherwise in a goroutine, for which it may have to wait.
func (p *Peer) handleRequest(e envelope, b *batch) {
	req := &Request{Method: e.method, Peer: p, Notification: e.id == nil, params: e.params}
	if e.id != nil {
		b.add()
	}
	if p.inOrder(e.method) {
		p.serve(p.ctx, req, e.id, b, func() {})
		return
	}
	// The goroutine outlives the frame's buffer.
	req.params = bytes.Clone(e.params)
	id := bytes.Clone(e.id)
	place := p.takeSlot()
	if place == nil {
		return
	}
	ctx, done, err := p.track(id)
	if err != nil {
		place.release()
		p.reply(b, id, err)
		return
	}
	p.handlers.Go(func() {
		defer place.release()
		p.serve(context.WithValue(ctx, slotKey{}, place), req, id, b, done)
	})
}

// track gives a request a context that a cancel notification can end.
func (p *Peer) track(id []byte) (context.Context, func(), *Error) {
	if id == nil || p.codec.isNull(id) {
		return p.ctx, func() {}, nil
	}
	key := p.codec.idKey(id)
	ctx, cancel := context.WithCancel(p.ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := p.inFlight[key]; ok {
		cancel()
		return nil, nil, Errorf(CodeInvalidRequest, "a request with this id is still being handled")
	}
	if p.inFlight == nil {
		p.inFlight = map[string]context.CancelFunc{}
	}
	p.inFlight[key] = cancel
	return ctx, func() {
		cancel()
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.inFlight, key)
		if len(p.inFlight) == 0 {
			p.inFlight = nil
		}
	}, nil
}

// serve runs the handler and answers, even if the handler panics or ends its
// goroutine. It calls done between the two, so that the caller may use the id
// again when it has the answer.
func (p *Peer) serve(ctx context.Context, req *Request, id []byte, b *batch, done func()) {
	var result any
	var err error = Errorf(CodeInternal, "internal error")
	defer func() {
		if v := recover(); v != nil {
			p.log.Error("a handler panicked", "method", req.Method, "panic", v, "stack", string(debug.Stack()))
		}
		var fault *Error
		if err != nil {
			fault = toError(ctx, err)
		}
		done()
		p.served(req, id, b, result, fault, err)
	}()
	result, err = p.handler.ServeRPC(ctx, req)
}

// served answers a request that was handled. fault is what to answer with if
// the handler returned err.
func (p *Peer) served(req *Request, id []byte, b *batch, result any, fault *Error, err error) {
	req.params = nil // it may be the frame's buffer
	closing, _ := errors.AsType[*CloseError](err)
	if closing != nil && p.isDown() {
		closing = nil // it came from a call on this connection
	}
	switch {
	case id == nil && err != nil:
		p.log.Warn("cannot handle a notification", "method", req.Method, "error", err)
	case id == nil:
	case err != nil:
		p.reply(b, id, fault)
	default:
		p.answer(b, id, req.Method, result)
	}
	if closing != nil {
		_ = p.Close(closing.Code, closing.Reason)
	}
}

// toError makes an error that can be answered.
func toError(ctx context.Context, err error) *Error {
	if re, ok := errors.AsType[*Error](err); ok {
		return re
	}
	if ce, ok := errors.AsType[*CloseError](err); ok {
		return Errorf(CodeInternal, "%s", ce.Reason)
	}
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return Errorf(CodeCancelled, "the request was cancelled")
	}
	return Errorf(CodeInternal, "%v", err)
}

// answer answers a request with its result.
func (p *Peer) answer(b *batch, id []byte, method string, result any) {
	var buf bytes.Buffer
	if err := p.codec.appendResult(&buf, id, result); err != nil {
		p.log.Error("cannot encode the result", "method", method, "error", err)
		p.reply(b, id, Errorf(CodeInternal, "cannot encode the result of %q: %v", method, err))
		return
	}
	if err := p.fits(buf.Len(), method); err != nil {
		p.log.Error("cannot answer", "method", method, "error", err)
		p.reply(b, id, Errorf(CodeInternal, "the result of %q is too large: %d bytes, at most %d", method, buf.Len(), p.opts.MaxFrameBytes))
		return
	}
	p.sendAnswer(b, buf.Bytes())
}

// reply answers with an error. id is nil when it is not known.
func (p *Peer) reply(b *batch, id []byte, e *Error) {
	var buf bytes.Buffer
	err := p.codec.appendError(&buf, id, e)
	if err == nil {
		err = p.fits(buf.Len(), "error")
	}
	if err != nil {
		p.log.Error("cannot encode an error", "error", err)
		buf.Reset()
		_ = p.codec.appendError(&buf, id, Errorf(e.Code, "the error cannot be encoded"))
	}
	p.sendAnswer(b, buf.Bytes())
}

func (p *Peer) sendAnswer(b *batch, data []byte) {
	if b != nil {
		p.batchDone(b, data)
		return
	}
	// It fails only when the connection is down, and then nobody listens.
	_ = p.queue.put(p.ctx, outgoing{data: data})
}

// batch gathers the answers of a batch. A nil batch is none.
type batch struct {
	mu      sync.Mutex // guards all
	open    int        // answers to come, and one while the batch is being read
	answers [][]byte
}

// add expects one more answer.
func (b *batch) add() {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.open++
}

// batchDone takes an answer, or nil when the batch was read, and sends all
// answers after the last.
func (p *Peer) batchDone(b *batch, data []byte) {
	b.mu.Lock()
	b.open--
	if data != nil {
		b.answers = append(b.answers, data)
	}
	last, answers := b.open == 0, b.answers
	b.mu.Unlock()
	if !last || len(answers) == 0 {
		return
	}
	var buf bytes.Buffer
	p.codec.appendBatch(&buf, answers)
	if p.fits(buf.Len(), "batch") == nil {
		p.sendAnswer(nil, buf.Bytes())
		return
	}
	// Together they are too large: better each alone than none.
	for _, a := range answers {
		p.sendAnswer(nil, a)
	}
}
