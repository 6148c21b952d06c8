package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/rpc/wire"
)

func newInspectorDelete() *cobra.Command {
	var c client
	var message, version string
	cmd := &cobra.Command{
		Use:   "delete NAME",
		Short: "Take a pushed inspector off its hosts",
		Long: `Take a pushed inspector off all of its hosts. Its history is kept, so that
` + "`vedette inspector rollback NAME REVISION`" + ` brings it back.`,
		Example: `  vedette inspector delete disk -m "the node exporter has it"`,
		Args:    nameAndRevisions(0),
		RunE: func(cmd *cobra.Command, args []string) error {
			params := wire.DeleteParams{Name: args[0], Message: message}
			if cmd.Flags().Changed("if-version") {
				params.Version = &version
			}
			if err := c.call(cmd, wire.MethodCatalogDelete, params, &wire.Empty{}); err != nil {
				return err
			}
			if c.json {
				return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]string{"deleted": args[0]})
			}
			_, err := fmt.Fprintln(cmd.OutOrStdout(), cli.Printable(fmt.Sprintf("%s is deleted; its history is kept: vedette inspector history %s", args[0], args[0])))
			return err
		},
	}
	c.flags(cmd)
	cmd.Flags().StringVarP(&message, "message", "m", "", "why, for the history")
	cmd.Flags().StringVar(&version, "if-version", "", "delete only if this is still the entry's `VERSION`, as `inspectors --json` prints it")
	c.jsonFlag(cmd, "print one JSON object: {deleted}")
	return cmd
}
