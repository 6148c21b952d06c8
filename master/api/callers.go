package api

import (
	"context"
	"time"

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
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return wire.LoginResult{}, context.Canceled
	}
	if c.identity != nil && (a.Auth.Open() || token == "") {
		return wire.LoginResult{Name: c.identity.Name, Role: string(c.identity.Role)}, nil
	}
	identity, err := a.Auth.Token(token)
	if err != nil || p.Username != "" && p.Username != identity.Name {
		return wire.LoginResult{}, rpc.Errorf(wire.CodeUnauthenticated, "login refused: unknown token or name")
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
		peer.SetReadLimit(0) // as the options say
	}
	c.identity = &identity
	return wire.LoginResult{Name: identity.Name, Role: string(identity.Role)}, nil
}

func (a *API) info(ctx context.Context, _ wire.Empty) (wire.InfoResult, error) {
	return wire.InfoResult{
		Name:             a.Name,
		Version:          a.Version,
		Protocol:         wire.Version,
		StartedMS:        a.Started.UnixMilli(),
		NowMS:            time.Now().UnixMilli(),
		HeartbeatSeconds: heartbeatEvery.Seconds(),
		Hosts:            a.Registry.Count(),
		Series:           a.Hub.SeriesCount(""),
		Role:             string(connOf(rpc.PeerFrom(ctx)).who().Role),
	}, nil
}

func (a *API) hosts(context.Context, wire.Empty) (wire.HostsResult, error) {
	return wire.HostsResult{Hosts: a.Registry.List()}, nil
}

func (a *API) host(_ context.Context, p wire.HostParams) (wire.Host, error) {
	host, ok := a.Registry.Get(p.Host)
	if !ok {
		return wire.Host{}, rpc.Errorf(wire.CodeNotFound, "no host %q has reported to this master; hosts.list names those that have", p.Host)
	}
	return host, nil
}
