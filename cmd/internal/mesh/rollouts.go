package mesh

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/rpc/wire"
)

// NewRollouts makes the command of that name.
func NewRollouts() *cobra.Command {
	var c client
	var limit int
	cmd := &cobra.Command{
		Use:     "rollouts [NAME]",
		Short:   "List the rollouts, newest first",
		Long:    `List the rollouts of all inspectors, or of one, newest first: those that go on and those that are over.`,
		Example: "  vedette rollouts\n  vedette rollouts disk\n  vedette rollouts --json | jq 'select(.state == \"rolled back\")'",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return fmt.Errorf("vedette rollouts takes one NAME, but got %q too", args[1])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if limit < 1 {
				return cli.Usagef("-n is %d; it must be above 0", limit)
			}
			var result wire.RolloutsResult
			if err := c.call(cmd, wire.RolloutsList.Name, wire.RolloutsParams{Inspector: append(args, "")[0], Limit: limit}, &result); err != nil {
				return err
			}
			if c.json {
				return cli.PrintLines(cmd.OutOrStdout(), result.Rollouts)
			}
			return printRollouts(cmd.OutOrStdout(), result.Rollouts, time.Now())
		},
	}
	c.flags(cmd)
	cmd.Flags().IntVarP(&limit, "number", "n", 100, "show at most `N`")
	c.jsonFlag(cmd, "print one JSON object a line, one for each rollout")
	return cmd
}

// printRollouts writes a table of rollouts.
func printRollouts(w io.Writer, all []wire.Rollout, now time.Time) error {
	if len(all) == 0 {
		_, err := fmt.Fprintln(w, "There was no rollout yet.")
		return err
	}
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tINSPECTOR\tACTION\tFROM\tTO\tSTATE\tSTAGE\tBY\tSTARTED\tWHY")
	for _, r := range all {
		why := r.Message
		if r.State == wire.RolloutRolledBack {
			why = r.Reason
		}
		fmt.Fprintln(table, cli.Printable(fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%s\t%d/%d\t%s\t%s\t%s", r.ID, r.Inspector, r.Action, shortID(r.From), shortID(r.To),
			r.State, min(r.Stage+1, len(r.Stages)), len(r.Stages), cli.OrDash(r.Author), cli.Ago(now, r.StartedMS), cli.OrDash(oneLine(why)))))
	}
	return table.Flush()
}
