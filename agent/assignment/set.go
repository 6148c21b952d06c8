package assignment

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/vedettehq/vedette/agent/internal/errtext"
	"github.com/vedettehq/vedette/agent/schedule"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/plugins"
)

// Bounds of the wait before another attempt to load a definition whose failure was
// not its own fault.
const (
	minReload = time.Second
	maxReload = 30 * time.Second
	// maxSlowReload bounds the wait after a load that took too long. It may have
	// been slow only once, on a busy machine, or it may never end.
	maxSlowReload = 10 * time.Minute
)

// OwnChart is the chart of the agent's own series. No inspector may have a name in
// it.
const OwnChart = "vedette"

// maxScriptLoads is how many scripts are loaded at once. Plugins are separate
// processes, and one of them may hang, so they do not wait for each other.
const maxScriptLoads = 4

// set is the inspectors of the agent. It loads new ones, hands them to the
// scheduler when they are ready, and unloads those that are gone.
type set struct {
	log     *slog.Logger
	runner  schedule.Runner
	sched   *schedule.Scheduler
	track   Tracker
	scripts chan struct{} // a token for each script that is being loaded
	// loaded is told of code that is about to run for the first time.
	loaded func(d inspectors.Definition)

	loads sync.WaitGroup // goroutines of members

	turn    chan struct{} // capacity 1: held by the current apply
	members map[string]*member
}

// member is one inspector of the set. wanted, stop, first and ended belong to the
// holder of the set's turn.
type member struct {
	wanted inspectors.Definition
	stop   context.CancelFunc // ends the loading of wanted
	first  chan struct{}      // closed after the first attempt to load wanted
	ended  chan struct{}      // closed when the loading has ended, with or without success

	mu   sync.Mutex
	live inspectors.Definition // the running code; its Name is empty if there is none
	err  error                 // why wanted does not run, or nil
}

func newSet(log *slog.Logger, runner schedule.Runner, sched *schedule.Scheduler, track Tracker, loaded func(inspectors.Definition)) *set {
	return &set{
		log:     log,
		runner:  runner,
		sched:   sched,
		track:   track,
		loaded:  loaded,
		scripts: make(chan struct{}, maxScriptLoads),
		turn:    make(chan struct{}, 1),
		members: make(map[string]*member),
	}
}

// Check returns every fault of a set of definitions.
func Check(defs []inspectors.Definition) error {
	var faults []error
	seen := make(map[string]bool, len(defs))
	for _, d := range defs {
		switch err := checkDefinition(&d); {
		case err != nil:
			faults = append(faults, fmt.Errorf("inspector %q: %w", d.Name, err))
		case seen[d.Name]:
			faults = append(faults, fmt.Errorf("inspector %q: defined twice", d.Name))
		}
		seen[d.Name] = true
	}
	return errors.Join(faults...)
}

// checkDefinition returns the faults of one definition.
func checkDefinition(d *inspectors.Definition) error {
	if err := d.Validate(); err != nil {
		return err
	}
	if chart, _ := inspectors.SplitKey(d.Name); chart == OwnChart {
		return fmt.Errorf("names below %q are the agent's own; choose another", OwnChart)
	}
	return nil
}

// apply makes the set that of the definitions. Members that did not change are not
// touched. New or changed ones are loaded while the old code keeps running, and
// take its place when they are ready; if they cannot be loaded, the old code
// stays. Members that are gone are dropped last.
//
// It returns when each definition has been tried once, with an error for each that
// does not run. Those whose error wraps plugins.ErrUnavailable or
// plugins.ErrTimeout are tried again until life ends or they are replaced. ctx
// ends the waiting only.
func (s *set) apply(ctx, life context.Context, defs []inspectors.Definition, window time.Duration) error {
	if err := Check(defs); err != nil {
		return fmt.Errorf("cannot apply the inspectors: %w", err)
	}
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return fmt.Errorf("cannot apply the inspectors: %w", ctx.Err())
	}
	if life.Err() != nil {
		return fmt.Errorf("cannot apply the inspectors: %w", ErrNotRunning)
	}
	gone := maps.Clone(s.members)
	firsts := make([]<-chan struct{}, 0, len(defs))
	for _, d := range defs {
		delete(gone, d.Name)
		if first := s.want(life, d, window); first != nil {
			firsts = append(firsts, first)
		}
	}
	for _, first := range firsts {
		select {
		case <-first:
		case <-ctx.Done():
		}
	}
	for name, m := range gone {
		s.drop(name, m)
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("the inspectors are still being loaded: %w", err)
	}
	return s.faults()
}

// expect announces an inspector of the first apply. It is a member already: if
// that apply is replaced by one without it, it is dropped like any other.
func (s *set) expect(d inspectors.Definition) {
	s.members[d.Name] = &member{}
	s.track.Expect(d)
}

// want makes d the definition that its member should run. It returns a channel
// that is closed after the first attempt to load it, or nil if there is nothing to
// wait for.
func (s *set) want(life context.Context, d inspectors.Definition, window time.Duration) <-chan struct{} {
	m := s.members[d.Name]
	if m == nil {
		m = &member{}
		s.members[d.Name] = m
	} else if sameDefinition(&m.wanted, &d) && s.wantsAlready(m, d) {
		return m.first // perhaps of a load that goes on
	}
	m.halt()
	m.wanted = d
	m.mu.Lock()
	m.err = nil
	live := m.live
	m.mu.Unlock()
	if live.Name != "" && live.Revision() == d.Revision() && slices.Equal(live.SignedBy, d.SignedBy) {
		m.mu.Lock()
		m.live = d
		m.mu.Unlock()
		if sameDefinition(&live, &d) {
			s.track.Adopt(d)
		} else {
			s.track.Loaded(d)
			s.sched.Put(d, window)
		}
		return nil
	}
	if live.Name == "" {
		s.track.Expect(d)
	}
	ctx, stop := context.WithCancel(life)
	first := make(chan struct{})
	m.stop, m.first, m.ended = stop, first, make(chan struct{})
	s.loads.Go(func() {
		defer close(m.ended)
		defer stop()
		s.load(ctx, m, d, window, first)
	})
	return first
}

// wantsAlready reports the state of the wanted definition once more. It returns
// false if d has another catalog revision than the definition that is being loaded
// or failed to load, because that outcome is reported under the other revision; and
// if other keys have signed d, because the host's policy has to be asked again.
func (s *set) wantsAlready(m *member, d inspectors.Definition) bool {
	m.mu.Lock()
	runs := m.live.Name != "" && m.live.Revision() == d.Revision() && slices.Equal(m.live.SignedBy, d.SignedBy)
	if runs {
		m.live.Assigned = d.Assigned
	}
	live, err := m.live, m.err
	m.mu.Unlock()
	switch {
	case runs:
		m.wanted = d
		s.track.Adopt(d)
	case m.wanted.Assigned != d.Assigned, !slices.Equal(m.wanted.SignedBy, d.SignedBy):
		return false
	case err != nil:
		s.track.LoadFailed(d, err, live.Assigned)
	}
	return true
}

// live returns the running definitions, by name. It waits for the current apply.
func (s *set) live() map[string]inspectors.Definition {
	s.turn <- struct{}{}
	defer func() { <-s.turn }()
	live := make(map[string]inspectors.Definition, len(s.members))
	for name, m := range s.members {
		m.mu.Lock()
		if m.live.Name != "" {
			live[name] = m.live
		}
		m.mu.Unlock()
	}
	return live
}

func sameDefinition(a, b *inspectors.Definition) bool {
	return a.Interval == b.Interval && a.Timeout == b.Timeout && a.Budget == b.Budget && a.Revision() == b.Revision()
}

// halt ends the loading of the wanted definition.
func (m *member) halt() {
	if m.stop != nil {
		m.stop()
		<-m.ended
		m.stop, m.first, m.ended = nil, nil, nil
	}
}

// drop removes a member that is no longer wanted.
func (s *set) drop(name string, m *member) {
	m.halt()
	delete(s.members, name)
	s.sched.Remove(name)
	if m.live.Name != "" {
		s.runner.Unload(name)
	}
	s.track.Remove(name)
	s.log.Info("inspector removed", "inspector", name)
}

// load loads d. It tries again while the runner is unavailable or the load takes
// too long.
func (s *set) load(ctx context.Context, m *member, d inspectors.Definition, window time.Duration, first chan<- struct{}) {
	for wait, most := minReload, maxReload; ; wait = min(2*wait, most) {
		err := s.loadOnce(ctx, d)
		if ctx.Err() != nil && err != nil {
			if first != nil {
				close(first)
			}
			return
		}
		live := m.settle(d, err)
		if err == nil {
			s.loaded(d)
		}
		switch again := live.Name != "" && sameDefinition(&live, &d); {
		case err == nil && again: // only who has signed it is different
			s.track.Adopt(d)
		case err == nil:
			s.track.Loaded(d)
			s.sched.Put(d, window)
			s.log.Debug("inspector loaded", "inspector", d.Name, "interval", d.Interval)
		case errors.Is(err, inspectors.ErrPolicy) && live.Revision() == d.Revision():
			s.takeBack(m, d, err)
		default:
			s.loadFailed(m, d, err)
		}
		if first != nil {
			close(first)
			first = nil
		}
		switch {
		case errors.Is(err, plugins.ErrUnavailable):
			most = maxReload
		case errors.Is(err, plugins.ErrTimeout):
			most = maxSlowReload
		default: // it runs, or is at fault
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait/2 + rand.N(wait)):
		}
	}
}

func (s *set) loadOnce(ctx context.Context, d inspectors.Definition) error {
	if d.Script != nil {
		select {
		case s.scripts <- struct{}{}:
			defer func() { <-s.scripts }()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return s.runner.Load(ctx, d)
}

// settle notes the outcome of loading d, and returns what ran before.
func (m *member) settle(d inspectors.Definition, err error) (before inspectors.Definition) {
	m.mu.Lock()
	defer m.mu.Unlock()
	before = m.live
	if m.err = err; err == nil {
		m.live = d
	}
	return before
}

// takeBack stops code that runs and that the host's policy does not allow any more,
// because a key that had signed it is revoked.
func (s *set) takeBack(m *member, d inspectors.Definition, err error) {
	m.mu.Lock()
	m.live = inspectors.Definition{}
	m.mu.Unlock()
	s.sched.Remove(d.Name)
	s.runner.Unload(d.Name)
	s.track.LoadFailed(d, err, "")
	s.log.Warn("inspector stopped: the keys that have signed it and still count are too few", "inspector", d.Name, "reason", errtext.Of(err))
}

func (s *set) loadFailed(m *member, d inspectors.Definition, err error) {
	m.mu.Lock()
	live := m.live
	m.mu.Unlock()
	s.track.LoadFailed(d, err, live.Assigned)
	if live.Name != "" {
		s.log.Warn("inspector cannot be replaced; the old one goes on", "inspector", d.Name, "reason", errtext.Of(err))
	}
}

// faults returns an error for each member that does not run its wanted definition.
func (s *set) faults() error {
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(s.members)) {
		m := s.members[name]
		m.mu.Lock()
		err := m.err
		m.mu.Unlock()
		if err != nil {
			faults = append(faults, fmt.Errorf("inspector %q: %w", name, err))
		}
	}
	return errors.Join(faults...)
}

// wait returns when no loading is going on. Call it once, after life has ended.
func (s *set) wait() {
	s.turn <- struct{}{} // waits for an apply that began before the end; none begins after it
	s.loads.Wait()
	<-s.turn
}
