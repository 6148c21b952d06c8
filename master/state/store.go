package state

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"sync"
)

// sumBytes is the length of a version before it is in hex.
const sumBytes = 32

// tx is what an engine lets a transaction do. Keys and logs are valid; values
// that it returns are good until the transaction ends.
type tx interface {
	get(key string) (value []byte, ok bool)
	put(key string, value []byte) error
	remove(key string) error
	// each calls f for each entry whose key begins with prefix, in order.
	each(prefix string, f func(key string, value []byte) error) error
	logs() []string // in order
	append(log string, record []byte) (uint64, error)
	// next returns the first record from a number on, previous the last before
	// one.
	next(log string, from uint64) (Record, bool)
	previous(log string, before uint64) (Record, bool)
}

// engine keeps what transactions write. An update whose function returns an
// error has done nothing.
type engine interface {
	view(f func(tx) error) error
	update(f func(tx) error) error
	close() error
}

// store implements Store over an engine.
type store struct {
	engine engine

	calls sync.RWMutex // held for reading by each call that uses the engine
	ended bool         // guarded by calls

	writes   sync.Mutex // held by the one write that is going on, and its events
	watchers map[*watcher]struct{}
}

func newStore(e engine) *store { return &store{engine: e, watchers: make(map[*watcher]struct{})} }

// begin lets a call use the engine until it calls end.
func (s *store) begin(ctx context.Context) (end func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.calls.RLock()
	if s.ended {
		s.calls.RUnlock()
		return nil, ErrClosed
	}
	return s.calls.RUnlock, nil
}

func (s *store) view(ctx context.Context, f func(tx) error) error {
	end, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	return s.engine.view(f)
}

// Get implements Store.
func (s *store) Get(ctx context.Context, key string) (e Entry, err error) {
	if err := checkKey(key); err != nil {
		return Entry{}, err
	}
	err = s.view(ctx, func(t tx) error {
		value, ok := t.get(key)
		if !ok {
			return fmt.Errorf("%q: %w", key, ErrNotFound)
		}
		e = newEntry(key, value)
		return nil
	})
	return e, err
}

// newEntry copies a value out of a transaction.
func newEntry(key string, value []byte) Entry {
	copied := append([]byte{}, value...)
	return Entry{Key: key, Value: copied, Version: VersionOf(copied)}
}

// List implements Store.
func (s *store) List(ctx context.Context, prefix string) (entries []Entry, err error) {
	if err := checkPrefix(prefix); err != nil {
		return nil, err
	}
	err = s.view(ctx, func(t tx) error {
		return t.each(prefix, func(key string, value []byte) error {
			entries = append(entries, newEntry(key, value))
			return ctx.Err()
		})
	})
	if err != nil {
		return nil, err
	}
	return entries, nil
}

// Put implements Store.
func (s *store) Put(ctx context.Context, key string, value []byte, want Version) (Version, error) {
	if err := s.Apply(ctx, Put(key, value, want)); err != nil {
		return None, err
	}
	return VersionOf(value), nil
}

// Delete implements Store.
func (s *store) Delete(ctx context.Context, key string, want Version) error {
	return s.Apply(ctx, Delete(key, want))
}

// Append implements Store.
func (s *store) Append(ctx context.Context, log string, record []byte) (seq uint64, err error) {
	seqs, err := s.apply(ctx, []Change{Append(log, record)})
	if err != nil {
		return 0, err
	}
	return seqs[0], nil
}

// Apply implements Store.
func (s *store) Apply(ctx context.Context, changes ...Change) error {
	_, err := s.apply(ctx, changes)
	return err
}

// errUnchanged ends a transaction that has nothing to write.
var errUnchanged = errors.New("nothing has changed")

// apply returns the numbers of the records that it has appended.
func (s *store) apply(ctx context.Context, changes []Change) (seqs []uint64, err error) {
	if err := checkChanges(changes); err != nil {
		return nil, err
	}
	end, err := s.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	s.writes.Lock()
	defer s.writes.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var events []Event
	err = s.engine.update(func(t tx) error {
		events, seqs = nil, nil
		if err := checkWanted(t, changes); err != nil {
			return err
		}
		for i := range changes {
			event, seq, err := write(t, &changes[i])
			if err != nil {
				return err
			}
			if event != nil {
				events = append(events, *event)
			}
			if seq != 0 {
				seqs = append(seqs, seq)
			}
		}
		if len(events)+len(seqs) == 0 {
			return errUnchanged
		}
		return nil
	})
	if err != nil && !errors.Is(err, errUnchanged) {
		return nil, err
	}
	s.tell(events)
	return seqs, nil
}

// checkWanted finds the first change whose author has not seen what is there.
func checkWanted(t tx, changes []Change) error {
	for i := range changes {
		c := &changes[i]
		if c.Op == OpAppend {
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

// write does one change. The event is nil where no entry has changed, the number
// is 0 where nothing was appended.
func write(t tx, c *Change) (event *Event, seq uint64, err error) {
	switch c.Op {
	case OpPut:
		if c.Want != None && VersionOf(c.Value) == c.Want {
			return nil, 0, nil
		}
		e := newEntry(c.Name, c.Value)
		return &Event{Entry: e}, 0, t.put(c.Name, e.Value)
	case OpDelete:
		return &Event{Entry: Entry{Key: c.Name}}, 0, t.remove(c.Name)
	case OpAppend:
		seq, err = t.append(c.Name, c.Value)
		return nil, seq, err
	}
	return nil, 0, nil
}

// Scan implements Store.
func (s *store) Scan(ctx context.Context, log string, from uint64) iter.Seq2[Record, error] {
	return s.scan(ctx, log, max(from, 1), tx.next, func(r Record) uint64 { return r.Seq + 1 })
}

// ScanBack implements Store.
func (s *store) ScanBack(ctx context.Context, log string, before uint64) iter.Seq2[Record, error] {
	if before == 0 {
		before = ^uint64(0)
	}
	return s.scan(ctx, log, before, tx.previous, func(r Record) uint64 { return r.Seq })
}

// scanAtOnce is how many records are read in one transaction: the loop over them
// runs outside, as it may call the store.
const scanAtOnce = 128

func (s *store) scan(ctx context.Context, log string, at uint64, step func(tx, string, uint64) (Record, bool), after func(Record) uint64) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		if err := checkLog(log); err != nil {
			yield(Record{}, err)
			return
		}
		for {
			var some []Record
			err := s.view(ctx, func(t tx) error {
				for len(some) < scanAtOnce {
					r, ok := step(t, log, at)
					if !ok {
						return nil
					}
					r.Value = append([]byte{}, r.Value...)
					some, at = append(some, r), after(r)
				}
				return nil
			})
			for _, r := range some {
				if !yield(r, nil) {
					return
				}
			}
			if err != nil {
				yield(Record{}, err)
				return
			}
			if len(some) < scanAtOnce {
				return
			}
		}
	}
}

// Export implements Store.
func (s *store) Export(ctx context.Context, w io.Writer) error {
	if err := s.view(ctx, func(t tx) error { return export(ctx, t, w) }); err != nil {
		return fmt.Errorf("cannot export the state: %w", err)
	}
	return nil
}

// Import implements Store.
func (s *store) Import(ctx context.Context, r io.Reader) error {
	d, err := readDump(r)
	if err != nil {
		return fmt.Errorf("cannot import the state: %w", err)
	}
	end, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	s.writes.Lock()
	defer s.writes.Unlock()
	if err := s.engine.update(d.restore); err != nil {
		return fmt.Errorf("cannot import the state: %w", err)
	}
	s.tellLost()
	return nil
}

// Close implements Store.
func (s *store) Close() error {
	s.calls.Lock()
	defer s.calls.Unlock()
	if s.ended {
		return nil
	}
	s.ended = true
	s.writes.Lock()
	defer s.writes.Unlock()
	for w := range s.watchers {
		s.forget(w)
	}
	return s.engine.close()
}
