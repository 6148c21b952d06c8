// Package agentcmd is the agent as both binaries run it: its command, and the
// hidden one that is its script host. It links nothing of the master.
package agentcmd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/agent"
	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/inspectors/library"
	"github.com/vedettehq/vedette/internal/lean"
	"github.com/vedettehq/vedette/internal/sdnotify"
	"github.com/vedettehq/vedette/plugins"
	"github.com/vedettehq/vedette/plugins/scriptcheck"
	"github.com/vedettehq/vedette/plugins/scripthost"
)

// New makes the command that runs an agent. program is how its binary is
// called.
func New(use, program string) *cobra.Command {
	var settings cli.Settings
	cmd := &cobra.Command{
		Use:   use,
		Short: "Run an agent: measure this machine and report to a master",
		Long: `Run an agent until ^C. It runs the built-in inspectors and those of the
configuration, and reports to the master. The master may start later or go away: the
agent keeps its samples and sends them when the master is back.

It applies changes of its inspectors, in the configuration and in their files, as they
are made and at SIGHUP.

Scripts run in a separate process that cannot start programs, write files or send
signals, and reads only the files that they declare as needs. Programs that they name
and agent.policy.exec lists are run for them. If the agent is started by root, both
run as another user, which can read no secrets. Parts of this isolation that a system
lacks are logged and shown by ` + "`vedette hosts`" + `.`,
		Example: "  " + program + "\n" +
			"  " + program + " --master https://master.example:50505 --token-file /etc/vedette/token\n" +
			"  " + program + " --host web-1 --config agent.yaml",
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			start, err := started()
			if err != nil {
				return err
			}
			reloads := cli.Reloads{Settings: &settings, Parts: config.PartAgent, Library: library.Names()}
			defer reloads.Listen()()
			c, err := reloads.Load()
			if err != nil {
				return err
			}
			ctx, stop := cli.UntilStopped(cmd)
			defer stop()
			defer beLean()()
			log := cli.Logger(cmd, c)
			told, err := sdnotify.FromEnvironment(log)
			if err != nil {
				return err
			}
			return runReplaceable(ctx, c, log, told, start, func(ctx context.Context, takeOver TakeOver) { reloads.Run(ctx, log, takeOver) })
		},
	}
	settings.FileFlag(cmd)
	Flags(cmd, &settings)
	identityFlags(cmd, &settings, "report to")
	cmd.AddCommand(newJoin(program), newMaintenance(program))
	return cmd
}

// identityFlags adds the flags that say to which master a host shows what.
func identityFlags(cmd *cobra.Command, settings *cli.Settings, verb string) {
	settings.Flag(cmd, "master", "agent.master", verb+" the master at `URL` (default http://127.0.0.1:50505)")
	settings.Flag(cmd, "token-file", "agent.token_file", "take the agent's token from `FILE`")
	settings.Flag(cmd, "ca", "agent.ca", "trust the authorities in the PEM `FILE` for the master's certificate")
	settings.Flag(cmd, "data", "agent.data", "keep the agent's files in `DIR` (default $XDG_STATE_HOME/vedette-agent/HOST)")
}

// Flags adds the flags that every command with an agent has.
func Flags(cmd *cobra.Command, settings *cli.Settings) {
	settings.Flag(cmd, "host", "agent.host", "report under the `NAME` (default: the machine's host name)")
}

// checkArgument makes the script host's command a checker.
const checkArgument = "check"

// Child does the work of the agent's child process, where the arguments of this
// program, without its name, are those of one. Every program that runs an agent or a
// master, and so every test of one, asks it first: a test that does not would run all
// of itself once more in each child.
func Child(args []string) (status int, is bool) {
	switch {
	case slices.Equal(args, []string{scripthost.Command, checkArgument}):
		return scriptcheck.Main(os.Stdin, os.Stdout), true
	case len(args) > 0 && args[0] == scripthost.Command:
		return scripthost.Main(), true
	default:
		return 0, false
	}
}

// ScriptHost makes the hidden command that is the agent's child process: the one
// that runs scripts, and the one that checks them.
func ScriptHost() *cobra.Command {
	return &cobra.Command{
		Use:                scripthost.Command,
		Hidden:             true,
		DisableFlagParsing: true,
		RunE: func(_ *cobra.Command, args []string) error {
			status, _ := Child(append([]string{scripthost.Command}, args...))
			if status != 0 {
				return cli.Exit(status, nil)
			}
			return nil
		},
	}
}

// TakeOver puts the inspectors of a configuration in place of those that run.
type TakeOver func(old, fresh *config.Config) error

// Run runs an agent until ctx ends and everything that it started is gone. While
// it runs, watch, or nil, is called, with what takes over another configuration;
// it ends with its context. told is the service manager, or nil.
func Run(ctx context.Context, c *config.Config, log *slog.Logger, told *sdnotify.Notifier, watch func(context.Context, TakeOver)) error {
	return run(ctx, c, log, told, watch, func(*agent.Deps) {})
}

// run is Run where more of what the agent works with is given.
func run(ctx context.Context, c *config.Config, log *slog.Logger, told *sdnotify.Notifier, watch func(context.Context, TakeOver),
	more func(*agent.Deps),
) (err error) {
	log = log.With(config.ComponentKey, "agent")
	defs, builtIn, err := definitions(c)
	if err != nil {
		return err
	}
	if err := plugins.HideMemory(); err != nil {
		log.Warn("other processes of this user can read the agent's secrets", "reason", err)
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("cannot find this program's own file, to check scripts in: %w", err)
	}
	var running atomic.Pointer[agent.Agent]
	pool, err := NewPool(c.Agent.Data, log, func(inspector, line string) {
		if a := running.Load(); a != nil && a.Printed(inspector, line) {
			return
		}
		log.Info("inspector prints", "inspector", inspector, "line", line)
	}, isolate(c))
	if err != nil {
		return err
	}
	checked := scriptcheck.NewPool(pool, []string{self, scripthost.Command, checkArgument})
	defer func() { err = errors.Join(err, checked.Close()) }()
	deps := agent.Deps{
		Log: log, Version: cli.Version(), Runner: checked, Definitions: defs, BuiltIn: builtIn, HostBy: c.HostBy(),
		Notify: told,
	}
	more(&deps)
	a, err := agent.New(c.Agent, deps)
	if err != nil {
		return err
	}
	running.Store(a)
	if watch == nil {
		return a.Run(ctx)
	}
	watching, stop := context.WithCancel(ctx)
	var watcher sync.WaitGroup
	watcher.Go(func() {
		watch(watching, func(old, fresh *config.Config) error { return takeOver(watching, a, log, old, fresh) })
	})
	err = a.Run(ctx)
	stop()
	watcher.Wait()
	return err
}

// applyAgain is how long an agent that does not run yet is left alone.
const applyAgain = 50 * time.Millisecond

// takeOver gives a running agent the inspectors of a configuration. One that
// does not load is no fault of the whole: the agent says so, and tells the master.
func takeOver(ctx context.Context, a *agent.Agent, log *slog.Logger, old, fresh *config.Config) error {
	defs, err := Definitions(fresh)
	if err != nil {
		return err
	}
	for err = a.Apply(ctx, defs); errors.Is(err, agent.ErrNotRunning); err = a.Apply(ctx, defs) {
		select { // it begins, or has ended
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(applyAgain):
		}
	}
	if err != nil {
		log.Warn("not all of the inspectors run as they are configured now", "reason", err)
	}
	if err := cli.NeedRestart("agent", old.Agent, fresh.Agent, "library"); err != nil {
		log.Warn("not all of the configuration is taken over", "reason", err)
	}
	return nil
}

// rest is how long after its start the agent gives back what starting took.
const rest = 15 * time.Second

// beLean makes a process that is an agent and nothing else a small one, but where
// the environment says how it should be. It waits most of the time, and a second
// thread of Go code would only be woken to find nothing to do.
func beLean() (stop func()) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(lean.Percent)
	}
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(1)
	}
	runtime.MemProfileRate = 0 // nobody asks for a profile, and its table takes a page for each place
	trimmer := lean.NewTrimmer(rest)
	trimmer.Disturb()
	return trimmer.Stop
}

// Definitions returns what the agent of a configuration runs: its choice of the
// library and its own inspectors, which replace built-in ones of their name.
func Definitions(c *config.Config) ([]inspectors.Definition, error) {
	defs, _, err := definitions(c)
	return defs, err
}

// definitions returns the names of the built-in ones too.
func definitions(c *config.Config) (defs []inspectors.Definition, builtIn []string, err error) {
	own, err := c.Definitions()
	if err != nil {
		return nil, nil, err
	}
	named := make(map[string]bool, len(own))
	for _, d := range own {
		named[d.Name] = true
	}
	defs = own
	for _, d := range library.Definitions() {
		if !named[d.Name] && (c.Agent.Library.All || slices.Contains(c.Agent.Library.Names, d.Name)) {
			defs, builtIn = append(defs, d), append(builtIn, d.Name)
		}
	}
	return defs, builtIn, nil
}

// NewPool makes the processes that run inspectors, as PoolOptions says. with changes
// the options further.
func NewPool(data string, log *slog.Logger, output func(inspector, line string), with ...func(*plugins.PoolOptions)) (*plugins.Pool, error) {
	options, err := PoolOptions(data, log, output)
	if err != nil {
		return nil, err
	}
	for _, change := range with {
		change(&options)
	}
	return plugins.NewPool(options), nil
}

// PoolOptions are those of the processes that run inspectors. They keep their sockets,
// and who is quarantined, in the agent's folder data; where that is empty they keep
// sockets among the temporary files, and remember nothing. output is told each line
// that a script prints.
func PoolOptions(data string, log *slog.Logger, output func(inspector, line string)) (plugins.PoolOptions, error) {
	self, err := os.Executable()
	if err != nil {
		return plugins.PoolOptions{}, fmt.Errorf("cannot find this program's own file, to run scripts in: %w", err)
	}
	dir := ""
	if data != "" {
		dir = filepath.Join(data, "run")
	}
	return plugins.PoolOptions{
		Dir: dir, State: data, Log: log, ScriptHost: []string{self, scripthost.Command}, Output: output,
		Limits: plugins.Limits{DataBytes: dataBytes},
	}, nil
}
