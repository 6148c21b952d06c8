package auth

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/rpc/wire"
)

// Each access lets exactly its roles through, and nobody without a token.
func TestOnly(t *testing.T) {
	a := mustNew(t, config.Token{Name: "agent", Role: "agent", Host: "web-1", SHA256: sum("agent")},
		config.Token{Name: "viewer", Role: "viewer", SHA256: sum("viewer")}, config.Token{Name: "operator", Role: "operator", SHA256: sum("operator")},
		config.Token{Name: "admin", Role: "admin", SHA256: sum("admin")})
	want := map[wire.Access]map[string]int{
		wire.Known:    {"": 401, "wrong": 401, "agent": 200, "viewer": 200, "operator": 200, "admin": 200},
		wire.Agent:    {"": 401, "wrong": 401, "agent": 200, "viewer": 403, "operator": 403, "admin": 403},
		wire.Viewer:   {"": 401, "wrong": 401, "agent": 403, "viewer": 200, "operator": 200, "admin": 200},
		wire.Operator: {"": 401, "wrong": 401, "agent": 403, "viewer": 403, "operator": 200, "admin": 200},
		wire.Master:   {"": 401, "wrong": 401, "agent": 403, "viewer": 403, "operator": 403, "admin": 403},
		"":            {"": 401, "wrong": 401, "agent": 403, "viewer": 403, "operator": 403, "admin": 403},
		wire.Admin:    {"": 401, "wrong": 401, "agent": 403, "viewer": 403, "operator": 403, "admin": 200},
	}
	for access, answers := range want {
		for token, status := range answers {
			served := ""
			h := a.Only(access, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { served = Of(r.Context()).Name }))
			r := httptest.NewRequest(http.MethodGet, "http://master.example/x", nil)
			if token != "" {
				r.Header.Set("Authorization", "Bearer "+token)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != status || (served == token) != (status == 200 || token == "") {
				t.Errorf("only %q, token %q: %d, served %q; want %d", access, token, w.Code, served, status)
			}
			r.Header.Set("Origin", "http://evil.example")
			if w := httptest.NewRecorder(); true {
				if h.ServeHTTP(w, r); w.Code != http.StatusForbidden {
					t.Errorf("only %q, token %q, from another origin: %d", access, token, w.Code)
				}
			}
		}
	}
}
