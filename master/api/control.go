package api

import (
	"context"
	"errors"
	"time"

	"github.com/vedettehq/vedette/master/scope"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// controlTime is how long an agent may take to answer.
const controlTime = 20 * time.Second

// release passes the request to end a quarantine to the agent of the host, and
// returns its answer.
func (a *API) release(ctx context.Context, p wire.ReleaseParams) (wire.Empty, error) {
	who := connOf(rpc.PeerFrom(ctx)).who()
	peer, err := a.agentOf(ctx, p.Host)
	if err != nil {
		return wire.Empty{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, controlTime)
	defer cancel()
	var answer *rpc.Error
	_, err = wire.AgentRelease.Call(ctx, peer, wire.AgentReleaseParams{Inspector: p.Inspector})
	switch {
	case err == nil:
		a.Log.Info("inspector released from quarantine", "host", p.Host, "inspector", p.Inspector, "by", who.Name)
		return wire.Empty{}, nil
	case errors.As(err, &answer):
		return wire.Empty{}, a.answered(p.Host, p.Inspector, answer)
	}
	return wire.Empty{}, rpc.Errorf(wire.CodeConflict, "host %q did not answer: %v", p.Host, err)
}

// agentOf returns the connection of a host's agent.
func (a *API) agentOf(ctx context.Context, host string) (*rpc.Peer, error) {
	if _, known := a.Registry.Get(host); !known || !scope.From(ctx).Sees(host) {
		return nil, a.noHost(ctx, host)
	}
	a.agentsMu.Lock()
	defer a.agentsMu.Unlock()
	peer := a.agents[host]
	if peer == nil {
		return nil, rpc.Errorf(wire.CodeConflict, "the agent of host %q is not connected; try again when it is up", host)
	}
	return peer, nil
}

// agentCame notes the connection of a host's agent, in place of an older one.
func (a *API) agentCame(host string, peer *rpc.Peer) {
	a.agentsMu.Lock()
	defer a.agentsMu.Unlock()
	if a.agents == nil {
		a.agents = make(map[string]*rpc.Peer)
	}
	a.agents[host] = peer
	a.boosts.renew(host)
}

// agentWent forgets a connection, unless a newer one has replaced it.
func (a *API) agentWent(host string, peer *rpc.Peer) {
	a.agentsMu.Lock()
	defer a.agentsMu.Unlock()
	if a.agents[host] == peer {
		delete(a.agents, host)
	}
}
