package history

import (
	"context"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"

	"github.com/vedettehq/vedette/inspectors"
)

// placeWithin is how long an Append waits for a place in the writer's queue.
const placeWithin = 5 * time.Second

// Series is a series to append to. It remembers where the store has it, which halves the
// cost of a sample; make it once, not for each sample. Several Appenders may use it.
type Series struct {
	host   string
	labels labels.Labels

	// The writer's alone.
	ref        storage.SeriesRef
	generation uint64 // of ref
}

// NewSeries returns the series of a host, key and labels, which must be valid.
func (s *Store) NewSeries(host, key string, own inspectors.Labels, kind inspectors.Kind) *Series {
	stored := seriesLabels(host, key, own)
	s.meta.note(stored.Get(model.MetricNameLabel), key, kind)
	return &Series{host: host, labels: stored}
}

// NewNamedSeries is NewSeries for a metric whose name does not follow from its key,
// because it comes from a Prometheus.
func (s *Store) NewNamedSeries(name, host, key string, own inspectors.Labels, kind inspectors.Kind) *Series {
	s.meta.note(name, key, kind)
	return &Series{host: host, labels: namedLabels(name, host, key, own)}
}

// Sample is a value of a series at a time.
type Sample struct {
	Series *Series
	T      int64 // ms since the epoch, UTC
	V      float64
}

// Result is the outcome of one Append.
type Result struct {
	// Stored is how many samples are in the history now, including those that were there
	// before.
	Stored int
	// Refused is how many were refused for good: they are too old or from the future,
	// contradict what is stored, or are beyond a limit.
	Refused int
	// First is the index of the first refused sample and Reason says why it was refused;
	// nil if none was.
	First  int
	Reason error
	// By counts the refused samples by reason, such as RefusedEarly; nil if there are
	// none.
	By map[string]int
}

// Appender appends for one connection. It is used by one goroutine at a time.
type Appender struct {
	store   *Store
	request request
}

// request is one Append on its way through the writer.
type request struct {
	batch []Sample

	result Result
	err    error
	done   chan struct{} // holds one token when the writer has answered
}

// NewAppender returns an Appender. There is nothing to close.
func (s *Store) NewAppender() *Appender {
	return &Appender{store: s, request: request{done: make(chan struct{}, 1)}}
}

// Append stores samples and returns when they would survive the death of this process. The
// error is a *BusyError if none was stored but they may be sent again; ErrClosed when the
// store stops; or that of ctx. The batch must not be changed until Append returns; it is
// not retained.
func (a *Appender) Append(ctx context.Context, batch []Sample) (Result, error) {
	if len(batch) == 0 {
		return Result{}, nil
	}
	s := a.store
	select {
	case <-s.ready:
	case <-s.stopped:
		return Result{}, ErrClosed
	default:
		return Result{}, s.busy()
	}
	a.request.batch, a.request.result, a.request.err = batch, Result{}, nil
	if err := s.enqueue(ctx, &a.request); err != nil {
		return Result{}, err
	}
	select {
	case <-a.request.done:
	case <-s.stopped:
		// The writer answers every request that it takes, and it has ended.
		select {
		case <-a.request.done:
		default:
			return Result{}, ErrClosed
		}
	}
	return a.request.result, a.request.err
}

func (s *Store) enqueue(ctx context.Context, r *request) error {
	select {
	case s.queue <- r:
		return nil
	default:
	}
	wait := time.NewTimer(placeWithin)
	defer wait.Stop()
	select {
	case s.queue <- r:
		return nil
	case <-s.stopped:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	case <-wait.C:
		return &BusyError{Reason: "more samples come than can be written", RetryAfter: placeWithin}
	}
}
