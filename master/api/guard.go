package api

import (
	"context"
	"slices"

	"github.com/vedettehq/vedette/internal/nearest"
	"github.com/vedettehq/vedette/master/auth"
	"github.com/vedettehq/vedette/master/scope"
	"github.com/vedettehq/vedette/master/twopersons"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// methods are the methods of the master, each with the rules of its row about
// callers and the audit log.
type methods struct {
	*rpc.Mux
	api  *API
	rows map[string]row
}

// row has what the guard needs to know about a method.
type row struct {
	access wire.Access
	bound  wire.Binding
	// subject returns the subject of a call; it is nil for a method that is not
	// audited.
	subject func(req *rpc.Request) wire.Subject
}

func newMethods(a *API) *methods {
	return &methods{Mux: rpc.NewMux(), api: a, rows: make(map[string]row)}
}

// within limits a method to the scope of its caller, as its row says: a call about
// a host that the caller may not see is refused like one about an unknown host,
// and an answer is cut down.
func within[P, R any](a *API, method wire.Method[P, R], f func(context.Context, P) (R, error)) func(context.Context, P) (R, error) {
	return func(ctx context.Context, p P) (R, error) {
		bound := scope.From(ctx)
		if method.Host != nil && !bound.Sees(method.Host(p)) {
			var none R
			return none, a.noHost(ctx, method.Host(p))
		}
		result, err := f(ctx, p)
		if method.Keep != nil && err == nil && !bound.All() {
			method.Keep(&result, bound.Sees)
		}
		return result, err
	}
}

// handle serves a method with f, for the callers that its row names. It is the
// only way to serve a method: nobody may call one without a row.
func handle[P, R any](m *methods, method wire.Method[P, R], f func(context.Context, P) (R, error)) {
	rpc.Serve(m.Mux, method, within(m.api, method, f))
	r := row{access: method.For, bound: method.Bound}
	if (r.bound == wire.ByHost) != (method.Host != nil) || (r.bound == wire.ByResult) != (method.Keep != nil) {
		r.bound = "" // it cannot be limited as its row says
	}
	if method.Audit != nil {
		r.subject = func(req *rpc.Request) wire.Subject {
			var p P
			_ = req.Decode(&p) // bad params are refused later; the log gets what could be read
			return method.Audit(p)
		}
	}
	m.rows[method.Name] = r
}

// guard lets a call through if the caller's role allows its method, and writes
// every change, and every attempt, into the audit log. The methods keep their
// order: it embeds the Mux.
type guard struct{ *methods }

// ServeRPC implements rpc.Handler.
func (g guard) ServeRPC(ctx context.Context, req *rpc.Request) (any, error) {
	identity := connOf(req.Peer).who()
	row := g.rows[req.Method]
	if identity == nil && row.access != wire.Anybody {
		return nil, rpc.Errorf(wire.CodeUnauthenticated, "not logged in: send the token in the Authorization header, or call %s first%s", wire.MasterLogin.Name,
			g.api.Auth.KeyHint())
	}
	if row.subject != nil {
		return g.api.audited(ctx, req, *identity, row.subject(req), g.serve)
	}
	return g.serve(ctx, req, identity)
}

func (g guard) serve(ctx context.Context, req *rpc.Request, identity *auth.Identity) (any, error) {
	if err := g.allows(req.Method, identity); err != nil {
		return nil, err
	}
	if identity != nil && identity.Hosts != "" {
		ctx = scope.With(ctx, g.api.scopeOf(identity))
	}
	if identity != nil {
		ctx = twopersons.With(ctx, identity.Person())
	}
	return g.Mux.ServeRPC(ctx, req)
}

// allows returns an error for a method that the caller may not call. identity is
// nil if the caller has not logged in.
func (g guard) allows(method string, identity *auth.Identity) error {
	row, ok := g.rows[method]
	switch {
	case !ok && g.Has(method):
		return rpc.Errorf(wire.CodeForbidden, "no role may call %s", method)
	case !ok:
		callable := slices.DeleteFunc(g.Methods(), func(known string) bool { return !identity.May(g.rows[known].access) })
		return rpc.Errorf(rpc.CodeMethodNotFound, "there is no method %q%s", method, nearest.Ask(method, callable))
	case identity.May(row.access):
		if err := identity.BoundTo(row.bound); err != nil {
			return rpc.Errorf(wire.CodeForbidden, "%s: %v", method, err)
		}
		return nil
	case identity == nil:
		return rpc.Errorf(wire.CodeUnauthenticated, "log in before you call %s", method)
	}
	return rpc.Errorf(wire.CodeForbidden, "the credential %q is for the role %s; calling %s takes %s", identity.Name, identity.Role, method,
		auth.Whose(row.access))
}

// scopeOf returns the hosts that a caller may see, now and while labels change.
func (a *API) scopeOf(identity *auth.Identity) scope.Scope {
	return scope.Of(identity.Hosts, a.Registry)
}

// CutRevoked closes the connections whose credential is no longer valid, and
// returns how many there were.
func (a *API) CutRevoked() (n int) {
	for _, peer := range a.server.Peers() {
		c := connOf(peer)
		if who := c.who(); who != nil && c.changing.Load() == 0 && !a.Auth.Valid(*who) {
			_ = peer.Close(wire.CloseUnauthenticated, revoked)
			n++
		}
	}
	return n
}

// revoked is why a connection is closed.
const revoked = "this credential is no longer valid"
