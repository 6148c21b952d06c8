package rpc

import (
	"bytes"
	"errors"
	"net"
	"testing"
	"time"
)

// recordingConn notes what reaches the socket.
type recordingConn struct {
	net.Conn
	writes    []int
	all       bytes.Buffer
	deadlines int
	err       error
}

func (c *recordingConn) Write(p []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	c.writes = append(c.writes, len(p))
	return c.all.Write(p)
}
func (c *recordingConn) SetWriteDeadline(time.Time) error { c.deadlines++; return nil }

// TestBufferedConn: a burst costs few system calls, and what is large goes out
// in chunks with a deadline each.
func TestBufferedConn(t *testing.T) {
	inner := &recordingConn{}
	c := &bufferedConn{Conn: inner, timeout: time.Second, pools: new(pools)}
	var want bytes.Buffer
	write := func(n int) {
		t.Helper()
		p := bytes.Repeat([]byte{byte(want.Len())}, n)
		want.Write(p)
		if got, err := c.Write(p); got != n || err != nil {
			t.Fatalf("Write returns %d, %v", got, err)
		}
	}
	write(10) // the handshake
	if len(inner.writes) != 1 {
		t.Error("the handshake is kept back")
	}
	c.turnOn()
	for range 1000 {
		write(50)
	}
	if n := len(inner.writes); n != 1+1000*50/writeBufferBytes {
		t.Errorf("1000 small writes made %d large ones before the flush", n-1)
	}
	write(writeChunkBytes + 1) // keeps its place behind what was written before
	write(1)
	if err := c.flush(); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(inner.all.Bytes(), want.Bytes()) {
		t.Error("the bytes are not those that were written")
	}
	if n := len(inner.writes); n != 1+4+2+1 || inner.deadlines != n-1 {
		t.Errorf("in all %d writes %v with %d deadlines", n, inner.writes, inner.deadlines)
	}
	if err := c.flush(); err != nil || len(inner.writes) != 8 {
		t.Errorf("a flush of nothing wrote, or failed with %v", err)
	}
	inner.err = errors.New("broken pipe")
	write(1)
	if err := c.flush(); !errors.Is(err, inner.err) {
		t.Errorf("flush returns %v", err)
	}
	if _, err := c.Write(make([]byte, writeChunkBytes)); !errors.Is(err, inner.err) {
		t.Errorf("Write returns %v", err)
	}
}
