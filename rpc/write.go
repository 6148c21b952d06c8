package rpc

import (
	"time"

	"github.com/gorilla/websocket"
)

// compressFromBytes is the size from which compression pays.
const compressFromBytes = 512

// writeLoop is the only goroutine that writes messages. It ends when the
// connection is down and what was still to be sent is sent.
func (p *Peer) writeLoop() {
	defer close(p.written)
	ping := time.NewTicker(p.opts.PingInterval)
	defer ping.Stop()
	for {
		if err := p.writeQueued(); err != nil {
			p.abort(closedError("write", err))
			return
		}
		select {
		case <-p.queue.ready:
		case <-ping.C:
			if err := p.control(websocket.PingMessage, nil); err != nil {
				p.abort(closedError("write", err))
				return
			}
		case <-p.down:
			p.writeLast()
			return
		}
	}
}

// writeQueued writes what is queued, then flushes.
func (p *Peer) writeQueued() error {
	for {
		if pong, ok := p.queue.takePong(); ok {
			if err := p.control(websocket.PongMessage, pong); err != nil {
				return err
			}
		}
		m, ok := p.queue.take()
		if !ok {
			return p.conn.flush()
		}
		if err := p.write(m); err != nil {
			return err
		}
	}
}

func (p *Peer) write(m outgoing) error {
	if p.opts.Compression {
		p.ws.EnableWriteCompression(len(m.data) >= compressFromBytes)
	}
	return p.ws.WriteMessage(p.codec.frameType(), m.data)
}

func (p *Peer) control(kind int, data []byte) error {
	// The deadline serves only to wait for another writer, and there is none.
	return p.ws.WriteControl(kind, data, time.Now().Add(p.opts.WriteTimeout))
}

// writeLast sends what was queued before a close by this end, and the close
// frame.
func (p *Peer) writeLast() {
	p.mu.Lock()
	closing := p.closing
	p.mu.Unlock()
	if closing == nil {
		return
	}
	// The reader's deadline ends the reader, and with it the socket, should
	// this block for too long.
	if err := p.writeQueued(); err != nil {
		_ = p.conn.Close()
		return
	}
	data := []byte{}
	if closing.Code != websocket.CloseNoStatusReceived {
		data = websocket.FormatCloseMessage(closing.Code, closing.Reason)
	}
	_ = p.control(websocket.CloseMessage, data)
	_ = p.conn.flush()
}
