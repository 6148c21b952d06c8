package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/inspectors/library"
	"github.com/vedettehq/vedette/internal/sdnotify"
	"github.com/vedettehq/vedette/master"
	"github.com/vedettehq/vedette/plugins"
	"github.com/vedettehq/vedette/web"
)

// NewMaster makes the command of that name.
func NewMaster() *cobra.Command {
	var settings cli.Settings
	cmd := &cobra.Command{
		Use:   "master",
		Short: "Run a master: accept agents and serve the page",
		Long: `Run a master until ^C. Agents report to it, and browsers open its address.

A master without tokens listens on loopback only, and is for the user who runs
it and for root; other users of this machine need the key that it prints. To be
reached from other machines it needs a certificate and tokens; "vedette token"
makes those.

It takes over changes of tokens, and of the certificate and its files, as they are
made and when it gets SIGHUP; connections of a token that is gone are closed.

A script that is pushed is built before it is accepted, in a process that is as
isolated as an agent's script host. What of this a system cannot do is logged.`,
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
	cmd.AddCommand(newMasterExport(), newMasterImport())
	return cmd
}

// masterFlags adds the flags that every command with a master has.
func masterFlags(cmd *cobra.Command, settings *cli.Settings) {
	settings.Flag(cmd, "listen", "master.listen", "listen on `HOST:PORT`; port 0 takes a free one (default 127.0.0.1:50505)")
	settings.StaticFlag(cmd)
}

// runnable is a master with what it builds scripts with.
type runnable struct {
	*master.Master
	builder *builder
	listen  string
}

// makeMaster makes one. told is the service manager, or nil.
func makeMaster(c *config.Config, log *slog.Logger, told *sdnotify.Notifier) (*runnable, error) {
	log = log.With(config.ComponentKey, "master")
	b, err := newBuilder(c, log)
	if err != nil {
		return nil, err
	}
	m, err := master.New(c.Master, master.Deps{
		Log: log, Version: cli.Version(), Build: b.build, Web: web.Handler(), ClientScript: web.ClientScript(), Notify: told,
	})
	if err != nil {
		return nil, errors.Join(err, b.close())
	}
	return &runnable{Master: m, builder: b, listen: c.Master.Listen}, nil
}

// run runs the master until ctx ends, and calls ready once it listens.
func (m *runnable) run(ctx context.Context, ready func()) (err error) {
	defer func() { err = errors.Join(err, m.builder.close()) }()
	if err := plugins.HideMemory(); err != nil {
		m.builder.log.Warn("other processes of this user can read the master's secrets", "reason", err)
	}
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	select {
	case err := <-done:
		return explainListen(err, m.listen)
	case <-m.Ready():
	}
	m.builder.start(ctx)
	ready()
	return <-done
}

// takeOver puts a configuration that was read again in place of the old one, as
// far as that goes while the master runs.
func (m *runnable) takeOver(old, fresh *config.Config) error {
	if err := m.Reload(fresh.Master); err != nil {
		return err
	}
	if err := cli.NeedRestart("master", old.Master, fresh.Master, "tokens", "tls"); err != nil {
		m.builder.log.Warn("not all of the configuration is taken over", "reason", err)
	}
	return nil
}

// tellAddress says what to open.
func (m *runnable) tellAddress(w io.Writer) {
	fmt.Fprintf(w, "Open %s\n", m.URL())
	if link := m.KeyURL(); link != "" {
		fmt.Fprintf(w, "Other users of this machine need its key: %s\n", link)
	}
}

// explainListen says what to do about an address that cannot be had.
func explainListen(err error, address string) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("cannot listen on %s: the port is taken, perhaps by another master; stop that, or choose another port with --listen, as --listen 127.0.0.1:0 for any", address)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("cannot listen on %s: not allowed; choose a port from 1024 on with --listen", address)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("cannot listen on %s: this machine does not have that address; choose another with --listen", address)
	}
	return err
}
