// Package agentcmd is the agent as both binaries run it: its command, and the hidden
// command that is its script host. It imports nothing of the master.
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

// New makes the command that runs an agent. program is the name of the binary's command for
// it.
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

// identityFlags adds the flags that name the master and say how the host proves its
// identity to it.
func identityFlags(cmd *cobra.Command, settings *cli.Settings, verb string) {
	settings.Flag(cmd, "master", "agent.master", verb+" the master at `URL` (default http://127.0.0.1:50505)")
	settings.Flag(cmd, "token-file", "agent.token_file", "take the agent's token from `FILE`")
	settings.Flag(cmd, "ca", "agent.ca", "trust the authorities in the PEM `FILE` for the master's certificate")
	settings.Flag(cmd, "data", "agent.data", "keep the agent's files in `DIR` (default $XDG_STATE_HOME/vedette-agent/HOST)")
}

// Flags adds the flags of every command that runs an agent.
func Flags(cmd *cobra.Command, settings *cli.Settings) {
	settings.Flag(cmd, "host", "agent.host", "report under the `NAME` (default: the machine's host name)")
}

// checkArgument tells the script host's command to check scripts instead of running them.
const checkArgument = "check"

// Child does the work of the agent's child process if the arguments, without the program's
// name, are those of such a child. Every program that runs an agent or a master must call
// it first, and so must their tests: a test binary that does not would run all of its tests
// again in each child.
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

// ScriptHost makes the hidden command of the agent's child processes: the one that runs
// scripts, and the one that checks them.
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

// TakeOver replaces the running inspectors by those of another configuration.
type TakeOver func(old, fresh *config.Config) error

// Run runs an agent until ctx ends and everything that it started is gone. watch, unless it
// is nil, is called once with the function that takes over another configuration, and must
// return when its context ends. told is the service manager, or nil.
func Run(ctx context.Context, c *config.Config, log *slog.Logger, told *sdnotify.Notifier, watch func(context.Context, TakeOver)) error {
	return run(ctx, c, log, told, watch, func(*agent.Deps) {})
}

// run is Run with more dependencies of the agent under the caller's control.
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

// applyAgain is the time between two attempts to apply a configuration to an agent that is
// still starting.
const applyAgain = 50 * time.Millisecond

// takeOver applies the inspectors of a configuration to a running agent. If some of them do
// not load, the others run all the same; the agent logs the fault and tells the master.
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

// rest is the time after its start at which the agent returns the memory that starting
// took.
const rest = 15 * time.Second

// beLean limits the memory and threads of a process that only runs an agent, unless the
// environment sets them. An agent waits most of the time, so a second thread of Go code
// would only be woken to find nothing to do.
func beLean() (stop func()) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(lean.Percent)
	}
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(1)
	}
	runtime.MemProfileRate = 0 // nobody asks for a profile, and its table takes a page for each call site
	trimmer := lean.NewTrimmer(rest)
	trimmer.Disturb()
	return trimmer.Stop
}

// Definitions returns the inspectors that the agent of a configuration runs: those it
// chooses of the library and those it defines itself, which replace built-in ones of the
// same name.
func Definitions(c *config.Config) ([]inspectors.Definition, error) {
	defs, _, err := definitions(c)
	return defs, err
}

// definitions is Definitions that also returns the names of the built-in inspectors.
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

// NewPool makes the pool of processes that run inspectors, with PoolOptions as the changes
// in with modify them.
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

// PoolOptions returns the options of the pool that runs inspectors. The pool keeps its
// sockets and the list of quarantined inspectors in the agent's folder data. If data is
// empty, sockets are among the temporary files, and nothing is remembered. output is called
// with each line that a script prints.
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
