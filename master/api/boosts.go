package api

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/master/scope"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

const (
	// maxBoosts bounds the boosts of one connection.
	maxBoosts = 64
	// defaultBoost is the interval of a boost that names none.
	defaultBoost = time.Second
	// An agent boosts an inspector for boostLease, and is asked again every
	// boostEvery, so a boost that the master forgets ends by itself.
	boostLease = 10 * time.Second
	boostEvery = 5 * time.Second
	// boostCall is how long an agent may take to answer.
	boostCall = 5 * time.Second
)

// boosts are the inspectors that somebody wants to run faster. A boost lasts while
// a connection wants it, whether or not the agent is connected.
type boosts struct {
	mu  sync.Mutex
	all map[boostID]*boost
}

type boostID struct{ host, inspector string }

// want is the part of one connection in a boost.
type want struct {
	interval time.Duration
	scope    scope.Scope // it counts while the scope contains the host
}

// boost is one boosted inspector of one host. One goroutine renews it.
type boost struct {
	boostID
	bell    chan struct{} // capacity 1: ask the agent now
	sending sync.Mutex    // held while the agent is asked, so that the latest request is the last one

	wants map[*rpc.Peer]want // guarded by boosts.mu
}

func (a *API) boostMethods(m *methods) {
	handle(m, wire.BoostsStart, a.boostStart)
	handle(m, wire.BoostsStop, a.boostStop)
	handle(m, wire.MasterLive, a.show)
}

// boostStart makes an agent run an inspector faster while the caller's connection
// lasts. It returns when the agent does so, or with the reason why it does not.
func (a *API) boostStart(ctx context.Context, p wire.BoostParams) (wire.Empty, error) {
	interval := defaultBoost
	if p.IntervalMS != 0 {
		interval = time.Duration(p.IntervalMS) * time.Millisecond
	}
	if interval < inspectors.MinInterval || interval > inspectors.MaxInterval {
		return wire.Empty{}, rpc.Errorf(rpc.CodeInvalidParams, "interval_ms is %d; it must be between %v and %v", p.IntervalMS, inspectors.MinInterval,
			inspectors.MaxInterval)
	}
	if _, err := a.agentOf(ctx, p.Host); err != nil {
		return wire.Empty{}, err
	}
	peer := rpc.PeerFrom(ctx)
	b, err := a.wantBoost(peer, boostID{p.Host, p.Inspector}, interval, scope.From(ctx))
	if err != nil {
		return wire.Empty{}, err
	}
	if _, err := a.askBoost(ctx, b); err != nil {
		a.boosts.unwant(b.boostID, peer)
		return wire.Empty{}, err
	}
	a.Log.Info("inspector is boosted", "host", p.Host, "inspector", p.Inspector, "interval", interval, "by", connOf(peer).who().Name)
	return wire.Empty{}, nil
}

func (a *API) boostStop(ctx context.Context, p wire.BoostParams) (wire.Empty, error) {
	if !a.boosts.unwant(boostID{p.Host, p.Inspector}, rpc.PeerFrom(ctx)) {
		return wire.Empty{}, rpc.Errorf(wire.CodeNotFound, "this connection boosts no inspector %q of host %q", p.Inspector, p.Host)
	}
	return wire.Empty{}, nil
}

// wantBoost records what a connection wants, for as long as it lasts.
func (a *API) wantBoost(peer *rpc.Peer, id boostID, interval time.Duration, bound scope.Scope) (*boost, error) {
	c := connOf(peer)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, context.Canceled
	}
	a.boosts.mu.Lock()
	defer a.boosts.mu.Unlock()
	n := 0
	for _, other := range a.boosts.all {
		if _, ok := other.wants[peer]; ok && other.boostID != id {
			n++
		}
	}
	if n >= maxBoosts {
		return nil, rpc.Errorf(wire.CodeBusy, "this connection boosts %d inspectors, which is the limit", maxBoosts)
	}
	b := a.boosts.all[id]
	if b == nil {
		b = &boost{boostID: id, bell: make(chan struct{}, 1), wants: make(map[*rpc.Peer]want)}
		if a.boosts.all == nil {
			a.boosts.all = make(map[boostID]*boost)
		}
		a.boosts.all[id] = b
		go a.keepBoost(b)
	}
	b.wants[peer] = want{interval, bound}
	return b, nil
}

// keepBoost asks the agent again and again, until nobody wants the boost any more.
func (a *API) keepBoost(b *boost) {
	again := time.NewTicker(boostEvery)
	defer again.Stop()
	for {
		select {
		case <-b.bell:
		case <-again.C:
		}
		// The next request follows whatever the answer is, except after the last
		// one.
		if asked, _ := a.askBoost(context.Background(), b); asked == 0 && a.boosts.over(b) {
			return
		}
	}
}

// askBoost makes the agent run the inspector as fast as anybody wants now, or at
// its own interval if nobody does. It returns the interval, or 0.
func (a *API) askBoost(ctx context.Context, b *boost) (time.Duration, error) {
	b.sending.Lock()
	defer b.sending.Unlock()
	interval := a.boosts.fastest(b)
	agent, err := a.agentOf(ctx, b.host)
	if err != nil {
		return interval, err
	}
	ctx, cancel := context.WithTimeout(ctx, boostCall)
	defer cancel()
	_, err = wire.AgentBoost.Call(ctx, agent, wire.AgentBoostParams{
		Inspector: b.inspector, IntervalMS: interval.Milliseconds(), ForMS: boostLease.Milliseconds(),
	})
	var answer *rpc.Error
	switch {
	case err == nil:
		return interval, nil
	case errors.As(err, &answer):
		return interval, a.answered(b.host, b.inspector, answer)
	}
	return interval, rpc.Errorf(wire.CodeConflict, "host %q did not answer: %v", b.host, err)
}

// fastest returns the shortest wanted interval, or 0 if there is none.
func (s *boosts) fastest(b *boost) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	shortest := time.Duration(0)
	for _, want := range b.wants {
		if want.scope.Sees(b.host) && (shortest == 0 || want.interval < shortest) {
			shortest = want.interval
		}
	}
	return shortest
}

// over forgets a boost that nobody wants, and reports whether it did.
func (s *boosts) over(b *boost) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(b.wants) > 0 {
		return false
	}
	delete(s.all, b.boostID)
	return true
}

// unwant withdraws what a connection wanted, and reports whether it did.
func (s *boosts) unwant(id boostID, peer *rpc.Peer) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.all[id]
	if b == nil {
		return false
	}
	_, wanted := b.wants[peer]
	delete(b.wants, peer)
	b.ring()
	return wanted
}

// left withdraws everything that a closed connection wanted.
func (s *boosts) left(peer *rpc.Peer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.all {
		if _, wanted := b.wants[peer]; wanted {
			delete(b.wants, peer)
			b.ring()
		}
	}
}

// renew asks the agent of a host now: it has just connected, and earlier requests
// may have expired.
func (s *boosts) renew(host string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.all {
		if b.host == host {
			b.ring()
		}
	}
}

func (b *boost) ring() {
	select {
	case b.bell <- struct{}{}:
	default:
	}
}

// show sends samples of boosts to those who watch.
func (a *API) show(ctx context.Context, p wire.LiveParams) (wire.Empty, error) {
	c := connOf(rpc.PeerFrom(ctx))
	if _, err := c.helloSaid(); err != nil {
		return wire.Empty{}, err
	}
	if err := c.session.Show(&p); err != nil {
		return wire.Empty{}, rpc.Errorf(rpc.CodeInvalidParams, "%v", err)
	}
	return wire.Empty{}, nil
}
