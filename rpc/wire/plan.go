package wire

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Bounds of plans.
const (
	MaxStages    = 20
	MaxStageWait = 24 * time.Hour // of a bake, and of a timeout
)

// ParseStages reads the stages of a plan as "1,10%,100%": numbers of hosts, or percent of them.
func ParseStages(text string) ([]Stage, error) {
	var stages []Stage
	for part := range strings.SplitSeq(text, ",") {
		stage, err := parseStage(strings.TrimSpace(part))
		if err != nil {
			return nil, err
		}
		stages = append(stages, stage)
	}
	return stages, Plan{Stages: stages}.Check()
}

func parseStage(text string) (Stage, error) {
	if number, ok := strings.CutSuffix(text, "%"); ok {
		percent, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err == nil && percent > 0 && percent <= 100 {
			return Stage{Percent: percent}, nil
		}
	} else if hosts, err := strconv.Atoi(text); err == nil && hosts > 0 {
		return Stage{Hosts: hosts}, nil
	}
	return Stage{}, fmt.Errorf("cannot read the stage %q: write a number of hosts such as 3, or a share above 0 to 100%% such as 10%%; stages are separated by "+
		"commas: 1,10%%,100%%", text)
}

// Check says what is wrong with a plan, or nil. A number of hosts and a share
// cannot be compared before the hosts are known: each kind grows for itself.
func (p Plan) Check() error {
	if len(p.Stages) > MaxStages {
		return fmt.Errorf("a plan of %d stages: at most %d are allowed", len(p.Stages), MaxStages)
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
			return fmt.Errorf("stage %d (%s) comes after 100%%, which is every host", i+1, s)
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
func notMore(stages []Stage, i, earlier int) error {
	return fmt.Errorf("stage %d (%s) is not more than stage %d (%s): stages grow", i+1, stages[i], earlier+1, stages[earlier])
}

func checkWait(what string, ms int64) error {
	if ms < 0 || ms > MaxStageWait.Milliseconds() {
		return fmt.Errorf("a %s of %d ms: give 0 to %d ms, which is a day", what, ms, MaxStageWait.Milliseconds())
	}
	return nil
}

// String writes a stage the way ParseStages reads it.
func (s Stage) String() string {
	if s.Hosts != 0 {
		return strconv.Itoa(s.Hosts)
	}
	return strconv.FormatFloat(s.Percent, 'f', -1, 64) + "%"
}

// Ended reports whether nothing more will happen in the rollout.
func (r Rollout) Ended() bool { return r.State != RolloutRunning && r.State != RolloutPaused }
