package agent

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

func TestInspectorsOfOneHostAreSpread(t *testing.T) {
	s := newSplay("web-1")
	slots := make(map[time.Duration]int)
	for i := range 1000 {
		phase := s.phase(fmt.Sprintf("inspector-%d", i), time.Second)
		if (phase-s.offset)%coarseGrid != 0 {
			t.Fatalf("phase %v is not on the grid of %v + n × %v", phase, s.offset, coarseGrid)
		}
		slots[phase]++
	}
	for phase, n := range slots {
		if n < 150 || n > 350 {
			t.Errorf("%d of 1000 inspectors are due at %v", n, phase)
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
			if wait := s.early(at, "disk", window).sub(at); wait < 0 || wait > window {
				t.Fatalf("the first run comes after %v, not within %v", wait, window)
			}
		}
	}
}
