package rollout

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/vedettehq/vedette/rpc/wire"
)

// Host is what is known about a host with regard to the inspector.
type Host struct {
	Name    string
	Up      bool // it is connected
	Accepts bool // it lets the master send code
	// Receipt is the newest one for the inspector on this host, for any revision;
	// the zero Receipt if there is none.
	Receipt wire.Receipt
	// Status is the status of the inspector on this host, or nil.
	Status *wire.InspectorStatus
}

// View returns what is known about a host now. For an unknown host it returns the
// zero Host.
type View func(host string) Host

// New begins a rollout to the targets: every host that should have To in the end.
// r has an ID and a Plan; open fields of the plan are filled in as for a short
// interval, see Defaults. The fields about its progress are set here. An error
// says what is wrong with the plan.
func New(r wire.Rollout, targets []Host, now time.Time) (wire.Rollout, error) {
	if r.ID == "" {
		return wire.Rollout{}, errors.New("a rollout without an id")
	}
	if err := r.Plan.Check(); err != nil {
		return wire.Rollout{}, err
	}
	plan := Defaults(r.Plan, 0)
	gated := len(plan.Stages) != 0
	steps := whole(plan.Stages)
	if gated {
		plan.Stages = steps
	}
	r.Plan, r.State, r.Reason = plan, wire.RolloutRunning, ""
	r.Stage, r.Stages = 0, cut(steps, order(r.ID, targets))
	r.StartedMS, r.FinishedMS = now.UnixMilli(), 0
	r.Failures, r.Marks = nil, nil
	r.Stages[0].StartedMS = r.StartedMS
	return r, nil
}

// order returns the names of the targets, each once, in the order in which they
// get the revision.
func order(id string, targets []Host) []string {
	type place struct {
		late int // 1 if it is not connected, or would refuse
		hash uint64
		name string
	}
	places := make([]place, 0, len(targets))
	for _, h := range targets {
		sum := sha256.Sum256([]byte(id + "\x00" + h.Name))
		p := place{hash: binary.BigEndian.Uint64(sum[:]), name: h.Name}
		if !h.Up || !h.Accepts {
			p.late = 1
		}
		places = append(places, p)
	}
	slices.SortFunc(places, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.late, b.late), cmp.Compare(a.hash, b.hash), cmp.Compare(a.name, b.name))
	})
	seen := make(map[string]bool, len(places))
	var names []string
	for _, p := range places {
		if !seen[p.name] {
			seen[p.name] = true
			names = append(names, p.name)
		}
	}
	return names
}

// cut divides hosts into stages. Within a stage they are sorted by name, which Has
// relies on. A stage that reaches no further than the one before is left out.
func cut(steps []wire.Stage, names []string) []wire.RolloutStage {
	stages, from := make([]wire.RolloutStage, 0, len(steps)), 0
	for _, s := range steps {
		to := max(from, reach(s, len(names)))
		hosts := slices.Sorted(slices.Values(names[from:to]))
		if hosts == nil {
			hosts = []string{}
		}
		stages = append(stages, wire.RolloutStage{
			Count: s.Hosts, Percent: s.Percent, Hosts: hosts, Summary: wire.ReceiptSummary{Hosts: len(hosts), Pending: len(hosts)},
		})
		from = to
	}
	return stages
}

// Has reports whether a host should have To now: during the rollout, the hosts of
// its stages so far; every host when it is done; none when it was rolled back or
// replaced.
func Has(r *wire.Rollout, host string) bool {
	if Ended(r) {
		return r.State == wire.RolloutDone
	}
	for _, stage := range r.Stages[:r.Stage+1] {
		if _, ok := slices.BinarySearch(stage.Hosts, host); ok {
			return true
		}
	}
	return false
}

// Ended reports whether a rollout is over.
func Ended(r *wire.Rollout) bool {
	return r.State != wire.RolloutRunning && r.State != wire.RolloutPaused
}

// Pause stops a rollout where it is. A Step follows, as after Resume.
func Pause(r *wire.Rollout, reason string, _ time.Time) error {
	if r.State != wire.RolloutRunning {
		return stateError(r, "paused")
	}
	r.State, r.Reason = wire.RolloutPaused, because("paused", reason)
	return nil
}

// Resume lets a paused rollout continue: its stage bakes again, and hosts that are
// not well get their whole timeout.
func Resume(r *wire.Rollout, _ string, now time.Time) error {
	if r.State != wire.RolloutPaused {
		return stateError(r, "resumed")
	}
	r.State, r.Reason = wire.RolloutRunning, ""
	r.Stages[r.Stage].HealthyMS = 0
	for host, m := range r.Marks {
		if m.UpMS != 0 {
			m.UpMS = now.UnixMilli()
		}
		if m.RunMS != 0 {
			m.RunMS = now.UnixMilli()
		}
		r.Marks[host] = m
	}
	return nil
}

// Abort ends a rollout and rolls back the hosts that it has reached.
func Abort(r *wire.Rollout, reason string, now time.Time) error {
	if Ended(r) {
		return stateError(r, "aborted")
	}
	end(r, wire.RolloutRolledBack, because("aborted", reason), now.UnixMilli())
	return nil
}

// Replace ends a rollout in favour of a later one of the same inspector.
func Replace(r *wire.Rollout, reason string, now time.Time) error {
	if Ended(r) {
		return stateError(r, "replaced")
	}
	end(r, wire.RolloutReplaced, because("replaced", reason), now.UnixMilli())
	return nil
}

func stateError(r *wire.Rollout, verb string) error {
	return fmt.Errorf("rollout %s of %s is %s; it cannot be %s", r.ID, r.Inspector, r.State, verb)
}

func because(what, reason string) string {
	if reason == "" {
		return what
	}
	return what + ": " + reason
}

func end(r *wire.Rollout, state, reason string, nowMS int64) {
	r.State, r.Reason, r.FinishedMS, r.Marks = state, reason, nowMS, nil
}
