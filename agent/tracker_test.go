package agent

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/vedettehq/vedette/agent/assignment"
	"github.com/vedettehq/vedette/agent/internal/agenttest"
	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/plugins"
	"github.com/vedettehq/vedette/rpc/wire"
)

// follow is a tracker of one inspector, and its log.
func follow(t *testing.T) (*tracker, inspectors.Definition, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	track := newTracker(slog.New(slog.NewTextHandler(&log, nil)), assignment.NewReceipts())
	d := agenttest.Script("disk", "", time.Second)
	track.Expect(d)
	track.Loaded(d)
	return track, d, &log
}

func TestOutcomesBecomeStatesAndCounts(t *testing.T) {
	boom := errors.New("boom")
	steps := []struct {
		err  error
		want wire.InspectorStatus
	}{
		{nil, wire.InspectorStatus{State: "ok", Runs: 1}},
		{boom, wire.InspectorStatus{State: "failing", Error: "boom", Runs: 2, Failures: 1}},
		{fmt.Errorf("%w after 800ms", plugins.ErrTimeout), wire.InspectorStatus{State: "failing", Error: "timed out after 800ms", Runs: 3, Failures: 2, Timeouts: 1}},
		{nil, wire.InspectorStatus{State: "ok", Runs: 4, Failures: 2, Timeouts: 1}},
		{
			fmt.Errorf("it %w: panic: x", plugins.ErrCrashed),
			wire.InspectorStatus{State: "failing", Error: "it crashed its process: panic: x", Runs: 5, Failures: 3, Timeouts: 1, Crashes: 1},
		},
		{nil, wire.InspectorStatus{State: "ok", Runs: 6, Failures: 3, Timeouts: 1, Crashes: 1}},
		// Once is a tick that was missed because of another.
		{plugins.ErrUnavailable, wire.InspectorStatus{State: "ok", Runs: 6, Failures: 3, Timeouts: 1, Crashes: 1, Missed: 1}},
		{nil, wire.InspectorStatus{State: "ok", Runs: 7, Failures: 3, Timeouts: 1, Crashes: 1, Missed: 1}},
		{plugins.ErrUnavailable, wire.InspectorStatus{State: "ok", Runs: 7, Failures: 3, Timeouts: 1, Crashes: 1, Missed: 2}},
		{plugins.ErrUnavailable, wire.InspectorStatus{State: "failing", Error: "process not available", Runs: 7, Failures: 3, Timeouts: 1, Crashes: 1, Missed: 3}},
		{plugins.ErrQuarantined, wire.InspectorStatus{State: "quarantined", Error: "quarantined", Runs: 7, Failures: 3, Timeouts: 1, Crashes: 1, Missed: 3}},
	}
	track, d, _ := follow(t)
	for i, step := range steps {
		track.ran(d.Revision(), plugins.Outcome{Name: "disk", Start: time.Now(), Err: step.err})
		got := track.statuses()[0]
		if got.SinceMS == 0 {
			t.Error("no time at which the state began")
		}
		step.want.Name, step.want.Kind, step.want.Revision, step.want.IntervalMS = "disk", "script", d.Revision(), 1000
		if got.SinceMS = 0; got != step.want {
			t.Errorf("step %d:\n got %+v\nwant %+v", i, got, step.want)
		}
	}
}

func TestEachRunYieldsItsOwnSamples(t *testing.T) {
	track, d, _ := follow(t)
	at := time.UnixMilli(1_700_000_000_123)
	track.missed("disk", 2)
	tests := []struct {
		err  error
		want string
	}{
		{nil, "success=1 missed=2 cpu=0.5 runs/ok=1 duration=0.25"},
		{nil, "success=1 missed=2 cpu=1 runs/ok=2 duration=0.25"},
		{errors.New("boom"), "success=0 missed=2 cpu=1.5 runs/ok=2 runs/error=1 duration=0.25"},
		{plugins.ErrTimeout, "success=0 missed=2 cpu=2 runs/ok=2 runs/error=1 runs/timeout=1 duration=0.25"},
		{plugins.ErrBudget, "success=0 missed=2 cpu=2.5 runs/ok=2 runs/error=1 runs/timeout=1 runs/budget=1 duration=0.25"},
		{plugins.ErrCrashed, "success=0 missed=2 cpu=3 runs/ok=2 runs/error=1 runs/timeout=1 runs/budget=1 runs/crash=1 duration=0.25"},
		{plugins.ErrUnavailable, "success=0 missed=3 cpu=3.5 runs/ok=2 runs/error=1 runs/timeout=1 runs/budget=1 runs/crash=1"},
		{plugins.ErrQuarantined, "success=0 missed=3 cpu=4 runs/ok=2 runs/error=1 runs/timeout=1 runs/budget=1 runs/crash=1"},
	}
	for _, test := range tests {
		var got []string
		for _, s := range track.ran(d.Revision(), plugins.Outcome{
			Name: "disk", Start: at.Add(400 * time.Microsecond), Duration: 250 * time.Millisecond,
			CPU: 500 * time.Millisecond, Err: test.err,
		}) {
			if !s.Time.Equal(at) || s.Labels.Get("inspector") != "disk" {
				t.Errorf("sample %+v", s)
			}
			if err := errors.Join(inspectors.ValidateKey(s.Key), s.Labels.Validate()); err != nil {
				t.Error(err)
			}
			name := strings.TrimSuffix(strings.TrimSuffix(strings.TrimPrefix(s.Key, "vedette/inspector_"), "_total"), "_seconds")
			if outcome := s.Labels.Get("outcome"); outcome != "" {
				name += "/" + outcome
			}
			got = append(got, fmt.Sprintf("%s=%v", name, s.Value))
		}
		if s := strings.Join(got, " "); s != test.want {
			t.Errorf("%v: %s, want %s", test.err, s, test.want)
		}
	}
}

func TestOnlyChangesOfStateAreLogged(t *testing.T) {
	track, d, log := follow(t)
	for range 100 {
		for _, err := range []error{nil, nil, errors.New("boom"), errors.New("boom again")} {
			track.ran(d.Revision(), plugins.Outcome{Name: "disk", Err: err})
		}
		if track.records["disk"].Runs == 4 {
			want := `level=WARN msg="inspector is failing" inspector=disk reason=boom`
			if lines := strings.Count(log.String(), "\n"); lines != 1 || !strings.Contains(log.String(), want) {
				t.Errorf("the log is\n%s\nwant one line: %s", log, want)
			}
		}
	}
	if lines := strings.Count(log.String(), "\n"); lines > 20 {
		t.Errorf("%d lines were logged of an inspector that is good and bad in turn", lines)
	}
}

func TestTakeGivesWhatChanged(t *testing.T) {
	track, d, _ := follow(t)
	other := agenttest.Script("other", "", time.Second)
	track.Expect(other)
	if p := track.take(true); !p.All || len(p.Inspectors) != 2 || len(p.Removed) != 0 {
		t.Errorf("all: %+v", p)
	}
	if p := track.take(false); len(p.Inspectors) != 0 || track.pending() != settled {
		t.Errorf("nothing changed: %+v", p)
	}
	levels := []struct {
		change func()
		want   urgency
	}{
		{func() { track.ran(d.Revision(), plugins.Outcome{Name: "disk"}) }, atOnce}, // starting → ok
		{func() { track.ran(d.Revision(), plugins.Outcome{Name: "disk"}) }, routine},
		{func() { track.missed("disk", 1) }, soon},
		{func() { track.ran(d.Revision(), plugins.Outcome{Name: "disk", Err: errors.New("a")}) }, atOnce},
		{func() { track.ran(d.Revision(), plugins.Outcome{Name: "disk", Err: errors.New("b")}) }, soon},
	}
	for i, level := range levels {
		level.change()
		if got := track.pending(); got != level.want {
			t.Errorf("change %d is of urgency %d, want %d", i, got, level.want)
		}
		if p := track.take(false); p.All || len(p.Inspectors) != 1 || p.Inspectors[0].Name != "disk" {
			t.Errorf("change %d: %+v", i, p)
		}
	}
	track.Remove("other")
	if p := track.take(false); len(p.Inspectors) != 0 || len(p.Removed) != 1 || p.Removed[0] != "other" {
		t.Errorf("removed: %+v", p)
	}
}
