package mesh

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/rpc/wire"
)

// hostInspector is one inspector of one host, as --json prints it.
type hostInspector struct {
	Host string `json:"host"`
	wire.InspectorStatus
}

// NewInspectors makes the command of that name.
func NewInspectors() *cobra.Command {
	var c client
	var running bool
	cmd := &cobra.Command{
		Use:   "inspectors [HOST]",
		Short: "List the inspectors that were pushed, or those that run on the hosts",
		Long: `List the inspectors of the master's catalog: the current revision of each, the
hosts that it is for, how many of them are well, and who changed it last.

With a HOST, or --running for all of them, list what runs there instead, pushed
or not: how it is, how often it ran, how many of its runs failed, and the
processor time that a run takes. CRASHES are those of its process, BUDGET the
runs that were cut off for taking too much.`,
		Example: "  vedette inspectors\n  vedette inspectors --json | jq 'select(.summary.failed > 0) | .name'\n  vedette inspectors web-1\n  vedette inspectors --running --json | jq 'select(.state == \"quarantined\")'",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return fmt.Errorf("vedette inspectors takes one HOST, but got %q too", args[1])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if running || len(args) > 0 {
				return c.listRunning(cmd, args)
			}
			return c.listCatalog(cmd)
		},
	}
	c.flags(cmd)
	cmd.Flags().BoolVar(&running, "running", false, "list what runs on the hosts, pushed or not")
	c.jsonFlag(cmd, "print one JSON object a line, one for each inspector, or each of each host")
	return cmd
}

// listCatalog lists what was pushed.
func (c *client) listCatalog(cmd *cobra.Command) error {
	s, err := c.open(cmd)
	if err != nil {
		return err
	}
	defer s.close()
	var result wire.CatalogResult
	if err := s.call(wire.CatalogList.Name, nil, &result); err != nil {
		return err
	}
	if c.json {
		return cli.PrintLines(cmd.OutOrStdout(), result.Inspectors)
	}
	var rollouts wire.RolloutsResult
	if err := s.call(wire.RolloutsList.Name, wire.RolloutsParams{}, &rollouts); err != nil {
		return err
	}
	return printCatalog(cmd.OutOrStdout(), result, rollouts.Rollouts, time.Now())
}

// printCatalog writes a table of the catalog. ROLLOUT is the state of the last
// one, where that is not long over.
func printCatalog(w io.Writer, catalog wire.CatalogResult, rollouts []wire.Rollout, now time.Time) error {
	all := catalog.Inspectors
	if len(all) == 0 {
		text := "Nothing was pushed yet; push a script with `vedette push FILE`. `vedette inspectors --running` shows what runs."
		if len(catalog.Deleted) > 0 {
			text = fmt.Sprintf("Everything that was pushed is deleted: %s. Bring one back with `vedette inspector rollback NAME`.", strings.Join(catalog.Deleted, ", "))
		}
		_, err := fmt.Fprintln(w, cli.Printable(text))
		return err
	}
	states := make(map[string]string)
	for _, r := range rollouts {
		states[r.ID] = r.State
	}
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tREVISION\tHOSTS\tHEALTHY\tFAILED\tPENDING\tROLLOUT\tBY\tCHANGED\tTO")
	for _, e := range all {
		s := e.Summary
		fmt.Fprintln(table, cli.Printable(fmt.Sprintf("%s\t%s\t%d\t%d\t%d\t%d\t%s\t%s\t%s\t%s", e.Name, shortID(e.Current), s.Hosts, s.Healthy,
			s.Failed+s.Refused, s.Pending, cli.OrDash(states[e.Rollout]), cli.OrDash(e.Author), cli.Ago(now, e.AtMS), selectorText(e.Selector))))
	}
	return table.Flush()
}

// listRunning lists what runs on the hosts.
func (c *client) listRunning(cmd *cobra.Command, args []string) error {
	all, err := c.inspectors(cmd, args)
	if err != nil {
		return err
	}
	if c.json {
		return cli.PrintLines(cmd.OutOrStdout(), all)
	}
	return printInspectors(cmd.OutOrStdout(), all, time.Now())
}

// inspectors asks for those of all hosts, or of the one that is named.
func (c *client) inspectors(cmd *cobra.Command, args []string) ([]hostInspector, error) {
	var result wire.HostsResult
	if len(args) > 0 {
		result.Hosts = make([]wire.Host, 1)
		if err := c.call(cmd, wire.HostsGet.Name, wire.HostParams{Host: args[0]}, &result.Hosts[0]); err != nil {
			return nil, err
		}
	} else if err := c.call(cmd, wire.HostsList.Name, nil, &result); err != nil {
		return nil, err
	}
	var all []hostInspector
	for _, h := range result.Hosts {
		for _, i := range h.Inspectors {
			all = append(all, hostInspector{h.Host, i})
		}
	}
	return all, nil
}

func printInspectors(w io.Writer, all []hostInspector, now time.Time) error {
	if len(all) == 0 {
		_, err := fmt.Fprintln(w, "No inspector was reported yet; `vedette hosts` shows the hosts.")
		return err
	}
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "HOST\tINSPECTOR\tSTATE\tSINCE\tRUNS\tFAILED\tMISSED\tCRASHES\tBUDGET\tCPU/RUN")
	for _, i := range all {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\t%d\t%d\t%d\t%d\t%s\n", cli.Printable(i.Host), cli.Printable(i.Name), cli.Printable(i.State),
			cli.Ago(now, i.SinceMS), i.Runs, i.Failures, i.Missed, i.Crashes, i.OverBudget, cpuPerRun(i.InspectorStatus))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if err := printBoosts(w, all); err != nil {
		return err
	}
	return printReasons(w, all)
}

// printBoosts names those that run faster while somebody watches.
func printBoosts(w io.Writer, all []hostInspector) error {
	first := "\n"
	for _, i := range all {
		if i.BoostedMS == 0 {
			continue
		}
		ms := func(n int64) time.Duration { return time.Duration(n) * time.Millisecond }
		text := fmt.Sprintf("%s: %s runs every %v in place of %v while somebody watches", i.Host, i.Name, ms(i.BoostedMS), ms(i.IntervalMS))
		if _, err := fmt.Fprintf(w, "%s%s\n", first, cli.Printable(text)); err != nil {
			return err
		}
		first = ""
	}
	return nil
}

// printReasons says why those are not well that are not.
func printReasons(w io.Writer, all []hostInspector) error {
	first := "\n"
	for _, i := range all {
		if i.Error == "" {
			continue
		}
		why := strings.ReplaceAll(strings.TrimSpace(i.Error), "\n", "\n    ")
		if _, err := fmt.Fprintf(w, "%s%s\n", first, cli.Printable(fmt.Sprintf("%s: %s is %s\n    %s", i.Host, i.Name, i.State, why))); err != nil {
			return err
		}
		first = ""
	}
	return nil
}

// cpuPerRun is the mean processor time of a run.
func cpuPerRun(i wire.InspectorStatus) string {
	if i.Runs == 0 || i.CPUSeconds == 0 {
		return "-"
	}
	mean := time.Duration(i.CPUSeconds / float64(i.Runs) * float64(time.Second))
	return mean.Round(max(time.Microsecond, mean/1000)).String()
}
