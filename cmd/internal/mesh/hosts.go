package mesh

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/cmd/internal/remote"
	"github.com/vedettehq/vedette/rpc/wire"
)

// hostsList is one run of `vedette hosts`.
type hostsList struct {
	client
	list            cli.List[wire.Host]
	labels, failing bool
	to              string
}

// NewHosts makes the command `vedette hosts`.
func NewHosts() *cobra.Command {
	h := &hostsList{}
	cmd := &cobra.Command{
		Use:     "hosts [HOST]",
		Aliases: []string{"host"},
		Short:   "List the hosts, or show everything about one",
		Long: `List every host that the master has seen: whether it is up, when it was last heard of,
how far its clock is off, and the states of its inspectors. Inspectors that fail, are
refused or are quarantined are named below with their errors.

With a HOST show everything about that one: its state, labels and policy, how its
scripts are isolated, its alerts, each inspector with its cost, and how far each
pushed inspector is.`,
		Example: "  vedette hosts\n  vedette hosts web-1\n  vedette hosts --failing --watch\n  vedette hosts --to role=db --sort -skew -o wide\n  vedette hosts --labels\n" +
			"  vedette hosts --json | jq .host\n  vedette hosts label web-1 role=web",
		Args: cli.AtMostOneArg("HOST"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return h.one(cmd, args[0])
			}
			return h.run(cmd)
		},
	}
	h.list = cli.List[wire.Host]{
		Columns: func(now time.Time) []cli.Column[wire.Host] {
			if h.labels {
				return labelColumns()
			}
			return hostColumns(now)
		},
		Name:  func(h wire.Host) string { return h.Host },
		Empty: h.empty,
		After: h.notes,
	}
	h.Flags(cmd)
	h.list.Flags(cmd, "print one JSON object a line, one for each host")
	remote.ToFlag(cmd, &h.to, "the hosts")
	cmd.Flags().BoolVar(&h.failing, "failing", false, "only hosts that are away, starved or not stored, or have an inspector that fails")
	cmd.Flags().BoolVar(&h.labels, "labels", false, "show the labels of each host, which selectors select by")
	h.CompleteFlags(cmd)
	cmd.AddCommand(newHostsLabel())
	return cmd
}

func (h *hostsList) run(cmd *cobra.Command) error {
	return remote.List(&h.client.Client, cmd, &h.list, func(s *remote.Session) ([]wire.Host, error) {
		result, err := remote.Call(s, wire.HostsList, wire.HostsParams{Selector: h.to})
		if err == nil {
			err = markRefused(s, result.Hosts)
		}
		if h.failing {
			result.Hosts = slices.DeleteFunc(result.Hosts, func(h wire.Host) bool { return !troubled(h) })
		}
		return result.Hosts, err
	})
}

func (h *hostsList) empty() string {
	switch {
	case h.failing:
		return "No host has anything that fails."
	case h.to != "":
		return fmt.Sprintf("No host has the labels %q; `vedette hosts --labels` shows those that there are.", h.to)
	}
	return "No host has reported yet; start an agent with `vedette agent`."
}

// hostColumns are the columns of a table of hosts.
func hostColumns(now time.Time) []cli.Column[wire.Host] {
	return []cli.Column[wire.Host]{
		{Name: "host", Last: true, Cell: func(h wire.Host) string { return h.Host }},
		{Name: "state", Cell: func(h wire.Host) string { return h.State }},
		cli.When("seen", now, func(h wire.Host) int64 { return h.LastSeenMS }),
		{Name: "skew", Cell: skew, Moves: true, Right: true, Spare: true, By: func(h wire.Host) float64 { return float64(h.SkewMS) }},
		{Name: "version", Spare: true, Cell: func(h wire.Host) string { return cli.OrDash(h.Version) }},
		{Name: "inspectors", Last: true, Cell: inspectorCounts},
		{Name: "system", Wide: true, Cell: func(h wire.Host) string { return cli.OrDash(strings.Trim(h.OS+"/"+h.Arch, "/")) }},
		{Name: "address", Wide: true, Cell: func(h wire.Host) string { return cli.OrDash(h.Remote) }},
		{Name: "series", Wide: true, Right: true, Cell: func(h wire.Host) string { return fmt.Sprint(h.Series) }},
		{Name: "code", Wide: true, Cell: takesCode},
		{Name: "labels", Wide: true, Cell: func(h wire.Host) string { return labelsText(h.Labels) }},
	}
}

// notes writes the problems of the hosts below the table.
func (h *hostsList) notes(w io.Writer, hosts []wire.Host, now time.Time) error {
	if h.labels {
		return nil
	}
	if err := printStarved(w, hosts); err != nil {
		return err
	}
	if err := printIsolation(w, hosts); err != nil {
		return err
	}
	if err := printDelivery(w, hosts); err != nil {
		return err
	}
	return printFailing(w, hosts, now)
}

// printStarved names the hosts that lack processor time for their inspectors.
func printStarved(w io.Writer, hosts []wire.Host) error {
	var lines []string
	for _, h := range hosts {
		if h.Agent == nil || h.Agent.Starved == "" || h.State != wire.HostUp {
			continue
		}
		lines = append(lines, fmt.Sprintf("%s: this host is starved: %s", h.Host, h.Agent.Starved))
	}
	if len(lines) == 0 {
		return nil
	}
	_, err := fmt.Fprintf(w, "\n%s\n", cli.Printable(strings.Join(lines, "\n")))
	return err
}

// printIsolation names the hosts whose scripts are not fully isolated.
func printIsolation(w io.Writer, hosts []wire.Host) error {
	first := true
	for _, h := range hosts {
		if h.Agent == nil || h.Agent.Isolation == nil || len(h.Agent.Isolation.Missing) == 0 {
			continue
		}
		if first {
			fmt.Fprintln(w)
			first = false
		}
		text := fmt.Sprintf("%s: scripts are isolated by %s", h.Host, cli.OrDash(strings.Join(h.Agent.Isolation.Layers, ", ")))
		for _, m := range h.Agent.Isolation.Missing {
			text += fmt.Sprintf("\n    not by %s: %s", m.Layer, m.Reason)
		}
		if _, err := fmt.Fprintln(w, cli.Printable(text)); err != nil {
			return err
		}
	}
	return nil
}

// printDelivery names the hosts whose samples arrive late or never, or would be lost if the
// master went away.
func printDelivery(w io.Writer, hosts []wire.Host) error {
	var lines []string
	for _, h := range hosts {
		if h.NotKept != "" && h.State == wire.HostUp {
			lines = append(lines, fmt.Sprintf("%s: %s", h.Host, h.NotKept))
		}
		if h.Agent == nil {
			continue
		}
		if n := h.Agent.SamplesDropped; n > 0 {
			lines = append(lines, fmt.Sprintf("%s: %d samples were dropped in all; charts have gaps there", h.Host, n))
		}
		if _, why, ok := strings.Cut(h.Agent.Spool, "memory: "); ok {
			lines = append(lines, fmt.Sprintf("%s: keeps what cannot be sent in memory, not on its disk\n    %s", h.Host, why))
		}
	}
	if len(lines) == 0 {
		return nil
	}
	_, err := fmt.Fprintf(w, "\n%s\n", cli.Printable(strings.Join(lines, "\n")))
	return err
}

// printFailing names the inspectors that are not well.
func printFailing(w io.Writer, hosts []wire.Host, now time.Time) error {
	first := true
	for _, h := range hosts {
		for _, i := range h.Inspectors {
			if !failing(i) {
				continue
			}
			if first {
				fmt.Fprintln(w)
				first = false
			}
			why := strings.ReplaceAll(strings.TrimSpace(i.Error), "\n", "\n    ")
			runs := fmt.Sprintf(", %d of %d runs failed", i.Failures, i.Runs)
			if i.State == stateRefused || i.Runs == 0 {
				runs = ""
			}
			if _, err := fmt.Fprintln(w, cli.Printable(fmt.Sprintf("%s: %s has been %s for %s%s\n    %s",
				h.Host, i.Name, i.State, cli.For(now, i.SinceMS), runs, why))); err != nil {
				return err
			}
		}
	}
	return nil
}

// skew is how far a host's clock is ahead of the master's.
func skew(h wire.Host) string {
	if h.Simple || h.State != wire.HostUp {
		return "-"
	}
	d := time.Duration(h.SkewMS) * time.Millisecond
	switch {
	case d.Abs() < 5*time.Millisecond:
		return "0.00s"
	case d.Abs() < 10*time.Second:
		return fmt.Sprintf("%+.2fs", d.Seconds())
	}
	sign := "+"
	if d < 0 {
		sign = "-"
	}
	return sign + d.Abs().Round(time.Second).String()
}

func inspectorCounts(h wire.Host) string {
	if h.Simple {
		return "-"
	}
	counts := make(map[string]int)
	for _, i := range h.Inspectors {
		counts[i.State]++
	}
	var parts []string
	for _, state := range []string{wire.StateOK, wire.StateStarting, wire.StateStarved, wire.StateFailing, wire.StateQuarantined, stateRefused} {
		if counts[state] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[state], state))
		}
	}
	return cli.OrDash(strings.Join(parts, ", "))
}
