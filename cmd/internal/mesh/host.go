package mesh

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/cmd/internal/remote"
	"github.com/vedettehq/vedette/rpc/wire"
)

// hostDetail is everything that the master knows about a host, as --json prints it.
type hostDetail struct {
	wire.Host
	Receipts []wire.Receipt `json:"receipts"` // for each pushed inspector
	Alerts   []hostAlert    `json:"alerts"`   // firing or pending
}

// hostAlert is an alert about a host.
type hostAlert struct {
	Name    string `json:"name"`
	State   string `json:"state"`
	SinceMS int64  `json:"since_ms"`
	Summary string `json:"summary,omitempty"`
}

// one shows a single host.
func (h *hostsList) one(cmd *cobra.Command, name string) error {
	if err := h.list.Check(); err != nil {
		return err
	}
	s, err := h.Open(cmd)
	if err != nil {
		return err
	}
	defer s.Close()
	d := hostDetail{Receipts: []wire.Receipt{}, Alerts: []hostAlert{}}
	if d.Host, err = remote.Call(s, wire.HostsGet, wire.HostParams{Host: name}); err != nil {
		return err
	}
	if err := d.askReceipts(s); err != nil {
		return err
	}
	if err := d.askAlerts(cmd.Context(), &h.client); err != nil {
		return err
	}
	if done, err := h.list.Print(cmd.OutOrStdout(), d); done {
		return err
	}
	return d.print(cmd.OutOrStdout(), time.Now(), h.list.Format() == cli.FormatWide)
}

// askReceipts asks for the host's receipts of pushed inspectors.
func (d *hostDetail) askReceipts(s *remote.Session) error {
	catalog, err := remote.Call(s, wire.CatalogList, wire.Empty{})
	if err != nil {
		return err
	}
	for _, e := range catalog.Inspectors {
		receipts, err := remote.Call(s, wire.CatalogReceipts, wire.CatalogParams{Name: e.Name})
		if remote.IsNotFound(err) {
			continue // it has just been deleted
		} else if err != nil {
			return err
		}
		for _, r := range receipts.Receipts {
			if r.Host == d.Host.Host {
				r.Receipt.Inspector = e.Name
				d.Receipts = append(d.Receipts, r.Receipt)
				if r.State == wire.ReceiptRefused {
					setRefused([]wire.Host{d.Host}, []wire.HostReceipt{r})
				}
			}
		}
	}
	return nil
}

// askAlerts asks for the alerts about the host.
func (d *hostDetail) askAlerts(ctx context.Context, c *client) error {
	var data struct {
		Alerts []struct {
			Labels      map[string]string `json:"labels"`
			Annotations map[string]string `json:"annotations"`
			State       string            `json:"state"`
			ActiveAt    time.Time         `json:"activeAt"`
		} `json:"alerts"`
	}
	if _, err := c.HTTPGet(ctx, "alerts", nil, &data); err != nil {
		return err
	}
	for _, a := range data.Alerts {
		if a.Labels["host"] == d.Host.Host {
			d.Alerts = append(d.Alerts, hostAlert{a.Labels["alertname"], a.State, a.ActiveAt.UnixMilli(), a.Annotations["summary"]})
		}
	}
	return nil
}

// print shows the host for people: its properties, its problems, and what runs there.
func (d *hostDetail) print(w io.Writer, now time.Time, wide bool) error {
	var b strings.Builder
	line := func(name, text string) {
		if text != "" {
			fmt.Fprintf(&b, "%-11s %s\n", name, strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n            "))
		}
	}
	line("host", d.state(now))
	line("system", strings.Trim(d.OS+"/"+d.Arch, "/")+prefixed(", vedette ", d.Version)+prefixed(", from ", d.Remote))
	line("labels", labelsText(d.Labels))
	line("samples", fmt.Sprintf("%s, %s since the master's start", cli.Counted(d.Series, "series", "series"), cli.Counted(int(d.Samples), "sample", "samples")))
	if !d.Simple {
		line("code", d.code())
		line("policy", policyText(d.Host.Policy))
	}
	if d.Agent != nil {
		line("isolation", isolationText(d.Agent.Isolation))
		line("delivery", d.delivery())
		line("starved", d.Agent.Starved)
	}
	line("not stored", d.NotKept)
	for _, a := range d.Alerts {
		line("alert", fmt.Sprintf("%s has been %s for %s%s", a.Name, a.State, cli.For(now, a.SinceMS), prefixed(": ", a.Summary)))
	}
	if _, err := io.WriteString(wrapped(w, wide), cli.Printable(b.String())); err != nil {
		return err
	}
	return d.tables(w, now, wide)
}

// wrapped breaks long lines on a terminal, except for -o wide.
func wrapped(w io.Writer, wide bool) io.Writer {
	if wide {
		return w
	}
	return cli.ToTerminal(w)
}

// state says whether the host is up, and since when.
func (d *hostDetail) state(now time.Time) string {
	text := fmt.Sprintf("%s has been %s since %s (%s), seen %s", d.Host.Host, d.State, cli.Moment(d.SinceMS), cli.Ago(now, d.SinceMS), cli.Ago(now, d.LastSeenMS))
	switch s := skew(d.Host); s[0] {
	case '+':
		text += ", its clock " + s[1:] + " ahead"
	case '-':
		if s != "-" {
			text += ", its clock " + s[1:] + " behind"
		}
	}
	if d.Simple {
		text += "; it reports by single calls, and runs no code"
	}
	return text
}

// code says whose code the host runs.
func (d *hostDetail) code() string {
	switch takesCode(d.Host) {
	case "refuses":
		return "refuses what a master sends (agent.accept_pushed_inspectors)"
	case "signed":
		switch {
		case len(d.Signers) == 0:
			return "takes signed code, and every key that it knows is revoked (vedette key list)"
		case d.SignersNeeded > 1:
			return fmt.Sprintf("takes what is signed by %d of %s", d.SignersNeeded, strings.Join(d.Signers, ", "))
		}
		return "takes what is signed by " + strings.Join(d.Signers, " or ")
	}
	return "takes what the master sends"
}

// policyText says which needs of pushed code a host allows.
func policyText(p *wire.Policy) string {
	if p == nil {
		return "not told"
	}
	var parts []string
	for _, right := range []struct {
		has  bool
		word string
	}{{p.Net, "net"}, {p.Processes, "processes"}, {p.Plugins, "plugins"}} {
		if right.has {
			parts = append(parts, right.word)
		}
	}
	for _, list := range []struct {
		word  string
		names []string
	}{{"connect", p.Connect}, {"unix", p.Unix}, {"fs", p.FS}, {"exec", p.Exec}} {
		if len(list.names) > 0 {
			parts = append(parts, list.word+" "+strings.Join(list.names, " "))
		}
	}
	if len(p.Secrets) > 0 {
		parts = append(parts, "secrets "+strings.Join(slices.Sorted(maps.Keys(p.Secrets)), " "))
	}
	if len(parts) == 0 {
		return "pushed code may need nothing"
	}
	return "pushed code may need: " + strings.Join(parts, "; ")
}

// isolationText says which layers isolate scripts from the host.
func isolationText(i *wire.Isolation) string {
	if i == nil {
		return ""
	}
	text := cli.OrDash(strings.Join(i.Layers, ", "))
	for _, m := range i.Missing {
		text += fmt.Sprintf("\nnot %s: %s", m.Layer, m.Reason)
	}
	return text
}

// delivery says how samples reach the master.
func (d *hostDetail) delivery() string {
	text := cli.Counted(d.Agent.ReportsQueued, "report", "reports") + " not sent yet"
	if d.Agent.SamplesDropped > 0 {
		text += fmt.Sprintf("; %d samples were dropped in all", d.Agent.SamplesDropped)
	}
	switch {
	case d.Agent.Spool == "disk":
		text += "; what cannot be sent is kept on its disk"
	case d.Agent.Spool != "":
		text += "; what cannot be sent is kept in " + d.Agent.Spool
	}
	return text
}

// tables writes the tables of running and of pushed inspectors.
func (d *hostDetail) tables(w io.Writer, now time.Time, wide bool) error {
	inspectors := cli.List[wire.InspectorStatus]{Columns: hostInspectorColumns}
	if len(d.Inspectors) > 0 {
		fmt.Fprintln(w)
		if err := inspectors.WriteTable(w, d.Inspectors, now, wide); err != nil {
			return err
		}
	}
	receipts := cli.List[wire.Receipt]{Columns: hostReceiptColumns}
	if len(d.Receipts) > 0 {
		fmt.Fprintln(w)
		if err := receipts.WriteTable(w, d.Receipts, now, wide); err != nil {
			return err
		}
	}
	var all []hostInspector
	for _, i := range d.Inspectors {
		all = append(all, hostInspector{d.Host.Host, i})
	}
	return printNotes(wrapped(w, wide), all, now)
}

// hostInspectorColumns are the columns of a table of the inspectors of one host.
func hostInspectorColumns(now time.Time) []cli.Column[wire.InspectorStatus] {
	every := func(i wire.InspectorStatus) string { return (time.Duration(i.IntervalMS) * time.Millisecond).String() }
	count := func(name string, of func(wire.InspectorStatus) uint64) cli.Column[wire.InspectorStatus] {
		c := cli.Num(name, of)
		c.Spare = true
		return c
	}
	return []cli.Column[wire.InspectorStatus]{
		{Name: "inspector", Last: true, Cell: func(i wire.InspectorStatus) string { return i.Name }},
		{Name: "state", Cell: func(i wire.InspectorStatus) string { return i.State }},
		cli.Since(now, func(i wire.InspectorStatus) int64 { return i.SinceMS }),
		cli.ID("pushed", func(i wire.InspectorStatus) string { return i.Assigned }),
		{Name: "every", Right: true, Spare: true, Cell: every},
		count("runs", func(i wire.InspectorStatus) uint64 { return i.Runs }),
		count("failed", func(i wire.InspectorStatus) uint64 { return i.Failures }),
		{Name: "cpu/run", Right: true, Spare: true, Cell: cpuPerRun},
		count("missed", func(i wire.InspectorStatus) uint64 { return i.Missed }),
		count("crashes", func(i wire.InspectorStatus) uint64 { return i.Crashes }),
		count("budget", func(i wire.InspectorStatus) uint64 { return i.OverBudget }),
		{Name: "kind", Wide: true, Cell: func(i wire.InspectorStatus) string { return i.Kind }},
	}
}

// hostReceiptColumns are the columns of a table of the pushed inspectors of one host.
func hostReceiptColumns(now time.Time) []cli.Column[wire.Receipt] {
	return []cli.Column[wire.Receipt]{
		{Name: "pushed", Last: true, Cell: func(r wire.Receipt) string { return r.Inspector }},
		{Name: "state", Cell: func(r wire.Receipt) string { return r.State }},
		cli.ID("revision", func(r wire.Receipt) string { return r.Revision }),
		cli.ID("running", func(r wire.Receipt) string { return r.Running }),
		cli.Since(now, func(r wire.Receipt) int64 { return r.AtMS }),
		{Name: "reason", Cell: func(r wire.Receipt) string {
			return cli.OrDash(strings.ReplaceAll(strings.TrimSpace(r.Reason), "\n", "; "))
		}},
	}
}

// prefixed puts a prefix before a text, unless the text is empty.
func prefixed(before, text string) string {
	if text == "" {
		return ""
	}
	return before + text
}
