package master

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

func withToken(token string) rpc.DialOptions {
	return rpc.DialOptions{Header: http.Header{"Authorization": {"Bearer " + token}}}
}

// Tokens are made and revoked in random order while the master runs, and again after a
// restart: at each moment exactly the tokens in our own list are valid, for their role and
// host, and a revoked one is disconnected.
func TestTokensAreMadeAndRevokedWhileItRuns(t *testing.T) {
	cfg := config.Master{Data: t.TempDir(), Tokens: []config.Token{token("ops", "admin", "")}}
	type made struct {
		token, role, host string
		peer              *rpc.Peer
	}
	good, gone := map[string]*made{}, map[string]*made{}
	for run := range 2 {
		t.Run(fmt.Sprint("start ", run+1), func(t *testing.T) {
			m := start(t, cfg)
			ops := dial(t, m, nil, rpc.DialOptions{Header: bearer("ops")})
			for _, g := range good {
				g.peer = dial(t, m, nil, withToken(g.token))
			}
			for step := range 30 {
				if name := anyOf(good); name != "" && rand.IntN(3) == 0 {
					call[wire.Empty](t, ops, wire.TokensRevoke.Name, wire.TokenRevokeParams{Name: name})
					patience.Return(t, "the end of a revoked connection", good[name].peer.Wait)
					if code := closeCode(good[name].peer); code != wire.CloseUnauthenticated {
						t.Errorf("%s was closed with %d", name, code)
					}
					gone[name] = good[name]
					delete(good, name)
					continue
				}
				p := wire.TokenParams{Name: fmt.Sprintf("t%d-%d", run, step), Role: []string{"agent", "viewer", "operator", "admin"}[rand.IntN(4)]}
				if p.Role == "agent" {
					p.Host = fmt.Sprintf("host-%d-%d", run, step)
				}
				got := call[wire.TokenCreated](t, ops, wire.TokensCreate.Name, p)
				good[p.Name] = &made{got.Token, p.Role, p.Host, dial(t, m, nil, withToken(got.Token))}
			}
			for name, g := range good {
				who := call[wire.LoginResult](t, g.peer, wire.MasterLogin.Name, wire.LoginParams{})
				if who.Name != name || who.Role != g.role {
					t.Errorf("%s with role %s is taken for %+v", name, g.role, who)
				}
				if g.role == "agent" {
					call[wire.HelloResult](t, g.peer, wire.MasterHello.Name, hello(g.host))
				}
			}
			tried := 0 // some: the answers to wrong tokens are slow
			for name, g := range gone {
				if tried++; tried > 3 {
					break
				}
				if peer, err := rpc.Dial(t.Context(), m.URL(), withToken(g.token)); err == nil {
					peer.Close(rpc.CloseNormal, "")
					t.Errorf("%s was revoked and connects", name)
				}
				if status, _ := fetch(t, m, loadQuery, "Authorization", "Bearer "+g.token); status == http.StatusOK {
					t.Errorf("%s was revoked and is answered", name)
				}
			}
			list := call[wire.TokensResult](t, ops, wire.TokensList.Name, nil)
			if len(list.Tokens) != len(good)+1 {
				t.Errorf("%d tokens are listed, %d are good", len(list.Tokens), len(good)+1)
			}
			for _, listed := range list.Tokens {
				if g := good[listed.Name]; g == nil && listed.Source != wire.TokenOfConfiguration || g != nil && (g.role != listed.Role || listed.By != "ops") {
					t.Errorf("%+v is listed", listed)
				}
			}
		})
	}
}

func anyOf[V any](m map[string]V) string {
	for name := range m {
		return name
	}
	return ""
}

// A token that ends is refused from then on, and its connections are closed. The
// time is made longer until the connection is up before it is over.
func TestTokenEnds(t *testing.T) {
	m := start(t, config.Master{Tokens: []config.Token{token("ops", "admin", "")}})
	ops := dial(t, m, nil, rpc.DialOptions{Header: bearer("ops")})
	for forMS := int64(500); ; forMS *= 2 {
		p := wire.TokenParams{Name: fmt.Sprint("for ", forMS), Role: "viewer", ForMS: forMS}
		made := call[wire.TokenCreated](t, ops, wire.TokensCreate.Name, p)
		peer, err := rpc.Dial(t.Context(), m.URL(), withToken(made.Token))
		if err != nil {
			continue // it was over before
		}
		patience.Return(t, "the end of a connection whose token has ended", peer.Wait)
		if code := closeCode(peer); code != wire.CloseUnauthenticated {
			t.Errorf("it was closed with %d", code)
		}
		if _, err := rpc.Dial(t.Context(), m.URL(), withToken(made.Token)); err == nil {
			t.Error("a token that has ended connects")
		}
		return
	}
}

// Every way to make or revoke a token is in the audit log, also one that is refused.
func TestTokensAreAudited(t *testing.T) {
	m := start(t, config.Master{Tokens: []config.Token{token("ops", "admin", ""), token("wall", "viewer", "")}})
	ops, wall := dial(t, m, nil, rpc.DialOptions{Header: bearer("ops")}), dial(t, m, nil, rpc.DialOptions{Header: bearer("wall")})
	made := call[wire.TokenCreated](t, ops, wire.TokensCreate.Name, wire.TokenParams{Name: "ci", Role: "admin"})
	for _, c := range []struct {
		peer   *rpc.Peer
		method string
		params any
		code   int
		want   string
	}{
		{wall, wire.TokensCreate.Name, wire.TokenParams{Name: "mine", Role: "operator"}, wire.CodeForbidden, "takes an admin's"},
		{wall, wire.TokensRevoke.Name, wire.TokenRevokeParams{Name: "ci"}, wire.CodeForbidden, "takes an admin's"},
		{ops, wire.TokensCreate.Name, wire.TokenParams{Name: "ci", Role: "viewer"}, wire.CodeConflict, "already"},
		{ops, wire.TokensCreate.Name, wire.TokenParams{Name: "wall", Role: "viewer"}, wire.CodeConflict, "already"},
		{ops, wire.TokensCreate.Name, wire.TokenParams{Name: "x", Role: "king"}, rpc.CodeInvalidParams, "no role"},
		{ops, wire.TokensCreate.Name, wire.TokenParams{Name: "x", Role: "agent"}, rpc.CodeInvalidParams, "one host"},
		{ops, wire.TokensCreate.Name, wire.TokenParams{Name: "x", Role: "viewer", Host: "h"}, rpc.CodeInvalidParams, "stands for no host"},
		{ops, wire.TokensCreate.Name, wire.TokenParams{Host: "<b>", Role: "agent"}, rpc.CodeInvalidParams, "host"},
		{ops, wire.TokensCreate.Name, wire.TokenParams{Name: "x", Role: "viewer", ForMS: -1}, rpc.CodeInvalidParams, "for_ms"},
		{ops, wire.TokensCreate.Name, wire.TokenParams{Name: "x", Role: "viewer", ForMS: 1 << 62}, rpc.CodeInvalidParams, "for_ms"},
		{ops, wire.TokensCreate.Name, wire.TokenParams{Name: "local", Role: "viewer"}, rpc.CodeInvalidParams, "another name"},
		{ops, wire.TokensCreate.Name, wire.TokenParams{Name: "a\nb", Role: "viewer"}, rpc.CodeInvalidParams, "printable"},
		{ops, wire.TokensRevoke.Name, wire.TokenRevokeParams{Name: "ops"}, wire.CodeConflict, "configuration"},
		{ops, wire.TokensRevoke.Name, wire.TokenRevokeParams{Name: "nobody's"}, wire.CodeNotFound, "no token"},
		{dial(t, m, nil, withToken(made.Token)), wire.TokensRevoke.Name, wire.TokenRevokeParams{Name: "ci"}, wire.CodeConflict, "that you use"},
	} {
		if got := refused(t, c.peer, c.method, c.params); got.Code != c.code || !strings.Contains(got.Message, c.want) {
			t.Errorf("%s %+v: %v, want %d with %q", c.method, c.params, got, c.code, c.want)
		}
	}
	call[wire.Empty](t, ops, wire.TokensRevoke.Name, wire.TokenRevokeParams{Name: "ci"})
	lines := call[wire.AuditResult](t, ops, wire.AuditList.Name, wire.AuditParams{Action: "tokens."}).Entries
	ok := 0
	for _, line := range lines {
		if line.Outcome == "ok" {
			ok++
		}
		if strings.Contains(fmt.Sprint(line), made.Token) {
			t.Errorf("the token itself is in %+v", line)
		}
	}
	if len(lines) < 14 || ok != 2 || lines[0].Subject != "ci" || lines[0].Action != wire.TokensRevoke.Name || lines[0].Who != "ops" {
		t.Errorf("%d lines, %d of them ok, the last is %+v", len(lines), ok, lines[0])
	}
}

// On a master without tokens in its configuration, for one user, tokens can be made
// all the same; its user needs none then either.
func TestTokensOfAnOpenMaster(t *testing.T) {
	m := start(t, config.Master{})
	own := dial(t, m, nil, rpc.DialOptions{})
	call[wire.TokenCreated](t, own, wire.TokensCreate.Name, wire.TokenParams{Name: "grafana", Role: "viewer"})
	if !m.auth.Open() {
		t.Error("the master is not open any more")
	}
	call[wire.HostsResult](t, dial(t, m, nil, rpc.DialOptions{}), wire.HostsList.Name, nil)
}
