package state

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	bolt "go.etcd.io/bbolt"
)

const sumBytes = 32

// boltStore is a Store in one file, in its simplest form: without Watch, Export
// and Import.
type boltStore struct{ db *bolt.DB }

// Open opens the state in a file, and makes it where there is none.
func Open(path string) (Store, error) {
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: 100 * time.Millisecond})
	if errors.Is(err, bolt.ErrTimeout) {
		err = ErrLocked
	}
	if err != nil {
		return nil, fmt.Errorf("cannot open the state %s: %w", path, err)
	}
	return &boltStore{db}, nil
}

var entriesBucket = []byte("entries")

func logBucket(name string) []byte { return []byte("log/" + name) }

func (s *boltStore) Get(_ context.Context, key string) (Entry, error) {
	var e Entry
	err := s.db.View(func(tx *bolt.Tx) error {
		if b := tx.Bucket(entriesBucket); b != nil {
			if v := b.Get([]byte(key)); v != nil {
				e = Entry{Key: key, Value: bytes.Clone(v), Version: VersionOf(v)}
				return nil
			}
		}
		return fmt.Errorf("%q: %w", key, ErrNotFound)
	})
	return e, err
}

func (s *boltStore) List(_ context.Context, prefix string) ([]Entry, error) {
	var list []Entry
	err := s.db.View(func(tx *bolt.Tx) error {
		b := tx.Bucket(entriesBucket)
		if b == nil {
			return nil
		}
		c := b.Cursor()
		for k, v := c.Seek([]byte(prefix)); k != nil && bytes.HasPrefix(k, []byte(prefix)); k, v = c.Next() {
			list = append(list, Entry{Key: string(k), Value: bytes.Clone(v), Version: VersionOf(v)})
		}
		return nil
	})
	return list, err
}

func (s *boltStore) Put(ctx context.Context, key string, value []byte, want Version) (Version, error) {
	return VersionOf(value), s.Apply(ctx, Put(key, value, want))
}

func (s *boltStore) Delete(ctx context.Context, key string, want Version) error {
	return s.Apply(ctx, Delete(key, want))
}

func (s *boltStore) Append(ctx context.Context, log string, record []byte) (uint64, error) {
	return 0, s.Apply(ctx, Append(log, record))
}

func (s *boltStore) Apply(ctx context.Context, changes ...Change) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.db.Update(func(tx *bolt.Tx) error {
		for _, c := range changes {
			if err := apply(tx, c); err != nil {
				return err
			}
		}
		return nil
	})
}

func apply(tx *bolt.Tx, c Change) error {
	if c.Op == OpAppend {
		b, err := tx.CreateBucketIfNotExists(logBucket(c.Name))
		if err != nil {
			return err
		}
		n, _ := b.NextSequence()
		return b.Put(binary.BigEndian.AppendUint64(nil, n), c.Value)
	}
	if err := checkKey(c.Name); err != nil {
		return err
	}
	b, err := tx.CreateBucketIfNotExists(entriesBucket)
	if err != nil {
		return err
	}
	current := Entry{Key: c.Name}
	if v := b.Get([]byte(c.Name)); v != nil {
		current.Value, current.Version = bytes.Clone(v), VersionOf(v)
	}
	if current.Version != c.Want {
		return &ConflictError{Current: current, Want: c.Want}
	}
	switch c.Op {
	case OpPut:
		return b.Put([]byte(c.Name), c.Value)
	case OpDelete:
		return b.Delete([]byte(c.Name))
	}
	return nil
}

func (s *boltStore) Watch(context.Context, string) (<-chan Event, error) {
	return nil, errors.ErrUnsupported
}

func (s *boltStore) scan(log string, back bool, from uint64) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		var all []Record
		err := s.db.View(func(tx *bolt.Tx) error {
			b := tx.Bucket(logBucket(log))
			if b == nil {
				return nil
			}
			return b.ForEach(func(k, v []byte) error {
				all = append(all, Record{binary.BigEndian.Uint64(k), bytes.Clone(v)})
				return nil
			})
		})
		if err != nil {
			yield(Record{}, err)
			return
		}
		for i := range all {
			r := all[i]
			if back {
				r = all[len(all)-1-i]
			}
			if !back && r.Seq < from || back && from != 0 && r.Seq >= from {
				continue
			}
			if !yield(r, nil) {
				return
			}
		}
	}
}

func (s *boltStore) Scan(_ context.Context, log string, from uint64) iter.Seq2[Record, error] {
	return s.scan(log, false, from)
}

func (s *boltStore) ScanBack(_ context.Context, log string, before uint64) iter.Seq2[Record, error] {
	return s.scan(log, true, before)
}

func (s *boltStore) Export(context.Context, io.Writer) error { return errors.ErrUnsupported }
func (s *boltStore) Import(context.Context, io.Reader) error { return errors.ErrUnsupported }
func (s *boltStore) Close() error                            { return s.db.Close() }
