package assignment

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/vedettehq/vedette/agent/internal/agenttest"
	"github.com/vedettehq/vedette/agent/schedule"
	"github.com/vedettehq/vedette/inspectors"
)

// deaf is a tracker that is told everything, and a scheduler's observer.
type deaf struct{ *agenttest.Observer }

func (deaf) Expect(inspectors.Definition)                    {}
func (deaf) Loaded(inspectors.Definition)                    {}
func (deaf) Adopt(inspectors.Definition)                     {}
func (deaf) LoadFailed(inspectors.Definition, error, string) {}
func (deaf) Remove(string)                                   {}

// TestCodeRunsOnlyWithItsKeys signs code with keys by lot, again and again. After each
// time, exactly those inspectors run whose secret is for one of their keys.
func TestCodeRunsOnlyWithItsKeys(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	keys := []string{"k1", "k2", "k3", "k4"}
	some := func() (list []string) {
		for _, k := range keys {
			if r.IntN(2) == 0 {
				list = append(list, k)
			}
		}
		return list
	}
	policy := inspectors.Policy{Secrets: map[string]inspectors.SecretRule{"pw": {For: []string{"*"}, Signers: keys[:2]}}}
	allowed := func(d *inspectors.Definition) error {
		return policy.CheckSecrets(inspectors.Needs{Secrets: []string{"pw"}}, d)
	}
	runner := &agenttest.Runner{OnLoad: func(_ context.Context, d inspectors.Definition) error { return allowed(&d) }}
	log, track := slog.New(slog.DiscardHandler), deaf{agenttest.NewObserver()}
	s := newSet(log, runner, schedule.New(log, "web-1", runner, track, nil), track, func(inspectors.Definition) {})
	life, end := context.WithCancel(t.Context())
	defer s.wait()
	defer end()
	for range 100 {
		var defs []inspectors.Definition
		var want []string
		for i := range 4 {
			d := agenttest.Script(fmt.Sprint("i", i), fmt.Sprint("of ", r.IntN(10) == 0), time.Minute)
			d.Pushed, d.SignedBy = true, some()
			defs = append(defs, d)
			if allowed(&d) == nil {
				want = append(want, d.Name)
			}
		}
		_ = s.apply(t.Context(), life, defs, time.Second) // tells of those that may not run
		var got []string
		for name, d := range s.live() {
			i := slices.IndexFunc(defs, func(d inspectors.Definition) bool { return d.Name == name })
			switch {
			case d.Revision() == defs[i].Revision():
				got = append(got, name)
			case allowed(&defs[i]) == nil:
				t.Fatalf("%s runs %q, and %q may run", name, d.Script.Source, defs[i].Script.Source)
			case allowed(&d) != nil:
				t.Fatalf("%s still runs with the keys %v", name, d.SignedBy)
			}
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Fatalf("%v run, want %v of %+v", got, want, defs)
		}
	}
}
