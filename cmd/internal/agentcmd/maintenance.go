package agentcmd

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/agent"
	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/inspectors/library"
	"github.com/vedettehq/vedette/rpc/wire"
)

// newMaintenance makes the command that mutes a host's own alerts. program is the name of
// the command that runs an agent.
func newMaintenance(program string) *cobra.Command {
	var settings cli.Settings
	var params wire.SelfMaintenanceParams
	var length string
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "maintenance",
		Short: "Tell nobody of this host's alerts for a time",
		Long: `Have the master tell nobody of any alert of this host for a time, for example while a
backup runs. It ends by itself, and an alert that still fires is sent then. Run again,
the command sets a new end.

It shows the master the agent's certificate or token. So it reads the agent's
configuration, and must be run by the agent's user or root. The agent itself need not
run.`,
		Example: "  " + program + " maintenance --for 1h -m 'nightly backup'\n  " + program + " maintenance --end",
		Args:    cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case params.End && cmd.Flags().Changed("for"):
				return cli.Usagef("give --for or --end, not both")
			case !params.End:
				d, err := cli.ParseLength(length)
				if err != nil {
					return cli.Usagef("--for: %v", err)
				}
				params.Seconds = d.Seconds()
			}
			if err := useDefaultFile(cmd); err != nil {
				return err
			}
			c, err := settings.Load(config.PartAgent, library.Names())
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
			defer cancel()
			result, err := agent.Maintain(ctx, slog.New(slog.DiscardHandler), c.Agent, params)
			if err != nil {
				return err
			}
			return printMaintenance(cmd, params.End, result)
		},
	}
	settings.FileFlag(cmd)
	Flags(cmd, &settings)
	identityFlags(cmd, &settings, "ask")
	cmd.Flags().StringVar(&length, "for", "1h", "for this `DURATION`, such as 30m, 24h or 7d; 7d at most")
	cmd.Flags().BoolVar(&params.End, "end", false, "end it now")
	cmd.Flags().StringVarP(&params.Message, "message", "m", "", "why")
	cmd.Flags().DurationVar(&timeout, "timeout", 10*time.Second, "give up on an answer after this `DURATION`")
	return cmd
}

// useDefaultFile selects the configuration that join writes, if no other is named.
func useDefaultFile(cmd *cobra.Command) error {
	if cmd.Flags().Changed("config") || os.Getenv(config.VariableConfig) != "" {
		return nil
	}
	file := defaultFile(os.Geteuid() == 0)
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return cmd.Flags().Set("config", file)
}

func printMaintenance(cmd *cobra.Command, end bool, result wire.SelfMaintenanceResult) error {
	text := fmt.Sprintf("Nobody is told of alerts of this host until %s.\n", cli.Moment(result.ToMS))
	switch {
	case end && result.Ended == 0:
		text = "This host has asked for no maintenance.\n"
	case end:
		text = "The maintenance has ended.\n"
	}
	_, err := fmt.Fprint(cmd.OutOrStdout(), text)
	return err
}
