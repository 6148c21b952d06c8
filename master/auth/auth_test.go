package auth

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/rpc/wire"
)

func sum(token string) string {
	s := sha256.Sum256([]byte(token))
	return hex.EncodeToString(s[:])
}

func mustNew(t *testing.T, tokens ...config.Token) *Authenticator {
	t.Helper()
	a, err := New(tokens)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestNewRefuses(t *testing.T) {
	good := config.Token{Name: "ops", Role: "operator", SHA256: sum("s")}
	for name, c := range map[string]struct {
		tokens []config.Token
		want   string
	}{
		"no hex":        {[]config.Token{{Name: "x", Role: "viewer", SHA256: "zz"}}, "not 64 hex digits"},
		"short":         {[]config.Token{{Name: "x", Role: "viewer", SHA256: "abcd"}}, "not 64 hex digits"},
		"role":          {[]config.Token{{Name: "x", Role: "root", SHA256: sum("s")}}, `unknown role "root"`},
		"local":         {[]config.Token{{Name: "x", Role: "local", SHA256: sum("s")}}, `unknown role "local"`},
		"no host":       {[]config.Token{{Name: "x", Role: "agent", SHA256: sum("s")}}, "names a host"},
		"viewer's host": {[]config.Token{{Name: "x", Role: "viewer", Host: "h", SHA256: sum("s")}}, "names a host"},
		"agent's hosts": {[]config.Token{{Name: "x", Role: "agent", Host: "h", Hosts: "a=b", SHA256: sum("s")}}, "for viewers and operators"},
		"selector":      {[]config.Token{{Name: "x", Role: "viewer", Hosts: "a b", SHA256: sum("s")}}, `hosts: the selector "a b" cannot be read`},
		"all hosts":     {[]config.Token{{Name: "x", Role: "viewer", Hosts: " ", SHA256: sum("s")}}, "selects every host"},
		"twice":         {[]config.Token{good, good}, "same sha256"},
	} {
		if _, err := New(c.tokens); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error with %q", name, err, c.want)
		}
	}
}

func TestRequest(t *testing.T) {
	a := mustNew(t, config.Token{Name: "web-1", Role: "agent", Host: "web-1", SHA256: sum("secret")})
	for header, want := range map[string]string{
		"":                "anonymous",
		"Bearer secret":   "web-1",
		"Bearer wrong":    "error",
		"Bearer ":         "error",
		"Basic c2VjcmV0":  "error",
		"bearer secret":   "error",
		"Bearer  secret":  "error",
		"Bearer secret\n": "error",
	} {
		r := httptest.NewRequest("GET", "/rpc", nil)
		if header != "" {
			r.Header.Set("Authorization", header)
		}
		identity, err := a.Request(r)
		got := "anonymous"
		switch {
		case err != nil:
			got = "error"
		case identity != nil:
			got = identity.Name
		}
		if got != want {
			t.Errorf("%q: %s, want %s", header, got, want)
		}
	}
	if _, err := a.Token(""); !errors.Is(err, ErrToken) {
		t.Errorf("an empty token gives %v", err)
	}
}

// Without tokens the user at the other end is asked for, and who is neither the
// master's own nor root needs the key.
func TestRequestWithoutTokens(t *testing.T) {
	for _, c := range []struct {
		ours        bool
		key, header string
		want        string
	}{
		{true, "", "", "local"},
		{true, "k", "", "local"},
		{true, "k", "Bearer other", "local"},
		{false, "k", "Bearer k", "key"},
		{false, "k", "", "anonymous"},
		{false, "", "", "anonymous"},
		{false, "k", "Bearer x", "error"},
		{false, "", "Bearer ", "error"},
		{false, "", "Bearer k", "error"},
		{false, "k", "Basic k", "error"},
	} {
		a := mustNew(t)
		if c.key != "" {
			a.SetKey(c.key)
		}
		r := httptest.NewRequest("GET", "/rpc", nil)
		if c.header != "" {
			r.Header.Set("Authorization", c.header)
		}
		got := "anonymous"
		switch identity, err := a.Request(r.WithContext(WithOwner(r.Context(), func() bool { return c.ours }))); {
		case err != nil:
			got = "error"
		case identity != nil:
			if got = identity.Name; identity.Role != Local || !a.Valid(*identity) {
				t.Errorf("%+v gives %+v", c, identity)
			}
		}
		if got != c.want {
			t.Errorf("%+v is %s", c, got)
		}
		if identity, err := a.Request(r); err == nil && identity != nil && identity.Name == "local" {
			t.Errorf("%+v: without a word of the kernel it is %+v", c, identity)
		}
	}
}

// Tokens change while requests are answered; whoever was known with another role
// or host is not valid any more.
func TestSetTokens(t *testing.T) {
	one := config.Token{Name: "one", Role: "viewer", SHA256: sum("1")}
	a := mustNew(t, one)
	identity, err := a.Token("1")
	if err != nil || !a.Valid(identity) {
		t.Fatal(identity, err)
	}
	for name, tokens := range map[string][]config.Token{
		"gone": {{Name: "two", Role: "viewer", SHA256: sum("2")}}, "another role": {{Name: "one", Role: "operator", SHA256: sum("1")}},
		"another name": {{Name: "eins", Role: "viewer", SHA256: sum("1")}}, "another token": {{Name: "one", Role: "viewer", SHA256: sum("3")}},
	} {
		if err := a.SetTokens(tokens); err != nil || a.Valid(identity) {
			t.Errorf("%s: %v", name, err)
		}
		if err := a.SetTokens([]config.Token{one}); err != nil || !a.Valid(identity) {
			t.Errorf("%s and back: %v", name, err)
		}
	}
	for _, bad := range [][]config.Token{nil, {{Name: "x", Role: "root", SHA256: sum("1")}}, {one, one}} {
		if err := a.SetTokens(bad); err == nil || !a.Valid(identity) {
			t.Errorf("%v gave %v", bad, err)
		}
	}
	open := mustNew(t)
	if err := open.SetTokens([]config.Token{one}); err == nil || !open.Open() {
		t.Errorf("an open master got tokens: %v", err)
	}
	if err := open.SetTokens(nil); err != nil {
		t.Error(err)
	}
}

func TestMay(t *testing.T) {
	agent := Identity{Name: "a", Role: Agent, Host: "web-1"}
	for _, c := range []struct {
		who       Identity
		view      bool
		reportErr string
	}{
		{agent, false, ""},
		{Identity{Name: "a", Role: Agent, Host: "web-2"}, false, `is for host "web-2", not for "web-1"`},
		{Identity{Name: "v", Role: Viewer}, true, "needs an agent's"},
		{Identity{Name: "o", Role: Operator}, true, "needs an agent's"},
		{Identity{Name: "local", Role: Local}, true, ""},
	} {
		if c.who.May(wire.Viewer) != c.view {
			t.Errorf("%+v may view: %v", c.who, !c.view)
		}
		err := c.who.MayReportFor("web-1")
		if (err == nil) != (c.reportErr == "") || err != nil && !strings.Contains(err.Error(), c.reportErr) {
			t.Errorf("%+v reports for web-1: %v, want %q", c.who, err, c.reportErr)
		}
	}
}

func TestCheckHostAndOrigin(t *testing.T) {
	open := mustNew(t)
	closed := mustNew(t, config.Token{Name: "o", Role: "operator", SHA256: sum("s")})
	for _, c := range []struct {
		host, origin        string
		openOK, closedOK    bool
		openHost, closedHst bool
	}{
		{"127.0.0.1:50505", "", true, true, true, true},
		{"localhost:50505", "http://localhost:50505", true, true, true, true},
		{"[::1]:50505", "http://[::1]:50505", true, true, true, true},
		{"127.0.0.1:50505", "http://evil.example", false, false, true, true},
		{"127.0.0.1:50505", "http://127.0.0.1:8080", false, false, true, true},
		{"evil.example", "http://evil.example", false, true, false, true}, // DNS rebinding
		{"master.example", "https://master.example", false, true, false, true},
		{"127.0.0.1:50505", "null", false, false, true, true},
		{"127.0.0.1:50505", "://", false, false, true, true},
	} {
		r := httptest.NewRequest("GET", "/rpc", nil)
		r.Host = c.host
		if c.origin != "" {
			r.Header.Set("Origin", c.origin)
		}
		if got := open.CheckOrigin(r); got != c.openOK {
			t.Errorf("open master, host %s, origin %q: %v", c.host, c.origin, got)
		}
		if got := closed.CheckOrigin(r); got != c.closedOK {
			t.Errorf("master with tokens, host %s, origin %q: %v", c.host, c.origin, got)
		}
		for site, ok := range map[string]bool{"same-origin": true, "none": true, "same-site": false, "cross-site": false, "new": false} {
			r.Header.Set("Sec-Fetch-Site", site)
			if got := open.CheckOrigin(r); got != (ok && c.openOK) {
				t.Errorf("host %s, origin %q, from %s: %v", c.host, c.origin, site, got)
			}
		}
		if got := open.CheckHost(r) == nil; got != c.openHost {
			t.Errorf("open master, host %s: %v", c.host, got)
		}
		if got := closed.CheckHost(r) == nil; got != c.closedHst {
			t.Errorf("master with tokens, host %s: %v", c.host, got)
		}
	}
}

func TestIsLoopback(t *testing.T) {
	for host, want := range map[string]bool{
		"127.0.0.1:1": true, "127.8.9.1": true, "localhost:1": true, "LOCALHOST": true, "[::1]:1": true, "::1": true,
		"0.0.0.0:1": false, ":50505": false, "": false, "192.168.0.1:1": false, "localhost.evil.example:1": false, "[::]:1": false,
	} {
		if got := IsLoopback(host); got != want {
			t.Errorf("IsLoopback(%q) = %v", host, got)
		}
	}
}

// A change makes the log-in of the caller good again only if it was so just before: not
// where somebody else has changed the user in between.
func TestSinceCountsOneChange(t *testing.T) {
	for n := range 5 {
		who := LoggedIn(Person{Name: "alice"}, 7)
		if got := who.Since(5 + n).changes; (got == 8) != (n == 3) || n != 3 && got != 7 {
			t.Errorf("after change 7 and a change that made %d of them, the caller is known by %d", 5+n, got)
		}
	}
}
