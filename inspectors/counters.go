package inspectors

// maxHeldCounters bounds the counters that are remembered: more are forgotten,
// those first that have not come for long.
const maxHeldCounters = 2 * MaxSamples

// Counters remembers the counters of one inspector over its runs, and keeps them
// from stepping back. The kernel's do now and then: time that waited for input and
// output is taken back, the rings of an interface are made anew. Whoever reads a
// counter takes each step back for a restart from zero, and a rate over it is
// nonsense. The zero value is empty. It is used by one goroutine at a time.
type Counters struct {
	now, before map[string]float64 // by series; what is used moves to now
	scratch     []byte
}

// Hold replaces each counter of the report that has stepped back by its last value,
// until it has passed that. One that has lost more than half has been restarted,
// and is left as it is.
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
