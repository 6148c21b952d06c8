package rollouts

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

func NewRollout() *cobra.Command {
	cmd := cli.Group(&cobra.Command{
		Use: "rollout", Short: "Show, pause, resume or abort a rollout",
		SuggestFor: []string{"show", "pause", "resume", "abort"},
	})
	cmd.AddCommand(
		newRolloutVerb("show", wire.RolloutsGet, "Show a rollout, stage by stage, and the hosts that failed"),
		newRolloutVerb("pause", wire.RolloutsPause, "Keep a rollout from going on to more hosts"),
		newRolloutVerb("resume", wire.RolloutsResume, "Let a paused rollout go on"),
		newRolloutVerb("abort", wire.RolloutsAbort, "End a rollout, and roll back the hosts that it has reached"),
	)
	return cmd
}

// newRolloutVerb makes a command that calls a method with the id of a rollout.
func newRolloutVerb(verb string, method wire.Method[wire.RolloutParams, wire.Rollout], short string) *cobra.Command {
	var c remote.Client
	var reason string
	cmd := &cobra.Command{
		Use:     verb + " ID",
		Short:   short,
		Long:    short + ". `vedette rollouts` lists the IDs.",
		Example: "  vedette rollout " + verb + " $(vedette rollouts disk --json | head -1 | jq -r .id)",
		Args:    cli.OneArg("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := remote.CallOnce(cmd, &c, method, wire.RolloutParams{Rollout: args[0], Reason: reason})
			if err != nil {
				return err
			}
			if c.JSON {
				return cli.PrintLines(cmd.OutOrStdout(), []wire.Rollout{r})
			}
			return printRollout(cmd.OutOrStdout(), r, time.Now())
		},
	}
	c.Flags(cmd)
	if verb != "show" {
		cmd.Flags().StringVarP(&reason, "message", "m", "", "why, for the audit log")
		cmd.Example += "\n  vedette rollout " + verb + " 7 -m 'the disks are slow today'"
	}
	c.JSONFlag(cmd, "print one JSON object")
	return cmd
}

// printRollout describes one rollout.
func printRollout(w io.Writer, r wire.Rollout, now time.Time) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s of %s: %s → %s, %s\n", cli.OrDash(r.Action), r.Inspector, cli.ShortID(r.From), cli.ShortID(r.To), r.State)
	if why := strings.TrimSpace(reasonOf(&r)); why != "" {
		fmt.Fprintf(&b, "  because %s\n", strings.ReplaceAll(why, "\n", "\n    "))
	}
	fmt.Fprintf(&b, "  by %s, %s; to %s", cli.OrDash(r.Author), cli.Ago(now, r.StartedMS), remote.SelectorText(r.ToSelector))
	if r.Message != "" {
		fmt.Fprintf(&b, "; %s", cli.OneLine(r.Message))
	}
	b.WriteByte('\n')
	for _, line := range stageLines(r, nil) {
		b.WriteString("  " + line + "\n")
	}
	if len(r.Failures) > 0 {
		b.WriteString("failed on\n")
	}
	for _, f := range r.Failures {
		writeReceipt(&b, f)
	}
	_, err := io.WriteString(cli.ToTerminal(w), cli.Printable(b.String()))
	return err
}
