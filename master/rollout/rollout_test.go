package rollout_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vedettehq/vedette/master/rollout"
	"github.com/vedettehq/vedette/rpc/wire"
)

var begin = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// fleet is what is known of some hosts.
type fleet map[string]rollout.Host

func newFleet(n int) fleet {
	f := make(fleet, n)
	for i := range n {
		name := fmt.Sprintf("web-%02d", i+1)
		f[name] = rollout.Host{Name: name, Up: true, Accepts: true, Receipt: receipt("A", wire.ReceiptHealthy, "")}
	}
	return f
}

func receipt(revision, state, reason string) wire.Receipt {
	return wire.Receipt{Inspector: "disk", Revision: revision, State: state, Reason: reason, AtMS: 7}
}

func (f fleet) view(name string) rollout.Host { return f[name] }

func (f fleet) targets() []rollout.Host {
	var all []rollout.Host
	for _, h := range f {
		all = append(all, h)
	}
	return all
}

func (f fleet) change(name string, change func(h *rollout.Host)) {
	h := f[name]
	change(&h)
	f[name] = h
}

// got gives hosts a receipt of B, and the status that goes with one that runs.
func (f fleet) got(state, reason string, names ...string) {
	for _, name := range names {
		f.change(name, func(h *rollout.Host) {
			h.Receipt = receipt("B", state, reason)
			h.Status = &wire.InspectorStatus{Name: "disk", Assigned: "B", IntervalMS: 60_000, State: wire.StateOK, Runs: 1}
		})
	}
}

// trial drives one rollout of a test through time.
type trial struct {
	t   *testing.T
	r   wire.Rollout
	f   fleet
	now time.Time
}

func start(t *testing.T, f fleet, plan string, change ...func(r *wire.Rollout)) *trial {
	t.Helper()
	r := wire.Rollout{ID: "r1", Inspector: "disk", Action: "push", From: "A", To: "B"}
	if plan != "" {
		stages, err := wire.ParseStages(plan)
		if err != nil {
			t.Fatal(err)
		}
		r.Plan.Stages = stages
	}
	for _, c := range change {
		c(&r)
	}
	r, err := rollout.New(r, f.targets(), begin)
	if err != nil {
		t.Fatal(err)
	}
	tr := &trial{t: t, r: r, f: f, now: begin}
	tr.step(0)
	return tr
}

// step lets time pass, and steps, as often as is to change nothing more.
func (tr *trial) step(d time.Duration) {
	tr.t.Helper()
	tr.now = tr.now.Add(d)
	rollout.Step(&tr.r, tr.now, tr.f.view)
	if rollout.Step(&tr.r, tr.now, tr.f.view) {
		tr.t.Fatalf("a second step changed something: %+v", tr.r)
	}
	if next, ok := rollout.Next(&tr.r); ok && !next.After(tr.now) {
		tr.t.Fatalf("next is %v, and it is %v", next, tr.now)
	}
}

func (tr *trial) want(state string, stage int, reason string) {
	tr.t.Helper()
	if tr.r.State != state || tr.r.Stage != stage || tr.r.Reason != reason {
		tr.t.Fatalf("%s in stage %d (%q), want %s in stage %d (%q)", tr.r.State, tr.r.Stage, tr.r.Reason, state, stage, reason)
	}
}

// wantNext checks when the next step is due, from now; 0 is never.
func (tr *trial) wantNext(d time.Duration) {
	tr.t.Helper()
	next, ok := rollout.Next(&tr.r)
	if ok != (d != 0) || ok && next.Sub(tr.now) != d {
		tr.t.Fatalf("next in %v (%v), want %v", next.Sub(tr.now), ok, d)
	}
}

func (tr *trial) holders() []string {
	var all []string
	for name := range tr.f {
		if rollout.Has(&tr.r, name) {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

func TestBadPlansAreRefused(t *testing.T) {
	for want, plan := range map[string]wire.Plan{
		"stage 1: give either a number of hosts or a percentage":          {Stages: []wire.Stage{{Hosts: 1, Percent: 1}}},
		"stage 1: -1 hosts: give at least 1":                              {Stages: []wire.Stage{{Hosts: -1}}},
		"stage 1: 200 %: give more than 0 and at most 100":                {Stages: []wire.Stage{{Percent: 200}}},
		"a bake of -1 ms: give 0 to 86400000 ms, which is a day":          {BakeMS: -1},
		"a timeout of 86400001 ms: give 0 to 86400000 ms, which is a day": {TimeoutMS: 86_400_001},
	} {
		if _, err := rollout.New(wire.Rollout{ID: "r1", Plan: plan}, nil, begin); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, err := rollout.New(wire.Rollout{}, nil, begin); err == nil {
		t.Error("a rollout without an id begins")
	}
}

func TestDefaults(t *testing.T) {
	staged := []wire.Stage{{Hosts: 1}}
	for _, c := range []struct {
		plan     wire.Plan
		interval time.Duration
		want     wire.Plan
	}{
		{wire.Plan{}, time.Second, wire.Plan{TimeoutMS: 60_000}},
		{wire.Plan{}, time.Hour, wire.Plan{TimeoutMS: 3 * 3600_000}},
		{wire.Plan{Stages: staged}, time.Second, wire.Plan{Stages: staged, BakeMS: 10_000, TimeoutMS: 60_000}},
		{wire.Plan{Stages: staged}, time.Minute, wire.Plan{Stages: staged, BakeMS: 120_000, TimeoutMS: 180_000}},
		{wire.Plan{BakeMS: 5}, 0, wire.Plan{Stages: []wire.Stage{{Percent: 100}}, BakeMS: 5, TimeoutMS: 60_000}},
		{wire.Plan{Stages: staged}, 24 * time.Hour, wire.Plan{Stages: staged, BakeMS: 86_400_000, TimeoutMS: 86_400_000}},
	} {
		if got := rollout.Defaults(c.plan, c.interval); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%+v at %v: %+v, want %+v", c.plan, c.interval, got, c.want)
		}
	}
}

func TestStagesAreCut(t *testing.T) {
	for _, c := range []struct {
		hosts int
		plan  string
		want  []int
	}{
		{50, "1,10%,100%", []int{1, 4, 45}},
		{50, "1,10%", []int{1, 4, 45}},
		{3, "1,10%,100%", []int{1, 0, 2}},
		{1, "5,10%", []int{1, 0, 0}},
		{0, "1", []int{0, 0}},
		{1000, "0.7%", []int{7, 993}},
		{7, "", []int{7}},
	} {
		tr := start(t, newFleet(c.hosts), c.plan)
		var sizes []int
		for _, s := range tr.r.Stages {
			sizes = append(sizes, len(s.Hosts))
		}
		if !slices.Equal(sizes, c.want) {
			t.Errorf("%d hosts, %q: %v, want %v", c.hosts, c.plan, sizes, c.want)
		}
	}
}

// A stage tells its size as well as its hosts, also after it was stored.
func TestStagesTellTheirSize(t *testing.T) {
	text, err := json.Marshal(start(t, newFleet(50), "3,10%").r.Stages)
	if err != nil {
		t.Fatal(err)
	}
	var stages []wire.RolloutStage
	if err := json.Unmarshal(text, &stages); err != nil {
		t.Fatal(err)
	}
	for i, want := range []wire.RolloutStage{{Count: 3}, {Percent: 10}, {Percent: 100}} {
		if s := stages[i]; s.Count != want.Count || s.Percent != want.Percent || len(s.Hosts) == 0 {
			t.Errorf("stage %d is %+v, want %+v", i+1, s, want)
		}
	}
}

// Hosts that are there and accept go first; the order differs from rollout to
// rollout, and not from call to call.
func TestOrderOfHosts(t *testing.T) {
	f := newFleet(10)
	f.change("web-01", func(h *rollout.Host) { h.Up = false })
	f.change("web-02", func(h *rollout.Host) { h.Accepts = false })
	first := make(map[string]bool)
	for i := range 40 {
		name := func(r *wire.Rollout) { r.ID = fmt.Sprint("r", i) }
		a, b := start(t, f, "1,8,100%", name), start(t, f, "1,8,100%", name)
		if !reflect.DeepEqual(a.r, b.r) {
			t.Fatal("the order is not the same twice")
		}
		if last := a.r.Stages[2].Hosts; !slices.Equal(last, []string{"web-01", "web-02"}) {
			t.Fatalf("%v come last", last)
		}
		first[a.r.Stages[0].Hosts[0]] = true
	}
	if len(first) < 5 {
		t.Errorf("only %d hosts were ever first", len(first))
	}
}

func TestStagesFollowEachOther(t *testing.T) {
	f := newFleet(10)
	tr := start(t, f, "1,50%")
	tr.want(wire.RolloutRunning, 0, "")
	tr.wantNext(time.Minute)
	if got := tr.holders(); !slices.Equal(got, tr.r.Stages[0].Hosts) {
		t.Fatalf("%v have it", got)
	}
	f.got(wire.ReceiptLoaded, "", tr.r.Stages[0].Hosts...)
	tr.step(5 * time.Second)
	tr.wantNext(55 * time.Second)
	f.got(wire.ReceiptHealthy, "", tr.r.Stages[0].Hosts...)
	tr.step(time.Second)
	tr.want(wire.RolloutRunning, 0, "")
	tr.wantNext(10 * time.Second)
	tr.step(10 * time.Second)
	tr.want(wire.RolloutRunning, 1, "")
	if got := tr.holders(); len(got) != 5 {
		t.Fatalf("%v have it", got)
	}
	f.got(wire.ReceiptHealthy, "", tr.r.Stages[1].Hosts...)
	tr.step(0)
	tr.step(10 * time.Second)
	tr.want(wire.RolloutRunning, 2, "")
	f.got(wire.ReceiptHealthy, "", tr.r.Stages[2].Hosts...)
	tr.step(0)
	tr.step(10 * time.Second)
	tr.want(wire.RolloutDone, 2, "")
	tr.wantNext(0)
	if !rollout.Has(&tr.r, "a-new-host") {
		t.Error("a host that came later does not have it")
	}
	if want := (wire.ReceiptSummary{Hosts: 5, Healthy: 5}); tr.r.Stages[2].Summary != want || tr.r.Marks != nil {
		t.Errorf("it ended as %+v", tr.r)
	}
}

// The others have two seconds to tell how they fare; then it is rolled back.
func TestFailedGateTellsTheStory(t *testing.T) {
	f := newFleet(50)
	tr := start(t, f, "1,100%")
	f.got(wire.ReceiptHealthy, "", tr.r.Stages[0].Hosts...)
	tr.step(0)
	tr.step(10 * time.Second)
	rest := tr.r.Stages[1].Hosts
	f.got(wire.ReceiptFailed, "disk.go:12:3: undefined: nope\nand more", rest[3])
	tr.step(0)
	tr.want(wire.RolloutRunning, 1, "")
	tr.wantNext(2 * time.Second)
	f.got(wire.ReceiptFailed, "disk.go:12:3: undefined: nope", rest[1], rest[2])
	tr.step(time.Second)
	f.got(wire.ReceiptHealthy, "", rest[3]) // what has failed has failed
	tr.step(time.Second)
	tr.want(wire.RolloutRolledBack, 1, fmt.Sprintf("stage 2 of 2: 3 of 50 hosts failed: "+
		"%s: disk.go:12:3: undefined: nope …; %s: disk.go:12:3: undefined: nope; %s: disk.go:12:3: undefined: nope", rest[3], rest[1], rest[2]))
	if len(tr.holders()) != 0 || len(tr.r.Failures) != 3 || tr.r.FinishedMS != tr.now.UnixMilli() {
		t.Errorf("%v have it; %+v", tr.holders(), tr.r)
	}
	if got := tr.r.Failures[0]; got.Host != rest[3] || got.Revision != "B" || got.AtMS != 7 || got.State != wire.ReceiptFailed {
		t.Errorf("the first failure is %+v", got)
	}
}

func TestFailuresAreBounded(t *testing.T) {
	f := newFleet(500)
	tr := start(t, f, "100%")
	f.got(wire.ReceiptFailed, strings.Repeat("ü", 300), tr.r.Stages[0].Hosts...)
	tr.step(0)
	if tr.r.State != wire.RolloutRolledBack || len(tr.r.Failures) != 100 || len(tr.r.Reason) > 1000 || !strings.HasSuffix(tr.r.Reason, "; and 497 more") {
		t.Errorf("%s, %d failures, %q", tr.r.State, len(tr.r.Failures), tr.r.Reason)
	}
}

// Each of these fails the gate of a stage of one host that is already healthy.
func TestBakeGates(t *testing.T) {
	for name, c := range map[string]struct {
		change func(h *rollout.Host)
		after  time.Duration
		want   string // "" passes
	}{
		"well":        {func(*rollout.Host) {}, 10 * time.Second, ""},
		"gone":        {func(h *rollout.Host) { h.Up = false }, 10 * time.Second, "waits"},
		"receipt":     {func(h *rollout.Host) { h.Receipt.State, h.Receipt.Reason = wire.ReceiptFailed, "run: EOF" }, 0, "run: EOF"},
		"quarantined": {func(h *rollout.Host) { h.Status.State, h.Status.Error = wire.StateQuarantined, "crashed twice" }, 0, "quarantined: crashed twice"},
		"failing":     {func(h *rollout.Host) { h.Status.Failures, h.Status.Error = 2, "EOF" }, 0, "2 of its runs failed: EOF"},
		"over budget": {func(h *rollout.Host) { h.Status.OverBudget, h.Status.Failures = 1, 1 }, 0, "1 of its runs exceeded the budget"},
		"other's":     {func(h *rollout.Host) { h.Status.Assigned, h.Status.Failures = "A", 9 }, 10 * time.Second, ""},
		"restarted":   {func(h *rollout.Host) { h.Status.Runs = 0 }, 10 * time.Second, ""},
		"refused":     {func(h *rollout.Host) { h.Receipt.State = wire.ReceiptRefused }, 10 * time.Second, "refuses"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFleet(2)
			tr := start(t, f, "1,100%")
			host := tr.r.Stages[0].Hosts[0]
			f.got(wire.ReceiptHealthy, "", host)
			tr.step(0)
			f.change(host, func(h *rollout.Host) {
				status := *h.Status
				h.Status = &status
				c.change(h)
			})
			tr.step(c.after)
			switch c.want {
			case "":
				tr.want(wire.RolloutRunning, 1, "")
			case "refuses":
				tr.want(wire.RolloutRunning, 0, "stage 1 of 2 waits: its one host refuses it: "+host+": it does not say why")
			case "waits":
				tr.want(wire.RolloutRunning, 0, "stage 1 of 2 waits: its one host is not there")
			default:
				tr.want(wire.RolloutRolledBack, 0, "stage 1 of 2: 1 of 1 host failed: "+host+": "+c.want)
			}
		})
	}
}

// Runs are waited for as long as three intervals, and at least 45 s.
func TestSilenceFailsTheGate(t *testing.T) {
	f := newFleet(1)
	tr := start(t, f, "1", func(r *wire.Rollout) { r.Plan.BakeMS = 600_000 })
	f.got(wire.ReceiptHealthy, "", "web-01")
	f["web-01"].Status.IntervalMS = 1000
	tr.step(0)
	tr.wantNext(45 * time.Second)
	f["web-01"].Status.Runs = 5
	tr.step(20 * time.Second)
	tr.wantNext(45 * time.Second)
	tr.step(44 * time.Second)
	tr.want(wire.RolloutRunning, 0, "")
	tr.step(time.Second)
	tr.want(wire.RolloutRolledBack, 0, "stage 1 of 2: 1 of 1 host failed: web-01: no run for 45s")
}

func TestTimeout(t *testing.T) {
	f := newFleet(2)
	f.change("web-02", func(h *rollout.Host) { h.Up = false })
	tr := start(t, f, "100%")
	f.got(wire.ReceiptHealthy, "", "web-01")
	tr.step(0)
	// It comes back while the stage bakes, and has a separate timeout.
	f.change("web-02", func(h *rollout.Host) { h.Up = true })
	tr.step(9 * time.Second)
	tr.wantNext(time.Minute)
	f.got(wire.ReceiptVerified, "", "web-02")
	tr.step(59 * time.Second)
	tr.want(wire.RolloutRunning, 0, "")
	tr.step(time.Second)
	tr.want(wire.RolloutRolledBack, 0, "stage 1 of 1: 1 of 2 hosts failed: web-02: not healthy within 1m0s: it is verified")
}

// A host of an earlier stage that returns and fails fails the rollout.
func TestEarlierStagesAreWatched(t *testing.T) {
	f := newFleet(4)
	tr := start(t, f, "50%")
	stage := tr.r.Stages[0].Hosts
	f.got(wire.ReceiptHealthy, "", stage...)
	f.change(stage[1], func(h *rollout.Host) { h.Up = false })
	tr.step(0)
	tr.step(10 * time.Second)
	tr.want(wire.RolloutRunning, 1, "")
	f.got(wire.ReceiptFailed, "no", stage[1])
	f.change(stage[1], func(h *rollout.Host) { h.Up = true })
	tr.step(0)
	tr.step(2 * time.Second)
	tr.want(wire.RolloutRolledBack, 1, "stage 2 of 2: 1 of 4 hosts failed: "+stage[1]+": no")
}

func TestStageWaitsForHosts(t *testing.T) {
	f := newFleet(3)
	for name := range f {
		f.change(name, func(h *rollout.Host) { h.Up = false })
	}
	tr := start(t, f, "1,100%")
	tr.wantNext(0)
	tr.step(time.Hour)
	tr.want(wire.RolloutRunning, 0, "stage 1 of 2 waits: its one host is not there")
	host := tr.r.Stages[0].Hosts[0]
	f.change(host, func(h *rollout.Host) { h.Up = true })
	tr.step(0)
	tr.want(wire.RolloutRunning, 0, "")
	tr.wantNext(time.Minute)
	f.got(wire.ReceiptHealthy, "", host)
	tr.step(0)
	tr.step(10 * time.Second)
	tr.want(wire.RolloutRunning, 1, "stage 2 of 2 waits: none of its 2 hosts is there")
}

func TestRefusalsHoldNothingUp(t *testing.T) {
	f := newFleet(3)
	f.change("web-01", func(h *rollout.Host) { h.Accepts = false })
	tr := start(t, f, "100%")
	f.got(wire.ReceiptRefused, "policy", "web-02")
	f.got(wire.ReceiptHealthy, "", "web-03")
	tr.step(0)
	tr.step(10 * time.Second)
	tr.want(wire.RolloutDone, 0, "")
	if want := (wire.ReceiptSummary{Hosts: 3, Healthy: 1, Refused: 2}); tr.r.Stages[0].Summary != want {
		t.Errorf("%+v, want %+v", tr.r.Stages[0].Summary, want)
	}
	f.change("web-03", func(h *rollout.Host) { h.Accepts = false })
	start(t, f, "100%").want(wire.RolloutDone, 0, "no host accepts it: 3 of 3 hosts refused")
}

// Nobody has tried what the hosts of a stage refuse, so the next does not begin.
func TestRefusedStageWaits(t *testing.T) {
	f := newFleet(6)
	tr := start(t, f, "2,4,100%")
	first := tr.r.Stages[0].Hosts
	f.got(wire.ReceiptRefused, "policy: net is not true", first...)
	tr.step(0)
	tr.step(24 * time.Hour)
	why := "stage 1 of 3 waits: all of its 2 hosts refuse it: " + first[0] + ": policy: net is not true; " + first[1] + ": policy: net is not true"
	tr.want(wire.RolloutRunning, 0, why)
	tr.wantNext(0)
	f.change(first[0], func(h *rollout.Host) { h.Up = false })
	tr.step(time.Minute)
	tr.want(wire.RolloutRunning, 0, "stage 1 of 3 waits: 1 of its 2 hosts refuse it, and the others are not there: "+first[1]+": policy: net is not true")

	// One of them takes it after all; a later stage in which all refuse waits too.
	f.got(wire.ReceiptHealthy, "", first[1])
	tr.step(0)
	tr.step(10 * time.Second)
	tr.want(wire.RolloutRunning, 1, "")
	for _, host := range tr.r.Stages[1].Hosts {
		f.change(host, func(h *rollout.Host) { h.Accepts = false })
	}
	tr.step(time.Hour)
	if tr.r.Stage != 1 || !strings.Contains(tr.r.Reason, "it takes no code from a master") {
		t.Fatalf("stage %d: %s", tr.r.Stage, tr.r.Reason)
	}
	f.change(tr.r.Stages[1].Hosts[0], func(h *rollout.Host) { h.Accepts = true })
	f.got(wire.ReceiptHealthy, "", tr.r.Stages[1].Hosts[0])
	tr.step(0)
	tr.step(10 * time.Second)
	f.got(wire.ReceiptRefused, "no", tr.r.Stages[2].Hosts...)
	tr.step(0)
	tr.want(wire.RolloutDone, 2, "")
}

func TestAllAtOnce(t *testing.T) {
	for name, c := range map[string]struct {
		states map[string]string
		after  time.Duration
		state  string
		reason string
	}{
		"well":     {map[string]string{"web-01": "healthy", "web-02": "healthy", "web-03": "healthy"}, 0, wire.RolloutDone, ""},
		"going on": {map[string]string{"web-01": "healthy", "web-02": "healthy", "web-03": "loaded"}, 0, wire.RolloutRunning, ""},
		"one fails": {
			map[string]string{"web-01": "healthy", "web-02": "failed", "web-03": "gone"},
			0,
			wire.RolloutDone, "1 of 3 hosts failed: web-02: why",
		},
		"one is late": {
			map[string]string{"web-01": "healthy", "web-02": "refused"},
			time.Minute,
			wire.RolloutDone, "1 of 3 hosts failed: web-03: not healthy within 1m0s: it has not said that it has the revision",
		},
		"none is well": {
			map[string]string{"web-01": "failed", "web-02": "gone", "web-03": "failed"},
			0,
			wire.RolloutRolledBack, "2 of 3 hosts failed: web-01: why; web-03: why",
		},
		"none is there": {
			map[string]string{"web-01": "gone", "web-02": "gone", "web-03": "gone"},
			time.Minute,
			wire.RolloutDone, "none of its 3 hosts is there; they get it when they return",
		},
		"none is there yet": {map[string]string{"web-01": "gone", "web-02": "gone", "web-03": "gone"}, 59 * time.Second, wire.RolloutRunning, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFleet(3)
			tr := start(t, f, "")
			if len(tr.holders()) != 3 || rollout.Has(&tr.r, "new") {
				t.Errorf("%v have it", tr.holders())
			}
			for host, state := range c.states {
				if state == "gone" {
					f.change(host, func(h *rollout.Host) { h.Up = false })
				} else {
					f.got(state, "why", host)
				}
			}
			tr.step(c.after)
			tr.want(c.state, 0, c.reason)
		})
	}
	start(t, newFleet(0), "").want(wire.RolloutDone, 0, "")
	start(t, newFleet(0), "1,10%").want(wire.RolloutDone, 2, "")
}

func TestAllAtOnceForgivesWhoRecovers(t *testing.T) {
	f := newFleet(2)
	tr := start(t, f, "")
	f.got(wire.ReceiptFailed, "no", "web-01")
	tr.step(0)
	if len(tr.r.Failures) != 1 {
		t.Fatalf("failures: %+v", tr.r.Failures)
	}
	f.got(wire.ReceiptHealthy, "", "web-01", "web-02")
	tr.step(5 * time.Second)
	tr.want(wire.RolloutDone, 0, "")
	if len(tr.r.Failures) != 0 {
		t.Fatalf("failures: %+v", tr.r.Failures)
	}
}

func TestDeletion(t *testing.T) {
	f := newFleet(3)
	tr := start(t, f, "", func(r *wire.Rollout) { r.Action, r.To = "delete", "" })
	tr.wantNext(time.Minute)
	f.change("web-01", func(h *rollout.Host) { h.Receipt = wire.Receipt{} })
	f.change("web-02", func(h *rollout.Host) { h.Up = false })
	tr.step(time.Second)
	tr.want(wire.RolloutRunning, 0, "")
	tr.step(59 * time.Second)
	tr.want(wire.RolloutDone, 0, "1 of 3 hosts failed: web-03: still has it after 1m0s")
	f.change("web-03", func(h *rollout.Host) { h.Receipt = wire.Receipt{} })
	start(t, f, "", func(r *wire.Rollout) { r.To = "" }).want(wire.RolloutDone, 0, "")
}

func TestPause(t *testing.T) {
	f := newFleet(2)
	tr := start(t, f, "1")
	if err := rollout.Resume(&tr.r, "", tr.now); err == nil || err.Error() != "rollout r1 of disk is running; it cannot be resumed" {
		t.Fatal(err)
	}
	f.got(wire.ReceiptHealthy, "", tr.r.Stages[0].Hosts...)
	tr.step(0)
	if err := rollout.Pause(&tr.r, "lunch", tr.now); err != nil {
		t.Fatal(err)
	}
	tr.step(time.Hour)
	tr.want(wire.RolloutPaused, 0, "paused: lunch")
	tr.wantNext(0)
	if err := rollout.Pause(&tr.r, "", tr.now); err == nil {
		t.Fatal("paused twice")
	}
	if err := rollout.Resume(&tr.r, "", tr.now); err != nil {
		t.Fatal(err)
	}
	tr.step(0)
	tr.want(wire.RolloutRunning, 0, "")
	tr.wantNext(10 * time.Second)
	tr.step(10 * time.Second)
	tr.want(wire.RolloutRunning, 1, "")
	// No time runs out while it is paused; what fails rolls back.
	if err := rollout.Pause(&tr.r, "", tr.now); err != nil {
		t.Fatal(err)
	}
	tr.step(time.Hour)
	tr.want(wire.RolloutPaused, 1, "paused")
	host := tr.r.Stages[1].Hosts[0]
	f.got(wire.ReceiptFailed, "no", host)
	tr.step(0)
	tr.want(wire.RolloutRolledBack, 1, "stage 2 of 2: 1 of 2 hosts failed: "+host+": no")
}

func TestAbortAndReplace(t *testing.T) {
	for _, paused := range []bool{false, true} {
		tr := start(t, newFleet(3), "1")
		if paused {
			if err := rollout.Pause(&tr.r, "", tr.now); err != nil {
				t.Fatal(err)
			}
		}
		replaced := clone(t, tr.r)
		if err := rollout.Abort(&tr.r, "ann changed her mind", tr.now); err != nil {
			t.Fatal(err)
		}
		tr.step(time.Minute)
		tr.want(wire.RolloutRolledBack, 0, "aborted: ann changed her mind")
		if err := rollout.Abort(&tr.r, "", tr.now); err == nil || len(tr.holders()) != 0 {
			t.Errorf("%v; %v have it", err, tr.holders())
		}
		if err := rollout.Replace(&replaced, "", tr.now); err != nil || replaced.State != wire.RolloutReplaced || rollout.Has(&replaced, "web-01") {
			t.Errorf("%v: %+v", err, replaced)
		}
		if err := rollout.Replace(&replaced, "", tr.now); err == nil {
			t.Error("replaced twice")
		}
	}
}

// A master that was away for an hour blames no host for it.
func TestRestartOfTheMaster(t *testing.T) {
	f := newFleet(2)
	tr := start(t, f, "100%")
	f.got(wire.ReceiptHealthy, "", "web-01")
	tr.step(time.Second)
	tr.r = clone(t, tr.r)
	back := tr.f
	tr.f = fleet{}
	tr.step(time.Hour)
	tr.want(wire.RolloutRunning, 0, "stage 1 of 1 waits: none of its 2 hosts is there")
	tr.f = back
	tr.step(0)
	tr.wantNext(time.Minute)
	f.got(wire.ReceiptHealthy, "", "web-02")
	tr.step(0)
	tr.step(10 * time.Second)
	tr.want(wire.RolloutDone, 0, "")
}

// clone stores a rollout and reads it again.
func clone(t *testing.T, r wire.Rollout) wire.Rollout {
	t.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var again wire.Rollout
	if err := json.Unmarshal(text, &again); err != nil {
		t.Fatal(err)
	}
	return again
}
