// Package auth decides who a caller is and what it may do. A caller is known by
// a bearer token, of which the master's configuration holds the SHA-256; a
// master without tokens listens on loopback only and takes everybody there for
// an operator.
package auth

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/vedettehq/vedette/config"
)

// Role is what a credential is for. Each role is for itself: an operator's
// token cannot report in the name of a host.
type Role string

const (
	// Agent may report for the host of its credential.
	Agent Role = "agent"
	// Viewer may look at everything and change nothing.
	Viewer Role = "viewer"
	// Operator may look and change.
	Operator Role = "operator"
	// Local is anybody on loopback of a master without tokens: an operator that
	// may also report for any host.
	Local Role = "local"
)

// Identity is who a caller is.
type Identity struct {
	Name string
	Role Role
	Host string // of an agent's credential
}

// MayView reports whether the caller may look at hosts and metrics.
func (i Identity) MayView() bool { return i.Role == Viewer || i.Role == Operator || i.Role == Local }

// MayOperate reports whether the caller may change things.
func (i Identity) MayOperate() bool { return i.Role == Operator || i.Role == Local }

// MayReportFor returns nil when the caller may report samples of the host.
func (i Identity) MayReportFor(host string) error {
	switch {
	case i.Role == Local, i.Role == Agent && i.Host == host:
		return nil
	case i.Role == Agent:
		return fmt.Errorf("the credential %q is for host %q, not for %q", i.Name, i.Host, host)
	}
	return fmt.Errorf("the credential %q is a %s's; reporting needs an agent's", i.Name, i.Role)
}

// ErrToken is returned for a token that the master does not know.
var ErrToken = errors.New("unknown token")

// Authenticator knows the tokens of a master.
type Authenticator struct {
	tokens map[[sha256.Size]byte]Identity
}

// New makes an Authenticator of the configured tokens, none of them for a
// master that is open to everybody on loopback.
func New(tokens []config.Token) (*Authenticator, error) {
	a := &Authenticator{tokens: make(map[[sha256.Size]byte]Identity, len(tokens))}
	for _, token := range tokens {
		sum, err := hex.DecodeString(token.SHA256)
		if err != nil || len(sum) != sha256.Size {
			return nil, fmt.Errorf("cannot use token %q: sha256 is not 64 hex digits", token.Name)
		}
		role := Role(token.Role)
		if role != Agent && role != Viewer && role != Operator {
			return nil, fmt.Errorf("cannot use token %q: unknown role %q; use agent, viewer or operator", token.Name, token.Role)
		}
		if (role == Agent) != (token.Host != "") {
			return nil, fmt.Errorf("cannot use token %q: an agent's token names a host, and only an agent's", token.Name)
		}
		if _, dup := a.tokens[[sha256.Size]byte(sum)]; dup {
			return nil, fmt.Errorf("cannot use token %q: another has the same sha256", token.Name)
		}
		a.tokens[[sha256.Size]byte(sum)] = Identity{Name: token.Name, Role: role, Host: token.Host}
	}
	return a, nil
}

// Open reports whether no token is needed.
func (a *Authenticator) Open() bool { return len(a.tokens) == 0 }

// Token returns the identity of a token, or ErrToken. The hash is looked up, so
// the time it takes says nothing of the token.
func (a *Authenticator) Token(token string) (Identity, error) {
	if a.Open() {
		return Identity{Name: "local", Role: Local}, nil
	}
	identity, ok := a.tokens[sha256.Sum256([]byte(token))]
	if !ok {
		return Identity{}, ErrToken
	}
	return identity, nil
}

// Request returns who sent an HTTP request. It is nil, nil for a request
// without credentials to a master that needs them: such a caller may log in.
func (a *Authenticator) Request(r *http.Request) (*Identity, error) {
	if known, ok := r.Context().Value(answerKey{}).(answer); ok {
		return known.identity, known.err
	}
	header := r.Header.Get("Authorization")
	if header == "" && !a.Open() {
		return nil, nil
	}
	token, ok := strings.CutPrefix(header, "Bearer ")
	if header != "" && !ok {
		return nil, errors.New("the Authorization header is not \"Bearer\" and a token")
	}
	identity, err := a.Token(token)
	if err != nil {
		return nil, err
	}
	return &identity, nil
}

// answer is what Request said.
type answer struct {
	identity *Identity
	err      error
}

type answerKey struct{}

// Remember returns a request for which Request says the same again.
func Remember(r *http.Request, identity *Identity, err error) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), answerKey{}, answer{identity, err}))
}

// CheckHost refuses requests that a foreign web page could have sent. On an
// open master the Host header must name loopback, which a name that an attacker
// has pointed at 127.0.0.1 (DNS rebinding) does not.
func (a *Authenticator) CheckHost(r *http.Request) error {
	if !a.Open() || IsLoopback(r.Host) {
		return nil
	}
	return fmt.Errorf("host %q is not this machine's loopback; open http://127.0.0.1 or http://localhost", r.Host)
}

// CheckOrigin reports whether a WebSocket may be opened: not from a page of
// another origin. Programs that are not browsers send no Origin.
func (a *Authenticator) CheckOrigin(r *http.Request) bool {
	if a.CheckHost(r) != nil {
		return false
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && strings.EqualFold(u.Host, r.Host)
}

// IsLoopback reports whether a host, with or without a port, is a loopback
// address or localhost.
func IsLoopback(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	host = strings.Trim(host, "[]")
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
