package inspectors

// maxHeldCounters bounds the counters that are remembered. Beyond it, those that were not
// reported for the longest time are forgotten.
const maxHeldCounters = 2 * MaxSamples

// Counters remembers the counters of one inspector across its runs, and keeps them from
// going back. The kernel's counters sometimes do: it corrects the time spent waiting for
// I/O, and recreates the rings of an interface. A reader takes each step back for a restart
// from zero, and computes a nonsensical rate. The zero value is empty. It must be used by
// one goroutine at a time.
type Counters struct {
	now, before map[string]float64 // by series; entries that are used move to now
	scratch     []byte
}

// Hold replaces each counter of the report that has gone back by its last value, until the
// counter has passed that. A counter that has lost more than half of its value was
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
