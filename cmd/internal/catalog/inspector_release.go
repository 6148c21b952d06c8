package catalog

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/cmd/internal/remote"
	"github.com/vedettehq/vedette/rpc/wire"
)

// NewInspectorRelease makes the command `vedette inspector release`.
func NewInspectorRelease() *cobra.Command {
	var c client
	cmd := &cobra.Command{
		Use:   "release HOST NAME",
		Short: "Run an inspector again that is quarantined on a host",
		Long: `End the quarantine of an inspector on one host at once. An inspector is
quarantined there when it crashed its process twice, or was running when the agent
died, twice in a row; ` + "`vedette hosts`" + ` says so, with the reason. A quarantine ends
by itself, after 10 seconds the first time and after up to 10 minutes when it
crashes again. A new revision of it ends the quarantine too.

It starts in its own process: the next crash quarantines it again.`,
		Example: "  vedette inspector release web-1 disk",
		Args: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) < 2:
				return errors.New("vedette inspector release needs a HOST and the NAME of an inspector, such as web-1 disk")
			case len(args) > 2:
				return fmt.Errorf("vedette inspector release takes a HOST and a NAME, but got %q too", args[2])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			params := wire.ReleaseParams{Host: args[0], Inspector: args[1]}
			if _, err := remote.CallOnce(cmd, &c.Client, wire.InspectorsRelease, params); err != nil {
				return err
			}
			_, err := fmt.Fprintln(cli.ToTerminal(cmd.OutOrStdout()), cli.Printable(fmt.Sprintf("%s runs %s again.", args[0], args[1])))
			return err
		},
	}
	c.Flags(cmd)
	return cmd
}
