package master

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/internal/freeport"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// command is one that wants to be logged in.
type command struct {
	m               *Master
	t               *testing.T
	port            int
	verifier, state string
}

func newCommand(t *testing.T, m *Master) *command {
	return &command{m: m, t: t, port: 1 + mathrand.IntN(65535), verifier: secretText(), state: secretText()}
}

// secretText is a secret of the form that commands make.
func secretText() string { return wire.OIDCChallenge(rand.Text()) }

// link is what the command has a browser open.
func (c *command) link() string {
	q := url.Values{"port": {fmt.Sprint(c.port)}, "challenge": {wire.OIDCChallenge(c.verifier)}, "state": {c.state}}
	return c.m.URL() + wire.OIDCPath + "?" + q.Encode()
}

// asked opens the link, goes through the provider, and returns the page that asks.
func (s *surfer) asked(link string) (response *http.Response, page string) {
	s.t.Helper()
	_, text, to := s.get(link)
	if to == nil {
		s.t.Fatalf("%s leads nowhere: %s", link, text)
	}
	_, text, back := s.get(to.String())
	if back == nil {
		s.t.Fatalf("the provider says %s", text)
	}
	response, page, next := s.get(back.String())
	if next != nil || session(response) != nil {
		s.t.Fatalf("nobody was asked: %s, %v", response.Status, response.Header)
	}
	return response, page
}

// confirm presses the button of the page, as a page of an origin.
func (s *surfer) confirm(origin string) (*http.Response, *url.URL) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(patience.Context(s.t), http.MethodPost, s.m.URL()+wire.OIDCConfirmPath, http.NoBody)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Origin", origin)
	once := *s.Client
	once.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	response, err := once.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	at, _ := response.Location() // nil where there is none
	return response, at
}

// redeem asks for the token.
func (c *command) redeem(s *surfer, code, verifier string) (status int, a wire.LoginAnswer) {
	c.t.Helper()
	body, err := json.Marshal(wire.OIDCTokenRequest{Code: code, Verifier: verifier})
	if err != nil {
		c.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(patience.Context(c.t), http.MethodPost, c.m.URL()+wire.OIDCTokenPath, bytes.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	response, err := s.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	if response.StatusCode == http.StatusOK {
		if err := json.Unmarshal(said, &a); err != nil {
			c.t.Fatal(err)
		}
	}
	return response.StatusCode, a
}

// A person logs in a command: the page says who asks and what for, and the token is the
// person's, in the role of the group, for as long as a session may be.
func TestOIDCTerminal(t *testing.T) {
	p := startProvider(t, "")
	m := outside(t, p, nil)
	p.as(alice("dba"))
	s, c := newSurfer(t, m), newCommand(t, m)
	response, page := s.asked(c.link())
	printed, address := wire.OIDCCode(wire.OIDCChallenge(c.verifier)), strings.TrimPrefix(m.URL(), "http://")
	for _, want := range []string{"alice@example.org", "operator, for hosts with role=db", printed, address} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not on the page:\n%s", want, page)
		}
	}
	policy := response.Header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", fmt.Sprintf("form-action 'self' http://127.0.0.1:%d;", c.port)} {
		if !strings.Contains(policy, want) {
			t.Errorf("%q is not in the policy %q", want, policy)
		}
	}
	cookie := response.Cookies()[slices.IndexFunc(response.Cookies(), func(c *http.Cookie) bool { return c.Name == "vedette-confirm" })]
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode {
		t.Errorf("the cookie is %+v", cookie)
	}
	if got := len(m.users.List(time.Now())); got != 0 {
		t.Errorf("%d users are there before anybody has confirmed", got)
	}
	response, at := s.confirm(m.URL())
	if at == nil || at.Scheme != "http" || at.Host != fmt.Sprintf("127.0.0.1:%d", c.port) || at.Path != "/" || at.Query().Get("state") != c.state {
		t.Fatalf("the browser is sent to %v: %s", at, response.Status)
	}
	status, a := c.redeem(newSurfer(t, m), at.Query().Get("code"), c.verifier)
	if status != http.StatusOK || a.Name != "alice@example.org" || a.Role != "operator" || !strings.HasPrefix(a.Token, wire.LoginTokenPrefix) {
		t.Fatalf("the command gets %d %+v", status, a)
	}
	if left := a.EndsMS - time.Now().UnixMilli(); left > m.cfg.OIDC.SessionMax.Milliseconds() {
		t.Errorf("the token is good for %d ms", left)
	}
	peer := dial(t, m, nil, rpc.DialOptions{Header: http.Header{"Authorization": {"Bearer " + a.Token}}})
	if info := call[wire.InfoResult](t, peer, wire.MasterInfo.Name, nil); info.Role != "operator" || info.Bound != "role=db" {
		t.Errorf("alice is %s of %q", info.Role, info.Bound)
	}
	line := entries(t, m, "users.login")[0]
	if line.Who != "alice@example.org" || line.Outcome != "ok" || !strings.Contains(line.Detail, "a token for a program, by "+p.Issuer()) {
		t.Errorf("the audit log says %+v", line)
	}
}

// with returns an address with another value in its query.
func with(at *url.URL, name, value string) *url.URL {
	u, q := *at, at.Query()
	q.Set(name, value)
	u.RawQuery = q.Encode()
	return &u
}

// denied opens an address at which the log-in is refused. The browser must be sent to the
// command with a reason, and with nothing that is good for anything. It returns the status
// of a refusal.
func (c *command) denied(s *surfer, back *url.URL, reason string) int {
	c.t.Helper()
	response, _, at := s.get(back.String())
	if at == nil || at.Scheme != "http" || at.Host != fmt.Sprintf("127.0.0.1:%d", c.port) || at.Path != "/" {
		c.t.Errorf("the browser is sent to %v: %s", at, response.Status)
		return response.StatusCode
	}
	q := at.Query()
	said := q.Get("error_description")
	if len(q) != 3 || q.Get("state") != c.state || q.Get("error") != "access_denied" || !strings.Contains(said, reason) ||
		!regexp.MustCompile(`^[ !#-\[\]-~]+$`).MatchString(said) {
		c.t.Errorf("the command is told %v", q)
	}
	if session(response) != nil {
		c.t.Errorf("there is a session: %v", response.Header)
	}
	return http.StatusForbidden
}

// A command whose link is opened while the provider is away is told so.
func TestOIDCTerminalProviderAway(t *testing.T) {
	p := startProvider(t, "")
	m := outside(t, p, func(cfg *config.Master) {
		cfg.OIDC.Issuer, cfg.OIDC.Name = "http://"+freeport.Address(t), `Exämple "one"`
	})
	c := newCommand(t, m)
	_, _, at := newSurfer(t, m).get(c.link())
	if at == nil || at.Host != fmt.Sprintf("127.0.0.1:%d", c.port) || at.Query().Get("state") != c.state || at.Query().Get("error") != "temporarily_unavailable" ||
		!strings.HasPrefix(at.Query().Get("error_description"), "Ex?mple 'one' cannot be asked now.") {
		t.Errorf("the browser is sent to %v", at)
	}
}

// terminalAttack is one way to get a token that must be shut, or to have a browser sent
// elsewhere. It returns the status of the last answer.
type terminalAttack func(t *testing.T, m *Master, p *provider) int

// confirmed is a log-in that alice has confirmed: the command, and the code for it.
func confirmed(t *testing.T, m *Master, p *provider) (c *command, code string) {
	t.Helper()
	p.as(alice("sre"))
	s := newSurfer(t, m)
	c = newCommand(t, m)
	s.asked(c.link())
	response, at := s.confirm(m.URL())
	if at == nil {
		t.Fatalf("the confirmation is answered with %s", response.Status)
	}
	return c, at.Query().Get("code")
}

func terminalAttacks() map[string]terminalAttack {
	link := func(change func(q url.Values)) terminalAttack {
		return func(t *testing.T, m *Master, _ *provider) int {
			c := newCommand(t, m)
			u, err := url.Parse(c.link())
			if err != nil {
				t.Fatal(err)
			}
			q := u.Query()
			change(q)
			u.RawQuery = q.Encode()
			response, _, to := newSurfer(t, m).get(u.String())
			if to != nil {
				t.Errorf("%v leads to %v", q, to)
			}
			return response.StatusCode
		}
	}
	return map[string]terminalAttack{
		"another host in the port": link(func(q url.Values) {
			q.Set("port", one("80@evil.example", "evil.example", "80/../x", "80#", "0", "-1", "65536", "99999999999999999999", "", " 80", "8_0", "0x50"))
		}),
		"a weak challenge": link(func(q url.Values) {
			q.Set("challenge", one("", text(), strings.Repeat("a", 44), "<b>"+strings.Repeat("a", 40)))
		}),
		"a state with markup": link(func(q url.Values) {
			q.Set("state", one("", "&code=x", strings.Repeat("a", 42)+"\n", strings.Repeat("a", 42)+"&"))
		}),
		"no port": link(func(q url.Values) { q.Del("port") }),
		// Somebody who sees the code has no verifier.
		"a stolen code": func(t *testing.T, m *Master, p *provider) int {
			c, code := confirmed(t, m, p)
			status, _ := c.redeem(newSurfer(t, m), code, one("", secretText(), wire.OIDCChallenge(c.verifier), c.state, c.verifier[1:]))
			if later, _ := c.redeem(newSurfer(t, m), code, c.verifier); later != http.StatusUnauthorized {
				t.Errorf("the code is good after a wrong verifier: %d", later)
			}
			return status
		},
		"a code twice": func(t *testing.T, m *Master, p *provider) int {
			c, code := confirmed(t, m, p)
			if status, _ := c.redeem(newSurfer(t, m), code, c.verifier); status != http.StatusOK {
				t.Errorf("the code is refused: %d", status)
			}
			status, _ := c.redeem(newSurfer(t, m), code, c.verifier)
			return status
		},
		// Somebody else's code, brought to a command that waits.
		"a code of another command": func(t *testing.T, m *Master, p *provider) int {
			_, code := confirmed(t, m, p)
			mine := newCommand(t, m)
			status, _ := mine.redeem(newSurfer(t, m), code, mine.verifier)
			return status
		},
		"a made-up code": func(t *testing.T, m *Master, _ *provider) int {
			c := newCommand(t, m)
			status, _ := c.redeem(newSurfer(t, m), one("", text(), secretText()), c.verifier)
			return status
		},
		// The secret of the question is not the code.
		"the cookie as a code": func(t *testing.T, m *Master, p *provider) int {
			p.as(alice("sre"))
			s, c := newSurfer(t, m), newCommand(t, m)
			response, _ := s.asked(c.link())
			cookies := response.Cookies()
			status, _ := c.redeem(newSurfer(t, m), cookies[len(cookies)-1].Value, c.verifier)
			return status
		},
		// A link that was sent to somebody, whose browser the provider knows: without the
		// button nothing happens, whatever page presses it.
		"a button on another page": func(t *testing.T, m *Master, p *provider) int {
			p.as(alice("sre"))
			s := newSurfer(t, m)
			s.asked(newCommand(t, m).link())
			response, at := s.confirm(one("https://evil.example", "null", "http://127.0.0.1:1"))
			if at != nil {
				t.Errorf("the browser is sent to %v", at)
			}
			return response.StatusCode
		},
		"a button in another browser": func(t *testing.T, m *Master, p *provider) int {
			p.as(alice("sre"))
			newSurfer(t, m).asked(newCommand(t, m).link())
			response, _ := newSurfer(t, m).confirm(m.URL())
			return response.StatusCode
		},
		"a button twice": func(t *testing.T, m *Master, p *provider) int {
			p.as(alice("sre"))
			s := newSurfer(t, m)
			response, _ := s.asked(newCommand(t, m).link())
			kept := response.Cookies()
			if response, at := s.confirm(m.URL()); at == nil {
				t.Errorf("the confirmation is answered with %s", response.Status)
			}
			at, err := url.Parse(m.URL())
			if err != nil {
				t.Fatal(err)
			}
			s.Jar.SetCookies(at, kept)
			response, _ = s.confirm(m.URL())
			return response.StatusCode
		},
		"somebody without a role": func(t *testing.T, m *Master, p *provider) int {
			who := alice("nobody")
			who["sub"], who["email"] = "eve-1", "eve@example.org"
			p.as(who)
			s, c := newSurfer(t, m), newCommand(t, m)
			_, _, to := s.get(c.link())
			_, _, back := s.get(to.String())
			return c.denied(s, back, "no role is for the user")
		},
		"another provider": func(t *testing.T, m *Master, p *provider) int {
			p.as(alice("sre"))
			s, c := newSurfer(t, m), newCommand(t, m)
			_, _, to := s.get(c.link())
			_, _, back := s.get(to.String())
			return c.denied(s, with(back, "iss", "https://evil.example"), "The log-in was refused. ")
		},
		// Another page cannot end the log-in of a command, nor can an old answer.
		"an error without the state": func(t *testing.T, m *Master, p *provider) int {
			p.as(alice("sre"))
			s := newSurfer(t, m)
			_, _, to := s.get(newCommand(t, m).link())
			_, _, back := s.get(to.String())
			back.RawQuery = url.Values{"error": {"access_denied"}, "state": {one("", text(), secretText())}}.Encode()
			response, _, at := s.get(back.String())
			if at != nil {
				t.Errorf("the browser is sent to %v", at)
			}
			return response.StatusCode
		},
		"an error in another browser": func(t *testing.T, m *Master, p *provider) int {
			p.as(alice("sre"))
			s := newSurfer(t, m)
			_, _, to := s.get(newCommand(t, m).link())
			_, _, back := s.get(to.String())
			response, _, at := newSurfer(t, m).get(with(back, "error", "access_denied").String())
			if at != nil {
				t.Errorf("the browser is sent to %v", at)
			}
			return response.StatusCode
		},
		"an error twice": func(t *testing.T, m *Master, p *provider) int {
			p.as(alice("sre"))
			s, c := newSurfer(t, m), newCommand(t, m)
			_, _, to := s.get(c.link())
			_, _, back := s.get(to.String())
			page, err := url.Parse(m.URL())
			if err != nil {
				t.Fatal(err)
			}
			kept := s.Jar.Cookies(page)
			back = with(back, "error", "access_denied")
			c.denied(s, back, "the provider has refused")
			s.Jar.SetCookies(page, kept)
			response, _, at := s.get(back.String())
			if at != nil {
				t.Errorf("the browser is sent to %v", at)
			}
			return response.StatusCode
		},
	}
}

// Nobody gets a token by any of the attacks, in a random order and with random input, and
// no browser is sent to anywhere but loopback.
func TestOIDCTerminalAttacks(t *testing.T) {
	p := startProvider(t, "")
	m := outside(t, p, nil)
	all := terminalAttacks()
	var rounds []string
	for name := range all {
		rounds = append(rounds, name, name)
	}
	mathrand.Shuffle(len(rounds), func(i, j int) { rounds[i], rounds[j] = rounds[j], rounds[i] })
	for _, name := range rounds {
		status := all[name](t, m, p)
		if !slices.Contains([]int{http.StatusBadRequest, http.StatusForbidden, http.StatusUnauthorized}, status) {
			t.Errorf("%s: %d", name, status)
		}
	}
	for _, u := range m.users.List(time.Now()) {
		if u.Name != "alice@example.org" {
			t.Errorf("there is a user %+v", u)
		}
	}
	reasons := make(map[string]bool)
	for _, e := range entries(t, m, "users.login") {
		reasons[e.Outcome] = true
	}
	for _, want := range []string{"the code of the command is not good", "the command is another one", "this browser has nothing to confirm"} {
		if !reasons["refused: "+want] {
			t.Errorf("%q is not among the reasons %v", want, reasons)
		}
	}
}

// Roles that change between the page and the command count.
func TestOIDCTerminalFollowsRoles(t *testing.T) {
	p := startProvider(t, "")
	m := outside(t, p, nil)
	c, code := confirmed(t, m, p)
	m.oidc.SetRoles([]config.OIDCRole{{Group: "sre", Role: "viewer"}})
	if status, a := c.redeem(newSurfer(t, m), code, c.verifier); status != http.StatusUnauthorized || a.Token != "" {
		t.Errorf("alice gets %d %+v with a role that she has no more", status, a)
	}
}

// What the provider says of somebody is text on the page.
func TestOIDCTerminalEscapes(t *testing.T) {
	p := startProvider(t, "")
	m := outside(t, p, func(cfg *config.Master) { cfg.OIDC.Claim, cfg.OIDC.Domains = "preferred_username", nil })
	const mark = `<script>alert(1)</script>"'>`
	p.as(jwt.MapClaims{"sub": "m", "preferred_username": mark, "groups": []string{"sre"}})
	_, page := newSurfer(t, m).asked(newCommand(t, m).link())
	if regexp.MustCompile(`(?i)<script|"'>`).MatchString(page) {
		t.Errorf("the page has what the provider said:\n%s", page)
	}
}
