package collect

import (
	"sync"
	"time"

	"github.com/vedettehq/vedette/inspectors"
)

// alive knows the series of a collector that have a value, so that a series without a new
// value ends at once, as in Prometheus, and not only when it is too old. It is told of
// runs whose samples are kept, and of no others. The zero value knows none. It is safe for
// use from many goroutines: a collector and its replacement share one.
type alive struct {
	mu     sync.Mutex // guards what follows
	round  uint64
	series map[string]*living // by key and labels
}

// living is one series.
type living struct {
	sample inspectors.Sample // the last one, for its names
	round  uint64            // the last in which it had a value
}

// end returns the samples that end all series that had a value in the run before and have
// none in these samples.
func (a *alive) end(samples []inspectors.Sample, at time.Time) (endings []inspectors.Sample) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.series == nil {
		a.series = make(map[string]*living)
	}
	a.round++
	var id []byte
	for i := range samples {
		s := &samples[i]
		id = append(id[:0], s.Key...)
		for _, l := range s.Labels {
			id = append(append(append(append(id, 0), l.Name...), 0), l.Value...)
		}
		known := a.series[string(id)]
		if known == nil {
			known = &living{sample: *s}
			a.series[string(id)] = known
		}
		known.round = a.round
	}
	for id, s := range a.series {
		if s.round == a.round {
			continue
		}
		s.sample.Time = at
		endings = append(endings, inspectors.Ending(s.sample))
		delete(a.series, id)
	}
	return endings
}
