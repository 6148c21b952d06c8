package schedule

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/vedettehq/vedette/inspectors"
)

func TestHostsShareNoInstant(t *testing.T) {
	const hosts = 10_000
	for _, interval := range []time.Duration{time.Second, 10 * time.Second} {
		buckets := make([]int, 100) // of the interval
		for i := range hosts {
			phase := newSplay(fmt.Sprintf("web-%d.example", i)).phase("load/average-1", interval)
			if phase < 0 || phase >= interval {
				t.Fatalf("phase %v is not within the interval %v", phase, interval)
			}
			buckets[int(phase*100/interval)]++
		}
		// 100 are expected in each; five standard deviations are 50.
		for i, n := range buckets {
			if n < 50 || n > 150 {
				t.Errorf("interval %v: %d of %d hosts are due in the hundredth part %d", interval, n, hosts, i)
			}
		}
	}
}

// Whatever runs on a host at whole seconds keeps to one beat, and what is due
// more rarely is spread over the beats of its interval.
func TestInspectorsOfOneHostShareABeat(t *testing.T) {
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	for range 200 {
		s := newSplay(fmt.Sprintf("web-%d", random.Uint64()))
		seconds := 1 + random.Int64N(60)
		slots := make(map[time.Duration]int)
		const inspectors = 6000
		for i := range inspectors {
			phase := s.phase(fmt.Sprintf("inspector-%d", i), time.Duration(seconds)*time.Second)
			if (phase-s.offset)%beat != 0 || phase < 0 || phase >= time.Duration(seconds)*time.Second {
				t.Fatalf("phase %v of %d s is not at a beat, which is at %v", phase, seconds, s.offset)
			}
			slots[phase]++
		}
		for phase, n := range slots {
			if mean := inspectors / int(seconds); n < mean/2 || n > mean*3/2+1 {
				t.Errorf("%d of %d inspectors with %d s are due at %v", n, inspectors, seconds, phase)
			}
		}
		for _, interval := range []time.Duration{100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond} {
			if phase := s.phase("fast", interval); (s.offset-phase)%interval != 0 {
				t.Errorf("what runs each %v misses the beat: phase %v, beat at %v", interval, phase, s.offset)
			}
		}
	}
}

func TestTicksAreOfTheEpoch(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	s := newSplay("web-1")
	for range 10_000 {
		interval := time.Duration(random.Int64N(int64(time.Minute))) + inspectors.MinInterval
		grid := gridOf(interval)
		at := instant(random.Int64()) / 2
		if random.IntN(10) == 0 {
			at = -at // a clock before 1970
		}
		tick := s.after(at, "disk", interval)
		if tick <= at || tick.sub(at) > interval {
			t.Fatalf("the tick after %d is %d, with interval %v", at, tick, interval)
		}
		if past := floorMod(int64(tick)-int64(s.phase("disk", interval)), int64(interval)); past != 0 {
			t.Fatalf("the tick %d is %d ns past the phase", tick, past)
		}
		due := s.align(tick, grid)
		if due < tick || due.sub(tick) >= grid || floorMod(int64(due)-int64(s.offset), int64(grid)) != 0 {
			t.Fatalf("the tick %d is due at %d, which is not the next point of the grid", tick, due)
		}
	}
}

func TestEarlyRunIsWithinItsWindow(t *testing.T) {
	for i := range 1000 {
		s := newSplay(fmt.Sprintf("web-%d", i))
		at := instant(i) * instant(time.Hour) / 7
		for _, window := range []time.Duration{fineGrid, 300 * time.Millisecond, time.Second} {
			if wait := s.early(at, window).sub(at); wait < 0 || wait > window {
				t.Fatalf("the first run comes after %v, not within %v", wait, window)
			}
		}
	}
}
