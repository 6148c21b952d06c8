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

// NewInspectorDelete makes the command `vedette inspector delete`.
func NewInspectorDelete() *cobra.Command {
	var c client
	var plan rollouts.PlanFlags
	var message, version string
	cmd := &cobra.Command{
		Use:   "delete NAME",
		Short: "Take a pushed inspector off its hosts",
		Long: `Take a pushed inspector off all of its hosts, and wait until they have dropped it;
one that is away drops it when it returns. Its history is kept, so that
` + "`vedette inspector rollback NAME REVISION`" + ` brings it back.
The exit statuses are those of ` + "`vedette push`" + `.`,
		Example: `  vedette inspector delete disk -m "the node exporter has it"`,
		Args:    cli.NameAndRevisions(0),
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := plan.Plan(); err != nil {
				return err
			}
			params := wire.DeleteParams{Name: args[0], Message: message}
			if cmd.Flags().Changed("if-version") {
				params.Version = &version
			}
			return c.remove(cmd, params, &plan)
		},
	}
	c.Flags(cmd)
	plan.WaitFlags(cmd)
	cmd.Flags().StringVarP(&message, "message", "m", "", "why, for the history")
	cmd.Flags().StringVar(&version, "if-version", "", "delete only if this is still the entry's `VERSION`, as `inspectors --json` prints it")
	c.JSONFlag(cmd, "print one JSON object a line: {deleted}, then each change and the end")
	return cmd
}

// remove deletes an inspector and follows the rollout, as push does.
func (c *client) remove(cmd *cobra.Command, params wire.DeleteParams, f *rollouts.PlanFlags) error {
	result, err := remote.CallOnce(cmd, &c.Client, wire.CatalogDelete, params)
	if err != nil {
		return err
	}
	if result.Proposal != "" {
		return c.removal(cmd, params.Name, result, f)
	}
	if c.JSON {
		err = cli.PrintLines(cmd.OutOrStdout(), []map[string]string{{"deleted": params.Name}})
	} else {
		text := fmt.Sprintf("%s is deleted; its history is kept: vedette inspector history %s\n", params.Name, params.Name)
		_, err = io.WriteString(cli.ToTerminal(cmd.OutOrStdout()), cli.Printable(text))
	}
	if err != nil || result.Rollout == "" {
		return err
	}
	return rollouts.Await(cmd, &c.Client, params.Name, result, f)
}

// removal prints that a deletion waits for a second person.
func (c *client) removal(cmd *cobra.Command, name string, result wire.PushResult, f *rollouts.PlanFlags) (err error) {
	if c.JSON {
		err = cli.PrintLines(cmd.OutOrStdout(), []map[string]string{{"proposal": result.Proposal}})
	} else {
		text := fmt.Sprintf("the deletion of %s waits for a second person (proposal %s)\n", name, result.Proposal)
		_, err = io.WriteString(cli.ToTerminal(cmd.OutOrStdout()), cli.Printable(text))
	}
	if err != nil {
		return err
	}
	return rollouts.Waiting(result.Proposal, f.NoWait)
}
