package twopersons

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/vedettehq/vedette/config"
)

// anySelector writes a random selector over two labels with three values.
func anySelector(random *rand.Rand) string {
	var parts []string
	for range random.IntN(4) {
		label := string(rune('a' + random.IntN(2)))
		one, two := random.IntN(3), random.IntN(3)
		forms := []string{
			fmt.Sprintf("%s=%d", label, one), fmt.Sprintf("%s!=%d", label, one), label, "!" + label,
			fmt.Sprintf("%s in (%d,%d)", label, one, two), fmt.Sprintf("%s notin (%d,%d)", label, one, two),
			fmt.Sprintf("%s>%d", label, one), fmt.Sprintf("%s<%d", label, one),
		}
		parts = append(parts, forms[random.IntN(len(forms))])
	}
	return strings.Join(parts, ",")
}

// Selectors are disjoint only if no labels at all meet both, and if one of them lists
// the values of a label, whenever that is so.
func TestDisjointIsNeverWrong(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 1))
	var sets []labels.Set
	for a := -2; a < 6; a++ {
		for b := -2; b < 6; b++ {
			set := labels.Set{}
			if a > -2 {
				set["a"] = fmt.Sprint(a)
			}
			if b > -2 {
				set["b"] = fmt.Sprint(b)
			}
			sets = append(sets, set)
		}
	}
	apart := 0
	for range 5000 {
		one, two := anySelector(random), anySelector(random)
		a, err := labels.Parse(one)
		if err != nil {
			t.Fatal(err)
		}
		b, err := labels.Parse(two)
		if err != nil {
			t.Fatal(err)
		}
		disjoint := Disjoint(a, b)
		if disjoint != Disjoint(b, a) {
			t.Errorf("seed %d: whether %q and %q are disjoint depends on their order", seed, one, two)
		}
		meet := labels.Set(nil)
		for _, set := range sets {
			if a.Matches(set) && b.Matches(set) {
				meet = set
			}
		}
		if disjoint && meet != nil {
			t.Errorf("seed %d: %q and %q are called disjoint, and both select a host with %v", seed, one, two, meet)
		}
		if lists := strings.Contains(one, "in (") || strings.Contains(one, "="); disjoint && lists {
			apart++
		}
	}
	if apart < 100 {
		t.Errorf("seed %d: only %d pairs are disjoint", seed, apart)
	}
}

func TestDisjoint(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want bool
	}{
		{"", "", false},
		{"env=production", "", false},
		{"env=production", "role=db", false},
		{"env=production", "env=staging", true},
		{"env in (a,b)", "env in (b,c)", false},
		{"env in (a,b)", "env notin (a,b,c)", true},
		{"env in (a,b)", "env!=a,env!=b", true},
		{"env", "!env", true},
		{"env!=a", "!env", false},
		{"env=a", "env>3", true},
		{"env>3", "env<2", false}, // it is not looked into, and counts as covered
	} {
		a, errA := labels.Parse(test.a)
		b, errB := labels.Parse(test.b)
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		if got := Disjoint(a, b); got != test.want {
			t.Errorf("%q and %q: disjoint is %v", test.a, test.b, got)
		}
	}
}

func TestSamePerson(t *testing.T) {
	alice := Person{Key: "user alice", Name: "alice", Present: true}
	for _, test := range []struct {
		other Person
		same  bool
	}{
		{alice, true},
		{Person{Key: "user alice", Name: "ci"}, true},               // a token of hers
		{Person{Key: "https://login subject", Name: "alice"}, true}, // her name elsewhere
		{Person{Key: "user bob", Name: "bob", Present: true}, false},
		{Person{Key: Nobody, Name: "ci"}, false},
		{Person{Name: "ci"}, false},
	} {
		if alice.Same(test.other) != test.same || test.other.Same(alice) != test.same {
			t.Errorf("alice and %+v: same is not %v", test.other, test.same)
		}
	}
	if (Person{Key: Nobody, Name: "a"}).Same(Person{Key: Nobody, Name: "b"}) {
		t.Error("two tokens of nobody are one person")
	}
}

func TestRuleOfAConfiguration(t *testing.T) {
	if _, err := New(config.TwoPersons{Required: true, Hosts: "env in ("}); err == nil || !strings.Contains(err.Error(), "master.two_persons.hosts") {
		t.Errorf("a selector that cannot be read gives %v", err)
	}
	rule, err := New(config.TwoPersons{Required: true, Hosts: "env=production"})
	if err != nil {
		t.Fatal(err)
	}
	if !rule.Covers(labels.Set{"env": "production"}) || rule.Covers(labels.Set{"env": "staging"}) || rule.Expire() != defaultExpire {
		t.Errorf("the rule is %+v", rule)
	}
	var none Rule
	if none.On() || none.Covers(nil) || none.CoversAny(labels.Everything()) {
		t.Error("without a rule a change needs a second person")
	}
}
