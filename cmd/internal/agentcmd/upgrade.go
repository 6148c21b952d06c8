package agentcmd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/vedettehq/vedette/agent"
	"github.com/vedettehq/vedette/agent/upgrade"
	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/internal/sdnotify"
)

// start is how this process was started.
type start struct {
	environ []string
	well    func() // of a program that is being tried, or nil; see upgrade.OnTrial
}

// started looks how this process was started. It comes before the configuration is read.
func started() (start, error) {
	well, err := upgrade.OnTrial()
	return start{os.Environ(), well}, err
}

// runReplaceable runs an agent whose program the master may have replaced, if the
// configuration says so. Then this process becomes another program, and it does not
// return.
func runReplaceable(ctx context.Context, c *config.Config, log *slog.Logger, told *sdnotify.Notifier, start start,
	watch func(context.Context, TakeOver),
) error {
	plain := log // run says by itself whose it is
	log = log.With(config.ComponentKey, "agent")
	file, err := os.Executable()
	if err != nil {
		return fmt.Errorf("cannot find this program's own file: %w", err)
	}
	running, replaced := context.WithCancelCause(ctx)
	defer replaced(nil)
	u, err := upgrade.New(upgrade.Options{
		Log: log, Host: c.Agent.Upgrade, Data: c.Agent.Data, File: file, Switch: func() { replaced(agent.ErrReplaced) },
	})
	if err != nil {
		return err
	}
	err = run(running, c, plain, told, watch, func(d *agent.Deps) {
		if d.Well, d.Upgrades = start.well, u; start.well != nil { // one that is being tried does not try others
			d.Upgrades = upgrade.Tried{}
		}
	})
	chosen := u.Chosen()
	if chosen == nil || ctx.Err() != nil || err != nil && !errors.Is(context.Cause(running), agent.ErrReplaced) {
		return err
	}
	if err != nil {
		log.Warn("the agent did not stop as it should, before its program is replaced", "error", err)
	}
	t := upgrade.Trial{Args: os.Args, Environ: start.environ, Beat: told.Alive}
	program := u.Try(ctx, *chosen, t)
	if program == "" {
		return nil
	}
	return upgrade.Become(program, t)
}
