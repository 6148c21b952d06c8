package agent

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/vedettehq/vedette/rpc/wire"
)

// Artefacts fetches the programs of pushed plugins.
type Artefacts interface {
	// Fetch returns the file of a program whose size and checksum were verified.
	// One that is there already is not fetched again. It may be called for
	// several programs at once, never for one twice at once, and returns soon
	// after ctx ends. After an error it is called again, later and later, while
	// the program is wanted.
	Fetch(ctx context.Context, a wire.Artefact) (path string, err error)
}

// Keeper is a role that Artefacts may have.
type Keeper interface {
	// Keep removes the programs whose hex SHA-256 is not among these.
	Keep(sums map[string]bool) error
}

// errFetching says that a program is on its way.
var errFetching = errors.New("its program is being fetched")

// programs has the programs that are wanted fetched in the background, so that
// a slow one holds up nothing else.
type programs struct {
	from Artefacts // or nil
	tell func()    // called after each attempt

	jobs sync.WaitGroup

	mu     sync.Mutex
	wanted map[wire.Artefact]*fetch
}

// fetch is one program. Its mu guards path and err.
type fetch struct {
	stop context.CancelFunc
	path string // when it is there
	err  error  // of the last attempt; errFetching before that
}

func newPrograms(from Artefacts, tell func()) *programs {
	return &programs{from: from, tell: tell, wanted: make(map[wire.Artefact]*fetch)}
}

// get returns the file of a program, or why there is none yet: errFetching
// before the first attempt has ended. What it asks for is fetched until life
// ends or only does not name it any more.
func (f *programs) get(life context.Context, a wire.Artefact) (string, error) {
	if f.from == nil {
		return "", errNoFetcher
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if w := f.wanted[a]; w != nil {
		return w.path, w.err
	}
	ctx, stop := context.WithCancel(life)
	w := &fetch{stop: stop, err: errFetching}
	f.wanted[a] = w
	f.jobs.Go(func() {
		defer stop()
		f.run(ctx, a, w)
	})
	return "", errFetching
}

// sums returns the checksums of all that is wanted.
func (f *programs) sums() map[string]bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	sums := make(map[string]bool, len(f.wanted))
	for a := range f.wanted {
		sums[a.SHA256] = true
	}
	return sums
}

// only forgets all programs but these.
func (f *programs) only(these map[wire.Artefact]bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for a, w := range f.wanted {
		if !these[a] {
			w.stop()
			delete(f.wanted, a)
		}
	}
}

func (f *programs) run(ctx context.Context, a wire.Artefact, w *fetch) {
	for wait := minReload; ; wait = min(2*wait, maxReload) {
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
