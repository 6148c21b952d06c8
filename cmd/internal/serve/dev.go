package serve

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/vedettehq/vedette/cmd/internal/agentcmd"
	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/inspectors/library"
	"github.com/vedettehq/vedette/internal/tempdir"
)

// dev is one run of `vedette dev`.
type dev struct {
	settings cli.Settings
	data     string // where the files are kept, or ""
	reloads  cli.Reloads
}

// NewDev makes the command `vedette dev`.
func NewDev() *cobra.Command {
	d := &dev{}
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Run a master and an agent on this machine, with everything built in",
		Long: `Run a master and an agent in one process until ^C, on loopback, and print the address
to open. You need not install or configure anything.

Its files are removed when it stops, unless --data says where to keep them. Its agent
accepts pushed code, unless the configuration says otherwise.`,
		Example: `  vedette dev
  vedette dev --listen 127.0.0.1:0
  vedette dev --config my-inspectors.yaml --data ./vedette-data
  vedette dev --static /master/app=./app`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return d.run(cmd) },
	}
	d.settings.FileFlag(cmd)
	masterFlags(cmd, &d.settings)
	agentcmd.Flags(cmd, &d.settings)
	cmd.Flags().StringVar(&d.data, "data", "", "keep the files of master and agent in `DIR` (default: a temporary one)")
	_ = cmd.MarkFlagDirname("data")
	return cmd
}

func (d *dev) run(cmd *cobra.Command) (err error) {
	ctx, stop := cli.UntilStopped(cmd)
	defer stop()
	d.reloads = cli.Reloads{Settings: &d.settings, Parts: config.PartMaster | config.PartAgent, Library: library.Names()}
	defer d.reloads.Listen()()
	folder := d.data
	if folder == "" {
		var remove func() error
		if folder, remove, err = tempdir.Make("vedette-dev-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, remove()) }()
	}
	d.settings.Set("master.data", filepath.Join(folder, "master"), "data")
	d.settings.Set("agent.data", filepath.Join(folder, "agent"), "data")
	c, err := d.reloads.Load()
	if err != nil {
		return err
	}
	if c.Origin("agent.accept_pushed_inspectors") == (config.Origin{}) {
		c.Agent.AcceptPushedInspectors = true // master and agent belong to the same person
	}
	if c.Origin("agent.policy.plugins") == (config.Origin{}) {
		c.Agent.Policy.Plugins = true
	}
	defs, err := agentcmd.Definitions(c)
	if err != nil {
		return err // checked before anything runs
	}
	fmt.Fprintf(cmd.OutOrStdout(), "Vedette %s: a master, and an agent for host %s with %d inspectors\n", cli.Version(), c.Agent.Host, len(defs))
	return d.both(ctx, cmd, c)
}

// both runs the master and, as soon as that listens, the agent. The agent stops first, so
// that the master gets its last report.
func (d *dev) both(ctx context.Context, cmd *cobra.Command, c *config.Config) error {
	log := cli.Logger(cmd, c)
	m, err := makeMaster(c, log, nil)
	if err != nil {
		return err
	}
	masterCtx, stopMaster := context.WithCancel(context.WithoutCancel(ctx))
	defer stopMaster()
	agentCtx, stopAgent := context.WithCancel(ctx)
	defer stopAgent()
	listening := make(chan struct{})
	var group errgroup.Group
	group.Go(func() error {
		defer stopAgent()
		return m.run(masterCtx, func() { close(listening) })
	})
	group.Go(func() error {
		defer stopMaster()
		select {
		case <-listening:
		case <-agentCtx.Done():
			return nil
		}
		m.tellAddress(cmd.OutOrStdout())
		fmt.Fprintln(cmd.OutOrStdout(), "Stop with ^C")
		c.Agent.Master = m.URL()
		return agentcmd.Run(agentCtx, c, log, nil, func(ctx context.Context, takeOver agentcmd.TakeOver) {
			d.reloads.Run(ctx, log, func(old, fresh *config.Config) error {
				if err := m.takeOver(old, fresh); err != nil {
					return err
				}
				return takeOver(old, fresh)
			})
		})
	})
	return group.Wait()
}
