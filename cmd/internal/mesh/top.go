package mesh

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/cmd/internal/remote"
	"github.com/vedettehq/vedette/rpc/wire"
)

// top is one run of `vedette top`.
type top struct {
	client
	hosts      cli.List[hostLoad]
	inspectors cli.List[inspectorLoad]
	once       bool
	to         string
	before     map[string]inspectorLoad // the last state, by inspector
}

// hostLoad is a host and the values of its built-in inspectors; nil is unknown.
type hostLoad struct {
	Host     string   `json:"host"`
	State    string   `json:"state"`
	CPU      *float64 `json:"cpu_percent,omitempty"`
	Memory   *float64 `json:"memory_percent,omitempty"`
	Disk     *float64 `json:"disk_percent,omitempty"` // of the fullest file system
	Load     *float64 `json:"load,omitempty"`
	Received *float64 `json:"received_bytes_per_second,omitempty"`
	Sent     *float64 `json:"sent_bytes_per_second,omitempty"`
	Series   int      `json:"series"`
	Failing  int      `json:"failing"`
}

// inspectorLoad is an inspector of one host and its cost since the last look, or since the
// start of its agent.
type inspectorLoad struct {
	wire.InspectorStatus
	RunsPerSecond float64 `json:"runs_per_second"`
	CPUPercent    float64 `json:"cpu_percent"` // percent of one core
	at            time.Time
}

// NewTop makes the command `vedette top`.
func NewTop() *cobra.Command {
	t := &top{}
	cmd := &cobra.Command{
		Use:   "top [HOST]",
		Short: "Show the busiest hosts live, or the inspectors of one",
		Long: `Show the hosts as a table that is redrawn every two seconds, the busiest first: how
much of the processor, the memory and the fullest disk is used, the load, the bytes
received and sent a second, and how many inspectors fail. The values come from the
built-in inspectors; a host without them has dashes.

With a HOST it shows that host's inspectors: how often each has run since the last
screen, and its share of one core.

The keys < and > sort by another column, r reverses the order, q ends. Into a pipe it
prints a table every two seconds, and with --once just one.`,
		Example: "  vedette top\n  vedette top web-1\n  vedette top --to role=db --sort -memory\n  vedette top --once -o json",
		Args:    cli.AtMostOneArg("HOST"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return t.host(cmd, args[0])
			}
			return t.all(cmd)
		},
	}
	t.hosts = cli.List[hostLoad]{
		Columns: func(time.Time) []cli.Column[hostLoad] { return loadColumns() }, Live: true,
		Name:  func(h hostLoad) string { return h.Host },
		Empty: func() string { return "No host has reported yet; start an agent with `vedette agent`." },
	}
	t.inspectors = cli.List[inspectorLoad]{
		Columns: inspectorLoadColumns, Live: true,
		Name:  func(i inspectorLoad) string { return i.Name },
		Empty: func() string { return "The host has no inspectors." },
	}
	t.Flags(cmd)
	t.hosts.Fixed(cmd, "print one JSON object a line, one for each host or inspector")
	cmd.Flags().BoolVar(&t.once, "once", false, "print it once")
	remote.ToFlag(cmd, &t.to, "the hosts")
	t.CompleteFlags(cmd)
	return cmd
}

// all lists the hosts.
func (t *top) all(cmd *cobra.Command) error {
	t.hosts.SetWatching(!t.once)
	t.hosts.SortBy("-cpu")
	return remote.List(&t.Client, cmd, &t.hosts, func(s *remote.Session) ([]hostLoad, error) {
		result, err := remote.Call(s, wire.HostsList, wire.HostsParams{Selector: t.to})
		if err != nil {
			return nil, err
		}
		all := make([]hostLoad, len(result.Hosts))
		at := make(map[string]*hostLoad)
		for i, h := range result.Hosts {
			all[i] = hostLoad{Host: h.Host, State: h.State, Series: h.Series}
			for _, in := range h.Inspectors {
				if failing(in) {
					all[i].Failing++
				}
			}
			if h.State == wire.HostUp {
				at[h.Host] = &all[i]
			}
		}
		return all, t.measure(cmd.Context(), at)
	})
}

// measures are the queries for values of the built-in inspectors, and the fields that they
// fill.
func measures() map[string]func(*hostLoad) **float64 {
	return map[string]func(*hostLoad) **float64{
		"max by (host) (cpu_used_percent)":                                         func(h *hostLoad) **float64 { return &h.CPU },
		"max by (host) (memory_used_percent)":                                      func(h *hostLoad) **float64 { return &h.Memory },
		"max by (host) (disk_used_percent)":                                        func(h *hostLoad) **float64 { return &h.Disk },
		"max by (host) (load_average_1)":                                           func(h *hostLoad) **float64 { return &h.Load },
		`sum by (host) (rate(network_receive_bytes_total{interface!="lo"}[30s]))`:  func(h *hostLoad) **float64 { return &h.Received },
		`sum by (host) (rate(network_transmit_bytes_total{interface!="lo"}[30s]))`: func(h *hostLoad) **float64 { return &h.Sent },
	}
}

// measure fills in the values of hosts.
func (t *top) measure(ctx context.Context, hosts map[string]*hostLoad) error {
	for expression, of := range measures() {
		all, _, err := t.Query(ctx, "query", url.Values{"query": {expression}})
		if err != nil {
			return err
		}
		for _, s := range all {
			if h := hosts[s.Metric["host"]]; h != nil && len(s.Points) > 0 && !math.IsNaN(s.Points[0].Value) && !math.IsInf(s.Points[0].Value, 0) {
				*of(h) = &s.Points[0].Value
			}
		}
	}
	return nil
}

func loadColumns() []cli.Column[hostLoad] {
	measured := func(name string, of func(hostLoad) *float64, text func(float64) string) cli.Column[hostLoad] {
		return cli.Column[hostLoad]{
			Name: name, Right: true,
			Cell: func(h hostLoad) string {
				if of(h) == nil {
					return "-"
				}
				return text(*of(h))
			},
			By: func(h hostLoad) float64 {
				if of(h) == nil {
					return -1
				}
				return *of(h)
			},
		}
	}
	percent := func(v float64) string { return fmt.Sprintf("%.1f %%", v) }
	rate := func(v float64) string { return cli.Bytes(v) + "/s" }
	spare := func(c cli.Column[hostLoad]) cli.Column[hostLoad] {
		c.Spare = true
		return c
	}
	return []cli.Column[hostLoad]{
		{Name: "host", Last: true, Cell: func(h hostLoad) string { return h.Host }},
		{Name: "state", Cell: func(h hostLoad) string { return h.State }},
		measured("cpu", func(h hostLoad) *float64 { return h.CPU }, percent),
		measured("memory", func(h hostLoad) *float64 { return h.Memory }, percent),
		measured("disk", func(h hostLoad) *float64 { return h.Disk }, percent),
		measured("load", func(h hostLoad) *float64 { return h.Load }, func(v float64) string { return fmt.Sprintf("%.2f", v) }),
		spare(measured("received", func(h hostLoad) *float64 { return h.Received }, rate)),
		spare(measured("sent", func(h hostLoad) *float64 { return h.Sent }, rate)),
		cli.Num("failing", func(h hostLoad) int { return h.Failing }),
		{Name: "series", Wide: true, Right: true, Cell: func(h hostLoad) string { return fmt.Sprint(h.Series) }},
	}
}

// host lists the inspectors of one host.
func (t *top) host(cmd *cobra.Command, host string) error {
	if t.to != "" {
		return cli.Usagef("give a HOST or --to, not both")
	}
	t.inspectors.ListFlags = t.hosts.ListFlags
	t.inspectors.SetWatching(!t.once)
	t.inspectors.SortBy("-cpu")
	return remote.List(&t.Client, cmd, &t.inspectors, func(s *remote.Session) ([]inspectorLoad, error) {
		h, err := remote.Call(s, wire.HostsGet, wire.HostParams{Host: host})
		if err != nil {
			return nil, err
		}
		return t.since(h.Inspectors, time.Now()), nil
	})
}

// since compares inspectors with their state at the last look.
func (t *top) since(all []wire.InspectorStatus, now time.Time) []inspectorLoad {
	fresh := make(map[string]inspectorLoad)
	var list []inspectorLoad
	for _, i := range all {
		load := inspectorLoad{InspectorStatus: i, at: now}
		before, known := t.before[i.Name]
		passed := now.Sub(before.at).Seconds()
		switch {
		case known && i.Runs == before.Runs && i.CPUSeconds == before.CPUSeconds: // has not run since
			load.RunsPerSecond, load.CPUPercent, load.at = before.RunsPerSecond, before.CPUPercent, before.at
		case known && passed > 0 && i.Runs >= before.Runs && i.CPUSeconds >= before.CPUSeconds:
			load.RunsPerSecond = float64(i.Runs-before.Runs) / passed
			load.CPUPercent = (i.CPUSeconds - before.CPUSeconds) / passed * 100
		case i.IntervalMS > 0: // first look: the cost of a run, times how often it is due
			load.RunsPerSecond = 1000 / float64(cmp.Or(i.BoostedMS, i.IntervalMS))
			load.CPUPercent = secondsPerRun(hostInspector{InspectorStatus: i}) * load.RunsPerSecond * 100
		}
		fresh[i.Name] = load
		list = append(list, load)
	}
	t.before = fresh
	return list
}

func inspectorLoadColumns(now time.Time) []cli.Column[inspectorLoad] {
	return []cli.Column[inspectorLoad]{
		{Name: "inspector", Last: true, Cell: func(i inspectorLoad) string { return i.Name }},
		{Name: "state", Cell: func(i inspectorLoad) string { return i.State }},
		cli.Since(now, func(i inspectorLoad) int64 { return i.SinceMS }),
		{Name: "runs/s", Right: true, Cell: func(i inspectorLoad) string { return fmt.Sprintf("%.2f", i.RunsPerSecond) }},
		{
			Name: "cpu", Right: true, Cell: func(i inspectorLoad) string { return fmt.Sprintf("%.3f %%", i.CPUPercent) },
			By: func(i inspectorLoad) float64 { return i.CPUPercent },
		},
		{
			Name: "cpu/run", Right: true, Cell: func(i inspectorLoad) string { return cpuPerRun(i.InspectorStatus) },
			By: func(i inspectorLoad) float64 { return secondsPerRun(hostInspector{InspectorStatus: i.InspectorStatus}) },
		},
		cli.Num("runs", func(i inspectorLoad) uint64 { return i.Runs }),
		cli.Num("failed", func(i inspectorLoad) uint64 { return i.Failures }),
		cli.Num("missed", func(i inspectorLoad) uint64 { return i.Missed }),
		cli.Num("crashes", func(i inspectorLoad) uint64 { return i.Crashes }),
	}
}
