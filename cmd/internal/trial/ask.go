package trial

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/cmd/internal/remote"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

// askAtOnce is how many hosts are asked at a time: as many as one trial may have.
const askAtOnce = 1000

// asking is one run of `vedette ask`.
type asking struct {
	client
	remote.SignFlags
	on     []string
	to     string
	length time.Duration
	form   askForm

	events <-chan wire.TrialEvent
}

// NewAsk makes the command `vedette ask`, which runs a probe once on many hosts.
func NewAsk() *cobra.Command {
	a := &asking{}
	cmd := &cobra.Command{
		Use:   "ask FILE",
		Short: "Run a probe once, now, on many hosts, and show the answers as a table",
		Long: `Run a script once on every selected host and show its values as a table: a row for
each value, with its host and labels. Without --on and --to every host is asked.
Nothing is stored.

--group-by makes one row of all values that agree in some columns, with the lowest,
the mean and the highest value; --count shows only the number of hosts. A column is
host, key, value, or the name of a label.

Hosts that do not answer, or only in part, are named, and the exit status is then 1.`,
		Example: `  vedette ask openssl.go --group-by version --count
  vedette ask disk.go --to role=db --sort -value
  vedette ask disk.go --on web-1,web-2 --csv > disks.csv`,
		Args: cli.OneArg("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.run(cmd, args[0]) },
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"go"}, cobra.ShellCompDirectiveFilterFileExt
		},
	}
	a.client.Flags(cmd)
	a.SignFlags.KeyFlag(cmd)
	a.JSONFlag(cmd, "print one JSON object: the rows, and the hosts that did not answer")
	cmd.Flags().StringSliceVar(&a.on, "on", nil, "the `HOSTS` to ask, such as web-1,web-2")
	cmd.Flags().StringVar(&a.to, "to", "", "the label `SELECTOR` of the hosts, such as role=db or 'zone in (a,b)'")
	cmd.Flags().DurationVar(&a.length, "for", 10*time.Second, "how long a host may take to answer; at most an hour")
	cmd.Flags().StringVar(&a.form.sort, "sort", "", "sort by this `COLUMN`; -COLUMN has the highest first")
	cmd.Flags().StringSliceVar(&a.form.groupBy, "group-by", nil, "make one row of the values that agree in these `COLUMNS`")
	cmd.Flags().BoolVar(&a.form.count, "count", false, "show only how many hosts are in each group")
	cmd.Flags().BoolVar(&a.form.csv, "csv", false, "print comma-separated values")
	a.CompleteFlags(cmd)
	return cmd
}

func (a *asking) run(cmd *cobra.Command, file string) error {
	a.form.json = a.JSON
	if err := a.form.check(); err != nil {
		return err
	}
	if err := a.SignFlags.Read(cmd); err != nil {
		return err
	}
	params, err := a.params(file)
	if err != nil {
		return err
	}
	return a.converse(cmd, func(ctx, dialing context.Context, peer *rpc.Peer, events <-chan wire.TrialEvent) error {
		return a.askAll(ctx, dialing, cmd, peer, params, events)
	})
}

// askAll asks all hosts, some at a time, and shows their answers.
func (a *asking) askAll(ctx, dialing context.Context, cmd *cobra.Command, peer *rpc.Peer, params *wire.TrialStartParams, events <-chan wire.TrialEvent) error {
	a.events = events
	hosts, silent, err := a.hosts(dialing, peer)
	if err != nil {
		return err
	}
	asked, answers := len(hosts)+len(silent), askAnswers{silent: silent}
	for some := range slices.Chunk(hosts, askAtOnce) {
		params.Hosts = some
		if err := a.askSome(ctx, peer, params, &answers); err != nil {
			return err
		}
	}
	return a.show(cmd, &answers, asked)
}

// params reads and checks the file, so that its faults are reported before any host is
// asked.
func (a *asking) params(file string) (*wire.TrialStartParams, error) {
	switch {
	case a.length <= 0 || a.length > time.Hour:
		return nil, cli.Usagef("--for is %v; it must be above 0 and at most 1h", a.length)
	case len(a.on) > 0 && a.to != "":
		return nil, cli.Usagef("give --on or --to, not both")
	}
	code, err := readDraft(file)
	if err != nil {
		return nil, err
	}
	code.IntervalMS = inspectors.MaxInterval.Milliseconds() // an interval so long that it runs once
	return &wire.TrialStartParams{Code: code, ForMS: a.length.Milliseconds(), Signatures: a.SignTrial(code, "", a.length)}, nil
}

// hosts returns the hosts to ask, and the reasons why other selected hosts cannot be asked.
func (a *asking) hosts(ctx context.Context, peer *rpc.Peer) (up []string, silent map[string]string, err error) {
	known, err := wire.HostsList.Call(ctx, peer, wire.HostsParams{Selector: a.to})
	if err != nil {
		return nil, nil, a.Explain(err)
	}
	silent = make(map[string]string)
	for _, name := range a.on {
		silent[name] = "the master does not know it"
	}
	for _, h := range known.Hosts {
		if _, named := silent[h.Host]; len(a.on) > 0 && !named {
			continue
		}
		delete(silent, h.Host)
		switch {
		case h.Simple:
			silent[h.Host] = "it reports by single calls, and runs no code"
		case h.State != wire.HostUp:
			silent[h.Host] = "it is " + h.State
		default:
			up = append(up, h.Host)
		}
	}
	switch {
	case len(up)+len(silent) > 0:
		slices.Sort(up)
		return up, silent, nil
	case a.to != "":
		return nil, nil, fmt.Errorf("no host has the labels %q", a.to)
	}
	return nil, nil, fmt.Errorf("the master knows no host; start an agent with `vedette agent`")
}

// askSome asks some hosts, and returns when each has answered or turned out to be unable
// to.
func (a *asking) askSome(ctx context.Context, peer *rpc.Peer, params *wire.TrialStartParams, answers *askAnswers) error {
	calling, cancel := context.WithTimeout(ctx, a.Timeout)
	defer cancel()
	begun, err := wire.TrialsStart.Call(calling, peer, *params)
	if rpcErr, ok := asConflict(err); ok { // none of them is connected any more
		for _, host := range params.Hosts {
			answers.silent[host] = rpcErr.Message
		}
		return nil
	}
	if err != nil {
		return a.Explain(err)
	}
	waiting := make(map[string]bool)
	for _, host := range begun.Hosts {
		waiting[host] = true
	}
	for _, host := range begun.Away {
		answers.silent[host] = "it is not connected"
	}
	for len(waiting) > 0 {
		select {
		case e := <-a.events:
			if e.Trial == begun.Trial && waiting[e.Host] && answers.take(&e) {
				delete(waiting, e.Host)
			}
		case <-ctx.Done():
			for host := range waiting {
				answers.silent[host] = "it had not answered when the command was stopped"
			}
			return nil
		case <-peer.Done():
			return a.Explain(peer.Err())
		}
	}
	calling, cancel = context.WithTimeout(ctx, a.Timeout)
	defer cancel()
	return a.Explain(stopTrial(calling, peer, begun.Trial))
}

// show writes the table, and names the hosts that are not in it.
func (a *asking) show(cmd *cobra.Command, answers *askAnswers, asked int) error {
	if err := a.form.write(cmd.OutOrStdout(), answers); err != nil {
		return err
	}
	if len(answers.silent) == 0 {
		return nil
	}
	cli.Errln(cmd.ErrOrStderr(), "%d of %d hosts did not answer, or only in part:", len(answers.silent), asked)
	for _, s := range answers.silentHosts() {
		cli.Errln(cmd.ErrOrStderr(), "  %s: %s", s.Host, strings.ReplaceAll(s.Why, "\n", "\n    "))
	}
	return cli.Exit(cli.ExitFailed, nil)
}
