package master

import (
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// Tokens come and go while their owners are connected: who is revoked is cut off
// and stays out, everybody else notices nothing.
func TestTokensComeAndGo(t *testing.T) {
	all := []config.Token{token("ops", "operator", "")}
	for n := range 6 {
		all = append(all, token(fmt.Sprint("v", n), "viewer", ""))
	}
	cfg := config.Master{Tokens: all}
	m := start(t, cfg)
	ops := dial(t, m, nil, rpc.DialOptions{Header: bearer("ops")})
	for range 4 {
		cfg.Tokens = all
		if err := m.Reload(cfg); err != nil {
			t.Fatal(err)
		}
		peers := make(map[string]*rpc.Peer)
		for n := range 6 {
			name := fmt.Sprint("v", n)
			if rand.IntN(2) == 0 {
				peers[name] = dial(t, m, nil, rpc.DialOptions{Header: bearer(name)})
				continue
			}
			peers[name] = dial(t, m, nil, rpc.DialOptions{})
			call[wire.LoginResult](t, peers[name], wire.MasterLogin.Name, wire.LoginParams{Token: "secret-" + name})
		}
		kept := map[string]bool{}
		cfg.Tokens = []config.Token{all[0]}
		for n := range 6 {
			switch name := fmt.Sprint("v", n); rand.IntN(3) {
			case 0:
				kept[name] = true
				cfg.Tokens = append(cfg.Tokens, all[n+1])
			case 1: // the same token, for something else
				cfg.Tokens = append(cfg.Tokens, config.Token{Name: name, Role: "agent", Host: "h", SHA256: all[n+1].SHA256})
			}
		}
		if err := m.Reload(cfg); err != nil {
			t.Fatal(err)
		}
		for name, peer := range peers {
			status, _ := fetch(t, m, loadQuery, "Authorization", "Bearer secret-"+name)
			if kept[name] {
				call[wire.HostsResult](t, peer, wire.HostsList.Name, nil)
				if status != http.StatusOK {
					t.Errorf("%s is kept and gets %d", name, status)
				}
				continue
			}
			patience.Return(t, "the end of a connection that is revoked", peer.Wait)
			if code := closeCode(peer); code != wire.CloseUnauthenticated || status == http.StatusOK {
				t.Errorf("%s is revoked, was closed with %d and gets %d", name, code, status)
			}
		}
		call[wire.HostsResult](t, ops, wire.HostsList.Name, nil)
	}
	for _, bad := range [][]config.Token{nil, {{Name: "x", Role: "root", SHA256: all[0].SHA256}}, {all[0], all[0]}} {
		if err := m.Reload(config.Master{Tokens: bad}); err == nil {
			t.Errorf("%v was taken over", bad)
		}
	}
	call[wire.HostsResult](t, ops, wire.HostsList.Name, nil)
}

// A renewed certificate is shown to who comes next; one that is broken is not
// taken, and the old one goes on.
func TestRenewedCertificate(t *testing.T) {
	files, oldPool := selfSigned(t)
	cfg := config.Master{TLS: files, Tokens: []config.Token{token("ops", "operator", "")}}
	m := start(t, cfg)
	old := dial(t, m, nil, rpc.DialOptions{Header: bearer("ops"), TLS: &tls.Config{RootCAs: oldPool}})
	renewed, newPool := selfSigned(t)
	copyFile := func(from, to string) {
		t.Helper()
		text, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	copyFile(renewed.Cert, files.Cert) // half of the change
	if err := m.Reload(cfg); err == nil {
		t.Error("a certificate was taken over with the key of another")
	}
	dial(t, m, nil, rpc.DialOptions{Header: bearer("ops"), TLS: &tls.Config{RootCAs: oldPool}})
	copyFile(renewed.Key, files.Key)
	if err := m.Reload(cfg); err != nil {
		t.Fatal(err)
	}
	fresh := dial(t, m, nil, rpc.DialOptions{Header: bearer("ops"), TLS: &tls.Config{RootCAs: newPool}})
	for _, peer := range []*rpc.Peer{old, fresh} {
		call[wire.HostsResult](t, peer, wire.HostsList.Name, nil)
	}
	if _, err := rpc.Dial(t.Context(), m.URL(), rpc.DialOptions{Header: bearer("ops"), TLS: &tls.Config{RootCAs: oldPool}}); err == nil {
		t.Error("the old certificate is still shown")
	}
	if err := m.Reload(config.Master{Tokens: cfg.Tokens}); err == nil {
		t.Error("TLS went away")
	}
}

// A configuration that is refused for one reason changes nothing else either: one
// with tokens, for a master that began without, keeps the rules as they are.
func TestRefusedReloadChangesNothing(t *testing.T) {
	cfg := config.Master{Alerts: config.Alerts{BuiltIn: true}}
	m := start(t, cfg)
	rules := func() bool {
		_, body := fetch(t, m, "/api/v1/rules")
		return strings.Contains(body, "host/gone")
	}
	patience.Until(t, "the built-in rules", rules)
	cfg.Alerts.BuiltIn, cfg.Tokens = false, []config.Token{token("ops", "operator", "")}
	if err := m.Reload(cfg); err == nil || !strings.Contains(err.Error(), "from none to some") {
		t.Errorf("it was taken: %v", err)
	}
	if !rules() {
		t.Error("the rules have changed")
	}
}
