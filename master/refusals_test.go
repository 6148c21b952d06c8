package master

import (
	"fmt"
	"math/rand/v2"
	"slices"
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
	// A signature that the master has from a push is one that hosts find.
	push(t, operator, wire.PushParams{Code: code, Selector: new("role=db"), Signatures: []wire.Signature{signature(key, code)}})
	if got := names(checked("role=db").Refusals); !slices.Equal(got, refuse) {
		t.Errorf("with the signature, the check says %v refuse, want %v", got, refuse)
	}
}
