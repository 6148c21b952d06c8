// Package inspectortest holds the suite that every kind of inspector passes:
// the promises of inspectors.Inspector, each with a test.
//
// The suite runs a set of behaviours. Each is one Go file below behaviours that
// compiles natively and is a script as well, so that all kinds run the very
// same source.
package inspectortest

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/inspectors/inspectortest/behaviours/deadline"
	"github.com/vedettehq/vedette/inspectors/inspectortest/behaviours/labels"
	"github.com/vedettehq/vedette/inspectors/inspectortest/behaviours/many"
	"github.com/vedettehq/vedette/inspectors/inspectortest/behaviours/panics"
	"github.com/vedettehq/vedette/inspectors/inspectortest/behaviours/partial"
	"github.com/vedettehq/vedette/inspectors/inspectortest/behaviours/refused"
	"github.com/vedettehq/vedette/inspectors/inspectortest/behaviours/samples"
	"github.com/vedettehq/vedette/inspectors/inspectortest/behaviours/spin"
	"github.com/vedettehq/vedette/inspectors/inspectortest/behaviours/state"
	"github.com/vedettehq/vedette/inspectors/inspectortest/behaviours/value"
	"github.com/vedettehq/vedette/inspectors/inspectortest/behaviours/valuecontext"
)

// Kind is a kind of inspector under test.
type Kind struct {
	// New makes a fresh inspector of the named behaviour that reports under
	// key, and releases it when the test ends.
	New func(t *testing.T, behaviour, key string) inspectors.Inspector
	// Contained says that a panic of the inspector is an error of the run, and
	// that a run which ignores its context is cut off. A native function in
	// the same process can have neither.
	Contained bool
}

//go:embed behaviours
var sources embed.FS

// Script returns the source of a behaviour, as a script.
func Script(behaviour string) string {
	source, err := sources.ReadFile("behaviours/" + behaviour + "/" + behaviour + ".go")
	if err != nil {
		panic(fmt.Sprintf("no behaviour %q", behaviour))
	}
	return string(source)
}

// Natives returns the Inspect function of every behaviour, each in one of the
// three shapes.
func Natives() map[string]any {
	return map[string]any{
		"deadline":     deadline.Inspect,
		"labels":       labels.Inspect,
		"many":         many.Inspect,
		"panics":       panics.Inspect,
		"partial":      partial.Inspect,
		"refused":      refused.Inspect,
		"samples":      samples.Inspect,
		"spin":         spin.Inspect,
		"state":        state.Inspect,
		"value":        value.Inspect,
		"valuecontext": valuecontext.Inspect,
	}
}

// key is the name of the suite's inspectors.
const key = "suite/test"

// plenty is the timeout of a run that is not meant to reach it.
const plenty = time.Minute

// soon is the timeout of a run that is meant to reach it.
const soon = 50 * time.Millisecond

// Run runs the suite.
func Run(t *testing.T, kind Kind) {
	for name, test := range map[string]func(*testing.T, Kind){
		"value":    testValue,
		"samples":  testSamples,
		"labels":   testLabels,
		"partial":  testPartial,
		"refused":  testRefused,
		"deadline": testDeadline,
		"state":    testState,
		"many":     testMany,
		"panics":   testPanics,
		"spin":     testSpin,
		"ended":    testEnded,
	} {
		t.Run(name, func(t *testing.T) { test(t, kind) })
	}
}

// inspect runs an inspector once and returns its samples as text, in order.
func inspect(t *testing.T, i inspectors.Inspector, timeout time.Duration) ([]string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	start := time.Date(2026, 1, 2, 3, 4, 5, 6_999_999, time.UTC)
	r := inspectors.NewReport(key, start)
	err := i.Inspect(ctx, r)
	var lines []string
	for _, s := range r.Samples() {
		if want := start.Truncate(time.Millisecond); !s.Time.Equal(want) {
			t.Errorf("%s has the time %v, want that of the run's start, %v", s.Key, s.Time, want)
		}
		lines = append(lines, fmt.Sprintf("%s%s %s %v", s.Key, s.Labels, s.Kind, s.Value))
	}
	return lines, errors.Join(err, r.Err())
}

func wantSamples(t *testing.T, got []string, want ...string) {
	t.Helper()
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("samples are\n%s\nwant\n%s", g, w)
	}
}

func testValue(t *testing.T, kind Kind) {
	got, err := inspect(t, kind.New(t, "value", key), plenty)
	if err != nil {
		t.Error(err)
	}
	wantSamples(t, got, "suite/test gauge 42.5")
	got, err = inspect(t, kind.New(t, "valuecontext", key), plenty)
	if err != nil {
		t.Error(err)
	}
	wantSamples(t, got, "suite/test gauge 1")
}

func testSamples(t *testing.T, kind Kind) {
	got, err := inspect(t, kind.New(t, "samples", key), plenty)
	if err != nil {
		t.Error(err)
	}
	wantSamples(t, got, "suite/test gauge 1", "suite/test/used_percent gauge 2.25",
		"suite/test/bytes_total counter 9.007199254740992e+15", "suite/test/negative gauge -0.5")
}

func testLabels(t *testing.T, kind Kind) {
	got, err := inspect(t, kind.New(t, "labels", key), plenty)
	if err != nil {
		t.Error(err)
	}
	wantSamples(t, got, `suite/test/used_bytes{device="sda",mount="/mnt/ü sda"} gauge 0`,
		`suite/test/used_bytes{device="sdb",mount="/mnt/ü sdb"} gauge 1`)
}

// "What was added before an error is kept: a run can be partly good."
func testPartial(t *testing.T, kind Kind) {
	got, err := inspect(t, kind.New(t, "partial", key), plenty)
	if err == nil || !strings.Contains(err.Error(), "cannot read: no second disk") {
		t.Errorf("the error is %v, want the inspector's own", err)
	}
	wantSamples(t, got, "suite/test/first gauge 1")
}

// A value that is not finite, a bad name, and a second value for one series are
// refused: the sample is left out, the others are kept, the error names it.
func testRefused(t *testing.T, kind Kind) {
	got, err := inspect(t, kind.New(t, "refused", key), plenty)
	wantSamples(t, got, "suite/test/first gauge 1", "suite/test/last gauge 3")
	if err == nil {
		t.Fatal("there is no error")
	}
	for _, want := range []string{
		"suite/test/nan: the value is NaN", "suite/test/infinite: the value is +Inf", `suite/test/<b>`,
		`"only a name" has no value`, "suite/test/first: given twice",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q:\n%v", want, err)
		}
	}
}

// cutOff runs an inspector until its context ends. It gives it more time where the
// processors had none for it: then it says so, or has not come as far as it should.
func cutOff(t *testing.T, i inspectors.Inspector, came func(got []string) bool) (got []string, err error) {
	t.Helper()
	for timeout := soon; ; timeout *= 3 {
		got, err = inspect(t, i, timeout)
		if errors.Is(err, context.DeadlineExceeded) && came(got) || timeout > time.Minute {
			return got, err
		}
	}
}

func testDeadline(t *testing.T, kind Kind) {
	i := kind.New(t, "deadline", key)
	for range 2 { // and once more, after the first was cut off
		got, err := cutOff(t, i, func(got []string) bool { return len(got) > 0 })
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the error is %v, want one that wraps context.DeadlineExceeded", err)
		}
		wantSamples(t, got, "suite/test/before gauge 1")
	}
}

// "State between runs may live in package variables of the inspector."
func testState(t *testing.T, kind Kind) {
	i := kind.New(t, "state", key)
	before := 0.0
	for run := range 3 {
		got, err := inspect(t, i, plenty)
		if err != nil || len(got) != 1 {
			t.Fatalf("samples %v, error %v", got, err)
		}
		var now float64
		if _, err := fmt.Sscanf(got[0], "suite/test gauge %g", &now); err != nil {
			t.Fatal(err)
		}
		if run > 0 && now != before+1 {
			t.Errorf("run %d counted %v after %v", run, now, before)
		}
		before = now
	}
}

func testMany(t *testing.T, kind Kind) {
	got, err := inspect(t, kind.New(t, "many", key), plenty)
	if err != nil || len(got) != 1000 {
		t.Fatalf("%d samples, error %v", len(got), err)
	}
	for i, line := range got {
		if want := fmt.Sprintf(`suite/test/value{index="%d"} gauge %d`, i, i); line != want {
			t.Fatalf("sample %d is %s, want %s", i, line, want)
		}
	}
}

func testPanics(t *testing.T, kind Kind) {
	if !kind.Contained {
		t.Skip("not contained")
	}
	i := kind.New(t, "panics", key)
	for range 2 {
		got, err := inspect(t, i, plenty)
		if err == nil || !strings.Contains(err.Error(), "panic") || !strings.Contains(err.Error(), "nil map") {
			t.Errorf("the error is %v, want one that shows the panic", err)
		}
		wantSamples(t, got, "suite/test/before gauge 1")
	}
}

// "An Inspect that ignores ctx is cut off where the runtime can do it, and is
// reported as timed out in any case."
func testSpin(t *testing.T, kind Kind) {
	if !kind.Contained {
		t.Skip("not contained")
	}
	i := kind.New(t, "spin", key)
	for range 2 {
		if _, err := cutOff(t, i, func([]string) bool { return true }); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the error is %v, want one that wraps context.DeadlineExceeded", err)
		}
	}
}

// A context that has ended before the run is the end of the run.
func testEnded(t *testing.T, kind Kind) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r := inspectors.NewReport(key, time.Now())
	if err := kind.New(t, "deadline", key).Inspect(ctx, r); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v, want one that wraps context.Canceled", err)
	}
}
