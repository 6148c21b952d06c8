package catalog

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/master/audit"
	"github.com/vedettehq/vedette/master/scope"
	"github.com/vedettehq/vedette/master/state"
	"github.com/vedettehq/vedette/master/twopersons"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// caller is a credential: of a person who has logged in, of a token that a person has
// made, or of nobody.
type caller struct {
	name, person string
	hosts        string
	present      bool
}

func (w caller) context(t testing.TB) context.Context {
	ctx := audit.With(t.Context(), audit.NewAttempt(w.name, "operator", "127.0.0.1:1", "test"))
	ctx = twopersons.With(ctx, twopersons.Person{Key: w.person, Name: w.name, Present: w.present})
	return scope.With(ctx, scope.Of(w.hosts, nil))
}

func user(name, hosts string) caller {
	return caller{name: name, person: "user " + name, hosts: hosts, present: true}
}

func ruleOf(t testing.TB, cfg config.TwoPersons) twopersons.Rule {
	t.Helper()
	cfg.Required = true
	rule, err := twopersons.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return rule
}

// everybody are operators of all hosts.
func everybody(string) (string, bool) { return "", true }

func codeOf(err error) int {
	if answer, ok := err.(*rpc.Error); ok {
		return answer.Code
	}
	return 0
}

// twoPersons runs a test on a master with some hosts, in a bubble.
func twoPersons(t *testing.T, cfg config.TwoPersons, standing func(string) (string, bool), test func(t *testing.T, c *life, hosts []*host)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		store := open(t, t.TempDir())
		defer store.Close()
		hosts := []*host{{name: "a", labels: map[string]string{"env": "production"}}, {name: "b", labels: map[string]string{"env": "staging"}}}
		c := beginWith(t, store, hosts, ruleOf(t, cfg), standing)
		defer c.stop()
		test(t, c, hosts)
	})
}

func TestPushWaitsForASecondPerson(t *testing.T) {
	twoPersons(t, config.TwoPersons{}, everybody, func(t *testing.T, c *life, hosts []*host) {
		alice, bob := user("alice", ""), user("bob", "")
		p := wire.PushParams{Code: code(1), Message: "count"}
		result, err := c.Push(alice.context(t), p)
		if err != nil || result.Proposal == "" || result.Rollout != "" || result.Hosts != 2 {
			t.Fatalf("the push gives %+v, %v", result, err)
		}
		again, err := c.Push(alice.context(t), p)
		if err != nil || again.Proposal != result.Proposal {
			t.Errorf("the same push again is proposal %q, %v", again.Proposal, err)
		}
		id := wire.ProposalParams{ID: result.Proposal}
		for who, by := range map[string]caller{
			"its author":              alice,
			"another session":         {name: "alice", person: "user alice", present: true},
			"a token of the author":   {name: "ci", person: "user alice"},
			"her name at a provider":  {name: "alice", person: "https://login 17", present: true},
			"the account, renamed":    {name: "alice2", person: "user alice", present: true},
			"a token of somebody":     {name: "ci", person: "user bob"},
			"a token of nobody":       {name: "ci", person: twopersons.Nobody},
			"the user of the machine": {name: "local"},
		} {
			if _, err := c.Approve(by.context(t), id); codeOf(err) != wire.CodeForbidden {
				t.Errorf("%s approves: %v", who, err)
			}
		}
		time.Sleep(time.Minute)
		if hosts[0].revision() != "" {
			t.Fatal("the code runs before it was approved")
		}
		if _, err := c.Revision(alice.context(t), wire.RevisionParams{Name: "disk"}); err == nil {
			t.Error("a revision that nobody has approved is in the catalog")
		}
		id.Message = "read it"
		got, err := c.Approve(bob.context(t), id)
		if err != nil || got.Pushed == nil || got.Pushed.Rollout == "" {
			t.Fatalf("the approval gives %+v, %v", got, err)
		}
		untilOver(t, c.Catalog)
		for _, h := range hosts {
			if h.revision() != wire.RevisionOf(code(1)) {
				t.Errorf("host %s has %.8s", h.name, h.revision())
			}
		}
		entry, err := c.Get(bob.context(t), "disk")
		if err != nil || entry.Author != "alice" || entry.Message != "count" || !slices.Equal(entry.History[0].Approved, []string{"bob"}) {
			t.Errorf("the entry is %+v, %v", entry, err)
		}
		if _, err := c.Approve(user("carol", "").context(t), id); codeOf(err) != wire.CodeNotFound {
			t.Errorf("what was approved is approved again: %v", err)
		}
		lines, _ := c.Audit(t.Context(), wire.AuditParams{Subject: "disk"})
		if len(lines) != 3 || lines[0].Who != "bob" || !strings.Contains(lines[0].Detail, "by alice, approved by bob (\"read it\")") || lines[2].Who != "alice" {
			t.Errorf("the audit log has %+v", lines)
		}
	})
}

// What a token without a maker has proposed takes two persons, who are not one.
func TestProposalOfNobodyNeedsTwo(t *testing.T) {
	twoPersons(t, config.TwoPersons{}, everybody, func(t *testing.T, c *life, _ []*host) {
		result, err := c.Push(caller{name: "ci"}.context(t), wire.PushParams{Code: code(1)})
		if err != nil {
			t.Fatal(err)
		}
		id := wire.ProposalParams{ID: result.Proposal}
		alice := user("alice", "")
		got, err := c.Approve(alice.context(t), id)
		if err != nil || got.Missing != 1 || got.Pushed != nil {
			t.Fatalf("one approval gives %+v, %v", got, err)
		}
		if _, err := c.Approve(alice.context(t), id); codeOf(err) != wire.CodeConflict {
			t.Errorf("alice approves twice: %v", err)
		}
		if got, err = c.Approve(user("bob", "").context(t), id); err != nil || got.Pushed == nil {
			t.Errorf("two approvals give %+v, %v", got, err)
		}
	})
}

func TestOutdatedProposalIsRefused(t *testing.T) {
	twoPersons(t, config.TwoPersons{}, everybody, func(t *testing.T, c *life, _ []*host) {
		alice, bob, carol := user("alice", ""), user("bob", ""), user("carol", "")
		var ids []string
		for i, by := range []caller{alice, carol} {
			result, err := c.Push(by.context(t), wire.PushParams{Code: code(i)})
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, result.Proposal)
		}
		if _, err := c.Approve(bob.context(t), wire.ProposalParams{ID: ids[0]}); err != nil {
			t.Fatal(err)
		}
		_, err := c.Approve(bob.context(t), wire.ProposalParams{ID: ids[1]})
		if codeOf(err) != wire.CodeConflict || !strings.Contains(err.Error(), "alice changed it") {
			t.Errorf("a proposal for what has changed gives %v", err)
		}
		if _, err := c.Refuse(carol.context(t), wire.ProposalParams{ID: ids[1]}); err != nil {
			t.Errorf("its author withdraws it: %v", err)
		}
		if list, err := c.Proposals(bob.context(t)); err != nil || len(list) != 0 {
			t.Errorf("there are %+v, %v", list, err)
		}
	})
}

// Going back to what ran takes one person, going to what never ran takes two, as does a
// deletion.
func TestRollbackToWhatRanNeedsOne(t *testing.T) {
	for _, strict := range []bool{false, true} {
		twoPersons(t, config.TwoPersons{Rollback: strict}, everybody, func(t *testing.T, c *life, hosts []*host) {
			alice, bob := user("alice", ""), user("bob", "")
			hosts[0].bad = wire.RevisionOf(code(2))
			for i := range 3 {
				result, err := c.Push(alice.context(t), wire.PushParams{Code: code(i), Plan: stages})
				if err == nil {
					_, err = c.Approve(bob.context(t), wire.ProposalParams{ID: result.Proposal})
				}
				if err != nil {
					t.Fatal(err)
				}
				untilOver(t, c.Catalog)
				time.Sleep(time.Minute)
			}
			result, err := c.Rollback(alice.context(t), wire.RollbackParams{Name: "disk", Revision: wire.RevisionOf(code(2))})
			if err != nil || result.Proposal == "" {
				t.Errorf("going to what never ran gives %+v, %v", result, err)
			}
			result, err = c.Rollback(alice.context(t), wire.RollbackParams{Name: "disk", Revision: wire.RevisionOf(code(0))})
			if err != nil || (result.Proposal != "") != strict || (result.Rollout != "") == strict {
				t.Errorf("strict=%v: going back gives %+v, %v", strict, result, err)
			}
			if result, err = c.Delete(alice.context(t), wire.DeleteParams{Name: "disk"}); err != nil || result.Proposal == "" {
				t.Errorf("a deletion gives %+v, %v", result, err)
			}
			if _, err := c.Approve(bob.context(t), wire.ProposalParams{ID: result.Proposal}); err != nil {
				t.Errorf("the deletion is approved: %v", err)
			}
			time.Sleep(time.Minute)
			if got := hosts[0].revision(); got != "" {
				t.Errorf("after the deletion the host has %.8s", got)
			}
		})
	}
}

// Only what cannot reach a covered host, whatever its labels, needs one person.
func TestTwoPersonsForSomeHosts(t *testing.T) {
	twoPersons(t, config.TwoPersons{Hosts: "env=production"}, everybody, func(t *testing.T, c *life, hosts []*host) {
		alice, bob := user("alice", ""), user("bob", "")
		for selector, waits := range map[string]bool{"env=staging": false, "": true, "env!=staging": true, "host=b": true, "host=b,env=staging": false} {
			p := wire.PushParams{Code: code(1), Selector: &selector, AllowNone: true}
			p.Code.Name = "to/" + fmt.Sprint(len(selector))
			result, err := c.Push(alice.context(t), p)
			if err != nil || (result.Proposal != "") != waits {
				t.Errorf("a push to %q gives %+v, %v", selector, result, err)
			}
		}
		staging := "env=staging"
		if _, err := c.Push(alice.context(t), wire.PushParams{Code: code(1), Selector: &staging}); err != nil {
			t.Fatal(err)
		}
		untilOver(t, c.Catalog)
		label := func(by caller, host string, given map[string]string) error {
			_, err := c.Label(by.context(t), wire.LabelParams{Host: host, Labels: given})
			return err
		}
		if err := label(alice, "a", map[string]string{"zone": "x"}); err != nil {
			t.Errorf("a label that changes nothing: %v", err)
		}
		err := label(alice, "a", map[string]string{"env": "staging"})
		if codeOf(err) != wire.CodeConflict {
			t.Fatalf("a label that makes one person enough: %v", err)
		}
		list, err := c.Proposals(bob.context(t))
		at := slices.IndexFunc(list, func(p wire.Proposal) bool { return p.Action == wire.ProposedLabels })
		if err != nil || at < 0 || list[at].Subject != "a" || list[at].Labels["env"] != "staging" {
			t.Fatalf("the proposals are %+v, %v", list, err)
		}
		if err := label(alice, "a", map[string]string{"zone": "y"}); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Approve(bob.context(t), wire.ProposalParams{ID: list[at].ID}); codeOf(err) != wire.CodeConflict {
			t.Errorf("labels that were proposed for other ones: %v", err)
		}
		if _, err := c.Refuse(bob.context(t), wire.ProposalParams{ID: list[at].ID}); err != nil {
			t.Fatal(err)
		}
		_ = label(alice, "a", map[string]string{"env": "staging"})
		list, _ = c.Proposals(bob.context(t))
		if _, err := c.Approve(bob.context(t), wire.ProposalParams{ID: list[len(list)-1].ID}); err != nil {
			t.Errorf("the labels are approved: %v", err)
		}
		time.Sleep(time.Minute)
		if hosts[0].revision() != wire.RevisionOf(code(1)) {
			t.Errorf("with the labels the host has %.8s", hosts[0].revision())
		}
	})
}

// Who counts is looked up when the last person approves: an author or an approver who
// is no operator of all of the hosts any more is nobody by then.
func TestWhoCountsIsLookedUpAtTheApproval(t *testing.T) {
	bound := map[string]string{"user alice": "", "user bob": "", "user carol": "", "user dave": "env=staging"}
	standing := func(person string) (string, bool) { hosts, ok := bound[person]; return hosts, ok }
	twoPersons(t, config.TwoPersons{}, standing, func(t *testing.T, c *life, hosts []*host) {
		result, err := c.Push(user("alice", "").context(t), wire.PushParams{Code: code(1)})
		if err != nil {
			t.Fatal(err)
		}
		id := wire.ProposalParams{ID: result.Proposal}
		if _, err := c.Approve(user("dave", "env=staging").context(t), id); codeOf(err) != wire.CodeNotFound {
			t.Errorf("somebody who is bound to some of the hosts approves: %v", err)
		}
		for _, change := range []func(){func() { delete(bound, "user alice") }, func() { bound["user alice"] = "env=staging" }} {
			change()
			got, err := c.Proposal(user("bob", "").context(t), id.ID)
			if err != nil || got.Missing != 2 || got.Why != "" || got.Code == nil {
				t.Errorf("without its author the proposal is %+v, %v", got, err)
			}
		}
		if got, err := c.Approve(user("bob", "").context(t), id); err != nil || got.Missing != 1 {
			t.Errorf("an approval beside an author who does not count gives %+v, %v", got, err)
		}
		delete(bound, "user bob")
		if got, err := c.Approve(user("carol", "").context(t), id); err != nil || got.Missing != 1 {
			t.Errorf("an approval beside nobody gives %+v, %v", got, err)
		}
		time.Sleep(time.Minute)
		if hosts[1].revision() != "" {
			t.Error("the code runs, and one person stands behind it")
		}
		bound["user bob"] = ""
		if got, err := c.Approve(user("erin", "").context(t), id); err != nil || got.Pushed == nil {
			t.Errorf("the last approval gives %+v, %v", got, err)
		}
		list, err := c.Get(t.Context(), "disk")
		if err != nil || !slices.Equal(list.History[0].Approved, []string{"bob", "carol", "erin"}) {
			t.Errorf("the history is %+v, %v", list.History, err)
		}
	})
}

// Somebody who is bound to hosts proposes for these alone, sees nothing of what others
// propose, and neither changes nor approves it.
func TestProposalsKeepToTheHostsOfTheCaller(t *testing.T) {
	twoPersons(t, config.TwoPersons{}, everybody, func(t *testing.T, c *life, hosts []*host) {
		dave, erin := user("dave", "env=staging"), user("erin", "env=production")
		mine, err := c.Push(dave.context(t), wire.PushParams{Code: code(1)})
		if err != nil || mine.Selector != "env=staging" {
			t.Fatalf("the push gives %+v, %v", mine, err)
		}
		id := wire.ProposalParams{ID: mine.Proposal}
		for what, err := range map[string]error{
			"get":     func() error { _, err := c.Proposal(erin.context(t), id.ID); return err }(),
			"approve": func() error { _, err := c.Approve(erin.context(t), id); return err }(),
			"refuse":  func() error { _, err := c.Refuse(erin.context(t), id); return err }(),
		} {
			if codeOf(err) != wire.CodeNotFound {
				t.Errorf("somebody who is bound to other hosts may %s: %v", what, err)
			}
		}
		if list, err := c.Proposals(erin.context(t)); err != nil || len(list) != 0 {
			t.Errorf("the list is %+v, %v", list, err)
		}
		if _, err := c.Approve(user("frank", "env=staging").context(t), id); err != nil {
			t.Errorf("somebody who is bound to the same hosts approves: %v", err)
		}
		untilOver(t, c.Catalog)
		if hosts[0].revision() != "" || hosts[1].revision() != wire.RevisionOf(code(1)) {
			t.Errorf("the hosts have %.8s and %.8s", hosts[0].revision(), hosts[1].revision())
		}
	})
}

func TestProposalExpires(t *testing.T) {
	twoPersons(t, config.TwoPersons{Expire: time.Hour}, everybody, func(t *testing.T, c *life, _ []*host) {
		result, err := c.Push(user("alice", "").context(t), wire.PushParams{Code: code(1)})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if _, err := c.Approve(user("bob", "").context(t), wire.ProposalParams{ID: result.Proposal}); codeOf(err) != wire.CodeNotFound {
			t.Errorf("an expired proposal is approved: %v", err)
		}
		time.Sleep(2 * time.Minute)
		for _, prefix := range []string{proposalPrefix, proposedPrefix} {
			if left, err := c.store.List(t.Context(), prefix); err != nil || len(left) != 0 {
				t.Errorf("%d entries of %s are left, %v", len(left), prefix, err)
			}
		}
		lines, _ := c.Audit(t.Context(), wire.AuditParams{Action: "proposals.expire"})
		if len(lines) != 1 || lines[0].Subject != "disk" {
			t.Errorf("the audit log has %+v", lines)
		}
	})
}

// A change of what needs two persons is in the audit log, also if it was made while the
// master was down.
func TestRuleIsAudited(t *testing.T) {
	twoPersons(t, config.TwoPersons{}, everybody, func(t *testing.T, c *life, _ []*host) {
		for _, rule := range []twopersons.Rule{ruleOf(t, config.TwoPersons{}), {}, {}} {
			if err := c.SetTwoPersons(t.Context(), rule); err != nil {
				t.Fatal(err)
			}
		}
		lines, err := c.Audit(t.Context(), wire.AuditParams{Action: "master.two_persons"})
		if err != nil || len(lines) != 2 || !strings.HasPrefix(lines[0].Detail, "one person") {
			t.Errorf("the audit log has %+v, %v", lines, err)
		}
	})
}

// mesh is a master under random callers, which is killed now and then.
type mesh struct {
	*life
	t       *testing.T
	random  *rand.Rand
	store   state.Store
	dying   *mortal
	hosts   []*host
	rule    twopersons.Rule
	bound   map[string]string // the hosts of each person; who is missing is no operator
	callers []caller
	// stood is who has stood behind each proposal, as the test saw it.
	stood map[string]*standers
}

type standers struct {
	wire.Proposal
	persons map[string][]string // the hosts that each person was bound to
}

func (m *mesh) standing(person string) (string, bool) {
	hosts, ok := m.bound[person]
	return hosts, ok
}

// restart lets the master begin again, with a store that dies after some writes.
func (m *mesh) restart() {
	if m.life != nil {
		m.stop()
	}
	m.dying = &mortal{Store: m.store, left: 10 + m.random.IntN(60), dead: make(chan struct{})}
	m.life = beginWith(m.t, m.dying, m.hosts, m.rule, m.standing)
}

// anybody is a random caller as the credential is now: a person's is bound as the
// person is, and a token's never wider than what it was made for.
func (m *mesh) anybody() caller {
	for {
		by := m.callers[m.random.IntN(len(m.callers))]
		hosts, ok := m.bound[by.person]
		if by.present && !ok {
			continue // the guard of the methods refuses it
		}
		if by.present {
			by.hosts = hosts
		}
		return by
	}
}

// step does something random as somebody random.
func (m *mesh) step() {
	by := m.anybody()
	ctx := by.context(m.t)
	before, _ := m.Proposals(m.t.Context())
	switch m.random.IntN(12) {
	case 0, 1, 2:
		selector := []string{"", "zone=a", "zone=b", "zone in (a,b)", "zone!=a"}[m.random.IntN(5)]
		p := wire.PushParams{Code: code(m.random.IntN(5)), Selector: &selector, AllowNone: true}
		if m.random.IntN(3) == 0 {
			p.Plan = stages
		}
		_, _ = m.Push(ctx, p)
	case 3:
		p := wire.RollbackParams{Name: "disk"}
		if m.random.IntN(2) == 0 {
			p.Revision = wire.RevisionOf(code(m.random.IntN(5)))
		}
		_, _ = m.Rollback(ctx, p)
	case 4:
		if m.random.IntN(3) == 0 {
			_, _ = m.Delete(ctx, wire.DeleteParams{Name: "disk"})
		}
	case 5:
		m.label(by)
	case 6:
		if len(before) > 0 && m.random.IntN(3) == 0 {
			_, _ = m.Refuse(ctx, wire.ProposalParams{ID: before[m.random.IntN(len(before))].ID})
		}
	case 7:
		people := []string{"user alice", "user bob", "user carol", "user dave"}
		who := people[m.random.IntN(len(people))]
		if m.bound[who] = []string{"", "zone=a", "zone=b"}[m.random.IntN(3)]; m.random.IntN(5) == 0 {
			delete(m.bound, who)
		}
		if len(m.bound) == 0 {
			m.bound[who] = ""
		}
	case 8:
		time.Sleep(time.Duration(m.random.IntN(50)) * time.Minute)
	default:
		if len(before) > 0 {
			m.approve(by, before[m.random.IntN(len(before))].ID)
		}
	}
	m.note(by, before)
}

func (m *mesh) label(by caller) {
	h := m.hosts[m.random.IntN(len(m.hosts))]
	m.mu.Lock()
	sees := scope.Of(by.hosts, nil).Matches(m.targets[h.name].labels)
	m.mu.Unlock()
	if sees { // the guard of the methods refuses others
		_, _ = m.Label(by.context(m.t), wire.LabelParams{Host: h.name, Labels: map[string]string{"zone": []string{"a", "b", ""}[m.random.IntN(3)]}})
	}
}

// approve approves a proposal, and notes who stands behind it if that may have worked.
func (m *mesh) approve(by caller, id string) {
	_, err := m.Approve(by.context(m.t), wire.ProposalParams{ID: id})
	if code := codeOf(err); code == 0 && by.present && m.stood[id] != nil {
		m.stood[id].persons[by.person] = append(m.stood[id].persons[by.person], by.hosts)
	}
}

// note takes down the proposals that a caller has made.
func (m *mesh) note(by caller, before []wire.Proposal) {
	after, _ := m.Proposals(m.t.Context())
	for _, p := range after {
		if slices.ContainsFunc(before, func(b wire.Proposal) bool { return b.ID == p.ID }) {
			continue
		}
		m.stood[p.ID] = &standers{Proposal: p, persons: map[string][]string{}}
		if by.person != "" {
			m.stood[p.ID].persons[by.person] = []string{by.hosts}
		}
	}
}

// check fails if a host runs what no two persons stand behind who are bound to it.
func (m *mesh) check() {
	for _, h := range m.hosts {
		revision := h.revision()
		if revision == "" {
			continue
		}
		m.mu.Lock()
		set := maps.Clone(m.targets[h.name].labels)
		m.mu.Unlock()
		good := false
		for _, s := range m.stood {
			selector, err := labels.Parse(s.Selector)
			if s.Revision != revision || err != nil || !selector.Matches(set) {
				continue
			}
			n := 0
			for _, hosts := range s.persons {
				if slices.ContainsFunc(hosts, func(bound string) bool { return scope.Of(bound, nil).Matches(set) }) {
					n++
				}
			}
			good = good || n >= 2
		}
		if !good {
			m.t.Fatalf("host %s with %v runs %.8s, behind which stand no two persons: %+v", h.name, set, revision, m.stood)
		}
	}
}

// Whatever callers propose, approve, refuse and let expire, whoever is bound to what at
// the time, and wherever the master is killed: no host ever runs code behind which do
// not stand two persons who were bound to it.
func TestNobodyAloneChangesWhatRuns(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	ran := 0
	for round := range 6 {
		random := rand.New(rand.NewPCG(seed, uint64(round)))
		synctest.Test(t, func(t *testing.T) {
			t.Logf("seed %d, round %d", seed, round)
			m := &mesh{
				t: t, random: random, store: open(t, t.TempDir()), rule: ruleOf(t, config.TwoPersons{Expire: time.Hour}),
				bound: map[string]string{"user alice": "", "user bob": "zone=a", "user carol": "zone=b", "user dave": ""},
				stood: map[string]*standers{},
				callers: []caller{
					user("alice", ""), user("bob", ""), user("carol", ""), user("dave", ""),
					{name: "ci", person: "user alice"},
					{name: "ci-a", person: "user dave", hosts: "zone=a"},
					{name: "configured"},
					{name: "local"},
				},
			}
			defer m.store.Close()
			for i, zone := range []string{"a", "a", "b", "b", "c"} {
				m.hosts = append(m.hosts, &host{name: fmt.Sprint("h", i), labels: map[string]string{"zone": zone}})
			}
			m.restart()
			for range 150 {
				select {
				case <-m.dying.dead:
					m.restart()
				default:
				}
				m.step()
				time.Sleep(time.Duration(random.IntN(20)) * time.Second)
				synctest.Wait()
				m.check()
				for _, h := range m.hosts {
					if h.revision() != "" {
						ran++
					}
				}
			}
			m.stop()
		})
	}
	if ran < 100 {
		t.Errorf("seed %d: hosts ran code %d times only, so little was tested", seed, ran)
	}
}

// Of a change that can be made no more is shown what has changed since, before anybody
// approves it.
func TestOutdatedProposalsSaySo(t *testing.T) {
	twoPersons(t, config.TwoPersons{}, everybody, func(t *testing.T, c *life, _ []*host) {
		alice, bob, carol := user("alice", "").context(t), user("bob", "").context(t), user("carol", "").context(t)
		of := func(ctx context.Context, n int) wire.ProposalParams {
			t.Helper()
			result, err := c.Push(ctx, wire.PushParams{Code: code(n)})
			if err != nil || result.Proposal == "" {
				t.Fatalf("the push gives %+v, %v", result, err)
			}
			return wire.ProposalParams{ID: result.Proposal}
		}
		first, second := of(alice, 1), of(carol, 2)
		if p, err := c.Proposal(bob, second.ID); err != nil || p.Why != "" {
			t.Errorf("before: %q, %v", p.Why, err)
		}
		if _, err := c.Approve(bob, first); err != nil {
			t.Fatal(err)
		}
		p, err := c.Proposal(bob, second.ID)
		if err != nil || !strings.Contains(p.Why, "alice changed it to revision") {
			t.Errorf("the outdated proposal says %q, %v", p.Why, err)
		}
		if _, err := c.Approve(bob, second); codeOf(err) != wire.CodeConflict || !strings.Contains(err.Error(), p.Why) {
			t.Errorf("its approval gives %v", err)
		}
	})
}

// Code that one person may run on some hosts, and that failed on those of two persons, is
// not brought back there by one.
func TestRollbackToWhereItFailedNeedsTwo(t *testing.T) {
	twoPersons(t, config.TwoPersons{Hosts: "env=production"}, everybody, func(t *testing.T, c *life, hosts []*host) {
		alice, bob := user("alice", ""), user("bob", "")
		staging, both := "env=staging", "env in (staging,production)"
		if _, err := c.Push(alice.context(t), wire.PushParams{Code: code(1), Selector: &staging}); err != nil {
			t.Fatal(err)
		}
		untilOver(t, c.Catalog)
		time.Sleep(time.Minute)
		hosts[0].bad = wire.RevisionOf(code(1))
		result, err := c.Push(alice.context(t), wire.PushParams{Code: code(1), Selector: &both, Plan: stages})
		if err == nil {
			_, err = c.Approve(bob.context(t), wire.ProposalParams{ID: result.Proposal})
		}
		if err != nil {
			t.Fatal(err)
		}
		r := untilOver(t, c.Catalog)
		if r.State != wire.RolloutRolledBack {
			t.Fatalf("the rollout is %+v", r)
		}
		time.Sleep(time.Minute)
		// Without a host on which it did well at last, the newest change to it that follows one
		// that did is the one that failed.
		if _, err := c.Label(alice.context(t), wire.LabelParams{Host: "b", Labels: map[string]string{"env": "test"}}); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Push(alice.context(t), wire.PushParams{Code: code(2), Selector: &staging, AllowNone: true}); err != nil {
			t.Fatal(err)
		}
		untilOver(t, c.Catalog)
		result, err = c.Rollback(alice.context(t), wire.RollbackParams{Name: "disk", Revision: wire.RevisionOf(code(1))})
		if err != nil || result.Proposal == "" || result.Selector != both {
			t.Errorf("going to where it failed gives %+v, %v", result, err)
		}
	})
}
