package rollout_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vedettehq/vedette/master/rollout"
	"github.com/vedettehq/vedette/rpc/wire"
)

// simHost is a host of a simulated fleet, and how it takes revision B.
type simHost struct {
	rollout.Host
	fate  string // well, builds not, refuses, fails later, slow
	since int    // seconds with what it is to have
	on    string // what it is to have
}

// sim is a fleet in which hosts come and go, second by second.
type sim struct {
	rng    *rand.Rand
	hosts  map[string]*simHost
	names  []string
	calm   bool // nobody goes away any more
	faults int  // of a hundred hosts that take B badly
}

func newSim(seed uint64) *sim {
	s := &sim{rng: rand.New(rand.NewPCG(seed, 1)), hosts: make(map[string]*simHost)}
	s.faults = []int{0, 0, 3, 30}[s.rng.IntN(4)]
	for i := range s.rng.IntN(40) {
		h := &simHost{fate: "well"}
		switch {
		case s.rng.IntN(100) < s.faults:
			h.fate = []string{"builds not", "fails later", "slow", "quarantined"}[s.rng.IntN(4)]
		case s.rng.IntN(10) == 0:
			h.fate = "refuses"
		}
		h.Name, h.Up, h.Accepts = fmt.Sprintf("h%02d", i), s.rng.IntN(5) > 0, s.rng.IntN(10) > 0
		s.hosts[h.Name], s.names = h, append(s.names, h.Name)
	}
	return s
}

func (s *sim) view(name string) rollout.Host {
	if h := s.hosts[name]; h != nil {
		return h.Host
	}
	return rollout.Host{}
}

func (s *sim) targets() []rollout.Host {
	var all []rollout.Host
	for _, name := range s.names {
		all = append(all, s.hosts[name].Host)
	}
	return all
}

// second lets a second pass on every host.
func (s *sim) second(has func(string) bool) {
	for _, name := range s.names {
		h := s.hosts[name]
		switch {
		case s.calm:
			h.Up = true
		case s.rng.IntN(60) == 0:
			h.Up = !h.Up
		}
		if !h.Up || !h.Accepts {
			continue
		}
		on := "A"
		if has(name) {
			on = "B"
		}
		if h.on != on {
			h.on, h.since = on, 0
			h.Receipt, h.Status = receipt(on, wire.ReceiptReceived, ""), nil
		}
		h.since++
		h.advance()
	}
}

// advance moves a host along with what it is to have.
func (h *simHost) advance() {
	fate := h.fate
	if h.on != "B" {
		fate = "well"
	}
	state, reason := wire.ReceiptLoaded, ""
	switch {
	case fate == "refuses":
		state = wire.ReceiptRefused
	case fate == "builds not":
		state, reason = wire.ReceiptFailed, "disk.go:1:1: no"
	case fate == "slow":
	case h.since >= 3:
		state = wire.ReceiptHealthy
	}
	h.Receipt = receipt(h.on, state, reason)
	if state != wire.ReceiptHealthy {
		return
	}
	status := wire.InspectorStatus{Name: "disk", Assigned: h.on, IntervalMS: 1000, State: wire.StateOK, Runs: uint64(h.since / 15)}
	if fate == "fails later" && h.since > 8 {
		status.Failures, status.State = uint64(h.since-8), wire.StateFailing
	}
	if fate == "quarantined" && h.since > 8 {
		status.State = wire.StateQuarantined
	}
	h.Status = &status
}

// stepped steps twice, and once from what was stored, and compares.
func stepped(t *testing.T, r *wire.Rollout, now time.Time, view rollout.View) {
	t.Helper()
	before := text(t, r)
	var stored wire.Rollout
	if err := json.Unmarshal(before, &stored); err != nil {
		t.Fatal(err)
	}
	stage := r.Stage
	changed := rollout.Step(r, now, view)
	for i, passed := range r.Stages[stage:r.Stage] {
		if len(passed.Hosts) > 0 && passed.Summary.Healthy == 0 {
			t.Fatalf("stage %d was passed with %+v", stage+i+1, passed)
		}
	}
	after := text(t, r)
	if !changed && !bytes.Equal(before, after) {
		t.Fatalf("a step that changed nothing changed\n%s to\n%s", before, after)
	}
	if rollout.Step(&stored, now, view); !bytes.Equal(after, text(t, &stored)) {
		t.Fatalf("after storing it is\n%s, else\n%s", text(t, &stored), after)
	}
	if rollout.Step(r, now, view) {
		t.Fatalf("a second step changed something: %+v", *r)
	}
	if next, ok := rollout.Next(r); ok && !next.After(now) {
		t.Fatalf("next is %v, and it is %v: %s", next, now, after)
	}
}

// text is a rollout as it is stored.
func text(t *testing.T, r *wire.Rollout) []byte {
	t.Helper()
	raw, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// checkHolders holds who has B against the plan.
func checkHolders(t *testing.T, r *wire.Rollout, names []string) {
	t.Helper()
	have := 0
	for _, name := range names {
		if rollout.Has(r, name) {
			have++
		}
	}
	allowed := 0
	switch {
	case r.State == wire.RolloutDone:
		allowed = len(names)
	case rollout.Ended(r):
	default:
		for _, stage := range r.Stages[:r.Stage+1] {
			allowed += len(stage.Hosts)
		}
	}
	if have != allowed {
		t.Fatalf("%d hosts are to have it in stage %d of a rollout that is %s, and %d may", have, r.Stage, r.State, allowed)
	}
}

// checkEnd holds how a rollout ended against the hosts.
func checkEnd(t *testing.T, s *sim, r *wire.Rollout) {
	t.Helper()
	gated := len(r.Plan.Stages) != 0
	switch r.State {
	case wire.RolloutDone:
		if gated && len(r.Failures) != 0 {
			t.Fatalf("it is done, and %v failed", r.Failures)
		}
		for _, name := range s.names {
			h := s.hosts[name]
			if gated && h.Up && h.Accepts && h.fate != "refuses" && (h.on != "B" || h.Receipt.State != wire.ReceiptHealthy) {
				t.Fatalf("it is done, and %s is %+v", name, h)
			}
		}
	case wire.RolloutRolledBack:
		if len(r.Failures) == 0 || r.Reason == "" {
			t.Fatalf("it was rolled back without a reason: %+v", r)
		}
		for _, f := range r.Failures {
			if s.hosts[f.Host].fate == "well" {
				t.Fatalf("%s failed, and is well: %s", f.Host, f.Reason)
			}
		}
	default:
		t.Fatalf("it ended as %s", r.State)
	}
}

// A second rollout of the same fleet is stepped only when something is heard or
// Next says so, and has to come to the same.
func TestFleets(t *testing.T) {
	plans := [][]wire.Stage{nil, {{Percent: 100}}, {{Hosts: 1}, {Percent: 10}}, {{Percent: 5}, {Percent: 25}, {Percent: 50}}, {{Hosts: 3}}}
	outcomes := make(map[string]int)
	for seed := range uint64(150) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			s := newSim(seed)
			plan := wire.Plan{Stages: plans[s.rng.IntN(len(plans))]}
			r, err := rollout.New(wire.Rollout{ID: fmt.Sprint("r", seed), Inspector: "disk", From: "A", To: "B", Plan: plan}, s.targets(), begin)
			if err != nil {
				t.Fatal(err)
			}
			outcomes[simulate(t, s, r)]++
		})
	}
	for _, state := range []string{wire.RolloutDone, wire.RolloutRolledBack} {
		if outcomes[state] < 20 {
			t.Errorf("only %d of the rollouts ended as %s: %v", outcomes[state], state, outcomes)
		}
	}
}

// simulate runs a rollout to its end, and returns its state.
func simulate(t *testing.T, s *sim, r wire.Rollout) string {
	lazy := clone(t, r)
	var heard []rollout.Host
	for second := range 7200 {
		now := begin.Add(time.Duration(second) * time.Second)
		s.calm = second > 600
		if second%900 == 899 { // somebody looks why a stage waits
			for _, name := range r.Stages[r.Stage].Hosts {
				if h := s.hosts[name]; strings.Contains(r.Reason, "refuse it") || strings.Contains(r.Reason, "refuses it") {
					h.Accepts, h.fate = true, "well"
				}
			}
		}
		view := s.view
		if second > 0 && s.rng.IntN(200) == 0 { // the master starts again
			view = func(string) rollout.Host { return rollout.Host{} }
		}
		if s.rng.IntN(100) == 0 && rollout.Pause(&r, "", now) == nil {
			_, heard = rollout.Pause(&lazy, "", now), nil
		}
		if s.rng.IntN(20) == 0 && rollout.Resume(&r, "", now) == nil {
			_, heard = rollout.Resume(&lazy, "", now), nil
		}
		stepped(t, &r, now, view)
		var hosts []rollout.Host
		for _, name := range s.names {
			h := view(name)
			if h.Status != nil {
				status := *h.Status
				h.Status = &status
			}
			hosts = append(hosts, h)
		}
		next, timed := rollout.Next(&lazy)
		if heard == nil || !reflect.DeepEqual(hosts, heard) || timed && !next.After(now) {
			rollout.Step(&lazy, now, view)
		}
		heard = slices.Clone(hosts)
		if lazy.State != r.State || lazy.Stage != r.Stage || lazy.Reason != r.Reason {
			t.Fatalf("after %d s: %s in stage %d (%s), and when stepped as Next says: %s in stage %d (%s)",
				second, r.State, r.Stage, r.Reason, lazy.State, lazy.Stage, lazy.Reason)
		}
		checkHolders(t, &r, s.names)
		if rollout.Ended(&r) {
			checkEnd(t, s, &r)
			return r.State
		}
		s.second(func(name string) bool { return rollout.Has(&r, name) })
	}
	t.Fatalf("it never ends: %+v", r)
	return ""
}
