package master

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/internal/signing/signingtest"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// TestCheckForeseesRefusals has a fleet drawn by lot: whatever its hosts have said of
// themselves, the check names those that would refuse the code, and no others.
func TestCheckForeseesRefusals(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	key := signingtest.Key(t)
	m := start(t, config.Master{})
	operator := dial(t, m, nil, rpc.DialOptions{})
	var hosts, refuse, unsigned []string
	for i := range 12 {
		a := newFakeAgent(fmt.Sprintf("host-%02d", i), map[string]string{"role": []string{"db", "web"}[random.IntN(2)]})
		a.refuse = random.IntN(3) == 0
		if random.IntN(3) == 0 {
			a.signers = []string{key.Public().ID()}
		}
		a.connect(t, m)
		if a.labels["role"] != "db" {
			continue
		}
		hosts = append(hosts, a.host)
		switch {
		case a.refuse:
			refuse = append(refuse, a.host)
		case len(a.signers) > 0:
			unsigned = append(unsigned, a.host)
		}
	}
	code := signable(1)
	checked := func(selector string) wire.CheckResult {
		return call[wire.CheckResult](t, operator, wire.CatalogCheck.Name, wire.CheckParams{Code: code, Selector: &selector})
	}
	names := func(refusals []wire.Refusal) (names []string) {
		for _, r := range refusals {
			if r.Reason == "" {
				t.Errorf("%s refuses without a reason", r.Host)
			}
			names = append(names, r.Host)
		}
		return names
	}
	before := checked("role=db")
	want := append(slices.Clone(refuse), unsigned...)
	slices.Sort(want)
	if got := names(before.Refusals); !slices.Equal(got, want) || !slices.Equal(before.Selected, hosts) || before.Hosts != len(hosts) {
		t.Errorf("the check says %v of %v refuse, want %v of %v", got, before.Selected, want, hosts)
	}
	if len(hosts) == 0 {
		return // nobody to push to
	}
	// So does one that the push would bring.
	selector := "role=db"
	brings := wire.CheckParams{Code: code, Selector: &selector, Signatures: []wire.Signature{signature(key, code)}}
	if got := names(call[wire.CheckResult](t, operator, wire.CatalogCheck.Name, brings).Refusals); !slices.Equal(got, refuse) {
		t.Errorf("with a signature that is to come, the check says %v refuse, want %v", got, refuse)
	}
	// A signature that the master has from a push is one that hosts find.
	push(t, operator, wire.PushParams{Code: code, Selector: new("role=db"), Signatures: []wire.Signature{signature(key, code)}})
	if got := names(checked("role=db").Refusals); !slices.Equal(got, refuse) {
		t.Errorf("with the signature, the check says %v refuse, want %v", got, refuse)
	}
}

// TestCheckForeseesPolicies has hosts with policies that are drawn by lot, and code
// that needs this and that: the check names those whose policy lacks something, with
// what it lacks. One that does not tell its policy is not named.
func TestCheckForeseesPolicies(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	m := start(t, config.Master{})
	operator := dial(t, m, nil, rpc.DialOptions{})
	policies := make(map[string]*wire.Policy)
	for i := range 12 {
		a := newFakeAgent(fmt.Sprintf("host-%02d", i), nil)
		if random.IntN(4) > 0 {
			a.policy = &wire.Policy{Net: random.IntN(2) == 0, Processes: random.IntN(2) == 0, Plugins: random.IntN(2) == 0}
			if random.IntN(2) == 0 {
				a.policy.Exec = []string{"/usr/bin/uptime"}
			}
			if random.IntN(2) == 0 {
				a.policy.FS = []string{"/var/log"}
			}
			if rule := random.IntN(4); rule > 0 {
				a.policy.Secrets = map[string]wire.SecretRule{"pw": {For: [][]string{1: {"other"}, 2: {"d*"}, 3: {"?*"}}[rule]}}
			}
		}
		a.connect(t, m)
		policies[a.host] = a.policy
	}
	lacks := map[string]func(*wire.Policy) bool{
		"net":                  func(p *wire.Policy) bool { return !p.Net },
		"processes":            func(p *wire.Policy) bool { return !p.Processes },
		"exec:/usr/bin/uptime": func(p *wire.Policy) bool { return len(p.Exec) == 0 },
		"fs:/var/log/app":      func(p *wire.Policy) bool { return len(p.FS) == 0 },
		"secret:pw": func(p *wire.Policy) bool {
			return !slices.Equal(p.Secrets["pw"].For, []string{"d*"}) && !slices.Equal(p.Secrets["pw"].For, []string{"?*"})
		},
		"fs:/srv": func(*wire.Policy) bool { return true },
	}
	for range 20 {
		var needs []string
		for need := range lacks {
			if random.IntN(3) == 0 {
				needs = append(needs, need)
			}
		}
		code := signable(1)
		if len(needs) > 0 {
			code.Source = "//vedette:needs " + strings.Join(needs, " ") + "\n" + code.Source
		}
		result := call[wire.CheckResult](t, operator, wire.CatalogCheck.Name, wire.CheckParams{Code: code})
		if len(result.Diagnostics) > 0 {
			t.Fatalf("seed %d: %v", seed, result.Diagnostics)
		}
		told := make(map[string]string)
		for _, r := range result.Refusals {
			told[r.Host] = r.Reason
		}
		for host, policy := range policies {
			refuses := false
			for _, need := range needs {
				if policy != nil && lacks[need](policy) {
					refuses = true
					if !strings.Contains(told[host], need) {
						t.Errorf("seed %d: %s lacks %s, and the check says %q", seed, host, need, told[host])
					}
				}
			}
			if !refuses && told[host] != "" {
				t.Errorf("seed %d: %s has all of %v, and the check says %q", seed, host, needs, told[host])
			}
		}
	}
	h := hello("long")
	h.Policy = &wire.Policy{Exec: make([]string, wire.MaxPolicy+1)}
	if err := dial(t, m, nil, rpc.DialOptions{}).Call(t.Context(), wire.MasterHello.Name, h, nil); err == nil || !strings.Contains(err.Error(), "at most 256") {
		t.Errorf("a policy without end ends in %v", err)
	}
}
