package rpc

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// pipeNet is a network without a kernel, so that its time can be that of
// synctest. What runs over it is the real HTTP server and the real WebSocket.
type pipeNet struct {
	accept chan net.Conn
	once   sync.Once
	closed chan struct{}

	mu    sync.Mutex
	conns []*pipeConn // client ends
}

func newPipeNet() *pipeNet {
	return &pipeNet{accept: make(chan net.Conn), closed: make(chan struct{})}
}

func (n *pipeNet) Accept() (net.Conn, error) {
	select {
	case c := <-n.accept:
		return c, nil
	case <-n.closed:
		return nil, net.ErrClosed
	}
}
func (n *pipeNet) Close() error   { n.once.Do(func() { close(n.closed) }); return nil }
func (n *pipeNet) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func (n *pipeNet) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	c := &pipeConn{Conn: client, cut: make(chan struct{})}
	select {
	case n.accept <- server:
	case <-n.closed:
		return nil, errors.New("connection refused")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.conns = append(n.conns, c)
	return c, nil
}

// dialMute shakes hands and is silent from then on. It reads on or not.
func (n *pipeNet) dialMute(reads bool) {
	c, err := n.dial(context.Background(), "", "")
	if err != nil {
		return
	}
	_, _ = c.Write([]byte("GET /rpc HTTP/1.1\r\nHost: m\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"))
	_, _ = c.Read(make([]byte, 4096))
	if reads {
		_, _ = io.Copy(io.Discard, c)
	}
}

// last returns the newest connection.
func (n *pipeNet) last() *pipeConn {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.conns[len(n.conns)-1]
}

// pipeConn can be made half-open: from then on its writes vanish, as those
// into a NAT that has forgotten the connection.
type pipeConn struct {
	net.Conn
	once sync.Once
	cut  chan struct{}
}

func (c *pipeConn) vanish() { c.once.Do(func() { close(c.cut) }) }

func (c *pipeConn) Write(p []byte) (int, error) {
	select {
	case <-c.cut:
		return len(p), nil
	default:
		return c.Conn.Write(p)
	}
}

// start serves s over the pipe network until stop is called.
func (n *pipeNet) start(s *Server) (stop func()) {
	hs := &http.Server{Handler: s}
	done := make(chan struct{})
	go func() { _ = hs.Serve(n); close(done) }()
	return func() {
		_ = s.Shutdown(context.Background())
		_ = hs.Close()
		<-done
	}
}

func TestIdleConnectionLives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newPipeNet()
		defer n.start(&Server{Handler: testMux()})()
		p, err := Dial(t.Context(), "http://master", DialOptions{NetDial: n.dial})
		if err != nil {
			t.Fatal(err)
		}
		select {
		case <-p.Done():
			t.Fatalf("an idle connection ended: %v", p.Err())
		case <-time.After(24 * time.Hour):
		}
		if err := p.Call(t.Context(), "test.nothing", nil, nil); err != nil {
			t.Error(err)
		}
		_ = p.Close(CloseNormal, "")
		p.Wait()
	})
}

// TestHalfOpen: an end whose frames vanish is found within 15 s by the other,
// which ends its handlers.
func TestHalfOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newPipeNet()
		gone := make(chan error, 1)
		s := &Server{Handler: testMux(), OnDisconnect: func(_ *Peer, err error) { gone <- err }}
		defer n.start(s)()
		p, err := Dial(t.Context(), "http://master", DialOptions{NetDial: n.dial})
		if err != nil {
			t.Fatal(err)
		}
		waiting := make(chan error, 1)
		go func() { waiting <- p.Call(t.Context(), "test.wait", nil, nil) }()
		<-time.After(time.Hour)
		n.last().vanish()
		cut := time.Now()
		err = <-gone
		if took := time.Since(cut); took > 15*time.Second || took < 5*time.Second {
			t.Errorf("found after %v", took)
		}
		if !errors.Is(err, ErrClosed) {
			t.Errorf("got %v", err)
		}
		wantContains(t, err.Error(), "silent")
		if err := <-waiting; !errors.Is(err, ErrClosed) {
			t.Errorf("the waiting call got %v", err)
		}
		p.Wait()
	})
}

// TestWriteDeadline: an end that neither reads nor says anything is given up.
func TestWriteDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newPipeNet()
		connected, gone := make(chan *Peer, 1), make(chan error, 1)
		s := &Server{
			Options:      Options{PongTimeout: time.Hour, WriteTimeout: 10 * time.Second},
			OnConnect:    func(p *Peer) { connected <- p },
			OnDisconnect: func(_ *Peer, err error) { gone <- err },
		}
		defer n.start(s)()
		go n.dialMute(false)
		p := <-connected
		began := time.Now()
		if err := p.Notify(t.Context(), "event", nil); err != nil {
			t.Fatal(err)
		}
		err := <-gone
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("given up after %v", took)
		}
		wantContains(t, err.Error(), "cannot write")
		_ = n.last().Close()
	})
}

// TestCloseUnanswered: a close that the other end does not answer is over after
// closeGrace.
func TestCloseUnanswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newPipeNet()
		connected := make(chan *Peer, 1)
		s := &Server{OnConnect: func(p *Peer) { connected <- p }}
		defer n.start(s)()
		go n.dialMute(true)
		sp := <-connected
		synctest.Wait()
		began := time.Now()
		_ = sp.Close(CloseNormal, "")
		sp.Wait()
		if took := time.Since(began); took != closeGrace {
			t.Errorf("took %v", took)
		}
	})
}
