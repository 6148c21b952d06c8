package plugins_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/plugins"
)

// greedy is a script that takes too much of one thing.
type greedy struct {
	name    string
	budget  inspectors.Budget
	source  string
	say     string // what the error says, beside "over budget"
	samples int    // that are kept
}

const (
	spins = "package a\n\nfunc Inspect() (float64, error) {\n\tfor {\n\t}\n}\n"
	pours = `package a

import (
	"context"
	"strconv"
	"strings"

	"github.com/vedettehq/vedette/inspectors"
)

func Inspect(ctx context.Context, r *inspectors.Report) error {
	for i := 0; i < 9000; i++ {
		r.Gauge("x", float64(i), "n", strconv.Itoa(i), "text", strings.Repeat("x", 500))
	}
	return nil
}
`
	prints = `package a

import "fmt"

func Inspect() (float64, error) {
	for {
		fmt.Println("again and again and again")
	}
}
`
	multiplies = `package a

import (
	"context"
	"strconv"

	"github.com/vedettehq/vedette/inspectors"
)

func Inspect(ctx context.Context, r *inspectors.Report) error {
	for i := 0; i < 7; i++ {
		r.Gauge("x", 1, "n", strconv.Itoa(i))
	}
	return nil
}
`
	swells = `package a

import "time"

func Inspect() (float64, error) {
	var held [][]byte
	for {
		held = append(held, make([]byte, 1<<20))
		time.Sleep(2 * time.Millisecond)
	}
}
`
)

func greedies() []greedy {
	return []greedy{
		{"spins", inspectors.Budget{CPU: 50 * time.Millisecond}, spins, "cpu ", 0},
		{"pours", inspectors.Budget{Output: 64 << 10, CPU: testTimeout}, pours, "output 64.", 0},
		{"prints", inspectors.Budget{Output: 64 << 10, CPU: testTimeout}, prints, "output 64.", 0},
		{"multiplies", inspectors.Budget{Series: 4, CPU: testTimeout}, multiplies, "series: 3 of this run", 4},
		{"swells", inspectors.Budget{Heap: 16 << 20, CPU: testTimeout}, swells, "heap ", 0},
	}
}

func TestBudgets(t *testing.T) {
	for _, g := range greedies() {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, plugins.PoolOptions{})
			neighbours := f.neighbours()
			d := script(g.name, g.source)
			d.Budget = g.budget
			f.mustLoad(d)
			for range 3 {
				o, missed := f.round(g.name, testTimeout, neighbours)
				if !errors.Is(o.Err, plugins.ErrBudget) || !strings.Contains(o.Err.Error(), "over budget: "+g.say) {
					t.Errorf("outcome %v, want over budget: %s", o.Err, g.say)
				}
				if len(o.Samples) != g.samples || missed > 0 {
					t.Errorf("%d samples, %d missed runs of the neighbours", len(o.Samples), missed)
				}
			}
			if s := f.State(g.name); s != (plugins.State{Host: "shared"}) {
				t.Errorf("state %+v", s)
			}
			d.Script = lowered(d.Name, goodScript)
			f.mustLoad(d)
			f.wantGood(f.run(testTimeout, g.name), g.name)
		})
	}
}

// Another budget takes effect without another revision.
func TestBudgetChanges(t *testing.T) {
	f := newFixture(t, plugins.PoolOptions{})
	d := script("multiplies", multiplies)
	f.mustLoad(d)
	f.wantGood(f.run(testTimeout, d.Name), d.Name)
	d.Budget.Output = 64 // less than inspectors allow, for seven samples
	if err := f.Load(t.Context(), d); err == nil || !strings.Contains(err.Error(), "budget: output 64B is not between") {
		t.Errorf("a budget that cannot be: %v", err)
	}
	d.Budget = inspectors.Budget{Series: 6}
	f.mustLoad(d)
	if o := f.runOne(d.Name); o.Err != nil || len(o.Samples) != 7 {
		t.Errorf("series that were there before: %v, %d samples", o.Err, len(o.Samples))
	}
}

// Waiting is not working.
func TestSleepTakesNoProcessorTime(t *testing.T) {
	t.Parallel()
	const budget = time.Second // a third of what it sleeps, and many times what it works
	f := newFixture(t, plugins.PoolOptions{})
	d := script("sleeps", "package a\n\nimport \"time\"\n\nfunc Inspect() (float64, error) {\n\ttime.Sleep(3 * time.Second)\n\treturn 1, nil\n}\n")
	d.Budget.CPU = budget
	f.mustLoad(d)
	o := f.runOne(d.Name)
	if o.Err != nil || o.CPU <= 0 || o.CPU >= budget {
		t.Errorf("%v, cpu %v", o.Err, o.CPU)
	}
}

// A run that is given up and goes on costs, and somebody is told of it.
func TestProcessorTimeOfARunThatGoesOn(t *testing.T) {
	if raceEnabled {
		t.Skip("the search takes minutes with the race detector")
	}
	f := newFixture(t, plugins.PoolOptions{})
	d := script("deaf", `package a

import (
	"regexp"
	"strings"
)

var pattern = regexp.MustCompile("(x+x+)+y")
var text = strings.Repeat("x", 8<<20)

func Inspect() (float64, error) {
	pattern.FindAllString(text, -1)
	return 1, nil
}
`)
	f.mustLoad(d)
	first := f.run(200*time.Millisecond, d.Name)[d.Name]
	if !errors.Is(first.Err, plugins.ErrTimeout) || first.CPU <= 0 {
		t.Skipf("the machine is fast: %v, cpu %v", first.Err, first.CPU)
	}
	second := f.run(200*time.Millisecond, d.Name)[d.Name]
	if errors.Is(second.Err, plugins.ErrTimeout) && second.CPU <= 0 {
		t.Errorf("while it goes on: %v, cpu %v", second.Err, second.CPU)
	}
}

func TestBudgetsOfPlugins(t *testing.T) {
	t.Parallel()
	f := newFixture(t, plugins.PoolOptions{})
	for name, say := range map[string]string{"spins": "cpu ", "pours": "output "} {
		d := external(name, "spins", "pours", "ok")
		d.Budget = inspectors.Budget{CPU: 50 * time.Millisecond, Output: 64 << 10}
		if name == "pours" {
			d.Budget.CPU = testTimeout
		}
		f.mustLoad(d)
		o := f.run(testTimeout, name)[name]
		if !errors.Is(o.Err, plugins.ErrBudget) || !strings.Contains(o.Err.Error(), say) || len(o.Samples) > 0 {
			t.Errorf("%s: %v, %d samples", name, o.Err, len(o.Samples))
		}
		if s := f.State(name); s != (plugins.State{Host: "plugin"}) {
			t.Errorf("state %+v", s)
		}
	}
}

// leaking is a script that holds more with each run.
const leaking = `package a

var held [][]byte

func Inspect() (float64, error) {
	b := make([]byte, 1<<18)
	for i := 0; i < len(b); i += 4096 {
		b[i] = 1
	}
	held = append(held, b)
	return float64(len(held)), nil
}
`

// A script that leaks is found among others, gets a separate process, and its error says
// how much it holds; nobody misses a run.
func TestLeakOfMemory(t *testing.T) {
	t.Parallel()
	f := newFixture(t, plugins.PoolOptions{Limits: plugins.Limits{HeapBytes: 32 << 20}})
	f.SetRespite(0)
	neighbours := f.neighbours()
	f.mustLoad(script("leaks", leaking))
	rounds, missed := 0, 0
	round := func() plugins.Outcome {
		t.Helper()
		if rounds++; rounds > 2000 {
			t.Fatalf("nothing came of %d rounds; state %+v", rounds, f.State("leaks"))
		}
		o, n := f.round("leaks", testTimeout, neighbours)
		missed += n
		return o
	}
	for f.State("leaks").Host != "own" {
		if o := round(); o.Err != nil {
			t.Errorf("round %d among the others: %v", rounds, o.Err)
		}
	}
	if s := f.State("leaks"); !strings.Contains(s.Reason, "of a script host that it shared") || s.Crashes != 0 {
		t.Errorf("state %+v", s)
	}
	f.wantLog("an inspector holds much", "inspector=leaks")
	var o plugins.Outcome
	for o.Err == nil {
		o = round()
	}
	if !errors.Is(o.Err, plugins.ErrBudget) || !strings.Contains(o.Err.Error(), "heap ") || !strings.Contains(o.Err.Error(), " of 64MiB") {
		t.Errorf("after %d rounds: %v", rounds, o.Err)
	}
	if missed > 0 {
		t.Errorf("the neighbours missed %d runs", missed)
	}
	for _, name := range neighbours {
		if s := f.State(name); s != (plugins.State{Host: "shared"}) {
			t.Errorf("%s was blamed: %+v", name, s)
		}
	}
	f.mustLoad(script("leaks", goodScript))
	if s := f.State("leaks"); s != (plugins.State{Host: "shared"}) {
		t.Errorf("a new revision: %+v", s)
	}
}

func TestLeakOfFiles(t *testing.T) {
	t.Parallel()
	f := newFixture(t, plugins.PoolOptions{Limits: plugins.Limits{Files: 200}})
	f.SetRespite(0)
	neighbours := f.neighbours()
	f.mustLoad(script("leaks", `package a

import "os"

var held []*os.File

func Inspect() (float64, error) {
	for i := 0; i < 10; i++ {
		f, err := os.Open("/proc/self/stat")
		if err != nil {
			return 0, err
		}
		held = append(held, f)
	}
	return float64(len(held)), nil
}
`))
	missed := 0
	pace := time.NewTicker(50 * time.Millisecond) // files are counted once a second
	defer pace.Stop()
	for i := range 600 {
		if s := f.State("leaks"); s.Host == "own" {
			if !strings.Contains(s.Reason, "open files") {
				t.Errorf("state %+v", s)
			}
			break
		} else if i == 599 {
			t.Errorf("it was not found out: %+v", s)
		}
		o, n := f.round("leaks", testTimeout, neighbours)
		if missed += n; o.Err != nil && !strings.Contains(o.Err.Error(), "too many open files") {
			t.Errorf("round %d: %v", i, o.Err)
		}
		<-pace.C
	}
	if missed > 0 {
		t.Errorf("the neighbours missed %d runs", missed)
	}
}

// A series counts for a day or so, not for ever.
func TestSeriesAreForgotten(t *testing.T) {
	at := time.Now()
	samples := func(names ...string) []inspectors.Sample {
		var all []inspectors.Sample
		for _, name := range names {
			all = append(all, inspectors.Sample{Key: "a/" + name})
		}
		return all
	}
	var set plugins.SeriesSet
	steps := []struct {
		after time.Duration
		yield string
		keep  string
	}{
		{0, "a b", "a b"},
		{time.Hour, "a c d", "a c"},
		{13 * time.Hour, "a d", "a"},   // b and c still count
		{26 * time.Hour, "d e", "d e"}, // not any more
		{27 * time.Hour, "a f", "a"},
	}
	for _, step := range steps {
		kept, dropped := set.Admit(samples(strings.Fields(step.yield)...), 3, at.Add(step.after))
		var names []string
		for _, s := range kept {
			names = append(names, strings.TrimPrefix(s.Key, "a/"))
		}
		if got := strings.Join(names, " "); got != step.keep || len(kept)+dropped != len(strings.Fields(step.yield)) {
			t.Errorf("after %v: of %q %q were kept, %d dropped; want %q", step.after, step.yield, got, dropped, step.keep)
		}
	}
}
