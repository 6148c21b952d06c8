package rollout

import (
	"math"
	"time"

	"github.com/vedettehq/vedette/rpc/wire"
)

// The defaults of a plan.
const (
	defaultBake    = 10 * time.Second
	defaultTimeout = time.Minute
)

// Defaults fills in the open fields of a plan, for an inspector with this
// interval. It is called before New, which knows no interval and fills in the
// values for a short one.
func Defaults(p wire.Plan, interval time.Duration) wire.Plan {
	if len(p.Stages) == 0 && p.BakeMS != 0 {
		p.Stages = []wire.Stage{{Percent: 100}}
	}
	if len(p.Stages) != 0 && p.BakeMS == 0 {
		p.BakeMS = min(max(defaultBake, 2*interval), wire.MaxStageWait).Milliseconds()
	}
	if p.TimeoutMS == 0 {
		p.TimeoutMS = min(max(defaultTimeout, 3*interval), wire.MaxStageWait).Milliseconds()
	}
	return p
}

// whole returns the stages of a plan, with a last one of 100 %.
func whole(stages []wire.Stage) []wire.Stage {
	if n := len(stages); n > 0 && stages[n-1].Percent == 100 {
		return stages
	}
	return append(stages[:len(stages):len(stages)], wire.Stage{Percent: 100})
}

// reach is how many of n hosts have To when the stage begins.
func reach(s wire.Stage, n int) int {
	if s.Hosts != 0 {
		return min(s.Hosts, n)
	}
	// A whole number in decimals must not be rounded up because of its binary form.
	return min(int(math.Ceil(s.Percent*float64(n)/100-1e-9)), n)
}
