// Package conns bounds the connections of a server, so that nobody can keep others
// out by holding many of them, and so that descriptors are left for the files of
// the history.
//
// Connections that have become WebSockets are not counted here: their server
// bounds them itself, by Limits.Peers. All others belong to a client that is
// making a request and has proved its identity, to a known client that is idle, or
// to an unknown one. When there are too many, from one address or in total, those
// of unknown clients are closed first, and among them the one that has been silent
// for longest. A newcomer is let in.
package conns

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/vedettehq/vedette/master/auth"
	"github.com/vedettehq/vedette/master/owner"
)

// Limits of a Table.
type Limits struct {
	// Plain bounds the connections that are not WebSockets.
	Plain int
	// PerAddress bounds those of them that come from one address and have not
	// proved an identity.
	PerAddress int
	// Peers is how many WebSockets there may be. The Table only carries it.
	Peers int
}

const (
	// maxPlain is enough for every Grafana and every page that is being loaded.
	maxPlain   = 4096
	perAddress = 128
	maxPeers   = 100_000
	// keptBack is the least number of descriptors that are left alone: the history
	// has one for each file of each block, the state and the log some.
	keptBack = 256
)

// LimitsFor divides up descriptors: a quarter is kept back for files, and a fifth
// of the rest is for plain connections.
func LimitsFor(descriptors int) Limits {
	free := max(descriptors-max(descriptors/4, keptBack), descriptors/4, 16)
	plain := min(max(free/5, 8), maxPlain)
	return Limits{Plain: plain, PerAddress: min(perAddress, max(plain/2, 4)), Peers: min(free-plain, maxPeers)}
}

// Table knows the connections of one server.
type Table struct {
	limits Limits

	mu      sync.Mutex // guards all below
	plain   map[net.Conn]*conn
	address map[string]int // connections that have proved nothing, by address
	cut     uint64
}

// conn is a connection that is not a WebSocket. Guarded by Table.mu.
type conn struct {
	address string
	since   time.Time // of the last change of its state
	busy    bool      // a request is being answered
	proved  bool
}

// New makes a table.
func New(limits Limits) *Table {
	return &Table{limits: limits, plain: make(map[net.Conn]*conn), address: make(map[string]int)}
}

// Limits returns the bounds.
func (t *Table) Limits() Limits { return t.limits }

// Watch makes the table watch the connections of a server that does not serve yet.
func (t *Table) Watch(server *http.Server) {
	server.ConnState = t.changed
	server.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		ctx = context.WithValue(ctx, connKey{}, c)
		return auth.WithOwner(ctx, sync.OnceValue(func() bool { return owner.Trusted(c) == nil }))
	}
}

type connKey struct{}

// Prove notes that a request of the connection had valid credentials.
func (t *Table) Prove(r *http.Request) {
	c, ok := r.Context().Value(connKey{}).(net.Conn)
	if !ok {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if known := t.plain[c]; known != nil && !known.proved {
		known.proved = true
		t.uncountLocked(known.address)
	}
}

// Plain returns how many connections that are not WebSockets there are, and how
// many were cut off so far.
func (t *Table) Plain() (open int, cut uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.plain), t.cut
}

// changed is called by the server for each change of a connection, for a new one
// before the next is accepted.
func (t *Table) changed(c net.Conn, state http.ConnState) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	switch state {
	case http.StateNew:
		known := &conn{address: auth.Machine(c.RemoteAddr().String()), since: now}
		t.plain[c] = known
		t.address[known.address]++
		if t.address[known.address] > t.limits.PerAddress {
			t.cutLocked(func(other *conn) bool { return other != known && !other.proved && other.address == known.address })
		}
		if len(t.plain) > t.limits.Plain {
			t.cutLocked(func(other *conn) bool { return other != known })
		}
	case http.StateActive, http.StateIdle:
		if known := t.plain[c]; known != nil {
			known.busy, known.since = state == http.StateActive, now
		}
	default: // hijacked or closed
		t.forgetLocked(c)
	}
}

// cutLocked closes the connection that will be missed least.
func (t *Table) cutLocked(candidate func(*conn) bool) {
	var worst net.Conn
	for c, known := range t.plain {
		if candidate(known) && (worst == nil || known.before(t.plain[worst])) {
			worst = c
		}
	}
	if worst == nil {
		return
	}
	t.cut++
	t.forgetLocked(worst)
	if secure, ok := worst.(*tls.Conn); ok {
		worst = secure.NetConn() // closes at once, without telling a client that may not read it
	}
	_ = worst.Close()
}

// before reports which of two connections goes first.
func (c *conn) before(other *conn) bool {
	if a, b := c.worth(), other.worth(); a != b {
		return a < b
	}
	return c.since.Before(other.since)
}

func (c *conn) worth() int {
	switch {
	case c.proved && c.busy:
		return 2
	case c.proved:
		return 1
	}
	return 0 // busy or not: half a request is as easy to send as none
}

func (t *Table) forgetLocked(c net.Conn) {
	known := t.plain[c]
	if known == nil {
		return
	}
	delete(t.plain, c)
	if !known.proved {
		t.uncountLocked(known.address)
	}
}

func (t *Table) uncountLocked(address string) {
	if t.address[address]--; t.address[address] <= 0 {
		delete(t.address, address)
	}
}
