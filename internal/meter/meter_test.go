package meter

import (
	"context"
	"runtime"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func alone() bool { return true }

// started is a meter that looks at the run of this test, and where it tells of
// what was exceeded.
func started(t *testing.T, limits Limits, alone func() bool) (*Meter, <-chan *Excess) {
	t.Helper()
	cut := make(chan *Excess, 10)
	m := New(limits, alone, func(e *Excess) { cut <- e })
	m.Start()
	t.Cleanup(m.Stop)
	return m, cut
}

func TestProcessorTime(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("not measured on this system")
	}
	m, cut := started(t, Limits{CPU: 30 * time.Millisecond}, alone)
	var before, in time.Duration
	func() {
		defer m.Attach()()
		before = m.Take()
		for in == 0 {
			select {
			case <-cut:
				in = m.Take()
			default:
			}
		}
	}()
	if e := m.Excess(); e == nil || e.What != CPU || e.Used <= e.Allowed || e.Allowed != int64(30*time.Millisecond) {
		t.Errorf("exceeded %+v; want cpu, more than 30ms", e)
	}
	if before+in < 30*time.Millisecond {
		t.Errorf("measured %v and %v; want more than the limit", before, in)
	}
	rest := m.Take()
	spin(time.Millisecond)
	if again := m.Take(); again != 0 {
		t.Errorf("after the end of the run %v were measured, after %v", again, rest)
	}
	if len(cut) != 0 {
		t.Error("cut twice")
	}
}

// spin takes some processor time of this thread.
func spin(d time.Duration) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	clock := ownClock()
	from, _ := clock.read()
	for now := from; now-from < d; now, _ = clock.read() {
	}
}

// What other goroutines take is not the run's.
func TestProcessorTimeOfOthers(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("not measured on this system")
	}
	m, _ := started(t, Limits{}, alone)
	defer m.Attach()()
	done := make(chan struct{})
	go func() {
		defer close(done)
		spin(50 * time.Millisecond)
	}()
	<-done
	if got := m.Take(); got >= 50*time.Millisecond {
		t.Errorf("%v were measured of a run that waited", got)
	}
}

// A goroutine may end without detaching, and its thread with it.
func TestThreadThatEnds(t *testing.T) {
	m, _ := started(t, Limits{CPU: time.Hour}, alone)
	done := make(chan struct{})
	go func() {
		defer close(done)
		m.Attach()
		spin(5 * time.Millisecond)
		m.look()
	}()
	<-done
	if got := m.Take(); runtime.GOOS == "linux" && got < 5*time.Millisecond {
		t.Errorf("%v were measured; want at least 5ms", got)
	}
}

func TestHeap(t *testing.T) {
	runtime.GC() // what earlier tests held
	m, cut := started(t, Limits{Heap: 8 << 20}, alone)
	garbage := 0
	for range 64 {
		garbage += len(make([]byte, 1<<20))
	}
	m.look()
	if e := m.Excess(); e != nil {
		t.Errorf("%d bytes of garbage count as %+v", garbage, e)
	}
	held := make([]byte, 16<<20)
	e := <-cut
	if e.What != Heap || e.Used < 8<<20 || e.Used > 64<<20 {
		t.Errorf("exceeded %+v; want about 16 MiB of heap", e)
	}
	runtime.KeepAlive(held)
}

// Where several runs are under way nobody knows whose growth it is.
func TestHeapOfSeveral(t *testing.T) {
	m, _ := started(t, Limits{Heap: 1 << 20}, func() bool { return false })
	held := make([]byte, 16<<20)
	m.look()
	if e := m.Excess(); e != nil {
		t.Errorf("one of several runs is blamed: %+v", e)
	}
	runtime.KeepAlive(held)
}

func TestOutput(t *testing.T) {
	m, cut := started(t, Limits{Output: 100}, alone)
	if !m.Yield(60) || !m.Yield(40) {
		t.Error("what is within the limit is refused")
	}
	for range 2 {
		if m.Yield(1) {
			t.Error("what is beyond the limit is taken")
		}
	}
	if e := <-cut; *e != (Excess{Output, 101, 100}) {
		t.Errorf("exceeded %+v", e)
	}
}

func TestNil(t *testing.T) {
	m := From(context.Background())
	m.Attach()()
	if m != nil || !m.Yield(1<<40) || m.Take() != 0 || m.Excess() != nil {
		t.Error("a meter that is not there measures")
	}
	if m := New(Limits{}, alone, nil); From(With(context.Background(), m)) != m {
		t.Error("a context does not carry its meter")
	}
}
