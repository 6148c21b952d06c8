package ingest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/vedettehq/vedette/rpc/wire"
)

// told is a report whose agent tells its clock, which is ahead by so much; its one
// sample is of about now, by that clock: no two are of one millisecond.
func (f *fixture) told(seq uint64, ahead time.Duration) *wire.ReportParams {
	r := f.report(seq, []wire.Series{{ID: uint32(seq), Key: "a/b"}}, nil, nil, nil)
	r.NowMS = time.Now().Add(ahead).UnixMilli()
	r.T, r.S, r.V = []int64{r.NowMS + int64(seq)}, []uint32{uint32(seq)}, []float64{float64(seq)}
	return r
}

// The clock of a host is set ahead while its agent is connected: what it measures
// is shown, given back to it, and the reason is on the host; set right, its
// samples are kept again.
func TestClockThatIsSetAhead(t *testing.T) {
	f := newFixture(t)
	session := f.ingest.NewSession(f.agent, 0)
	report := func(seq uint64, ahead time.Duration) error {
		result, err := session.Report(t.Context(), f.told(seq, ahead))
		if err == nil && result.Refused > 0 {
			t.Errorf("report %d: %+v", seq, result)
		}
		return err
	}
	if err := report(1, 0); err != nil {
		t.Fatal(err)
	}
	var early *EarlyError
	if err := report(2, time.Hour); !errors.As(err, &early) || early.After > 51*time.Minute || early.After <= 0 {
		t.Fatalf("got %v (%+v), want an EarlyError of about 50 minutes", err, early)
	}
	if h, _ := f.registry.Get("web-1"); h.SkewMS < 3_500_000 || !strings.Contains(h.NotKept, "its clock is 1h0m0s ahead of the master's") {
		t.Errorf("the host has a skew of %d ms and %q", h.SkewMS, h.NotKept)
	}
	if got := f.agent.Reports.Acked(); got != 1 {
		t.Errorf("report %d is acknowledged, want 1", got)
	}
	if got := strings.Count(f.published(), "a/b@"); got != 2 {
		t.Errorf("%d samples were shown, want both", got)
	}
	if err := report(3, 0); err != nil {
		t.Fatal(err)
	}
	if h, _ := f.registry.Get("web-1"); h.NotKept != "" || h.SkewMS > 60_000 {
		t.Errorf("the clock is right again, and the host has a skew of %d ms and %q", h.SkewMS, h.NotKept)
	}
	if got := f.kept(t); strings.Count(got, "@") != 2 || !strings.Contains(got, "=1 ") || !strings.Contains(got, "=3") {
		t.Errorf("the history has %s, want reports 1 and 3", got)
	}
	// Declarations in a report that came early hold.
	r := f.report(4, nil, []int64{7}, []uint32{2}, []float64{4})
	if result, err := session.Report(t.Context(), r); err != nil || result.Refused != 0 {
		t.Errorf("got %+v, %v", result, err)
	}
}

// However a clock jumps: a report is taken, or is told when its time comes; none is
// acknowledged and lost, but where it is too old.
func TestJumpingClocks(t *testing.T) {
	random := rand.New(rand.NewPCG(rand.Uint64(), 0))
	f := newFixture(t)
	session := f.ingest.NewSession(f.agent, 0)
	for seq := uint64(1); seq < 200; seq++ {
		ahead := time.Duration(random.NormFloat64() * float64(10*time.Hour)).Round(time.Second)
		if random.IntN(3) == 0 {
			ahead = time.Duration(random.IntN(120)-60) * time.Second
		}
		result, err := session.Report(t.Context(), f.told(seq, ahead))
		h, _ := f.registry.Get("web-1")
		what := fmt.Sprintf("a clock %s ahead gives %+v, %v and %q", ahead, result, err, h.NotKept)
		switch {
		case ahead > MaxFuture+time.Minute:
			if !errors.As(err, new(*EarlyError)) || h.NotKept == "" {
				t.Error(what)
			}
		case ahead > MaxFuture-time.Minute:
		case ahead < -25*time.Hour:
			if result.Refused != 1 || h.NotKept == "" {
				t.Error(what)
			}
		case ahead > -23*time.Hour:
			if err != nil || result.Refused != 0 || h.NotKept != "" {
				t.Error(what)
			}
		}
	}
}
