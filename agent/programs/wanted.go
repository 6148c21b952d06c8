package programs

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/vedettehq/vedette/rpc/wire"
)

// Source fetches the programs of pushed plugins.
type Source interface {
	// Fetch returns the file of a program whose size and checksum were verified.
	// One that is there already is not fetched again. It may be called for several
	// programs at once, but never for one program twice at once, and returns soon
	// after ctx ends. After an error it is called again, less and less often,
	// while the program is wanted.
	Fetch(ctx context.Context, a wire.Artefact) (path string, err error)
}

// Pruner is a role that a Source may have.
type Pruner interface {
	// Prune removes the programs whose hex SHA-256 is not among these.
	Prune(sums map[string]bool) error
}

// Bounds of the wait before the next attempt to fetch a program.
const (
	minRetry = time.Second
	maxRetry = 30 * time.Second
)

// errNoFetcher is why an agent without a source of programs runs no pushed plugin.
var errNoFetcher = errors.New("this agent cannot fetch programs")

// ErrFetching says that a program is on its way.
var ErrFetching = errors.New("its program is being fetched")

// Wanted fetches the wanted programs in the background, so that a slow one delays
// nothing else.
type Wanted struct {
	from Source // or nil
	tell func() // called after each attempt

	jobs sync.WaitGroup

	mu     sync.Mutex
	wanted map[wire.Artefact]*fetch
}

// fetch is one program. Its mu guards path and err.
type fetch struct {
	stop context.CancelFunc
	path string // when the program is there
	err  error  // of the last attempt; ErrFetching before that
}

// NewWanted makes an empty set. If from is nil, nothing is fetched. tell is called
// after each attempt.
func NewWanted(from Source, tell func()) *Wanted {
	return &Wanted{from: from, tell: tell, wanted: make(map[wire.Artefact]*fetch)}
}

// Get returns the file of a program, or why there is none yet: ErrFetching before
// the first attempt has ended. The program is fetched until life ends or Only no
// longer names it.
func (f *Wanted) Get(life context.Context, a wire.Artefact) (string, error) {
	if f.from == nil {
		return "", errNoFetcher
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if w := f.wanted[a]; w != nil {
		return w.path, w.err
	}
	ctx, stop := context.WithCancel(life)
	w := &fetch{stop: stop, err: ErrFetching}
	f.wanted[a] = w
	f.jobs.Go(func() {
		defer stop()
		f.run(ctx, a, w)
	})
	return "", ErrFetching
}

// Wait returns when nothing is being fetched any more. Call it after the life of
// each Get has ended.
func (f *Wanted) Wait() { f.jobs.Wait() }

// Sums returns the checksums of all wanted programs.
func (f *Wanted) Sums() map[string]bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	sums := make(map[string]bool, len(f.wanted))
	for a := range f.wanted {
		sums[a.SHA256] = true
	}
	return sums
}

// Only forgets all other programs.
func (f *Wanted) Only(these map[wire.Artefact]bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for a, w := range f.wanted {
		if !these[a] {
			w.stop()
			delete(f.wanted, a)
		}
	}
}

func (f *Wanted) run(ctx context.Context, a wire.Artefact, w *fetch) {
	for wait := minRetry; ; wait = min(2*wait, maxRetry) {
		path, err := f.from.Fetch(ctx, a)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			err = fmt.Errorf("cannot fetch its program: %w", err)
		}
		f.mu.Lock()
		w.path, w.err = path, err
		f.mu.Unlock()
		f.tell()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait/2 + rand.N(wait)):
		}
	}
}
