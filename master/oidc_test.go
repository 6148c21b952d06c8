package master

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/oauth2-proxy/mockoidc"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/internal/freeport"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// provider is one at which people log in: mockoidc's, with what a test has it do.
type provider struct {
	*mockoidc.MockOIDC
	mu     sync.Mutex                                 // mockoidc is for one request at a time
	forge  func(sent jwt.MapClaims, id string) string // guarded by mu: makes another ID token, or nil
	queued jwt.MapClaims                              // guarded by mu: of the ID token that was asked for last
}

// startProvider starts a provider on an address, "" for any.
func startProvider(t *testing.T, address string) *provider {
	t.Helper()
	mock, err := mockoidc.NewServer(nil)
	if err != nil {
		t.Fatal(err)
	}
	p := &provider{MockOIDC: mock}
	p.ClientID, p.ClientSecret = "vedette", "the secret of vedette"
	if err := p.AddMiddleware(p.between); err != nil {
		t.Fatal(err)
	}
	if address == "" {
		address = "127.0.0.1:0"
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(listener, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Shutdown() })
	return p
}

// between has one request handled at a time, and puts another ID token into the answer.
func (p *provider) between(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if r.URL.Path != mockoidc.TokenEndpoint || p.forge == nil {
			next.ServeHTTP(w, r)
			return
		}
		recorded := httptest.NewRecorder()
		next.ServeHTTP(recorded, r)
		maps.Copy(w.Header(), recorded.Header())
		var answer map[string]any
		if json.Unmarshal(recorded.Body.Bytes(), &answer) == nil && answer["id_token"] != nil {
			answer["id_token"] = p.forge(p.queued, answer["id_token"].(string))
		}
		w.WriteHeader(recorded.Code)
		_ = json.NewEncoder(w).Encode(answer)
	})
}

// account is somebody whom the provider knows, by the claims of the ID token.
type account struct {
	p      *provider
	claims jwt.MapClaims
}

// ID implements mockoidc.User, as do the next.
func (a account) ID() string {
	id, _ := a.claims["sub"].(string)
	return id
}

func (a account) Userinfo([]string) ([]byte, error) { return json.Marshal(a.claims) }

func (a account) Claims(_ []string, base *mockoidc.IDTokenClaims) (jwt.Claims, error) {
	all := jwt.MapClaims{
		"iss": base.Issuer, "aud": base.Audience, "exp": base.ExpiresAt, "iat": base.IssuedAt, "nonce": base.Nonce, "jti": base.ID,
	}
	maps.Copy(all, a.claims)
	for name, value := range all {
		if value == nil {
			delete(all, name)
		}
	}
	a.p.queued = all
	return all, nil
}

// as has the next who comes to the provider be somebody.
func (p *provider) as(claims jwt.MapClaims) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.QueueUser(account{p, claims})
}

func (p *provider) forging(forge func(sent jwt.MapClaims, id string) string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.forge = forge
}

// alice is somebody with a good email and a role here.
func alice(groups ...string) jwt.MapClaims {
	return jwt.MapClaims{"sub": "alice-1", "email": "Alice@example.org", "email_verified": true, "groups": groups}
}

// outside is a master at which people of a provider log in.
func outside(t *testing.T, p *provider, change func(*config.Master)) *Master {
	t.Helper()
	address := freeport.Address(t)
	cfg := config.Master{
		Listen: address, Tokens: []config.Token{token("boss", "admin", "")},
		OIDC: config.OIDC{
			Issuer: p.Issuer(), Name: "Example", ClientID: p.ClientID, ClientSecret: p.ClientSecret, URL: "http://" + address,
			Claim: "email", GroupsClaim: "groups", Domains: []string{"example.org"}, SessionMax: time.Hour,
			Scopes: []string{"profile", "email", "groups"},
			Roles:  []config.OIDCRole{{Group: "sre", Role: "admin"}, {Group: "dba", Role: "operator", Hosts: "role=db"}, {Group: "staff", Role: "viewer"}},
		},
	}
	if change != nil {
		change(&cfg)
	}
	return start(t, cfg)
}

// surfer is a browser, at its own address.
type surfer struct {
	*http.Client
	t *testing.T
	m *Master
}

var lastAddress atomic.Uint32 // of a browser on this machine

func newSurfer(t *testing.T, m *Master) *surfer {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	n := lastAddress.Add(1)
	from := &net.TCPAddr{IP: net.IPv4(127, 1, byte(n>>8), byte(n))} // nobody waits for what others did
	transport := &http.Transport{DisableKeepAlives: true, DialContext: (&net.Dialer{LocalAddr: from}).DialContext}
	return &surfer{&http.Client{Jar: jar, Transport: transport}, t, m}
}

// get asks for one address and follows nothing. It returns the answer, whose body is
// read, and where it sends the browser.
func (s *surfer) get(at string) (response *http.Response, text string, next *url.URL) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(patience.Context(s.t), http.MethodGet, at, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	once := *s.Client
	once.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if response, err = once.Do(r); err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	next, err = response.Location()
	if err != nil && !errors.Is(err, http.ErrNoLocation) {
		s.t.Fatal(err)
	}
	return response, string(body), next
}

// goOut begins a log-in and goes through the provider. It returns the address at which
// that sends the browser back.
func (s *surfer) goOut(next string) *url.URL {
	s.t.Helper()
	page := strings.TrimRight(s.m.cfg.OIDC.URL, "/")
	at := page + wire.OIDCPath
	if next != "" {
		at += "?next=" + url.QueryEscape(next)
	}
	response, text, to := s.get(at)
	if response.StatusCode != http.StatusSeeOther || to == nil {
		s.t.Fatalf("a log-in begins with %s %s", response.Status, text)
	}
	for name, want := range map[string]string{"redirect_uri": page + wire.OIDCCallbackPath, "code_challenge_method": "S256", "response_type": "code"} {
		if got := to.Query().Get(name); got != want {
			s.t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	response, text, back := s.get(to.String())
	if back == nil {
		s.t.Fatalf("the provider says %s %s", response.Status, text)
	}
	return back
}

// session is the cookie of a session that an answer gives, or nil.
func session(response *http.Response) *http.Cookie {
	for _, c := range response.Cookies() {
		if strings.HasSuffix(c.Name, "vedette") && c.Value != "" {
			return c
		}
	}
	return nil
}

// logInAs logs somebody in, and returns the cookie.
func logInAs(t *testing.T, m *Master, p *provider, who jwt.MapClaims) *http.Cookie {
	t.Helper()
	p.as(who)
	s := newSurfer(t, m)
	response, text, _ := s.get(s.goOut("").String())
	cookie := session(response)
	if response.StatusCode != http.StatusSeeOther || cookie == nil {
		t.Fatalf("%v is not let in: %s %s", who, response.Status, text)
	}
	return cookie
}

// entries are the lines of the audit log about log-ins.
func entries(t *testing.T, m *Master, action string) []wire.AuditEntry {
	t.Helper()
	boss := dial(t, m, nil, rpc.DialOptions{Header: bearer("boss")})
	return call[wire.AuditResult](t, boss, wire.AuditList.Name, wire.AuditParams{Action: action, Limit: 10_000}).Entries
}

// Whom the provider knows gets a session like that of a password, in the role that the
// configuration gives to the group, for a limited time, and comes back to the page.
func TestOIDC(t *testing.T) {
	p := startProvider(t, "")
	m := outside(t, p, nil)
	ways, text := request(t, m, http.Header{}, http.MethodGet, wire.LoginPath)
	if want := `"provider":{"name":"Example","url":"` + m.URL() + wire.OIDCPath + `"}`; !strings.Contains(text, want) {
		t.Fatalf("the ways to log in are %d %s", ways, text)
	}
	p.as(alice("staff", "dba"))
	s := newSurfer(t, m)
	response, text, next := s.get(s.goOut("/hosts/web-1?tab=a b").String())
	cookie := session(response)
	if cookie == nil || next.String() != m.URL()+"/" { // a blank is in no address
		t.Fatalf("alice is sent to %v: %s %s", next, response.Status, text)
	}
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || cookie.MaxAge > 3600 {
		t.Errorf("the cookie is %+v", cookie)
	}
	peer := dial(t, m, nil, rpc.DialOptions{Header: browser(m, cookie)})
	if info := call[wire.InfoResult](t, peer, wire.MasterInfo.Name, nil); info.Role != "operator" || info.Bound != "role=db" {
		t.Errorf("alice is %s of %q", info.Role, info.Bound)
	}
	line := entries(t, m, "users.login")[0]
	if line.Who != "alice@example.org" || line.Outcome != "ok" || !strings.Contains(line.Detail, "by "+p.Issuer()) {
		t.Errorf("the audit log says %+v", line)
	}

	boss := dial(t, m, nil, rpc.DialOptions{Header: bearer("boss")})
	list := call[wire.UsersResult](t, boss, wire.UsersList.Name, nil).Users
	if len(list) != 1 || list[0].Provider != p.Issuer() || list[0].Sessions != 1 || list[0].Hosts != "role=db" {
		t.Errorf("the users are %+v", list)
	}
	const name = "alice@example.org"
	for method, params := range map[string]any{
		wire.UsersPasswd.Name: wire.UserPasswordParams{Name: name, Password: "some password"},
		wire.UsersRole.Name:   wire.UserRoleParams{Name: name, Role: "viewer"},
		wire.UsersLink.Name:   wire.UserNameParams{Name: name},
	} {
		if got := refused(t, boss, method, params); got.Code != wire.CodeConflict || !strings.Contains(got.Message, p.Issuer()) {
			t.Errorf("%s of a user of the provider: %v", method, got)
		}
	}
	if response, _ := post(t, m, http.MethodPost, wire.LoginPath, wire.LoginRequest{Name: name}, nil); response.StatusCode != http.StatusUnauthorized {
		t.Errorf("alice logs in with no password: %s", response.Status)
	}
	call[wire.UserLogoutResult](t, boss, wire.UsersLogout.Name, wire.UserNameParams{Name: name})
	patience.Return(t, "the end of alice's connection", peer.Wait)
	refusesCookie(t, m, "after the log-out", browser(m, cookie))
}

// A role that changes at the provider changes here with the next log-in, in all sessions,
// and one that is taken away ends them. Somebody with another name is the same person.
// The order of what happens at the provider is random.
func TestOIDCFollowsTheProvider(t *testing.T) {
	p := startProvider(t, "")
	m := outside(t, p, nil)
	roles := map[string]string{"sre": "admin", "dba": "operator", "staff": "viewer"}
	names := []string{"alice@example.org", "alice.b@example.org"}
	var before *http.Cookie
	last, name := "", ""
	for range 25 {
		who := alice()
		now, group := names[rand.IntN(2)], []string{"sre", "dba", "staff", "none"}[rand.IntN(4)]
		who["email"], who["groups"] = now, []string{group, "others"}
		if roles[group] == "" {
			p.as(who)
			s := newSurfer(t, m)
			response, text, _ := s.get(s.goOut("").String())
			if response.StatusCode != http.StatusForbidden || session(response) != nil {
				t.Fatalf("without a role: %s %s", response.Status, text)
			}
			if before != nil {
				refusesCookie(t, m, "after the role was taken away", browser(m, before))
			}
			before = nil
			continue
		}
		cookie := logInAs(t, m, p, who)
		check := map[string]*http.Cookie{"new": cookie}
		if before != nil && now == name {
			check["old"] = before
		} else if before != nil {
			refusesCookie(t, m, "of the name before", browser(m, before))
		}
		for which, c := range check {
			peer := dial(t, m, nil, rpc.DialOptions{Header: browser(m, c)})
			if info := call[wire.InfoResult](t, peer, wire.MasterInfo.Name, nil); info.Role != roles[group] {
				t.Fatalf("with %s after %s the %s session has the role %s", group, last, which, info.Role)
			}
			hangUp(t, peer)
		}
		before, last, name = cookie, group, now
	}
	boss := dial(t, m, nil, rpc.DialOptions{Header: bearer("boss")})
	if list := call[wire.UsersResult](t, boss, wire.UsersList.Name, nil).Users; len(list) > 1 {
		t.Errorf("one person is %d users: %+v", len(list), list)
	}
}

// A provider that is away keeps nobody out who has a password or a token, and lets people
// in once it is back, without a restart of the master.
func TestOIDCProviderAway(t *testing.T) {
	address := freeport.Address(t)
	away := &provider{MockOIDC: &mockoidc.MockOIDC{ClientID: "vedette", ClientSecret: "the secret of vedette"}}
	m := outside(t, away, func(cfg *config.Master) { cfg.OIDC.Issuer = "http://" + address + mockoidc.IssuerBase })
	addUser(t, m, "root", "admin")
	logIn(t, m, "root")
	s := newSurfer(t, m)
	response, text, _ := s.get(m.URL() + wire.OIDCPath)
	if response.StatusCode != http.StatusServiceUnavailable || !strings.Contains(text, "cannot be asked now") || strings.Contains(text, address) {
		t.Errorf("while it is away: %s %s", response.Status, text)
	}
	p := startProvider(t, address)
	patience.Until(t, "a log-in that begins once the provider is back", func() bool {
		response, _, _ := s.get(m.URL() + wire.OIDCPath)
		return response.StatusCode == http.StatusSeeOther
	})
	logInAs(t, m, p, alice("sre"))
}

// Behind a proxy that ends TLS the cookies are for TLS alone, and the browser comes back
// to the address of the proxy.
func TestOIDCBehindProxy(t *testing.T) {
	p := startProvider(t, "")
	var to atomic.Pointer[url.URL]
	proxy := httptest.NewTLSServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to.Load())
		r.Out.Host = r.In.Host
	}})
	t.Cleanup(proxy.Close)
	m := outside(t, p, func(cfg *config.Master) { cfg.OIDC.URL = proxy.URL + "/" })
	at, err := url.Parse(m.URL())
	if err != nil {
		t.Fatal(err)
	}
	to.Store(at)
	s := newSurfer(t, m)
	s.Transport.(*http.Transport).TLSClientConfig = proxy.Client().Transport.(*http.Transport).TLSClientConfig
	p.as(alice("staff"))
	response, text, next := s.get(s.goOut("/hosts?view=map").String())
	if next == nil || next.String() != proxy.URL+"/hosts?view=map" {
		t.Fatalf("alice is sent to %v: %s %s", next, response.Status, text)
	}
	for _, c := range response.Cookies() {
		if !c.Secure || !strings.HasPrefix(c.Name, "__Host-") || c.Path != "/" || c.Domain != "" {
			t.Errorf("the cookie is %+v", c)
		}
	}
	header := browser(m, session(response))
	header.Set("Origin", proxy.URL)
	peer, err := rpc.Dial(t.Context(), proxy.URL, rpc.DialOptions{Header: header, TLS: s.Transport.(*http.Transport).TLSClientConfig})
	if err != nil {
		t.Fatal(err)
	}
	defer hangUp(t, peer)
	if info := call[wire.InfoResult](t, peer, wire.MasterInfo.Name, nil); info.Role != "viewer" {
		t.Errorf("alice is a %s", info.Role)
	}
}

// The next log-in of a master that was started again is as the first: nothing of the log-in
// is in its memory but what a log-in that is under way needs.
func TestOIDCAfterRestart(t *testing.T) {
	p := startProvider(t, "")
	data := t.TempDir()
	var cfg config.Master
	m := outside(t, p, func(c *config.Master) { c.Data = data; cfg = *c })
	cookie := logInAs(t, m, p, alice("sre"))
	waiting := newSurfer(t, m)
	p.as(alice("sre"))
	back := waiting.goOut("")
	copied := restored(t, m, cfg)
	refusesNothing(t, copied, cookie)
	at := *back
	at.Host = strings.TrimPrefix(copied.URL(), "http://")
	waiting.m = copied
	if response, text, _ := waiting.get(at.String()); response.StatusCode != http.StatusForbidden || session(response) != nil {
		t.Errorf("a log-in that another process began: %s %s", response.Status, text)
	}
	cfg.OIDC.Issuer = "https://another.example"
	refusesCookie(t, restored(t, m, cfg), "of another provider", browser(m, cookie))
}

// restored is another master with the users of m, under the same configuration.
func restored(t *testing.T, m *Master, cfg config.Master) *Master {
	t.Helper()
	cfg.Listen, cfg.Data = freeport.Address(t), t.TempDir()
	if cfg.OIDC.URL != "" {
		cfg.OIDC.URL = "http://" + cfg.Listen
	}
	fresh := start(t, cfg)
	for _, prefix := range []string{"user/", "session/"} {
		list, err := m.remembered.List(context.Background(), prefix)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range list {
			if _, err := fresh.remembered.Put(context.Background(), e.Key, e.Value, ""); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := fresh.users.Open(context.Background(), fresh.remembered); err != nil {
		t.Fatal(err)
	}
	return fresh
}

// refusesNothing fails where a cookie is no good.
func refusesNothing(t *testing.T, m *Master, cookie *http.Cookie) {
	t.Helper()
	peer := dial(t, m, nil, rpc.DialOptions{Header: browser(m, cookie)})
	call[wire.InfoResult](t, peer, wire.MasterInfo.Name, nil)
}
