package serve

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	mathrand "math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vedettehq/vedette/agent/member"
	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/internal/jointoken"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/master"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// mesh is a master with its own authority, and a connection of its user.
type mesh struct {
	*master.Master
	own *rpc.Peer
}

// startMesh runs a master with its own authority until the test ends.
func startMesh(t testing.TB, cfg config.Master) *mesh {
	t.Helper()
	cfg.TLS.Own = true
	return runMesh(t, cfg)
}

// startPlain runs a master without TLS until the test ends.
func startPlain(t testing.TB) *mesh { return runMesh(t, config.Master{}) }

func runMesh(t testing.TB, cfg config.Master) *mesh {
	t.Helper()
	if cfg.Data == "" {
		cfg.Data = t.TempDir()
	}
	if cfg.Listen == "" {
		cfg.Listen = "127.0.0.1:0"
	}
	cfg.Name, cfg.GoneAfter = "master", time.Hour
	m, err := master.New(cfg, master.Deps{Log: slog.New(slog.DiscardHandler), Version: "test", Web: http.NotFoundHandler(), ClientScript: http.NotFoundHandler()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		patience.Return(t, "the end of the master", func() {
			if err := <-done; err != nil {
				t.Errorf("Run: %v", err)
			}
		})
	})
	patience.Closed(t, "the master to be ready", m.Ready())
	secure := &tls.Config{RootCAs: x509.NewCertPool()}
	if cfg.TLS.Own {
		text, err := os.ReadFile(m.AuthorityFile())
		if err != nil {
			t.Fatal(err)
		}
		secure.RootCAs.AppendCertsFromPEM(text)
	}
	own, err := rpc.Dial(patience.Context(t), m.URL(), rpc.DialOptions{TLS: secure})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { own.Close(rpc.CloseNormal, ""); own.Wait() })
	return &mesh{m, own}
}

func (m *mesh) token(t testing.TB, p wire.JoinTokenParams) string {
	t.Helper()
	made, err := wire.TokensJoin.Call(patience.Context(t), m.own, p)
	if err != nil {
		t.Fatal(err)
	}
	return made.Token
}

// try joins a host that has no key yet.
func (m *mesh) try(t testing.TB, token, host string) (*member.Member, error) {
	t.Helper()
	known, _, err := member.Join(patience.Context(t), member.Options{Master: m.URL(), Token: token, Host: host, Data: t.TempDir()})
	return known, err
}

func (m *mesh) join(t testing.TB, token, host string) *member.Member {
	t.Helper()
	known, err := m.try(t, token, host)
	if err != nil {
		t.Fatal(err)
	}
	return known
}

// dial connects as a host that has joined.
func (m *mesh) dial(t testing.TB, secure *tls.Config) (*rpc.Peer, error) {
	t.Helper()
	peer, err := rpc.Dial(patience.Context(t), m.URL(), rpc.DialOptions{TLS: secure})
	if err == nil {
		t.Cleanup(func() { peer.Close(rpc.CloseNormal, ""); peer.Wait() })
	}
	return peer, err
}

func (m *mesh) connect(t testing.TB, known *member.Member) *rpc.Peer {
	t.Helper()
	peer, err := m.dial(t, known.TLS(m.URL()))
	if err != nil {
		t.Fatal(err)
	}
	if err := sayHello(t, peer, known.Host()); err != nil {
		t.Fatal(err)
	}
	return peer
}

func sayHello(t testing.TB, peer *rpc.Peer, host string) error {
	t.Helper()
	_, err := wire.MasterHello.Call(patience.Context(t), peer, wire.HelloParams{
		Protocol: wire.Version, Host: host, AgentID: "id-" + host, BootID: "boot", NowMS: time.Now().UnixMilli(),
	})
	return err
}

func (m *mesh) members(t *testing.T) map[string]wire.Member {
	t.Helper()
	result, err := wire.HostsMembers.Call(patience.Context(t), m.own, wire.Empty{})
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]wire.Member)
	for _, known := range result.Members {
		all[known.Host] = known
	}
	return all
}

// audited returns the number of lines in the audit log with an action and an outcome that
// contains a text.
func (m *mesh) audited(t *testing.T, action, outcome string) (n int) {
	t.Helper()
	result, err := wire.AuditList.Call(patience.Context(t), m.own, wire.AuditParams{Action: action, Limit: 10_000})
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range result.Entries {
		if strings.Contains(line.Outcome, outcome) {
			n++
		}
	}
	return n
}

// A thousand hosts join with one token, many at once and some of them twice. Each gets the
// name that it asks for, exactly as many join as the token has uses, and a few random ones
// can report as themselves and as nobody else.
func TestAThousandHostsJoin(t *testing.T) {
	hosts := 1000
	if testing.Short() {
		hosts = 100
	}
	m := startMesh(t, config.Master{})
	token := m.token(t, wire.JoinTokenParams{Uses: hosts, Labels: map[string]string{"role": "db"}})
	known := make([]*member.Member, hosts)
	var next atomic.Int64
	var workers sync.WaitGroup
	folder := t.TempDir()
	for range 8 {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < int64(hosts); i = next.Add(1) - 1 {
				for range 1 + mathrand.IntN(5)/4 { // as after a lost answer
					host := fmt.Sprint("host-", i)
					joined, labels, err := member.Join(patience.Context(t), member.Options{Master: m.URL(), Token: token, Host: host, Data: filepath.Join(folder, host)})
					if err != nil || labels["role"] != "db" {
						t.Errorf("%s: %v, labels %v", host, err, labels)
						return
					}
					known[i] = joined
				}
			}
		})
	}
	workers.Wait()
	if t.Failed() {
		return
	}
	all := m.members(t)
	if len(all) != hosts || m.audited(t, "hosts.join", "ok") != hosts {
		t.Errorf("%d hosts have joined, of %d; %d lines are in the audit log", len(all), hosts, m.audited(t, "hosts.join", "ok"))
	}
	if _, err := m.try(t, token, "one-more"); err == nil || !strings.Contains(err.Error(), "used up") {
		t.Errorf("one more: %v", err)
	}
	for range 20 {
		one, other := known[mathrand.IntN(hosts)], fmt.Sprint("host-", hosts+mathrand.IntN(hosts))
		peer, err := m.dial(t, one.TLS(m.URL()))
		if err != nil {
			t.Fatal(err)
		}
		if err := sayHello(t, peer, other); err == nil || !strings.Contains(err.Error(), "is for host") {
			t.Errorf("%s says that it is %s: %v", one.Host(), other, err)
		}
		if err := sayHello(t, peer, one.Host()); err != nil && !strings.Contains(err.Error(), "already reported") {
			t.Errorf("%s: %v", one.Host(), err)
		}
	}
}

// A join that is not allowed is refused with a reason, and counted.
func TestWhoMayNotJoin(t *testing.T) {
	m, other := startMesh(t, config.Master{}), startMesh(t, config.Master{})
	first := m.join(t, m.token(t, wire.JoinTokenParams{}), "web-1")
	used := m.token(t, wire.JoinTokenParams{})
	m.join(t, used, "web-2")
	revoked := m.token(t, wire.JoinTokenParams{Name: "gone"})
	if _, err := wire.TokensRevoke.Call(patience.Context(t), m.own, wire.TokenRevokeParams{Name: "gone"}); err != nil {
		t.Fatal(err)
	}
	if _, err := wire.TokensCreate.Call(patience.Context(t), m.own, wire.TokenParams{Role: "agent", Host: "pi"}); err != nil {
		t.Fatal(err)
	}
	good := m.token(t, wire.JoinTokenParams{Uses: 100})
	foreign := other.token(t, wire.JoinTokenParams{})
	_, pin, _ := strings.Cut(good, ".")
	secret, _, _ := strings.Cut(foreign, ".")
	for name, c := range map[string]struct{ master, token, host, want string }{
		"clear text":           {strings.Replace(m.URL(), "https", "http", 1), good, "x", "clear text"},
		"no token":             {m.URL(), "vedette_abc", "x", "no join token"},
		"half a token":         {m.URL(), good[:len(good)-1], "x", "is incomplete"},
		"another master":       {m.URL(), foreign, "x", "another authority"},
		"a token of another":   {m.URL(), secret + "." + pin, "x", "not known here"},
		"a revoked token":      {m.URL(), revoked, "x", "not known here"},
		"a token that is over": {m.URL(), used, "x", "used up"},
		"the name of another":  {m.URL(), good, "web-1", "belongs to another host"},
		"the name of a token":  {m.URL(), good, "pi", "belongs to the host of an agent's token"},
		"another host":         {m.URL(), m.token(t, wire.JoinTokenParams{Host: "db-1"}), "db-2", `is for host "db-1"`},
		"no name":              {m.URL(), good, "<b>", "host"},
	} {
		_, _, err := member.Join(patience.Context(t), member.Options{Master: c.master, Token: c.token, Host: c.host, Data: t.TempDir()})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	for { // until it has expired when it is used
		_, err := m.try(t, m.token(t, wire.JoinTokenParams{ForMS: 1}), "late")
		if err == nil {
			continue
		}
		if !strings.Contains(err.Error(), "has ended") {
			t.Errorf("a token that has ended: %v", err)
		}
		break
	}
	claim := m.members(t)["web-1"].Claim
	if claim == nil || !strings.Contains(claim.Why, "belongs to another host") || !strings.HasPrefix(claim.From, "127.0.0.1:") {
		t.Errorf("the claim of web-1 is %+v", claim)
	}
	if m.audited(t, "hosts.join", "refused") < 4 || m.audited(t, "master.login", "not known") == 0 {
		t.Error("not all refusals are in the audit log")
	}
	m.connect(t, first) // the owner of the name notices nothing
}

// A revoked host is disconnected at once and gets no certificate. Nobody gets its name
// except with a token for it.
func TestRevokedHost(t *testing.T) {
	m := startMesh(t, config.Master{})
	token := m.token(t, wire.JoinTokenParams{Uses: 5})
	known, other := m.join(t, token, "web-1"), m.join(t, token, "web-2")
	peer, stays := m.connect(t, known), m.connect(t, other)
	made, err := wire.TokensCreate.Call(patience.Context(t), m.own, wire.TokenParams{Role: "agent", Host: "web-1"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := wire.HostsRevoke.Call(patience.Context(t), m.own, wire.MemberParams{Host: "web-1"}); err != nil {
		t.Fatal(err)
	}
	patience.Return(t, "the end of the connection of a revoked host", peer.Wait)
	if closed, ok := errors.AsType[*rpc.CloseError](peer.Err()); !ok || closed.Code != wire.CloseUnauthenticated {
		t.Errorf("the connection ended with %v", peer.Err())
	}
	var refusal *rpc.HTTPError
	if _, err := m.dial(t, known.TLS(m.URL())); !errors.As(err, &refusal) || refusal.Status != http.StatusUnauthorized {
		t.Errorf("it connects again: %v", err)
	}
	if err := known.Renew(patience.Context(t), m.URL()); !errors.Is(err, member.ErrRefused) {
		t.Errorf("it renews: %v", err)
	}
	if _, err := m.try(t, token, "web-1"); err == nil || !strings.Contains(err.Error(), "was revoked") {
		t.Errorf("somebody gets its name: %v", err)
	}
	if tokens, err := wire.TokensList.Call(patience.Context(t), m.own, wire.Empty{}); err != nil || slices.ContainsFunc(tokens.Tokens,
		func(i wire.TokenInfo) bool { return i.Name == made.Info.Name }) {
		t.Errorf("the token of a revoked host is good: %+v, %v", tokens, err)
	}
	again := m.join(t, m.token(t, wire.JoinTokenParams{Host: "web-1"}), "web-1")
	m.connect(t, again)
	if _, err := m.dial(t, known.TLS(m.URL())); err == nil {
		t.Error("the old key is good again")
	}
	if err := stays.Call(patience.Context(t), wire.MasterInfo.Name, nil, nil); err != nil {
		t.Errorf("another host: %v", err)
	}
}

// A host that an operator lets in again with another key disconnects whoever has the old
// key.
func TestHostJoinsAnew(t *testing.T) {
	m := startMesh(t, config.Master{})
	before := m.connect(t, m.join(t, m.token(t, wire.JoinTokenParams{}), "web-1"))
	other := m.connect(t, m.join(t, m.token(t, wire.JoinTokenParams{}), "web-2"))
	m.connect(t, m.join(t, m.token(t, wire.JoinTokenParams{Host: "web-1"}), "web-1"))
	patience.Return(t, "the end of the connection with the old key", before.Wait)
	if closed, ok := errors.AsType[*rpc.CloseError](before.Err()); !ok || closed.Code != wire.CloseUnauthenticated {
		t.Errorf("the connection ended with %v", before.Err())
	}
	if err := other.Call(patience.Context(t), wire.MasterInfo.Name, nil, nil); err != nil {
		t.Errorf("another host: %v", err)
	}
}

// A host that waits for an operator keeps its key, and takes only one use of the token. A
// host that is not let in gets nothing.
func TestHostWaitsForApproval(t *testing.T) {
	m := startMesh(t, config.Master{Join: config.Join{Approve: true}})
	token := m.token(t, wire.JoinTokenParams{Uses: 2})
	waiting, joined := make(chan struct{}), make(chan error, 1)
	ctx := patience.Context(t)
	folder := t.TempDir()
	go func() {
		_, _, err := member.Join(ctx, member.Options{Master: m.URL(), Token: token, Host: "web-1", Data: folder, Waiting: func() { close(waiting) }})
		joined <- err
	}()
	patience.Closed(t, "the host to wait", waiting)
	if known := m.members(t)["web-1"]; known.State != wire.MemberWaiting || known.EndsMS != 0 {
		t.Errorf("it is %+v", known)
	}
	if _, err := m.try(t, token, "web-1"); err == nil {
		t.Error("another key takes the name of a host that waits")
	}
	if _, err := wire.HostsApprove.Call(ctx, m.own, wire.MemberParams{Host: "web-1"}); err != nil {
		t.Fatal(err)
	}
	if err := <-joined; err != nil {
		t.Fatal(err)
	}
	known, err := member.Load(folder, "")
	if err != nil {
		t.Fatal(err)
	}
	m.connect(t, known)
	if _, err := wire.HostsApprove.Call(ctx, m.own, wire.MemberParams{Host: "web-1"}); err == nil {
		t.Error("it is let in twice")
	}
}

// A host renews its certificate by itself, and its connection stays.
func TestHostRenewsItsCertificate(t *testing.T) {
	m := startMesh(t, config.Master{Join: config.Join{Lifetime: 3 * time.Second, Grace: time.Hour}})
	known := m.join(t, m.token(t, wire.JoinTokenParams{}), "web-1")
	known.Await(patience.Context(t), slog.New(slog.DiscardHandler))
	peer := connectSoon(t, m, known)
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { known.Run(ctx, slog.New(slog.DiscardHandler), m.URL()) })
	defer running.Wait()
	defer stop()
	for range 3 {
		before := known.Ends()
		patience.Until(t, "another certificate", func() bool { return known.Ends().After(before) })
	}
	if err := peer.Call(patience.Context(t), wire.MasterInfo.Name, nil, nil); err != nil {
		t.Errorf("the connection has ended: %v", err)
	}
	if one := m.members(t)["web-1"]; one.RenewedMS == 0 {
		t.Errorf("it is %+v", one)
	}
}

// connectSoon connects a host with certificates so short that one may expire before it is
// used. The host then renews it and tries again.
func connectSoon(t *testing.T, m *mesh, known *member.Member) *rpc.Peer {
	t.Helper()
	var peer *rpc.Peer
	patience.Until(t, "a connection with a certificate that is good", func() bool {
		var err error
		if peer, err = m.dial(t, known.TLS(m.URL())); err == nil {
			return true
		}
		if err := known.Renew(patience.Context(t), m.URL()); err != nil {
			t.Fatal(err)
		}
		return false
	})
	if err := sayHello(t, peer, known.Host()); err != nil {
		t.Fatal(err)
	}
	return peer
}

// An expired certificate can be renewed as long as the grace period lasts, and is good for
// nothing else.
func TestHostComesBackAfterLong(t *testing.T) {
	for _, grace := range []time.Duration{time.Hour, 0} {
		m := startMesh(t, config.Master{Join: config.Join{Lifetime: 10 * time.Millisecond, Grace: grace}})
		known := m.join(t, m.token(t, wire.JoinTokenParams{}), "web-1")
		patience.Until(t, "the end of the certificate", func() bool { return time.Now().After(known.Ends().Add(time.Second)) })
		var refusal *rpc.HTTPError
		if _, err := m.dial(t, known.TLS(m.URL())); !errors.As(err, &refusal) || refusal.Status != http.StatusUnauthorized {
			t.Errorf("grace %v: it connects: %v", grace, err)
		}
		before := known.Ends()
		err := known.Renew(patience.Context(t), m.URL())
		if (err == nil) != (grace > 0) || known.Ends().After(before) != (grace > 0) {
			t.Errorf("grace %v: it renews: %v", grace, err)
		}
	}
}

// The authority is replaced repeatedly while some hosts are away. All of them still trust
// the master, and it accepts them; older join tokens stay valid.
func TestAuthorityIsRotated(t *testing.T) {
	cfg := config.Master{Data: t.TempDir(), Join: config.Join{Grace: time.Hour}}
	var away *member.Member
	var token string
	t.Run("before a restart", func(t *testing.T) {
		m := startMesh(t, cfg)
		token = m.token(t, wire.JoinTokenParams{Uses: 10})
		away = m.join(t, token, "away")
		renews := m.join(t, token, "renews")
		for n := range 2 {
			if _, err := wire.AuthorityRotate.Call(patience.Context(t), m.own, wire.Empty{}); err != nil {
				t.Fatal(err)
			}
			m.connect(t, renews)
			if err := renews.Renew(patience.Context(t), m.URL()); err != nil {
				t.Errorf("after %d: %v", n+1, err)
			}
			m.connect(t, m.join(t, token, fmt.Sprint("later-", n)))
		}
	})
	m := startMesh(t, cfg)
	m.connect(t, away)
	if err := away.Renew(patience.Context(t), m.URL()); err != nil {
		t.Errorf("after a restart: %v", err)
	}
	m.connect(t, away)
	m.connect(t, m.join(t, token, "last"))
	text, err := os.ReadFile(filepath.Join(cfg.Data, "authority.pem"))
	if err != nil || strings.Count(string(text), "PRIVATE KEY-----") != 2 {
		t.Errorf("the file of the authority has more than one key, or none: %v", err)
	}
	if info, err := os.Stat(filepath.Join(cfg.Data, "authority.pem")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file of the authority: %v, %v", info.Mode(), err)
	}
}

// forge makes a certificate that is signed by a parent and its key, or by itself.
func forge(t *testing.T, template, parent *x509.Certificate, parentKey *ecdsa.PrivateKey) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber, template.NotBefore, template.NotAfter = big.NewInt(7), time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	if parent == nil {
		parent, parentKey = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, parentKey)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// Forged certificates are refused: those of an authority with the same name, those that a
// joined host has issued, those for another use, and those of a host with another key.
func TestForgedCertificates(t *testing.T) {
	m := startMesh(t, config.Master{})
	folder := t.TempDir()
	known, _, err := member.Join(patience.Context(t), member.Options{Master: m.URL(), Token: m.token(t, wire.JoinTokenParams{}), Host: "web-1", Data: folder})
	if err != nil {
		t.Fatal(err)
	}
	m.connect(t, known)
	real, err := known.TLS(m.URL()).GetClientCertificate(nil)
	if err != nil {
		t.Fatal(err)
	}
	authority := parsePEM(t, m.AuthorityFile())
	client := []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	host := func() *x509.Certificate {
		return &x509.Certificate{Subject: pkix.Name{CommonName: "web-1"}, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: client}
	}
	fake := forge(t, &x509.Certificate{Subject: authority.Subject, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, nil, nil)
	stolen := *real
	stolen.PrivateKey = fake.PrivateKey
	for name, shown := range map[string]*tls.Certificate{
		"by itself":                   forge(t, host(), nil, nil),
		"by an authority of its name": forge(t, host(), fake.Leaf, fake.PrivateKey.(*ecdsa.PrivateKey)),
		"by a host":                   forge(t, host(), real.Leaf, real.PrivateKey.(*ecdsa.PrivateKey)),
		"with another key":            &stolen,
	} {
		secure := known.TLS(m.URL())
		secure.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return shown, nil }
		if peer, err := m.dial(t, secure); err == nil {
			t.Errorf("%s: it connects as %v", name, peer)
		}
		c := &http.Client{Transport: &http.Transport{TLSClientConfig: secure}}
		body, _ := json.Marshal(wire.RenewRequest{CSR: "x"})
		answer, err := c.Post(m.URL()+wire.RenewPath, "application/json", strings.NewReader(string(body)))
		if err == nil {
			answer.Body.Close()
			if answer.StatusCode != http.StatusForbidden {
				t.Errorf("%s: renewing gives %s", name, answer.Status)
			}
		}
		c.CloseIdleConnections()
	}
	if m.audited(t, "master.login", "not known") == 0 {
		t.Error("no refusal is in the audit log")
	}

	// A host refuses a forged master.
	_, err = startMesh(t, config.Master{}).dial(t, known.TLS(m.URL()))
	if err == nil || !strings.Contains(err.Error(), "not the master that the host has joined") {
		t.Errorf("a fake master: %v", err)
	}
	if err := known.CheckURL(strings.Replace(m.URL(), "https", "http", 1)); err == nil {
		t.Error("clear text is good enough")
	}
}

func parsePEM(t *testing.T, file string) *x509.Certificate {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// Every join token that can be parsed is formatted as it was read.
func FuzzJoinToken(f *testing.F) {
	f.Add("vedette_join_x.y")
	f.Add("vedette_join_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	f.Fuzz(func(t *testing.T, text string) {
		token, err := jointoken.Parse(text)
		if err == nil && token.String() != strings.TrimSpace(text) {
			t.Errorf("%q is read as %q", text, token)
		}
	})
}
