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
	well    func() // tells the trial that this program works, or nil if none is going on; see upgrade.OnTrial
}

// started finds out how this process was started. It must be called before the
// configuration is read.
func started() (start, error) {
	well, err := upgrade.OnTrial()
	return start{os.Environ(), well}, err
}

// runReplaceable runs an agent, whose program the master may replace if the configuration
// allows it. After a replacement this process becomes the new program, and the function
// does not return.
func runReplaceable(ctx context.Context, c *config.Config, log *slog.Logger, told *sdnotify.Notifier, start start,
	watch func(context.Context, TakeOver),
) error {
	plain := log // run adds the component itself
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
		if d.Well, d.Upgrades = start.well, u; start.well != nil { // a program on trial does not start another trial
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
