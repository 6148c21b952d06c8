package inspectors

// maxHeldCounters bounds the counters that are remembered: beyond it, those that
// have not come for the longest time are forgotten.
const maxHeldCounters = 2 * MaxSamples

// Counters remembers the counters of one inspector over its runs, and keeps them
// from going back. The kernel's counters do so now and then: waiting time for
// input and output is taken back, the rings of an interface are made again. A
// reader of a counter takes each step back for a restart from zero, and a rate
// over it is nonsense. The zero value is empty. It is used by one goroutine at a
// time.
type Counters struct {
	now, before map[string]float64 // by series; used ones move to now
	scratch     []byte
}

// Hold replaces each counter of the report that has gone back by its last value,
// until it has passed that. A counter that has lost more than half has been
// restarted, and is left as it is.
func (c *Counters) Hold(r *Report) {
	for i := range r.samples {
		if s := &r.samples[i]; s.Kind == Counter {
			s.Value = c.hold(s)
		}
	}
}

func (c *Counters) hold(s *Sample) float64 {
	c.scratch = s.Labels.appendTo(append(c.scratch[:0], s.Key...))
	last, known := c.now[string(c.scratch)]
	if !known {
		last, known = c.before[string(c.scratch)]
		if len(c.now) >= maxHeldCounters/2 || c.now == nil {
			c.now, c.before = make(map[string]float64), c.now
		}
	}
	value := s.Value
	if known && value < last && value >= last/2 {
		value = last
	}
	c.now[string(c.scratch)] = value
	return value
}
