package compare

import (
	"slices"
	"strconv"
	"time"
)

// text writes a value in full, because a difference may be in the last digit.
func (c cell) text() string {
	if !c.there {
		return "-"
	}
	return strconv.FormatFloat(c.value, 'g', -1, 64)
}

// spread writes the range of some values.
func spread(values []float64) string {
	if len(values) == 0 {
		return "-"
	}
	low, high := bounds(values)
	if low == high {
		return strconv.FormatFloat(low, 'g', -1, 64)
	}
	return strconv.FormatFloat(low, 'g', 6, 64) + " to " + strconv.FormatFloat(high, 'g', 6, 64)
}

func bounds(values []float64) (low, high float64) {
	if len(values) == 0 {
		return 0, 0
	}
	return slices.Min(values), slices.Max(values)
}

// median returns the value in the middle, the lower one of two; 0 of none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[(len(sorted)-1)/2]
}

// distinct counts the different values.
func distinct(values []float64) int {
	return len(slices.Compact(slices.Sorted(slices.Values(values))))
}

// Cost is the cost of a run: the median of all runs.
type Cost struct {
	Wall, CPU time.Duration
}

// NativeCost returns the cost of the native runs of the rounds.
func NativeCost(rounds []Round) Cost {
	runs := make([]Run, 0, 2*len(rounds))
	for _, r := range rounds {
		runs = append(runs, r.Native, r.Control)
	}
	return cost(runs)
}

// InterpretedCost returns the cost of the interpreted runs of the rounds.
func InterpretedCost(rounds []Round) Cost {
	runs := make([]Run, 0, len(rounds))
	for _, r := range rounds {
		runs = append(runs, r.Interpreted)
	}
	return cost(runs)
}

func cost(runs []Run) Cost {
	wall, cpu := make([]float64, len(runs)), make([]float64, len(runs))
	for i, r := range runs {
		wall[i], cpu[i] = float64(r.Wall), float64(r.CPU)
	}
	return Cost{Wall: time.Duration(median(wall)), CPU: time.Duration(median(cpu))}
}

// A script whose interpreted runs cost this much CPU time is slow, or should
// rather be promoted: with an interval of a second on one core, these are half a
// percent and five percent.
const (
	SlowCPU    = 5 * time.Millisecond
	PromoteCPU = 50 * time.Millisecond
)
