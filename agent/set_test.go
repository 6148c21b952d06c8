package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vedettehq/vedette/agent/assignment"
	"github.com/vedettehq/vedette/agent/internal/agenttest"
	"github.com/vedettehq/vedette/agent/schedule"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/plugins"
	"github.com/vedettehq/vedette/rpc/wire"
)

// core is the agent without its delivery, in a bubble.
type core struct {
	*testing.T
	runner   *agenttest.Runner
	track    *tracker
	sched    *schedule.Scheduler
	assigner *assignment.Assigner
	life     context.Context
}

// ran, extra, missed, boosted and overdue pass on what the agent would.
func (c *core) Ran(revision string, o plugins.Outcome)   { c.track.ran(revision, o) }
func (c *core) Extra(revision string, o plugins.Outcome) { c.track.ranExtra(revision, o) }
func (c *core) Boosted(name string, d time.Duration)     { c.track.boosted(name, d) }
func (c *core) Missed(name string, n uint64)             { c.track.missed(name, n) }
func (c *core) Overdue(name, revision string, age time.Duration) {
	c.track.overdue(name, revision, age, "")
}

// inBubble runs f with a core that is running, and ends it afterwards.
func inBubble(t *testing.T, runner *agenttest.Runner, f func(c *core)) {
	synctest.Test(t, func(t *testing.T) {
		log := slog.New(slog.DiscardHandler)
		life, end := context.WithCancel(t.Context())
		c := &core{T: t, runner: runner, track: newTracker(log, assignment.NewReceipts()), life: life}
		c.sched = schedule.New(log, "web-1", runner, c, nil)
		c.assigner = assignment.New(assignment.Options{Log: log, Runner: runner, Schedule: c.sched, Track: c.track, Receipts: assignment.NewReceipts()})
		var parts sync.WaitGroup
		parts.Go(func() { c.sched.Run(life) })
		parts.Go(func() { c.assigner.Run(life) })
		f(c)
		end()
		parts.Wait()
	})
}

func (c *core) apply(defs ...inspectors.Definition) error {
	return c.assigner.Change(c.Context(), c.life, defs)
}

func (c *core) mustApply(defs ...inspectors.Definition) {
	c.Helper()
	if err := c.apply(defs...); err != nil {
		c.Fatal(err)
	}
}

func (c *core) status(name string) wire.InspectorStatus {
	c.Helper()
	for _, s := range c.track.statuses() {
		if s.Name == name {
			return s
		}
	}
	c.Fatalf("there is no status of %q", name)
	panic("unreachable")
}

func (c *core) pass(d time.Duration) { _ = agenttest.Sleep(c.life, d) }

func TestApplyTouchesOnlyWhatChanged(t *testing.T) {
	runner := &agenttest.Runner{}
	inBubble(t, runner, func(c *core) {
		same, old, gone := agenttest.Script("same", "1", 10*time.Second), agenttest.Script("changed", "1", 10*time.Second), agenttest.Script("gone", "1", time.Second)
		c.mustApply(same, old, gone)
		c.pass(time.Minute)
		slices.Sort(runner.Loads)
		if want := []string{"changed 1", "gone 1", "same 1"}; !slices.Equal(runner.Loads, want) {
			t.Errorf("loads %q, want %q", runner.Loads, want)
		}
		runner.Loads = nil
		runs := c.status("same").Runs

		c.mustApply(same, agenttest.Script("changed", "2", 10*time.Second), agenttest.Script("new", "1", time.Second))
		c.pass(time.Minute)
		slices.Sort(runner.Loads)
		if want := []string{"changed 2", "new 1"}; !slices.Equal(runner.Loads, want) {
			t.Errorf("loads %q, want %q", runner.Loads, want)
		}
		if want := []string{"gone"}; !slices.Equal(runner.Unloads, want) {
			t.Errorf("unloads %q, want %q", runner.Unloads, want)
		}
		if more := c.status("same").Runs - runs; more != 6 {
			t.Errorf("the unchanged one ran %d times in a minute", more)
		}
		starts := runner.StartsOf("same")
		for i := 2; i < len(starts); i++ { // the first may be early
			if gap := starts[i].Sub(starts[i-1]); gap != same.Interval {
				t.Errorf("run %d of the unchanged one came after %v", i, gap)
			}
		}
		if s := c.status("changed"); s.Revision == old.Revision() || s.Runs < 6 || s.Runs > 8 {
			t.Errorf("the changed one is %+v", s)
		}
		names := []string{}
		for _, s := range c.track.statuses() {
			names = append(names, s.Name)
		}
		if want := []string{"changed", "new", "same"}; !slices.Equal(names, want) {
			t.Errorf("statuses of %q, want %q", names, want)
		}
	})
}

func TestOldCodeRunsUntilTheNewIsReady(t *testing.T) {
	runner := &agenttest.Runner{OnLoad: func(ctx context.Context, d inspectors.Definition) error {
		if d.Script.Source == "slow to load" {
			return agenttest.Sleep(ctx, 10*time.Second)
		}
		return nil
	}}
	inBubble(t, runner, func(c *core) {
		c.mustApply(agenttest.Script("a", "1", time.Second))
		c.pass(10 * time.Second)
		before := len(runner.StartsOf("a"))
		began := time.Now()
		c.mustApply(agenttest.Script("a", "slow to load", time.Second))
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("apply took %v", took)
		}
		if n := len(runner.StartsOf("a")) - before; n < 9 || n > 11 {
			t.Errorf("the old code ran %d times while the new was loaded for 10 s", n)
		}
		ready := time.Now()
		c.pass(time.Second)
		starts := runner.StartsOf("a")
		if wait := starts[before+9].Sub(ready); wait > schedule.ApplyWindow && len(starts) < before+11 {
			t.Errorf("the new code ran %v after it was ready", wait)
		}
	})
}

func TestFailedReplacementKeepsTheOld(t *testing.T) {
	broken := errors.New("a.go:3:1: undefined: foo")
	runner := &agenttest.Runner{OnLoad: func(_ context.Context, d inspectors.Definition) error {
		if d.Script.Source == "broken" {
			return broken
		}
		return nil
	}}
	inBubble(t, runner, func(c *core) {
		good := agenttest.Script("a", "good", time.Second)
		c.mustApply(good)
		c.pass(10 * time.Second)
		if err := c.apply(agenttest.Script("a", "broken", time.Second)); !errors.Is(err, broken) {
			t.Errorf("apply gave %v", err)
		}
		c.pass(10 * time.Second)
		s := c.status("a")
		if s.State != wire.StateOK || s.Revision != good.Revision() || s.Runs < 19 {
			t.Errorf("the old one is %+v", s)
		}
		loads := len(runner.Loads)
		if err := c.apply(agenttest.Script("a", "broken", time.Second)); !errors.Is(err, broken) {
			t.Errorf("the same again gave %v", err)
		}
		c.mustApply(good) // back
		c.pass(10 * time.Second)
		if len(runner.Loads) != loads {
			t.Errorf("loaded again: %q", runner.Loads[loads:])
		}
		if s := c.status("a"); s.Runs < 29 || s.Missed > 0 {
			t.Errorf("the old one is %+v", s)
		}
	})
}

func TestBrokenDefinitionIsFailingAndNotRetried(t *testing.T) {
	runner := &agenttest.Runner{OnLoad: func(_ context.Context, d inspectors.Definition) error {
		if d.Script.Source == "broken" {
			return errors.New("a.go:3:1: undefined: foo")
		}
		return nil
	}}
	inBubble(t, runner, func(c *core) {
		err := c.apply(agenttest.Script("a", "broken", time.Second), agenttest.Script("b", "", time.Second))
		if err == nil || !strings.Contains(err.Error(), `inspector "a": a.go:3:1: undefined: foo`) {
			t.Errorf("apply gave %v", err)
		}
		c.pass(time.Hour)
		if s := c.status("a"); s.State != wire.StateFailing || s.Error != "a.go:3:1: undefined: foo" || s.Runs != 0 {
			t.Errorf("the broken one is %+v", s)
		}
		if s := c.status("b"); s.State != wire.StateOK {
			t.Errorf("the other is %+v", s)
		}
		if len(runner.Loads) != 2 {
			t.Errorf("loads %q", runner.Loads)
		}
		fixed := agenttest.Script("a", "fixed", time.Second)
		c.mustApply(fixed, agenttest.Script("b", "", time.Second))
		c.pass(time.Second)
		if s := c.status("a"); s.State != wire.StateOK || s.Error != "" || s.Revision != fixed.Revision() {
			t.Errorf("the mended one is %+v", s)
		}
	})
}

func TestUnavailableIsTriedAgain(t *testing.T) {
	tries := 0
	runner := &agenttest.Runner{OnLoad: func(context.Context, inspectors.Definition) error {
		if tries++; tries < 4 {
			return fmt.Errorf("cannot start: %w", plugins.ErrUnavailable)
		}
		return nil
	}}
	inBubble(t, runner, func(c *core) {
		began := time.Now()
		if err := c.apply(agenttest.Script("a", "", time.Second)); !errors.Is(err, plugins.ErrUnavailable) {
			t.Errorf("apply gave %v", err)
		}
		if time.Since(began) != 0 {
			t.Error("apply waited for more than one try")
		}
		if s := c.status("a"); s.State != wire.StateFailing {
			t.Errorf("after the first try it is %+v", s)
		}
		c.pass(time.Minute)
		if s := c.status("a"); s.State != wire.StateOK || tries != 4 {
			t.Errorf("after %d tries it is %+v", tries, s)
		}
		c.mustApply(agenttest.Script("a", "", time.Second))
	})
}

func TestHungLoadDelaysNobody(t *testing.T) {
	runner := &agenttest.Runner{OnLoad: func(ctx context.Context, d inspectors.Definition) error {
		if strings.HasPrefix(d.Name, "hung") {
			<-ctx.Done()
			return ctx.Err()
		}
		return nil
	}}
	inBubble(t, runner, func(c *core) {
		defs := []inspectors.Definition{agenttest.Script("a", "", time.Second)}
		for i := range 3 { // of 4 scripts that are loaded at once
			defs = append(defs, agenttest.Script(fmt.Sprintf("hung%d", i), "", time.Second))
		}
		ctx, cancel := context.WithTimeout(c.life, 5*time.Second)
		defer cancel()
		err := c.assigner.Change(ctx, c.life, defs)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("apply gave %v", err)
		}
		if s := c.status("a"); s.State != wire.StateOK || s.Runs < 4 {
			t.Errorf("the healthy one is %+v", s)
		}
		if s := c.status("hung0"); s.State != wire.StateStarting {
			t.Errorf("the hung one is %+v", s)
		}
		began := time.Now()
		c.mustApply(agenttest.Script("a", "", time.Second), agenttest.Script("b", "", time.Second))
		if time.Since(began) != 0 {
			t.Errorf("replacing what hangs took %v", time.Since(began))
		}
	})
}

func TestNewScheduleNeedsNoLoad(t *testing.T) {
	runner := &agenttest.Runner{}
	inBubble(t, runner, func(c *core) {
		c.mustApply(agenttest.Script("a", "", 10*time.Second))
		c.pass(time.Minute)
		runs := c.status("a").Runs
		c.mustApply(agenttest.Script("a", "", time.Second))
		c.pass(time.Minute)
		s := c.status("a")
		if more := s.Runs - runs; more < 59 || more > 61 || s.IntervalMS != 1000 {
			t.Errorf("%d runs in a minute: %+v", more, s)
		}
		if len(runner.Loads) != 1 {
			t.Errorf("loads %q", runner.Loads)
		}
	})
}

func TestFaultyDefinitionsRefuseAll(t *testing.T) {
	inBubble(t, &agenttest.Runner{}, func(c *core) {
		c.mustApply(agenttest.Script("a", "", time.Second))
		err := c.apply(agenttest.Script("b", "", time.Second), agenttest.Script("b", "", time.Second), agenttest.Script("bad name", "", time.Second),
			agenttest.Script("vedette/x", "", time.Second), agenttest.Script("fast", "", time.Millisecond))
		for _, want := range []string{`inspector "b": defined twice`, `"bad name"`, `names below "vedette" are the agent's own`, "interval 1ms"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("apply gave %v, which does not say %s", err, want)
			}
		}
		if all := c.track.statuses(); len(all) != 1 || all[0].Name != "a" {
			t.Errorf("the statuses are %+v", all)
		}
	})
}

func TestOutcomeOfReplacedCodeIsNotOfTheNew(t *testing.T) {
	release := make(chan struct{})
	runner := &agenttest.Runner{OnRun: func(_ context.Context, job plugins.Job) plugins.Outcome {
		<-release
		return plugins.Outcome{Name: job.Name, Err: errors.New("old")}
	}}
	inBubble(t, runner, func(c *core) {
		release = make(chan struct{}) // of the bubble
		c.mustApply(agenttest.Script("a", "1", time.Second))
		c.pass(time.Second)
		c.mustApply(agenttest.Script("a", "2", time.Second))
		release <- struct{}{}
		synctest.Wait()
		if s := c.status("a"); s.State != wire.StateStarting || s.Failures != 0 {
			t.Errorf("the new one is %+v", s)
		}
		close(release)
	})
}

func TestHungRunIsFailing(t *testing.T) {
	runner := &agenttest.Runner{OnRun: func(ctx context.Context, job plugins.Job) plugins.Outcome {
		<-ctx.Done()
		return plugins.Outcome{Name: job.Name, Err: ctx.Err()}
	}}
	inBubble(t, runner, func(c *core) {
		c.mustApply(agenttest.Script("hung", "", time.Second))
		c.pass(3 * time.Second)
		if s := c.status("hung"); s.State != wire.StateStarting || s.Missed < 2 || s.Missed > 3 {
			t.Errorf("after 3 s it is %+v", s)
		}
		c.pass(10 * time.Second)
		if s := c.status("hung"); s.State != wire.StateFailing || !strings.HasPrefix(s.Error, "no outcome for ") {
			t.Errorf("after 13 s it is %+v", s)
		}
	})
}

// A load that took too long may have been slow only once; one that always does
// is tried ever more rarely.
func TestSlowLoadIsTriedAgain(t *testing.T) {
	tries := make(map[string]int)
	var mu sync.Mutex
	runner := &agenttest.Runner{OnLoad: func(_ context.Context, d inspectors.Definition) error {
		mu.Lock()
		defer mu.Unlock()
		if tries[d.Name]++; d.Name == "never" || tries[d.Name] == 1 {
			return fmt.Errorf("%w: the initialisers do not end", plugins.ErrTimeout)
		}
		return nil
	}}
	inBubble(t, runner, func(c *core) {
		if err := c.apply(agenttest.Script("once", "", time.Second), agenttest.Script("never", "", time.Second)); !errors.Is(err, plugins.ErrTimeout) {
			t.Errorf("apply gave %v", err)
		}
		c.pass(10 * time.Second)
		if s := c.status("once"); s.State != wire.StateOK {
			t.Errorf("the one that was slow once is %+v", s)
		}
		c.pass(24 * time.Hour)
		mu.Lock()
		defer mu.Unlock()
		if n := tries["never"]; tries["once"] != 2 || n < 24*4 || n > 24*12+20 {
			t.Errorf("tries of a day: %v", tries)
		}
	})
}

// One that has no processor time is starved, which is no failure; its state says
// so from the second tick on.
func TestStarvedRuns(t *testing.T) {
	var starved atomic.Bool
	runner := &agenttest.Runner{OnRun: func(_ context.Context, job plugins.Job) plugins.Outcome {
		o := plugins.Outcome{Name: job.Name, Start: time.Now()}
		if starved.Load() {
			o.Err = fmt.Errorf("%w after 800ms: %w", plugins.ErrTimeout, plugins.ErrStarved)
		}
		return o
	}}
	inBubble(t, runner, func(c *core) {
		c.mustApply(agenttest.Script("a", "", time.Second))
		c.pass(5 * time.Second)
		starved.Store(true)
		c.pass(5 * time.Second)
		s := c.status("a")
		if s.State != wire.StateStarved || s.Failures != 0 || s.Timeouts != 0 || s.Missed < 4 {
			t.Errorf("a starved one is %+v", s)
		}
		if tallies := c.track.measures()[0].tallies; len(tallies) != 2 || tallies[1].outcome != "starved" || tallies[1].runs < 4 {
			t.Errorf("its outcomes are %+v", tallies)
		}
		starved.Store(false)
		c.pass(2 * time.Second)
		if s := c.status("a"); s.State != wire.StateOK {
			t.Errorf("afterwards it is %+v", s)
		}
	})
}
