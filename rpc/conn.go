package rpc

import (
	"net"
	"sync"
	"time"
)

// pools are buffers that the peers of one server, or one dialled peer, share,
// so that an idle connection holds none.
type pools struct {
	frame sync.Pool // of gorilla/websocket: the frame being written
	write sync.Pool // *[]byte: written bytes that are not flushed yet
	read  sync.Pool // *[]byte: the message being read
}

const (
	writeBufferBytes = 16 << 10
	writeChunkBytes  = 64 << 10 // what must go out within WriteTimeout
	keepReadBytes    = 256 << 10
)

func (p *pools) getWrite() *[]byte {
	if b, ok := p.write.Get().(*[]byte); ok {
		return b
	}
	b := make([]byte, 0, writeBufferBytes)
	return &b
}

func (p *pools) getRead() *[]byte {
	if b, ok := p.read.Get().(*[]byte); ok {
		return b
	}
	b := make([]byte, 0, 4<<10)
	return &b
}

func (p *pools) putRead(b *[]byte) {
	if cap(*b) <= keepReadBytes {
		*b = (*b)[:0]
		p.read.Put(b)
	}
}

// bufferedConn gathers small writes until flush. It passes everything through
// until it is turned on, which is after the handshake. It sets the deadline of
// each write itself.
type bufferedConn struct {
	net.Conn
	timeout time.Duration
	pools   *pools

	mu  sync.Mutex // guards the rest, and writing
	on  bool
	buf *[]byte // or nil
}

func (c *bufferedConn) turnOn() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.on = true
}

// Write implements net.Conn.
func (c *bufferedConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.on {
		return c.Conn.Write(p)
	}
	if c.buf != nil && len(*c.buf)+len(p) > writeBufferBytes {
		if err := c.flushLocked(); err != nil {
			return 0, err
		}
	}
	if len(p) >= writeBufferBytes {
		if err := c.sendLocked(p); err != nil {
			return 0, err
		}
		return len(p), nil
	}
	if c.buf == nil {
		c.buf = c.pools.getWrite()
	}
	*c.buf = append(*c.buf, p...)
	return len(p), nil
}

// SetWriteDeadline does nothing once the connection is on: the deadline is
// set where bytes really go out.
func (c *bufferedConn) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.on {
		return nil
	}
	return c.Conn.SetWriteDeadline(t)
}

// flush sends the gathered bytes.
func (c *bufferedConn) flush() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.flushLocked()
}

func (c *bufferedConn) flushLocked() error {
	if c.buf == nil {
		return nil
	}
	err := c.sendLocked(*c.buf)
	*c.buf = (*c.buf)[:0]
	c.pools.write.Put(c.buf)
	c.buf = nil
	return err
}

// sendLocked sends p in chunks, each with its own deadline, so that a large
// message over a thin link is not taken for a dead one.
func (c *bufferedConn) sendLocked(p []byte) error {
	for len(p) > 0 {
		if err := c.Conn.SetWriteDeadline(time.Now().Add(c.timeout)); err != nil {
			return err
		}
		n, err := c.Conn.Write(p[:min(len(p), writeChunkBytes)])
		if err != nil {
			return err
		}
		p = p[n:]
	}
	return nil
}
