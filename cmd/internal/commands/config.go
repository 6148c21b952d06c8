package commands

import (
	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/agentcmd"
	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/inspectors/library"
)

func newConfig() *cobra.Command {
	cmd := cli.Group(&cobra.Command{Use: "config", Short: "Look at the configuration"})
	cmd.AddCommand(newConfigPrint())
	return cmd
}

func newConfigPrint() *cobra.Command {
	var settings cli.Settings
	var part string
	cmd := &cobra.Command{
		Use:   "print",
		Short: "Print the effective configuration, and where each value came from",
		Long: `Print the configuration that results from the file, the .env of the current directory
and the environment, with the origin of each value in a comment. If there are faults,
each is reported with its place instead. Secrets are not shown.

--for also checks what a master or an agent needs on this machine, as files.`,
		Example: `  vedette config print
  vedette config print --config master.yaml --for master
  MASTER_PORT=8080 vedette config print`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			parts, ok := map[string]config.Part{
				"": 0, "master": config.PartMaster, "agent": config.PartAgent, "dev": config.PartMaster | config.PartAgent,
			}[part]
			if !ok {
				return cli.Usagef("--for is %q; use master, agent or dev", part)
			}
			c, err := settings.Load(parts, library.Names())
			if err != nil {
				return err
			}
			if parts&config.PartAgent != 0 {
				if _, err := agentcmd.Definitions(c); err != nil {
					return err
				}
			}
			for _, warning := range c.Warnings {
				cli.Errln(cmd.ErrOrStderr(), "warning: %s", warning)
			}
			return c.Print(cmd.OutOrStdout())
		},
	}
	settings.FileFlag(cmd)
	cmd.Flags().StringVar(&part, "for", "", "check what this `PART` needs too: master, agent or dev")
	return cmd
}
