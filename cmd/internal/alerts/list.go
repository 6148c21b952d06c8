package alerts

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/cmd/internal/remote"
	"github.com/vedettehq/vedette/rpc/wire"
)

// New makes the command `vedette alerts`, with its subcommands.
func New() *cobra.Command {
	var c client
	var params wire.AlertsParams
	l := cli.List[wire.Alert]{
		Columns: columns,
		Name:    func(a wire.Alert) string { return a.Name + " " + cli.OrDash(a.Host) },
		Empty:   func() string { return "Nothing fires." },
	}
	cmd := &cobra.Command{
		Use:   "alerts",
		Short: "Show which alerts fire, since when, and who was told",
		Long: `Show the alerts that are pending or firing, since when, who was told, and what mutes
them. The state unknown is for an alert whose host is gone.`,
		Example: `  vedette alerts
  vedette alerts --host web-1 --ended
  vedette alerts --watch
  vedette alerts --json | jq 'select(.state == "firing")'`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return remote.List(&c.Client, cmd, &l, func(s *remote.Session) ([]wire.Alert, error) {
				result, err := remote.Call(s, wire.AlertsList, params)
				return result.Alerts, err
			})
		},
	}
	c.Flags(cmd)
	cmd.Flags().StringVar(&params.Name, "name", "", "only alerts of this `NAME`")
	cmd.Flags().StringVar(&params.Host, "host", "", "only alerts of this `HOST`")
	cmd.Flags().BoolVar(&params.Ended, "ended", false, "also those that ended in the last day")
	l.Flags(cmd, "print one JSON object a line, one for each alert")
	c.CompleteFlags(cmd)
	cmd.AddCommand(newExplain(), newTest(), newThreshold())
	return cmd
}

func columns(now time.Time) []cli.Column[wire.Alert] {
	return []cli.Column[wire.Alert]{
		{Name: "alert", Last: true, Cell: func(a wire.Alert) string { return a.Name }},
		{Name: "host", Last: true, Cell: func(a wire.Alert) string { return cli.OrDash(a.Host) }},
		{Name: "state", Cell: stateText},
		{Name: "severity", Spare: true, Cell: func(a wire.Alert) string { return cli.OrDash(a.Severity) }},
		cli.Since(now, func(a wire.Alert) int64 { return a.SinceMS }),
		{Name: "told", Cell: func(a wire.Alert) string { return toldText(a.Told) }},
		{Name: "muted", Cell: mutedText},
		{Name: "summary", Cell: func(a wire.Alert) string { return cli.OrDash(cli.OneLine(a.Summary)) }},
		{Name: "id", Wide: true, Cell: func(a wire.Alert) string { return a.ID }},
	}
}

// stateText is the state of an alert; it says if the alert is not from a rule of the
// master.
func stateText(a wire.Alert) string {
	if a.Posted {
		return a.State + " (posted)"
	}
	return a.State
}

// toldText names the people who were told, each once, and those who could not be reached. A
// person can be told in several ways.
func toldText(notes []wire.TellNote) string {
	type count struct{ ways, failed, underWay int }
	var names []string
	counts := make(map[string]count)
	for _, n := range notes {
		name, _, _ := strings.Cut(n.Receiver, "/")
		c, known := counts[name]
		if !known {
			names = append(names, name)
		}
		c.ways++
		switch {
		case n.Failed != "":
			c.failed++
		case n.AtMS == 0:
			c.underWay++
		}
		counts[name] = c
	}
	for i, name := range names {
		var parts []string
		c := counts[name]
		for _, one := range []struct {
			n    int
			says string
		}{{c.failed, "failed"}, {c.underWay, "under way"}} {
			switch {
			case one.n > 0 && c.ways == 1:
				parts = append(parts, one.says)
			case one.n > 0:
				parts = append(parts, fmt.Sprintf("%d of %d %s", one.n, c.ways, one.says))
			}
		}
		if len(parts) > 0 {
			names[i] += " (" + strings.Join(parts, ", ") + ")"
		}
	}
	return cli.OrDash(strings.Join(names, ", "))
}

// mutedText says why nobody is told.
func mutedText(a wire.Alert) string {
	var parts []string
	for _, s := range a.SilencedBy {
		switch {
		case s.Ack:
			parts = append(parts, "acknowledged by "+s.By)
		case s.Maintenance != "":
			parts = append(parts, "maintenance by "+s.By)
		default:
			parts = append(parts, "silenced by "+s.By)
		}
	}
	for _, name := range a.InhibitedBy {
		parts = append(parts, "by "+name)
	}
	for _, one := range a.ShutHours {
		parts = append(parts, hoursText(one)+" for "+one.Receiver)
	}
	return cli.OrDash(strings.Join(parts, ", "))
}

// hoursText names the time intervals that keep a receiver from being told.
func hoursText(h wire.ShutHours) string {
	var parts []string
	if len(h.Intervals) > 0 {
		parts = append(parts, "in "+strings.Join(h.Intervals, " and "))
	}
	if len(h.Outside) > 0 {
		parts = append(parts, "outside "+strings.Join(h.Outside, " and "))
	}
	return strings.Join(parts, ", ")
}

func newTest() *cobra.Command {
	var c client
	var params wire.AlertTestParams
	cmd := &cobra.Command{
		Use:     "test --to RECEIVER",
		Short:   "Send a test message to somebody who is told of alerts",
		Long:    "Send a test message on every way to a receiver, and say how each way took it.",
		Example: "  vedette alerts test --to ops",
		Args:    cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if params.To == "" {
				return cli.Usagef("vedette alerts test needs --to RECEIVER, such as: vedette alerts test --to ops")
			}
			result, err := remote.CallOnce(cmd, &c.Client, wire.AlertsTest, params)
			if err != nil {
				return err
			}
			failed := 0
			for _, way := range result.Ways {
				if way.Failed != "" {
					failed++
					fmt.Fprintf(cli.ToTerminal(cmd.OutOrStdout()), "%s: %s\n", way.Receiver, cli.OneLine(way.Failed))
				} else {
					fmt.Fprintf(cli.ToTerminal(cmd.OutOrStdout()), "%s: sent\n", way.Receiver)
				}
			}
			switch {
			case len(result.Ways) == 0:
				return fmt.Errorf("the receiver %q has no way to be told", params.To)
			case failed > 0:
				return fmt.Errorf("%d of %d messages could not be sent", failed, len(result.Ways))
			}
			return nil
		},
	}
	c.Flags(cmd)
	cmd.Flags().Lookup("timeout").Usage += "; a receiver may take 20s"
	cmd.Flags().StringVar(&params.To, "to", "", "the `RECEIVER`, as in the configuration")
	return cmd
}
