package agent

import (
	"context"
	"sync"
	"time"

	"github.com/vedettehq/vedette/agent/delivery"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/bell"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

const (
	// maxBoostLease bounds how long one request of the master makes an inspector
	// run faster.
	maxBoostLease = time.Minute
	// maxLiveSamples bounds the samples that wait to be shown. Any more are
	// dropped: live samples are not worth waiting for.
	maxLiveSamples = 20_000
	// maxLiveQueued is how many messages may wait on the connection for live
	// samples still to be sent: reports go first.
	maxLiveQueued = 64
)

// serveBoost makes an inspector run faster for a time. The master repeats its
// request for as long as somebody watches.
func (a *Agent) serveBoost(_ context.Context, p wire.AgentBoostParams) (wire.Empty, error) {
	interval := time.Duration(p.IntervalMS) * time.Millisecond
	lease := time.Duration(p.ForMS) * time.Millisecond
	switch {
	case interval != 0 && (interval < inspectors.MinInterval || interval > inspectors.MaxInterval):
		return wire.Empty{}, rpc.Errorf(rpc.CodeInvalidParams, "interval_ms is %d; it must be 0, which ends a boost, or between %v and %v", p.IntervalMS,
			inspectors.MinInterval, inspectors.MaxInterval)
	case interval != 0 && (lease <= 0 || lease > maxBoostLease):
		return wire.Empty{}, rpc.Errorf(rpc.CodeInvalidParams, "for_ms is %d; it must be above 0 and at most %d", p.ForMS, maxBoostLease.Milliseconds())
	case !a.sched.Boost(p.Inspector, interval, lease):
		return wire.Empty{}, rpc.Errorf(wire.CodeNotFound, "no inspector %q runs on this host", p.Inspector)
	}
	return wire.Empty{}, nil
}

// liveFeed carries samples that are shown but not stored. Without a connection it
// drops them.
type liveFeed struct {
	bell chan struct{} // capacity 1: there is something to send

	mu      sync.Mutex
	up      bool
	samples []inspectors.Sample
}

func newLiveFeed() *liveFeed { return &liveFeed{bell: make(chan struct{}, 1)} }

// add takes as many samples as there is room for, without waiting.
func (f *liveFeed) add(samples []inspectors.Sample) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.up || len(f.samples)+len(samples) > maxLiveSamples {
		return
	}
	f.samples = append(f.samples, samples...)
	bell.Ring(f.bell)
}

// send sends the added samples until the connection or ctx ends.
func (f *liveFeed) send(ctx context.Context, p *rpc.Peer) error {
	f.open(true)
	defer f.open(false)
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-f.bell:
		}
		for samples := f.take(); len(samples) > 0 && p.Queued() < maxLiveQueued; {
			var message *wire.LiveParams
			message, samples = delivery.PackLive(samples)
			if err := wire.MasterLive.Notify(ctx, p, *message); err != nil {
				return err
			}
		}
	}
}

func (f *liveFeed) open(up bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.up, f.samples = up, nil
}

func (f *liveFeed) take() []inspectors.Sample {
	f.mu.Lock()
	defer f.mu.Unlock()
	samples := f.samples
	f.samples = nil
	return samples
}
