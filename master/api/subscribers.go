package api

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/vedettehq/vedette/master/auth"
	"github.com/vedettehq/vedette/master/live"
	"github.com/vedettehq/vedette/master/scope"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// Formats of a subscription.
const (
	formatEvents  = "events"
	formatColumns = "columns"
)

func (a *API) subscribe(ctx context.Context, p wire.SubscribeParams) (wire.SubscribeResult, error) {
	pattern, err := live.ParsePattern(p.Pattern)
	if err != nil {
		return wire.SubscribeResult{}, rpc.Errorf(rpc.CodeInvalidParams, "%v", err)
	}
	if !pattern.Possible() {
		return wire.SubscribeResult{}, impossible(p.Pattern)
	}
	columns := p.Format == formatColumns
	if !columns && p.Format != "" && p.Format != formatEvents {
		return wire.SubscribeResult{}, rpc.Errorf(rpc.CodeInvalidParams, "unknown format %q; use events or columns", p.Format)
	}
	peer := rpc.PeerFrom(ctx)
	c := connOf(peer)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return wire.SubscribeResult{}, context.Canceled
	}
	if len(c.subscriptions) >= maxSubscriptions {
		return wire.SubscribeResult{}, rpc.Errorf(wire.CodeBusy, "this connection has %d subscriptions, which is the limit", maxSubscriptions)
	}
	owner, most := c.identity.Name, subscriptionsPerCaller
	if c.identity.Role == auth.Local {
		most = math.MaxInt // it is all theirs
	}
	if !a.subscriptions.take(owner, most) {
		return wire.SubscribeResult{}, rpc.Errorf(wire.CodeBusy, "the credential %q has %d subscriptions, which is the limit", owner, most)
	}
	c.nextID++
	reader := &reader{
		peer: peer, conn: c, id: c.nextID, columns: columns,
		sub: a.Hub.Subscribe(pattern, columns), declared: make(map[*live.Series]uint32), scope: scope.From(ctx), restate: a.restate,
	}
	// The subscription outlives the call, but not the connection.
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	c.subscriptions[reader.id] = subscription{cancel, owner}
	c.readers.Go(func() { reader.run(running) })
	return wire.SubscribeResult{Subscription: reader.id}, nil
}

// impossible refuses a pattern that no path can match, because its subscriber
// would wait in vain.
func impossible(text string) error {
	hint := ""
	for _, root := range []string{"metrics/*/", "metrics/", "hosts/"} {
		if fixed, err := live.ParsePattern(root + text); err == nil && fixed.Possible() {
			hint = fmt.Sprintf("; did you mean %s?", fixed)
			break
		}
	}
	return rpc.Errorf(rpc.CodeInvalidParams, "no event can match the pattern %q: the paths of events are %s%s", text, live.Forms(), hint)
}

func (a *API) unsubscribe(ctx context.Context, p wire.UnsubscribeParams) (wire.Empty, error) {
	c := connOf(rpc.PeerFrom(ctx))
	c.mu.Lock()
	defer c.mu.Unlock()
	s, ok := c.subscriptions[p.Subscription]
	if !ok {
		return wire.Empty{}, rpc.Errorf(wire.CodeNotFound, "no subscription %d on this connection", p.Subscription)
	}
	s.cancel()
	a.subscriptions.giveBack(s.owner)
	delete(c.subscriptions, p.Subscription)
	return wire.Empty{}, nil
}

// reader sends one subscription to its peer. It belongs to one goroutine.
type reader struct {
	peer     *rpc.Peer
	conn     *conn
	id       uint64
	columns  bool
	sub      *live.Subscription
	declared map[*live.Series]uint32
	scope    scope.Scope // of the subscriber
	// restate returns an event as a bound subscriber may see it, and whether it
	// may
	restate func(context.Context, live.Event) (live.Event, bool)
}

// run ends with ctx or when the peer can no longer be written to.
func (r *reader) run(ctx context.Context) {
	defer r.sub.Close()
	for {
		batch, err := r.next(ctx)
		if err != nil {
			return
		}
		if err := r.send(ctx, &batch); err != nil {
			return
		}
	}
}

// next returns the next batch. It is empty when a heartbeat is due, because no
// subscription has sent the peer anything for a while.
func (r *reader) next(ctx context.Context) (live.Batch, error) {
	for silence := heartbeatEvery; ; {
		wait, cancel := context.WithTimeout(ctx, silence)
		batch, err := r.sub.Next(wait)
		cancel()
		if ctx.Err() != nil {
			return batch, err
		}
		if err == nil && r.cut(ctx, &batch) {
			return batch, nil
		}
		silence = heartbeatEvery - time.Since(r.conn.lastSent())
		if silence <= 0 {
			return live.Batch{}, nil
		}
	}
}

// cut removes from a batch what the reader may not see now, and reports whether
// anything is left.
func (r *reader) cut(ctx context.Context, batch *live.Batch) bool {
	if r.scope.All() {
		return true
	}
	batch.Samples = slices.DeleteFunc(batch.Samples, func(s live.Sample) bool { return !r.scope.Sees(s.Series.Host) })
	ctx = scope.With(ctx, r.scope)
	events := batch.Events[:0]
	for _, event := range batch.Events {
		if event, sees := r.restate(ctx, event); sees {
			events = append(events, event)
		}
	}
	batch.Events = events
	return len(batch.Samples)+len(batch.Events) > 0 || batch.Lost > 0
}

// restate returns an event as a caller who is bound to some hosts may see it, and
// whether the caller may. Events of unknown kinds are shown to no such caller.
func (a *API) restate(ctx context.Context, event live.Event) (live.Event, bool) {
	kind, rest, _ := strings.Cut(event.Path, "/")
	switch kind {
	case "hosts":
		return event, scope.From(ctx).Sees(rest)
	case "receipts":
		host, _, _ := strings.Cut(rest, "/")
		return event, scope.From(ctx).Sees(host)
	case "boards":
		return event, true
	case "alerts":
		return live.Event{Path: event.Path, Data: a.Alerts.Summary(ctx)}, rest == "summary"
	case "catalog":
		entry, sees := a.Catalog.Shown(ctx, rest)
		return live.Event{Path: event.Path, Data: entry}, sees
	case "rollouts":
		whole, _ := event.Data.(wire.Rollout)
		cut, sees := a.Catalog.ShownRollout(ctx, whole)
		return live.Event{Path: event.Path, Data: cut}, sees
	}
	return event, false
}

func (r *reader) send(ctx context.Context, batch *live.Batch) error {
	r.conn.sent.Store(time.Now().UnixNano())
	if len(batch.Samples)+len(batch.Events) == 0 && batch.Lost == 0 {
		return wire.NotifyHeartbeat.Notify(ctx, r.peer, wire.Heartbeat{NowMS: time.Now().UnixMilli()})
	}
	if batch.Lost > 0 {
		if err := wire.NotifyLost.Notify(ctx, r.peer, wire.Lost{Subscription: r.id, Events: batch.Lost}); err != nil {
			return err
		}
	}
	for _, event := range batch.Events {
		if err := wire.NotifyEvent.Notify(ctx, r.peer, wire.Event{Subscription: r.id, Path: event.Path, Data: event.Data}); err != nil {
			return err
		}
	}
	if r.columns {
		return r.sendColumns(ctx, batch.Samples)
	}
	return r.sendEvents(ctx, batch.Samples)
}

func (r *reader) sendEvents(ctx context.Context, samples []live.Sample) error {
	for i := range samples {
		sample := &samples[i]
		labels := sample.Series.Labels.Map()
		if labels == nil {
			labels = map[string]string{} // {} on the wire, not null
		}
		event := wire.Event{Subscription: r.id, Path: sample.Series.Path(), Data: wire.Metric{
			TS: sample.T, Key: sample.Series.Key, Val: &sample.V, Labels: labels,
		}}
		if err := wire.NotifyEvent.Notify(ctx, r.peer, event); err != nil {
			return err
		}
	}
	return nil
}

// maxColumns bounds the samples of one message, well under the frame limit.
const maxColumns = 8192

func (r *reader) sendColumns(ctx context.Context, samples []live.Sample) error {
	for len(samples) > 0 {
		n := min(len(samples), maxColumns)
		if err := wire.NotifySamples.Notify(ctx, r.peer, *r.pack(samples[:n])); err != nil {
			return err
		}
		samples = samples[n:]
	}
	return nil
}

func (r *reader) pack(samples []live.Sample) *wire.Samples {
	message := &wire.Samples{Subscription: r.id, Columns: wire.Columns{
		T: make([]int64, len(samples)), S: make([]uint32, len(samples)), V: make([]float64, len(samples)),
	}}
	for i, sample := range samples {
		id, ok := r.declared[sample.Series]
		if !ok {
			id = uint32(len(r.declared) + 1)
			r.declared[sample.Series] = id
			message.Series = append(message.Series, wire.Series{
				ID: id, Host: sample.Series.Host, Key: sample.Series.Key,
				Labels: sample.Series.Labels.Map(), Kind: sample.Series.Kind.String(),
			})
		}
		message.T[i], message.S[i], message.V[i] = sample.T, id, sample.V
	}
	return message
}
