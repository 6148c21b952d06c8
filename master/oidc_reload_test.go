package master

import (
	"crypto/sha256"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/internal/freeport"
	"github.com/vedettehq/vedette/master/auth"
)

// Whatever roles the configuration gives at a reload, everybody who has logged in at the
// provider has the role at once that is for their groups, and nobody for whom none is has a
// session.
func TestRolesOfTheProviderAtReload(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 1))
	names := []string{"sre", "dba", "staff", "guest"}
	anyRoles := func() (roles []config.OIDCRole) {
		given := map[string]bool{}
		for range 1 + random.IntN(3) {
			r := config.OIDCRole{Group: names[random.IntN(len(names))], Role: []string{"viewer", "operator", "admin"}[random.IntN(3)]}
			if r.Role != "admin" && random.IntN(2) == 0 {
				r.Hosts = "zone=a"
			}
			if !given[r.Group] {
				roles = append(roles, r)
			}
			given[r.Group] = true
		}
		return roles
	}
	p := startProvider(t, "")
	m := outside(t, p, func(cfg *config.Master) {
		cfg.OIDC.Roles = []config.OIDCRole{
			{Group: "sre", Role: "admin"}, {Group: "dba", Role: "operator"}, {Group: "staff", Role: "viewer"}, {Group: "guest", Role: "viewer"},
		}
	})
	people := map[string][]string{"ann": {"sre", "dba"}, "bob": {"dba", "staff"}, "cleo": {"guest"}, "dan": {"staff", "guest", "sre"}}
	sessions := map[string][sha256.Size]byte{}
	for name, groups := range people {
		who := alice(groups...)
		who["sub"], who["email"] = "subject of "+name, name+"@example.org"
		sessions[name] = sha256.Sum256([]byte(logInAs(t, m, p, who).Value))
	}
	out := map[string]bool{}
	kept, changed := 0, 0
	for range 12 {
		cfg := m.cfg
		cfg.OIDC.Roles = anyRoles()
		if err := m.Reload(cfg); err != nil {
			t.Fatal(err)
		}
		for name, groups := range people {
			at := slices.IndexFunc(cfg.OIDC.Roles, func(r config.OIDCRole) bool { return slices.Contains(groups, r.Group) })
			out[name] = out[name] || at < 0 // a session that has ended does not come back
			got, ok := m.users.Session(sessions[name], true)
			if ok == out[name] {
				t.Fatalf("seed %d: with the roles %+v %s of %q has a session: %v", seed, cfg.OIDC.Roles, name, groups, ok)
			}
			_, stands := m.users.Standing(p.Issuer() + " subject of " + name)
			if want := ok && got.Role != auth.Viewer; stands != want {
				t.Errorf("seed %d: whether %s counts as an operator is %v; the session is %+v, %v", seed, name, stands, got, ok)
			}
			if !ok {
				continue
			}
			want := cfg.OIDC.Roles[at]
			if kept++; got.Role != auth.Role(want.Role) || got.Hosts != want.Hosts {
				t.Fatalf("seed %d: with the roles %+v %s of %q is %+v", seed, cfg.OIDC.Roles, name, groups, got)
			}
			if got.Role != "admin" {
				changed++
			}
		}
	}
	t.Logf("seed %d: %d sessions were kept, %d of them not of admins", seed, kept, changed)
}

// A master that starts with other roles than it had does the same.
func TestRolesOfTheProviderAtRestart(t *testing.T) {
	p := startProvider(t, "")
	cfg := outside(t, p, nil).cfg
	cfg.Data, cfg.Listen = t.TempDir(), freeport.Address(t)
	cfg.OIDC.URL = "http://" + cfg.Listen
	m, stop := startAgain(t, cfg)
	secret := sha256.Sum256([]byte(logInAs(t, m, p, alice("sre", "staff")).Value))
	stop()
	for i, roles := range [][]config.OIDCRole{{{Group: "staff", Role: "viewer"}}, {{Group: "dba", Role: "viewer"}}} {
		cfg.OIDC.Roles = roles
		m, stop = startAgain(t, cfg)
		if got, ok := m.users.Session(secret, true); ok != (i == 0) || ok && got.Role != auth.Viewer {
			t.Errorf("with the roles %+v the session is %+v, %v", roles, got, ok)
		}
		stop()
	}
}
