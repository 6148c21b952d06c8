package master

import (
	"strings"
	"testing"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/internal/patience"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// A host is in maintenance if its own agent asks for it, and no other; the audit log has
// who asked, and who tried.
func TestSelfMaintenanceIsForOneself(t *testing.T) {
	m := start(t, config.Master{Tokens: []config.Token{
		token("web-1", "agent", "web-1"), token("web-2", "agent", "web-2"), token("ops", "operator", ""),
	}})
	own := dial(t, m, nil, rpc.DialOptions{Header: bearer("web-1")})
	ops := dial(t, m, nil, rpc.DialOptions{Header: bearer("ops")})
	other := dial(t, m, nil, rpc.DialOptions{Header: bearer("web-2")})
	for who, peer := range map[string]*rpc.Peer{"another host": other, "an operator": ops} {
		for _, p := range []wire.SelfMaintenanceParams{{Hostname: "web-1", Seconds: 60}, {Hostname: "web-1", End: true}} {
			if code := codeOf(t, peer, wire.MasterMaintenance.Name, p); code != wire.CodeForbidden {
				t.Errorf("%s asks for web-1: code %d", who, code)
			}
		}
	}
	if code := codeOf(t, own, wire.MasterMaintenance.Name, wire.SelfMaintenanceParams{Hostname: "web-1.", Seconds: 60}); code == 0 {
		t.Error("a name that is none was taken")
	}
	call[wire.SelfMaintenanceResult](t, own, wire.MasterMaintenance.Name, wire.SelfMaintenanceParams{Hostname: "web-1", Seconds: 60, Message: "backup"})
	silences := call[wire.SilencesResult](t, ops, wire.SilencesList.Name, wire.SilencesParams{}).Silences
	if len(silences) != 1 || silences[0].Maintenance != wire.SelfMaintenance || silences[0].Matchers[0] != `host="web-1"` || silences[0].By != "web-1" ||
		silences[0].Message != "backup" {
		t.Errorf("%+v", silences)
	}
	end := wire.SelfMaintenanceParams{Hostname: "web-1", End: true}
	if result := call[wire.SelfMaintenanceResult](t, own, wire.MasterMaintenance.Name, end); result.Ended != 1 {
		t.Errorf("%+v", result)
	}
	var outcomes []string
	for _, e := range call[wire.AuditResult](t, ops, wire.AuditList.Name, wire.AuditParams{Action: wire.MasterMaintenance.Name}).Entries {
		outcomes = append(outcomes, e.Who+" "+strings.Fields(e.Outcome)[0])
	}
	for _, want := range []string{"web-1 ok", "web-2 the", "ops the"} {
		if !strings.Contains(strings.Join(outcomes, "; "), want) {
			t.Errorf("the audit log has %q, want %q in it", outcomes, want)
		}
	}
}

// Somebody who is bound to hosts has a maintenance recur for these alone, whatever else
// its selector selects, and neither sees nor removes that of other hosts.
func TestMaintenanceOfBoundCallers(t *testing.T) {
	m := start(t, config.Master{Tokens: []config.Token{
		token("in-1", "agent", "in-1"), token("out-1", "agent", "out-1"), token("ops", "operator", ""),
		boundToken("in-ops", "operator", "host in (in-1)"),
	}})
	for _, host := range []string{"in-1", "out-1"} {
		report(t, dial(t, m, nil, rpc.DialOptions{Header: bearer(host)}), host)
	}
	ops, bound := dial(t, m, nil, rpc.DialOptions{Header: bearer("ops")}), dial(t, m, nil, rpc.DialOptions{Header: bearer("in-ops")})
	const always = "00:00-24:00"
	of := func(peer *rpc.Peer, p wire.MaintenanceParams) wire.Maintenance {
		t.Helper()
		p.Every = always
		return call[wire.Maintenance](t, peer, wire.MaintenancesAdd.Name, p)
	}
	others, all := of(ops, wire.MaintenanceParams{Host: "out-1"}), of(ops, wire.MaintenanceParams{Selector: "host"})
	if all.Hosts != 2 {
		t.Errorf("%+v", all)
	}
	if err := bound.Call(patience.Context(t), wire.MaintenancesAdd.Name, wire.MaintenanceParams{Host: "out-1", Every: always}, nil); err == nil ||
		!strings.Contains(err.Error(), `no host "out-1"`) {
		t.Errorf("a maintenance of a hidden host: %v", err)
	}
	mine := of(bound, wire.MaintenanceParams{Selector: "host"})
	if mine.Hosts != 1 || mine.Within != "host in (in-1)" || mine.ID == all.ID {
		t.Errorf("%+v", mine)
	}
	list := call[wire.MaintenancesResult](t, bound, wire.MaintenancesList.Name, nil).Maintenances
	if len(list) != 1 || list[0].ID != mine.ID {
		t.Errorf("one who is bound sees %+v", list)
	}
	for _, id := range []string{others.ID, all.ID} {
		if code := codeOf(t, bound, wire.MaintenancesEnd.Name, wire.MaintenanceEndParams{ID: id}); code != wire.CodeNotFound {
			t.Errorf("one who is bound removes that of others: code %d", code)
		}
	}
	for _, one := range call[wire.SilencesResult](t, bound, wire.SilencesList.Name, wire.SilencesParams{}).Silences {
		if one.Maintenance != mine.ID || one.Matchers[0] != `host=~"in-1"` {
			t.Errorf("one who is bound sees the silence %+v", one)
		}
	}
	call[wire.Maintenance](t, bound, wire.MaintenancesEnd.Name, wire.MaintenanceEndParams{ID: mine.ID})
	if n := len(call[wire.MaintenancesResult](t, ops, wire.MaintenancesList.Name, nil).Maintenances); n != 2 {
		t.Errorf("%d are left, want 2", n)
	}
}
