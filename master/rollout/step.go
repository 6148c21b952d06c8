package rollout

import (
	"time"

	"github.com/vedettehq/vedette/rpc/wire"
)

const (
	// storyTime is how long other hosts may take to report after the first host of
	// a gate failed.
	storyTime = 2 * time.Second
	// minQuiet is the shortest time without a run that means that an inspector has
	// stopped: hosts report the number of runs every 15 s.
	minQuiet = 45 * time.Second
	// maxFailures bounds Rollout.Failures.
	maxFailures = 100
)

// Step brings a rollout up to date with its hosts and with the time: it notes
// their states, begins the next stages, and ends the rollout or rolls it back. It
// reports whether r was changed and has to be stored. A second call with the same
// arguments changes nothing.
func Step(r *wire.Rollout, now time.Time, view View) (changed bool) {
	if Ended(r) {
		return false
	}
	s := step{r: r, now: now.UnixMilli(), view: view, gated: len(r.Plan.Stages) != 0}
	for again := true; again; {
		s.look()
		again = s.decide()
	}
	return s.changed
}

// step is one call of Step.
type step struct {
	r       *wire.Rollout
	now     int64
	view    View
	gated   bool
	changed bool

	// The results of look.
	all      tally              // of every host that has To
	current  tally              // of those of the current stage
	failures []wire.HostReceipt // at most maxFailures
	refusals []string           // of hosts of the current stage, in words; at most named
}

// tally counts hosts: each is in one of the four.
type tally struct {
	well, failed, refused int
	undecided             int // up, and on their way
	away                  int
}

func (t *tally) add(o tally) {
	t.well += o.well
	t.failed += o.failed
	t.refused += o.refused
	t.undecided += o.undecided
	t.away += o.away
}

func (t tally) hosts() int { return t.well + t.failed + t.refused + t.undecided + t.away }

// set sets a value, and notes whether it has changed.
func set[T comparable](s *step, to *T, value T) {
	if *to != value {
		*to, s.changed = value, true
	}
}

// look judges every host that has To.
func (s *step) look() {
	s.all, s.current, s.failures, s.refusals = tally{}, tally{}, nil, nil
	if s.gated {
		s.failures = s.r.Failures
	}
	for i := range s.r.Stages[:s.r.Stage+1] {
		stage, t := &s.r.Stages[i], tally{}
		for _, name := range stage.Hosts {
			s.judge(&t, i == s.r.Stage, name)
		}
		set(s, &stage.Summary, wire.ReceiptSummary{
			Hosts: t.hosts(), Healthy: t.well, Failed: t.failed, Refused: t.refused, Pending: t.undecided + t.away,
		})
		s.all.add(t)
		s.current = t
	}
	if !s.gated && !equal(s.r.Failures, s.failures) {
		s.changed = true
	}
	s.r.Failures = s.failures
}

// decide draws the conclusion, and reports whether hosts have to be judged again
// because there are more of them.
func (s *step) decide() bool {
	if !s.gated {
		return s.decideAtOnce()
	}
	stage := &s.r.Stages[s.r.Stage]
	switch {
	case s.all.failed > 0:
		if s.all.undecided == 0 || s.now >= firstFailure(s.r)+storyTime.Milliseconds() {
			s.end(wire.RolloutRolledBack, s.stageName()+": "+s.story())
		}
		return false
	case s.r.State == wire.RolloutPaused:
		return false
	case s.idle():
		set(s, &stage.HealthyMS, 0)
		set(s, &s.r.Reason, s.stageName()+" waits: "+s.whyIdle())
		return false
	}
	set(s, &s.r.Reason, "")
	if s.all.undecided > 0 {
		return false
	}
	if s.current.well == 0 { // it has no hosts, or is the last and all of them refuse
		return s.pass(stage)
	}
	if stage.HealthyMS == 0 {
		set(s, &stage.HealthyMS, s.now)
	}
	if s.now < stage.HealthyMS+s.r.Plan.BakeMS {
		return false
	}
	return s.pass(stage)
}

// idle reports whether no host of a stage has shown how the revision does, nor
// will without help: its hosts are away, or refuse it. After the last stage no
// host comes that could be harmed.
func (s *step) idle() bool {
	last := s.r.Stage == len(s.r.Stages)-1
	return s.current.well+s.current.undecided == 0 && (s.current.away > 0 || s.current.refused > 0 && !last)
}

// pass ends a stage and begins the next, if there is one.
func (s *step) pass(stage *wire.RolloutStage) bool {
	s.changed = true
	if stage.HealthyMS == 0 {
		stage.HealthyMS = s.now
	}
	stage.DoneMS = s.now
	if s.r.Stage == len(s.r.Stages)-1 {
		s.end(wire.RolloutDone, s.closing())
		return false
	}
	for _, name := range stage.Hosts { // they are no longer watched as closely
		if m, ok := s.r.Marks[name]; ok {
			s.r.Marks[name] = wire.RolloutMark{UpMS: m.UpMS, WellMS: m.WellMS}
		}
	}
	s.r.Stage++
	s.r.Stages[s.r.Stage].StartedMS = s.now
	return true
}

// decideAtOnce is decide for a plan without gates.
func (s *step) decideAtOnce() bool {
	stage := &s.r.Stages[0]
	switch {
	case s.r.State == wire.RolloutPaused || s.all.undecided > 0:
		return false
	case s.all.hosts() > 0 && s.all.away == s.all.hosts() && s.now < s.r.StartedMS+s.r.Plan.TimeoutMS:
		return false // perhaps they are only on their way back
	case s.all.failed > 0 && s.all.well == 0 && s.r.To != "":
		s.end(wire.RolloutRolledBack, s.story())
		return false
	}
	if s.all.failed == 0 {
		stage.HealthyMS = s.now
	}
	stage.DoneMS = s.now
	s.end(wire.RolloutDone, s.closing())
	return false
}

func (s *step) end(state, reason string) {
	end(s.r, state, reason, s.now)
	s.changed = true
}

// firstFailure returns when the first host failed.
func firstFailure(r *wire.Rollout) int64 {
	var first int64
	for _, m := range r.Marks {
		if m.FailedMS != 0 && (first == 0 || m.FailedMS < first) {
			first = m.FailedMS
		}
	}
	return first
}

// Next returns when Step must be called again even without news about hosts, or
// false if nothing depends on time. After a Step it is later than that Step was.
func Next(r *wire.Rollout) (time.Time, bool) {
	if Ended(r) {
		return time.Time{}, false
	}
	at := timers{r: r, gated: len(r.Plan.Stages) != 0, running: r.State == wire.RolloutRunning}
	next := at.next()
	return time.UnixMilli(next), next != 0
}

// timers finds the next time that matters.
type timers struct {
	r              *wire.Rollout
	gated, running bool
	first          int64 // 0 is none
}

func (t *timers) add(ms int64) {
	if t.first == 0 || ms < t.first {
		t.first = ms
	}
}

func (t *timers) next() int64 {
	stage := &t.r.Stages[t.r.Stage]
	failed, undecided, up := false, false, false
	for _, m := range t.r.Marks {
		up = up || m.UpMS != 0
		switch {
		case m.FailedMS != 0:
			failed = true
		case m.UpMS != 0 && m.WellMS == 0:
			undecided = true
			if t.running {
				t.add(m.UpMS + t.r.Plan.TimeoutMS)
			}
		case t.gated && t.running && m.RunMS != 0:
			t.add(m.RunMS + m.QuietMS)
		}
	}
	switch {
	case t.gated && failed:
		t.add(firstFailure(t.r) + storyTime.Milliseconds())
	case t.gated && t.running && stage.HealthyMS != 0 && !undecided:
		t.add(stage.HealthyMS + t.r.Plan.BakeMS)
	case !t.gated && t.running && !up:
		t.add(t.r.StartedMS + t.r.Plan.TimeoutMS)
	}
	return t.first
}
