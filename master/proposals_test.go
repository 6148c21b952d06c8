package master

import (
	"strings"
	"testing"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// twoPersons is a master on which pushes for production need a second person, with the
// users alice, bob and vera, who is a viewer.
func twoPersons(t *testing.T, cfg config.Master) *Master {
	cfg.TwoPersons = config.TwoPersons{Required: true, Hosts: "env=production"}
	m := start(t, cfg)
	addUser(t, m, "alice", "admin")
	addUser(t, m, "bob", "operator")
	addUser(t, m, "vera", "viewer")
	return m
}

// as connects somebody with a token.
func as(t *testing.T, m *Master, secret string) *rpc.Peer {
	t.Helper()
	return dial(t, m, nil, rpc.DialOptions{Header: map[string][]string{"Authorization": {"Bearer " + secret}}})
}

// person connects a user, in a browser that has just logged in.
func person(t *testing.T, m *Master, name string) *rpc.Peer {
	t.Helper()
	return dial(t, m, nil, rpc.DialOptions{Header: browser(m, logIn(t, m, name))})
}

// Over real connections the author cannot approve in any way: by another session, by a
// token that the author has made, or by a connection with name and password. A second
// person can, and then the host gets the code.
func TestSecondPersonOverConnections(t *testing.T) {
	m := twoPersons(t, config.Master{Tokens: []config.Token{token("web-1", "agent", "web-1"), token("ci", "operator", "")}})
	agent := newFakeAgent("web-1", map[string]string{"env": "production"})
	agent.token = "web-1"
	agent.connect(t, m)
	alice, bob := person(t, m, "alice"), person(t, m, "bob")
	made := call[wire.TokenCreated](t, alice, wire.TokensCreate.Name, wire.TokenParams{Name: "hers", Role: "operator"})
	pushed := call[wire.PushResult](t, as(t, m, made.Token), wire.CatalogPush.Name, wire.PushParams{Code: script("disk", 1)})
	if pushed.Proposal == "" || pushed.Rollout != "" {
		t.Fatalf("the push gives %+v", pushed)
	}
	id := wire.ProposalParams{ID: pushed.Proposal}
	typed := dial(t, m, nil, rpc.DialOptions{})
	call[wire.LoginResult](t, typed, wire.MasterLogin.Name, wire.LoginParams{Username: "alice", Password: password})
	for who, peer := range map[string]*rpc.Peer{
		"the maker of the token": alice, "another session": person(t, m, "alice"), "a connection with her password": typed,
		"the token": as(t, m, made.Token), "a token of the configuration": as(t, m, "secret-ci"), "a viewer": person(t, m, "vera"),
	} {
		if err := refused(t, peer, wire.ProposalsApprove.Name, id); err.Code != wire.CodeForbidden {
			t.Errorf("%s approves: %v", who, err)
		}
	}
	if got := brief(agent.assignment()); got != "" {
		t.Fatalf("before the approval the host has %s", got)
	}
	shown := call[wire.Proposal](t, bob, wire.ProposalsGet.Name, id)
	if shown.Code == nil || wire.RevisionOf(*shown.Code) != shown.Revision || shown.Author != "hers" || shown.Missing != 1 {
		t.Errorf("the proposal is %+v", shown)
	}
	approved := call[wire.ApproveResult](t, bob, wire.ProposalsApprove.Name, id)
	if approved.Pushed == nil || approved.Pushed.Rollout == "" {
		t.Fatalf("the approval gives %+v", approved)
	}
	agent.wait(t, "disk:"+pushed.Revision[:4])
	lines := call[wire.AuditResult](t, alice, wire.AuditList.Name, wire.AuditParams{Action: wire.ProposalsApprove.Name}).Entries
	if len(lines) < 4 || lines[0].Who != "bob" || !strings.Contains(lines[0].Detail, "by hers, approved by bob") {
		t.Errorf("the audit log has %+v", lines)
	}
}

// What a token has proposed that was revoked since takes two persons: whoever revokes a
// token does not stand behind what it did, whether another one gets its name or not.
func TestProposalOfARevokedToken(t *testing.T) {
	m := twoPersons(t, config.Master{Tokens: []config.Token{token("ci", "admin", "")}})
	addUser(t, m, "carol", "operator")
	alice, bob := person(t, m, "alice"), person(t, m, "bob")
	made := call[wire.TokenCreated](t, alice, wire.TokensCreate.Name, wire.TokenParams{Name: "hers", Role: "operator"})
	pushed := call[wire.PushResult](t, as(t, m, made.Token), wire.CatalogPush.Name, wire.PushParams{Code: script("disk", 1)})
	id := wire.ProposalParams{ID: pushed.Proposal}
	call[wire.Empty](t, alice, wire.TokensRevoke.Name, wire.TokenRevokeParams{Name: "hers"})
	again := call[wire.TokenCreated](t, alice, wire.TokensCreate.Name, wire.TokenParams{Name: "hers", Role: "operator"})
	if shown := call[wire.Proposal](t, bob, wire.ProposalsGet.Name, id); shown.Missing != 2 {
		t.Errorf("with its token revoked the proposal is %+v", shown)
	}
	other := call[wire.PushResult](t, as(t, m, again.Token), wire.CatalogPush.Name, wire.PushParams{Code: script("disk", 1)})
	if other.Proposal == "" || other.Proposal == pushed.Proposal {
		t.Errorf("the new token of that name proposes %q", other.Proposal)
	}
	if first := call[wire.ApproveResult](t, bob, wire.ProposalsApprove.Name, id); first.Missing != 1 || first.Pushed != nil {
		t.Errorf("one approval gives %+v", first)
	}
	if err := refused(t, alice, wire.ProposalsApprove.Name, id); err.Code != wire.CodeForbidden {
		t.Errorf("the maker of the token approves: %v", err)
	}
	if second := call[wire.ApproveResult](t, person(t, m, "carol"), wire.ProposalsApprove.Name, id); second.Pushed == nil {
		t.Errorf("two approvals give %+v", second)
	}
}

// What the token of the configuration proposes takes two persons.
func TestPipelineNeedsTwoPersons(t *testing.T) {
	m := twoPersons(t, config.Master{Tokens: []config.Token{token("ci", "admin", "")}})
	ci := as(t, m, "secret-ci")
	made := call[wire.TokenCreated](t, ci, wire.TokensCreate.Name, wire.TokenParams{Name: "its", Role: "operator"})
	for name, secret := range map[string]string{"configured": "secret-ci", "made": made.Token} {
		pushed := call[wire.PushResult](t, as(t, m, secret), wire.CatalogPush.Name, wire.PushParams{Code: script("disk/"+name, 1)})
		id := wire.ProposalParams{ID: pushed.Proposal}
		alice := person(t, m, "alice")
		if first := call[wire.ApproveResult](t, alice, wire.ProposalsApprove.Name, id); first.Missing != 1 || first.Pushed != nil {
			t.Errorf("one approval gives %+v", first)
		}
		if err := refused(t, alice, wire.ProposalsApprove.Name, id); err.Code != wire.CodeConflict {
			t.Errorf("alice approves twice: %v", err)
		}
		if second := call[wire.ApproveResult](t, person(t, m, "bob"), wire.ProposalsApprove.Name, id); second.Pushed == nil {
			t.Errorf("two approvals give %+v", second)
		}
	}
}

// A draft is code: it cannot be tried where code needs two persons.
func TestDraftNeedsASecondPerson(t *testing.T) {
	m := start(t, config.Master{TwoPersons: config.TwoPersons{Required: true, Hosts: "env=production"}})
	prod := newTrialAgent(t, m, "prod", map[string]string{"env": "production"}, nil)
	other := newTrialAgent(t, m, "other", map[string]string{"env": "staging"}, nil)
	peer := dial(t, m, nil, rpc.DialOptions{})
	for _, p := range []wire.TrialStartParams{
		{Code: script("disk", 1), Hosts: []string{"other", "prod"}}, {Code: script("disk", 1), Selector: "env"}, {Code: script("disk", 1), Hosts: []string{"prod"}},
	} {
		if err := refused(t, peer, wire.TrialsStart.Name, p); err.Code != wire.CodeForbidden || !strings.Contains(err.Message, `"prod"`) {
			t.Errorf("a trial gives %v", err)
		}
	}
	call[wire.TrialStartResult](t, peer, wire.TrialsStart.Name, wire.TrialStartParams{Code: script("disk", 1), Hosts: []string{"other"}})
	patience.Until(t, "the trial reaches the other host", func() bool { return len(other.tries) == 1 })
	if len(prod.tries) != 0 {
		t.Error("the draft reaches the host that needs two persons")
	}
}

// Labels that are approved count for selectors, and are shown.
func TestLabelsOfASecondPerson(t *testing.T) {
	m := twoPersons(t, config.Master{Tokens: []config.Token{token("web-1", "agent", "web-1")}})
	agent := newFakeAgent("web-1", map[string]string{"env": "production"})
	agent.token = "web-1"
	agent.connect(t, m)
	alice, bob := person(t, m, "alice"), person(t, m, "bob")
	err := refused(t, alice, wire.HostsLabel.Name, wire.LabelParams{Host: "web-1", Labels: map[string]string{"env": "staging"}})
	if err.Code != wire.CodeConflict {
		t.Fatalf("the labels give %v", err)
	}
	list := call[wire.ProposalsResult](t, bob, wire.ProposalsList.Name, wire.Empty{})
	if len(list.Proposals) != 1 || list.Proposals[0].Why != "" {
		t.Fatalf("the list is %+v", list)
	}
	call[wire.ApproveResult](t, bob, wire.ProposalsApprove.Name, wire.ProposalParams{ID: list.Proposals[0].ID})
	host := call[wire.Host](t, alice, wire.HostsGet.Name, wire.HostParams{Host: "web-1"})
	if host.Labels["env"] != "staging" {
		t.Errorf("the host has %v", host.Labels)
	}
}

// The user of the machine is no second person on a master on loopback, but is whoever
// they have logged in as.
func TestOwnerOfTheMachineIsWhomTheyLoggedInAs(t *testing.T) {
	m := twoPersons(t, config.Master{})
	pushed := call[wire.PushResult](t, dial(t, m, nil, rpc.DialOptions{}), wire.CatalogPush.Name, wire.PushParams{Code: script("disk", 1)})
	id := wire.ProposalParams{ID: pushed.Proposal}
	if err := refused(t, dial(t, m, nil, rpc.DialOptions{}), wire.ProposalsApprove.Name, id); err.Code != wire.CodeForbidden {
		t.Errorf("the owner approves: %v", err)
	}
	for i, name := range []string{"alice", "bob"} {
		u, err := m.users.Check(t.Context(), name, password, "127.0.0.1:1")
		if err != nil {
			t.Fatal(err)
		}
		secret, _, err := m.users.Begin(t.Context(), u, false, "127.0.0.1:1", 0)
		if err != nil {
			t.Fatal(err)
		}
		peer := as(t, m, secret)
		if who := call[wire.InfoResult](t, peer, wire.MasterInfo.Name, wire.Empty{}); who.Role == "local" {
			t.Errorf("%s has the role %s", name, who.Role)
		}
		if got := call[wire.ApproveResult](t, peer, wire.ProposalsApprove.Name, id); (got.Pushed != nil) != (i == 1) {
			t.Errorf("the approval by %s gives %+v", name, got)
		}
	}
}

// The setting counts from the reload on, and what waits can still be approved.
func TestTwoPersonsAtReload(t *testing.T) {
	m := twoPersons(t, config.Master{})
	peer := dial(t, m, nil, rpc.DialOptions{})
	push := func() wire.PushResult {
		return call[wire.PushResult](t, peer, wire.CatalogPush.Name, wire.PushParams{Code: script("disk", 1)})
	}
	if push().Proposal == "" {
		t.Error("a push before the reload does not wait")
	}
	cfg := m.cfg
	cfg.TwoPersons = config.TwoPersons{}
	if err := m.Reload(cfg); err != nil {
		t.Fatal(err)
	}
	if push().Rollout == "" {
		t.Error("a push after the reload waits")
	}
	cfg.TwoPersons = config.TwoPersons{Required: true, Hosts: "env in ("}
	if err := m.Reload(cfg); err == nil || !strings.Contains(err.Error(), "two_persons.hosts") {
		t.Errorf("a selector that cannot be read gives %v", err)
	}
}
