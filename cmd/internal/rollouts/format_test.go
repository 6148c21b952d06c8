package rollouts

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/vedettehq/vedette/cmd/internal/cli"
	"github.com/vedettehq/vedette/master/rollout"
	"github.com/vedettehq/vedette/rpc/wire"
)

// The master accepts every plan that the flags accept, because both parse it the same way.
func TestPlanFlagsAreTheMasters(t *testing.T) {
	random := rand.New(rand.NewPCG(2, uint64(time.Now().UnixNano())))
	words := []string{"1", "5", "5", "10%", "2.5%", "100%", "500", "0", "x", "", " 7 ", "101%"}
	for range 5000 {
		parts := make([]string, 1+random.IntN(4))
		for i := range parts {
			parts[i] = words[random.IntN(len(words))]
		}
		text := strings.Join(parts, ",")
		f := PlanFlags{canary: text, Wait: time.Minute, bake: time.Duration(random.IntN(48)) * time.Hour}
		plan, err := f.Plan()
		if err == nil {
			_, err = rollout.New(wire.Rollout{ID: "1", Plan: plan}, nil, time.UnixMilli(1))
		} else if text != "" && plan.Stages == nil && cli.Status(err) != cli.ExitUsage {
			t.Errorf("--canary %q: %v ends with %d", text, err, cli.Status(err))
		}
		if err != nil && cli.Status(err) != cli.ExitUsage {
			t.Errorf("--canary %q is taken here, and refused by the master: %v", text, err)
		}
	}
}

// rolling is a rollout in its second stage of three.
func rolling() wire.Rollout {
	return wire.Rollout{
		ID: "r1", Inspector: "disk", Action: "push", From: "0000000011", To: "1111111122", State: wire.RolloutRunning, Stage: 1,
		Plan: wire.Plan{Stages: []wire.Stage{{Hosts: 1}, {Percent: 50}}, BakeMS: 10_000},
		Stages: []wire.RolloutStage{
			{Count: 1, Hosts: []string{"a"}, StartedMS: 1, HealthyMS: 2, DoneMS: 3, Summary: wire.ReceiptSummary{Hosts: 1, Healthy: 1}},
			{Percent: 50, Hosts: []string{"b", "c"}, StartedMS: 3, Summary: wire.ReceiptSummary{Hosts: 2, Pending: 2}},
			{Percent: 100, Hosts: []string{"d"}},
		},
	}
}

// Receipts that are newer than the rollout's event count; those of another revision do not.
func TestProgressLines(t *testing.T) {
	r := rolling()
	var out bytes.Buffer
	p := newProgress(&out, false)
	show := func(receipts map[string]wire.HostReceipt) {
		t.Helper()
		if err := p.show(r, receipts, time.UnixMilli(0)); err != nil {
			t.Fatal(err)
		}
	}
	receipt := func(revision, state string) wire.HostReceipt {
		return wire.HostReceipt{Receipt: wire.Receipt{Revision: revision, State: state}}
	}
	show(nil)
	show(nil)
	show(map[string]wire.HostReceipt{"b": receipt(r.From, wire.ReceiptHealthy)})
	show(map[string]wire.HostReceipt{"b": receipt(r.To, wire.ReceiptHealthy)})
	show(map[string]wire.HostReceipt{"b": receipt(r.To, wire.ReceiptHealthy), "c": receipt(r.To, wire.ReceiptFailed)})
	r.State = wire.RolloutPaused
	show(nil)
	r.State = wire.RolloutRolledBack
	r.Stages[1].Summary = wire.ReceiptSummary{Hosts: 2, Healthy: 1, Failed: 1}
	show(nil)
	want := `stage 1 of 3 (1 host) done: 1 of 1 healthy
stage 2 of 3 (50 %) goes on: 0 of 2 healthy
stage 2 of 3 (50 %) goes on: 1 of 2 healthy
stage 2 of 3 (50 %) goes on: 1 of 2 healthy, 1 failed
stage 2 of 3 (50 %) paused: 0 of 2 healthy
paused; go on with: vedette rollout resume r1
stage 2 of 3 (50 %) rolled back: 1 of 2 healthy, 1 failed
`
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", out.String(), want)
	}
}

// Lines on a terminal are replaced and never wrap.
func TestProgressBars(t *testing.T) {
	r := rolling()
	r.Stages[1].HealthyMS, r.Stages[1].Summary = 1000, wire.ReceiptSummary{Hosts: 2, Healthy: 1, Refused: 1}
	r.Inspector = "di\x1b[2Jsk"
	got := strings.Join(progressBars(r, nil, time.UnixMilli(5000)), "\n")
	want := `di?[2Jsk  00000000 → 11111111  running
  1 host    [########################] 1 of 1 healthy  done
  50 %      [############------------] 1 of 2 healthy, 1 refused  bakes 6s
  100 %     [------------------------] 0 of 0 healthy  waits`
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	r.State = wire.RolloutRolledBack
	if got := strings.Join(progressBars(r, nil, time.UnixMilli(5000)), "\n"); !strings.HasSuffix(got, "0 of 0 healthy  not reached") {
		t.Errorf("of a stage that was not reached is said:\n%s", got)
	}
}

func TestOutcome(t *testing.T) {
	rollout := func(state string) *wire.Rollout { return &wire.Rollout{State: state} }
	for _, tt := range []struct {
		rollout *wire.Rollout
		summary wire.ReceiptSummary
		want    string
		status  int
	}{
		{rollout(wire.RolloutDone), wire.ReceiptSummary{Hosts: 2, Healthy: 1, Pending: 1}, outcomeHealthy, cli.ExitOK},
		{nil, wire.ReceiptSummary{Hosts: 1, Healthy: 1}, outcomeHealthy, cli.ExitOK},
		{rollout(wire.RolloutDone), wire.ReceiptSummary{Hosts: 2, Healthy: 1, Refused: 1}, outcomeUnwell, cli.ExitRollout},
		{nil, wire.ReceiptSummary{Hosts: 1, Failed: 1}, outcomeUnwell, cli.ExitRollout},
		{rollout(wire.RolloutRolledBack), wire.ReceiptSummary{Hosts: 1, Healthy: 1}, outcomeRolledBack, cli.ExitRollout},
		{rollout(wire.RolloutReplaced), wire.ReceiptSummary{}, outcomeReplaced, cli.ExitRollout},
		{rollout(wire.RolloutRunning), wire.ReceiptSummary{}, outcomeWaiting, cli.ExitWaiting},
		{rollout(wire.RolloutPaused), wire.ReceiptSummary{}, outcomeWaiting, cli.ExitWaiting},
	} {
		got := outcomeOf(tt.rollout, wire.ReceiptsResult{Summary: tt.summary})
		if got != tt.want || outcomeStatus(got) != tt.status {
			t.Errorf("%+v %+v: got %s, %d", tt.rollout, tt.summary, got, outcomeStatus(got))
		}
	}
}

// The reason of a host is told once: in the list of hosts.
func TestReasonsAreToldOnce(t *testing.T) {
	failure := wire.HostReceipt{Host: "db-7", Receipt: wire.Receipt{State: wire.ReceiptFailed, Revision: "abcdefabcdef", Reason: "no device"}}
	r := wire.Rollout{State: wire.RolloutRolledBack, Inspector: "disk", To: "abcdefabcdef", Failures: []wire.HostReceipt{failure}}
	for reason, want := range map[string]string{
		"stage 1 of 2: 1 of 2 hosts failed: db-7: no device": "stage 1 of 2: 1 of 2 hosts failed",
		"somebody aborted it":                                "somebody aborted it",
	} {
		r.Reason = reason
		var outcome, shown strings.Builder
		if err := errors.Join(printOutcome(&outcome, "disk", &r, wire.ReceiptsResult{}), printRollout(&shown, r, time.UnixMilli(0))); err != nil {
			t.Fatal(err)
		}
		for _, got := range []string{outcome.String(), shown.String()} {
			if strings.Count(got, "no device") != 1 || !strings.Contains(got, want+"\n") {
				t.Errorf("got:\n%s", got)
			}
		}
	}
}

// The outcome says what a rollout went back to, even if there was nothing before it.
func TestOutcomeOfTheFirstPush(t *testing.T) {
	for from, want := range map[string]string{"": "taken off its hosts again: no", "0123456789": "rolled back to 01234567: no"} {
		var out strings.Builder
		r := &wire.Rollout{State: wire.RolloutRolledBack, From: from, To: "abcdefabcdef", Reason: "no"}
		if err := printOutcome(&out, "disk", r, wire.ReceiptsResult{}); err != nil {
			t.Fatal(err)
		}
		if got := out.String(); got != "disk abcdefab was "+want+"\n" {
			t.Errorf("got %q", got)
		}
	}
}
