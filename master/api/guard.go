package api

import (
	"context"

	"github.com/vedettehq/vedette/master/auth"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// methods are the methods of the master, each with what its row says of who may
// call it and of its line in the audit log.
type methods struct {
	*rpc.Mux
	rows map[string]row
}

// row is what the guard needs to know of a method.
type row struct {
	access wire.Access
	// subject reads from a call what it is about; nil for a method that is not
	// audited.
	subject func(req *rpc.Request) wire.Subject
}

func newMethods() *methods { return &methods{Mux: rpc.NewMux(), rows: make(map[string]row)} }

// handle has f serve a method, for those whom its row names. It is the only way to
// serve one: nobody may call a method without a row.
func handle[P, R any](m *methods, method wire.Method[P, R], f func(context.Context, P) (R, error)) {
	rpc.Serve(m.Mux, method, f)
	r := row{access: method.For}
	if method.Audit != nil {
		r.subject = func(req *rpc.Request) wire.Subject {
			var p P
			_ = req.Decode(&p) // bad params are refused later; the log has what could be read
			return method.Audit(p)
		}
	}
	m.rows[method.Name] = r
}

// guard lets a call through when the caller's role allows its method, and has
// every change, and every attempt of one, in the audit log. The methods keep
// their order: it embeds the Mux.
type guard struct {
	*methods
	api *API
}

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
	return g.Mux.ServeRPC(ctx, req)
}

// allows returns an error for a method that the caller may not call. identity is
// nil for one that is not logged in.
func (g guard) allows(method string, identity *auth.Identity) error {
	row, ok := g.rows[method]
	switch {
	case !ok && g.Has(method):
		return rpc.Errorf(wire.CodeForbidden, "no role may call %s", method)
	case !ok, identity.May(row.access):
		return nil // a method that is not there, the Mux refuses
	case identity == nil:
		return rpc.Errorf(wire.CodeUnauthenticated, "log in before you call %s", method)
	}
	return rpc.Errorf(wire.CodeForbidden, "the credential %q is for the role %s; calling %s takes %s", identity.Name, identity.Role, method,
		auth.Whose(row.access))
}

// CutRevoked closes the connections whose credential is not good any more, and
// returns how many there were.
func (a *API) CutRevoked() (n int) {
	for _, peer := range a.server.Peers() {
		if who := connOf(peer).who(); who != nil && !a.Auth.Valid(*who) {
			_ = peer.Close(wire.CloseUnauthenticated, revoked)
			n++
		}
	}
	return n
}

// revoked is why a connection is closed.
const revoked = "this credential is not good any more"
