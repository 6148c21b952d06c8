package ingest

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vedettehq/vedette/master/history"
	"github.com/vedettehq/vedette/rpc/wire"
)

// Random values and ends of series are seen by PromQL as Prometheus defines it: the value
// at a time is that of the newest sample of the last five minutes, unless the series has
// ended since. The history has a gap.
func TestEndsOfSeries(t *testing.T) {
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	f := newFixtureOf(t, history.Options{})
	f.base = time.Now().Add(-40 * time.Minute).UnixMilli()
	session := f.ingest.NewSession(f.agent, 0)
	type step struct {
		at   int64
		v    float64
		ends bool
	}
	var steps []step
	at, values := int64(0), 0
	for seq := range uint64(60) {
		at += 1000 + r.Int64N(50_000)
		s := step{at: at, v: float64(seq), ends: r.IntN(3) == 0}
		if seq%10 == 9 {
			at += (7 * time.Minute).Milliseconds() / 10
		}
		p := f.report(seq+1, nil, nil, nil, nil)
		p.Columns = wire.Columns{T: []int64{}, S: []uint32{}, V: []float64{}}
		if seq == 0 {
			p.Series = []wire.Series{{ID: 1, Key: "x"}}
			s.ends = false
		}
		if s.ends {
			p.Ends = &wire.Ends{T: []int64{f.base + s.at}, S: []uint32{1}}
		} else {
			p.T, p.S, p.V = []int64{f.base + s.at}, []uint32{1}, []float64{s.v}
			values++
		}
		if result, err := session.Report(t.Context(), p); err != nil || result.Refused > 0 {
			t.Fatalf("seed %d: %+v, %v", seed, result, err)
		}
		steps = append(steps, s)
	}
	for range 300 {
		when := r.Int64N(at + 400_000)
		var want *step
		for i := range steps {
			if s := &steps[i]; s.at <= when && s.at > when-history.Lookback.Milliseconds() {
				want = s
			}
		}
		got, err := f.store.Rules().Query(t.Context(), "x", time.UnixMilli(f.base+when))
		switch {
		case err != nil:
			t.Fatal(err)
		case (want == nil || want.ends) != (len(got) == 0):
			t.Fatalf("seed %d: at %d there is %v, want %+v of %+v", seed, when, got, want, steps)
		case len(got) > 0 && got[0].F != want.v:
			t.Fatalf("seed %d: at %d there is %v, want %v of %+v", seed, when, got[0].F, want.v, steps)
		}
	}
	if got := strings.Count(f.kept(t), "@"); got != values {
		t.Errorf("seed %d: the history shows %d values, want %d", seed, got, values)
	}
	if got := f.published(); strings.Contains(got, "NaN") {
		t.Errorf("ends are shown as %s", got)
	}
}

// Ends that make no sense are refused, as samples are.
func TestEndsAreChecked(t *testing.T) {
	f := newFixture(t)
	session := f.ingest.NewSession(f.agent, 0)
	one := f.report(1, []wire.Series{{ID: 1, Key: "x"}}, []int64{1000}, []uint32{1}, []float64{1})
	far := time.Now().Add(time.Hour).UnixMilli()
	one.Ends = &wire.Ends{T: []int64{f.base + 2000, far, -1, f.base + 3000}, S: []uint32{1, 1, 1, 9}}
	result, err := session.Report(t.Context(), one)
	if err != nil || result.Refused != 3 || !strings.HasPrefix(result.Reason, "end 1: time ") {
		t.Errorf("got %+v, %v", result, err)
	}
	for want, ends := range map[string]*wire.Ends{
		"the columns t and s of ends hold 1 and 0 values": {T: []int64{1}},
		"samples and ends in one report":                  {T: slices.Repeat([]int64{1}, MaxReportSamples), S: make([]uint32, MaxReportSamples)},
	} {
		p := f.report(2, nil, []int64{1000}, []uint32{1}, []float64{1})
		p.Ends = ends
		if _, err := session.Report(t.Context(), p); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	early := f.report(3, nil, nil, nil, nil)
	early.Ends, early.NowMS = &wire.Ends{T: []int64{far}, S: []uint32{1}}, far
	if _, err := session.Report(t.Context(), early); err == nil || !strings.Contains(err.Error(), "ahead of the master's clock") {
		t.Errorf("an end that is ahead of time yields %v", err)
	}
}
