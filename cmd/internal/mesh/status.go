package mesh

import (
	"encoding/json"
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

// troublesShown is how many troubles the status names, so that it fits into ten lines.
const troublesShown = 4

// meshStatus is the state of the mesh, as --json prints it.
type meshStatus struct {
	URL         string          `json:"url"`
	Master      wire.InfoResult `json:"master"`
	Hosts       int             `json:"hosts"`
	Up          int             `json:"hosts_up"`
	Inspectors  map[string]int  `json:"inspectors"` // number by state
	NotKept     []string        `json:"not_kept"`   // hosts whose samples are not stored
	Queued      int             `json:"reports_queued"`
	Dropped     uint64          `json:"samples_dropped"`
	Rollouts    []string        `json:"rollouts"` // that have not ended
	Troubles    []string        `json:"troubles"` // one line for each host with a trouble
	Refused     []string        `json:"refused"`  // a line for each inspector
	counts, now string
}

// NewStatus makes the command that shows the mesh in ten lines.
func NewStatus() *cobra.Command {
	var c client
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show the master, its hosts and what fails, in ten lines",
		Long: `Show the state of the mesh in ten lines: the master, the hosts, their inspectors,
whether samples are stored, active rollouts, failures, and code that hosts refuse.
vedette hosts --failing names everything that fails.`,
		Example: "  vedette status\n  vedette status --json | jq .troubles",
		Args:    cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := c.status(cmd)
			if err != nil {
				return err
			}
			if c.JSON {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(s)
			}
			return s.print(cmd.OutOrStdout())
		},
	}
	c.Flags(cmd)
	c.JSONFlag(cmd, "print one JSON object")
	return cmd
}

// status asks the master for everything, on one connection.
func (c *client) status(cmd *cobra.Command) (*meshStatus, error) {
	s, err := c.Open(cmd)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	info, err := remote.Call(s, wire.MasterInfo, wire.Empty{})
	if err != nil {
		return nil, err
	}
	hosts, err := remote.Call(s, wire.HostsList, wire.HostsParams{})
	if err != nil {
		return nil, err
	}
	refused, err := askRefused(s)
	if err != nil {
		return nil, err
	}
	rollouts, err := remote.Call(s, wire.RolloutsList, wire.RolloutsParams{})
	if err != nil {
		return nil, err
	}
	return newMeshStatus(c.URL, info, hosts.Hosts, rollouts.Rollouts, refused), nil
}

func newMeshStatus(url string, info wire.InfoResult, hosts []wire.Host, rollouts []wire.Rollout, refused []wire.HostReceipt) *meshStatus {
	m := &meshStatus{
		URL: url, Master: info, Hosts: len(hosts), Inspectors: make(map[string]int),
		NotKept: []string{}, Rollouts: []string{}, Troubles: []string{}, Refused: []string{},
	}
	setRefused(hosts, refused)
	now := time.UnixMilli(info.NowMS) // states depend on the master's clock
	m.now = cli.Ago(now, info.StartedMS)
	var all wire.Host
	for _, h := range hosts {
		if h.State == wire.HostUp {
			m.Up++
		} else {
			m.Troubles = append(m.Troubles, fmt.Sprintf("%s is %s, last seen %s", h.Host, h.State, cli.Ago(now, h.LastSeenMS)))
		}
		m.add(h, now)
		for _, i := range h.Inspectors {
			if i.State != stateRefused { // refused ones are counted by their receipts
				all.Inspectors = append(all.Inspectors, i)
			}
		}
	}
	m.addRefused(refused)
	for range m.Inspectors[stateRefused] {
		all.Inspectors = append(all.Inspectors, wire.InspectorStatus{State: stateRefused})
	}
	m.counts = inspectorCounts(all)
	for _, r := range rollouts {
		if !r.Ended() {
			m.Rollouts = append(m.Rollouts, fmt.Sprintf("%s of %s is %s", r.ID, r.Inspector, r.State))
		}
	}
	return m
}

// add counts the inspectors and troubles of one host.
func (m *meshStatus) add(h wire.Host, now time.Time) {
	if h.NotKept != "" && h.State == wire.HostUp {
		m.NotKept = append(m.NotKept, h.Host)
	}
	if h.Agent != nil {
		m.Queued += h.Agent.ReportsQueued
		m.Dropped += h.Agent.SamplesDropped
		if h.Agent.Starved != "" && h.State == wire.HostUp {
			m.Troubles = append(m.Troubles, fmt.Sprintf("%s is starved: %s", h.Host, cli.OneLine(h.Agent.Starved)))
		}
	}
	for _, i := range h.Inspectors {
		if i.State == stateRefused {
			continue
		}
		m.Inspectors[i.State]++
		if failing(i) {
			m.Troubles = append(m.Troubles, fmt.Sprintf("%s: %s has been %s for %s: %s", h.Host, i.Name, i.State, cli.For(now, i.SinceMS), cli.OneLine(i.Error)))
		}
	}
}

// addRefused counts refused inspectors, and adds a line for each inspector.
func (m *meshStatus) addRefused(receipts []wire.HostReceipt) {
	by := make(map[string][]wire.HostReceipt)
	for _, r := range receipts {
		m.Inspectors[stateRefused]++
		by[r.Inspector] = append(by[r.Inspector], r)
	}
	for _, name := range slices.Sorted(maps.Keys(by)) {
		first := by[name][0]
		text := fmt.Sprintf("%s by %s: %s", name, first.Host, cli.OneLine(first.Reason))
		if n := len(by[name]); n > 1 {
			text = fmt.Sprintf("%s by %d hosts, such as %s: %s", name, n, first.Host, cli.OneLine(first.Reason))
		}
		m.Refused = append(m.Refused, text)
	}
}

// failing reports whether an inspector is not well.
func failing(i wire.InspectorStatus) bool {
	return i.State == wire.StateFailing || i.State == wire.StateQuarantined || i.State == stateRefused
}

// troubled reports whether a host has a trouble.
func troubled(h wire.Host) bool {
	if h.State != wire.HostUp || h.NotKept != "" || h.Agent != nil && h.Agent.Starved != "" {
		return true
	}
	for _, i := range h.Inspectors {
		if failing(i) {
			return true
		}
	}
	return false
}

func (m *meshStatus) print(w io.Writer) error {
	lines := []string{
		fmt.Sprintf("master      %s, %s, started %s", m.URL, cli.OrDash(m.Master.Version), m.now),
		fmt.Sprintf("hosts       %d of %d up", m.Up, m.Hosts),
		"inspectors  " + m.counts,
		"storage     " + m.storage(),
		"rollouts    " + orNone(m.Rollouts),
	}
	if m.Master.Bound != "" {
		lines = slices.Insert(lines, 1, "bound to    "+m.Master.Bound+": all below is of these hosts alone")
	}
	shown := troublesShown
	if len(m.Master.Audit) > 0 {
		lines, shown = append(lines, "audit       "+m.audit()), shown-1
	}
	var wrong []string
	for _, t := range m.Troubles {
		wrong = append(wrong, "trouble     "+t)
	}
	for _, t := range m.Refused {
		wrong = append(wrong, "refused     "+t)
	}
	if n := len(wrong); n > shown+1 {
		wrong = append(wrong[:shown], fmt.Sprintf("trouble     and %d more: vedette hosts --failing", n-shown))
	}
	lines = append(lines, wrong...)
	width := cli.TerminalWidth(w)
	for _, line := range lines {
		if _, err := fmt.Fprintln(w, cli.Cut(cli.Printable(line), width)); err != nil {
			return err
		}
	}
	return nil
}

// storage describes the state of the history.
func (m *meshStatus) storage() string {
	text := cli.Count(m.Master.Series, "live value")
	if len(m.NotKept) > 0 {
		text += fmt.Sprintf("; not kept of %s", strings.Join(m.NotKept, ", "))
	} else {
		text += ", all kept"
	}
	if m.Queued > 0 {
		text += fmt.Sprintf("; %s not sent yet", cli.Count(m.Queued, "report"))
	}
	if m.Dropped > 0 {
		text += fmt.Sprintf("; %s dropped", cli.Count(int(m.Dropped), "sample"))
	}
	return text
}

// audit describes the forwarding of the audit log to other machines.
func (m *meshStatus) audit() string {
	now := time.UnixMilli(m.Master.NowMS)
	var texts []string
	for _, r := range m.Master.Audit {
		text := r.Kind
		switch waiting := cli.Counted(int(r.Waiting), "entry", "entries"); {
		case r.Error != "":
			text += fmt.Sprintf(" takes nothing since %s, %s waiting: %s", cli.Ago(now, r.SinceMS), waiting, cli.OneLine(r.Error))
		case r.Waiting > 0:
			text += fmt.Sprintf(" is sent %s", waiting)
		default:
			text += " has all entries"
		}
		if r.Missed > 0 {
			text += fmt.Sprintf("; %s too old before they could be sent", cli.Counted(int(r.Missed), "entry", "entries"))
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, "; ")
}

func orNone(words []string) string {
	if len(words) == 0 {
		return "none is going on"
	}
	return strings.Join(words, "; ")
}
