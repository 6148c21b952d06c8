package oidc

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/vedettehq/vedette/config"
)

// Somebody who goes away while the provider is asked keeps nobody else out.
func TestCallerWhoGoesAway(t *testing.T) {
	var provider *httptest.Server
	provider = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"issuer": %[1]q, "authorization_endpoint": "%[2]s/a", "token_endpoint": "%[2]s/t", "jwks_uri": "%[2]s/k"}`, provider.URL, provider.URL)
	}))
	defer provider.Close()
	p, err := New(config.OIDC{Issuer: provider.URL, ClientID: "vedette", URL: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, _, _ = p.Begin(gone, "/", nil) // nobody reads its answer
	if at, _, _, err := p.Begin(t.Context(), "/", nil); err != nil || at == "" {
		t.Errorf("the next one gets %q, %v", at, err)
	}
}

// Whatever of email and email_verified the ID token and userinfo have: the user is let in
// only with an email that the same answer calls verified, or that both name.
func TestMailOfTwoAnswers(t *testing.T) {
	p, err := New(config.OIDC{
		Issuer: "http://127.0.0.1:1", ClientID: "vedette", URL: "http://127.0.0.1:1", Claim: "preferred_username", GroupsClaim: "groups",
		Domains: []string{"example.org"}, Roles: []config.OIDCRole{{Role: config.RoleViewer}},
	})
	if err != nil {
		t.Fatal(err)
	}
	mails, verified := []any{nil, "ann@example.org", "eve@example.org"}, []any{nil, true, false}
	in, asked := 0, 0
	for i := range 81 {
		parts := [4]int{i % 3, i / 3 % 3, i / 9 % 3, i / 27}
		answer := func(mail, good any) claims {
			c := claims{"sub": "1", "preferred_username": "ann"}
			for name, value := range map[string]any{"email": mail, "email_verified": good} {
				if value != nil {
					c[name] = value
				}
			}
			return c
		}
		token, info := answer(mails[parts[0]], verified[parts[1]]), answer(mails[parts[2]], verified[parts[3]])
		text := fmt.Sprintf("%v, then %v", token, info)
		good := info["email"] != nil && info["email_verified"] == true
		if token["email"] != nil {
			good = token["email_verified"] == true || token["email_verified"] == nil && good && info["email"] == token["email"]
		}
		if !token.hasMail() {
			asked++
			token.add(info)
		}
		if _, err := p.person(token); (err == nil) != good {
			t.Errorf("%s: let in: %v", text, err)
		}
		if good {
			in++
		}
	}
	if in == 0 || asked == 0 {
		t.Errorf("%d were let in, userinfo was asked %d times", in, asked)
	}
}
