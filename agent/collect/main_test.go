package collect

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vedettehq/vedette/agent/internal/agenttest"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/plugins"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testTimeout is longer than anything takes that is not to be cut off.
const testTimeout = 2 * time.Minute

// fixture is a Runner before one that does nothing.
type fixture struct {
	*Runner
	t    *testing.T
	next *agenttest.Runner
	// ended are the series that the last run has ended, sorted.
	ended []string
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	next := &agenttest.Runner{}
	f := &fixture{Runner: New(slog.New(slog.DiscardHandler), next), t: t, next: next}
	t.Cleanup(f.Close)
	return f
}

// collecting is the definition of a collector, as a configuration makes it.
func collecting(t *testing.T, name string, c inspectors.Collector, with ...func(*inspectors.Definition)) inspectors.Definition {
	t.Helper()
	d := inspectors.Definition{Name: name, Interval: time.Hour, Timeout: testTimeout, Collector: &c}
	for _, change := range with {
		change(&d)
	}
	if err := d.Complete(); err != nil {
		t.Fatal(err)
	}
	return d
}

func (f *fixture) mustLoad(d inspectors.Definition) {
	f.t.Helper()
	if err := f.Load(f.t.Context(), d); err != nil {
		f.t.Fatal(err)
	}
}

// run runs one inspector once. The samples that end series are in ended alone.
func (f *fixture) run(name string, timeout time.Duration) (o plugins.Outcome) {
	f.t.Helper()
	return f.runJob(plugins.Job{Name: name, Timeout: timeout})
}

func (f *fixture) runJob(job plugins.Job) (o plugins.Outcome) {
	f.t.Helper()
	f.Run(context.WithoutCancel(f.t.Context()), []plugins.Job{job}, func(got plugins.Outcome) { o = got })
	if o.Name != job.Name {
		f.t.Fatalf("the outcome is of %q, want %q", o.Name, job.Name)
	}
	for _, s := range o.Samples {
		if err := inspectors.ValidateKey(s.Key); err != nil {
			f.t.Errorf("a bad key: %v", err)
		}
		if err := s.Labels.Validate(); err != nil {
			f.t.Errorf("%s: bad labels: %v", s.Key, err)
		}
		if !s.Time.Equal(o.Start) {
			f.t.Errorf("%s is of %v, the run of %v", s.Key, s.Time, o.Start)
		}
	}
	f.ended = nil
	o.Samples = slices.DeleteFunc(o.Samples, func(s inspectors.Sample) bool {
		if inspectors.IsEnding(s.Value) {
			f.ended = append(f.ended, s.Key+s.Labels.String())
		}
		return inspectors.IsEnding(s.Value)
	})
	slices.Sort(f.ended)
	return o
}

// bySeries are the samples of an outcome by their series, key{label="value"}.
func bySeries(o plugins.Outcome) map[string]inspectors.Sample {
	got := make(map[string]inspectors.Sample)
	for _, s := range o.Samples {
		got[s.Key+s.Labels.String()] = s
	}
	return got
}
