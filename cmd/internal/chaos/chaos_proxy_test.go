package chaos

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// proxy is a link between an agent and the master. It can be cut, stalled so that both ends
// believe it is still there, and slowed down.
type proxy struct {
	listener net.Listener
	target   string
	all      sync.WaitGroup
	carried  atomic.Int64 // bytes, both ways

	mu      sync.Mutex
	conns   map[net.Conn]struct{}
	cut     bool
	stalled chan struct{} // closed when the link continues; nil while it is not stalled
	delay   time.Duration // the delay of each piece of data
}

func newProxy(target string) (*proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{listener: listener, target: target, conns: make(map[net.Conn]struct{})}
	p.all.Go(p.accept)
	return p, nil
}

func (p *proxy) url() string { return "http://" + p.listener.Addr().String() }

func (p *proxy) accept() {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.all.Go(func() { p.serve(conn) })
	}
}

func (p *proxy) serve(agent net.Conn) {
	defer agent.Close()
	master, err := net.Dial("tcp", p.target)
	if err != nil || !p.keep(agent, master) {
		if master != nil {
			_ = master.Close()
		}
		return
	}
	defer p.forget(agent, master)
	var both sync.WaitGroup
	both.Go(func() { p.copy(agent, master) })
	both.Go(func() { p.copy(master, agent) })
	both.Wait()
}

// copy forwards data until one end closes; then it closes the other.
func (p *proxy) copy(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	buffer := make([]byte, 16<<10)
	for {
		n, err := from.Read(buffer)
		p.carried.Add(int64(n))
		p.pass()
		if _, werr := to.Write(buffer[:n]); err != nil || werr != nil {
			return
		}
	}
}

// pass waits until the link lets data through.
func (p *proxy) pass() {
	p.mu.Lock()
	stalled, delay := p.stalled, p.delay
	p.mu.Unlock()
	if stalled != nil {
		<-stalled
	}
	if delay > 0 {
		<-time.After(delay)
	}
}

func (p *proxy) keep(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		p.conns[c] = struct{}{}
	}
	return !p.cut
}

func (p *proxy) forget(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		delete(p.conns, c)
	}
}

// setCut closes every connection and refuses new ones, or accepts them again.
func (p *proxy) setCut(cut bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = cut
	if cut {
		for c := range p.conns {
			_ = c.Close()
		}
	}
}

// setStalled holds back all data, or lets it through.
func (p *proxy) setStalled(stalled bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case stalled && p.stalled == nil:
		p.stalled = make(chan struct{})
	case !stalled && p.stalled != nil:
		close(p.stalled)
		p.stalled = nil
	}
}

func (p *proxy) setDelay(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = d
}

// close closes the link for good, and waits for its goroutines.
func (p *proxy) close() {
	_ = p.listener.Close()
	p.setStalled(false)
	p.setCut(true)
	p.all.Wait()
}

// pause waits, or returns early when ctx ends. It reports whether to go on.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
