package admit

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/metrics"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// lookEvery is how often memory is checked during evaluations.
const lookEvery = 20 * time.Millisecond

// Memory ends evaluations when together they take more than a bound. It does not count the
// bytes of each: it looks at how much the heap of the whole process has grown since none
// of them ran, and then ends all of them. Ordinary queries never get there, and the one
// that asked for the last megabyte need not be the one that took the first.
type Memory struct {
	bound uint64
	ended atomic.Uint64

	mu      sync.Mutex // guards all below
	running map[uint64]context.CancelCauseFunc
	lastID  uint64
	before  uint64 // the live heap when no evaluation ran
	clean   uint64 // the live heap at a collection that met no evaluation, or 0
	stop    chan struct{}
}

// ErrMemory is wrapped by the cause of a context that a Memory has ended.
var ErrMemory = errors.New("queries take too much memory")

// NewMemory makes a Memory for so many bytes.
func NewMemory(bytes int64) *Memory {
	return &Memory{bound: uint64(bytes), running: make(map[uint64]context.CancelCauseFunc)}
}

// Watch returns a context that ends with ctx or when memory runs out. done must be called
// when the evaluation is over and its memory is free.
func (m *Memory) Watch(ctx context.Context) (watched context.Context, done func()) {
	watched, cancel := context.WithCancelCause(ctx)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lastID++
	id := m.lastID
	m.running[id] = cancel
	if len(m.running) == 1 {
		m.before = m.baseLocked()
		m.stop = make(chan struct{})
		go m.look(m.stop)
	}
	return watched, func() {
		cancel(nil)
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.running, id)
		if len(m.running) == 0 {
			close(m.stop)
		}
	}
}

// baseLocked returns the live heap without the remains of earlier evaluations. The live
// heap of the last collection may include those. If it is far above that of the last clean
// collection, baseLocked collects again.
func (m *Memory) baseLocked() uint64 {
	live, _ := heap()
	if live > m.clean+m.bound/8 {
		runtime.GC()
		m.clean, _ = heap()
		live = m.clean
	}
	m.clean = min(m.clean, live)
	return live
}

// look ends the evaluations when they take too much. It returns when none runs.
func (m *Memory) look(stop <-chan struct{}) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	var ended []uint64
	for {
		select {
		case <-stop:
			return
		case <-ticker.C:
		}
		switch {
		case len(ended) > 0 && m.anyOf(ended):
			// Their memory is not free yet.
		case len(ended) > 0:
			ended = nil
			runtime.GC() // or the next ones would be blamed for their remains
			m.takeBase()
		default:
			if live, all := heap(); m.exceeded(live, all) {
				ended = m.end()
			}
		}
	}
}

// exceeded reports whether the heap has grown beyond the bound: the live heap of the
// last collection, or the whole heap, because a collection waits until that has
// doubled.
func (m *Memory) exceeded(live, all uint64) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	limit := m.before + m.bound
	return live > limit || all > 2*limit
}

// end ends all evaluations and returns their numbers.
func (m *Memory) end() (ended []uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, cancel := range m.running {
		cancel(fmt.Errorf("%w: those that run now need more than %d MiB together; ask for less, or for one after the other", ErrMemory, m.bound>>20))
		ended = append(ended, id)
	}
	m.ended.Add(uint64(len(ended)))
	return ended
}

// anyOf reports whether one of the evaluations still runs.
func (m *Memory) anyOf(ids []uint64) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.ContainsFunc(ids, func(id uint64) bool { return m.running[id] != nil })
}

// takeBase takes the present heap for the part that is needed without evaluations,
// because the master may have grown since they began.
func (m *Memory) takeBase() {
	live, _ := heap()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.before, m.clean = live, live
}

// Ended returns how many evaluations were ended.
func (m *Memory) Ended() uint64 { return m.ended.Load() }

// heap returns the bytes that were live at the last collection, and those that
// are allocated now.
func heap() (live, all uint64) {
	samples := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(samples)
	return samples[0].Value.Uint64(), samples[1].Value.Uint64()
}
