package alerts

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/cmd/internal/remote"
	"github.com/vedettehq/vedette/rpc/wire"
)

func newExplain() *cobra.Command {
	var c client
	var params wire.AlertParams
	cmd := &cobra.Command{
		Use:   "explain ALERT",
		Short: "Explain the state of an alert, and who is told when",
		Long: `Explain an alert: its rule, its last evaluation, and for each host since when it
fires, who was told, what mutes it, and who is told when.`,
		Example: "  vedette alerts explain disk/filling\n  vedette alerts explain host/gone --host web-1",
		Args:    cli.OneArg("ALERT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			params.Name = args[0]
			e, err := remote.CallOnce(cmd, &c.Client, wire.AlertsExplain, params)
			if err != nil {
				return err
			}
			if c.JSON {
				return cli.PrintLines(cmd.OutOrStdout(), []wire.AlertExplanation{e})
			}
			return printExplanation(cmd.OutOrStdout(), e, time.Now())
		},
	}
	c.Flags(cmd)
	cmd.Flags().StringVar(&params.Host, "host", "", "only of this `HOST`")
	c.JSONFlag(cmd, "print one JSON object")
	c.CompleteFlags(cmd)
	return cmd
}

func printExplanation(w io.Writer, e wire.AlertExplanation, now time.Time) error {
	var b strings.Builder
	for _, r := range e.Rules {
		fmt.Fprintf(&b, "%s, of %s\n  fires when %s\n", r.Name, r.File, cli.OneLine(r.Query))
		if r.ForSeconds > 0 {
			fmt.Fprintf(&b, "  for %s", seconds(r.ForSeconds))
		} else {
			b.WriteString("  at once")
		}
		fmt.Fprintf(&b, "; looked at every %s, %s\n", seconds(r.IntervalSeconds), lastLook(r, now))
	}
	if len(e.Rules) == 0 {
		b.WriteString("There is no such rule any more.\n")
	}
	if len(e.Alerts) == 0 {
		b.WriteString("It is neither pending nor firing.\n")
	}
	for _, a := range e.Alerts {
		explainOne(&b, a, now)
	}
	_, err := io.WriteString(cli.ToTerminal(w), b.String())
	return err
}

func lastLook(r wire.AlertRule, now time.Time) string {
	switch {
	case r.Error != "":
		return "and cannot be evaluated: " + cli.OneLine(r.Error)
	case r.EvaluatedMS == 0:
		return "not yet"
	}
	return "last " + cli.Ago(now, r.EvaluatedMS)
}

func seconds(s float64) string {
	return time.Duration(s * float64(time.Second)).Round(time.Millisecond).String()
}

func explainOne(b *strings.Builder, a wire.AlertFate, now time.Time) {
	been := "has been " + a.State + " since"
	if a.State == wire.AlertEnded {
		been = "had it from"
	}
	fmt.Fprintf(b, "\n%s %s %s (%s)", cli.OrDash(a.Host), been, cli.Moment(a.SinceMS), cli.Ago(now, a.SinceMS))
	if a.Value != nil && a.State != wire.AlertEnded {
		fmt.Fprintf(b, ", its value was %g", *a.Value)
	}
	fmt.Fprintf(b, "\n  %s\n", cli.OrDash(cli.OneLine(a.Summary)))
	if a.EndedMS != 0 {
		fmt.Fprintf(b, "  ended %s\n", cli.Ago(now, a.EndedMS))
	}
	if a.State == wire.AlertUnknown {
		b.WriteString("  its host is gone, so nobody can tell whether it goes on\n")
	}
	for _, t := range a.Told {
		switch {
		case t.Failed != "":
			fmt.Fprintf(b, "  %s could not be told: %s\n", t.Receiver, cli.OneLine(t.Failed))
		case t.AtMS != 0 && t.Ended:
			fmt.Fprintf(b, "  %s was told of the end %s\n", t.Receiver, cli.Ago(now, t.AtMS))
		case t.AtMS != 0:
			fmt.Fprintf(b, "  %s was told %s\n", t.Receiver, cli.Ago(now, t.AtMS))
		}
	}
	for _, s := range a.SilencedBy {
		fmt.Fprintf(b, "  nobody is told until %s: %s by %s (%s)\n", cli.Moment(s.ToMS), silenceKind(s), s.By, cli.OneLine(s.Message))
	}
	if len(a.InhibitedBy) > 0 {
		fmt.Fprintf(b, "  nobody is told while %s fires\n", strings.Join(a.InhibitedBy, ", "))
	}
	for _, h := range a.ShutHours {
		fmt.Fprintf(b, "  %s is told nothing now: it is %s\n", h.Receiver, hoursText(h))
	}
	if len(a.Ways) == 0 && a.State != wire.AlertEnded {
		b.WriteString("  nobody is told of it: no route leads anywhere\n")
	}
	for _, way := range a.Ways {
		switch {
		case way.NextMS != 0:
			fmt.Fprintf(b, "  %s is told next at %s at the earliest, and every %s\n", way.Receiver, cli.Moment(way.NextMS), seconds(way.AgainSeconds))
		case a.State == wire.AlertFiring && len(a.SilencedBy) == 0 && len(a.InhibitedBy) == 0:
			fmt.Fprintf(b, "  %s is not told in the next week: the time intervals of its route mute it\n", way.Receiver)
		}
	}
}

func silenceKind(s wire.Silence) string {
	switch {
	case s.Ack:
		return "acknowledged"
	case s.Maintenance == wire.SelfMaintenance:
		return "maintenance, asked for by the host"
	case s.Maintenance != "":
		return "recurring maintenance " + s.Maintenance
	}
	return "silenced"
}
