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

// confirms NAME is a browser: it opens the link that the process NAME has printed, and
// presses the button. The page must have the code that was printed.
func confirms(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: confirms NAME")
	}
	printed := regexp.MustCompile(`(?s)\n(http\S+)\n.* code (\S+)\.\n`)
	found := printed.FindStringSubmatch(ts.ReadFile(args[0] + ".log"))
	ctx, cancel := context.WithTimeout(context.Background(), patience.Limit)
	defer cancel()
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	for ; found == nil; <-poll.C {
		if ctx.Err() != nil {
			ts.Fatalf("%s has printed no link:\n%s", args[0], ts.ReadFile(args[0]+".log"))
		}
		found = printed.FindStringSubmatch(ts.ReadFile(args[0] + ".log"))
	}
	jar, err := cookiejar.New(nil)
	ts.Check(err)
	browser := &http.Client{Jar: jar, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := browser.Get(found[1])
	ts.Check(err)
	page, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	ts.Check(err)
	button := regexp.MustCompile(`<form method="post" action="([^"]+)">`).FindSubmatch(page)
	if button == nil || !bytes.Contains(page, []byte(found[2])) {
		ts.Fatalf("the page has no button, or not the code %s:\n%s", found[2], page)
	}
	at, err := url.Parse(string(button[1]))
	ts.Check(err)
	r, err := http.NewRequest(http.MethodPost, at.String(), http.NoBody)
	ts.Check(err)
	r.Header.Set("Origin", at.Scheme+"://"+at.Host)
	if response, err = browser.Do(r); err == nil {
		_ = response.Body.Close()
	}
	ts.Check(err)
	if response.StatusCode != http.StatusOK {
		ts.Fatalf("the browser ends with %s at %s", response.Status, response.Request.URL)
	}
}
