package trial

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/cmd/internal/remote"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// try is one run of `vedette try`.
type try struct {
	client
	remote.SignFlags
	on       []string
	to       string
	length   time.Duration
	interval time.Duration

	printer tryPrinter
	events  <-chan wire.TrialEvent
}

// NewTry makes the command `vedette try`.
func NewTry() *cobra.Command {
	t := &try{}
	cmd := &cobra.Command{
		Use:   "try FILE",
		Short: "Run a draft on live hosts for a moment, and store nothing",
		Long: `Run a script on hosts of the master for some seconds, beside their other inspectors,
and show its values, its output and its cost. Nothing is stored, and the trial ends
with this command.

Without --on and --to it runs on the only host that there is. Exit status 1 says
that it failed somewhere.`,
		Example: `  vedette try disk.go
  vedette try disk.go --on web-1,web-2 --for 30s
  vedette try disk.go --to role=db --interval 200ms --for 10m`,
		Args: cli.OneArg("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error { return t.run(cmd, args[0]) },
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"go"}, cobra.ShellCompDirectiveFilterFileExt
		},
	}
	t.client.Flags(cmd)
	t.SignFlags.KeyFlag(cmd)
	t.JSONFlag(cmd, "print one JSON object a line, for each run, line and end on a host")
	cmd.Flags().StringSliceVar(&t.on, "on", nil, "the `HOSTS` to run it on, such as web-1,web-2")
	cmd.Flags().StringVar(&t.to, "to", "", "the label `SELECTOR` of the hosts, such as role=db or 'zone in (a,b)'")
	cmd.Flags().DurationVar(&t.length, "for", 10*time.Second, "how long; at most an hour")
	cmd.Flags().DurationVar(&t.interval, "interval", 0, "run every `DURATION` (default: the script's //vedette:interval, else 1s)")
	t.CompleteFlags(cmd)
	return cmd
}

func (t *try) run(cmd *cobra.Command, file string) error {
	if err := t.SignFlags.Read(cmd); err != nil {
		return err
	}
	params, err := t.params(cmd, file)
	if err != nil {
		return err
	}
	return t.converse(cmd, func(ctx, dialing context.Context, peer *rpc.Peer, events <-chan wire.TrialEvent) error {
		return t.start(ctx, dialing, cmd, peer, params, events)
	})
}

// start begins the trial and follows it to its end.
func (t *try) start(ctx, dialing context.Context, cmd *cobra.Command, peer *rpc.Peer, params *wire.TrialStartParams, events <-chan wire.TrialEvent) error {
	t.events = events
	var err error
	if len(t.on) == 0 && t.to == "" {
		if params.Hosts, err = t.onlyHost(dialing, peer); err != nil {
			return err
		}
	}
	begun, err := wire.TrialsStart.Call(dialing, peer, *params)
	if err != nil {
		return t.Explain(err)
	}
	t.printer = tryPrinter{cmd: cmd, json: t.JSON, table: cli.Table{Out: cmd.OutOrStdout()}, costs: make(map[string]wire.TrialEvent)}
	for _, host := range begun.Away {
		cli.Errln(cmd.ErrOrStderr(), "%s is not connected, and is left out", host)
	}
	return t.follow(ctx, peer, &begun)
}

// params reads and checks the file, so that its faults are reported before any host is
// asked.
func (t *try) params(cmd *cobra.Command, file string) (*wire.TrialStartParams, error) {
	switch {
	case t.length <= 0 || t.length > time.Hour:
		return nil, cli.Usagef("--for is %v; it must be above 0 and at most 1h", t.length)
	case cmd.Flags().Changed("interval") && (t.interval < inspectors.MinInterval || t.interval > inspectors.MaxInterval):
		return nil, cli.Usagef("--interval is %v; it must be between %v and %v", t.interval, inspectors.MinInterval, inspectors.MaxInterval)
	case len(t.on) > 0 && t.to != "":
		return nil, cli.Usagef("give --on or --to, not both")
	}
	code, err := readDraft(file)
	if err != nil {
		return nil, err
	}
	code.IntervalMS = t.interval.Milliseconds()
	if said, err := inspectors.ParseDirectives(file, code.Source); err == nil && said.Interval == 0 && code.IntervalMS == 0 {
		code.IntervalMS = 1000 // somebody is watching
	}
	return &wire.TrialStartParams{Code: code, Hosts: t.on, Selector: t.to, ForMS: t.length.Milliseconds(), Signatures: t.SignTrial(code, t.to, t.length)}, nil
}

// onlyHost returns the host if exactly one is up.
func (t *try) onlyHost(ctx context.Context, peer *rpc.Peer) ([]string, error) {
	result, err := wire.HostsList.Call(ctx, peer, wire.HostsParams{})
	if err != nil {
		return nil, t.Explain(err)
	}
	var up []string
	for _, h := range result.Hosts {
		if h.State == wire.HostUp && !h.Simple {
			up = append(up, h.Host)
		}
	}
	switch {
	case len(up) == 0:
		return nil, errors.New("no host is up; start an agent with `vedette agent`")
	case len(up) > 1:
		names := strings.Join(up[:min(len(up), 5)], ", ")
		if len(up) > 5 {
			names += " …"
		}
		return nil, cli.Usagef("there are %d hosts: %s; name some with --on, or select them with --to", len(up), names)
	}
	return up, nil
}

// follow shows events until every host has ended. If the command is stopped, it stops the
// hosts and still shows the cost.
func (t *try) follow(ctx context.Context, peer *rpc.Peer, begun *wire.TrialStartResult) error {
	left := make(map[string]bool)
	for _, host := range begun.Hosts {
		left[host] = true
	}
	stopped := ctx.Done()
	for len(left) > 0 {
		select {
		case e := <-t.events:
			if e.Trial != begun.Trial {
				continue
			}
			if err := t.printer.print(e); err != nil {
				return err
			}
			if e.Ended {
				delete(left, e.Host)
			}
		case <-stopped:
			stopped = nil
			calling, cancel := context.WithTimeout(context.WithoutCancel(ctx), t.Timeout)
			_, err := wire.TrialsStop.Call(calling, peer, wire.TrialStopParams{Trial: begun.Trial})
			cancel()
			if err != nil {
				return t.Explain(err)
			}
		case <-peer.Done():
			return t.Explain(peer.Err())
		}
	}
	return t.printer.end(begun.Hosts)
}

// tryPrinter prints the results of a trial.
type tryPrinter struct {
	cmd   *cobra.Command
	json  bool
	table cli.Table
	costs map[string]wire.TrialEvent // the last event with a cost, by host
	bad   bool
}

func (p *tryPrinter) print(e wire.TrialEvent) error {
	if e.Ended {
		p.costs[e.Host] = e
		p.bad = p.bad || e.State == wire.ReceiptFailed || e.State == wire.ReceiptRefused || e.Cost != nil && e.Cost.Failures > 0
	}
	if p.json {
		return json.NewEncoder(p.cmd.OutOrStdout()).Encode(e)
	}
	for _, line := range e.Lines {
		if err := p.table.Row(cli.Clock(time.Now()), e.Host, "prints", line); err != nil {
			return err
		}
	}
	if run := e.Run; run != nil {
		for _, s := range run.Samples {
			labels, err := inspectors.LabelsFromMap(s.Labels)
			if err != nil {
				return err
			}
			if err := p.table.Row(cli.Clock(time.UnixMilli(s.TS)), e.Host, s.Key+labels.String(), cli.Value(s.Key, *s.Val)); err != nil {
				return err
			}
		}
		if run.More > 0 {
			cli.Errln(p.cmd.ErrOrStderr(), "%s: %d values more are left out", e.Host, run.More)
		}
		if run.Error != "" {
			cli.Errln(p.cmd.ErrOrStderr(), "%s: the run failed: %s", e.Host, run.Error)
		}
	}
	if e.Error != "" {
		what := "it ended"
		if e.State != "" {
			what = e.State
		}
		cli.Errln(p.cmd.ErrOrStderr(), "%s: %s: %s", e.Host, what, e.Error)
	}
	return nil
}

// end prints the cost on each host.
func (p *tryPrinter) end(hosts []string) error {
	if !p.json {
		if _, err := fmt.Fprint(p.cmd.OutOrStdout(), "\n"); err != nil {
			return err
		}
		for _, host := range hosts {
			c := p.costs[host].Cost
			if c == nil || c.Runs == 0 {
				continue
			}
			n := float64(c.Runs)
			_, err := fmt.Fprintf(p.cmd.OutOrStdout(), "%s: %d runs, %d failed; a run takes %.3g ms, %.3g ms of CPU; %d series\n",
				cli.Printable(host), c.Runs, c.Failures, c.Duration/n*1e3, c.CPU/n*1e3, c.Series)
			if err != nil {
				return err
			}
		}
	}
	if p.bad {
		return cli.Exit(cli.ExitFailed, nil)
	}
	return nil
}
