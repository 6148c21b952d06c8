package mesh

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/cmd/internal/remote"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// watch is one run of `vedette watch`.
type watch struct {
	client
	pattern string
	count   int
	out     io.Writer
	table   *cli.Table
	events  remote.Events
	// subscribed, unless nil, is called on each connection after the subscription.
	subscribed func(context.Context, *rpc.Peer) error
	// of, unless nil, says which events are shown.
	of func(remote.Event) bool
	// lines prints a line for each event even on a terminal.
	lines bool
	live  *liveScreen // or nil if lines are printed
}

// NewWatch makes the command `vedette watch`.
func NewWatch() *cobra.Command {
	w := &watch{}
	cmd := &cobra.Command{
		Use:   "watch [PATTERN]",
		Short: "Print events as they happen",
		Long: `Print the events of the master whose path matches PATTERN, in which * stands for any
text. The paths of samples are metrics/HOST/CHART/ITEM, those of hosts hosts/HOST. The
default is all samples, 'metrics/*'. The cost of measuring, in metrics/HOST/vedette/,
is printed only if the pattern names vedette.

On a terminal samples are shown in place, each series with a sparkline of its last
values. Into a pipe, and with --lines, each sample is a line.

It connects again when the connection is lost, and says so on standard error. There it
also says how many events were lost because they came faster than they could be read.`,
		Example: `  vedette watch
  vedette watch 'metrics/web-1/*'
  vedette watch 'metrics/*/load/*' --json
  vedette watch 'hosts/*' --count 1`,
		Args: cli.AtMostOneArg("PATTERN", "; quote it, so that the shell leaves * alone"),
		RunE: func(cmd *cobra.Command, args []string) error {
			w.pattern = "metrics/*"
			if len(args) > 0 {
				w.pattern = args[0]
			}
			return w.run(cmd)
		},
	}
	w.Flags(cmd)
	w.linesFlag(cmd)
	w.JSONFlag(cmd, "print one JSON object a line: {path, data}")
	cmd.Flags().IntVar(&w.count, "count", 0, "stop after `N` events (default: never)")
	return cmd
}

func (w *watch) run(cmd *cobra.Command) error {
	if w.count < 0 {
		return cli.Usagef("--count is %d; it must be 0 or more", w.count)
	}
	w.out, w.table = cmd.OutOrStdout(), &cli.Table{Out: cmd.OutOrStdout()}
	if host := hostOf(w.pattern); host != "" && w.subscribed == nil {
		w.subscribed = func(ctx context.Context, p *rpc.Peer) error {
			_, err := wire.HostsGet.Call(ctx, p, wire.HostParams{Host: host})
			if !remote.IsNotFound(err) {
				return err
			}
			cli.Errln(cmd.ErrOrStderr(), "warning: %s", remote.Answer(err)) // it may report later
			return nil
		}
	}
	w.events = remote.Events{Client: &w.client.Client, Pattern: w.pattern, Count: w.count, Subscribed: w.subscribed, Show: w.show}
	if cli.TerminalWidth(w.out) == 0 || w.JSON || w.lines || w.count > 0 || !strings.HasPrefix(w.pattern, "metrics/") {
		return w.events.Run(cmd)
	}
	return w.inPlace(cmd)
}

// hostOf returns the only host that a pattern matches, or "".
func hostOf(pattern string) string {
	parts := strings.Split(pattern, "/")
	if len(parts) < 2 || (parts[0] != "metrics" && parts[0] != "hosts") || strings.Contains(parts[1], "*") {
		return ""
	}
	return parts[1]
}

func (w *watch) linesFlag(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&w.lines, "lines", false, "print a line for each sample, on a terminal too")
}

// inPlace shows samples on a terminal in place, until ^C.
func (w *watch) inPlace(cmd *cobra.Command) error {
	w.live = newLiveScreen(w.out)
	cmd.SetErr(w.live)
	ctx, stop := context.WithCancel(cmd.Context())
	defer stop()
	var drawing sync.WaitGroup
	drawing.Go(func() {
		tick := time.NewTicker(liveEvery)
		defer tick.Stop()
		for ctx.Err() == nil {
			select {
			case <-tick.C:
				_ = w.live.draw() // if the terminal is gone, something else ends the command
			case <-ctx.Done():
			}
		}
	})
	err := w.events.Run(cmd)
	stop()
	drawing.Wait()
	return errors.Join(err, w.live.end())
}

func (w *watch) show(e remote.Event) error {
	if w.of != nil && !w.of(e) {
		return nil
	}
	path, isMetric := strings.CutPrefix(e.Path, "metrics/")
	var m wire.Metric
	isMetric = isMetric && json.Unmarshal(e.Data, &m) == nil && m.Val != nil
	switch {
	case w.live != nil && isMetric:
		host, _, _ := strings.Cut(path, "/")
		return w.live.take(host, m)
	case w.JSON && isMetric:
		return json.NewEncoder(w.out).Encode(struct {
			Path string      `json:"path"`
			Data wire.Metric `json:"data"`
		}{e.Path, m})
	case w.JSON:
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
