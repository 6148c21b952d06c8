package alerts

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/cmd/internal/remote"
	"github.com/vedettehq/vedette/rpc/wire"
)

func newThreshold() *cobra.Command {
	var c client
	var params wire.AlertThresholdParams
	cmd := &cobra.Command{
		Use:   "threshold ALERT [NUMBER]",
		Short: "Change the threshold of an alert on some hosts",
		Long: `Change the number that an alert compares its values with, or turn the alert off. It
works for the alerts of inspectors, and for built-in ones that are about hosts. The
threshold applies to every host, or to those that --to selects at each moment.

If several thresholds select a host, the one whose selector has most labels applies; a
host's name comes before all. --remove removes a threshold: then the next one that
selects a host applies, or else that of the inspector's source or of the rule.`,
		Example: `  vedette alerts threshold disk/full 98 --to role=backup -m 'filled on purpose'
  vedette alerts threshold memory/nearly-gone 1 --to role=db
  vedette alerts threshold disk/full --off --to host=scratch-1
  vedette alerts threshold disk/full --remove --to role=backup
  vedette alerts threshold list`,
		Args: cobra.RangeArgs(0, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := readThreshold(&params, args); err != nil {
				return err
			}
			one, err := remote.CallOnce(cmd, &c.Client, wire.AlertsThreshold, params)
			if err != nil {
				return err
			}
			if c.JSON {
				return cli.PrintLines(cmd.OutOrStdout(), []wire.AlertThreshold{one})
			}
			_, err = fmt.Fprintln(cli.ToTerminal(cmd.OutOrStdout()), changeText(one))
			return err
		},
	}
	c.Flags(cmd)
	cmd.Flags().StringVar(&params.Selector, "to", "", "on hosts that this label `SELECTOR` selects, such as role=db or host=web-1 (default: every host)")
	cmd.Flags().BoolVar(&params.Off, "off", false, "the alert does not fire there at all")
	cmd.Flags().BoolVar(&params.Remove, "remove", false, "take the threshold back")
	cmd.Flags().StringVarP(&params.Message, "message", "m", "", "why")
	c.JSONFlag(cmd, "print the threshold as one JSON object")
	cmd.AddCommand(newThresholds())
	return cmd
}

// readThreshold reads the arguments of the command.
func readThreshold(params *wire.AlertThresholdParams, args []string) error {
	if len(args) == 0 {
		return cli.Usagef("name an ALERT and a NUMBER, such as: vedette alerts threshold disk/full 98 --to role=backup")
	}
	params.Alert = args[0]
	switch given := len(args) > 1; {
	case params.Off && params.Remove:
		return cli.Usagef("give --off or --remove, not both")
	case given && (params.Off || params.Remove):
		return cli.Usagef("give a NUMBER, --off or --remove, not two of them")
	case !given && !params.Off && !params.Remove:
		return cli.Usagef("give a NUMBER, --off or --remove, such as: vedette alerts threshold %s 95", params.Alert)
	case given:
		v, err := strconv.ParseFloat(args[1], 64)
		if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
			return cli.Usagef("%q is not a number; write it as 95 or 0.5", args[1])
		}
		params.Value = &v
	}
	return nil
}

// changeText says what a master has changed. Its answer to a removal is a threshold that
// neither has a value nor is off.
func changeText(one wire.AlertThreshold) string {
	switch {
	case one.Off:
		return fmt.Sprintf("%s is off on %s.", one.Alert, onHosts(one))
	case one.Value != nil:
		return fmt.Sprintf("%s has the threshold %g on %s.", one.Alert, *one.Value, onHosts(one))
	}
	return fmt.Sprintf("The threshold of %s on %s is taken back.", one.Alert, onHosts(one)) // another one may select the same hosts
}

func onHosts(one wire.AlertThreshold) string {
	if one.Selector == "" {
		return "every host"
	}
	return "hosts with " + one.Selector
}

func newThresholds() *cobra.Command {
	var c client
	l := cli.List[wire.AlertThreshold]{
		Columns: thresholdColumns,
		Name:    func(one wire.AlertThreshold) string { return one.Alert + " " + cli.OrDash(one.Selector) },
		Empty:   func() string { return "Every alert has the threshold that it came with." },
	}
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the thresholds that are set; of an alert, the one that wins comes last",
		Example: "  vedette alerts threshold list",
		Args:    cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return remote.List(&c.Client, cmd, &l, func(s *remote.Session) ([]wire.AlertThreshold, error) {
				result, err := remote.Call(s, wire.AlertsThresholds, wire.Empty{})
				return result.Thresholds, err
			})
		},
	}
	c.Flags(cmd)
	l.Flags(cmd, "print one JSON object a line, one for each threshold")
	return cmd
}

func thresholdColumns(now time.Time) []cli.Column[wire.AlertThreshold] {
	return []cli.Column[wire.AlertThreshold]{
		{Name: "alert", Last: true, Cell: func(one wire.AlertThreshold) string { return one.Alert }},
		{Name: "hosts", Cell: func(one wire.AlertThreshold) string {
			if one.Selector == "" {
				return "all"
			}
			return one.Selector
		}},
		{Name: "threshold", Cell: func(one wire.AlertThreshold) string {
			if one.Off {
				return "off"
			}
			return strings.TrimSpace(fmt.Sprintf("%s %g", one.Operator, *one.Value)) // an idle threshold has no operator
		}},
		{Name: "own", Cell: func(one wire.AlertThreshold) string {
			switch {
			case one.Idle:
				return "no such alert now"
			case one.Own == nil && !one.Off:
				return "has no number, so it stays"
			case one.Own == nil:
				return cli.OrDash("")
			}
			return fmt.Sprintf("%s %g", one.Operator, *one.Own)
		}},
		{Name: "by", Spare: true, Cell: func(one wire.AlertThreshold) string { return cli.OrDash(one.By) }},
		cli.When("set", now, func(one wire.AlertThreshold) int64 { return one.AtMS }),
		{Name: "message", Cell: func(one wire.AlertThreshold) string { return cli.OrDash(cli.OneLine(one.Message)) }},
	}
}
