package mesh

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

// hostInspector is one inspector of one host, as --json prints it.
type hostInspector struct {
	Host string `json:"host"`
	wire.InspectorStatus
}

// inspectorsList is one run of `vedette inspectors`.
type inspectorsList struct {
	client
	catalog cli.List[catalogRow]
	onHosts cli.List[hostInspector]
	running bool
	host    string // the selector of the hosts whose inspectors are listed
	to      string
	deleted []string
}

// catalogRow is an inspector of the catalog with the state of its last rollout, which the
// JSON leaves out.
type catalogRow struct {
	wire.CatalogEntry
	rollout string
}

// NewInspectors makes the command `vedette inspectors`.
func NewInspectors() *cobra.Command {
	in := &inspectorsList{}
	cmd := &cobra.Command{
		Use:   "inspectors [HOST]",
		Short: "List the inspectors that were pushed, or those that run on the hosts",
		Long: `List the inspectors of the master's catalog: the current revision of each, the hosts
that it is for, on how many of them it is healthy, and who changed it last.

With a HOST, or --running or --to for all of them, list the running inspectors
instead, pushed or not: their state, how often they ran, how many runs failed, and the
processor time of a run. CRASHES counts crashes of the process, BUDGET runs that were
cut off for exceeding the budget.`,
		Example: "  vedette inspectors\n  vedette inspectors --json | jq 'select(.summary.failed > 0) | .name'\n  vedette inspectors web-1 --sort -cpu/run\n" +
			"  vedette inspectors --running --json | jq 'select(.state == \"quarantined\")'",
		Args: cli.AtMostOneArg("HOST"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if in.running || len(args) > 0 || in.to != "" {
				in.host = strings.Join(args, "")
				return in.listOnHosts(cmd, args)
			}
			return in.listCatalog(cmd)
		},
	}
	in.catalog = cli.List[catalogRow]{Columns: catalogColumns, Name: func(e catalogRow) string { return e.Name }, Empty: in.nothing}
	in.onHosts = cli.List[hostInspector]{
		Columns: inspectorColumns,
		Name:    func(i hostInspector) string { return i.Host + " " + i.Name },
		Empty:   in.nothingRuns,
		After:   printNotes,
	}
	in.Flags(cmd)
	in.onHosts.Flags(cmd, "print one JSON object a line, one for each inspector, or each of each host")
	cmd.Flags().BoolVar(&in.running, "running", false, "list what runs on the hosts, pushed or not")
	remote.ToFlag(cmd, &in.to, "what runs on hosts")
	in.CompleteFlags(cmd)
	return cmd
}

// listCatalog lists the pushed inspectors.
func (in *inspectorsList) listCatalog(cmd *cobra.Command) error {
	in.catalog.ListFlags = in.onHosts.ListFlags
	return remote.List(&in.client.Client, cmd, &in.catalog, func(s *remote.Session) ([]catalogRow, error) {
		result, err := remote.Call(s, wire.CatalogList, wire.Empty{})
		if err != nil {
			return nil, err
		}
		in.deleted = result.Deleted
		states := make(map[string]string)
		if in.catalog.Format() == "" || in.catalog.Format() == cli.FormatWide {
			rollouts, err := remote.Call(s, wire.RolloutsList, wire.RolloutsParams{})
			if err != nil {
				return nil, err
			}
			for _, r := range rollouts.Rollouts {
				states[r.ID] = r.State
			}
		}
		var rows []catalogRow
		for _, e := range result.Inspectors {
			rows = append(rows, catalogRow{e, states[e.Rollout]})
		}
		return rows, nil
	})
}

// nothingRuns says why no inspector runs on the chosen hosts.
func (in *inspectorsList) nothingRuns() string {
	switch {
	case in.host != "":
		return fmt.Sprintf("Host %q reports no inspectors.", in.host)
	case in.to != "":
		return fmt.Sprintf("No host with the labels %q reports inspectors; `vedette hosts --labels` shows the labels of each.", in.to)
	}
	return "No inspector was reported yet; `vedette hosts` shows the hosts."
}

// nothing says that the catalog is empty.
func (in *inspectorsList) nothing() string {
	if len(in.deleted) > 0 {
		return fmt.Sprintf("Everything that was pushed is deleted: %s. Bring one back with `vedette inspector rollback NAME`.", strings.Join(in.deleted, ", "))
	}
	return "Nothing was pushed yet; push a script with `vedette push FILE`. `vedette inspectors --running` shows what runs."
}

// catalogColumns are the columns of a table of the catalog. ROLLOUT is the state of the
// last rollout, unless it ended long ago.
func catalogColumns(now time.Time) []cli.Column[catalogRow] {
	changed := cli.When("changed", now, func(e catalogRow) int64 { return e.AtMS })
	changed.Spare = true
	return []cli.Column[catalogRow]{
		{Name: "name", Last: true, Cell: func(e catalogRow) string { return e.Name }},
		cli.ID("revision", func(e catalogRow) string { return e.Current }),
		cli.Num("hosts", func(e catalogRow) int { return e.Summary.Hosts }),
		cli.Num("healthy", func(e catalogRow) int { return e.Summary.Healthy }),
		cli.Num("failed", func(e catalogRow) int { return e.Summary.Failed }),
		cli.Num("refused", func(e catalogRow) int { return e.Summary.Refused }),
		cli.Num("pending", func(e catalogRow) int { return e.Summary.Pending }),
		{Name: "rollout", Cell: func(e catalogRow) string { return cli.OrDash(e.rollout) }},
		{Name: "by", Spare: true, Cell: func(e catalogRow) string { return cli.OrDash(e.Author) }},
		changed,
		{Name: "to", Spare: true, Cell: func(e catalogRow) string { return remote.SelectorText(e.Selector) }},
		{Name: "kind", Wide: true, Cell: func(e catalogRow) string { return e.Kind }},
		{Name: "version", Wide: true, Cell: func(e catalogRow) string { return e.Version }},
		{Name: "why", Wide: true, Cell: func(e catalogRow) string { return cli.OrDash(cli.OneLine(e.Message)) }},
	}
}

// listOnHosts lists the inspectors that run on the hosts.
func (in *inspectorsList) listOnHosts(cmd *cobra.Command, args []string) error {
	return remote.List(&in.client.Client, cmd, &in.onHosts, func(s *remote.Session) ([]hostInspector, error) {
		hosts, err := in.hosts(s, args)
		var all []hostInspector
		for _, h := range hosts {
			for _, i := range h.Inspectors {
				all = append(all, hostInspector{h.Host, i})
			}
		}
		return all, err
	})
}

// hosts returns the selected hosts, or the named one.
func (in *inspectorsList) hosts(s *remote.Session, args []string) ([]wire.Host, error) {
	if len(args) > 0 {
		host, err := remote.Call(s, wire.HostsGet, wire.HostParams{Host: args[0]})
		if err != nil {
			return nil, err
		}
		hosts := []wire.Host{host}
		return hosts, markRefused(s, hosts)
	}
	result, err := remote.Call(s, wire.HostsList, wire.HostsParams{Selector: in.to})
	if err != nil {
		return nil, err
	}
	return result.Hosts, markRefused(s, result.Hosts)
}

// inspectorColumns are the columns of a table of running inspectors.
func inspectorColumns(now time.Time) []cli.Column[hostInspector] {
	count := func(name string, of func(hostInspector) uint64) cli.Column[hostInspector] {
		c := cli.Num(name, of)
		c.Moves, c.Spare = name == "runs", true
		return c
	}
	return []cli.Column[hostInspector]{
		{Name: "host", Last: true, Cell: func(i hostInspector) string { return i.Host }},
		{Name: "inspector", Last: true, Cell: func(i hostInspector) string { return i.Name }},
		{Name: "state", Cell: func(i hostInspector) string { return i.State }},
		cli.Since(now, func(i hostInspector) int64 { return i.SinceMS }),
		count("runs", func(i hostInspector) uint64 { return i.Runs }),
		count("failed", func(i hostInspector) uint64 { return i.Failures }),
		count("missed", func(i hostInspector) uint64 { return i.Missed }),
		count("crashes", func(i hostInspector) uint64 { return i.Crashes }),
		count("budget", func(i hostInspector) uint64 { return i.OverBudget }),
		{Name: "cpu/run", Right: true, Moves: true, Spare: true, Cell: func(i hostInspector) string { return cpuPerRun(i.InspectorStatus) }, By: secondsPerRun},
		{Name: "every", Wide: true, Right: true, Cell: func(i hostInspector) string { return (time.Duration(i.IntervalMS) * time.Millisecond).String() }},
		{Name: "kind", Wide: true, Cell: func(i hostInspector) string { return i.Kind }},
		{Name: "revision", Wide: true, Cell: func(i hostInspector) string { return cli.OrDash(i.Assigned) }},
		{Name: "reason", Wide: true, Cell: func(i hostInspector) string { return cli.OrDash(cli.OneLine(i.Error)) }},
	}
}

// printNotes says below the table which inspectors are boosted, and why others are not
// well.
func printNotes(w io.Writer, all []hostInspector, _ time.Time) error {
	if err := printBoosts(w, all); err != nil {
		return err
	}
	return printReasons(w, all)
}

// printBoosts names the inspectors that run faster while somebody watches.
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

// printReasons gives the reason for each inspector that is not well.
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

// secondsPerRun is the mean CPU time of a run.
func secondsPerRun(i hostInspector) float64 {
	if i.Runs == 0 {
		return 0
	}
	return i.CPUSeconds / float64(i.Runs)
}

// cpuPerRun formats the mean CPU time of a run.
func cpuPerRun(i wire.InspectorStatus) string {
	if i.Runs == 0 || i.CPUSeconds == 0 {
		return "-"
	}
	mean := time.Duration(i.CPUSeconds / float64(i.Runs) * float64(time.Second))
	return mean.Round(max(time.Microsecond, mean/1000)).String()
}
