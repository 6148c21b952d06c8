package truth

import (
	"fmt"
	"slices"
	"sort"
	"strings"
)

// Tally counts verdicts.
type Tally struct {
	Counts  map[Class]int
	Bad     []Verdict
	reasons map[string]int
}

// NewTally returns an empty one.
func NewTally() *Tally {
	return &Tally{Counts: make(map[Class]int), reasons: make(map[string]int)}
}

// Add counts a verdict, and keeps it where it is bad.
func (t *Tally) Add(v Verdict) {
	t.Counts[v.Class]++
	if v.Class != Equal && v.Class != Wrong {
		t.reasons[string(v.Class)+": "+v.Reason()]++
	}
	if v.Bad() {
		v.Job.Name = fmt.Sprintf("%s-%d", v.Class, len(t.Bad)+1)
		t.Bad = append(t.Bad, v)
	}
}

// Programs returns how many programs were held against Go: those that say
// nothing are not counted.
func (t *Tally) Programs() int {
	n := 0
	for class, count := range t.Counts {
		if class != Unfit {
			n += count
		}
	}
	return n
}

// Accepted returns how many of them the checker accepts.
func (t *Tally) Accepted() int {
	return t.Counts[Equal] + t.Counts[Wrong] + t.Counts[Hang] + t.Counts[Loud]
}

// String writes the table of the classes, and the reasons of what was refused or
// ended loudly, the frequent ones first.
func (t *Tally) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "programs %d, accepted %d: equal %d, wrong %d, hang %d, loud %d; refused %d, of them right %d; unfit %d\n",
		t.Programs(), t.Accepted(), t.Counts[Equal], t.Counts[Wrong], t.Counts[Hang], t.Counts[Loud],
		t.Counts[Refused]+t.Counts[RefusedRight], t.Counts[RefusedRight], t.Counts[Unfit])
	reasons := make([]string, 0, len(t.reasons))
	for r := range t.reasons {
		reasons = append(reasons, r)
	}
	sort.Strings(reasons)
	slices.SortStableFunc(reasons, func(a, b string) int { return t.reasons[b] - t.reasons[a] })
	for _, r := range reasons {
		fmt.Fprintf(&b, "%6d %s\n", t.reasons[r], r)
	}
	return b.String()
}

// Choose returns at most n bad verdicts, some of each reason, the short programs
// first: those that are worth being made smaller.
func (t *Tally) Choose(n int) []Verdict {
	list := slices.Clone(t.Bad)
	slices.SortStableFunc(list, func(a, b Verdict) int { return len(a.Job.Source) - len(b.Job.Source) })
	const each = 4
	seen := make(map[string]int)
	var first, rest []Verdict
	for _, v := range list {
		key := string(v.Class) + v.Reason()
		seen[key]++
		if v.Class != Wrong && seen[key] > each {
			rest = append(rest, v)
		} else {
			first = append(first, v)
		}
	}
	first = append(first, rest...)
	return first[:min(n, len(first))]
}

// Show writes a bad verdict with its program.
func (v *Verdict) Show() string {
	native, interpreted := v.Difference()
	return fmt.Sprintf("// %s: %s\n// Go:          %q\n// interpreted: %q\n%s", v.Class, firstLine(v.Interpreted.Fault), native, interpreted, v.Job.Source)
}
