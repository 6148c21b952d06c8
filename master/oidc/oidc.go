// Package oidc has people log in at a provider that speaks OpenID Connect: by the
// authorization code flow with PKCE, and nothing else.
//
// A log-in begins with Begin and ends with Finish, both called by a browser. What the
// two must agree on (the state, the nonce and the PKCE verifier) is in a cookie that
// only this process can open. So a stranger can fill no memory by beginning log-ins, an
// answer of the provider is of no use in another browser, and a restart of the master
// ends the log-ins that are under way.
//
// The provider is asked for its configuration when it is first needed. One that is away
// keeps nothing else from working: it is asked again with the next log-in.
package oidc

import (
	"context"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/master/scope"
	"github.com/vedettehq/vedette/rpc/wire"
)

const (
	// pendingFor is how long somebody may take at the provider.
	pendingFor = 10 * time.Minute
	// askWithin bounds all that one log-in asks of the provider.
	askWithin = 10 * time.Second
	// knownFor is after how long the provider is asked for its configuration again, and
	// awayFor how long it is not asked again after it did not answer.
	knownFor = time.Hour
	awayFor  = 2 * time.Second
	// maxAnswer bounds what is read of one answer of the provider.
	maxAnswer = 1 << 20
	// finishAtOnce is how many log-ins may ask the provider at once.
	finishAtOnce = 16
)

// Refusal is why somebody was not let in. Reason is for the audit log, and has nothing
// in it that a stranger chose. Err has the details, for the log of the master.
type Refusal struct {
	Reason string
	Err    error
	// Tell says that whoever tried may know Reason: the log-in is that of the browser, and
	// it is the provider who has refused it, or has vouched for somebody not wanted here.
	Tell bool
	// Person is set where the provider has said who it is, and Out where it has said so
	// of somebody who has no role any more.
	Person Person
	Out    bool
}

func (r *Refusal) Error() string { return r.Reason + ": " + r.Err.Error() }
func (r *Refusal) Unwrap() error { return r.Err }

func refuse(reason, format string, args ...any) *Refusal {
	return &Refusal{Reason: reason, Err: fmt.Errorf(format, args...)}
}

// ErrAway is wrapped by the error of a provider that cannot be asked.
var ErrAway = errors.New("the provider cannot be asked")

// Provider is where people log in. New makes it. It is safe for use from many
// goroutines.
type Provider struct {
	cfg    config.OIDC
	client *http.Client
	seal   *sealer
	used   *used
	// tickets are of people who log a command in.
	tickets tickets
	room    chan struct{} // has room for those who finish at once
	roles   atomic.Pointer[[]config.OIDCRole]

	mu     sync.Mutex // held while the provider is asked for its configuration
	now    *known     // guarded by mu, as are the next; nil until it was asked
	failed error      // of the last attempt
	tried  time.Time  // when that was
}

// known is what a provider has said of itself.
type known struct {
	provider *gooidc.Provider
	oauth    oauth2.Config
	verifier *gooidc.IDTokenVerifier
	namesIss bool // it names itself in each answer, as RFC 9207 says
	at       time.Time
}

// New makes a Provider of a configuration. It asks the provider nothing.
func New(cfg config.OIDC) (*Provider, error) {
	if err := CheckRoles(cfg.Roles); err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DisableKeepAlives = true // log-ins are rare
	if cfg.CA != "" {
		pem, err := os.ReadFile(cfg.CA)
		if err != nil {
			return nil, fmt.Errorf("cannot read the authorities of master.oidc: %w", err)
		}
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("cannot read the authorities of master.oidc: %q has no certificate", cfg.CA)
		}
		transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}
	}
	if len(cfg.Scopes) == 0 {
		cfg.Scopes = []string{"profile", "email"}
	}
	p := &Provider{
		cfg: cfg, client: &http.Client{Transport: bounded{transport}, Timeout: askWithin},
		seal: newSealer(), used: newUsed(), room: make(chan struct{}, finishAtOnce),
	}
	p.SetRoles(cfg.Roles)
	return p, nil
}

// CheckRoles returns the fault of roles that a configuration gives.
func CheckRoles(roles []config.OIDCRole) error {
	for _, r := range roles {
		if err := scope.Check(r.Hosts); err != nil {
			return fmt.Errorf("cannot use the role %q of group %q in master.oidc: %w", r.Role, r.Group, err)
		}
	}
	return nil
}

// SetRoles puts other roles, which CheckRoles finds no fault in, in place of those that
// were given.
func (p *Provider) SetRoles(roles []config.OIDCRole) { p.roles.Store(&roles) }

// Grant returns the role of somebody who is in groups, and its hosts, or false if none is
// for them.
func (p *Provider) Grant(groups []string) (role, hosts string, ok bool) {
	for _, r := range *p.roles.Load() {
		if r.Group == "" || slices.Contains(groups, r.Group) {
			return r.Role, r.Hosts, true
		}
	}
	return "", "", false
}

// Gives reports whether some group has a role with those hosts.
func (p *Provider) Gives(role, hosts string) bool {
	return slices.ContainsFunc(*p.roles.Load(), func(r config.OIDCRole) bool { return r.Role == role && r.Hosts == hosts })
}

// bounded reads no more of an answer than maxAnswer.
type bounded struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		response.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(response.Body, maxAnswer), response.Body}
	}
	return response, err
}

// Name is what people call the provider.
func (p *Provider) Name() string {
	if p.cfg.Name != "" {
		return p.cfg.Name
	}
	u, err := url.Parse(p.cfg.Issuer)
	if err != nil {
		return p.cfg.Issuer
	}
	return u.Hostname()
}

// Issuer is the address of the provider.
func (p *Provider) Issuer() string { return p.cfg.Issuer }

// Secure reports whether the page is reached over TLS, so that its cookies are.
func (p *Provider) Secure() bool { return strings.HasPrefix(p.cfg.URL, "https://") }

// Start is the address at which a browser begins.
func (p *Provider) Start() string { return p.base() + wire.OIDCPath }

func (p *Provider) base() string { return strings.TrimRight(p.cfg.URL, "/") }

// Look asks the provider for its configuration, so that the log says at the start of a
// master what is wrong.
func (p *Provider) Look(ctx context.Context, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	if _, err := p.ask(ctx); err != nil && ctx.Err() == nil {
		log.Warn("nobody can log in at the provider now; it is asked again with the next log-in", "issuer", p.cfg.Issuer, "error", err)
	}
}

// ask returns what the provider says of itself.
func (p *Provider) ask(ctx context.Context) (*known, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if p.now != nil && now.Sub(p.now.at) < knownFor {
		return p.now, nil
	}
	if p.failed != nil && now.Sub(p.tried) < awayFor {
		return p.orOldLocked()
	}
	provider, err := gooidc.NewProvider(gooidc.ClientContext(ctx, p.client), p.cfg.Issuer)
	var more struct {
		NamesIss bool `json:"authorization_response_iss_parameter_supported"`
	}
	if err == nil {
		err = provider.Claims(&more)
	}
	if p.failed, p.tried = err, time.Now(); err != nil {
		return p.orOldLocked()
	}
	p.now = &known{
		provider: provider, verifier: provider.Verifier(&gooidc.Config{ClientID: p.cfg.ClientID}), namesIss: more.NamesIss, at: time.Now(),
		oauth: oauth2.Config{
			ClientID: p.cfg.ClientID, ClientSecret: p.cfg.ClientSecret, Endpoint: provider.Endpoint(),
			RedirectURL: p.base() + wire.OIDCCallbackPath, Scopes: append([]string{gooidc.ScopeOpenID}, p.cfg.Scopes...),
		},
	}
	return p.now, nil
}

// orOldLocked is what the provider said before, where it cannot be asked now.
func (p *Provider) orOldLocked() (*known, error) {
	if p.now != nil {
		return p.now, nil
	}
	return nil, fmt.Errorf("%w: %w", ErrAway, p.failed)
}

// Begin begins a log-in of the browser, or of a command if t is not nil. It returns the
// address to send the browser to, and the cookie that it must have when it comes back,
// which is good for so long.
func (p *Provider) Begin(ctx context.Context, next string, t *Terminal) (at, cookie string, good time.Duration, _ error) {
	known, err := p.ask(context.WithoutCancel(ctx)) // for all who wait, also if this one goes away
	if err != nil {
		return "", "", 0, err
	}
	pending := pending{
		State: oauth2.GenerateVerifier(), Nonce: oauth2.GenerateVerifier(), Verifier: oauth2.GenerateVerifier(),
		Next: Local(next), EndsMS: time.Now().Add(pendingFor).UnixMilli(), Terminal: t,
	}
	at = known.oauth.AuthCodeURL(pending.State, gooidc.Nonce(pending.Nonce), oauth2.S256ChallengeOption(pending.Verifier))
	return at, p.seal.close(pending), pendingFor, nil
}

// Landing is what a log-in was for: a page to go to, or a command.
type Landing struct {
	Next     string
	Terminal *Terminal // or nil
}

// Finish ends a log-in: it returns who it is, and what it was for. The error is a
// *Refusal, or wraps ErrAway; then the landing says what it was for if this answer has
// ended a log-in of this browser, so that a command need not wait for another.
func (p *Provider) Finish(ctx context.Context, answer url.Values, cookie string) (Person, Landing, error) {
	pending, err := p.seal.open(cookie, time.Now())
	if err != nil {
		return Person{}, Landing{}, refuse("this browser has not begun the log-in", "%w", err)
	}
	if subtle.ConstantTimeCompare([]byte(answer.Get("state")), []byte(pending.State)) != 1 {
		return Person{}, Landing{}, refuse("the state is not that of this browser", "the answer has another state than the cookie")
	}
	if !p.used.first(pending.State, pending.EndsMS, time.Now()) {
		return Person{}, Landing{}, refuse("the answer was used before", "the log-in has ended already")
	}
	landing := Landing{pending.Next, pending.Terminal}
	select {
	case p.room <- struct{}{}:
		defer func() { <-p.room }()
	default:
		return Person{}, landing, fmt.Errorf("%w: %d log-ins are under way, which is the limit", ErrAway, finishAtOnce)
	}
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	known, err := p.ask(context.WithoutCancel(ctx))
	if err != nil {
		return Person{}, landing, err
	}
	if iss := answer.Get("iss"); iss != p.cfg.Issuer && (iss != "" || known.namesIss) {
		return Person{}, landing, refuse("the answer is of another provider", "it says that it is of %q", iss)
	}
	if answer.Has("error") || !answer.Has("code") {
		no := refuse("the provider has refused", "it says %q: %q", answer.Get("error"), answer.Get("error_description"))
		no.Tell = true
		return Person{}, landing, no
	}
	claims, err := p.exchange(ctx, known, answer.Get("code"), pending)
	if err != nil {
		return Person{}, landing, err
	}
	person, err := p.person(claims)
	if no, ok := errors.AsType[*Refusal](err); ok {
		no.Tell = true
	}
	return person, landing, err
}

// exchange gets the ID token for a code, and returns its claims when it is good.
func (p *Provider) exchange(ctx context.Context, known *known, code string, pending pending) (claims, error) {
	ctx = gooidc.ClientContext(ctx, p.client)
	token, err := known.oauth.Exchange(ctx, code, oauth2.VerifierOption(pending.Verifier))
	if said, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		return nil, refuse("the provider does not take the code", "it answered %s, %q", said.Response.Status, said.ErrorCode)
	} else if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAway, err)
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return nil, refuse("there is no ID token", "the provider has sent none; is the scope openid allowed?")
	}
	id, err := known.verifier.Verify(ctx, raw)
	if err != nil {
		return nil, refuse("the ID token is not good", "%w", err)
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(pending.Nonce)) != 1 {
		return nil, refuse("the nonce is not that of this browser", "the ID token was made for another log-in")
	}
	if id.AccessTokenHash != "" {
		if err := id.VerifyAccessToken(token.AccessToken); err != nil {
			return nil, refuse("the ID token is not good", "%w", err)
		}
	}
	c := make(claims)
	if err := id.Claims(&c); err != nil {
		return nil, refuse("the ID token cannot be read", "%w", err)
	}
	if azp, there := c["azp"]; there && azp != p.cfg.ClientID || !there && len(id.Audience) > 1 {
		return nil, refuse("the ID token is for somebody else", "it is for %q, and its party is %v", id.Audience, azp)
	}
	return c, p.complete(ctx, known, c, token)
}

// complete adds claims that the ID token lacks, of what the provider says of the user
// where it is asked for that. The claims of the ID token stay as they are.
func (p *Provider) complete(ctx context.Context, known *known, c claims, token *oauth2.Token) error {
	_, named := c[p.cfg.Claim]
	_, grouped := c[p.cfg.GroupsClaim]
	if known.provider.UserInfoEndpoint() == "" || named && (grouped || !p.asksGroups()) && (!p.needsMail() || c.hasMail()) {
		return nil
	}
	info, err := known.provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if _, away := errors.AsType[*url.Error](err); away {
		return fmt.Errorf("%w: cannot ask it for the user: %w", ErrAway, err)
	} else if err != nil {
		return refuse("what the provider says of the user cannot be read", "%w", err)
	}
	if info.Subject != c["sub"] {
		return refuse("the provider speaks of somebody else", "the user is %q there, and %q in the ID token", info.Subject, c["sub"])
	}
	more := make(claims)
	if err := info.Claims(&more); err != nil {
		return refuse("what the provider says of the user cannot be read", "%w", err)
	}
	c.add(more)
	return nil
}
