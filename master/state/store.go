package state

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"sync"
)

// sumBytes is the length of a version before its encoding in hex.
const sumBytes = 32

// tx is the engine's side of a transaction. Keys and logs are valid; returned
// values are valid until the transaction ends.
type tx interface {
	get(key string) (value []byte, ok bool)
	put(key string, value []byte) error
	remove(key string) error
	// each calls f for each entry whose key begins with prefix, in order.
	each(prefix string, f func(key string, value []byte) error) error
	logs() []string // in order
	append(log string, record []byte) (uint64, error)
	// first is the number that a log begins with: 1, unless it was trimmed. trim
	// makes it begin later, and removes the earlier records. begin makes a log,
	// which must not exist, that begins at a number.
	first(log string) uint64
	trim(log string, first uint64) error
	begin(log string, first uint64) error
	// next returns the first record from a number on, previous the last before
	// one.
	next(log string, from uint64) (Record, bool)
	previous(log string, before uint64) (Record, bool)
}

// engine stores what transactions write. An update whose function returns an error
// has done nothing.
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

	writes   queue
	watchers watchers
}

func newStore(e engine) *store { return &store{engine: e, writes: newQueue()} }

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
	return s.apply(ctx, []Change{Append(log, record)})
}

// Apply implements Store.
func (s *store) Apply(ctx context.Context, changes ...Change) error {
	_, err := s.apply(ctx, changes)
	return err
}

// Watch implements Store.
func (s *store) Watch(ctx context.Context, prefix string) (<-chan Event, error) {
	if err := checkPrefix(prefix); err != nil {
		return nil, err
	}
	end, err := s.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	return s.watchers.add(ctx, prefix), nil
}

// Scan implements Store.
func (s *store) Scan(ctx context.Context, log string, from uint64) iter.Seq2[Record, error] {
	at := max(from, 1)
	return s.scan(ctx, log, func(t tx) (Record, bool, error) {
		r, ok, err := nextRecord(t, log, at)
		if ok {
			at = r.Seq + 1
		}
		return r, ok, err
	})
}

// ScanBack implements Store.
func (s *store) ScanBack(ctx context.Context, log string, before uint64) iter.Seq2[Record, error] {
	at, first := before, true
	if before == 0 {
		at = ^uint64(0)
	}
	return s.scan(ctx, log, func(t tx) (Record, bool, error) {
		r, ok := t.previous(log, at)
		if ok && (r.Seq == 0 || r.Seq >= at || !first && r.Seq != at-1) {
			return Record{}, false, damaged(fmt.Sprintf("before record %d of the log %q comes %d", at, log, r.Seq))
		}
		if begins := t.first(log); !ok && !first && at > begins {
			return Record{}, false, damaged(fmt.Sprintf("the log %q begins with %d, and should with %d", log, at, begins))
		}
		if ok {
			at, first = r.Seq, false
		}
		return r, ok, nil
	})
}

// nextRecord returns the record of a number, or the first of the log if that is
// later. Records are removed only at the beginning, so another one in its place is
// damage.
func nextRecord(t tx, log string, seq uint64) (Record, bool, error) {
	seq = max(seq, t.first(log))
	r, ok := t.next(log, seq)
	if ok && r.Seq != seq {
		return Record{}, false, damaged(fmt.Sprintf("in place of record %d of the log %q is %d", seq, log, r.Seq))
	}
	return r, ok, nil
}

// Bounds of how much of a log is read in one transaction: the loop over it runs
// outside, because it may take long and call the store.
const (
	scanFirst = 16
	scanMost  = 256
	scanBytes = 1 << 20
)

// scan yields the results of step, which returns one record after the other.
func (s *store) scan(ctx context.Context, log string, step func(tx) (Record, bool, error)) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		err := checkLog(log)
		for most := scanFirst; err == nil; most = min(2*most, scanMost) {
			var some []Record
			err = s.view(ctx, func(t tx) error {
				for size := 0; len(some) < most && size < scanBytes; {
					r, ok, err := step(t)
					if !ok {
						return err
					}
					r.Value = append([]byte{}, r.Value...)
					some, size = append(some, r), size+len(r.Value)
				}
				return nil
			})
			for _, r := range some {
				if !yield(r, nil) {
					return
				}
			}
			if len(some) == 0 && err == nil {
				return
			}
		}
		yield(Record{}, err)
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
	if err := s.importFrom(ctx, r); err != nil {
		return fmt.Errorf("cannot import the state: %w", err)
	}
	return nil
}

func (s *store) importFrom(ctx context.Context, r io.Reader) error {
	end, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	d, err := readDump(ctx, r)
	if err != nil {
		return err
	}
	select {
	case s.writes.token <- struct{}{}:
		defer func() { <-s.writes.token }()
	case <-ctx.Done():
		return ctx.Err()
	}
	err = s.engine.update(d.restore)
	if !errors.Is(err, ErrNotEmpty) {
		s.watchers.loseAll() // after a failure too: the changes may have been made
	}
	return err
}

// Close implements Store.
func (s *store) Close() error {
	s.calls.Lock()
	defer s.calls.Unlock()
	if s.ended {
		return nil
	}
	s.ended = true
	s.watchers.close()
	return s.engine.close()
}
