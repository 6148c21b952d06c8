package plugins

import (
	"math/rand/v2"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// Script hosts are as nice as the agent where that is nicer than they have to be, and
// nothing is wrong with that.
func TestScriptHostsAreNoLessNiceThanTheAgent(t *testing.T) {
	for range 20 {
		agent, limit := niceNow()+rand.IntN(20-niceNow()), 1+rand.IntN(19)
		done := make(chan struct{})
		go func() {
			defer close(done)
			runtime.LockOSThread() // and never unlocked: the thread ends
			if err := unix.Setpriority(unix.PRIO_PROCESS, 0, agent); err != nil {
				t.Error(err)
				return
			}
			if faults := confineThread(Limits{Nice: limit}); len(faults) > 0 {
				t.Errorf("an agent of nice %d with a limit of nice %d: %v", agent, limit, faults)
			}
			if got := niceNow(); got != max(agent, limit) {
				t.Errorf("an agent of nice %d with a limit of nice %d has children of nice %d", agent, limit, got)
			}
		}()
		<-done
	}
}
