package catalog

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/cmd/internal/remote"
	"github.com/vedettehq/vedette/rpc/wire"
)

// NewInspectorRollback makes the command of that name.
func NewInspectorRollback() *cobra.Command {
	var c client
	var plan planFlags
	var message string
	cmd := &cobra.Command{
		Use:   "rollback NAME [REVISION]",
		Short: "Make an earlier revision of a pushed inspector current again",
		Long: `Make an earlier revision of a pushed inspector current again, for the hosts that
it was for then, and follow it onto them. Where none is named, that is what was
there before, and did well on some host: what was rolled back and what ran nowhere
are passed over. The end is awaited as ` + "`vedette push`" + ` does.
The exit statuses are those of ` + "`vedette push`" + `.`,
		Example: `  vedette inspector rollback disk -m "inodes are wrong on xfs"
  vedette inspector rollback disk 1f2e3d4c --canary 1,100%`,
		Args: nameAndRevisions(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := plan.plan()
			if err != nil {
				return err
			}
			params := wire.RollbackParams{Name: args[0], Revision: append(args, "")[1], Message: message, Plan: p}
			result, err := remote.CallOnce(cmd, &c.Client, wire.CatalogRollback, params)
			if err != nil {
				return err
			}
			if !c.JSON {
				text := rolledBackText(args[0], result)
				if _, err := io.WriteString(cmd.OutOrStdout(), cli.Printable(text)); err != nil {
					return err
				}
			}
			return c.finish(cmd, args[0], result, &plan)
		},
	}
	c.Flags(cmd)
	plan.flags(cmd)
	cmd.Flags().StringVarP(&message, "message", "m", "", "why, for the history")
	c.JSONFlag(cmd, "print one JSON object a line, for each change and the end")
	return cmd
}

// rolledBackText says where a rollback goes.
func rolledBackText(name string, result wire.PushResult) string {
	if result.Rollout == "" {
		return fmt.Sprintf("%s %s is current already, for %s; nothing is to be done\n", name, cli.ShortID(result.Revision), remote.SelectorText(result.Selector))
	}
	return fmt.Sprintf("%s goes back to %s on %s\n", name, cli.ShortID(result.Revision), whereText(result))
}
