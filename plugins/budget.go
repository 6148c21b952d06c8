package plugins

import (
	"fmt"
	"hash/maphash"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/meter"
	pb "github.com/vedettehq/vedette/plugins/proto"
)

// budgetError says which budget was exceeded, and how much of it was used.
func budgetError(what, used, allowed string) error {
	return fmt.Errorf("%w: %s %s of %s", ErrBudget, what, used, allowed)
}

// excessError is the error of a run that its process cut off.
func excessError(e *pb.Excess) error {
	switch what := e.GetWhat(); what {
	case meter.CPU:
		used := time.Duration(e.GetUsed()).Round(100 * time.Microsecond)
		return budgetError(what, used.String(), time.Duration(e.GetAllowed()).String())
	case meter.Heap, meter.Output:
		return budgetError(what, inspectors.FormatBytes(e.GetUsed()), inspectors.FormatBytes(e.GetAllowed()))
	}
	return fmt.Errorf("%w: the plugin does not say which", ErrBudget)
}

// seriesTime is how long a series counts after it was last seen: at least that
// long, and at most twice as long. If it counted for ever, every inspector would
// reach its budget sooner or later, as mounts and containers come and go.
const seriesTime = 12 * time.Hour

// SeriesSet counts the distinct series of one inspector. It remembers a hash of
// each, no more of them than the budget allows. The zero value is ready; it is not safe
// for use from more than one goroutine.
type SeriesSet struct {
	seed     maphash.Seed
	now, old map[uint64]struct{} // seen since turned, and in the period before
	turned   time.Time
}

// Admit keeps the samples whose series it knows, and those of new series as far as
// the budget allows. It returns them, and how many it dropped.
func (s *SeriesSet) Admit(samples []inspectors.Sample, most int, at time.Time) (kept []inspectors.Sample, dropped int) {
	if len(samples) == 0 {
		return samples, 0
	}
	s.turn(at)
	kept = samples[:0]
	for i := range samples {
		if !s.admitOne(&samples[i], most) {
			dropped++
			continue
		}
		kept = append(kept, samples[i])
	}
	return kept, dropped
}

func (s *SeriesSet) turn(at time.Time) {
	switch {
	case s.now == nil:
		s.seed = maphash.MakeSeed()
	case at.Sub(s.turned) < seriesTime:
		return
	}
	s.old, s.now, s.turned = s.now, make(map[uint64]struct{}), at
}

func (s *SeriesSet) admitOne(sample *inspectors.Sample, most int) bool {
	id := s.hash(sample)
	if _, known := s.now[id]; known {
		return true
	}
	if _, known := s.old[id]; known {
		delete(s.old, id)
	} else if len(s.now)+len(s.old) >= most {
		return false
	}
	s.now[id] = struct{}{}
	return true
}

func (s *SeriesSet) hash(sample *inspectors.Sample) uint64 {
	var h maphash.Hash
	h.SetSeed(s.seed)
	_, _ = h.WriteString(sample.Key)
	for _, l := range sample.Labels {
		_ = h.WriteByte(0)
		_, _ = h.WriteString(l.Name)
		_ = h.WriteByte(0)
		_, _ = h.WriteString(l.Value)
	}
	return h.Sum64()
}

// SeriesError is the error of a run of which some samples were dropped, because
// their series are new and beyond the budget.
func SeriesError(dropped, most int) error {
	return fmt.Errorf("%w: series: %d of this run are new beyond the %d that are allowed a day, and were dropped", ErrBudget, dropped, most)
}

// charge holds an outcome against the budgets that are not about one run alone:
// the budget of series, and that of what the inspector holds.
func (p *Pool) charge(o *Outcome) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e := p.entries[o.Name]
	if e == nil {
		return
	}
	most := e.def.Budget.WithDefaults(e.def.Interval).Series
	var dropped int
	o.Samples, dropped = e.series.Admit(o.Samples, most, o.Start)
	if dropped > 0 && o.Err == nil {
		o.Err = SeriesError(dropped, most)
	}
	if e.debt != nil && o.Err == nil {
		o.Err, e.debt = e.debt, nil
	}
}
