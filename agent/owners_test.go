package agent

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/vedettehq/vedette/agent/internal/agenttest"
	"github.com/vedettehq/vedette/config"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/plugins"
	"github.com/vedettehq/vedette/rpc/wire"
)

// Two inspectors write one series: the one that came first keeps it, the other
// fails, naming it, and its other samples are kept.
func TestOneSeriesHasOneInspector(t *testing.T) {
	m := newTestMaster(t)
	m.start()
	defer m.stop()
	runner := &agenttest.Runner{}
	runner.OnRun = func(_ context.Context, job plugins.Job) plugins.Outcome {
		now := time.Now()
		o := plugins.Outcome{Name: job.Name, Start: now}
		switch job.Name {
		case "disk":
			o.Samples = []inspectors.Sample{{Key: "disk/used_percent", Time: now, Value: 1}}
		case "disk/used_percent":
			o.Samples = []inspectors.Sample{{Key: "disk/used_percent", Time: now, Value: 2}, {Key: "disk/used_percent/more", Time: now, Value: 3}}
		}
		return o
	}
	a := newTestAgent(t, m, runner, func(_ *config.Agent, d *Deps) {
		d.Definitions = []inspectors.Definition{agenttest.Script("disk", "", 100*time.Millisecond), agenttest.Script("disk/used_percent", "", 100*time.Millisecond)}
	})
	stop := start(t, a)
	m.await("the state of the second", func() bool {
		for _, s := range m.statuses {
			for _, i := range s.Inspectors {
				if i.Name == "disk/used_percent" && i.State == wire.StateFailing {
					return true
				}
			}
		}
		return false
	})
	m.await("the sample that nobody else writes", func() bool { return m.samples["disk/used_percent/more"][3] > 0 })
	for _, i := range a.Status() {
		switch i.Name {
		case "disk":
			if i.State != wire.StateOK {
				t.Errorf("disk is %s: %s", i.State, i.Error)
			}
		default:
			if !strings.Contains(i.Error, `disk/used_percent is written by inspector "disk"; give one of the two another name`) {
				t.Errorf("the error is %q", i.Error)
			}
		}
	}
	// Once the first has gone the other has the series.
	if err := a.Apply(t.Context(), []inspectors.Definition{agenttest.Script("disk/used_percent", "", 100*time.Millisecond)}); err != nil {
		t.Fatal(err)
	}
	m.await("the sample of the second", func() bool { return m.samples["disk/used_percent"][2] > 0 })
	stop()
}

// Inspectors with random names that come, go and yield random series: no series is
// ever taken from two in one round of runs, once each of them has run, and what an
// inspector is refused another one that came before it does write.
func TestOwnersAtRandom(t *testing.T) {
	for range 50 {
		seed := rand.Uint64()
		random := rand.New(rand.NewPCG(seed, 0))
		names := make(map[string]uint64)
		w := newOwners(func() iter.Seq2[string, uint64] {
			return func(yield func(string, uint64) bool) {
				for name, came := range names {
					if !yield(name, came) {
						return
					}
				}
			}
		})
		path := func() string {
			return strings.Repeat("a/", random.IntN(3)) + string(rune('a'+random.IntN(2)))
		}
		for round := range uint64(60) {
			if name := path(); names[name] == 0 {
				names[name] = round + 1
			} else if random.IntN(2) == 0 {
				delete(names, name)
			}
			yields := make(map[string][]inspectors.Sample)
			for name := range names {
				for _, suffix := range []string{"", "/a", "/b", "/a/a", "/a/b"} {
					if random.IntN(2) == 0 {
						labels, err := inspectors.NewLabels("l", []string{"", "x"}[random.IntN(2)])
						if err != nil {
							t.Fatal(err)
						}
						yields[name] = append(yields[name], inspectors.Sample{Key: name + suffix, Labels: labels})
					}
				}
			}
			for range 2 { // after the first time each that may take a series has done so
				taken := make(map[string]string)
				for name := range names {
					o := plugins.Outcome{Name: name, Samples: yields[name]}
					w.claim(&o)
					for _, s := range o.Samples {
						series := s.Key + s.Labels.String()
						if other := taken[series]; other != "" && names[name] > names[other] {
							t.Errorf("seed %d, round %d: %s is taken from %s and then from %s, which came later", seed, round, series, other, name)
						}
						taken[series] = name
					}
					if refused := len(yields[name]) - len(o.Samples); (refused > 0) != errors.Is(o.Err, inspectors.ErrSamples) {
						t.Errorf("seed %d: %d samples refused, and the error is %v", seed, refused, o.Err)
					}
				}
			}
			settled := make(map[string]int)
			for name := range names {
				o := plugins.Outcome{Name: name, Samples: yields[name]}
				w.claim(&o)
				for _, s := range o.Samples {
					settled[s.Key+s.Labels.String()]++
				}
			}
			for series, n := range settled {
				if n != 1 {
					t.Errorf("seed %d, round %d: %s is taken from %d inspectors", seed, round, series, n)
				}
			}
			for name, samples := range yields {
				for _, s := range samples {
					if settled[s.Key+s.Labels.String()] == 0 {
						t.Errorf("seed %d, round %d: nobody's %s is taken, not even that of %s", seed, round, fmt.Sprint(s.Key, s.Labels), name)
					}
				}
			}
		}
	}
}
