package api

import (
	"context"
	"slices"

	"github.com/vedettehq/vedette/master/auth"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// A method is in one of these lists, or nobody may call it.
var (
	// operatorMethods change something.
	operatorMethods = []string{
		wire.MethodRelease, wire.MethodCatalogPush, wire.MethodCatalogRollback, wire.MethodCatalogDelete,
		wire.MethodRolloutPause, wire.MethodRolloutResume, wire.MethodRolloutAbort,
		wire.MethodTrialStart, wire.MethodTrialStop, wire.MethodBoostStart, wire.MethodBoostStop,
		wire.MethodHostLabel, wire.MethodAudit,
	}
	// viewerMethods only look.
	viewerMethods = []string{
		wire.MethodHosts, wire.MethodHost, wire.MethodHistoryRange, wire.MethodSubscribe,
		wire.MethodCatalogCheck, wire.MethodCatalogList, wire.MethodCatalogGet, wire.MethodCatalogRevision,
		wire.MethodReceipts, wire.MethodRollouts, wire.MethodRollout,
	}
	// agentMethods report something. The first ones of a connection check for which
	// host the caller may, and the others want one of those before.
	agentMethods = []string{
		wire.MethodHello, wire.MethodReport, wire.MethodStatus, wire.MethodReportMetric,
		wire.MethodLive, wire.MethodReceipt, wire.MethodTrial,
	}
	// commonMethods are for everybody who has a credential, or wants to show one.
	commonMethods = []string{wire.MethodLogin, wire.MethodInfo, wire.MethodUnsubscribe}
)

// guard lets a call through when the caller's role allows its method, and has
// every change, and every attempt of one, in the audit log. The methods keep
// their order: it embeds the Mux.
type guard struct {
	*rpc.Mux
	api *API
}

// ServeRPC implements rpc.Handler.
func (g guard) ServeRPC(ctx context.Context, req *rpc.Request) (any, error) {
	identity := connOf(req.Peer).who()
	if identity == nil && req.Method != wire.MethodLogin {
		return nil, rpc.Errorf(wire.CodeUnauthenticated, "not logged in: send the token in the Authorization header, or call %s first%s", wire.MethodLogin, g.api.Auth.KeyHint())
	}
	if slices.Contains(operatorMethods, req.Method) && req.Method != wire.MethodAudit {
		return g.api.audited(ctx, req, *identity, g.serve)
	}
	return g.serve(ctx, req, identity)
}

func (g guard) serve(ctx context.Context, req *rpc.Request, identity *auth.Identity) (any, error) {
	if err := g.allows(req.Method, identity); err != nil {
		return nil, err
	}
	return g.Mux.ServeRPC(ctx, req)
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

// allows returns an error for a method that the caller may not call. identity is
// nil for one that is not logged in.
func (g guard) allows(method string, identity *auth.Identity) error {
	switch {
	case slices.Contains(commonMethods, method), slices.Contains(agentMethods, method):
		return nil
	case slices.Contains(operatorMethods, method):
		if !identity.MayOperate() {
			return rpc.Errorf(wire.CodeForbidden, "the credential %q is for the role %s; calling %s takes an operator's", identity.Name, identity.Role, method)
		}
		return nil
	case slices.Contains(viewerMethods, method):
		if !identity.MayView() {
			return rpc.Errorf(wire.CodeForbidden, "the credential %q is for the role %s, which may not call %s", identity.Name, identity.Role, method)
		}
		return nil
	case slices.Contains(g.Methods(), method):
		return rpc.Errorf(wire.CodeForbidden, "no role may call %s", method)
	}
	return nil // there is no such method, as the Mux says
}
