package master

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/master/audit"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

const password = "correct horse"

// addUser makes a user with the password of these tests.
func addUser(t *testing.T, m *Master, name, role string) {
	t.Helper()
	ctx := audit.With(context.Background(), audit.NewAttempt("test", "admin", "127.0.0.1:1", "users.add"))
	if _, err := m.users.Add(ctx, wire.UserParams{Name: name, Role: role, Password: password}); err != nil {
		t.Fatal(err)
	}
}

// logIn logs a user in as a browser does, and returns the cookie.
func logIn(t *testing.T, m *Master, name string) *http.Cookie {
	t.Helper()
	response, text := post(t, m, http.MethodPost, wire.LoginPath, wire.LoginRequest{Name: name, Password: password}, nil)
	if response.StatusCode != http.StatusOK || len(response.Cookies()) != 1 {
		t.Fatalf("%s logs in: %s %s", name, response.Status, text)
	}
	return response.Cookies()[0]
}

// browser is what a page of the master sends with a cookie.
func browser(m *Master, cookie *http.Cookie) http.Header {
	return http.Header{"Cookie": {cookie.Name + "=" + cookie.Value}, "Origin": {m.URL()}, "Sec-Fetch-Site": {"same-origin"}}
}

// post sends JSON and returns the answer, whose body is read.
func post(t *testing.T, m *Master, method, path string, body any, header http.Header) (*http.Response, string) {
	t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(patience.Context(t), method, m.URL()+path, bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(r.Header, header)
	r.Header.Set("Content-Type", "application/json")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(text)
}

func people(t *testing.T) *Master {
	t.Helper()
	return start(t, config.Master{Tokens: []config.Token{token("boss", "admin", ""), token("wall", "viewer", "")}})
}

// refusesCookie fails where a cookie is good for anything.
func refusesCookie(t *testing.T, m *Master, what string, header http.Header) {
	t.Helper()
	if status, _ := request(t, m, header, http.MethodGet, "/metrics"); status == http.StatusOK {
		t.Errorf("%s: a page is served", what)
	}
	peer, err := rpc.Dial(t.Context(), m.URL(), rpc.DialOptions{Header: header})
	if err != nil {
		return
	}
	defer hangUp(t, peer)
	if code := codeOf(t, peer, wire.HostsList.Name, nil); code != wire.CodeUnauthenticated {
		t.Errorf("%s: a call gives %d", what, code)
	}
}

// A cookie is good for its master and its page until the log-out, and nothing else is:
// not one of another master, not one that was changed, not as a token, not without an
// origin, not after the log-out. The WebSocket is cut with the session.
func TestCookies(t *testing.T) {
	m, other := people(t), people(t)
	addUser(t, m, "alice", "viewer")
	addUser(t, other, "alice", "viewer")
	cookie := logIn(t, m, "alice")
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || cookie.Path != "/" || cookie.Domain != "" {
		t.Errorf("the cookie is %+v", cookie)
	}
	good := browser(m, cookie)
	if status, text := request(t, m, good, http.MethodGet, "/metrics"); status != http.StatusOK {
		t.Fatal(status, text)
	}
	if _, text := request(t, m, good, http.MethodGet, wire.LoginPath); !strings.Contains(text, `"who":"alice"`) {
		t.Errorf("who is logged in: %s", text)
	}
	peer := dial(t, m, nil, rpc.DialOptions{Header: good})
	if info := call[wire.InfoResult](t, peer, wire.MasterInfo.Name, nil); info.Role != "viewer" {
		t.Errorf("alice is a %s", info.Role)
	}

	refusesCookie(t, m, "another master's", browser(m, logIn(t, other, "alice")))
	for range 20 {
		changed := []byte(cookie.Value)
		changed[rand.IntN(len(changed))] ^= 1 + byte(rand.IntN(3))
		refusesCookie(t, m, "a changed one", browser(m, &http.Cookie{Name: cookie.Name, Value: string(changed)}))
	}
	if status, _ := request(t, m, http.Header{"Authorization": {"Bearer " + cookie.Value}}, http.MethodGet, "/metrics"); status != http.StatusUnauthorized {
		t.Errorf("a cookie as a token: %d", status)
	}
	foreign := good.Clone()
	foreign.Set("Origin", "https://evil.example")
	if response, _ := post(t, m, http.MethodDelete, wire.LoginPath, nil, foreign); response.StatusCode != http.StatusForbidden {
		t.Errorf("a page of another origin logs alice out: %s", response.Status)
	}
	if response, _ := post(t, m, http.MethodDelete, wire.LoginPath, nil, http.Header{"Cookie": good["Cookie"]}); response.StatusCode != http.StatusUnauthorized {
		t.Errorf("without an origin alice is logged out: %s", response.Status)
	}
	if _, err := rpc.Dial(t.Context(), m.URL(), rpc.DialOptions{Header: foreign}); err == nil {
		t.Error("a page of another origin opens a WebSocket")
	}

	if response, text := post(t, m, http.MethodDelete, wire.LoginPath, nil, good); response.StatusCode != http.StatusNoContent {
		t.Fatal(response.Status, text)
	}
	patience.Return(t, "the end of the WebSocket of a session that has ended", peer.Wait)
	if code := closeCode(peer); code != wire.CloseUnauthenticated {
		t.Errorf("it was closed with %d", code)
	}
	refusesCookie(t, m, "a replayed one", good)
}

// Over TLS, and behind a proxy that ends it, the cookie is never sent unencrypted.
func TestCookieOverTLS(t *testing.T) {
	cert, pool := selfSigned(t)
	m := start(t, config.Master{TLS: cert, Tokens: []config.Token{token("boss", "admin", "")}})
	addUser(t, m, "alice", "viewer")
	cookie := logIn(t, m, "alice")
	if cookie.Name != "__Host-vedette" || !cookie.Secure {
		t.Errorf("the cookie is %+v", cookie)
	}
	peer := dial(t, m, nil, rpc.DialOptions{Header: browser(m, cookie), TLS: &tls.Config{RootCAs: pool}})
	call[wire.HostsResult](t, peer, wire.HostsList.Name, nil)
	// A page without TLS, or of a neighbour, can set a cookie, but not of this name.
	response, _ := post(t, m, http.MethodDelete, wire.LoginPath, nil, browser(m, &http.Cookie{Name: "vedette", Value: cookie.Value}))
	if response.StatusCode != http.StatusUnauthorized {
		t.Errorf("a cookie of another name: %s", response.Status)
	}
	plain := people(t)
	addUser(t, plain, "alice", "viewer")
	header := http.Header{"Origin": {"https://" + strings.TrimPrefix(plain.URL(), "http://")}}
	response, text := post(t, plain, http.MethodPost, wire.LoginPath, wire.LoginRequest{Name: "alice", Password: password}, header)
	if got := response.Cookies(); len(got) != 1 || !got[0].Secure || got[0].Name != "__Host-vedette" {
		t.Errorf("behind a proxy: %s %s %+v", response.Status, text, got)
	}
}

// What makes those worthless who have logged in before cuts them, and what does not
// leaves them: in a random order, with whoever is logged in by cookie, token and name.
func TestChangesOfUsersCutConnections(t *testing.T) {
	m := people(t)
	boss := dial(t, m, nil, rpc.DialOptions{Header: bearer("boss")})
	for n, change := range []struct {
		method string
		params func(name string) any
		cuts   bool
	}{
		{wire.UsersPasswd.Name, func(name string) any { return wire.UserPasswordParams{Name: name, Password: "another horse"} }, true},
		{wire.UsersRole.Name, func(name string) any { return wire.UserRoleParams{Name: name, Role: "operator"} }, true},
		{wire.UsersRole.Name, func(name string) any { return wire.UserRoleParams{Name: name, Role: "viewer"} }, false},
		{wire.UsersRemove.Name, func(name string) any { return wire.UserNameParams{Name: name} }, true},
		{wire.UsersLink.Name, func(name string) any { return wire.UserNameParams{Name: name} }, false},
	} {
		name, bystander := fmt.Sprint("user-", n), fmt.Sprint("bystander-", n)
		addUser(t, m, name, "viewer")
		addUser(t, m, bystander, "viewer")
		their, others := logins(t, m, name), logins(t, m, bystander)
		if err := boss.Call(patience.Context(t), change.method, change.params(name), nil); err != nil {
			t.Fatal(err)
		}
		for how, peer := range their {
			if change.cuts {
				patience.Return(t, fmt.Sprintf("the end of a connection by %s after %s", how, change.method), peer.Wait)
			} else {
				call[wire.HostsResult](t, peer, wire.HostsList.Name, nil)
			}
		}
		for _, peer := range others {
			call[wire.HostsResult](t, peer, wire.HostsList.Name, nil)
		}
	}
}

// A user who is bound to hosts is so in each way to log in, and sees those alone.
func TestUserBoundToHosts(t *testing.T) {
	m := people(t)
	boss := dial(t, m, nil, rpc.DialOptions{Header: bearer("boss")})
	p := wire.UserParams{Name: "carol", Role: "operator", Hosts: "host in (a,b)", Password: password}
	call[wire.UserMade](t, boss, wire.UsersAdd.Name, p)
	for how, peer := range logins(t, m, "carol") {
		if info := call[wire.InfoResult](t, peer, wire.MasterInfo.Name, nil); info.Bound != p.Hosts {
			t.Errorf("by %s carol is bound to %q", how, info.Bound)
		}
		if got := refused(t, peer, wire.HostsRevoke.Name, wire.MemberParams{Host: "c"}); got.Code != wire.CodeNotFound && got.Code != wire.CodeForbidden {
			t.Errorf("by %s carol revokes another host: %v", how, got)
		}
	}
	p.Name, p.Role = "dora", "admin"
	if got := refused(t, boss, wire.UsersAdd.Name, p); got.Code != rpc.CodeInvalidParams || !strings.Contains(got.Message, "for all hosts") {
		t.Errorf("an admin who is bound: %v", got)
	}
}

// logins are connections of a user who has logged in in each way.
func logins(t *testing.T, m *Master, name string) map[string]*rpc.Peer {
	t.Helper()
	response, text := post(t, m, http.MethodPost, wire.LoginPath, wire.LoginRequest{Name: name, Password: password, Token: true}, nil)
	var answer wire.LoginAnswer
	if err := json.Unmarshal([]byte(text), &answer); err != nil || !strings.HasPrefix(answer.Token, "vedette_login_") || len(response.Cookies()) != 0 {
		t.Fatalf("a token for %s: %s %s", name, response.Status, text)
	}
	byName := dial(t, m, nil, rpc.DialOptions{})
	call[wire.LoginResult](t, byName, wire.MasterLogin.Name, wire.LoginParams{Username: name, Password: password})
	return map[string]*rpc.Peer{
		"cookie": dial(t, m, nil, rpc.DialOptions{Header: browser(m, logIn(t, m, name))}),
		"token":  dial(t, m, nil, withToken(answer.Token)),
		"name":   byName,
	}
}

// Whoever changes their own password, or logs themselves out elsewhere, over a connection
// that they logged in on with a name and a password, gets the answer and stays connected.
// All their other connections end. The order is random.
func TestOwnChangeKeepsTheConnection(t *testing.T) {
	m := people(t)
	addUser(t, m, "alice", "operator")
	now := password
	logIn := func() *rpc.Peer {
		peer := dial(t, m, nil, rpc.DialOptions{})
		call[wire.LoginResult](t, peer, wire.MasterLogin.Name, wire.LoginParams{Username: "alice", Password: now})
		return peer
	}
	alice := logIn()
	for n := range 8 {
		other := logIn()
		if rand.IntN(2) == 0 {
			fresh := fmt.Sprint("another horse ", n)
			call[wire.Empty](t, alice, wire.UsersPasswd.Name, wire.UserPasswordParams{Old: now, Password: fresh})
			now = fresh
		} else {
			call[wire.UserLogoutResult](t, alice, wire.UsersLogout.Name, wire.UserNameParams{})
		}
		patience.Return(t, "the end of alice's other connection", other.Wait)
		m.cutRevoked("of a test")
		call[wire.HostsResult](t, alice, wire.HostsList.Name, nil)
	}
	boss := dial(t, m, nil, rpc.DialOptions{Header: bearer("boss")})
	call[wire.UserLogoutResult](t, boss, wire.UsersLogout.Name, wire.UserNameParams{Name: "alice"})
	patience.Return(t, "the end of alice's connection when an admin logs her out", alice.Wait)
}

// A log-in that has ended does not begin again by a change that its user makes: neither one
// of before that the master has not cut yet, nor one that ends while the change is made.
func TestEndedLogInMakesNoChange(t *testing.T) {
	m := people(t)
	addUser(t, m, "alice", "operator")
	now := password
	for n := range 4 {
		alice := dial(t, m, nil, rpc.DialOptions{})
		call[wire.LoginResult](t, alice, wire.MasterLogin.Name, wire.LoginParams{Username: "alice", Password: now})
		var err error
		if n%2 == 0 {
			now = fmt.Sprint("another horse ", n)
			_, err = m.users.SetPassword(t.Context(), "alice", now, [sha256.Size]byte{})
		} else {
			_, _, err = m.users.EndAll(t.Context(), "alice", [sha256.Size]byte{})
		}
		if err != nil {
			t.Fatal(err)
		}
		_ = alice.Call(t.Context(), wire.UsersLogout.Name, wire.UserNameParams{}, nil) // answered, or cut before
		patience.Return(t, "the end of the log-in that an admin has ended", alice.Wait)
	}
}

// People change their own password with the old one, and nobody else's; admins change
// anybody's. Their session stays, their others end.
func TestOwnPassword(t *testing.T) {
	m := people(t)
	addUser(t, m, "alice", "operator")
	addUser(t, m, "bob", "admin")
	header := browser(m, logIn(t, m, "alice"))
	other := dial(t, m, nil, rpc.DialOptions{Header: browser(m, logIn(t, m, "alice"))})
	alice := dial(t, m, nil, rpc.DialOptions{Header: header})
	for _, c := range []struct {
		p    wire.UserPasswordParams
		code int
		want string
	}{
		{wire.UserPasswordParams{Password: "another horse"}, rpc.CodeInvalidParams, "old password"},
		{wire.UserPasswordParams{Old: "wrong horse", Password: "another horse"}, rpc.CodeInvalidParams, "old password"},
		{wire.UserPasswordParams{Name: "bob", Old: password, Password: "another horse"}, wire.CodeForbidden, "admin's"},
		{wire.UserPasswordParams{Name: "nobody-there", Password: "another horse"}, wire.CodeForbidden, "admin's"},
		{wire.UserPasswordParams{Old: password, Password: "short"}, rpc.CodeInvalidParams, "at least 10"},
	} {
		if got := refused(t, alice, wire.UsersPasswd.Name, c.p); got.Code != c.code || !strings.Contains(got.Message, c.want) {
			t.Errorf("%+v: %v, want %d with %q", c.p, got, c.code, c.want)
		}
	}
	call[wire.Empty](t, alice, wire.UsersPasswd.Name, wire.UserPasswordParams{Old: password, Password: "another horse"})
	patience.Return(t, "the end of the other session", other.Wait)
	call[wire.HostsResult](t, alice, wire.HostsList.Name, nil)
	bob := dial(t, m, nil, rpc.DialOptions{Header: browser(m, logIn(t, m, "bob"))})
	call[wire.Empty](t, bob, wire.UsersPasswd.Name, wire.UserPasswordParams{Name: "alice", Password: "third horse"})
	patience.Return(t, "the end of the session whose password an admin has changed", alice.Wait)
	for _, own := range []struct {
		method string
		params any
	}{{wire.UsersRemove.Name, wire.UserNameParams{Name: "bob"}}, {wire.UsersRole.Name, wire.UserRoleParams{Name: "bob", Role: "viewer"}}} {
		if got := refused(t, bob, own.method, own.params); got.Code != wire.CodeConflict || !strings.Contains(got.Message, "is you") {
			t.Errorf("%s of oneself: %v", own.method, got)
		}
	}
	if got := call[wire.UserLogoutResult](t, bob, wire.UsersLogout.Name, wire.UserNameParams{Name: "alice"}); got.Sessions != 0 {
		t.Errorf("alice has %d sessions", got.Sessions)
	}
}

// Whatever is wrong with a name or a password, the answer is the same; it is counted,
// and in the audit log, in which no password is. Names are there if they are users'.
func TestWrongPasswords(t *testing.T) {
	m := people(t)
	addUser(t, m, "alice", "viewer")
	ctx := audit.With(t.Context(), audit.NewAttempt("x", "admin", "", "users.add"))
	if _, err := m.users.Add(ctx, wire.UserParams{Name: "invited", Role: "viewer"}); err != nil {
		t.Fatal(err)
	}
	before := m.api.Failures.Total()
	texts := make(map[string]bool)
	secret := "my-secret-in-the-wrong-field"
	for _, p := range []wire.LoginRequest{
		{Name: "alice", Password: "wrong horse"},
		{Name: secret, Password: secret},
		{Name: "invited", Password: "wrong horse"},
		{Name: "invited"},
		{},
		{Name: "alice"},
		{Name: strings.Repeat("x", 200), Password: "y"},
	} {
		response, text := post(t, m, http.MethodPost, wire.LoginPath, p, nil)
		if response.StatusCode != http.StatusUnauthorized || len(response.Cookies()) != 0 {
			t.Errorf("%+v: %s", p, response.Status)
		}
		texts[text] = true
	}
	if len(texts) != 1 {
		t.Errorf("the answers are %v", slices.Collect(maps.Keys(texts)))
	}
	if got := m.api.Failures.Total() - before; got != 7 {
		t.Errorf("%d failures are counted", got)
	}
	boss := dial(t, m, nil, rpc.DialOptions{Header: bearer("boss")})
	lines := call[wire.AuditResult](t, boss, wire.AuditList.Name, wire.AuditParams{Action: "users.login"}).Entries
	if text := fmt.Sprint(lines); len(lines) == 0 || strings.Contains(text, secret) || strings.Contains(text, "horse") || !strings.Contains(text, "alice") {
		t.Errorf("the audit log says %s", text)
	}
	for _, bad := range []string{"application/x-www-form-urlencoded", "text/plain", ""} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, m.URL()+wire.LoginPath, strings.NewReader(`{"name":"alice","password":"correct horse"}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", bad)
		if status, _ := send(t, r); status != http.StatusUnsupportedMediaType {
			t.Errorf("a log-in as %q: %d", bad, status)
		}
	}
}

// A master that others can reach prints a link with which one becomes the first admin:
// once. One on loopback prints none.
func TestFirstAdmin(t *testing.T) {
	if m := people(t); m.FirstLink() != "" {
		t.Error("a master on loopback has a first link")
	}
	cert, _ := selfSigned(t)
	m := start(t, config.Master{Listen: "0.0.0.0:0", TLS: cert, Tokens: []config.Token{token("boss", "admin", "")}})
	_, secret, ok := strings.Cut(m.FirstLink(), wire.LinkFragment)
	if !ok {
		t.Fatalf("the link is %q", m.FirstLink())
	}
	for _, c := range []struct {
		p      wire.PasswordRequest
		status int
	}{
		{wire.PasswordRequest{Link: secret + "x", Name: "alice", Password: password}, 401},
		{wire.PasswordRequest{Link: secret}, 200}, // asks whose it is
		{wire.PasswordRequest{Link: secret, Name: "alice", Password: "short"}, 400},
		{wire.PasswordRequest{Link: secret, Name: "a b", Password: password}, 400},
		{wire.PasswordRequest{Link: secret, Name: "boss", Password: password}, 409},
		{wire.PasswordRequest{Link: secret, Name: "alice", Password: password}, 200},
		{wire.PasswordRequest{Link: secret, Name: "mallory", Password: password}, 401},
	} {
		if response, text := post(t, m, http.MethodPost, wire.PasswordPath, c.p, nil); response.StatusCode != c.status {
			t.Errorf("%+v: %s %s, want %d", c.p, response.Status, text, c.status)
		}
	}
	if list := m.users.List(time.Now()); len(list) != 1 || list[0].Name != "alice" || list[0].Role != "admin" || list[0].Sessions != 1 {
		t.Errorf("the users are %+v", list)
	}
}
