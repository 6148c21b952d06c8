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

// Every method is in one list of roles and no other, and a method that is in none
// is nobody's, not even an operator's.
func TestEveryMethodHasOneRole(t *testing.T) {
	mux := New(Deps{}).methods()
	all := slices.Concat(operatorMethods, viewerMethods, agentMethods, commonMethods)
	slices.Sort(all)
	if !slices.Equal(all, mux.Methods()) {
		t.Errorf("the lists have\n%q\nand there are\n%q", all, mux.Methods())
	}
	mux.Handle("new.method", rpc.Method(func(context.Context, wire.Empty) (wire.Empty, error) { return wire.Empty{}, nil }))
	g := guard{mux, nil}
	for _, role := range []auth.Role{auth.Agent, auth.Viewer, auth.Operator, auth.Local} {
		err := g.allows("new.method", &auth.Identity{Name: "x", Role: role})
		if answer, ok := errors.AsType[*rpc.Error](err); !ok || answer.Code != wire.CodeForbidden {
			t.Errorf("%s: %v", role, err)
		}
		if err := g.allows("no.such.method", &auth.Identity{Name: "x", Role: role}); err != nil {
			t.Errorf("a method that is not there: %v", err)
		}
	}
}
