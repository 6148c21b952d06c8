// Package twopersons says which changes of pushed code need a second person, and who
// is behind a caller.
//
// A person is a user: somebody with a password here, or an account at a provider.
// Every session of a user is the same person, and so is every token that the user has
// made. A token of the configuration, and the user whom the kernel knows on loopback,
// are nobody: it is not known who uses them. Only somebody who has logged in can
// approve, so no token can.
package twopersons

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/master/scope"
)

// Needed is how many persons stand behind a change.
const Needed = 2

// defaultExpire is how long a proposal waits if the configuration was not loaded.
const defaultExpire = 72 * time.Hour

// Person is who is behind a caller.
type Person struct {
	// Key is by what a person is known, whatever the name is at the time: two persons
	// have two keys. It is "" for a caller of whom that is not known.
	Key string
	// Name is that of the credential.
	Name string
	// Present is whether the person has logged in. It is false for a token.
	Present bool
	// Token is the checksum of the token that is used, if it was made on the running
	// master, or "". What a token has proposed counts until it is revoked.
	Token string
}

// Nobody is the key of a token whose maker was not a person.
const Nobody = "nobody"

// Known reports whether there is a person.
func (p Person) Known() bool { return p.Key != "" && p.Key != Nobody }

// Same reports whether two callers may be the same person. The same name counts, too:
// a user who was removed and made again elsewhere is no second person.
func (p Person) Same(other Person) bool {
	return p.Known() && other.Known() && p.Key == other.Key || p.Name == other.Name
}

type personKey struct{}

// With returns a context that carries the person behind the caller.
func With(ctx context.Context, p Person) context.Context {
	return context.WithValue(ctx, personKey{}, p)
}

// From returns the person behind the caller, or nobody.
func From(ctx context.Context) Person {
	p, _ := ctx.Value(personKey{}).(Person)
	return p
}

// Rule says which changes need a second person. The zero Rule says that none does.
type Rule struct {
	on       bool
	text     string
	hosts    labels.Selector
	rollback bool
	expire   time.Duration
}

// New makes the Rule of a configuration.
func New(cfg config.TwoPersons) (Rule, error) {
	if err := scope.Check(cfg.Hosts); err != nil {
		return Rule{}, fmt.Errorf("master.two_persons.hosts: %w", err)
	}
	hosts, err := labels.Parse(cfg.Hosts)
	if err != nil {
		return Rule{}, fmt.Errorf("master.two_persons.hosts: %w", err)
	}
	expire := cfg.Expire
	if expire == 0 {
		expire = defaultExpire
	}
	return Rule{on: cfg.Required, text: cfg.Hosts, hosts: hosts, rollback: cfg.Rollback, expire: expire}, nil
}

// On reports whether any change needs a second person.
func (r *Rule) On() bool { return r.on }

// Rollback reports whether going back to what ran before needs a second person, too.
func (r *Rule) Rollback() bool { return r.rollback }

// Expire is how long a proposal waits.
func (r *Rule) Expire() time.Duration { return r.expire }

// String is the text of the rule in the audit log.
func (r *Rule) String() string {
	switch {
	case !r.on:
		return "one person may change what hosts run"
	case r.text == "":
		return fmt.Sprintf("two persons for every host, rollback %t, expire %v", r.rollback, r.expire)
	}
	return fmt.Sprintf("two persons for the hosts %s, rollback %t, expire %v", r.text, r.rollback, r.expire)
}

// Covers reports whether the rule is for a host with these labels.
func (r *Rule) Covers(set labels.Set) bool { return r.on && r.hosts.Matches(set) }

// CoversAny reports whether the rule is for any host that one of the selectors
// selects, now or whenever labels change.
func (r *Rule) CoversAny(selectors ...labels.Selector) bool {
	if !r.on {
		return false
	}
	for _, s := range selectors {
		if s != nil && !Disjoint(r.hosts, s) {
			return true
		}
	}
	return false
}

// Disjoint reports whether no host can ever be selected by both selectors, whatever
// its labels are.
func Disjoint(a, b labels.Selector) bool {
	as, aSelects := a.Requirements()
	bs, bSelects := b.Requirements()
	if !aSelects || !bSelects {
		return true
	}
	byLabel := make(map[string][]labels.Requirement)
	for _, r := range append(append(labels.Requirements{}, as...), bs...) {
		byLabel[r.Key()] = append(byLabel[r.Key()], r)
	}
	for label, wanted := range byLabel {
		if !possible(label, wanted) {
			return true
		}
	}
	return false
}

// possible reports whether a host may meet all requirements, which are on one label.
// Where it cannot tell, it says yes.
func possible(label string, wanted []labels.Requirement) bool {
	meets := func(set labels.Set) bool {
		for i := range wanted {
			if !wanted[i].Matches(set) {
				return false
			}
		}
		return true
	}
	if meets(labels.Set{}) {
		return true
	}
	listed := false
	for i := range wanted {
		switch string(wanted[i].Operator()) {
		case "!":
			return false // it must be missing, and may not be
		case "in", "=", "==":
			listed = true
			for value := range wanted[i].Values() {
				if meets(labels.Set{label: value}) {
					return true
				}
			}
		}
	}
	return !listed
}
