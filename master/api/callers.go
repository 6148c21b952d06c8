package api

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/vedettehq/vedette/internal/nearest"
	"github.com/vedettehq/vedette/master/auth"
	"github.com/vedettehq/vedette/master/catalog"
	"github.com/vedettehq/vedette/master/scope"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

func (a *API) login(ctx context.Context, p wire.LoginParams) (wire.LoginResult, error) {
	peer := rpc.PeerFrom(ctx)
	c := connOf(peer)
	token := p.Token
	if token == "" {
		token = p.Password
	}
	if who := c.who(); who != nil && (who.Role == auth.Local || token == "") {
		return wire.LoginResult{Name: who.Name, Role: string(who.Role), Bound: who.Hosts}, nil
	}
	identity, err := a.Auth.Token(token)
	if err != nil && p.Username != "" && p.Password != "" {
		identity, err = a.person(ctx, p.Username, p.Password, peer.RemoteAddr())
		if answer, ok := errors.AsType[*rpc.Error](err); ok {
			return wire.LoginResult{}, answer
		}
	}
	if err != nil || p.Username != "" && p.Username != identity.Name {
		return wire.LoginResult{}, a.refuseLogin(ctx, peer)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return wire.LoginResult{}, context.Canceled
	}
	share, most := a.share(&identity, peer.RemoteAddr())
	if share != c.share {
		if !a.connections.take(share, most) {
			return wire.LoginResult{}, rpc.Errorf(wire.CodeBusy, "the credential %q has %d connections, which is the limit", identity.Name, most)
		}
		if c.share != "" {
			a.connections.giveBack(c.share)
		}
		c.share = share
	}
	if c.identity == nil {
		a.anonymous.Add(-1)
		if c.login != nil {
			c.login.Stop()
		}
		peer.SetReadLimit(0) // the options' limit
	}
	c.identity = &identity
	if !a.Auth.Valid(identity) { // it may have changed since it was identified
		return wire.LoginResult{}, &rpc.CloseError{Code: wire.CloseUnauthenticated, Reason: revoked}
	}
	return wire.LoginResult{Name: identity.Name, Role: string(identity.Role), Bound: identity.Hosts}, nil
}

// refuseLogin delays the answer to a wrong login, and closes the connection after
// some of them.
func (a *API) refuseLogin(ctx context.Context, peer *rpc.Peer) error {
	a.Failures.Wrong(ctx, peer.RemoteAddr())
	c := connOf(peer)
	c.mu.Lock()
	defer c.mu.Unlock()
	const why = "login refused: unknown token or name"
	refusal := rpc.Errorf(wire.CodeUnauthenticated, why)
	if c.wrong++; c.wrong >= maxWrongLogins {
		return errors.Join(refusal, &rpc.CloseError{Code: wire.CloseUnauthenticated, Reason: why})
	}
	return refusal
}

// NoteWrong writes a wrong credential into the audit log.
func (a *API) NoteWrong(ctx context.Context, from string) {
	a.Audit(context.WithoutCancel(ctx), wire.AuditEntry{
		AtMS: time.Now().UnixMilli(), Who: "nobody", Role: "none", From: from, Action: wire.MasterLogin.Name, Outcome: "the credential is not known",
	})
}

func (a *API) info(ctx context.Context, _ wire.Empty) (wire.InfoResult, error) {
	who := connOf(rpc.PeerFrom(ctx)).who()
	hosts, series := a.count(scope.From(ctx))
	info := wire.InfoResult{
		Name:             a.Name,
		Version:          a.Version,
		Protocol:         wire.Version,
		StartedMS:        a.Started.UnixMilli(),
		NowMS:            time.Now().UnixMilli(),
		HeartbeatSeconds: heartbeatEvery.Seconds(),
		Hosts:            hosts,
		Series:           series,
		Role:             string(who.Role),
		Bound:            who.Hosts,
	}
	if a.AuditReceivers != nil && who.May(wire.Operator) && scope.From(ctx).All() {
		info.Audit = a.AuditReceivers()
	}
	return info, nil
}

// count returns how many hosts a caller may see, and how many series those report.
func (a *API) count(of scope.Scope) (hosts, series int) {
	if of.All() {
		return a.Registry.Count(), a.Hub.SeriesCount("")
	}
	for _, name := range a.Registry.Names() {
		if of.Sees(name) {
			hosts++
			series += a.Hub.SeriesCount(name)
		}
	}
	return hosts, series
}

func (a *API) hosts(_ context.Context, p wire.HostsParams) (wire.HostsResult, error) {
	hosts := a.Registry.List()
	if p.Selector != "" {
		selector, err := catalog.ParseSelector(p.Selector)
		if err != nil {
			return wire.HostsResult{}, err
		}
		hosts = slices.DeleteFunc(hosts, func(h wire.Host) bool { return !selector.Matches(catalog.Labels(h)) })
	}
	return wire.HostsResult{Hosts: hosts}, nil
}

// noHost is the error for a host that is unknown, or that the caller may not see.
// It suggests the one that was probably meant.
func (a *API) noHost(ctx context.Context, name string) error {
	bound := scope.From(ctx)
	names := slices.DeleteFunc(a.Registry.Names(), func(known string) bool { return !bound.Sees(known) })
	return rpc.Errorf(wire.CodeNotFound, "no host %q has reported to this master%s", name, nearest.Ask(name, names))
}

// answered passes on the answer of a host's agent about an inspector. If the host
// has none of that name, it suggests the one that was probably meant.
func (a *API) answered(host, inspector string, answer *rpc.Error) error {
	var names []string
	h, _ := a.Registry.Get(host)
	for _, i := range h.Inspectors {
		names = append(names, i.Name)
	}
	near := ""
	if !slices.Contains(names, inspector) {
		near = nearest.Ask(inspector, names)
	}
	return rpc.Errorf(answer.Code, "host %q: %s%s", host, answer.Message, near)
}

func (a *API) host(ctx context.Context, p wire.HostParams) (wire.Host, error) {
	host, ok := a.Registry.Get(p.Host)
	if !ok {
		return wire.Host{}, a.noHost(ctx, p.Host)
	}
	return host, nil
}
