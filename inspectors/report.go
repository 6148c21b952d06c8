package inspectors

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// Kind says how the values of a series relate to each other.
type Kind uint8

const (
	// Gauge is a value that goes up and down.
	Gauge Kind = iota
	// Counter is a value that only grows, and starts again from zero when what
	// it counts is restarted.
	Counter
)

// String returns "gauge" or "counter".
func (k Kind) String() string {
	if k == Counter {
		return "counter"
	}
	return "gauge"
}

// ParseKind is the inverse of String.
func ParseKind(s string) (Kind, error) {
	switch s {
	case "gauge", "":
		return Gauge, nil
	case "counter":
		return Counter, nil
	}
	return 0, fmt.Errorf("unknown kind %s; use gauge or counter", Quote(s))
}

// Sample is one value of one series at one moment.
type Sample struct {
	Key    string
	Labels Labels
	Kind   Kind
	Time   time.Time // to the millisecond; the clock of the host that measured
	Value  float64   // finite
	// About is what is known of the metric beside its kind, or nil. It does not tell
	// series apart, and does not change.
	About *About
}

// About describes a metric that comes from an exporter.
type About struct {
	Family string // the name of the metric, for a histogram without _bucket
	Type   string // such as counter, gauge, histogram or summary; "" is not known
	Unit   string
	Help   string
}

// MaxSamples is the most samples that one run may yield. Further samples are dropped, and
// the run ends in an error that says so.
const MaxSamples = 10_000

// maxFaults bounds the faults that a report remembers; more are only counted.
const maxFaults = 10

// ErrSamples is wrapped by the error of a report whose inspector added samples
// that were refused.
var ErrSamples = errors.New("samples refused")

// Report collects the samples of one run of one inspector. It is not safe for
// use from more than one goroutine.
//
// All samples of a run carry the time at which the run started, so that values
// which were read together stand together in a chart.
type Report struct {
	name    string
	time    time.Time
	samples []Sample
	seen    map[string]struct{} // series already in samples
	scratch []byte              // of put
	faults  []error
	refused int
	weigh   func(bytes int) bool     // or nil; see Weigh
	secret  func(text string) string // or nil; see Guard
	// received is whether the samples come from another report; see Received.
	received bool
}

// NewReport makes an empty report for one run of the named inspector.
func NewReport(name string, start time.Time) *Report {
	return &Report{name: name, time: start.Truncate(time.Millisecond)}
}

// Gauge adds the value of something that goes up and down. The key of the
// series is the inspector's name and the given name: Gauge("used_percent", 31)
// of inspector disk is disk/used_percent. An empty name is the inspector's own
// key. Labels are name, value pairs. What the value of a label may not hold, such as
// markup and control characters, is written as \x3c.
//
// A value that is not finite, a bad name, and a second value for one series are
// refused: the sample is left out, the others are kept, and the run ends in an
// error that names it.
func (r *Report) Gauge(name string, value float64, labels ...string) {
	r.add(Gauge, name, value, labels)
}

// Counter adds the value of something that only grows, such as the bytes that an interface
// has sent since it came up. By convention its name ends in _total. Everything else is as
// for Gauge.
func (r *Report) Counter(name string, value float64, labels ...string) {
	r.add(Counter, name, value, labels)
}

// Samples returns the accepted samples in order. The slice is the report's own.
func (r *Report) Samples() []Sample { return r.samples }

// Time returns the moment that the samples carry.
func (r *Report) Time() time.Time { return r.time }

// Err returns nil, or an error that wraps ErrSamples and names each sample that
// was refused and why, the first ten of them in full.
func (r *Report) Err() error {
	if r.refused == 0 {
		return nil
	}
	err := errors.Join(r.faults...)
	if more := r.refused - len(r.faults); more > 0 {
		return fmt.Errorf("%w: %w; and %d more", ErrSamples, err, more)
	}
	return fmt.Errorf("%w: %w", ErrSamples, err)
}

// Fork returns an empty report for the same run. It is for a runtime that cannot be sure
// that the inspector has let go of its report: samples that are added in time are merged,
// and later ones are lost.
func (r *Report) Fork() *Report {
	return &Report{name: r.name, time: r.time, weigh: r.weigh, secret: r.secret}
}

// Weigh makes the report call f with about the weight of each sample before it is added; if
// f returns false, the sample is refused. It is for runtimes that bound what a run may
// yield, and not a method, so that no inspector can call it.
func Weigh(r *Report, f func(bytes int) bool) { r.weigh = f }

// Guard makes the report refuse samples whose name or labels contain a secret: f returns
// the name of the secret in a text, or "". Like Weigh, it is for runtimes.
func Guard(r *Report, f func(text string) (secret string)) { r.secret = f }

// guarded refuses a sample that contains a secret, without quoting the sample.
func (r *Report) guarded(name string, pairs []string) bool {
	if r.secret == nil {
		return false
	}
	for i := -1; i < len(pairs); i++ {
		text, what := name, "name of a sample"
		if i >= 0 {
			text, what = pairs[i], []string{"name of a label", "value of a label"}[i%2]
		}
		if secret := r.secret(text); secret != "" {
			r.refuse(fmt.Errorf("%s: the %s holds secret %s; leave it out", r.name, what, secret))
			return true
		}
	}
	return false
}

// Received says that the samples to be added come from another process, where they were in
// a report, so valid label values are not escaped again.
func Received(r *Report) { r.received = true }

// Merge adds the samples and refusals of another report of the same run. The other must not
// be used afterwards.
func (r *Report) Merge(other *Report) {
	if len(r.samples) == 0 && r.refused == 0 {
		*r = *other
		return
	}
	weigh := r.weigh
	r.weigh = nil // they were weighed when they came in
	for _, s := range other.samples {
		r.put(s)
	}
	r.weigh = weigh
	r.refused += other.refused
	r.faults = append(r.faults, other.faults[:min(len(other.faults), maxFaults-len(r.faults))]...)
}

func (r *Report) add(kind Kind, name string, value float64, pairs []string) {
	if r.guarded(name, pairs) {
		return
	}
	sample := Sample{Key: JoinKey(r.name, name), Kind: kind, Time: r.time, Value: value}
	if err := ValidateKey(sample.Key); err != nil {
		r.refuse(err)
		return
	}
	labels, err := NewLabels(r.escapeValues(pairs)...)
	if err != nil {
		r.refuse(fmt.Errorf("%s: %w", sample.Key, err))
		return
	}
	sample.Labels = labels
	r.put(sample)
}

// addKnown adds a sample whose labels are valid.
func (r *Report) addKnown(kind Kind, name string, value float64, labels Labels) {
	pairs := make([]string, 0, 2*len(labels))
	for _, l := range labels {
		pairs = append(pairs, l.Name, l.Value)
	}
	if r.guarded(name, pairs) {
		return
	}
	sample := Sample{Key: JoinKey(r.name, name), Kind: kind, Time: r.time, Value: value, Labels: labels}
	if err := ValidateKey(sample.Key); err != nil {
		r.refuse(err)
		return
	}
	r.put(sample)
}

// escapeValues returns the pairs with each value escaped; the same slice where none
// needs to be.
func (r *Report) escapeValues(pairs []string) []string {
	escaped := pairs
	for i := 1; i < len(pairs); i += 2 {
		if r.received && validateLabelValue(Label{Name: pairs[i-1], Value: pairs[i]}) == nil {
			continue // it may have been escaped where it came from
		}
		if value := EscapeValue(pairs[i]); value != pairs[i] {
			if &escaped[0] == &pairs[0] {
				escaped = slices.Clone(pairs)
			}
			escaped[i] = value
		}
	}
	return escaped
}

// put adds a sample whose names are valid.
func (r *Report) put(s Sample) {
	if math.IsNaN(s.Value) || math.IsInf(s.Value, 0) {
		r.refuse(fmt.Errorf("%s%s: the value is %v, not a finite number", s.Key, s.Labels, s.Value))
		return
	}
	if len(r.samples) >= MaxSamples {
		r.refuse(fmt.Errorf("%s%s: more than %d samples in one run", s.Key, s.Labels, MaxSamples))
		return
	}
	if r.weigh != nil && !r.weigh(weightOf(&s)) {
		r.refuse(fmt.Errorf("%s: more samples than the run may yield", s.Key))
		return
	}
	series := s.Key // which costs nothing, unlike the labels
	if len(s.Labels) > 0 {
		r.scratch = s.Labels.appendTo(append(r.scratch[:0], s.Key...))
		series = string(r.scratch)
	}
	if _, dup := r.seen[series]; dup {
		r.refuse(fmt.Errorf("%s: given twice in one run; tell the two apart by a label", series))
		return
	}
	if r.seen == nil {
		r.seen = make(map[string]struct{})
	}
	r.seen[series] = struct{}{}
	r.samples = append(r.samples, s)
}

// weightOf is the approximate weight of a sample on its way to the agent.
func weightOf(s *Sample) int {
	const valueAndLengths = 16
	n := len(s.Key) + valueAndLengths
	for _, l := range s.Labels {
		n += len(l.Name) + len(l.Value) + 4
	}
	return n
}

func (r *Report) refuse(err error) {
	r.refused++
	if len(r.faults) < maxFaults {
		r.faults = append(r.faults, err)
	}
}
