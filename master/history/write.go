package history

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/prometheus/storage"

	"github.com/vedettehq/vedette/master/history/forward"
)

const (
	// maxGroup is about how many samples one commit holds. More gain nothing.
	maxGroup = 20_000
	// maxUnmapped is how many samples are accepted before full chunks are written out, so
	// that there is never much left to write when space gets short.
	maxUnmapped = 4_000_000
	// retryWhenLow is how long to wait while the disk is nearly full. It is short,
	// because samples that are sent meanwhile are still shown live.
	retryWhenLow = 2 * time.Second
)

// writer is the state of the one goroutine that writes.
type writer struct {
	*Store
	group []*request
	taken []forward.Sample // of the group, where there are forwarders

	unmapped   int64     // samples since full chunks were written out
	generation uint64    // of the database, counted from 1
	failed     error     // the write that failed, nil when all is well
	reopenAt   time.Time // not before, when failed
}

// write serves requests until ctx ends. Append itself answers those that are left then.
func (s *Store) write(ctx context.Context) {
	w := &writer{Store: s, generation: firstGeneration}
	ticker := time.NewTicker(keepEvery)
	defer ticker.Stop()
	w.keep()
	for {
		s.opts.Alive()
		select {
		case <-ctx.Done():
			return
		case first := <-s.queue:
			w.gather(first)
			w.commit()
		case <-ticker.C:
			w.keep()
		}
	}
}

// gather puts everything that waits into one group.
func (w *writer) gather(first *request) {
	w.group = append(w.group[:0], first)
	for samples := len(first.batch); samples < maxGroup; {
		select {
		case next := <-w.queue:
			w.group = append(w.group, next)
			samples += len(next.batch)
		default:
			return
		}
	}
}

// keep does the tasks that are due once a second.
func (w *writer) keep() {
	if w.unmapped >= maxUnmapped {
		w.mmap()
	}
	w.look()
	if w.failed != nil {
		w.reopen()
	}
	w.takes.Store(w.failed == nil && w.space.low == "")
}

// look returns why nothing may be written, or "".
func (w *writer) look() string {
	if w.opts.ignoreSpace {
		return ""
	}
	series, _ := w.limits.count()
	return w.space.look(w.unmapped+int64(series)*chunkSamples, w.mmap)
}

// mmap writes out every full chunk of the head. It is called as soon as space gets short:
// the database does it within a minute, and dies if it cannot.
func (w *writer) mmap() {
	if gen, release, err := w.acquire(); err == nil {
		gen.db.ForceHeadMMap()
		w.unmapped = 0
		release()
	}
}

// commit stores the group and answers its requests.
func (w *writer) commit() {
	err := w.check()
	if err == nil {
		err = w.append()
	}
	for _, r := range w.group {
		if err != nil {
			r.result, r.err = Result{}, err
			w.self.turnedAway.Add(float64(len(r.batch)))
		} else {
			w.self.stored.Add(float64(r.result.Stored))
			w.self.refused.Add(float64(r.result.Refused))
			w.unmapped += int64(r.result.Stored)
		}
		r.done <- struct{}{}
	}
	clear(w.group)
}

// check returns a *BusyError if nothing may be written now.
func (w *writer) check() error {
	if low := w.look(); low != "" {
		return &BusyError{Reason: low, RetryAfter: retryWhenLow}
	}
	if w.failed != nil {
		w.reopen()
	}
	if w.failed != nil {
		return &BusyError{Reason: "a write failed: " + w.failed.Error(), RetryAfter: w.opts.reopenEvery}
	}
	return nil
}

// append writes the group as one commit. A panic of the database is allowed to end the
// process: its locks would stay held, and agents keep samples that were not acknowledged.
func (w *writer) append() error {
	gen, release, err := w.acquire()
	if err != nil {
		return err
	}
	defer release()
	now := w.opts.now()
	gate := gate{
		now:      now,
		late:     w.opts.OutOfOrder,
		earliest: now.Add(-w.opts.OutOfOrder).UnixMilli(),
		latest:   now.Add(w.opts.MaxFuture).UnixMilli(),
	}
	w.taken = w.taken[:0]
	app := gen.db.AppenderV2(context.Background())
	for _, r := range w.group {
		w.appendRequest(app, gen.number, &gate, r)
	}
	if err := app.Commit(); err != nil {
		w.fail(err)
		return &BusyError{Reason: "a write failed: " + err.Error(), RetryAfter: w.opts.reopenEvery}
	}
	w.commits.Add(1)
	return w.forward()
}

// forward tells the forwarders of stored samples. Samples that could not be queued there
// are in the history already; when they are sent again, they are stored once.
func (w *writer) forward() error {
	for _, f := range w.opts.Forward {
		if err := f.Forward(w.taken); err != nil {
			w.self.failedForwards.Inc()
			return &BusyError{Reason: "what is to be forwarded cannot be queued: " + err.Error(), RetryAfter: reopenEvery}
		}
	}
	return nil
}

func (w *writer) appendRequest(app storage.AppenderV2, generation uint64, gate *gate, r *request) {
	for i := range r.batch {
		sample := &r.batch[i]
		err := gate.check(sample.T)
		if err == nil {
			series := sample.Series
			if series.generation != generation {
				series.ref, series.generation = 0, generation
			}
			var ref storage.SeriesRef
			ref, err = app.Append(series.ref, series.labels, 0, sample.T, sample.V, nil, nil, storage.AOptions{})
			if err == nil {
				series.ref = ref
				r.result.Stored++
				if len(w.opts.Forward) > 0 {
					w.taken = append(w.taken, forward.Sample{Labels: series.labels, T: sample.T, V: sample.V})
				}
				continue
			}
			err = w.reason(err)
		}
		if r.result.Refused++; r.result.Refused == 1 {
			r.result.First, r.result.Reason, r.result.By = i, err, make(map[string]int)
		}
		r.result.By[RefusedFor(err)]++
	}
}

// gate has the times between which samples are accepted now.
type gate struct {
	now              time.Time
	late             time.Duration // how late samples may be
	earliest, latest int64         // ms since the epoch
}

func (g *gate) check(t int64) error {
	switch {
	case t > g.latest:
		return &refusal{RefusedEarly, fmt.Errorf("its time %s is %s ahead of the master's clock; set the clock of the host",
			formatTime(t), time.UnixMilli(t).Sub(g.now).Round(time.Second))}
	case t < g.earliest:
		return &refusal{RefusedLate, fmt.Errorf("its time %s is %s ago; samples are taken up to %s late",
			formatTime(t), g.now.Sub(time.UnixMilli(t)).Round(time.Second), g.late)}
	}
	return nil
}

// reason says in our words why the database refused a sample.
func (w *writer) reason(err error) error {
	switch {
	case errors.Is(err, storage.ErrDuplicateSampleForTimestamp):
		return &refusal{RefusedConflict, errors.New("another value is stored for the same time; the first one stays")}
	case errors.Is(err, storage.ErrOutOfOrderSample), errors.Is(err, storage.ErrOutOfBounds), errors.Is(err, storage.ErrTooOldSample):
		return &refusal{RefusedLate, fmt.Errorf("it is more than %s older than the newest sample", w.opts.OutOfOrder)}
	}
	return err
}

// fail records that a write failed. Later samples would be acknowledged and not found
// again, so the database is first opened again.
func (w *writer) fail(err error) {
	w.failed, w.reopenAt = err, time.Time{}
	w.self.failedCommits.Inc()
	w.opts.Log.Error("history could not be written; it will be opened again", "dir", w.files.dir, "error", err)
}

// reopen closes and opens the database when there is room to do so and the folder can be
// written. Until then it stays open for readers.
func (w *writer) reopen() {
	now := time.Now()
	if now.Before(w.reopenAt) || w.space.low != "" {
		return
	}
	w.reopenAt = now.Add(w.opts.reopenEvery)
	if err := w.files.probe(); err != nil {
		w.failed = err
		return
	}
	w.generation++
	w.setWhy("it is being opened again after a failed write", 2*time.Second)
	if err := w.retire(); err != nil {
		w.opts.Log.Warn("history did not close well; nothing that was acknowledged is lost", "error", err)
	}
	if err := w.open(w.generation); err != nil {
		w.opts.Log.Error("history cannot be opened again", "error", err, "retry_in", w.opts.reopenEvery)
		w.failed = err
		return
	}
	w.failed = nil
}

func formatTime(t int64) string { return time.UnixMilli(t).UTC().Format(time.RFC3339) }
