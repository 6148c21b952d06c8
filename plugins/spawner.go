package plugins

import (
	"os/exec"
	"runtime"
	"sync"
)

// spawner starts all child processes from one thread of the operating system,
// which lives as long as the spawner does.
//
// That has two reasons. A child asks the kernel to be killed when its parent dies,
// and "parent" is the thread that made it, but the threads of ordinary goroutines
// come and go. And a child inherits properties of that thread that cannot be set
// for another process, such as the vow never to gain privileges.
type spawner struct {
	confine func() []error  // prepares the thread; may be nil
	refused func(err error) // called once for each thing that confine could not do
	mu      sync.Mutex      // guards what follows
	work    chan spawnOrder // nil until the first start
	gone    chan struct{}   // closed when the thread is gone
	stopped bool
}

type spawnOrder struct {
	cmd    *exec.Cmd
	result chan error
}

// start starts cmd.
func (s *spawner) start(cmd *exec.Cmd) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return ErrClosed
	}
	if s.work == nil {
		s.work, s.gone = make(chan spawnOrder), make(chan struct{})
		go s.run(s.work, s.gone)
	}
	order := spawnOrder{cmd, make(chan error, 1)}
	s.work <- order
	return <-order.result
}

// stop ends the thread. The children must be gone.
func (s *spawner) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	if s.work != nil {
		close(s.work)
		<-s.gone
		s.work = nil
	}
}

func (s *spawner) run(work <-chan spawnOrder, gone chan<- struct{}) {
	defer close(gone)
	// Never unlocked: the thread ends with this goroutine, and its settings affect
	// nothing else.
	runtime.LockOSThread()
	if s.confine != nil {
		for _, err := range s.confine() {
			s.refused(err)
		}
	}
	for order := range work {
		order.result <- order.cmd.Start()
	}
}
