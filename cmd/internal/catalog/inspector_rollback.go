package catalog

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/cmd/internal/remote"
	"github.com/vedettehq/vedette/cmd/internal/rollouts"
	"github.com/vedettehq/vedette/rpc/wire"
)

// NewInspectorRollback makes the command `vedette inspector rollback`.
func NewInspectorRollback() *cobra.Command {
	var c client
	var plan rollouts.PlanFlags
	var f remote.SignFlags
	var message string
	cmd := &cobra.Command{
		Use:   "rollback NAME [REVISION]",
		Short: "Make an earlier revision of a pushed inspector current again",
		Long: `Make an earlier revision of a pushed inspector current again, for the hosts that
it was for then, and follow it onto them. Without a REVISION that is the latest
earlier one that did well on some host: revisions that were rolled back or ran
nowhere are skipped. The command waits for the end as ` + "`vedette push`" + ` does.
With --sign-key the REVISION is signed again, for hosts that have run newer code of
that key and so would refuse the signature that it has.
The exit statuses are those of ` + "`vedette push`" + `.`,
		Example: `  vedette inspector rollback disk -m "inodes are wrong on xfs"
  vedette inspector rollback disk 1f2e3d4c --canary 1,100%
  vedette inspector rollback disk 1f2e3d4c --sign-key signing.pem`,
		Args: cli.NameAndRevisions(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := plan.Plan()
			if err != nil {
				return err
			}
			if err := f.Read(cmd); err != nil {
				return err
			}
			params := wire.RollbackParams{Name: args[0], Revision: append(args, "")[1], Message: message, Plan: p}
			result, err := c.rollback(cmd, params, &f)
			if err != nil {
				return err
			}
			if !c.JSON {
				text := rolledBackText(args[0], result)
				if _, err := io.WriteString(cli.ToTerminal(cmd.OutOrStdout()), cli.Printable(text)); err != nil {
					return err
				}
			}
			return rollouts.Finish(cmd, &c.Client, args[0], result, &plan)
		},
	}
	c.Flags(cmd)
	plan.Flags(cmd)
	f.Flags(cmd)
	cmd.Flags().StringVarP(&message, "message", "m", "", "why, for the history")
	c.JSONFlag(cmd, "print one JSON object a line, for each change and the end")
	return cmd
}

// rollback rolls an inspector back, with a new signature if there is a key.
func (c *client) rollback(cmd *cobra.Command, params wire.RollbackParams, f *remote.SignFlags) (wire.PushResult, error) {
	if !f.Signs() || params.Revision == "" && !cmd.Flags().Changed("sign-key") {
		return remote.CallOnce(cmd, &c.Client, wire.CatalogRollback, params)
	}
	if params.Revision == "" {
		return wire.PushResult{}, cli.Usagef("name the REVISION that you sign; `vedette inspector history %s` shows them", params.Name)
	}
	s, err := c.Open(cmd)
	if err != nil {
		return wire.PushResult{}, err
	}
	defer s.Close()
	entry, err := remote.Call(s, wire.CatalogGet, wire.CatalogParams{Name: params.Name})
	if err != nil {
		return wire.PushResult{}, err
	}
	revision, err := honest(s, params.Name, params.Revision)
	if err != nil {
		return wire.PushResult{}, err
	}
	selector := entry.Selector
	for _, h := range entry.History { // newest first
		if h.Revision == revision.ID {
			selector = h.Selector
			break
		}
	}
	params.Revision, params.Signatures = revision.ID, f.Sign(revision.Code, selector)
	return remote.Call(s, wire.CatalogRollback, params)
}

// rolledBackText says which revision a rollback returns to.
func rolledBackText(name string, result wire.PushResult) string {
	if result.Proposal != "" {
		return begunText(name, result)
	}
	if result.Rollout == "" {
		return fmt.Sprintf("%s %s is current already, for %s; nothing is to be done\n", name, cli.ShortID(result.Revision), remote.SelectorText(result.Selector))
	}
	return fmt.Sprintf("%s goes back to %s on %s\n", name, cli.ShortID(result.Revision), whereText(result))
}
