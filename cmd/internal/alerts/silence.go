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

// NewSilence makes the command `vedette silence`, with its subcommands.
func NewSilence() *cobra.Command {
	var c client
	var f silenceFlags
	cmd := &cobra.Command{
		Use:   "silence MATCHER…",
		Short: "Tell nobody of some alerts for a time",
		Long: `Tell nobody of the alerts that all of the matchers match: alertname=disk/filling,
host=web-1, severity!=critical, or with a regular expression
alertname=~"inspector/.*". An alert that still fires when the silence ends is sent
then.`,
		Example: `  vedette silence host=web-1 alertname=disk/filling --for 2h -m 'new disk on its way'
  vedette silence 'alertname=~"inspector/.*"' --to role=test --for 24h
  vedette silence list
  vedette silence end 669e096f-3532-4b14-8509-2285569e2abb`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 && f.params.Selector == "" {
				return cli.Usagef("say what is silent: a MATCHER such as host=web-1, or --to SELECTOR")
			}
			f.params.Matchers = args
			return f.make(cmd, &c)
		},
	}
	c.Flags(cmd)
	f.flags(cmd)
	c.JSONFlag(cmd, "print the silence as one JSON object")
	cmd.AddCommand(newSilences(), newSilenceEnd())
	return cmd
}

// silenceFlags are the flags of a command that makes a silence.
type silenceFlags struct {
	params wire.SilenceParams
	length string
}

func (f *silenceFlags) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.length, "for", "1h", "for this `DURATION`, such as 30m, 24h or 7d")
	cmd.Flags().StringVarP(&f.params.Message, "message", "m", "", "why")
	cmd.Flags().StringVar(&f.params.Selector, "to", "", "only of hosts that this label `SELECTOR` selects now, such as role=db")
}

func (f *silenceFlags) make(cmd *cobra.Command, c *client) error {
	length, err := cli.ParseLength(f.length)
	if err != nil {
		return cli.Usagef("--for: %v", err)
	}
	f.params.Seconds = length.Seconds()
	s, err := remote.CallOnce(cmd, &c.Client, wire.SilencesAdd, f.params)
	if err != nil {
		return err
	}
	if c.JSON {
		return cli.PrintLines(cmd.OutOrStdout(), []wire.Silence{s})
	}
	_, err = fmt.Fprintf(cli.ToTerminal(cmd.OutOrStdout()), "Nobody is told of %s until %s. End it with: vedette silence end %s\n",
		strings.Join(s.Matchers, ", "), cli.Moment(s.ToMS), s.ID)
	return err
}

// NewAck makes the command `vedette ack`.
func NewAck() *cobra.Command {
	var c client
	var params wire.AlertAckParams
	cmd := &cobra.Command{
		Use:   "ack ALERT",
		Short: "Acknowledge an alert: nobody is told of it again until it has ended",
		Long: `Acknowledge a firing alert: nobody is told of it again until it has ended. The
acknowledgement ends with the alert.`,
		Example: "  vedette ack disk/filling --host web-1 -m 'I am on it'",
		Args:    cli.OneArg("ALERT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			params.Name = args[0]
			result, err := remote.CallOnce(cmd, &c.Client, wire.AlertsAck, params)
			if err != nil {
				return err
			}
			if c.JSON {
				return cli.PrintLines(cmd.OutOrStdout(), result.Silences)
			}
			_, err = fmt.Fprintf(cli.ToTerminal(cmd.OutOrStdout()), "Acknowledged %s, until they have ended.\n", cli.Counted(len(result.Silences), "alert", "alerts"))
			return err
		},
	}
	c.Flags(cmd)
	cmd.Flags().StringVar(&params.Host, "host", "", "only of this `HOST`")
	cmd.Flags().StringVarP(&params.Message, "message", "m", "", "what you do about it")
	c.JSONFlag(cmd, "print one JSON object a line, one for each silence that was made")
	c.CompleteFlags(cmd)
	return cmd
}

func newSilences() *cobra.Command {
	var c client
	var params wire.SilencesParams
	l := cli.List[wire.Silence]{
		Columns: silenceColumns,
		Name:    func(s wire.Silence) string { return s.ID },
		Empty:   func() string { return "Nothing is silenced." },
	}
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the silences, those that end soonest first",
		Example: "  vedette silence list\n  vedette silence list --ended -o wide",
		Args:    cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return remote.List(&c.Client, cmd, &l, func(s *remote.Session) ([]wire.Silence, error) {
				result, err := remote.Call(s, wire.SilencesList, params)
				return result.Silences, err
			})
		},
	}
	c.Flags(cmd)
	cmd.Flags().BoolVar(&params.Ended, "ended", false, "also those that ended in the last five days")
	l.Flags(cmd, "print one JSON object a line, one for each silence")
	return cmd
}

func silenceColumns(time.Time) []cli.Column[wire.Silence] {
	return []cli.Column[wire.Silence]{
		{Name: "state", Cell: func(s wire.Silence) string { return s.State }},
		{Name: "until", Cell: func(s wire.Silence) string {
			if s.Ack {
				return "it ends"
			}
			return cli.Moment(s.ToMS)
		}, Exact: func(s wire.Silence) string { return cli.Moment(s.ToMS) }},
		{Name: "by", Spare: true, Cell: func(s wire.Silence) string { return cli.OrDash(s.By) }},
		{Name: "matchers", Last: true, Cell: func(s wire.Silence) string { return strings.Join(s.Matchers, ", ") }},
		{Name: "message", Cell: func(s wire.Silence) string { return cli.OrDash(cli.OneLine(s.Message)) }},
		{Name: "id", Whole: true, Cell: func(s wire.Silence) string { return s.ID }},
	}
}

func newSilenceEnd() *cobra.Command {
	var c client
	cmd := &cobra.Command{
		Use:     "end SILENCE",
		Short:   "End a silence, a maintenance or an acknowledgement now",
		Example: "  vedette silence end 669e096f-3532-4b14-8509-2285569e2abb",
		Args:    cli.OneArg("SILENCE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			_, err := remote.CallOnce(cmd, &c.Client, wire.SilencesEnd, wire.SilenceEndParams{Silence: args[0]})
			return err
		},
	}
	c.Flags(cmd)
	return cmd
}
