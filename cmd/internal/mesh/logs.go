package mesh

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/cmd/internal/remote"
	"github.com/vedettehq/vedette/internal/nearest"
	"github.com/vedettehq/vedette/rpc/wire"
)

// logsEvery is how often hosts are asked for new lines while they are followed.
const logsEvery = time.Second

// logs is one run of `vedette logs`.
type logs struct {
	client
	host   string
	follow bool
	limit  int

	table *cli.Table
	lines int                        // lines printed so far
	at    map[string]wire.LogsResult // the position to continue from, by host
	told  map[string]string          // the last complaint about a host that does not answer
}

// logLine is one line, as --json prints it.
type logLine struct {
	Host string `json:"host"`
	AtMS int64  `json:"at_ms"`
	Text string `json:"text"`
}

// NewLogs makes the command `vedette logs`.
func NewLogs() *cobra.Command {
	l := &logs{}
	cmd := &cobra.Command{
		Use:   "logs INSPECTOR",
		Short: "Show what an inspector prints on its hosts",
		Long: `Show the latest lines that an inspector has printed with fmt.Print or log.Print, on
each host where it runs, or on one. With --follow go on with new lines until ^C.

An agent buffers the last 64 KiB of each inspector in memory, beside its own log. The
command is for operators, because a script can print data that no viewer may see.`,
		Example: "  vedette logs disk\n  vedette logs disk --host web-1 -f\n  vedette logs disk -n 500 --json | jq -r .text",
		Args:    cli.OneArg("the name of an INSPECTOR"),
		RunE:    func(cmd *cobra.Command, args []string) error { return l.run(cmd, args[0]) },
	}
	l.Flags(cmd)
	l.JSONFlag(cmd, "print one JSON object a line: {host, at_ms, text}")
	cmd.Flags().StringVar(&l.host, "host", "", "only of this `HOST`")
	cmd.Flags().BoolVarP(&l.follow, "follow", "f", false, "go on until ^C")
	cmd.Flags().IntVarP(&l.limit, "number", "n", 50, "show at most the last `N` lines of each host")
	l.CompleteFlags(cmd)
	return cmd
}

func (l *logs) run(cmd *cobra.Command, inspector string) error {
	if l.limit < 1 || l.limit > wire.MaxLogLines {
		return cli.Usagef("-n is %d; it must be between 1 and %d", l.limit, wire.MaxLogLines)
	}
	ctx, stop := cli.UntilStopped(cmd)
	defer stop()
	cmd.SetContext(ctx)
	s, err := l.Open(cmd)
	if err != nil {
		return err
	}
	defer s.Close()
	hosts, err := l.hosts(s, inspector)
	if err != nil {
		return err
	}
	l.table = &cli.Table{Out: cmd.OutOrStdout()}
	l.at, l.told = make(map[string]wire.LogsResult), make(map[string]string)
	tick := time.NewTicker(logsEvery)
	defer tick.Stop()
	for first := true; ; first = false {
		if err := l.ask(cmd, s, hosts, inspector, first); err != nil {
			return err
		}
		if first && !l.JSON && l.lines == 0 && len(l.at) == len(hosts) {
			cli.Errln(cmd.ErrOrStderr(), "%q has printed nothing on %s", inspector, cli.Counted(len(hosts), "host", "hosts"))
		}
		if !l.follow {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// hosts returns the hosts on which the inspector runs.
func (l *logs) hosts(s *remote.Session, inspector string) ([]string, error) {
	if l.host != "" {
		return []string{l.host}, nil
	}
	result, err := remote.Call(s, wire.HostsList, wire.HostsParams{})
	if err != nil {
		return nil, err
	}
	var hosts, names []string
	away := 0
	for _, h := range result.Hosts {
		for _, i := range h.Inspectors {
			names = append(names, i.Name)
			switch {
			case i.Name != inspector:
			case h.State != wire.HostUp:
				away++
			default:
				hosts = append(hosts, h.Host)
			}
		}
	}
	near := nearest.Ask(inspector, names)
	switch {
	case len(hosts) > 0:
		return hosts, nil
	case away > 0:
		return nil, cli.Exit(cli.ExitFailed, fmt.Errorf("%q runs only on hosts that are away; what it printed is kept there", inspector))
	case near != "":
		return nil, cli.Exit(cli.ExitFailed, fmt.Errorf("no host runs %q%s", inspector, near))
	}
	return nil, cli.Exit(cli.ExitFailed, fmt.Errorf("no host runs %q; `vedette inspectors --running` shows what runs", inspector))
}

// ask asks each host for new lines, and prints them in the order of their times.
func (l *logs) ask(cmd *cobra.Command, s *remote.Session, hosts []string, inspector string, first bool) error {
	var lines []logLine
	for _, host := range hosts {
		for {
			before := l.at[host]
			params := wire.AgentLogsParams{Inspector: inspector, Limit: l.limit, Boot: before.Boot, After: before.Last}
			if !first {
				params.Limit = wire.MaxLogLines
			}
			result, err := remote.Call(s, wire.LogsGet, wire.LogsParams{Host: host, AgentLogsParams: params})
			if err != nil {
				if err := l.silent(cmd, host, err, len(hosts) == 1 && first); err != nil {
					return err
				}
				break
			}
			delete(l.told, host)
			if result.Missed {
				cli.Errln(cmd.ErrOrStderr(), "%s: some lines are lost: they came faster than they were asked for", host)
			}
			l.at[host] = result
			for _, line := range result.Lines {
				lines = append(lines, logLine{host, line.AtMS, line.Text})
			}
			if first || len(result.Lines) < params.Limit {
				break
			}
		}
	}
	slices.SortStableFunc(lines, func(a, b logLine) int { return int(a.AtMS - b.AtMS) })
	l.lines += len(lines)
	return l.print(cmd, lines)
}

// silent reports a host that does not answer. While several hosts are followed, it may come
// back. An error of the master, or of a host that is the only one, ends the command.
func (l *logs) silent(cmd *cobra.Command, host string, err error, alone bool) error {
	if errors.Is(cmd.Context().Err(), context.Canceled) {
		return nil // ^C
	}
	if status := cli.Status(err); alone || status == cli.ExitRefused || status == cli.ExitUnreachable {
		return err
	}
	if text := remote.Answer(err); l.told[host] != text {
		l.told[host] = text
		cli.Errln(cmd.ErrOrStderr(), "%s", text)
	}
	return nil
}

func (l *logs) print(cmd *cobra.Command, lines []logLine) error {
	if l.JSON {
		enc := json.NewEncoder(cmd.OutOrStdout())
		for _, line := range lines {
			if err := enc.Encode(line); err != nil {
				return err
			}
		}
		return nil
	}
	for _, line := range lines {
		if err := l.table.Row(cli.Clock(time.UnixMilli(line.AtMS)), line.Host, line.Text); err != nil {
			return err
		}
	}
	return nil
}
