package agent

import (
	"context"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vedettehq/vedette/agent/internal/agenttest"
	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/plugins"
)

// A master that does not know ends of series gets all samples and refuses nothing; once
// it is replaced by a newer one that gets ends as well, and the other way round.
func TestMasterThatDoesNotKnowEnds(t *testing.T) {
	m := newTestMaster(t)
	m.noEnds = true
	m.start()
	count := newCounter()
	run := count.OnRun
	count.OnRun = func(ctx context.Context, job plugins.Job) plugins.Outcome {
		o := run(ctx, job)
		if job.Name == "ends" { // a run that yields nothing else
			o.Samples = o.Samples[:0]
		}
		o.Samples = append(o.Samples, inspectors.Ending(inspectors.Sample{Key: job.Name + "/ends", Time: time.Now()}))
		return o
	}
	a := newTestAgent(t, m, count, func(_ *config.Agent, d *Deps) {
		d.Definitions = []inspectors.Definition{agenttest.Script("count", "", 100*time.Millisecond), agenttest.Script("ends", "", 100*time.Millisecond)}
	})
	stop := start(t, a)
	defer stop()
	known := func(n int) bool { return len(m.samples["count"]) >= n }
	m.await("samples at the older master", func() bool { return known(5) })
	for i, older := range []bool{false, true} {
		m.stop()
		if m.endings != nil != (i == 1) {
			t.Errorf("before master %d, %d series have ended", i, len(m.endings))
		}
		m.noEnds = older
		before := len(m.samples["count"])
		m.start()
		m.await("samples at the next master", func() bool { return known(before + 10) })
		if !older {
			for _, name := range []string{"count/ends ", "ends/ends "} {
				m.await("the end of "+name, func() bool {
					return slices.ContainsFunc(m.endings, func(s string) bool { return strings.HasPrefix(s, name) })
				})
			}
		}
	}
	stop()
	m.stop()
	if dropped := a.outbox.Status().SamplesDropped; dropped != 0 {
		t.Errorf("%d samples were dropped", dropped)
	}
	for value, n := range m.samples["count"] {
		if n != 1 {
			t.Errorf("%v came %d times", value, n)
		}
	}
	if got, want := len(m.samples["count"]), int(count.count()); got > want {
		t.Errorf("%d of %d came", got, want)
	}
}

// An end gives its series up: another inspector may have it at once. It claims none, and
// an inspector that does not have a series cannot end it.
func TestEndsClaimNothing(t *testing.T) {
	names := map[string]uint64{"disk": 1, "disk/used": 2}
	w := newOwners(func() iter.Seq2[string, uint64] { return maps.All(names) })
	claim := func(name string, ended bool) (int, error) {
		sample := inspectors.Sample{Key: "disk/used", Value: 1}
		if ended {
			sample = inspectors.Ending(sample)
		}
		o := plugins.Outcome{Name: name, Samples: []inspectors.Sample{sample}}
		w.claim(&o)
		return len(o.Samples), o.Err
	}
	for i, step := range []struct {
		name   string
		ended  bool
		kept   int
		refuse bool
	}{
		{"disk", true, 1, false}, // nobody has it
		{"disk/used", false, 1, false},
		{"disk", true, 0, false},      // the other one has it
		{"disk", false, 1, false},     // came first
		{"disk/used", false, 0, true}, // came later
		{"disk/used", true, 0, false},
		{"disk", true, 1, false},
		{"disk/used", false, 1, false}, // it was given up
	} {
		if kept, err := claim(step.name, step.ended); kept != step.kept || (err != nil) != step.refuse {
			t.Errorf("step %d, %+v: %d are kept, %v", i, step, kept, err)
		}
	}
}
