package api

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/vedettehq/vedette/master/auth"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// who are the callers that a master tells apart.
var who = map[string]*auth.Identity{
	"nobody":   nil,
	"agent":    {Name: "web-1", Role: auth.Agent, Host: "web-1"},
	"viewer":   {Name: "wall", Role: auth.Viewer},
	"operator": {Name: "anna", Role: auth.Operator},
	"admin":    {Name: "boss", Role: auth.Admin},
	"local":    {Name: "local", Role: auth.Local},
}

// Every method of the master has a row, and each one that is for operators or admins is
// audited, except for those that only read. Methods by which callers change what is
// theirs are audited too. Who may call which is tested in package master, over real
// connections.
func TestChangesAreAudited(t *testing.T) {
	m := New(Deps{}).methods()
	served := m.Methods()
	if len(served) < 30 {
		t.Fatalf("the master serves %d methods", len(served))
	}
	for _, method := range served {
		row, ok := m.rows[method]
		if !ok {
			t.Errorf("%s has no row", method)
		}
		reads := slices.Contains([]string{
			wire.AuditList.Name, wire.AuditVerify.Name, wire.TokensList.Name, wire.LogsGet.Name, wire.UsersList.Name, wire.ProposalsList.Name, wire.ProposalsGet.Name,
		}, method)
		own := slices.Contains([]string{wire.UsersPasswd.Name, wire.UsersLogout.Name, wire.MasterMaintenance.Name}, method) // callers change what is theirs
		if changes := (row.access == wire.Operator || row.access == wire.Admin) && !reads || own; changes != (row.subject != nil) {
			t.Errorf("%s is for %s; audited: %v", method, row.access, row.subject != nil)
		}
	}
}

// A method without a row is nobody's, not even an operator's.
func TestMethodWithoutRow(t *testing.T) {
	m := New(Deps{}).methods()
	m.Handle("new.method", rpc.Method(func(context.Context, wire.Empty) (wire.Empty, error) { return wire.Empty{}, nil }))
	for name, identity := range who {
		err := guard{m}.allows("new.method", identity)
		if answer, ok := errors.AsType[*rpc.Error](err); !ok || answer.Code != wire.CodeForbidden {
			t.Errorf("%s: %v", name, err)
		}
		err = guard{m}.allows("no.such.method", identity)
		if answer, ok := errors.AsType[*rpc.Error](err); !ok || answer.Code != rpc.CodeMethodNotFound {
			t.Errorf("a method that is not there, by %s: %v", name, err)
		}
	}
}

// A method with a letter too few is answered with one that the caller may call.
func TestMistypedMethod(t *testing.T) {
	m := New(Deps{}).methods()
	for range 500 {
		name := m.Methods()[rand.IntN(len(m.Methods()))]
		i := rand.IntN(len(name))
		typed := name[:i] + name[i+1:]
		if m.Has(typed) { // alerts.thresholds and alerts.threshold
			continue
		}
		for caller, identity := range who {
			err := guard{m}.allows(typed, identity)
			answer, ok := errors.AsType[*rpc.Error](err)
			if !ok || answer.Code != rpc.CodeMethodNotFound {
				t.Fatalf("%q, by %s: %v", typed, caller, err)
			}
			_, meant, asked := strings.Cut(answer.Message, "did you mean ")
			meant = strings.Trim(meant, `"?`)
			may := identity.May(m.rows[name].access)
			if may && !asked || asked && (!m.Has(meant) || !identity.May(m.rows[meant].access)) {
				t.Errorf("%q, by %s: %v", typed, caller, err)
			}
		}
	}
}
