package state

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// FileName is the name of the state's file in the master's data folder.
const FileName = "state.db"

// schema is the version of the file's format.
//
//	1 (2026-11-29): buckets meta (schema), entries, and logs with one for each log
//	2 (2026-11-29): a checksum before each value
const schema = 2

const (
	// lockWithin is how long Open waits for a process that is about to end.
	lockWithin = 500 * time.Millisecond
	// leastBytes is less than the size of an empty file of the library.
	leastBytes = 4 * 4096
)

var (
	bucketMeta    = []byte("meta")
	bucketEntries = []byte("entries")
	bucketLogs    = []byte("logs")
	keySchema     = []byte("schema")
)

// Open opens the state in a file, or makes one. A commit is on the disk when it
// returns. If ErrLocked, ErrDamaged or ErrNewer is the reason of a failure, the
// error wraps it; it names the file.
func Open(path string) (Store, error) {
	e := &boltEngine{path: path}
	if err := e.open(); err != nil {
		if e.db != nil {
			_ = e.close()
		}
		return nil, fmt.Errorf("cannot open the state %q: %w", path, err)
	}
	return newStore(e), nil
}

func (e *boltEngine) open() error {
	info, err := os.Stat(e.path)
	isNew := err != nil || info.Size() == 0
	if !isNew && info.Mode().IsRegular() && info.Size() < leastBytes {
		return damaged(fmt.Sprintf("it has %d bytes", info.Size()))
	}
	err = e.guard(func() (err error) {
		e.db, err = bbolt.Open(e.path, 0o600, &bbolt.Options{Timeout: lockWithin, FreelistType: bbolt.FreelistMapType})
		if err == nil {
			err = e.db.Update(prepare)
		}
		return err
	})
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return fmt.Errorf("%w: is another master running with this folder?", ErrLocked)
	case err == nil && isNew:
		return syncFolder(filepath.Dir(e.path))
	}
	return err
}

// syncFolder forces the name of a new file to the disk.
func syncFolder(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // it does not support that
	}
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// prepare makes the buckets of a new file and checks those of an existing one.
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
	case len(version) != 1:
		return damaged("its description is missing")
	case version[0] == 1: // of no release
		return damaged("it was made by an early version and has no checksums")
	case version[0] > schema:
		return fmt.Errorf("%w: its schema is %d, this one's is %d", ErrNewer, version[0], schema)
	case t.Bucket(bucketEntries) == nil || t.Bucket(bucketLogs) == nil:
		return damaged("a part is missing")
	}
	return nil
}

// damaged is the error of a file that cannot be read.
func damaged(why any) error {
	return fmt.Errorf("%w: %v; move the file away and import the last export", ErrDamaged, why)
}

// boltEngine is the engine of Open.
type boltEngine struct {
	path   string
	db     *bbolt.DB
	broken atomic.Pointer[error] // why the file is no longer used, or nil
}

// guard turns the library's panics into errors. It panics at malformed pages, and
// because the file is mapped there may be memory faults. After one, the library
// may hold its locks for ever, so it is not called again.
func (e *boltEngine) guard(f func() error) (err error) {
	if broken := e.broken.Load(); broken != nil {
		return *broken
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		p := recover()
		if bad, ok := p.(badValue); ok {
			err = damaged(bad) // and nothing else
		} else if p != nil {
			err = damaged(p)
			e.broken.CompareAndSwap(nil, &err)
		}
	}()
	err = f()
	if errors.Is(err, berrors.ErrInvalid) || errors.Is(err, berrors.ErrChecksum) || errors.Is(err, berrors.ErrVersionMismatch) {
		return damaged(err)
	}
	return err
}

// tell adds the file to an error that does not name it.
func (e *boltEngine) tell(verb string, err error) error {
	if errors.Is(err, ErrDamaged) {
		return fmt.Errorf("cannot %s the state %q: %w", verb, e.path, err)
	}
	return err
}

func (e *boltEngine) view(f func(tx) error) error {
	return e.tell("read", e.guard(func() error { return e.db.View(func(t *bbolt.Tx) error { return f(newBoltTx(t)) }) }))
}

func (e *boltEngine) update(f func(tx) error) error {
	err := e.guard(func() error { return e.db.Update(func(t *bbolt.Tx) error { return f(newBoltTx(t)) }) })
	if pe, ok := errors.AsType[*os.PathError](err); ok {
		return fmt.Errorf("cannot write the state %q: %w", e.path, pe.Err)
	}
	return e.tell("write", err)
}

// close leaves a broken file open, because closing it might never end.
func (e *boltEngine) close() error {
	if e.broken.Load() != nil {
		return nil
	}
	return e.tell("close", e.guard(e.db.Close))
}

// boltTx implements tx.
type boltTx struct{ meta, entries, records *bbolt.Bucket }

func newBoltTx(t *bbolt.Tx) *boltTx {
	return &boltTx{meta: t.Bucket(bucketMeta), entries: t.Bucket(bucketEntries), records: t.Bucket(bucketLogs)}
}

func (t *boltTx) get(key string) ([]byte, bool) {
	value := t.entries.Get([]byte(key))
	if value == nil {
		return nil, false
	}
	return unseal([]byte(key), value), true
}

func (t *boltTx) put(key string, value []byte) error {
	return t.entries.Put([]byte(key), seal([]byte(key), value))
}

func (t *boltTx) remove(key string) error { return t.entries.Delete([]byte(key)) }

func (t *boltTx) each(prefix string, f func(string, []byte) error) error {
	cursor, last := t.entries.Cursor(), []byte(nil)
	for key, value := cursor.Seek([]byte(prefix)); key != nil && bytes.HasPrefix(key, []byte(prefix)); key, value = cursor.Next() {
		if bytes.Compare(key, last) <= 0 {
			return damaged(fmt.Sprintf("after the key %q comes %q", last, key))
		}
		if err := f(string(key), unseal(key, value)); err != nil {
			return err
		}
		last = key
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
	return seq, bucket.Put(seqKey(seq), seal(seqKey(seq), record))
}

// firstKey is the key, in the part that describes the file, of the number with
// which a log begins if that is not 1.
func firstKey(log string) []byte { return []byte("first/" + log) }

func (t *boltTx) first(log string) uint64 {
	key := firstKey(log)
	sealed := t.meta.Get(key)
	if sealed == nil {
		return 1
	}
	number := unseal(key, sealed)
	if len(number) != 8 {
		panic(badValue(fmt.Sprintf("the log %q does not say where it begins", log)))
	}
	return binary.BigEndian.Uint64(number)
}

func (t *boltTx) trim(log string, first uint64) error {
	cursor := t.records.Bucket([]byte(log)).Cursor()
	for key, _ := cursor.First(); key != nil && bytes.Compare(key, seqKey(first)) < 0; key, _ = cursor.First() {
		if err := cursor.Delete(); err != nil {
			return err
		}
	}
	return t.meta.Put(firstKey(log), seal(firstKey(log), seqKey(first)))
}

func (t *boltTx) begin(log string, first uint64) error {
	bucket, err := t.records.CreateBucketIfNotExists([]byte(log))
	if err != nil {
		return err
	}
	return errors.Join(bucket.SetSequence(first-1), t.meta.Put(firstKey(log), seal(firstKey(log), seqKey(first))))
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
		// In some damaged files the library's search for the last key never ends.
		return newRecord(cursor.Seek(seqKey(bucket.Sequence())))
	}
	return newRecord(cursor.Prev())
}

// newRecord makes a record from the result of a cursor. If it has no number, it
// gets 0, which counts as damage.
func newRecord(key, value []byte) (Record, bool) {
	if len(key) != 8 {
		return Record{}, key != nil
	}
	return Record{Seq: binary.BigEndian.Uint64(key), Value: unseal(key, value)}, true
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checksum covers a key and its value, so that neither can be exchanged.
func checksum(key, value []byte) uint32 {
	return crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, value)
}

// seal returns the stored form of a value.
func seal(key, value []byte) []byte {
	b := binary.LittleEndian.AppendUint32(make([]byte, 0, 4+len(value)), checksum(key, value))
	return append(b, value...)
}

// badValue is what unseal panics with, for guard.
type badValue string

// unseal returns the value that was sealed. It panics if the value has changed.
func unseal(key, sealed []byte) []byte {
	if len(sealed) < 4 || binary.LittleEndian.Uint32(sealed) != checksum(key, sealed[4:]) {
		panic(badValue(fmt.Sprintf("the value of %q is not what was written", key)))
	}
	return sealed[4:]
}
