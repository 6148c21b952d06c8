package api

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/master/auth"
	"github.com/vedettehq/vedette/master/tokens"
	"github.com/vedettehq/vedette/master/twopersons"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// tokenMethods registers the methods for tokens.
func (a *API) tokenMethods(m *methods) {
	handle(m, wire.TokensCreate, a.tokenCreate)
	handle(m, wire.TokensList, a.tokenList)
	handle(m, wire.TokensRevoke, a.tokenRevoke)
}

func (a *API) tokenCreate(ctx context.Context, p wire.TokenParams) (wire.TokenCreated, error) {
	token, record, err := a.Tokens.Create(ctx, p)
	if err != nil {
		return wire.TokenCreated{}, err
	}
	if err := a.TakeTokens(); err != nil {
		return wire.TokenCreated{}, err
	}
	return wire.TokenCreated{Token: token, Info: tokenInfo(&record)}, nil
}

// TakeTokens takes over the present list of tokens that were made while the master
// runs, and closes the connections of those that are no longer valid.
func (a *API) TakeTokens() error {
	a.takingTokens.Lock() // so that an older list never replaces a newer one
	defer a.takingTokens.Unlock()
	var made []auth.Made
	for _, r := range a.Tokens.Records() {
		made = append(made, auth.Made{
			Token: config.Token{Name: r.Name, Role: r.Role, Host: r.Host, Hosts: r.Hosts, SHA256: r.SHA256}, EndsMS: r.EndsMS,
			Person: cmp.Or(r.Person, a.Users.KeyOf(r.By), twopersons.Nobody),
		})
	}
	if err := a.Auth.SetMade(made); err != nil {
		return err
	}
	a.CutRevoked()
	return nil
}

func tokenInfo(r *tokens.Record) wire.TokenInfo {
	return wire.TokenInfo{
		Name: r.Name, Role: r.Role, Host: r.Host, Hosts: r.Hosts, Source: wire.TokenOfMaster, By: r.By, CreatedMS: r.CreatedMS, EndsMS: r.EndsMS,
		Ended: r.EndsMS != 0 && r.EndsMS <= time.Now().UnixMilli(),
	}
}

func (a *API) tokenList(context.Context, wire.Empty) (wire.TokensResult, error) {
	result := wire.TokensResult{Tokens: []wire.TokenInfo{}}
	for _, known := range a.Auth.ListConfigured() {
		result.Tokens = append(result.Tokens, wire.TokenInfo{
			Name: known.Name, Role: string(known.Role), Host: known.Host, Hosts: known.Hosts, Source: wire.TokenOfConfiguration,
		})
	}
	for _, r := range a.Tokens.Records() {
		result.Tokens = append(result.Tokens, tokenInfo(&r))
	}
	for _, t := range a.Desk.Tokens() {
		result.Tokens = append(result.Tokens, joinTokenInfo(&t))
	}
	slices.SortStableFunc(result.Tokens, func(a, b wire.TokenInfo) int { return strings.Compare(a.Name, b.Name) })
	return result, nil
}

func (a *API) tokenRevoke(ctx context.Context, p wire.TokenRevokeParams) (wire.Empty, error) {
	who := connOf(rpc.PeerFrom(ctx)).who()
	if who.Name == p.Name && who.Role != auth.Local && !a.Auth.Configured(p.Name) {
		return wire.Empty{}, rpc.Errorf(wire.CodeConflict, "the token %q is the one that you use; revoke it with another", p.Name)
	}
	if a.Desk.HasToken(p.Name) {
		return wire.Empty{}, a.Desk.RevokeToken(ctx, p.Name)
	}
	if err := a.Tokens.Revoke(ctx, p.Name); err != nil {
		return wire.Empty{}, err
	}
	return wire.Empty{}, a.TakeTokens()
}
