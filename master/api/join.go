package api

import (
	"context"
	"encoding/base64"
	"errors"
	"time"

	"github.com/vedettehq/vedette/internal/jointoken"
	"github.com/vedettehq/vedette/master/join"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// joinMethods registers the methods for hosts that join, and for the authority
// that certifies them.
func (a *API) joinMethods(m *methods) {
	handle(m, wire.TokensJoin, a.tokenJoin)
	handle(m, wire.HostsMembers, a.members)
	handle(m, wire.HostsApprove, a.approve)
	handle(m, wire.HostsRevoke, a.revoke)
	handle(m, wire.AuthorityShow, a.authority)
	handle(m, wire.AuthorityRotate, a.rotate)
}

// hasAuthority returns an error if the master speaks no TLS.
func (a *API) hasAuthority() error {
	if a.Desk.Authority == nil {
		return rpc.Errorf(wire.CodeConflict, "this master speaks no TLS, so no host can join it; set master.tls.own, or give it a certificate, or listen beyond loopback")
	}
	return nil
}

func (a *API) tokenJoin(ctx context.Context, p wire.JoinTokenParams) (wire.JoinTokenCreated, error) {
	if err := a.hasAuthority(); err != nil {
		return wire.JoinTokenCreated{}, err
	}
	pinned, err := a.Desk.Pinned()
	if err != nil {
		return wire.JoinTokenCreated{}, err
	}
	text, token, err := a.Desk.CreateToken(ctx, p, pinned)
	if err != nil {
		return wire.JoinTokenCreated{}, err
	}
	return wire.JoinTokenCreated{Token: text, Info: joinTokenInfo(&token)}, nil
}

func joinTokenInfo(t *join.Token) wire.TokenInfo {
	return wire.TokenInfo{
		Name: t.Name, Role: wire.RoleJoin, Host: t.Host, Source: wire.TokenOfMaster, By: t.By, CreatedMS: t.CreatedMS, EndsMS: t.EndsMS,
		Ended: t.EndsMS <= time.Now().UnixMilli(), Uses: t.Uses, Used: t.Used, Labels: t.Labels,
	}
}

func (a *API) members(context.Context, wire.Empty) (wire.MembersResult, error) {
	result := wire.MembersResult{Members: a.Desk.Members()}
	if result.Members == nil {
		result.Members = []wire.Member{}
	}
	return result, nil
}

func (a *API) approve(ctx context.Context, p wire.MemberParams) (wire.Member, error) {
	return a.Desk.Approve(ctx, p.Host)
}

// revoke invalidates the credentials of a host: its certificates, and the tokens
// that were made for it while the master runs.
func (a *API) revoke(ctx context.Context, p wire.MemberParams) (wire.Member, error) {
	m, err := a.Desk.Revoke(ctx, p.Host)
	if err != nil {
		return m, err
	}
	for _, r := range a.Tokens.Records() {
		if r.Host == p.Host {
			err = errors.Join(err, a.Tokens.Revoke(ctx, r.Name))
		}
	}
	return m, errors.Join(err, a.TakeTokens())
}

func (a *API) authority(context.Context, wire.Empty) (wire.AuthorityResult, error) {
	if err := a.hasAuthority(); err != nil {
		return wire.AuthorityResult{}, err
	}
	roots := a.Desk.Authority.Roots(a.Desk.OldFor())
	result := wire.AuthorityResult{
		Fingerprint: fingerprint(roots[0].RawSubjectPublicKeyInfo), SinceMS: roots[0].NotBefore.UnixMilli(), EndsMS: roots[0].NotAfter.UnixMilli(),
	}
	for _, old := range roots[1:] {
		result.Old = append(result.Old, fingerprint(old.RawSubjectPublicKeyInfo))
	}
	return result, nil
}

func fingerprint(publicKey []byte) string {
	sum := jointoken.KeyOf(publicKey)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func (a *API) rotate(ctx context.Context, _ wire.Empty) (wire.AuthorityResult, error) {
	if err := a.hasAuthority(); err != nil {
		return wire.AuthorityResult{}, err
	}
	if err := a.Desk.Authority.Rotate(); err != nil {
		return wire.AuthorityResult{}, err
	}
	return a.authority(ctx, wire.Empty{})
}
