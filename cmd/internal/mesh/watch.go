package mesh

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// event is a wire.Event with its data as it came.
type event struct {
	Subscription uint64          `json:"subscription"`
	Path         string          `json:"path"`
	Data         json.RawMessage `json:"data"`
}

// watch is one run of the command of that name.
type watch struct {
	client
	pattern string
	count   int
	out     io.Writer
	errs    io.Writer
	table   *cli.Table
	// subscribed, or nil, is called on each connection after the subscription.
	subscribed func(context.Context, *rpc.Peer) error
	// replace, or nil, shows an event in place of show; false leaves it to that.
	replace func(event) (bool, error)

	mu        sync.Mutex
	connected bool  // at least once
	seen      int   // events
	err       error // that ended it
	stop      context.CancelFunc
}

// NewWatch makes the command of that name.
func NewWatch() *cobra.Command {
	w := &watch{}
	cmd := &cobra.Command{
		Use:   "watch [PATTERN]",
		Short: "Print events as they happen",
		Long: `Print the events of the master whose path matches PATTERN, in which * stands for
any text. The paths of samples are metrics/HOST/CHART/ITEM, those of hosts
hosts/HOST. The default is all samples, 'metrics/*'. What measuring costs, in
metrics/HOST/vedette/, is printed only where the pattern names vedette.

It connects again when the connection is lost, and says so on standard error, as
it says how many events were lost where they came faster than they could be read.`,
		Example: `  vedette watch
  vedette watch 'metrics/web-1/*'
  vedette watch 'metrics/*/load/*' --json
  vedette watch 'hosts/*' --count 1`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return fmt.Errorf("vedette watch takes one PATTERN, but got %q too; quote it, so that the shell leaves * alone", args[1])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			w.pattern = "metrics/*"
			if len(args) > 0 {
				w.pattern = args[0]
			}
			return w.run(cmd)
		},
	}
	w.flags(cmd)
	w.jsonFlag(cmd, "print one JSON object a line: {path, data}")
	cmd.Flags().IntVar(&w.count, "count", 0, "stop after `N` events (default: never)")
	return cmd
}

func (w *watch) run(cmd *cobra.Command) error {
	if w.count < 0 {
		return cli.Usagef("--count is %d; it must be 0 or more", w.count)
	}
	w.out, w.errs, w.table = cmd.OutOrStdout(), cmd.ErrOrStderr(), &cli.Table{Out: cmd.OutOrStdout()}
	o, err := w.dialOptions(cmd)
	if err != nil {
		return err
	}
	ctx, stop := cli.UntilStopped(cmd)
	defer stop()
	ctx, w.stop = context.WithCancel(ctx)
	defer w.stop()
	mux := rpc.NewMux()
	mux.HandleInOrder(wire.NotifyEvent.Name, rpc.Method(w.event))
	rpc.Serve(mux, wire.NotifyLost, w.lost)
	rpc.Serve(mux, wire.NotifyHeartbeat, func(context.Context, wire.Heartbeat) (wire.Empty, error) { return wire.Empty{}, nil })
	o.Handler = mux
	client := &rpc.Client{URL: w.url, Dial: o, OnConnect: w.connect, OnDown: w.down}
	err = client.Run(ctx)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil && err != nil {
		w.err = w.explain(err)
	}
	return w.err
}

// connect subscribes on a new connection.
func (w *watch) connect(ctx context.Context, p *rpc.Peer) error {
	ctx, cancel := context.WithTimeout(ctx, w.timeout)
	defer cancel()
	var result wire.SubscribeResult
	err := p.Call(ctx, wire.MasterSubscribe.Name, wire.SubscribeParams{Pattern: w.pattern}, &result)
	if err == nil && w.subscribed != nil {
		err = w.subscribed(ctx, p)
	}
	if err != nil {
		var answer *rpc.Error
		if errors.As(err, &answer) {
			w.end(w.explain(err))
		}
		return err
	}
	w.mu.Lock()
	again := w.connected
	w.connected = true
	w.mu.Unlock()
	if again {
		cli.Errln(w.errs, "connected again")
	}
	return nil
}

// down tells that the connection was lost. A master that was never there is
// the end: the address is more likely wrong than the master about to start.
func (w *watch) down(err error, retryIn time.Duration) {
	w.mu.Lock()
	connected, ended := w.connected, w.err != nil
	w.mu.Unlock()
	switch {
	case ended:
	case !connected:
		w.end(w.explain(err))
	default:
		cli.Errln(w.errs, "%v; trying again in %v", w.explain(err), retryIn.Round(100*time.Millisecond))
	}
}

// end ends the command with an error.
func (w *watch) end(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = err
	}
	w.stop()
}

func (w *watch) lost(_ context.Context, l wire.Lost) (wire.Empty, error) {
	cli.Errln(w.errs, "%d events were lost: they came faster than they could be shown", l.Events)
	return wire.Empty{}, nil
}

func (w *watch) event(_ context.Context, e event) (wire.Empty, error) {
	if w.count > 0 && w.seen >= w.count {
		return wire.Empty{}, nil // behind the last
	}
	w.seen++
	if err := w.show(e); err != nil {
		w.end(fmt.Errorf("cannot show an event: %w", err))
	}
	if w.count > 0 && w.seen == w.count {
		w.stop()
	}
	return wire.Empty{}, nil
}

func (w *watch) show(e event) error {
	if w.replace != nil {
		if done, err := w.replace(e); done {
			return err
		}
	}
	path, isMetric := strings.CutPrefix(e.Path, "metrics/")
	var m wire.Metric
	isMetric = isMetric && json.Unmarshal(e.Data, &m) == nil && m.Val != nil
	switch {
	case w.json && isMetric:
		return json.NewEncoder(w.out).Encode(struct {
			Path string      `json:"path"`
			Data wire.Metric `json:"data"`
		}{e.Path, m})
	case w.json:
		return json.NewEncoder(w.out).Encode(struct {
			Path string          `json:"path"`
			Data json.RawMessage `json:"data"`
		}{e.Path, e.Data})
	case isMetric:
		host, _, _ := strings.Cut(path, "/")
		labels, err := inspectors.LabelsFromMap(m.Labels)
		if err != nil {
			return err
		}
		return w.table.Row(cli.Clock(time.UnixMilli(m.TS)), host, m.Key+labels.String(), cli.Value(m.Key, *m.Val))
	case strings.HasPrefix(e.Path, "hosts/"):
		var h wire.Host
		if json.Unmarshal(e.Data, &h) == nil && h.Host != "" {
			return w.table.Row(cli.Clock(time.UnixMilli(max(h.SinceMS, h.LastSeenMS))), h.Host, h.State, inspectorCounts(h))
		}
	}
	return w.table.Row(cli.Clock(time.Now()), e.Path, string(e.Data))
}
