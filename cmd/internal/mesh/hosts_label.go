package mesh

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/cmd/internal/remote"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

func newHostsLabel() *cobra.Command {
	var c client
	l := &cli.List[wire.Host]{
		Columns: func(time.Time) []cli.Column[wire.Host] { return labelColumns() },
		Name:    func(h wire.Host) string { return h.Host },
	}
	cmd := &cobra.Command{
		Use:   "label HOST KEY=VALUE… KEY-…",
		Short: "Set labels of a host, or remove them",
		Long: `Set labels of a host on the master. They override those of the host's own
configuration. KEY- removes one. Inspectors whose selectors now match the host are
sent to it; others are removed from it. The exit status is 9 if the labels wait for a
second person.`,
		Example: "  vedette hosts label web-1 role=web zone=a\n  vedette hosts label web-1 zone-",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 2 {
				return errors.New("vedette hosts label needs a HOST and labels, as: vedette hosts label web-1 role=web zone-")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := l.Output.Check(); err != nil {
				return err
			}
			labels, err := parseLabels(args[1:])
			if err != nil {
				return cli.Usagef("%v", err)
			}
			host, err := remote.CallOnce(cmd, &c.Client, wire.HostsLabel, wire.LabelParams{Host: args[0], Labels: labels})
			if err != nil {
				return labelsWait(err)
			}
			return l.Write(cmd.OutOrStdout(), []wire.Host{host}, time.Now())
		},
	}
	c.Flags(cmd)
	l.Output.Flags(cmd, "print the host as one JSON object", cli.FormatJSON, cli.FormatYAML)
	return cmd
}

// labelsWait gives the error of labels that wait for a second person the status of other
// changes that do.
func labelsWait(err error) error {
	answer, ok := errors.AsType[*rpc.Error](err)
	if !ok {
		return err
	}
	if data, _ := answer.Data.(map[string]any); data["proposal"] != nil {
		return cli.Exit(cli.ExitWaiting, errors.New(answer.Message))
	}
	return err
}

// parseLabels parses KEY=VALUE, and KEY- for the label "", which removes it.
func parseLabels(words []string) (map[string]string, error) {
	labels := make(map[string]string)
	for _, word := range words {
		key, value, set := strings.Cut(word, "=")
		if !set {
			var back bool
			if key, back = strings.CutSuffix(word, "-"); !back {
				return nil, fmt.Errorf("%q is not a label; write KEY=VALUE to set one, KEY- to take it back", word)
			}
		} else if value == "" {
			return nil, fmt.Errorf("%q has no value; write %s- to take the label back", word, key)
		}
		if key == "" {
			return nil, fmt.Errorf("%q has no key", word)
		}
		if _, twice := labels[key]; twice {
			return nil, fmt.Errorf("the label %q is given twice", key)
		}
		labels[key] = value
	}
	return labels, nil
}

// labelsText formats labels as selectors do.
func labelsText(labels map[string]string) string {
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		parts = append(parts, key+"="+labels[key])
	}
	return cli.OrDash(strings.Join(parts, ","))
}

// labelColumns are the columns of a table of the labels of hosts.
func labelColumns() []cli.Column[wire.Host] {
	return []cli.Column[wire.Host]{
		{Name: "host", Last: true, Cell: func(h wire.Host) string { return h.Host }},
		{Name: "state", Cell: func(h wire.Host) string { return h.State }},
		{Name: "code", Cell: takesCode},
		{Name: "labels", Cell: func(h wire.Host) string { return labelsText(h.Labels) }},
	}
}

// takesCode says whether a host accepts code from a master.
func takesCode(h wire.Host) string {
	switch {
	case !h.AcceptsPushed:
		return "refuses"
	case len(h.Signers) > 0 || h.SignersNeeded > 0:
		return "signed"
	}
	return "accepts"
}
