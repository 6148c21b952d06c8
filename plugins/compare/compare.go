package compare

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/vedettehq/vedette/inspectors"
)

// Run is the outcome of one run.
type Run struct {
	Samples []inspectors.Sample
	Err     error         // or nil
	Wall    time.Duration // from its start to its end, measured where it ran
	CPU     time.Duration // processor time, or 0 if that is not measured
}

// Round is one comparison: three runs on the same input, one after the other, each
// in a process that has made as many runs before as the others.
type Round struct {
	Native, Interpreted, Control Run // Control is native too
}

// DefaultTolerance is how far a live value may be off, relative to its size.
const DefaultTolerance = 0.1

// Options say how strictly to compare.
type Options struct {
	// Exact demands that every value of every round is the same, also between the
	// two native runs.
	Exact bool
	// Tolerance is how far beyond the range of the native runs a live value may
	// be, relative to its size; 0.1 is 10 %. Exact ignores it.
	Tolerance float64
}

// The kinds of differences.
const (
	Value    = "value"    // settled, and different when it is interpreted
	Range    = "range"    // live, and outside the range of the native runs
	Frozen   = "frozen"   // live, but does not move when it is interpreted
	Missing  = "missing"  // missing when it is interpreted
	Extra    = "extra"    // present only when it is interpreted
	Kind     = "kind"     // a counter on one side, a gauge on the other
	Error    = "error"    // one side failed, or failed with another error
	Unsteady = "unsteady" // the two native runs differ; only with Exact
)

// Difference is one difference between the two sides.
type Difference struct {
	// Series is the key with its labels, as the Prometheus text format writes
	// it; empty for an Error.
	Series string
	// What names the kind of difference; it is one of the constants above.
	What string
	// Rounds is the number of rounds that showed it, First the first of them,
	// counted from 1. Range and Frozen are about all rounds.
	Rounds, First int
	// Native and Interpreted are the values of the two sides in that round, as
	// text; "-" stands for nothing.
	Native, Interpreted string
	// Chance says that only one of many rounds showed it, which deserves no more
	// than a remark.
	Chance bool
}

// Result is how the two sides compare.
type Result struct {
	// Rounds is the number of rounds that were compared.
	Rounds int
	// Settled and Live count the series by how they were compared.
	Settled, Live int
	// Differences are sorted by series.
	Differences []Difference
}

// Same reports whether all differences, if any, are chance.
func (r *Result) Same() bool {
	return !slices.ContainsFunc(r.Differences, func(d Difference) bool { return !d.Chance })
}

// Compare compares the runs of all rounds.
func Compare(rounds []Round, o Options) *Result {
	c := &comparison{options: o, rounds: len(rounds), series: make(map[string]*series)}
	for i, round := range rounds {
		c.add(i, round.Native, native)
		c.add(i, round.Interpreted, interpreted)
		c.add(i, round.Control, control)
	}
	result := &Result{Rounds: len(rounds)}
	result.Differences = append(result.Differences, c.errors(rounds)...)
	names := make([]string, 0, len(c.series))
	for name := range c.series {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		s := c.series[name]
		if s.settled(c.failed) {
			result.Settled++
		} else {
			result.Live++
		}
		result.Differences = append(result.Differences, c.differences(s)...)
	}
	return result
}

// The three runs of a round.
const (
	native = iota
	interpreted
	control
	sides
)

// comparison is one call of Compare.
type comparison struct {
	options Options
	rounds  int
	series  map[string]*series
	// failed marks the rounds in which not all sides ended in the same way: their
	// samples are part of the same difference, and are not compared.
	failed []bool
}

// series is one series in all rounds.
type series struct {
	name  string
	cells [][sides]cell // by round
}

// cell is one series in one run.
type cell struct {
	there bool
	kind  inspectors.Kind
	value float64
}

func (c *comparison) add(round int, r Run, side int) {
	for _, sample := range r.Samples {
		name := sample.Key + sample.Labels.String()
		s := c.series[name]
		if s == nil {
			s = &series{name: name, cells: make([][sides]cell, c.rounds)}
			c.series[name] = s
		}
		s.cells[round][side] = cell{there: true, kind: sample.Kind, value: sample.Value}
	}
}

// errors compares how the runs ended. If the native runs agree, the interpreted
// one must end as they do. Otherwise it may fail if any of them did, with any
// message, because an error may contain a port, or a time.
func (c *comparison) errors(rounds []Round) []Difference {
	c.failed = make([]bool, len(rounds))
	seen := make(map[bool]bool)
	steady := true
	for i, r := range rounds {
		a, b := outcome(r.Native.Err), outcome(r.Control.Err)
		seen[a == "-"], seen[b == "-"] = true, true
		steady = steady && a == b
		ok := r.Native.Err == nil
		c.failed[i] = ok != (r.Interpreted.Err == nil) || ok != (r.Control.Err == nil)
	}
	d := Difference{What: Error}
	for i, r := range rounds {
		a, b, own := outcome(r.Native.Err), outcome(r.Control.Err), outcome(r.Interpreted.Err)
		if a == own && (a == b || !c.options.Exact) || !steady && !c.options.Exact && seen[own == "-"] {
			continue
		}
		if d.Rounds++; d.First == 0 {
			d.First, d.Native, d.Interpreted = i+1, text(r.Native.Err), text(r.Interpreted.Err)
		}
	}
	if d.Rounds == 0 {
		return nil
	}
	d.Chance = c.byChance(d)
	return []Difference{d}
}

// outcome is the part of an error on which two implementations of Go agree: not
// the words of a panic.
func outcome(err error) string {
	s := text(err)
	for _, same := range []string{"panic", "timed out", "crashed its process", "not run"} {
		if strings.HasPrefix(s, same) {
			return same
		}
	}
	return s
}

func text(err error) string {
	if err == nil {
		return "-"
	}
	return err.Error()
}

// forgiven is the least number of rounds of which one may be off by chance.
const forgiven = 4

func (c *comparison) byChance(d Difference) bool {
	return !c.options.Exact && d.Rounds == 1 && d.First > 1 && c.rounds >= forgiven
}

// differences compares one series.
func (c *comparison) differences(s *series) []Difference {
	if d, found := c.kinds(s); found {
		return []Difference{d}
	}
	switch {
	case c.options.Exact:
		return c.exact(s)
	case s.settled(c.failed):
		return c.settledSeries(s)
	}
	return c.liveSeries(s)
}

// kinds finds a round in which the kinds differ.
func (c *comparison) kinds(s *series) (Difference, bool) {
	d := Difference{Series: s.name, What: Kind}
	for i, round := range s.cells {
		n, in := round[native], round[interpreted]
		if n.there && in.there && n.kind != in.kind {
			if d.Rounds++; d.First == 0 {
				d.First, d.Native, d.Interpreted = i+1, n.kind.String(), in.kind.String()
			}
		}
	}
	return d, d.Rounds > 0
}

// settled reports whether the two native runs agree in every round.
func (s *series) settled(skip []bool) bool {
	for i, round := range s.cells {
		if !skip[i] && !round[native].equal(round[control]) {
			return false
		}
	}
	return true
}

// equal reports whether two cells have the same value, apart from the rounding
// that another order of additions causes.
func (c cell) equal(other cell) bool {
	if !c.there || !other.there {
		return c.there == other.there
	}
	const rounding = 1e-14
	return c.value == other.value || math.Abs(c.value-other.value) <= rounding*max(math.Abs(c.value), math.Abs(other.value))
}

// settledSeries demands that the interpreted run agrees in every round.
func (c *comparison) settledSeries(s *series) []Difference {
	d := c.collect(s, func(round [sides]cell) bool { return round[native].equal(round[interpreted]) })
	if d.Rounds == 0 {
		return nil
	}
	d.Chance = c.byChance(d)
	return []Difference{d}
}

// exact demands that all three runs agree in every round. If the two native ones
// do not, nothing can be said about the interpreted one.
func (c *comparison) exact(s *series) []Difference {
	d := c.collect(s, func(round [sides]cell) bool { return round[native] == round[control] })
	if d.Rounds > 0 {
		round := s.cells[d.First-1]
		d.What, d.Native = Unsteady, round[native].text()+", then "+round[control].text()
		d.Interpreted = round[interpreted].text()
		return []Difference{d}
	}
	d = c.collect(s, func(round [sides]cell) bool { return round[native] == round[interpreted] })
	if d.Rounds == 0 {
		return nil
	}
	return []Difference{d}
}

// collect counts the rounds that are not good.
func (c *comparison) collect(s *series, good func([sides]cell) bool) Difference {
	d := Difference{Series: s.name}
	for i, round := range s.cells {
		if c.failed[i] || good(round) {
			continue
		}
		if d.Rounds++; d.First > 0 {
			continue
		}
		d.First, d.What = i+1, Value
		d.Native, d.Interpreted = round[native].text(), round[interpreted].text()
		switch {
		case !round[interpreted].there:
			d.What = Missing
		case !round[native].there:
			d.What = Extra
		}
	}
	return d
}

// liveSeries compares the values of all rounds.
func (c *comparison) liveSeries(s *series) []Difference {
	var natives, own []float64
	for i, round := range s.cells {
		if c.failed[i] {
			continue
		}
		for _, side := range []int{native, control} {
			if round[side].there {
				natives = append(natives, round[side].value)
			}
		}
		if round[interpreted].there {
			own = append(own, round[interpreted].value)
		}
	}
	d := Difference{Series: s.name, Rounds: c.rounds, First: 1, Native: spread(natives), Interpreted: spread(own)}
	low, high := bounds(natives)
	middle := median(own)
	margin := c.options.Tolerance * max(math.Abs(low), math.Abs(high))
	ownLow, ownHigh := bounds(own)
	switch {
	case len(own) == 0 && len(natives) > c.rounds: // present in most of the native runs
		d.What = Missing
	case len(own) == 0 || len(natives) == 0:
		return nil // seen by chance
	case middle < low-margin || middle > high+margin:
		d.What = Range
	case ownLow == ownHigh && len(own) >= forgiven && distinct(natives) > c.rounds/2:
		d.What = Frozen
	default:
		return nil
	}
	return []Difference{d}
}
