package inspectors

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/vedettehq/vedette/internal/nearest"
)

// Budget is what one inspector may take of its host, apart from wall time, which is
// Definition.Timeout. A zero field means the default. A run that exceeds its budget is cut
// off, counted, and reported with the limit and the excess.
type Budget struct {
	// CPU is the processor time of one run: that of the thread that runs the
	// inspector, including the interpreter, but without goroutines that a library
	// starts. The default is a quarter of the interval, at least 100ms and at most
	// 10s. It is not measured for plugins in languages other than Go.
	CPU time.Duration
	// Heap is how many bytes a script may hold. Two things count: how much one run
	// makes the heap grow, if it is alone in its process for long enough to be
	// checked; and what the script keeps from run to run, which is found out when
	// its process fills up. Default 64 MiB. It is not measured for plugins.
	Heap int64
	// Output is how many bytes one run may yield, samples and printed text
	// together. Default 1 MiB.
	Output int64
	// Series is how many distinct series it may yield in about a day. Default
	// 5000. Samples of further series are dropped; the others are kept.
	Series int
}

// Bounds and defaults of budgets.
const (
	DefaultHeapBudget   = 64 << 20
	DefaultOutputBudget = 1 << 20
	DefaultSeriesBudget = 5000

	MinCPUBudget    = time.Millisecond
	MinHeapBudget   = 1 << 20
	MaxHeapBudget   = 4 << 30
	MinOutputBudget = 1 << 10
	MaxOutputBudget = 8 << 20 // as much as a process can answer in one message, with room to spare
	MaxSeriesBudget = 1_000_000
)

// DefaultBudget is the budget of an inspector that sets none.
func DefaultBudget(interval time.Duration) Budget {
	return Budget{
		CPU:    min(max(interval/4, 100*time.Millisecond), 10*time.Second),
		Heap:   DefaultHeapBudget,
		Output: DefaultOutputBudget,
		Series: DefaultSeriesBudget,
	}
}

// WithDefaults fills in the zero fields.
func (b Budget) WithDefaults(interval time.Duration) Budget { return b.Or(DefaultBudget(interval)) }

// Or fills in the zero fields from another budget.
func (b Budget) Or(other Budget) Budget {
	if b.CPU == 0 {
		b.CPU = other.CPU
	}
	if b.Heap == 0 {
		b.Heap = other.Heap
	}
	if b.Output == 0 {
		b.Output = other.Output
	}
	if b.Series == 0 {
		b.Series = other.Series
	}
	return b
}

// Validate checks the fields that are not zero and reports every fault.
func (b Budget) Validate() error {
	var faults []error
	check := func(given, bad bool, format string, args ...any) {
		if given && bad {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	check(b.CPU != 0, b.CPU < MinCPUBudget || b.CPU > MaxInterval, "cpu %v is not between %v and 24h", b.CPU, MinCPUBudget)
	check(b.Heap != 0, b.Heap < MinHeapBudget || b.Heap > MaxHeapBudget, "heap %s is not between 1MiB and 4GiB", FormatBytes(b.Heap))
	check(b.Output != 0, b.Output < MinOutputBudget || b.Output > MaxOutputBudget, "output %s is not between 1KiB and 8MiB", FormatBytes(b.Output))
	check(b.Series != 0, b.Series < 1 || b.Series > MaxSeriesBudget, "series %d is not between 1 and %d", b.Series, MaxSeriesBudget)
	return errors.Join(faults...)
}

// ParseBudget reads a budget in the form of the directive //vedette:budget:
//
//	cpu=100ms heap=64MiB output=1MiB series=1000
func ParseBudget(text string) (Budget, error) {
	var b Budget
	seen := make(map[string]bool)
	for word := range strings.FieldsSeq(text) {
		name, value, found := strings.Cut(word, "=")
		switch {
		case !found:
			return Budget{}, fmt.Errorf("%s is not of the form name=value, such as cpu=100ms", Quote(word))
		case seen[name]:
			return Budget{}, fmt.Errorf("%s is given twice", name)
		}
		seen[name] = true
		if err := b.set(name, value); err != nil {
			return Budget{}, err
		}
	}
	return b, b.Validate()
}

func (b *Budget) set(name, value string) (err error) {
	var n int64
	switch name {
	case "cpu":
		if b.CPU, err = time.ParseDuration(value); err != nil {
			return fmt.Errorf("cpu %s is not a duration; write it as 100ms", Quote(value))
		}
		n = int64(b.CPU)
	case "heap":
		b.Heap, err = parseBytes(name, value)
		n = b.Heap
	case "output":
		b.Output, err = parseBytes(name, value)
		n = b.Output
	case "series":
		if b.Series, err = strconv.Atoi(value); err != nil {
			return fmt.Errorf("series %s is not a whole number", Quote(value))
		}
		n = int64(b.Series)
	default:
		hint := "use cpu, heap, output or series"
		if near := nearest.Word(name, []string{"cpu", "heap", "output", "series"}); near != "" {
			hint = "did you mean " + near + "?"
		}
		return fmt.Errorf("there is no budget %s; %s", Quote(name), hint)
	}
	if err == nil && n <= 0 {
		err = fmt.Errorf("%s %s is not above 0", name, value)
	}
	return err
}

// byteUnits are the units of sizes in a budget.
func byteUnits() []string { return []string{"KiB", "MiB", "GiB"} }

func parseBytes(name, value string) (int64, error) {
	number, factor := strings.TrimSuffix(value, "B"), int64(1)
	for i, unit := range byteUnits() {
		if rest, ok := strings.CutSuffix(value, unit); ok {
			number, factor = rest, 1<<(10*(i+1))
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 || n > math.MaxInt64/factor {
		return 0, fmt.Errorf("%s %s is not a size; write it as 64MiB", name, Quote(value))
	}
	return n * factor, nil
}

// FormatBytes writes a number of bytes for people: exactly if it is a whole number
// of units (64MiB), otherwise with one digit after the point (64.5MiB).
func FormatBytes(n int64) string {
	units := byteUnits()
	for i := len(units) - 1; i >= 0; i-- {
		size := int64(1) << (10 * (i + 1))
		switch {
		case n < size:
		case n%size == 0:
			return strconv.FormatInt(n/size, 10) + units[i]
		default:
			return strconv.FormatFloat(float64(n)/float64(size), 'f', 1, 64) + units[i]
		}
	}
	return strconv.FormatInt(n, 10) + "B"
}
