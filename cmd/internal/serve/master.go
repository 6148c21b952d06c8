package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"sync"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/agentcmd"
	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/inspectors/library"
	"github.com/vedettehq/vedette/internal/sdnotify"
	"github.com/vedettehq/vedette/master"
	"github.com/vedettehq/vedette/master/catalog"
	"github.com/vedettehq/vedette/plugins"
	"github.com/vedettehq/vedette/plugins/trybuild"
	"github.com/vedettehq/vedette/web"
)

// NewMaster makes the command `vedette master`.
func NewMaster() *cobra.Command {
	var settings cli.Settings
	cmd := &cobra.Command{
		Use:   "master",
		Short: "Run a master: accept agents and serve the page",
		Long: `Run a master until ^C. Agents report to it, and browsers open its address.

A master without tokens listens on loopback only, and serves the user who runs it and
root; other users of this machine need the key that it prints. To be reached from
other machines it needs a certificate and tokens; "vedette token" makes those.

It applies changes of tokens, and of the certificate and its files, as they are made
and at SIGHUP; connections of a removed token are closed.

A pushed script is built before it is accepted, in a process that is as isolated as an
agent's script host. Layers of isolation that this system lacks are logged.`,
		Example: `  vedette master
  vedette master --listen 127.0.0.1:8080
  vedette master --config master.yaml
  vedette master --static /master/app=./app`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			reloads := cli.Reloads{Settings: &settings, Parts: config.PartMaster, Library: library.Names()}
			defer reloads.Listen()()
			c, err := reloads.Load()
			if err != nil {
				return err
			}
			ctx, stop := cli.UntilStopped(cmd)
			defer stop()
			log := cli.Logger(cmd, c)
			told, err := sdnotify.FromEnvironment(log)
			if err != nil {
				return err
			}
			m, err := makeMaster(c, log, told)
			if err != nil {
				return err
			}
			var watcher sync.WaitGroup
			defer watcher.Wait()
			watching, done := context.WithCancel(ctx)
			defer done()
			return m.run(ctx, func() {
				m.tellAddress(cmd.OutOrStdout())
				watcher.Go(func() { reloads.Run(watching, log, m.takeOver) })
			})
		},
	}
	settings.FileFlag(cmd)
	masterFlags(cmd, &settings)
	settings.Flag(cmd, "data", "master.data", "keep the master's files in `DIR` (default $XDG_STATE_HOME/vedette)")
	cmd.AddCommand(newMasterBackup(), newMasterRestore(), newMasterExport(), newMasterImport())
	return cmd
}

// masterFlags adds the flags of every command that runs a master.
func masterFlags(cmd *cobra.Command, settings *cli.Settings) {
	settings.Flag(cmd, "listen", "master.listen", "listen on `HOST:PORT`; port 0 takes a free one (default 127.0.0.1:50505)")
	settings.StaticFlag(cmd)
}

// runnable is a master with its builder of scripts.
type runnable struct {
	*master.Master
	builder *trybuild.Builder
	log     *slog.Logger
}

// makeMaster makes a runnable. told is the service manager, or nil.
func makeMaster(c *config.Config, log *slog.Logger, told *sdnotify.Notifier) (*runnable, error) {
	log = log.With(config.ComponentKey, "master")
	b, err := newBuilder(c, log)
	if err != nil {
		return nil, err
	}
	m, err := master.New(c.Master, master.Deps{
		Log: log, Version: cli.Version(), Build: buildWith(b), Web: web.Handler(), ClientScript: web.ClientScript(), Notify: told,
	})
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return &runnable{Master: m, builder: b, log: log}, nil
}

// newBuilder makes the builder of pushed scripts.
func newBuilder(c *config.Config, log *slog.Logger) (*trybuild.Builder, error) {
	options, err := agentcmd.PoolOptions("", log, func(string, string) {})
	if err != nil {
		return nil, err
	}
	options.Dir = filepath.Join(c.Master.Data, "run")
	options.Sandbox = plugins.Sandbox{Private: c.Private()}
	return trybuild.New(options), nil
}

// buildWith builds scripts for the catalog. It distinguishes scripts that cannot be built
// here from those that do not build anywhere.
func buildWith(b *trybuild.Builder) func(context.Context, inspectors.Definition) error {
	return func(ctx context.Context, d inspectors.Definition) error {
		err := b.Build(ctx, d)
		if errors.Is(err, plugins.ErrUnavailable) {
			return fmt.Errorf("%w: %w", catalog.ErrNotBuilt, err)
		}
		return err
	}
}

// run runs the master until ctx ends, and calls ready when it listens.
func (m *runnable) run(ctx context.Context, ready func()) (err error) {
	defer func() { err = errors.Join(err, m.builder.Close()) }()
	if err := plugins.HideMemory(); err != nil {
		m.log.Warn("other processes of this user can read the master's secrets", "reason", err)
	}
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	select {
	case err := <-done:
		return err
	case <-m.Ready():
	}
	m.builder.Start(ctx)
	ready()
	return <-done
}

// takeOver applies a configuration that was read again, except settings that only a restart
// can change.
func (m *runnable) takeOver(old, fresh *config.Config) error {
	if err := m.Reload(fresh.Master); err != nil {
		return err
	}
	roles := fresh.Master // roles of people at the provider can change
	if old.Master.OIDC.On() && roles.OIDC.On() {
		roles.OIDC.Roles = old.Master.OIDC.Roles
	}
	if err := cli.NeedRestart("master", old.Master, roles, "tokens", "tls", "alerts", "two_persons"); err != nil {
		m.log.Warn("not all of the configuration is taken over", "reason", err)
	}
	return nil
}

// tellAddress prints the address to open.
func (m *runnable) tellAddress(w io.Writer) {
	fmt.Fprintf(w, "Open %s\n", m.URL())
	if file := m.AuthorityFile(); file != "" {
		fmt.Fprintf(w, "Its certificate is by its own authority. Commands here take: --master %s --ca %s\n", m.URL(), file)
	}
	if link := m.FirstLink(); link != "" {
		fmt.Fprintf(w, "There is no user yet. Whoever opens this within an hour becomes the first admin: %s\n", link)
	}
	if link := m.KeyURL(); link != "" {
		fmt.Fprintf(w, "Other users of this machine need its key: %s\n", link)
	}
}
