package inspectors

import (
	"strings"
	"testing"
	"time"
)

func TestParseBudget(t *testing.T) {
	for text, want := range map[string]Budget{
		"cpu=100ms":       {CPU: 100 * time.Millisecond},
		"heap=64MiB":      {Heap: 64 << 20},
		" output=4096  ":  {Output: 4096},
		"output=4096B":    {Output: 4096},
		"series=1":        {Series: 1},
		"":                {},
		"series=7 cpu=1s": {Series: 7, CPU: time.Second},
		"cpu=1ms heap=4GiB output=2KiB series=1000000": {time.Millisecond, 4 << 30, 2 << 10, 1_000_000},
	} {
		if got, err := ParseBudget(text); err != nil || got != want {
			t.Errorf("ParseBudget(%q) = %+v, %v; want %+v", text, got, err, want)
		}
	}
}

func TestParseBudgetRefuses(t *testing.T) {
	for text, say := range map[string]string{
		"cpu":                         "not of the form",
		"cpu=100":                     "not a duration",
		"cpu=0s":                      "not above 0",
		"heap=1MiB cpu=0s":            "not above 0",
		"heap=64MB":                   "not a size",
		"heap=-1":                     "not a size",
		"heap=9223372036854775807KiB": "not a size",
		"heap=1KiB":                   "not between 1MiB and 4GiB",
		"output=9MiB":                 "not between 1KiB and 8MiB",
		"output=0":                    "not above 0",
		"series=many":                 "not a whole number",
		"series=-3":                   "not above 0",
		"serie=3":                     "did you mean series?",
		"tea=3":                       "use cpu, heap, output or series",
		"cpu=1s cpu=2s":               "given twice",
		"cpu=25h":                     "not between 1ms and 24h",
	} {
		if _, err := ParseBudget(text); err == nil || !strings.Contains(err.Error(), say) {
			t.Errorf("ParseBudget(%q): %v, want an error that says %q", text, err, say)
		}
	}
}

func TestBudgetDefaults(t *testing.T) {
	for interval, cpu := range map[time.Duration]time.Duration{
		100 * time.Millisecond: 100 * time.Millisecond,
		time.Second:            250 * time.Millisecond,
		10 * time.Second:       2500 * time.Millisecond,
		time.Hour:              10 * time.Second,
	} {
		b := DefaultBudget(interval)
		if err := b.Validate(); err != nil || b.CPU != cpu {
			t.Errorf("DefaultBudget(%v) = %+v, %v; want cpu %v", interval, b, err, cpu)
		}
	}
	got := Budget{Series: 3}.WithDefaults(time.Second)
	if want := (Budget{250 * time.Millisecond, 64 << 20, 1 << 20, 3}); got != want {
		t.Errorf("WithDefaults = %+v, want %+v", got, want)
	}
}

func TestDefinitionWithBadBudget(t *testing.T) {
	d := Definition{
		Name: "a", Interval: time.Second, Timeout: time.Second,
		Budget: Budget{Output: 1}, Script: &Script{Source: "x"},
	}
	if err := d.Validate(); err == nil || !strings.Contains(err.Error(), "budget: output 1B is not between") {
		t.Errorf("Validate: %v", err)
	}
}

func TestBudgetIsNoPartOfTheRevision(t *testing.T) {
	d := Definition{Name: "a", Script: &Script{Source: "x"}}
	before := d.Revision()
	d.Budget.Series = 5
	if d.Revision() != before {
		t.Error("another budget is another revision")
	}
}

func TestFormatBytes(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0B", 1023: "1023B", 1024: "1KiB", 64 << 20: "64MiB", 65<<20 + 1<<19: "65.5MiB", 3 << 30: "3GiB",
	} {
		if got := FormatBytes(n); got != want {
			t.Errorf("FormatBytes(%d) = %s, want %s", n, got, want)
		}
	}
}
