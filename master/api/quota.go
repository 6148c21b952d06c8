package api

import (
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/vedettehq/vedette/master/auth"
	"github.com/vedettehq/vedette/rpc"
)

const (
	// anonymousPerAddress bounds the connections from one address that have not
	// logged in.
	anonymousPerAddress = 64
	// connectionsPerCaller and connectionsPerAgent bound the connections with one
	// credential: each may have some megabytes in transit.
	connectionsPerCaller = 256
	connectionsPerAgent  = 32
	// subscriptionsPerCaller bounds the subscriptions with one credential, over
	// all of its connections: each takes time for every report that comes in.
	subscriptionsPerCaller = 1024
)

// shares counts the connections or subscriptions of callers, by name.
type shares struct {
	mu   sync.Mutex
	held map[string]int // guarded by mu; no zeros
}

// take counts one more, unless the limit has been reached.
func (s *shares) take(name string, most int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held[name] >= most {
		return false
	}
	if s.held == nil {
		s.held = make(map[string]int)
	}
	s.held[name]++
	return true
}

// full reports whether take would fail.
func (s *shares) full(name string, most int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held[name] >= most
}

func (s *shares) giveBack(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held[name]--; s.held[name] <= 0 {
		delete(s.held, name)
	}
}

// perCaller is how many WebSockets one credential may have: at most half of all, so
// that there are some for others.
func (a *API) perCaller() int { return min(max(a.MaxPeers/2, 1), connectionsPerCaller) }

// share returns the name under which a caller's connections count, and how many
// they may be. A caller that has not logged in is known by its address.
func (a *API) share(identity *auth.Identity, address string) (name string, most int) {
	if identity == nil {
		return "from " + addressOf(address), min(anonymousPerAddress, a.perCaller())
	}
	switch identity.Role {
	case auth.Local:
		return "as " + identity.Name, a.MaxPeers // this caller owns the master
	case auth.Agent:
		return "as " + identity.Name, min(a.perCaller(), connectionsPerAgent)
	}
	return "as " + identity.Name, a.perCaller()
}

// hasRoom refuses a connection before it is made if its caller has too many
// already.
func (a *API) hasRoom(identity *auth.Identity, r *http.Request) error {
	name, most := a.share(identity, r.RemoteAddr)
	if !a.connections.full(name, most) && (identity != nil || a.anonymous.Load() < a.maxAnonymous()) {
		return nil
	}
	return &rpc.HTTPError{Status: http.StatusServiceUnavailable, Body: "You have too many connections; close some.", RetryAfter: 5 * time.Second}
}

func (a *API) maxAnonymous() int64 { return int64(min(maxAnonymous, max(a.MaxPeers/4, 1))) }

func addressOf(address string) string {
	if host, _, err := net.SplitHostPort(address); err == nil {
		return host
	}
	return address
}
