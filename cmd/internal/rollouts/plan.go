package rollouts

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/rpc/wire"
)

// PlanFlags are the flags that say how a revision reaches its hosts, and whether the
// command waits for that.
type PlanFlags struct {
	StageTimeout time.Duration
	Wait         time.Duration
	NoWait       bool

	canary string
	bake   time.Duration
}

// WaitDefault is how long a command waits for the end of a rollout.
const WaitDefault = 30 * time.Minute

// Flags adds the flags of a command with a plan.
func (f *PlanFlags) Flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.canary, "canary", "", "go in `STAGES`, hosts or percent of them, such as 1,10%,100% (default: all at once)")
	cmd.Flags().DurationVar(&f.bake, "bake", 0, "how long a stage must stay well before the next begins (default: the longer of 10s and two intervals)")
	cmd.Flags().DurationVar(&f.StageTimeout, "stage-timeout", 0, "how long a stage may take to be healthy (default: the longer of 1m and three intervals)")
	f.WaitFlags(cmd)
}

// WaitFlags adds the flags of a command without a plan.
func (f *PlanFlags) WaitFlags(cmd *cobra.Command) {
	cmd.Flags().DurationVar(&f.Wait, "wait", WaitDefault, "stop waiting for the end after this `DURATION`; the rollout goes on")
	cmd.Flags().BoolVar(&f.NoWait, "no-wait", false, "do not wait for the end of the rollout")
}

// Plan returns the plan of the flags, which it checks.
func (f *PlanFlags) Plan() (wire.Plan, error) {
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
	case f.StageTimeout < 0:
		return wire.Plan{}, cli.Usagef("--stage-timeout is %v; it must be above 0", f.StageTimeout)
	case f.Wait <= 0:
		return wire.Plan{}, cli.Usagef("--wait is %v; it must be above 0, or give --no-wait", f.Wait)
	}
	plan.BakeMS, plan.TimeoutMS = f.bake.Milliseconds(), f.StageTimeout.Milliseconds()
	if err := plan.Check(); err != nil {
		return wire.Plan{}, cli.Usagef("the plan of --bake and --stage-timeout: %v", err)
	}
	return plan, nil
}
