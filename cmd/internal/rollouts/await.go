package rollouts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/cmd/internal/remote"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// lookEvery is how often the state of a rollout is polled, beside its events, so that a
// lost event does no harm.
const lookEvery = 2 * time.Second

// rolloutWait follows one rollout until its end, through lost connections.
type rolloutWait struct {
	client   *remote.Client
	id, name string
	errs     io.Writer
	changed  chan struct{} // holds one element if there is something to show
	end      context.CancelFunc

	mu       sync.Mutex // guards the fields below
	peer     *rpc.Peer  // or nil while there is none
	known    bool       // rollout is set
	rollout  wire.Rollout
	receipts map[string]wire.HostReceipt // by host
	err      error                       // the error that ended the waiting
}

// follow shows a rollout until it has ended, and returns its final state. If ctx ends
// first, it returns the last known state and no error.
func follow(ctx context.Context, cmd *cobra.Command, c *remote.Client, name, id string, p *progress) (wire.Rollout, error) {
	o, err := c.DialOptions(cmd)
	if err != nil {
		return wire.Rollout{}, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w := &rolloutWait{
		client: c, id: id, name: name, errs: cmd.ErrOrStderr(), end: cancel,
		changed: make(chan struct{}, 1), receipts: make(map[string]wire.HostReceipt), rollout: wire.Rollout{ID: id, Inspector: name, State: wire.RolloutRunning},
	}
	mux := rpc.NewMux()
	mux.HandleInOrder(wire.NotifyEvent.Name, rpc.Method(w.event))
	rpc.Serve(mux, wire.NotifyLost, func(context.Context, wire.Lost) (wire.Empty, error) { return wire.Empty{}, nil })
	rpc.Serve(mux, wire.NotifyHeartbeat, func(context.Context, wire.Heartbeat) (wire.Empty, error) { return wire.Empty{}, nil })
	o.Handler = mux
	client := &rpc.Client{URL: c.URL, Dial: o, OnConnect: w.connect, OnDown: w.down}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		if err := client.Run(ctx); err != nil {
			w.fail(c.Explain(err))
		}
	}()
	err = w.loop(ctx, p)
	cancel()
	<-gone
	w.mu.Lock()
	defer w.mu.Unlock()
	if err == nil {
		err = w.err
	}
	return w.rollout, err
}

// decideEvery is how often receipts are polled after only the signature has changed.
const decideEvery = 250 * time.Millisecond

// untilDecided waits until each connected host has a final receipt for the current
// revision. It is for changes without a rollout.
func untilDecided(cmd *cobra.Command, c *remote.Client, name string, wait time.Duration) error {
	ctx, stop := cli.UntilStopped(cmd)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	s, err := c.Open(cmd)
	if err != nil {
		return err
	}
	defer s.Close()
	look := time.NewTicker(decideEvery)
	defer look.Stop()
	for {
		receipts, err := remote.Call(s, wire.CatalogReceipts, wire.CatalogParams{Name: name})
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(receipts.Receipts, undecided) {
			return nil
		}
		select {
		case <-look.C:
			continue
		case <-ctx.Done():
		}
		if c.JSON {
			if err := cli.PrintLines(cmd.OutOrStdout(), []pushLine{{Event: "end", Outcome: outcomeWaiting, Receipts: &receipts}}); err != nil {
				return err
			}
		}
		return cli.Exit(cli.ExitWaiting, fmt.Errorf("stopped waiting; look at it with: vedette receipts %s", name))
	}
}

// undecided reports whether a connected host has no final receipt yet.
func undecided(h wire.HostReceipt) bool {
	return h.HostState == wire.HostUp && h.State != wire.ReceiptHealthy && !unwell(h)
}

// loop shows each change until the rollout has ended.
func (w *rolloutWait) loop(ctx context.Context, p *progress) error {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	draw := make(<-chan time.Time)
	if p.screen != nil { // the remaining time changes by itself
		ticker := time.NewTicker(time.Second)
		defer ticker.Stop()
		draw = ticker.C
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-look.C:
			w.look(ctx)
			continue
		case <-w.changed:
		case <-draw:
		}
		w.mu.Lock()
		r, receipts, known := w.rollout, maps.Clone(w.receipts), w.known
		w.mu.Unlock()
		if !known {
			continue
		}
		if err := p.show(r, receipts, time.Now()); err != nil {
			return fmt.Errorf("cannot show the rollout: %w", err)
		}
		if r.Ended() {
			return nil
		}
	}
}

// connect subscribes on a new connection and then asks for the current state, so that no
// change in between is missed.
func (w *rolloutWait) connect(ctx context.Context, p *rpc.Peer) error {
	for _, pattern := range []string{"rollouts/" + w.id, "receipts/*/" + w.name} {
		if _, err := callWhile(ctx, w, p, wire.MasterSubscribe, wire.SubscribeParams{Pattern: pattern}); err != nil {
			return err
		}
	}
	receipts, err := callWhile(ctx, w, p, wire.CatalogReceipts, wire.CatalogParams{Name: w.name})
	if err != nil {
		return err
	}
	w.mu.Lock()
	w.peer = p
	for _, receipt := range receipts.Receipts {
		w.receipts[receipt.Host] = receipt
	}
	w.mu.Unlock()
	return w.get(ctx, p)
}

// callWhile calls a method while the command waits. An error that the master answers ends
// the waiting, because a second call would get the same one.
func callWhile[P, R any](ctx context.Context, w *rolloutWait, p *rpc.Peer, method wire.Method[P, R], params P) (R, error) {
	ctx, cancel := context.WithTimeout(ctx, w.client.Timeout)
	defer cancel()
	result, err := method.Call(ctx, p, params)
	var answer *rpc.Error
	switch {
	case !errors.As(err, &answer), answer.Code == wire.CodeBusy:
		return result, err
	case method.Name == wire.CatalogReceipts.Name && answer.Code == wire.CodeNotFound:
		return result, nil // the inspector is being deleted
	}
	w.fail(w.client.Explain(err))
	return result, err
}

// get asks for the state of the rollout.
func (w *rolloutWait) get(ctx context.Context, p *rpc.Peer) error {
	r, err := callWhile(ctx, w, p, wire.RolloutsGet, wire.RolloutParams{Rollout: w.id})
	if err != nil {
		return err
	}
	w.take(r)
	return nil
}

// look asks for the state again if there is a connection. down reports lost connections.
func (w *rolloutWait) look(ctx context.Context) {
	w.mu.Lock()
	p := w.peer
	w.mu.Unlock()
	if p != nil {
		_ = w.get(ctx, p)
	}
}

// take stores the current state of the rollout. A late state cannot undo its end.
func (w *rolloutWait) take(r wire.Rollout) {
	w.mu.Lock()
	if r.ID == w.id && (!w.known || !w.rollout.Ended()) {
		w.rollout, w.known = r, true
	}
	w.mu.Unlock()
	w.tell()
}

// tell wakes the loop.
func (w *rolloutWait) tell() {
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

func (w *rolloutWait) event(_ context.Context, e remote.Event) (wire.Empty, error) {
	if strings.HasPrefix(e.Path, "receipts/") {
		var receipt wire.HostReceipt
		if json.Unmarshal(e.Data, &receipt) == nil && receipt.Inspector == w.name {
			w.mu.Lock()
			w.receipts[receipt.Host] = receipt
			w.mu.Unlock()
			w.tell()
		}
		return wire.Empty{}, nil
	}
	var r wire.Rollout
	if json.Unmarshal(e.Data, &r) == nil && r.ID == w.id {
		w.take(r)
	}
	return wire.Empty{}, nil
}

// down reports that the connection was lost.
func (w *rolloutWait) down(err error, retryIn time.Duration) {
	w.mu.Lock()
	w.peer = nil
	over := w.err != nil
	w.mu.Unlock()
	if !over {
		cli.Errln(w.errs, "%v; trying again in %v", w.client.Explain(err), retryIn.Round(100*time.Millisecond))
	}
}

// fail ends the waiting with an error.
func (w *rolloutWait) fail(err error) {
	w.mu.Lock()
	if w.err == nil {
		w.err = err
	}
	w.mu.Unlock()
	w.end()
}
