package api

import (
	"context"
	"errors"
	"slices"
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
	"local":    {Name: "local", Role: auth.Local},
}

// may is what each row's access means, written apart from the code.
var may = map[wire.Access][]string{
	wire.Anybody:  {"agent", "local", "nobody", "operator", "viewer"},
	wire.Known:    {"agent", "local", "operator", "viewer"},
	wire.Agent:    {"agent", "local"},
	wire.Viewer:   {"local", "operator", "viewer"},
	wire.Operator: {"local", "operator"},
}

// Every method of the master has a row, and each caller is let through or refused
// as the row says.
func TestEveryMethodTimesEveryRole(t *testing.T) {
	m := New(Deps{}).methods()
	served := m.Methods()
	if len(served) < 30 {
		t.Fatalf("the master serves %d methods", len(served))
	}
	for _, method := range served {
		row, ok := m.rows[method]
		allowed := may[row.access]
		if !ok || allowed == nil {
			t.Errorf("%s: no row, or access %q that the master knows nothing of", method, row.access)
			continue
		}
		if changes := row.access == wire.Operator && method != wire.AuditList.Name; changes != (row.subject != nil) {
			t.Errorf("%s is for %s; audited: %v", method, row.access, row.subject != nil)
		}
		for name, identity := range who {
			err := guard{m, nil}.allows(method, identity)
			if got, want := err == nil, slices.Contains(allowed, name); got != want {
				t.Errorf("%s by %s: allowed %v, want %v (%v)", method, name, got, want, err)
			}
			if err == nil {
				continue
			}
			code := wire.CodeForbidden
			if identity == nil {
				code = wire.CodeUnauthenticated
			}
			if answer, ok := errors.AsType[*rpc.Error](err); !ok || answer.Code != code {
				t.Errorf("%s by %s: %v, want code %d", method, name, err, code)
			}
		}
	}
}

// A method without a row is nobody's, not even an operator's.
func TestMethodWithoutRow(t *testing.T) {
	m := New(Deps{}).methods()
	m.Handle("new.method", rpc.Method(func(context.Context, wire.Empty) (wire.Empty, error) { return wire.Empty{}, nil }))
	for name, identity := range who {
		err := guard{m, nil}.allows("new.method", identity)
		if answer, ok := errors.AsType[*rpc.Error](err); !ok || answer.Code != wire.CodeForbidden {
			t.Errorf("%s: %v", name, err)
		}
		if err := (guard{m, nil}).allows("no.such.method", identity); err != nil {
			t.Errorf("a method that is not there, by %s: %v", name, err)
		}
	}
}
