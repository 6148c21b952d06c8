package state

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// FileName is the name of the state's file in the master's data folder.
const FileName = "state.db"

// schema is the version of the file's format.
//
//	1 (2026-11-29): buckets meta (schema), entries, and logs with one for each log
const schema = 1

var (
	bucketMeta    = []byte("meta")
	bucketEntries = []byte("entries")
	bucketLogs    = []byte("logs")
	keySchema     = []byte("schema")
)

// Open opens the state in a file, or makes one. A commit is on the disk when it
// returns. The error wraps ErrLocked, ErrDamaged or ErrNewer where that is why,
// and names the file.
func Open(path string) (Store, error) {
	var db *bbolt.DB
	err := guard(func() (err error) {
		if db, err = bbolt.Open(path, 0o600, &bbolt.Options{Timeout: 500 * time.Millisecond, FreelistType: bbolt.FreelistMapType}); err != nil {
			return err
		}
		return db.Update(prepare)
	})
	if err == nil {
		return newStore(&boltEngine{db: db}), nil
	}
	if db != nil && !errors.Is(err, ErrDamaged) {
		_ = db.Close() // a damaged one may never close
	}
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		err = fmt.Errorf("%w: is another master running with this folder?", ErrLocked)
	case errors.Is(err, ErrDamaged):
		err = fmt.Errorf("%w; move the file away and import the last export", err)
	}
	return nil, fmt.Errorf("cannot open the state %q: %w", path, err)
}

// prepare makes the buckets of a new file and checks those of another.
func prepare(t *bbolt.Tx) error {
	meta := t.Bucket(bucketMeta)
	if meta == nil {
		meta, err := t.CreateBucket(bucketMeta)
		if err != nil {
			return err
		}
		_, entries := t.CreateBucketIfNotExists(bucketEntries)
		_, logs := t.CreateBucketIfNotExists(bucketLogs)
		return errors.Join(entries, logs, meta.Put(keySchema, []byte{schema}))
	}
	version := meta.Get(keySchema)
	switch {
	case len(version) != 1 || t.Bucket(bucketEntries) == nil || t.Bucket(bucketLogs) == nil:
		return fmt.Errorf("%w: it does not say what it is", ErrDamaged)
	case version[0] > schema:
		return fmt.Errorf("%w: its schema is %d, this one's is %d", ErrNewer, version[0], schema)
	}
	return nil
}

// guard makes errors of what the library panics at: pages that make no sense,
// and faults of memory, as the file is mapped.
func guard(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", ErrDamaged, p)
		}
	}()
	err = f()
	if errors.Is(err, berrors.ErrInvalid) || errors.Is(err, berrors.ErrChecksum) || errors.Is(err, berrors.ErrVersionMismatch) {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return err
}

// boltEngine is the engine of Open.
type boltEngine struct{ db *bbolt.DB }

func (e *boltEngine) view(f func(tx) error) error {
	return guard(func() error { return e.db.View(func(t *bbolt.Tx) error { return f(newBoltTx(t)) }) })
}

func (e *boltEngine) update(f func(tx) error) error {
	err := guard(func() error { return e.db.Update(func(t *bbolt.Tx) error { return f(newBoltTx(t)) }) })
	if pe, ok := errors.AsType[*os.PathError](err); ok {
		return fmt.Errorf("cannot write the state %q: %w", e.db.Path(), pe.Err)
	}
	return err
}

func (e *boltEngine) close() error {
	if err := guard(e.db.Close); err != nil {
		return fmt.Errorf("cannot close the state %q: %w", e.db.Path(), err)
	}
	return nil
}

// boltTx implements tx.
type boltTx struct{ entries, records *bbolt.Bucket }

func newBoltTx(t *bbolt.Tx) *boltTx {
	return &boltTx{entries: t.Bucket(bucketEntries), records: t.Bucket(bucketLogs)}
}

func (t *boltTx) get(key string) ([]byte, bool) {
	value := t.entries.Get([]byte(key))
	return value, value != nil
}

func (t *boltTx) put(key string, value []byte) error { return t.entries.Put([]byte(key), value) }

func (t *boltTx) remove(key string) error { return t.entries.Delete([]byte(key)) }

func (t *boltTx) each(prefix string, f func(string, []byte) error) error {
	cursor := t.entries.Cursor()
	for key, value := cursor.Seek([]byte(prefix)); key != nil && bytes.HasPrefix(key, []byte(prefix)); key, value = cursor.Next() {
		if err := f(string(key), value); err != nil {
			return err
		}
	}
	return nil
}

func (t *boltTx) logs() []string {
	var names []string
	_ = t.records.ForEachBucket(func(name []byte) error {
		names = append(names, string(name))
		return nil
	})
	return names
}

func (t *boltTx) append(log string, record []byte) (uint64, error) {
	bucket, err := t.records.CreateBucketIfNotExists([]byte(log))
	if err != nil {
		return 0, err
	}
	bucket.FillPercent = 0.95 // it only grows at its end
	seq, err := bucket.NextSequence()
	if err != nil {
		return 0, err
	}
	return seq, bucket.Put(seqKey(seq), record)
}

func seqKey(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }

func (t *boltTx) next(log string, from uint64) (Record, bool) {
	bucket := t.records.Bucket([]byte(log))
	if bucket == nil {
		return Record{}, false
	}
	return newRecord(bucket.Cursor().Seek(seqKey(from)))
}

func (t *boltTx) previous(log string, before uint64) (Record, bool) {
	bucket := t.records.Bucket([]byte(log))
	if bucket == nil {
		return Record{}, false
	}
	cursor := bucket.Cursor()
	if key, _ := cursor.Seek(seqKey(before)); key == nil {
		return newRecord(cursor.Last())
	}
	return newRecord(cursor.Prev())
}

func newRecord(key, value []byte) (Record, bool) {
	if len(key) != 8 {
		return Record{}, false
	}
	return Record{Seq: binary.BigEndian.Uint64(key), Value: value}, true
}
