package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/oauth2-proxy/mockoidc"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/vedettehq/vedette/internal/patience"
)

// person is somebody whom the provider of a script knows.
type person struct{ claims jwt.MapClaims }

// ID implements mockoidc.User, as do the next.
func (p person) ID() string { return "alice-1" }

func (p person) Userinfo([]string) ([]byte, error) { return json.Marshal(p.claims) }

func (p person) Claims(_ []string, base *mockoidc.IDTokenClaims) (jwt.Claims, error) {
	all := jwt.MapClaims{
		"iss": base.Issuer, "aud": base.Audience, "exp": base.ExpiresAt, "iat": base.IssuedAt, "nonce": base.Nonce, "jti": base.ID,
	}
	maps.Copy(all, p.claims)
	return all, nil
}

// provider NAME FILE starts a provider at which alice logs in, who is in the group staff,
// and puts it into a copy of the configuration FILE, NAME, in place of ISSUER.
func provider(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: provider NAME FILE")
	}
	mock, err := mockoidc.NewServer(nil)
	ts.Check(err)
	mock.ClientID, mock.ClientSecret = "vedette", "secret-of-vedette"
	for range 5 { // each log-in takes one
		mock.QueueUser(person{jwt.MapClaims{"sub": "alice-1", "email": "alice@example.org", "email_verified": true, "groups": []string{"staff"}}})
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Check(mock.Start(listener, nil))
	ts.Defer(func() { _ = mock.Shutdown() })
	text := bytes.ReplaceAll([]byte(ts.ReadFile(args[1])), []byte("ISSUER"), []byte(mock.Issuer()))
	text = bytes.ReplaceAll(text, []byte("ADDRESS"), []byte(ts.Getenv("ADDRESS")))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), text, 0o600))
}

// printedLink returns the link that the process NAME has printed, and the code beside it.
func printedLink(ts *testscript.TestScript, name string) (link, code string) {
	printed := regexp.MustCompile(`(?s)\n(http\S+)\n.* code (\S+)\.\n`)
	ctx, cancel := context.WithTimeout(context.Background(), patience.Limit)
	defer cancel()
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	for ; ; <-poll.C {
		text := ts.ReadFile(name + ".log")
		if found := printed.FindStringSubmatch(text); found != nil {
			return found[1], found[2]
		}
		if ctx.Err() != nil {
			ts.Fatalf("%s has printed no link:\n%s", name, text)
		}
	}
}

// newBrowser is a browser without cookies.
func newBrowser(ts *testscript.TestScript) *http.Client {
	jar, err := cookiejar.New(nil)
	ts.Check(err)
	return &http.Client{Jar: jar, Transport: &http.Transport{DisableKeepAlives: true}}
}

// visits opens a link, and returns the page on which the browser ends.
func visits(ts *testscript.TestScript, browser *http.Client, link string) (response *http.Response, page string) {
	response, err := browser.Get(link)
	ts.Check(err)
	text, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	ts.Check(err)
	return response, string(text)
}

// denies NAME cancel|refuse REGEXP is a browser: it opens the link that the process NAME
// has printed. With cancel its user gives up at the provider, which then sends the browser
// back as RFC 6749 says. It must end on a page that matches.
func denies(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 || args[1] != "cancel" && args[1] != "refuse" {
		ts.Fatalf("usage: denies NAME cancel|refuse REGEXP")
	}
	link, _ := printedLink(ts, args[0])
	browser := newBrowser(ts)
	if args[1] == "cancel" {
		browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		response, page := visits(ts, browser, link)
		there, err := response.Location()
		if err != nil {
			ts.Fatalf("the link leads nowhere: %v\n%s", err, page)
		}
		asked := there.Query()
		back := url.Values{"error": {"access_denied"}, "error_description": {"no consent"}, "state": {asked.Get("state")}}
		link = asked.Get("redirect_uri") + "?" + back.Encode()
		browser.CheckRedirect = nil
	}
	response, page := visits(ts, browser, link)
	if !regexp.MustCompile(args[2]).MatchString(page) {
		ts.Fatalf("the browser ends with %s at %s:\n%s", response.Status, response.Request.URL, page)
	}
}

// confirms NAME is a browser: it opens the link that the process NAME has printed, and
// presses the button. The page must have the code that was printed.
func confirms(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: confirms NAME")
	}
	link, code := printedLink(ts, args[0])
	browser := newBrowser(ts)
	_, page := visits(ts, browser, link)
	button := regexp.MustCompile(`<form method="post" action="([^"]+)">`).FindStringSubmatch(page)
	if button == nil || !strings.Contains(page, code) {
		ts.Fatalf("the page has no button, or not the code %s:\n%s", code, page)
	}
	at, err := url.Parse(button[1])
	ts.Check(err)
	r, err := http.NewRequest(http.MethodPost, at.String(), http.NoBody)
	ts.Check(err)
	r.Header.Set("Origin", at.Scheme+"://"+at.Host)
	response, err := browser.Do(r)
	if err == nil {
		_ = response.Body.Close()
	}
	ts.Check(err)
	if response.StatusCode != http.StatusOK {
		ts.Fatalf("the browser ends with %s at %s", response.Status, response.Request.URL)
	}
}
