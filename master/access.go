package master

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/vedettehq/vedette/master/authority"
	"github.com/vedettehq/vedette/master/join"
	"github.com/vedettehq/vedette/master/oidc"
	"github.com/vedettehq/vedette/master/state"
	"github.com/vedettehq/vedette/master/tokens"
	"github.com/vedettehq/vedette/master/users"
	"github.com/vedettehq/vedette/rpc/wire"
)

// defaultLifetime is how long the certificate of a host is valid if the
// configuration was not loaded.
const defaultLifetime = 72 * time.Hour

// How long people stay logged in if the configuration was not loaded.
const (
	defaultIdle    = 12 * time.Hour
	defaultLongest = 7 * 24 * time.Hour
	defaultOutside = 8 * time.Hour
)

// makeDoors makes the parts that know the tokens and certificates which are issued
// while the master runs, and the provider at which people log in.
func (m *Master) makeDoors() error {
	if m.cfg.OIDC.On() {
		var err error
		if m.oidc, err = oidc.New(m.cfg.OIDC); err != nil {
			return err
		}
	}
	m.desk = &join.Desk{Lifetime: cmp.Or(m.cfg.Join.Lifetime, defaultLifetime), Grace: m.cfg.Join.Grace, Shown: m.certificate.now.Load}
	m.desk.Replaced = func() { m.cutRevoked("of the key of a host that has joined again") }
	m.desk.Store = join.New(join.Options{
		Approve:  m.cfg.Join.Approve,
		Taken:    func(name string) bool { return m.auth.Configured(name) || m.tokens.Has(name) || m.users.Has(name) },
		HasToken: m.auth.HasHost,
	})
	m.tokens = tokens.New(func(name string) bool { return m.auth.Configured(name) || m.desk.HasToken(name) || m.users.Has(name) })
	m.users = users.New(users.Options{
		Taken: func(name string) bool { return m.auth.Configured(name) || m.desk.HasToken(name) || m.tokens.Has(name) },
		Idle:  cmp.Or(m.cfg.Access.SessionIdle, defaultIdle), Longest: cmp.Or(m.cfg.Access.SessionMax, defaultLongest), Cost: m.deps.PasswordCost,
		Provider: m.cfg.OIDC.Issuer, OutsideMax: cmp.Or(m.cfg.OIDC.SessionMax, defaultOutside),
	})
	m.auth.SetPeople(m.users)
	if m.cfg.Exposed() {
		m.auth.Expose()
	}
	if m.cfg.Secure() {
		m.auth.SetCertificates(m.desk)
	}
	return nil
}

// AuthorityFile is the file with the authority of the master's certificate, or ""
// if the master did not make its certificate.
func (m *Master) AuthorityFile() string {
	if !m.cfg.OwnCertificate() {
		return ""
	}
	return filepath.Join(m.cfg.Data, authority.CertFile)
}

// openDoors loads the issued credentials, and the authority.
func (m *Master) openDoors(ctx context.Context, store state.Store) error {
	if m.cfg.Secure() {
		known, err := authority.Open(m.cfg.Data)
		if err != nil {
			return err
		}
		m.desk.Authority = known
	}
	if m.cfg.TLS.Cert != "" {
		if err := m.certificate.load(m.cfg.TLS); err != nil {
			return err
		}
	}
	if err := m.desk.Open(ctx, store); err != nil {
		return err
	}
	if err := m.tokens.Open(ctx, store); err != nil {
		return err
	}
	if err := m.users.Open(ctx, store); err != nil {
		return err
	}
	if m.oidc != nil { // the roles may have changed while the master was down
		if err := m.regrant(ctx); err != nil {
			return err
		}
	}
	if m.cfg.Exposed() {
		var err error
		if m.first, err = m.users.FirstLink(ctx); err != nil {
			return err
		}
	}
	return m.api.TakeTokens()
}

// FirstLink returns the address, after Ready, with which a person becomes the
// first admin of a master that is reachable beyond loopback and has no users. It
// is empty for other masters.
func (m *Master) FirstLink() string {
	if m.first == "" {
		return ""
	}
	at := m.URL()
	if tcp, ok := m.addr.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		if name, err := os.Hostname(); err == nil {
			at = "https://" + net.JoinHostPort(name, strconv.Itoa(tcp.Port))
		}
	}
	return at + wire.LinkFragment + m.first
}

// keepSessions ends expired sessions, and marks those whose page is open as in
// use.
func (m *Master) keepSessions(ctx context.Context, now time.Time) {
	m.cutRevoked("of people whose time is over")
	if err := m.users.Sweep(ctx, now); err != nil && ctx.Err() == nil {
		m.deps.Log.Error("cannot remove a session that has ended from the state", "error", err)
	}
}

// endTokens closes the connections of expired tokens.
func (m *Master) endTokens(ctx context.Context, now time.Time) {
	ended, err := m.tokens.Sweep(ctx, now)
	if err == nil {
		err = m.desk.Sweep(ctx, now)
	}
	if err != nil && ctx.Err() == nil {
		m.deps.Log.Error("cannot remove a token that has ended from the state", "error", err)
	}
	if ended {
		m.cutRevoked("of tokens that have ended")
	}
}

// cutRevoked closes the connections whose credential is no longer valid.
func (m *Master) cutRevoked(of string) {
	if n := m.api.CutRevoked(); n > 0 {
		m.deps.Log.Info("connections "+of+" are closed", "count", n)
	}
}

// tlsConfig makes each connection use the present certificate. Clients are asked
// for a certificate of ours, but need none; each request checks what it is worth.
func (m *Master) tlsConfig() *tls.Config {
	names := append(authority.LocalNames(), m.cfg.TLS.Names...)
	certificate := func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		if shown := m.certificate.now.Load(); shown != nil {
			return shown, nil
		}
		return m.desk.Authority.Server(names)
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS12, GetCertificate: certificate,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			ours := x509.NewCertPool()
			for _, root := range m.desk.Authority.Roots(m.desk.OldFor()) {
				ours.AddCert(root)
			}
			return &tls.Config{
				MinVersion: tls.VersionTLS12, GetCertificate: certificate, NextProtos: []string{"h2", "http/1.1"},
				ClientAuth: tls.RequestClientCert, ClientCAs: ours,
			}, nil
		},
	}
}

// joining answers hosts that join or renew.
func (m *Master) joining() join.Handler {
	return join.Handler{Log: m.deps.Log, Desk: m.desk, Audit: m.api.Audit, Wrong: func(r *http.Request) {
		m.api.Failures.Wrong(r.Context(), r.RemoteAddr)
	}}
}
