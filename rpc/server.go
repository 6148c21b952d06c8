package rpc

import (
	"bufio"
	"context"
	"errors"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// Server accepts connections: it is an http.Handler that answers WebSocket upgrades. Its
// fields must be set before it serves. It has no goroutines but those of its peers;
// Shutdown ends them.
type Server struct {
	Handler Handler // of the requests of every peer; nil knows no method
	Options Options

	// Authenticate looks at the request before anything is allocated for it. An error
	// refuses it: an *HTTPError with its own answer, any other with 401 and the text of
	// the error. nil lets everyone in, with a nil identity.
	Authenticate func(*http.Request) (identity any, err error)
	// CheckOrigin tells whether a browser's page may connect. nil allows pages
	// of the server itself only, and clients that are not browsers.
	CheckOrigin func(*http.Request) bool
	// MaxPeers bounds the connections; more are refused with 503. 0 is no bound.
	MaxPeers int

	// OnConnect, or nil, is called before anything is read from the peer. It
	// must not Call it.
	OnConnect func(*Peer)
	// OnDisconnect, or nil, is called when the connection is down and every
	// handler of the peer has returned.
	OnDisconnect func(*Peer, error)

	shapes shapes
	pools  pools

	mu       sync.Mutex // guards all below
	peers    map[*Peer]struct{}
	pending  int           // upgrades under way
	shutdown bool          // no more peers
	idle     chan struct{} // closed when there are no peers; nil unless shut down
}

const (
	serverReadBytes  = 2 << 10 // larger messages are read past this buffer
	handshakeTimeout = 10 * time.Second
)

// ServeHTTP implements http.Handler. It returns when the connection is made;
// the request's context has nothing to do with the peer.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !websocket.IsWebSocketUpgrade(r) {
		refuse(w, notAnUpgrade(r))
		return
	}
	if asked := websocket.Subprotocols(r); len(asked) > 0 && !slices.ContainsFunc(asked, isSubprotocol) {
		http.Error(w, "None of the subprotocols "+strings.Join(asked, ", ")+" is spoken here; ask for "+
			SubprotocolCBOR+" or "+SubprotocolJSON+" or none.", http.StatusBadRequest)
		return
	}
	if !s.originAllowed(r) {
		refuse(w, &HTTPError{Status: http.StatusForbidden, Body: OriginRefusal(r)})
		return
	}
	if !s.reserve() {
		refuse(w, &HTTPError{Status: http.StatusServiceUnavailable, Body: "No more connections are taken now.", RetryAfter: 5 * time.Second})
		return
	}
	identity, err := s.authenticate(r)
	if err != nil {
		s.release(nil)
		refuse(w, err)
		return
	}
	p, err := s.upgrade(w, r, identity)
	if err != nil {
		s.release(nil)
		s.log().Debug("cannot upgrade", "remote", r.RemoteAddr, "error", err)
		return
	}
	s.run(p)
}

// notAnUpgrade says what is wrong with a request that is not a WebSocket upgrade. If it
// was one and has lost the headers on its way, it came through a proxy that does not
// forward WebSockets.
func notAnUpgrade(r *http.Request) *HTTPError {
	switch {
	case r.Header.Get("Sec-WebSocket-Key") != "":
		return &HTTPError{Status: http.StatusUpgradeRequired, Body: "The headers Upgrade and Connection of this WebSocket request are gone: " +
			"a proxy in front of this server must hand them on; docs/proxy.md has a configuration."}
	case r.Method != http.MethodGet:
		return &HTTPError{
			Status: http.StatusMethodNotAllowed,
			Body:   "This address speaks JSON-RPC 2.0 over a WebSocket, which begins with a GET; see rpc/PROTOCOL.md.",
		}
	}
	return &HTTPError{Status: http.StatusBadRequest, Body: "This address speaks JSON-RPC 2.0 over a WebSocket; see rpc/PROTOCOL.md."}
}

func isSubprotocol(name string) bool { return name == SubprotocolCBOR || name == SubprotocolJSON }

// originAllowed asks CheckOrigin, or compares the page's host with the host
// that was asked for. Only browsers send an Origin.
func (s *Server) originAllowed(r *http.Request) bool {
	if s.CheckOrigin != nil {
		return s.CheckOrigin(r)
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && strings.EqualFold(u.Host, r.Host)
}

// OriginRefusal says why a request is refused that comes from a page of another origin,
// or is for another host. It names both, because a proxy that changes the Host makes
// one origin look like two.
func OriginRefusal(r *http.Request) string {
	origin := r.Header.Get("Origin")
	switch site := r.Header.Get("Sec-Fetch-Site"); {
	case origin == "" && site != "" && site != "none" && site != "same-origin":
		return "Pages of other origins may not ask " + r.Host + " (Sec-Fetch-Site: " + site + ")."
	case origin == "":
		return "Connections to the host name " + r.Host + " are not taken here."
	}
	text := "Pages of " + origin + " may not connect to " + r.Host + "."
	if u, err := url.Parse(origin); err == nil && !strings.EqualFold(u.Host, r.Host) {
		text += " Where they are one, a proxy in front of this server changes the Host: it must hand on " + u.Host +
			", with the port; docs/proxy.md has a configuration."
	}
	return text
}

func (s *Server) authenticate(r *http.Request) (any, error) {
	if s.Authenticate == nil {
		return nil, nil
	}
	return s.Authenticate(r)
}

// refuse answers with an error in place of an upgrade.
func refuse(w http.ResponseWriter, err error) {
	he, ok := errors.AsType[*HTTPError](err)
	if !ok {
		he = &HTTPError{Status: http.StatusUnauthorized, Body: err.Error()}
	}
	switch he.Status {
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", "Bearer")
	case http.StatusUpgradeRequired:
		w.Header().Set("Upgrade", "websocket")
	case http.StatusMethodNotAllowed:
		w.Header().Set("Allow", http.MethodGet)
	}
	if he.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(he.RetryAfter.Seconds()))))
	}
	http.Error(w, he.Body, he.Status)
}

func (s *Server) upgrade(w http.ResponseWriter, r *http.Request, identity any) (*Peer, error) {
	o := s.Options.withDefaults()
	h := &hijacker{ResponseWriter: w, timeout: o.WriteTimeout, pools: &s.pools}
	u := websocket.Upgrader{
		HandshakeTimeout:  handshakeTimeout,
		ReadBufferSize:    serverReadBytes,
		WriteBufferPool:   &s.pools.frame,
		Subprotocols:      []string{SubprotocolCBOR, SubprotocolJSON},
		CheckOrigin:       func(*http.Request) bool { return true }, // it was checked
		EnableCompression: o.Compression,
		Error: func(w http.ResponseWriter, _ *http.Request, status int, reason error) {
			http.Error(w, reason.Error(), status)
		},
	}
	ws, err := u.Upgrade(h, r, nil)
	if err != nil {
		return nil, err
	}
	parts := peerParts{ws: ws, conn: h.conn, handler: s.Handler, shapes: &s.shapes, pools: &s.pools, identity: identity}
	return newPeer(parts, o), nil
}

// run starts the goroutines of a peer.
func (s *Server) run(p *Peer) {
	p.onGone = func(err error) {
		if s.OnDisconnect != nil {
			s.OnDisconnect(p, err)
		}
		s.release(p)
	}
	s.mu.Lock()
	s.pending--
	if s.peers == nil {
		s.peers = map[*Peer]struct{}{}
	}
	s.peers[p] = struct{}{}
	down := s.shutdown
	s.mu.Unlock()
	p.startWriter()
	if s.OnConnect != nil {
		s.OnConnect(p)
	}
	p.startReader()
	if down {
		_ = p.Close(CloseGoingAway, shutdownReason)
	}
}

const shutdownReason = "the server stops"

// reserve makes room for a peer, if it may be.
func (s *Server) reserve() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shutdown || (s.MaxPeers > 0 && len(s.peers)+s.pending >= s.MaxPeers) {
		return false
	}
	s.pending++
	return true
}

// release forgets a peer, or a reservation if p is nil.
func (s *Server) release(p *Peer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p == nil {
		s.pending--
	} else {
		delete(s.peers, p)
	}
	s.signalLocked()
}

func (s *Server) signalLocked() {
	if s.idle != nil && len(s.peers) == 0 && s.pending == 0 {
		close(s.idle)
		s.idle = nil
	}
}

// Peers returns the peers that are connected, in no order.
func (s *Server) Peers() []*Peer {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*Peer, 0, len(s.peers))
	for p := range s.peers {
		all = append(all, p)
	}
	return all
}

// Shutdown accepts no more connections, closes every peer with CloseGoingAway and waits
// until all their goroutines have ended. If ctx ends before, it cuts the connections and
// returns the cause; handlers that ignore their context may then still run.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.shutdown = true
	if s.idle == nil {
		s.idle = make(chan struct{})
	}
	idle := s.idle
	s.signalLocked()
	s.mu.Unlock()
	for _, p := range s.Peers() {
		_ = p.Close(CloseGoingAway, shutdownReason)
	}
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
	}
	for _, p := range s.Peers() {
		p.abort(ErrClosed)
	}
	return context.Cause(ctx)
}

// hijacker puts a bufferedConn between the library and the socket.
type hijacker struct {
	http.ResponseWriter
	timeout time.Duration
	pools   *pools
	conn    *bufferedConn // after Hijack
}

// Hijack implements http.Hijacker.
func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	h.conn = &bufferedConn{Conn: c, timeout: h.timeout, pools: h.pools}
	return h.conn, rw, nil
}

func (s *Server) log() *slog.Logger { return s.Options.withDefaults().Log }
