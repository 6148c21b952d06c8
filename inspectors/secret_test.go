package inspectors

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestSecretNeedsARun(t *testing.T) {
	source := func(_ context.Context, name string) (string, error) {
		if name == "lost" {
			return "", errors.New("there is no file")
		}
		return "of " + name, nil
	}
	ctx := WithSecrets(t.Context(), []string{"pw", "lost"}, source)
	for _, tt := range []struct {
		ctx              context.Context
		name, want, fail string
	}{
		{ctx, "pw", "of pw", ""},
		{ctx, "lost", "", `cannot get secret "lost": there is no file`},
		{ctx, "other", "", `cannot get secret "other": the script does not say //vedette:needs secret:other`},
		{t.Context(), "pw", "", "the context is not that of a run of a script that says //vedette:needs secret:pw"},
	} {
		got, err := Secret(tt.ctx, tt.name)
		if got != tt.want || (err == nil) != (tt.fail == "") || err != nil && !strings.Contains(err.Error(), tt.fail) {
			t.Errorf("%s: %q, %v", tt.name, got, err)
		}
	}
}

// TestSecretRules draws random rules and inspectors: an inspector that meets both halves of
// a rule may have the secret, and no other.
func TestSecretRules(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	names := map[string][]string{"pg": {"pg", "*", "p?"}, "pg/a": {"pg/*", "*/a", "pg/a"}, "web": {"web", "*", "w*"}, "a/b/c": {"a/b/c", "*/*/*"}}
	all := []string{"pg", "*", "p?", "pg/*", "*/a", "pg/a", "web", "w*", "a/b/c", "*/*/*", "nobody"}
	some := func(of []string) []string {
		return slices.DeleteFunc(slices.Clone(of), func(string) bool { return r.IntN(4) > 0 })
	}
	for range 3000 {
		rule := SecretRule{For: some(all), Signers: some([]string{"k1", "k2", "k3"})}
		d := Definition{Name: []string{"pg", "pg/a", "web", "a/b/c"}[r.IntN(4)], Pushed: r.IntN(2) == 0, SignedBy: some([]string{"k1", "k2", "k4"})}
		want := len(rule.For)+len(rule.Signers) > 0 &&
			(len(rule.For) == 0 || slices.ContainsFunc(rule.For, func(p string) bool {
				return slices.Contains(names[d.Name], p)
			})) &&
			(len(rule.Signers) == 0 || !d.Pushed || slices.ContainsFunc(rule.Signers, func(k string) bool {
				return slices.Contains(d.SignedBy, k)
			}))
		if r.IntN(2) == 0 {
			d.DraftOf, d.Name = d.Name, "trial-x/"+d.Name
		}
		err := Policy{Secrets: map[string]SecretRule{"pw": rule}}.CheckSecrets(Needs{Secrets: []string{"pw"}}, &d)
		if (err == nil) != want || err != nil && !errors.Is(err, ErrPolicy) {
			t.Fatalf("%+v for %+v: %v, want %v", rule, d, err, want)
		}
	}
	err := Policy{}.CheckSecrets(Needs{Secrets: []string{"a", "b"}}, &Definition{Name: "x"})
	for _, want := range []string{"secret:a,", "secret:b,", "has no secret of that name"} {
		if text := fmt.Sprint(err); !strings.Contains(text, want) {
			t.Errorf("got %v", err)
		}
	}
}

func TestGuardedReport(t *testing.T) {
	r := NewReport("x", time.Unix(0, 0))
	Guard(r, func(text string) string {
		if strings.Contains(text, "hunter2") {
			return "pw"
		}
		return ""
	})
	r.Gauge("a", 1, "user", "me")
	r.Gauge("hunter2", 1)
	fork := r.Fork()
	fork.Gauge("b", 1, "user", "is hunter2")
	fork.Counter("c", 1, "hunter2", "me")
	r.Merge(fork)
	err := fmt.Sprint(r.Err())
	if len(r.Samples()) != 1 || strings.Count(err, "holds secret pw; leave it out") != 3 || strings.Contains(err, "hunter2") {
		t.Errorf("%v, %s", r.Samples(), err)
	}
}
