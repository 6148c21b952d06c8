package rollout

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/vedettehq/vedette/rpc/wire"
)

// Bounds of plans.
const (
	maxStages = 20
	maxWait   = 24 * time.Hour // of a bake, and of a timeout

	defaultBake    = 10 * time.Second
	defaultTimeout = time.Minute
)

// ParsePlan reads stages as "1,10%,100%": numbers of hosts, or percent of them.
func ParsePlan(text string) ([]wire.Stage, error) {
	var stages []wire.Stage
	for part := range strings.SplitSeq(text, ",") {
		stage, err := parseStage(strings.TrimSpace(part))
		if err != nil {
			return nil, err
		}
		stages = append(stages, stage)
	}
	return stages, CheckPlan(wire.Plan{Stages: stages})
}

func parseStage(text string) (wire.Stage, error) {
	if number, ok := strings.CutSuffix(text, "%"); ok {
		percent, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err == nil && percent > 0 && percent <= 100 {
			return wire.Stage{Percent: percent}, nil
		}
	} else if hosts, err := strconv.Atoi(text); err == nil && hosts > 0 {
		return wire.Stage{Hosts: hosts}, nil
	}
	return wire.Stage{}, fmt.Errorf("cannot read the stage %q: write a number of hosts, as 3, or a share above 0 to 100%%, as 10%%; stages are separated by commas, as 1,10%%,100%%", text)
}

// CheckPlan says what is wrong with a plan, or nil. A number of hosts and a share
// cannot be compared before the hosts are known: each kind grows for itself.
func CheckPlan(p wire.Plan) error {
	if len(p.Stages) > maxStages {
		return fmt.Errorf("a plan of %d stages: at most %d are allowed", len(p.Stages), maxStages)
	}
	byHosts, byPercent := -1, -1 // the last stage of each kind
	for i, s := range p.Stages {
		switch {
		case (s.Hosts != 0) == (s.Percent != 0):
			return fmt.Errorf("stage %d: give either a number of hosts or a percentage", i+1)
		case s.Hosts < 0:
			return fmt.Errorf("stage %d: %d hosts: give at least 1", i+1, s.Hosts)
		case math.IsNaN(s.Percent) || s.Percent < 0 || s.Percent > 100:
			return fmt.Errorf("stage %d: %v %%: give more than 0 and at most 100", i+1, s.Percent)
		case byPercent >= 0 && p.Stages[byPercent].Percent == 100:
			return fmt.Errorf("stage %d (%s) comes after 100%%, which is every host", i+1, size(s))
		case s.Hosts != 0 && byHosts >= 0 && s.Hosts <= p.Stages[byHosts].Hosts:
			return notMore(p.Stages, i, byHosts)
		case s.Percent != 0 && byPercent >= 0 && s.Percent <= p.Stages[byPercent].Percent:
			return notMore(p.Stages, i, byPercent)
		}
		if s.Hosts != 0 {
			byHosts = i
		} else {
			byPercent = i
		}
	}
	return errors.Join(checkWait("bake", p.BakeMS), checkWait("timeout", p.TimeoutMS))
}

// notMore says that a stage reaches no further than an earlier one.
func notMore(stages []wire.Stage, i, earlier int) error {
	return fmt.Errorf("stage %d (%s) is not more than stage %d (%s): stages grow", i+1, size(stages[i]), earlier+1, size(stages[earlier]))
}

func checkWait(what string, ms int64) error {
	if ms < 0 || ms > maxWait.Milliseconds() {
		return fmt.Errorf("a %s of %d ms: give 0 to %d ms, which is a day", what, ms, maxWait.Milliseconds())
	}
	return nil
}

// Defaults fills in what a plan leaves open, for an inspector with this
// interval. It is called before New, which knows no interval and fills in what
// fits a short one.
func Defaults(p wire.Plan, interval time.Duration) wire.Plan {
	if len(p.Stages) == 0 && p.BakeMS != 0 {
		p.Stages = []wire.Stage{{Percent: 100}}
	}
	if len(p.Stages) != 0 && p.BakeMS == 0 {
		p.BakeMS = min(max(defaultBake, 2*interval), maxWait).Milliseconds()
	}
	if p.TimeoutMS == 0 {
		p.TimeoutMS = min(max(defaultTimeout, 3*interval), maxWait).Milliseconds()
	}
	return p
}

// whole returns the stages of a plan with the last, of 100 %.
func whole(stages []wire.Stage) []wire.Stage {
	if n := len(stages); n > 0 && stages[n-1].Percent == 100 {
		return stages
	}
	return append(stages[:len(stages):len(stages)], wire.Stage{Percent: 100})
}

// reach is how many of n hosts have To when the stage goes on.
func reach(s wire.Stage, n int) int {
	if s.Hosts != 0 {
		return min(s.Hosts, n)
	}
	// What is a whole number in decimals must not be rounded up for the sake of
	// its binary form.
	return min(int(math.Ceil(s.Percent*float64(n)/100-1e-9)), n)
}

// size is a stage as ParsePlan reads it.
func size(s wire.Stage) string {
	if s.Hosts != 0 {
		return strconv.Itoa(s.Hosts)
	}
	return strconv.FormatFloat(s.Percent, 'f', -1, 64) + "%"
}
