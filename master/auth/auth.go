// Package auth decides who a caller is and what it may do. A caller is known by a
// bearer token, whose SHA-256 the master's configuration or its state holds, by the
// certificate of a host that has joined, or by the session of a user who has logged in.
// If a master has no tokens in its configuration, the kernel says which user is at the other
// end of a connection over loopback: the master's own user and root may do everything.
// Everybody else there needs the key that the master has made, or another credential;
// beyond loopback everybody needs a credential.
package auth

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/master/scope"
	"github.com/vedettehq/vedette/master/twopersons"
	"github.com/vedettehq/vedette/rpc/wire"
)

// Role is what a credential is for. Each role is for itself: an operator's
// token cannot report in the name of a host.
type Role string

const (
	// Agent may report for the host of its credential.
	Agent Role = "agent"
	// Viewer may look at everything and change nothing.
	Viewer Role = "viewer"
	// Operator may look, and change what runs.
	Operator Role = "operator"
	// Admin may do what an operator may, and change who may do what.
	Admin Role = "admin"
	// Local is the user who runs a master without tokens, root, and whoever has its
	// key: an admin that may also report for any host.
	Local Role = "local"
)

// Identity is who a caller is.
type Identity struct {
	Name string
	Role Role
	Host string // of an agent's credential
	// Hosts selects the hosts that the role is for: package scope has the rest. "" is
	// all.
	Hosts string

	token [sha256.Size]byte // its hash, or zeros
	key   [sha256.Size]byte // by which the key of its certificate is known, or zeros
	ends  int64             // when it ends, in ms since 1970; 0: never
	owner bool              // known by the kernel, without a token

	session [sha256.Size]byte // of a user who has logged in, or zeros
	browser bool              // whether that has come as a cookie
	person  bool              // a user, with or without a session
	changes int               // of a user without a session: see People
	behind  string            // the key of the person behind the credential, or ""
	made    bool              // a token that was made while the master runs
}

// Person is who is behind the credential. Somebody who uses a token is not known to be
// there: the person is the one who has made it.
func (i *Identity) Person() twopersons.Person {
	p := twopersons.Person{Key: i.behind, Name: i.Name, Present: i.person}
	if i.made {
		p.Token = hex.EncodeToString(i.token[:])
	}
	return p
}

// IsPerson reports whether the caller is a user who has logged in.
func (i *Identity) IsPerson() bool { return i.person }

// Session is by what the session of a user is known, or zeros.
func (i *Identity) Session() [sha256.Size]byte { return i.session }

// ended reports whether the time of the credential is over.
func (i *Identity) ended(now time.Time) bool { return i.ends != 0 && now.UnixMilli() >= i.ends }

// May reports whether the caller may do what a row of the wire, or a route, is
// for. The identity of a caller without credentials is nil.
func (i *Identity) May(access wire.Access) bool {
	if access == wire.Anybody || i == nil {
		return access == wire.Anybody
	}
	switch access {
	case wire.Known:
		return true
	case wire.Agent:
		return i.Role == Agent || i.Role == Local
	case wire.Viewer:
		return i.Role == Viewer || i.May(wire.Operator)
	case wire.Operator:
		return i.Role == Operator || i.May(wire.Admin)
	case wire.Admin:
		return i.Role == Admin || i.Role == Local
	}
	return false
}

// Whose says whose credential a row or a route takes, as in "that takes an
// operator's".
func Whose(access wire.Access) string {
	switch access {
	case wire.Agent:
		return "an agent's"
	case wire.Viewer:
		return "a viewer's or an operator's"
	case wire.Operator:
		return "an operator's"
	case wire.Admin:
		return "an admin's"
	}
	return "any"
}

// BoundTo returns nil where a caller may use what keeps to the hosts of its caller in
// that way. A caller who is bound may use nothing that does not say how.
func (i *Identity) BoundTo(how wire.Binding) error {
	if i == nil || i.Hosts == "" || how != "" && how != wire.Unbound {
		return nil
	}
	return fmt.Errorf("the credential %q is bound to the hosts %q; this takes one that is bound to none", i.Name, i.Hosts)
}

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

// Authenticator knows the tokens of a master: those of its configuration, and
// those that were made while it runs. It is safe for use from many goroutines.
type Authenticator struct {
	known atomic.Pointer[credentials]

	certificates Certificates // or nil
	people       People       // or nil
	exposed      bool

	changing   sync.Mutex // held by whoever replaces known
	configured *credentials
	made       map[[sha256.Size]byte]Identity
}

// credentials are the tokens of one moment. They do not change.
type credentials struct {
	tokens map[[sha256.Size]byte]Identity
	names  map[string]bool // of the tokens of the configuration
	// open is set where no tokens are configured: whom the kernel knows to be the
	// master's own user, or root, needs none then, and everybody else the key.
	open bool
}

// New makes an Authenticator of the configured tokens, none of them for a
// master that is for the user who started it.
func New(tokens []config.Token) (*Authenticator, error) {
	a := &Authenticator{}
	return a, a.SetTokens(tokens)
}

// SetTokens puts other tokens in place of those that were known. Where there is
// an error nothing has changed. A master that had tokens keeps needing some, and
// one that had none stays open.
func (a *Authenticator) SetTokens(tokens []config.Token) error {
	c, err := configuredTokens(tokens)
	if err != nil {
		return err
	}
	a.changing.Lock()
	defer a.changing.Unlock()
	if err := a.checkOpenLocked(c); err != nil {
		return err
	}
	a.configured = c
	a.mergeLocked()
	return nil
}

// CheckTokens returns the error that SetTokens would, and changes nothing.
func (a *Authenticator) CheckTokens(tokens []config.Token) error {
	c, err := configuredTokens(tokens)
	if err != nil {
		return err
	}
	a.changing.Lock()
	defer a.changing.Unlock()
	return a.checkOpenLocked(c)
}

func (a *Authenticator) checkOpenLocked(c *credentials) error {
	if a.configured != nil && a.configured.open != c.open {
		return errors.New("cannot go from tokens to none, or from none to some, while the master runs; start it again")
	}
	return nil
}

func configuredTokens(tokens []config.Token) (*credentials, error) {
	c := &credentials{tokens: make(map[[sha256.Size]byte]Identity, len(tokens)), names: make(map[string]bool), open: len(tokens) == 0}
	for _, token := range tokens {
		identity, err := identityOf(token, 0)
		if err != nil {
			return nil, err
		}
		if _, dup := c.tokens[identity.token]; dup {
			return nil, fmt.Errorf("cannot use token %q: another has the same sha256", token.Name)
		}
		c.tokens[identity.token], c.names[token.Name] = identity, true
	}
	return c, nil
}

// Certificates knows the certificates of hosts that have joined.
type Certificates interface {
	// Identify returns the host of a certificate, and by what its key is known. An
	// error says why it is not good.
	Identify(*x509.Certificate) (host string, key [sha256.Size]byte, err error)
	// Joined reports whether the host is one that has joined with that key.
	Joined(host string, key [sha256.Size]byte) bool
}

// SetCertificates has hosts known by their certificates. It is to be called before
// anything is asked.
func (a *Authenticator) SetCertificates(c Certificates) { a.certificates = c }

// Expose says that the master listens beyond loopback: requests for any host name
// are answered, and its own user needs no credential for those on loopback alone.
// It is to be called before anything is asked.
func (a *Authenticator) Expose() { a.exposed = true }

// Made is a token that was made while the master runs.
type Made struct {
	config.Token
	EndsMS int64  // when it ends, in ms since 1970; 0: never
	Person string // the key of the person who has made it, or twopersons.Nobody
}

// SetMade puts other tokens in place of those that were made while the master
// runs. Where there is an error nothing has changed.
func (a *Authenticator) SetMade(tokens []Made) error {
	made := make(map[[sha256.Size]byte]Identity, len(tokens))
	for _, token := range tokens {
		identity, err := identityOf(token.Token, token.EndsMS)
		if err != nil {
			return err
		}
		identity.behind, identity.made = token.Person, true
		made[identity.token] = identity
	}
	a.changing.Lock()
	defer a.changing.Unlock()
	a.made = made
	a.mergeLocked()
	return nil
}

// mergeLocked makes known what is good now. A token of the configuration goes
// before one that was made.
func (a *Authenticator) mergeLocked() {
	c := &credentials{tokens: maps.Clone(a.configured.tokens), names: a.configured.names, open: a.configured.open}
	for sum, identity := range a.made {
		if _, configured := c.tokens[sum]; !configured {
			c.tokens[sum] = identity
		}
	}
	a.known.Store(c)
}

func identityOf(token config.Token, ends int64) (Identity, error) {
	sum, err := hex.DecodeString(token.SHA256)
	if err != nil || len(sum) != sha256.Size {
		return Identity{}, fmt.Errorf("cannot use token %q: sha256 is not 64 hex digits", token.Name)
	}
	role := Role(token.Role)
	if !slices.Contains([]Role{Agent, Viewer, Operator, Admin}, role) {
		return Identity{}, fmt.Errorf("cannot use token %q: unknown role %q; use agent, viewer, operator or admin", token.Name, token.Role)
	}
	if (role == Agent) != (token.Host != "") {
		return Identity{}, fmt.Errorf("cannot use token %q: an agent's token names a host, and only an agent's", token.Name)
	}
	if role == Agent && token.Hosts != "" {
		return Identity{}, fmt.Errorf("cannot use token %q: an agent's token stands for its one host; hosts are for viewers and operators", token.Name)
	}
	if err := scope.Check(token.Hosts); err != nil {
		return Identity{}, fmt.Errorf("cannot use token %q: hosts: %w", token.Name, err)
	}
	return Identity{Name: token.Name, Role: role, Host: token.Host, Hosts: token.Hosts, token: [sha256.Size]byte(sum), ends: ends}, nil
}

// HasHost reports whether a token is for the agent of a host.
func (a *Authenticator) HasHost(host string) bool {
	for _, identity := range a.known.Load().tokens {
		if identity.Role == Agent && identity.Host == host {
			return true
		}
	}
	return false
}

// Configured reports whether the configuration has a token of that name.
func (a *Authenticator) Configured(name string) bool { return a.known.Load().names[name] }

// ListConfigured returns whose the tokens of the configuration are, in no order.
func (a *Authenticator) ListConfigured() (list []Identity) {
	a.changing.Lock()
	defer a.changing.Unlock()
	for _, identity := range a.configured.tokens {
		if identity.Role != Local {
			list = append(list, identity)
		}
	}
	return list
}

// SetKey sets the key of a master without tokens.
func (a *Authenticator) SetKey(key string) {
	a.changing.Lock()
	defer a.changing.Unlock()
	sum := sha256.Sum256([]byte(key))
	a.configured = &credentials{open: true, tokens: map[[sha256.Size]byte]Identity{sum: {Name: "key", Role: Local, token: sum}}}
	a.mergeLocked()
}

// Open reports whether no tokens are configured.
func (a *Authenticator) Open() bool { return a.known.Load().open }

// KeyFile is the file, in the data folder of a master without tokens, with the key
// for those whom the kernel does not know to be the master's own user or root.
const KeyFile = "local.key"

// KeyHint says, as the end of a sentence that asks for a token, what to send to a
// master without tokens. It is empty for one that has some.
func (a *Authenticator) KeyHint() string {
	if !a.Open() {
		return ""
	}
	return "; for whoever is neither this master's user nor root that is its key, which it printed when it started and keeps in its data folder as " + KeyFile
}

// Valid reports whether the credential of an identity is still good, for the same
// role and host.
func (a *Authenticator) Valid(i Identity) bool {
	if i.owner {
		return a.Open()
	}
	if i.key != [sha256.Size]byte{} {
		return a.certificates != nil && a.certificates.Joined(i.Host, i.key)
	}
	if i.person {
		return a.validPerson(&i)
	}
	return a.known.Load().tokens[i.token] == i && !i.ended(time.Now())
}

// Token returns the identity of a token, or ErrToken. The hash is looked up, so
// the time it takes says nothing of the token.
func (a *Authenticator) Token(token string) (Identity, error) {
	sum := sha256.Sum256([]byte(token))
	identity, ok := a.known.Load().tokens[sum]
	if !ok {
		identity, ok = a.loggedIn(sum, false)
	}
	if !ok || identity.ended(time.Now()) {
		return Identity{}, ErrToken
	}
	return identity, nil
}

// Request returns who sent an HTTP request. It is nil, nil for a request without
// credentials that needs some: such a caller may log in.
func (a *Authenticator) Request(r *http.Request) (*Identity, error) {
	if known, ok := r.Context().Value(answerKey{}).(answer); ok {
		return known.identity, known.err
	}
	header := r.Header.Get("Authorization")
	if header == "" && a.certificates != nil && r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
		return a.certified(r.TLS.PeerCertificates[0])
	}
	if a.Open() && (!a.exposed || IsLoopback(r.Host)) && isOwner(r.Context()) {
		if person := a.personOf(header); person != nil {
			return person, nil // who says as whom they come
		}
		return &Identity{Name: "local", Role: Local, owner: true}, nil
	}
	if header == "" {
		return a.ofCookie(r), nil
	}
	token, ok := strings.CutPrefix(header, "Bearer ")
	if !ok {
		return nil, errors.New("the Authorization header is not \"Bearer\" and a token")
	}
	identity, err := a.Token(token)
	if err != nil {
		return nil, err
	}
	return &identity, nil
}

// certified returns who has shown a certificate.
func (a *Authenticator) certified(cert *x509.Certificate) (*Identity, error) {
	host, key, err := a.certificates.Identify(cert)
	if err != nil {
		return nil, fmt.Errorf("the certificate is not good: %w", err)
	}
	if !a.certificates.Joined(host, key) {
		return nil, fmt.Errorf("the certificate is not good: %w", ErrRevoked)
	}
	return &Identity{Name: host, Role: Agent, Host: host, key: key}, nil
}

// ErrRevoked is returned for the certificate of a host that was revoked, or joined
// again with another key.
var ErrRevoked = errors.New("its host is not known here any more")

// ErrEnded is wrapped by the error of Certificates.Identify for a certificate that
// was good until its time was over. Its host may renew it, and nothing else.
var ErrEnded = errors.New("its time is over")

type ownerKey struct{}

// WithOwner returns the context of a connection. ours tells whether the master's own
// user, or root, is at the other end.
func WithOwner(ctx context.Context, ours func() bool) context.Context {
	return context.WithValue(ctx, ownerKey{}, ours)
}

func isOwner(ctx context.Context) bool {
	ours, ok := ctx.Value(ownerKey{}).(func() bool)
	return ok && ours()
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
	if !a.Open() || a.exposed || IsLoopback(r.Host) {
		return nil
	}
	return fmt.Errorf("host %q is not this machine's loopback; open http://127.0.0.1 or http://localhost; behind a proxy a master needs tokens "+
		"(docs/proxy.md)", r.Host)
}

// CheckOrigin reports whether a request may be answered, or a WebSocket opened:
// not for a page of another origin. Programs that are not browsers send neither
// Origin nor Sec-Fetch-Site.
func (a *Authenticator) CheckOrigin(r *http.Request) bool {
	if a.CheckHost(r) != nil {
		return false
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none": // no browser, our own page, or an address that was typed
	default:
		return false // a browser sends no Origin with a plain GET
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
