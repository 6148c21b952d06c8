package alerts

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/cmd/internal/remote"
	"github.com/vedettehq/vedette/rpc/wire"
)

// NewMaintenance makes the command `vedette maintenance`, with its subcommands.
func NewMaintenance() *cobra.Command {
	var c client
	var f silenceFlags
	var every, zone string
	cmd := &cobra.Command{
		Use:   "maintenance [HOST]",
		Short: "Tell nobody of a host's alerts for a time, or at some hours of every week",
		Long: `Tell nobody of any alert of a host, or of the hosts that --to selects, for a time. An
alert that still fires afterwards is sent then.

With --for, --to means the hosts that it selects now. vedette silence list shows the
maintenance, and vedette silence end ends it early.

With --every it recurs: at the given hours, on the given days or every day, by the
clock of --zone. --to means the hosts that it selects at each moment. vedette silence
end ends it until the next time, and vedette maintenance end removes it.`,
		Example: `  vedette maintenance web-1 --for 1h -m 'new kernel'
  vedette maintenance --to role=db --for 30m
  vedette maintenance web-1 --every 'sun 02:00-04:00' --zone Europe/Berlin -m backup
  vedette maintenance --to role=build --every 'mon-fri 22:00-02:00'
  vedette maintenance list`,
		Args: cli.AtMostOneArg("HOST"),
		RunE: func(cmd *cobra.Command, args []string) error {
			host := ""
			if len(args) > 0 {
				host = args[0]
			}
			switch {
			case host == "" && f.params.Selector == "":
				return cli.Usagef("name a HOST, or give --to SELECTOR")
			case host != "" && f.params.Selector != "":
				return cli.Usagef("name a HOST or give --to, not both")
			case every != "" && cmd.Flags().Changed("for"):
				return cli.Usagef("give --for or --every, not both")
			case every == "" && zone != "":
				return cli.Usagef("--zone is for --every, such as: --every 'sun 02:00-04:00' --zone Europe/Berlin")
			case host != "":
				if err := c.warnOfHost(cmd, host); err != nil {
					return err
				}
				f.params.Matchers = []string{fmt.Sprintf("host=%q", host)}
			}
			if every != "" {
				return c.addMaintenance(cmd, wire.MaintenanceParams{
					Host: host, Selector: f.params.Selector, Every: every, Zone: zone, Message: f.params.Message,
				})
			}
			if f.params.Message == "" {
				f.params.Message = "maintenance"
			}
			return f.make(cmd, &c)
		},
	}
	c.Flags(cmd)
	f.flags(cmd)
	cmd.Flags().Lookup("to").Usage = "of the hosts that this label `SELECTOR` selects, such as role=db"
	cmd.Flags().StringVar(&every, "every", "", "at these `HOURS` of every week, such as 'sun 02:00-04:00', 'mon-fri 22:00-02:00' or '02:00-04:00'")
	cmd.Flags().StringVar(&zone, "zone", "", "by the clock of this time `ZONE`, such as Europe/Berlin (default UTC)")
	c.JSONFlag(cmd, "print what was made as one JSON object")
	cmd.AddCommand(newMaintenances(), newMaintenanceEnd())
	return cmd
}

func (c *client) addMaintenance(cmd *cobra.Command, params wire.MaintenanceParams) error {
	one, err := remote.CallOnce(cmd, &c.Client, wire.MaintenancesAdd, params)
	if err != nil {
		return err
	}
	if c.JSON {
		return cli.PrintLines(cmd.OutOrStdout(), []wire.Maintenance{one})
	}
	_, err = fmt.Fprintf(cli.ToTerminal(cmd.OutOrStdout()), "Nobody is told of alerts of %s every %s %s, %s. Remove it with: vedette maintenance end %s\n",
		maintainedHosts(one), one.Every, one.Zone, nextText(one, time.Now()), one.ID)
	return err
}

// nextText says when a maintenance begins next, or that it is going on.
func nextText(one wire.Maintenance, now time.Time) string {
	if one.FromMS <= now.UnixMilli() {
		return "now until " + cli.Moment(one.ToMS)
	}
	return "next from " + cli.Moment(one.FromMS) + " to " + cli.Moment(one.ToMS)
}

func maintainedHosts(one wire.Maintenance) string {
	if one.Host != "" {
		return one.Host
	}
	return "hosts with " + one.Selector
}

// warnOfHost warns if no host of that name has reported. It may be a host that will report
// later.
func (c *client) warnOfHost(cmd *cobra.Command, host string) error {
	_, err := remote.CallOnce(cmd, &c.Client, wire.HostsGet, wire.HostParams{Host: host})
	if !remote.IsNotFound(err) {
		return err
	}
	cli.Errln(cmd.ErrOrStderr(), "warning: %s", remote.Answer(err))
	return nil
}

func newMaintenances() *cobra.Command {
	var c client
	l := cli.List[wire.Maintenance]{
		Columns: maintenanceColumns,
		Name:    func(one wire.Maintenance) string { return one.ID },
		Empty:   func() string { return "No maintenance recurs. `vedette silence list` shows what is silent now." },
	}
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the maintenances that recur, those that come next at the beginning",
		Example: "  vedette maintenance list\n  vedette maintenance list -o wide",
		Args:    cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return remote.List(&c.Client, cmd, &l, func(s *remote.Session) ([]wire.Maintenance, error) {
				result, err := remote.Call(s, wire.MaintenancesList, wire.Empty{})
				return result.Maintenances, err
			})
		},
	}
	c.Flags(cmd)
	l.Flags(cmd, "print one JSON object a line, one for each maintenance")
	return cmd
}

func maintenanceColumns(now time.Time) []cli.Column[wire.Maintenance] {
	return []cli.Column[wire.Maintenance]{
		{Name: "id", Whole: true, Cell: func(one wire.Maintenance) string { return one.ID }},
		{Name: "hosts", Last: true, Cell: func(one wire.Maintenance) string {
			if one.Host != "" {
				return one.Host
			}
			return fmt.Sprintf("%s (%d)", one.Selector, one.Hosts)
		}},
		{Name: "every", Cell: func(one wire.Maintenance) string { return one.Every + " " + one.Zone }},
		{Name: "next", Cell: func(one wire.Maintenance) string {
			if one.FromMS <= now.UnixMilli() {
				return "now, until " + cli.Moment(one.ToMS)
			}
			return cli.Moment(one.FromMS)
		}, Exact: func(one wire.Maintenance) string { return cli.Moment(one.FromMS) }},
		{Name: "message", Cell: func(one wire.Maintenance) string { return cli.OrDash(cli.OneLine(one.Message)) }},
		{Name: "by", Wide: true, Cell: func(one wire.Maintenance) string { return cli.OrDash(one.By) }},
		{Name: "within", Wide: true, Cell: func(one wire.Maintenance) string { return cli.OrDash(one.Within) }},
	}
}

func newMaintenanceEnd() *cobra.Command {
	var c client
	cmd := &cobra.Command{
		Use:     "end ID",
		Short:   "Remove a maintenance that recurs, and end it if it is now",
		Example: "  vedette maintenance list\n  vedette maintenance end 0f9d2c41b7a8",
		Args:    cli.OneArg("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			one, err := remote.CallOnce(cmd, &c.Client, wire.MaintenancesEnd, wire.MaintenanceEndParams{ID: args[0]})
			if err != nil {
				return err
			}
			if c.JSON {
				return cli.PrintLines(cmd.OutOrStdout(), []wire.Maintenance{one})
			}
			_, err = fmt.Fprintf(cli.ToTerminal(cmd.OutOrStdout()), "Removed: %s, every %s %s.\n", maintainedHosts(one), one.Every, one.Zone)
			return err
		},
	}
	c.Flags(cmd)
	c.JSONFlag(cmd, "print what was removed as one JSON object")
	return cmd
}
