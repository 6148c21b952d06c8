package history

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/tsdb"

	"github.com/vedettehq/vedette/master/history/admit"
)

// ErrClosed is returned when the store has stopped, or was stopped meanwhile.
var ErrClosed = errors.New("the history is closed")

// ErrLocked is returned by Run when another process uses the folder.
var ErrLocked = errors.New("another process uses it; stop that, or choose another folder with --data")

// BusyError says that nothing can be stored or read now. The caller must keep its samples
// and send them again.
type BusyError struct {
	Reason     string
	RetryAfter time.Duration
}

// RetrySeconds is RetryAfter in whole seconds, for a header.
func (e *BusyError) RetrySeconds() int { return int(e.RetryAfter.Seconds()) }

func (e *BusyError) Error() string { return "the history is busy: " + e.Reason }

const (
	// queueLength is how many Appends may wait for the writer before the next
	// one waits for a place.
	queueLength = 1024
	// keepEvery is how often the log is forced to disk and the free space checked.
	keepEvery = time.Second
	// reopenEvery is how often reopening is tried after a failed write.
	reopenEvery = 5 * time.Second
	// firstGeneration is the number of the first opening.
	firstGeneration = 1
)

// Store is a history. New makes it and Run runs it once; Open does both. Every method may
// be called from any goroutine, also before and after Run: then there is nothing to read,
// and no sample is accepted.
type Store struct {
	opts   Options
	files  *folder
	limits *limiter
	meta   metadata
	space  *space
	engine *engine
	self   *counters

	queries *admit.Gate   // of the HTTP API
	ranges  *admit.Gate   // of Range
	memory  *admit.Memory // of both

	queue   chan *request
	ready   chan struct{} // closed when the store is open for the first time
	stopped chan struct{} // closed when the writer has ended

	commits atomic.Uint64 // that wrote something
	takes   atomic.Bool   // at the writer's last check, samples were accepted

	snapshots sync.Mutex // one at a time

	mu      sync.RWMutex
	current *generation // or nil while not open
	why     BusyError   // what to say meanwhile

	stop func() error // of Open
}

// generation is one opening of the database.
type generation struct {
	db       *tsdb.DB
	registry *prometheus.Registry
	number   uint64
	readers  sync.WaitGroup // Add with Store.mu held
	ctx      context.Context
	retire   context.CancelFunc // ends ctx: readers should hurry
}

// New checks the options and makes a store that is not open yet.
func New(opts Options) (*Store, error) {
	opts = opts.withDefaults()
	if err := opts.validate(); err != nil {
		return nil, err
	}
	s := &Store{
		opts:    opts,
		limits:  newLimiter(opts.MaxSeriesPerHost, opts.MaxSeries, opts.Alive),
		queries: admit.New(places()),
		ranges:  admit.New(places()),
		memory:  admit.NewMemory(opts.queryBytes),
		queue:   make(chan *request, queueLength),
		ready:   make(chan struct{}),
		stopped: make(chan struct{}),
		why:     BusyError{Reason: "it is not open yet", RetryAfter: time.Second},
	}
	s.self = newCounters(s.limits, s.takes.Load)
	s.observeQueries()
	s.engine = newEngine(opts.Log, s.self.registry)
	return s, nil
}

// Open makes a store, runs it, and returns when it is open. Close ends it.
func Open(opts Options) (*Store, error) {
	s, err := New(opts)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	s.stop = sync.OnceValue(func() error {
		cancel()
		return <-done
	})
	select {
	case <-s.ready:
		return s, nil
	case <-s.stopped:
		return nil, s.stop()
	}
}

// Close ends a store that Open made, and returns when everything is on disk and every
// goroutine has ended.
func (s *Store) Close() error { return s.stop() }

// Ready is closed when the store is open: when it has read the log of the last run, which
// takes about a minute for each million of series.
func (s *Store) Ready() <-chan struct{} { return s.ready }

// Run opens the store, runs it until ctx ends, and closes it. Then it returns nil; if the
// store could not be opened at all, it returns the error. Opening cannot be interrupted.
func (s *Store) Run(ctx context.Context) error {
	defer close(s.stopped)
	files, err := openFolder(s.opts.Dir, s.opts.Log)
	if err != nil {
		return err
	}
	s.files, s.space = files, newSpace(files.dir, s.opts.MinFreeBytes, s.opts.Log)
	s.setWhy("it is reading what the last run left", 2*time.Second)
	if err := s.open(firstGeneration); err != nil {
		return errors.Join(err, files.close())
	}
	close(s.ready)

	syncing, stop := context.WithCancel(context.Background())
	var syncer sync.WaitGroup
	syncer.Go(func() { s.sync(syncing) })
	s.write(ctx)
	s.takes.Store(false)
	stop()
	syncer.Wait()
	s.setWhy("it is closing", 5*time.Second)
	return errors.Join(s.retire(), files.close())
}

// open opens the database and lets readers and the writer in.
func (s *Store) open(number uint64) error {
	started := time.Now()
	db, registry, err := s.files.open(s.opts, s.limits)
	if err != nil {
		return fmt.Errorf("cannot open the history in %q: %w", s.files.dir, err)
	}
	s.limits.enforce()
	ctx, cancel := context.WithCancel(context.Background())
	s.mu.Lock()
	s.current = &generation{db: db, registry: registry, number: number, ctx: ctx, retire: cancel}
	s.mu.Unlock()
	s.opts.Log.Info("history is open", "dir", s.files.dir, "series", db.Head().NumSeries(),
		"blocks", len(db.Blocks()), "took", time.Since(started).Round(time.Millisecond))
	return nil
}

// retire keeps new readers out, waits for the present ones, and closes the database if it
// is open.
func (s *Store) retire() error {
	s.mu.Lock()
	gen := s.current
	s.current = nil
	s.mu.Unlock()
	if gen == nil {
		return nil
	}
	gen.retire()
	gen.readers.Wait()
	if err := closeDB(gen.db); err != nil {
		return fmt.Errorf("cannot close the history in %q: %w", s.files.dir, err)
	}
	return nil
}

// closeDB closes a database. On a full disk that panics because of samples that could not
// be written; nothing that was acknowledged is lost by it.
func closeDB(db *tsdb.DB) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	return db.Close()
}

// acquire returns the open database and lends it until release is called.
func (s *Store) acquire() (gen *generation, release func(), err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.current == nil {
		busy := s.why
		return nil, nil, &busy
	}
	gen = s.current
	gen.readers.Add(1)
	return gen, gen.readers.Done, nil
}

func (s *Store) setWhy(reason string, retry time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.why = BusyError{Reason: reason, RetryAfter: retry}
}

func (s *Store) busy() *BusyError {
	s.mu.RLock()
	defer s.mu.RUnlock()
	busy := s.why
	return &busy
}
