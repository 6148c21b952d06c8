package inspectors

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

func TestCountersHold(t *testing.T) {
	var c Counters
	for i, step := range []struct{ value, want float64 }{
		{17_247.63, 17_247.63},
		{17_247.54, 17_247.63}, // back by 0.09
		{17_247.60, 17_247.63},
		{17_247.64, 17_247.64}, // has passed the last value
		{0.5, 0.5},             // restarted
		{0.25, 0.5},
		{0.75, 0.75},
	} {
		r := NewReport("cpu", time.Now())
		r.Counter("seconds_total", step.value, "mode", "iowait")
		r.Counter("seconds_total", 1, "mode", "user")
		r.Gauge("level", step.value)
		c.Hold(r)
		if got := r.Samples()[0].Value; got != step.want {
			t.Errorf("step %d: the counter is %v, want %v", i, got, step.want)
		}
		if got := r.Samples()[2].Value; got != step.value {
			t.Errorf("step %d: the gauge is %v, want %v", i, got, step.value)
		}
	}
}

// Counters that grow, step back a little and restart at random, some of which are missing
// for a while: the output never falls except for a restart, is never below the input, and
// equals the input once that is the largest.
func TestCountersAtRandom(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	type state struct{ in, peak, out float64 }
	series := make([]state, 30)
	var c Counters
	for run := range 3000 {
		r := NewReport("x", time.Now())
		var of []int
		restarted := make(map[int]bool)
		for i := range series {
			s := &series[i]
			switch n := random.IntN(100); {
			case n < 70:
				s.in += random.Float64() * 100
			case n < 90:
				s.in -= s.in * random.Float64() * 0.2
			case n < 91:
				restarted[i] = s.in > 0
				s.in, s.peak = s.in*0.1, 0
			}
			s.in = max(s.in, s.peak*0.6) // no step back looks like a restart
			if s.peak = max(s.peak, s.in); restarted[i] || random.IntN(10) > 0 {
				r.Counter(fmt.Sprintf("c%d_total", i), s.in)
				of = append(of, i)
			}
		}
		c.Hold(r)
		for k, i := range of {
			s, got := &series[i], r.Samples()[k].Value
			if restarted[i] {
				s.peak = s.in
			}
			if got < s.in || got < s.out && !restarted[i] || got > s.peak {
				t.Fatalf("seed %d, run %d: %v came in, %v before, and %v comes out", seed, run, s.in, s.out, got)
			}
			s.out = got
		}
	}
	if n := len(c.now) + len(c.before); n != len(series) {
		t.Errorf("%d counters are remembered, want %d", n, len(series))
	}
}

// A great many series that come and go do not exceed the bound on memory.
func TestCountersAreBounded(t *testing.T) {
	var c Counters
	for run := range 10 {
		r := NewReport("x", time.Now())
		for i := range MaxSamples {
			r.Counter(fmt.Sprintf("c%d_%d_total", run, i), 1)
		}
		c.Hold(r)
		if n := len(c.now) + len(c.before); n > maxHeldCounters {
			t.Fatalf("%d counters are remembered after run %d", n, run)
		}
	}
}
