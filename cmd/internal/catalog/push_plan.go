package catalog

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/rpc/wire"
)

// planFlags are the flags that say how a revision reaches its hosts, and whether the
// command waits for that.
type planFlags struct {
	canary       string
	bake         time.Duration
	stageTimeout time.Duration
	wait         time.Duration
	noWait       bool
}

// waitDefault is how long a command waits for the end of a rollout.
const waitDefault = 30 * time.Minute

func (f *planFlags) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.canary, "canary", "", "go in `STAGES`, hosts or percent of them, such as 1,10%,100% (default: all at once)")
	cmd.Flags().DurationVar(&f.bake, "bake", 0, "how long a stage must stay well before the next begins (default: the longer of 10s and two intervals)")
	cmd.Flags().DurationVar(&f.stageTimeout, "stage-timeout", 0, "how long a stage may take to be healthy (default: the longer of 1m and three intervals)")
	f.waitFlags(cmd)
}

// waitFlags adds the flags of a command without a plan.
func (f *planFlags) waitFlags(cmd *cobra.Command) {
	cmd.Flags().DurationVar(&f.wait, "wait", waitDefault, "stop waiting for the end after this `DURATION`; the rollout goes on")
	cmd.Flags().BoolVar(&f.noWait, "no-wait", false, "do not wait for the end of the rollout")
}

// plan reads the flags.
func (f *planFlags) plan() (wire.Plan, error) {
	var plan wire.Plan
	if f.canary != "" {
		var err error
		if plan.Stages, err = wire.ParseStages(f.canary); err != nil {
			return wire.Plan{}, cli.Usagef("--canary: %v", err)
		}
	}
	switch {
	case f.bake < 0:
		return wire.Plan{}, cli.Usagef("--bake is %v; it must be above 0", f.bake)
	case f.stageTimeout < 0:
		return wire.Plan{}, cli.Usagef("--stage-timeout is %v; it must be above 0", f.stageTimeout)
	case f.wait <= 0:
		return wire.Plan{}, cli.Usagef("--wait is %v; it must be above 0, or give --no-wait", f.wait)
	}
	plan.BakeMS, plan.TimeoutMS = f.bake.Milliseconds(), f.stageTimeout.Milliseconds()
	if err := plan.Check(); err != nil {
		return wire.Plan{}, cli.Usagef("the plan of --bake and --stage-timeout: %v", err)
	}
	return plan, nil
}

// checkDuration checks the value of a flag that is a duration; 0 is allowed.
func checkDuration(flag string, d time.Duration) error {
	if d < 0 {
		return cli.Usagef("--%s is %v; it must be above 0", flag, d)
	}
	return nil
}

// nameAndRevisions requires a name and at most so many revisions.
func nameAndRevisions(most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return errors.New(cmd.CommandPath() + " needs the NAME of an inspector, as `vedette inspectors` shows it")
		case len(args) > 1+most:
			return fmt.Errorf("%s does not know what to do with %q", cmd.CommandPath(), args[1+most])
		}
		for _, revision := range args[1:] {
			if len(revision) < cli.ShortDigits || strings.Trim(revision, "0123456789abcdef") != "" {
				return fmt.Errorf("%q is no revision; write %d digits of its id or more, as `vedette inspector history %s` shows them", revision, cli.ShortDigits, args[0])
			}
		}
		return nil
	}
}
