package state

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"sync"
)

// Bounds of one transaction.
const (
	mostWrites     = 256
	mostWriteBytes = 8 << 20
)

// queue holds the waiting writes. The writer with the token commits all that wait
// by then: a disk takes a hundred writes in one transaction about as fast as one.
type queue struct {
	token chan struct{} // the sender has it until it receives

	mu      sync.Mutex
	waiting []*write // guarded by mu
}

func newQueue() queue { return queue{token: make(chan struct{}, 1)} }

// write is one Apply.
type write struct {
	changes []Change
	values  [][]byte // for each change: a copy of the caller's value

	// The rest belongs to the committing writer until done is closed.
	lastSeq uint64 // of the last Append
	events  []Event
	written bool
	err     error
	done    chan struct{}
}

func (w *write) bytes() (n int) {
	for i := range w.values {
		n += len(w.values[i])
	}
	return n
}

func (w *write) isDone() bool {
	select {
	case <-w.done:
		return true
	default:
		return false
	}
}

// apply returns the number of the last record that it has appended.
func (s *store) apply(ctx context.Context, changes []Change) (lastSeq uint64, err error) {
	if err := checkChanges(changes); err != nil {
		return 0, err
	}
	w := &write{changes: changes, values: make([][]byte, len(changes)), done: make(chan struct{})}
	for i := range changes {
		w.values[i] = append([]byte{}, changes[i].Value...)
	}
	if err := s.submit(ctx, w); err != nil {
		return 0, err
	}
	return w.lastSeq, nil
}

func (s *store) submit(ctx context.Context, w *write) error {
	end, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	q := &s.writes
	q.add(w)
	select {
	case q.token <- struct{}{}:
		for !w.isDone() {
			s.commit(q.take())
		}
		<-q.token
	case <-w.done:
	case <-ctx.Done():
		if q.withdraw(w) {
			return ctx.Err()
		}
		<-w.done
	}
	return w.err
}

func (q *queue) add(w *write) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = append(q.waiting, w)
}

// withdraw takes back a write that has not begun.
func (q *queue) withdraw(w *write) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	at := slices.Index(q.waiting, w)
	if at < 0 {
		return false
	}
	q.waiting = slices.Delete(q.waiting, at, at+1)
	return true
}

// take returns the next writes, in the order in which they came.
func (q *queue) take() []*write {
	q.mu.Lock()
	defer q.mu.Unlock()
	n, size := 0, 0
	for n < len(q.waiting) && n < mostWrites && (n == 0 || size < mostWriteBytes) {
		size += q.waiting[n].bytes()
		n++
	}
	batch := slices.Clone(q.waiting[:n])
	q.waiting = slices.Delete(q.waiting, 0, n)
	return batch
}

// errUnchanged ends a transaction that has changed nothing.
var errUnchanged = errors.New("nothing has changed")

// commit does writes in one transaction. Each is done or refused by itself, but if
// the transaction fails all of them fail, including the refused ones: the refusal
// may have been because of something that is not there now.
func (s *store) commit(batch []*write) {
	err := s.engine.update(func(t tx) error {
		written := false
		for _, w := range batch {
			if w.err = checkWanted(t, w.changes); w.err == nil {
				if err := w.run(t); err != nil {
					return err
				}
			}
			written = written || w.written
		}
		if !written {
			return errUnchanged
		}
		return nil
	})
	switch {
	case err == nil:
		s.watchers.publish(batch)
	case !errors.Is(err, errUnchanged):
		for _, w := range batch {
			w.err = err
		}
		s.watchers.loseAll() // the changes may have been made nevertheless
	}
	for _, w := range batch {
		close(w.done)
	}
}

// checkWanted finds the first change whose author has not seen the current
// version.
func checkWanted(t tx, changes []Change) error {
	for i := range changes {
		c := &changes[i]
		if c.Op == OpAppend || c.Op == OpTrim {
			continue
		}
		current := Entry{Key: c.Name}
		if value, ok := t.get(c.Name); ok {
			current = newEntry(c.Name, value)
		}
		if current.Version != c.Want {
			return &ConflictError{Current: current, Want: c.Want}
		}
	}
	return nil
}

// run carries out the changes that checkWanted has approved.
func (w *write) run(t tx) (err error) {
	for i := range w.changes {
		c, value := &w.changes[i], w.values[i]
		switch c.Op {
		case OpPut:
			e := Entry{Key: c.Name, Value: value, Version: VersionOf(value)}
			if e.Version == c.Want {
				continue // it has that value already
			}
			w.event(e)
			err = t.put(c.Name, value)
		case OpDelete:
			w.event(Entry{Key: c.Name})
			err = t.remove(c.Name)
		case OpAppend:
			w.written = true
			if c.Link != nil {
				last, _ := t.previous(c.Name, ^uint64(0))
				value = c.Link(last, value)
			}
			w.lastSeq, err = t.append(c.Name, value)
		case OpTrim:
			err = w.trim(t, c.Name, binary.BigEndian.Uint64(value))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// trim removes the records before a number, except the last one.
func (w *write) trim(t tx, log string, first uint64) error {
	last, ok := t.previous(log, ^uint64(0))
	if first = min(first, last.Seq); !ok || first <= t.first(log) {
		return nil
	}
	w.written = true
	return t.trim(log, first)
}

func (w *write) event(e Entry) {
	w.written = true
	w.events = append(w.events, Event{Entry: e})
}
