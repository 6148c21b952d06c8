package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// Event is a wire.Event with undecoded data.
type Event struct {
	Subscription uint64          `json:"subscription"`
	Path         string          `json:"path"`
	Data         json.RawMessage `json:"data"`
}

// Events follows the events of one pattern, across lost connections.
type Events struct {
	*Client
	Pattern string
	// Count is the number of events after which it ends; 0 is never.
	Count int
	// Subscribed, unless nil, is called on each connection after the subscription.
	Subscribed func(context.Context, *rpc.Peer) error
	// Show shows an event. Events come one at a time.
	Show func(Event) error

	errs io.Writer

	mu        sync.Mutex
	connected bool  // at least once
	seen      int   // events
	err       error // the error that ended it
	stop      context.CancelFunc
}

// Run follows events until ^C.
func (e *Events) Run(cmd *cobra.Command) error {
	e.errs = cmd.ErrOrStderr()
	o, err := e.DialOptions(cmd)
	if err != nil {
		return err
	}
	ctx, stop := cli.UntilStopped(cmd)
	defer stop()
	ctx, e.stop = context.WithCancel(ctx)
	defer e.stop()
	mux := rpc.NewMux()
	mux.HandleInOrder(wire.NotifyEvent.Name, rpc.Method(e.event))
	rpc.Serve(mux, wire.NotifyLost, e.lost)
	rpc.Serve(mux, wire.NotifyHeartbeat, func(context.Context, wire.Heartbeat) (wire.Empty, error) { return wire.Empty{}, nil })
	o.Handler = mux
	client := &rpc.Client{URL: e.URL, Dial: o, OnConnect: e.connect, OnDown: e.down}
	err = client.Run(ctx)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.err == nil && err != nil {
		e.err = e.Explain(err)
	}
	return e.err
}

// Connected reports whether there has been a connection.
func (e *Events) Connected() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.connected
}

// connect subscribes on a new connection.
func (e *Events) connect(ctx context.Context, p *rpc.Peer) error {
	ctx, cancel := context.WithTimeout(ctx, e.Timeout)
	defer cancel()
	_, err := wire.MasterSubscribe.Call(ctx, p, wire.SubscribeParams{Pattern: e.Pattern})
	if err == nil && e.Subscribed != nil {
		err = e.Subscribed(ctx, p)
	}
	if err != nil {
		var answer *rpc.Error
		if errors.As(err, &answer) {
			e.end(e.Explain(err))
		}
		return err
	}
	e.mu.Lock()
	again := e.connected
	e.connected = true
	e.mu.Unlock()
	if again {
		cli.Errln(e.errs, "connected again")
	}
	return nil
}

// down reports a lost connection. If there has been none yet, the command ends, because a
// wrong address is more likely than a master that is just starting.
func (e *Events) down(err error, retryIn time.Duration) {
	e.mu.Lock()
	connected, ended := e.connected, e.err != nil
	e.mu.Unlock()
	switch {
	case ended:
	case !connected:
		e.end(e.Explain(err))
	default:
		cli.Errln(e.errs, "%v; trying again in %v", e.Explain(err), retryIn.Round(100*time.Millisecond))
	}
}

// end ends the command with an error.
func (e *Events) end(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.err == nil {
		e.err = err
	}
	e.stop()
}

func (e *Events) lost(_ context.Context, l wire.Lost) (wire.Empty, error) {
	cli.Errln(e.errs, "%d events were lost: they came faster than they could be shown", l.Events)
	return wire.Empty{}, nil
}

func (e *Events) event(_ context.Context, event Event) (wire.Empty, error) {
	if e.Count > 0 && e.seen >= e.Count {
		return wire.Empty{}, nil // after the last
	}
	e.seen++
	if err := e.Show(event); err != nil {
		e.end(fmt.Errorf("cannot show an event: %w", err))
	}
	if e.Count > 0 && e.seen == e.Count {
		e.stop()
	}
	return wire.Empty{}, nil
}
