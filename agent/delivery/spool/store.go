package spool

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// FileName is the name of a store's file in the agent's folder.
const FileName = "spool.db"

// schema is the version of the file's format.
//
//	1 (2026-11-22): buckets meta (schema, id, totals) and reports, whose records
//	  may lie in pieces
const schema = 1

var (
	// ErrDamaged is wrapped by the error of a file that is no longer readable. The
	// store must be abandoned, and its file moved aside.
	ErrDamaged = errors.New("the file is damaged")
	// ErrNewer is wrapped by the error of a file that was made by a newer version.
	ErrNewer = errors.New("the file was made by a newer version")
)

// Options bound a store.
type Options struct {
	// MaxBytes is how much the file may take on the disk.
	MaxBytes int64
	// MaxAge is how long a report is kept.
	MaxAge time.Duration
}

// Totals describe the content of a store and its work since its folder was made.
type Totals struct {
	Reports uint64
	Bytes   uint64 // about how much of the file the reports take
	Samples uint64
	Moved   uint64 // samples that were ever added
	Dropped uint64 // of these, samples that were dropped because of age, room or damage
}

// Kept is a report that a store has given out.
type Kept struct {
	ID uint64 // pass it to Apply when the master has the report
	Report
}

// Store is the file. A report that it gives out stays in it until the store is
// told that the master has it.
type Store struct {
	path string
	opts Options
	db   *bbolt.DB // nil if it could not be opened again

	id     string // names the numbering of reports that were never sent
	totals Totals
	sealed uint64 // records up to this id no longer change: they may have been sent
	out    map[uint64]struct{}
	bad    map[uint64]struct{}  // skipped because they are damaged
	later  map[uint64]time.Time // not given out before this time
}

var (
	bucketMeta    = []byte("meta")
	bucketReports = []byte("reports")
	keySchema     = []byte("schema")
	keyID         = []byte("id")
	keyTotals     = []byte("totals")
)

// Open opens the file, or makes it. After an error that wraps ErrDamaged, trying
// again does not help; see wholefile.MoveAside.
func Open(path string, opts Options) (*Store, error) {
	s := &Store{path: path, opts: opts, out: make(map[uint64]struct{}), bad: make(map[uint64]struct{}), later: make(map[uint64]time.Time)}
	if err := s.open(); err != nil {
		return nil, fmt.Errorf("cannot open the spool %q: %w", path, err)
	}
	return s, nil
}

func (s *Store) open() error {
	db, err := openFile(s.path, s.opts.MaxBytes)
	if err != nil {
		return err
	}
	s.db = db
	err = guard(func() error {
		err := s.load()
		if errors.Is(err, errNoSchema) {
			return db.Update(func(tx *bbolt.Tx) error { return initialize(tx, newID(), &Totals{}, 0) })
		}
		return err
	})
	if err == nil {
		err = guard(s.load)
	}
	if err != nil && !errors.Is(err, ErrDamaged) {
		_ = db.Close() // closing a damaged one might never end
	}
	return err
}

// leastBytes is less than the size of an empty file of the library: four pages.
const leastBytes = 4 * 4096

// openFile opens the library's file. The Claim's lock gives the better error; the
// library's own lock is waited for only a moment.
func openFile(path string, maxBytes int64) (db *bbolt.DB, err error) {
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Size() > 0 && info.Size() < leastBytes {
		return nil, fmt.Errorf("%w: it has %d bytes", ErrDamaged, info.Size())
	}
	err = guard(func() error {
		db, err = bbolt.Open(path, 0o600, &bbolt.Options{
			Timeout:      time.Second,
			MaxSize:      int(min(maxBytes, math.MaxInt)),
			FreelistType: bbolt.FreelistMapType,
		})
		return err
	})
	switch {
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrChecksum), errors.Is(err, berrors.ErrVersionMismatch):
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	case errors.Is(err, berrors.ErrTimeout):
		return nil, errors.New("another process has it open")
	case err != nil:
		return nil, err
	}
	db.AllocSize = int(min(1<<20, maxBytes/16))
	return db, nil
}

// guard runs a function that reads or writes the file. The library panics at a
// malformed page. Because the file is mapped, reading a truncated file or a broken
// disk is a memory fault. Both count as damage here, and do not end the agent.
func guard(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", ErrDamaged, p)
		}
	}()
	return f()
}

// newID names a numbering. It looks like a boot id, and the master treats it as
// one.
func newID() string { return "spool-" + strings.ToLower(rand.Text()) }

func initialize(tx *bbolt.Tx, id string, totals *Totals, sequence uint64) error {
	meta, err := tx.CreateBucketIfNotExists(bucketMeta)
	if err != nil {
		return err
	}
	reports, err := tx.CreateBucketIfNotExists(bucketReports)
	if err != nil {
		return err
	}
	return errors.Join(
		meta.Put(keySchema, []byte{schema}),
		meta.Put(keyID, []byte(id)),
		putTotals(meta, totals),
		reports.SetSequence(sequence))
}

var errNoSchema = errors.New("the file is empty")

// load reads the file's description of itself.
func (s *Store) load() error {
	return s.db.View(func(tx *bbolt.Tx) error {
		meta, reports := tx.Bucket(bucketMeta), tx.Bucket(bucketReports)
		if meta == nil && reports == nil {
			return errNoSchema
		}
		if meta == nil || reports == nil {
			return fmt.Errorf("%w: a bucket is missing", ErrDamaged)
		}
		version, id := meta.Get(keySchema), meta.Get(keyID)
		switch {
		case len(version) != 1 || len(id) == 0 || !s.totals.read(meta.Get(keyTotals)):
			return fmt.Errorf("%w: its description is missing", ErrDamaged)
		case version[0] > schema:
			return fmt.Errorf("%w: its schema is %d, this one's is %d", ErrNewer, version[0], schema)
		}
		s.id, s.sealed = string(id), reports.Sequence()
		return nil
	})
}

func (t *Totals) read(b []byte) bool {
	return binary.Read(bytes.NewReader(b), binary.LittleEndian, t) == nil
}

func putTotals(meta *bbolt.Bucket, t *Totals) error {
	b, err := binary.Append(nil, binary.LittleEndian, t)
	if err != nil {
		return err
	}
	return meta.Put(keyTotals, b)
}

// Totals returns what the store holds and has done.
func (s *Store) Totals() Totals { return s.totals }

// Close closes the file. Do not call it on a damaged store.
func (s *Store) Close() error {
	if s.db == nil {
		return nil
	}
	if err := guard(s.db.Close); err != nil {
		return fmt.Errorf("cannot close the spool %q: %w", s.path, err)
	}
	return nil
}
