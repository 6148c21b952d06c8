package meter

import (
	"os/exec"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// crowd has the calling goroutine's thread share one processor with many others
// that never rest, and returns a function that sends them away. The thread is for nothing
// else afterwards.
func crowd(t *testing.T) (leave func()) {
	runtime.LockOSThread()
	var all, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &all); err != nil {
		t.Error(err)
	}
	for cpu := 0; one.Count() == 0; cpu++ {
		if all.IsSet(cpu) {
			one.Set(cpu)
		}
	}
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		t.Error(err)
	}
	var crowd []*exec.Cmd
	for range 12 {
		cmd := exec.Command("sh", "-c", "while :; do :; done") // on the same processor: it is inherited
		if err := cmd.Start(); err != nil {
			t.Error(err)
			break
		}
		crowd = append(crowd, cmd)
	}
	return func() {
		for _, cmd := range crowd {
			_ = cmd.Process.Kill()
			_ = cmd.Wait() // it was killed
		}
	}
}

// A thread among many that want its processor is starved, however short each wait is. One
// that wants nothing is not, however busy the processor.
func TestStarvedAmongMany(t *testing.T) {
	if _, ok := ownID().queued(); !ok {
		t.Skip("this kernel does not count how long threads wait")
	}
	done := make(chan struct{})
	go func() { // its thread ends with it
		defer close(done)
		defer crowd(t)()
		m, _ := started(t, Limits{}, alone)
		detach := m.Attach()
		idle := time.NewTimer(time.Second)
		from := time.Now()
		<-idle.C
		m.mu.Lock()
		queued := m.queuedLocked()
		m.mu.Unlock()
		if took := time.Since(from); queued > took/2 {
			t.Errorf("of the %v in which it wanted nothing it is said to have waited %v", took, queued)
		}
		detach()

		m, _ = started(t, Limits{}, alone)
		detach = m.Attach()
		from = time.Now()
		spin(50 * time.Millisecond)
		starved, took := m.Starved(), time.Since(from)
		detach()
		if starved < took/2 || starved > took {
			t.Errorf("of %v it was starved for %v; it had about 50ms", took, starved)
		}
		if left := m.Starved(); left < starved {
			t.Errorf("it was starved for %v, and when it had ended for %v", starved, left)
		}
	}()
	<-done
}
