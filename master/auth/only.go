package auth

import (
	"context"
	"fmt"
	"net/http"

	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

type identityKey struct{}

// Of returns who sent a request that [Authenticator.Only] has let through.
func Of(ctx context.Context) Identity {
	identity, _ := ctx.Value(identityKey{}).(Identity)
	return identity
}

// Only lets HTTP requests through to next that carry a credential for the access,
// and none that a page of another origin sent.
func (a *Authenticator) Only(access wire.Access, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !a.CheckOrigin(r) {
			http.Error(w, rpc.OriginRefusal(r), http.StatusForbidden)
			return
		}
		identity, err := a.Request(r)
		switch {
		case err != nil || identity == nil:
			w.Header().Set("WWW-Authenticate", `Bearer realm="vedette"`)
			http.Error(w, fmt.Sprintf("send a token as \"Authorization: Bearer TOKEN\"; this takes %s%s", Whose(access), a.KeyHint()), http.StatusUnauthorized)
		case !identity.May(access):
			http.Error(w, fmt.Sprintf("the credential %q is for the role %s; this takes %s", identity.Name, identity.Role, Whose(access)), http.StatusForbidden)
		default:
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), identityKey{}, *identity)))
		}
	})
}
