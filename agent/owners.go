package agent

import (
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/plugins"
)

// owners knows which inspector writes a series when two of them could write the
// same one: disk with its sample used_percent, and disk/used_percent. The
// inspector that was there first has the series until it is gone or no longer
// yields it; the other one fails. It is safe for use from many goroutines.
type owners struct {
	names func() iter.Seq2[string, uint64] // of all inspectors, each with when it came

	mu   sync.Mutex
	of   map[string]string              // the inspector of a series
	last map[string]map[string]struct{} // the series of an inspector's last run
}

func newOwners(names func() iter.Seq2[string, uint64]) *owners {
	return &owners{names: names, of: make(map[string]string), last: make(map[string]map[string]struct{})}
}

// claim takes out of an outcome the samples of series that another inspector
// writes, and makes it an error that names the other. An end is no sample: it claims
// nothing, and it gives up the series that it ends. It is dropped where another inspector
// has the series.
func (w *owners) claim(o *plugins.Outcome) {
	came, rivals := w.rivals(o.Name)
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(rivals) == 0 {
		w.releaseLocked(o.Name, nil)
		return
	}
	if o.Err != nil && len(o.Samples) == 0 {
		return // a run that failed gives nothing up
	}
	var faults []error
	kept, now := make([]inspectors.Sample, 0, len(o.Samples)), make(map[string]struct{}, len(o.Samples))
	for i := range o.Samples {
		s := &o.Samples[i]
		series := s.Key + s.Labels.String()
		owner := w.of[series]
		first, isRival := rivals[owner]
		switch {
		case inspectors.IsEnding(s.Value):
			if !isRival {
				kept = append(kept, *s)
			}
		case isRival && first < came:
			faults = append(faults, fmt.Errorf("%s is written by inspector %q", series, owner))
		default:
			w.of[series] = o.Name
			now[series] = struct{}{}
			kept = append(kept, *s)
		}
	}
	w.releaseLocked(o.Name, now)
	o.Samples = kept
	if len(faults) > 0 {
		o.Err = errors.Join(o.Err, fmt.Errorf("%w: %w%s; give one of the two another name", inspectors.ErrSamples, faults[0], more(len(faults)-1)))
	}
}

// rivals returns the inspectors that could write the same series as the named one,
// each with its place in the order in which they came. Because a series begins
// with the name of its inspector, those are inspectors whose names continue this
// one after a slash, or the reverse. came is the place of the named one.
func (w *owners) rivals(name string) (came uint64, rivals map[string]uint64) {
	for other, at := range w.names() {
		switch {
		case other == name:
			came = at
		case strings.HasPrefix(other, name+"/") || strings.HasPrefix(name, other+"/"):
			if rivals == nil {
				rivals = make(map[string]uint64)
			}
			rivals[other] = at
		}
	}
	return came, rivals
}

// releaseLocked gives up the inspector's series that its latest run did not yield.
func (w *owners) releaseLocked(name string, now map[string]struct{}) {
	for series := range w.last[name] {
		if _, still := now[series]; !still && w.of[series] == name {
			delete(w.of, series)
		}
	}
	if len(now) == 0 {
		delete(w.last, name)
		return
	}
	w.last[name] = now
}

func more(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(", and %d more", n)
}
