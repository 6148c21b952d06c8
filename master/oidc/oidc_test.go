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
	_, _, _, _ = p.Begin(gone, "/") // nobody reads its answer
	if at, _, _, err := p.Begin(t.Context(), "/"); err != nil || at == "" {
		t.Errorf("the next one gets %q, %v", at, err)
	}
}
