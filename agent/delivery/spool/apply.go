package spool

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

const (
	// joinBytes is the size up to which reports that were never sent are joined
	// into one record. A record names each of its series once, so small records
	// would be mostly names; larger ones would be written again and again while
	// they grow.
	joinBytes = 32 << 10
	// shrinkBytes is the size from which an empty file is replaced by a new one,
	// because a file never shrinks.
	shrinkBytes = 1 << 20
)

// pieceBytes is how many bytes of a record one value holds. Three values fill a
// page of 4 KiB, so that no write ever needs adjacent pages: a file that is nearly
// full may have none.
const pieceBytes = 1280

// A record is stored under its key: its id, which follows the order of time, and
// the numbers that are needed to drop it. Further pieces of a large record follow
// under the same key with the number of the piece, from 1.
const (
	keyBytes      = 8 + 8 + 4
	pieceKeyBytes = 2 // of the number
)

type recordKey struct {
	id      uint64
	newest  int64 // ms since the epoch
	samples uint32
}

func (k recordKey) bytes() []byte {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, keyBytes+pieceKeyBytes), k.id)
	b = binary.BigEndian.AppendUint64(b, uint64(k.newest))
	return binary.BigEndian.AppendUint32(b, k.samples)
}

// piece returns the key of the record's i-th piece.
func (k recordKey) piece(i int) []byte {
	if i == 0 {
		return k.bytes()
	}
	return binary.BigEndian.AppendUint16(k.bytes(), uint16(i))
}

// parseKey reads the key of a record's first piece.
func parseKey(b []byte) (recordKey, bool) {
	if len(b) != keyBytes {
		return recordKey{}, false
	}
	return recordKey{
		id:      binary.BigEndian.Uint64(b),
		newest:  int64(binary.BigEndian.Uint64(b[8:])),
		samples: binary.BigEndian.Uint32(b[16:]),
	}, true
}

// pieces reads the pieces of the record at whose first key a cursor stands, and
// moves the cursor to the key after it, which it returns with its value.
func pieces(c *bbolt.Cursor, key, value []byte) (all [][]byte, next, nextValue []byte) {
	first := key
	for len(key) >= keyBytes && bytes.Equal(key[:keyBytes], first) {
		all = append(all, value)
		key, value = c.Next()
	}
	return all, key, value
}

// cost is how much of the file a record takes: its bytes, and for each piece its
// key and its share of the page's unused part.
func cost(bytes, pieces int) uint64 { return uint64(bytes + 100*pieces) }

func length(pieces [][]byte) (n int) {
	for _, p := range pieces {
		n += len(p)
	}
	return n
}

// ErrFull is wrapped by the error of Apply when everything that could be dropped
// to make room has been given out. Finished reports make room.
var ErrFull = errors.New("it is full of reports that are on their way")

// errUnchanged ends a transaction that has nothing to write.
var errUnchanged = errors.New("nothing has changed")

// Apply adds reports, removes those that the master has, and drops those that are
// too old or too many, oldest first. If it returns true, all of it is on the disk,
// otherwise none. Reports that were given out are not dropped. An error together
// with true means that the changes are made, but the store may no longer be
// usable.
//
// ids has the id of each report that has its own record, and 0 for those that were
// joined.
func (s *Store) Apply(now time.Time, add []Report, done []uint64) (ids []uint64, ok bool, err error) {
	ids = make([]uint64, len(add))
	apply := func() (Totals, error) {
		return s.change(func(t *change) error {
			for _, id := range done {
				t.remove(id, false)
			}
			for id := range s.bad {
				t.remove(id, true)
			}
			t.add(add, ids, now)
			t.expire(now.Add(-s.opts.MaxAge).UnixMilli())
			t.bound(s.room())
			return t.err
		})
	}
	totals, err := apply()
	for range 8 {
		if !errors.Is(err, berrors.ErrMaxSizeReached) {
			break
		}
		// The file is fuller than the sizes of its reports say. A quarter of them
		// is dropped, and the write is tried again.
		if totals, err = s.makeRoom(); errors.Is(err, errUnchanged) {
			err = berrors.ErrMaxSizeReached
			break
		}
		if err == nil {
			s.totals = totals
			totals, err = apply()
		}
	}
	if errors.Is(err, berrors.ErrMaxSizeReached) {
		err = ErrFull
		if len(s.out) == 0 {
			err = fmt.Errorf("%w: it has no room, although everything in it could be dropped", ErrDamaged)
		}
	}
	if err != nil && !errors.Is(err, errUnchanged) {
		return nil, false, fmt.Errorf("cannot write the spool %q: %w", s.path, err)
	}
	s.totals = totals
	for _, id := range done {
		delete(s.out, id)
	}
	clear(s.bad)
	return ids, true, s.shrink()
}

// Hold marks an added report as given out: it is on its way.
func (s *Store) Hold(id uint64) {
	s.out[id] = struct{}{}
	s.sealed = max(s.sealed, id)
}

// Later takes back a report that was given out. It is not given out again before a
// time, and is dropped like the others when it is too old or there is no room.
func (s *Store) Later(id uint64, until time.Time) {
	delete(s.out, id)
	s.later[id] = until
}

// room is how much of the file reports may use. The rest is for half-full pages,
// and for pages that a transaction writes before it frees others.
func (s *Store) room() uint64 { return uint64(s.opts.MaxBytes)/4*3 - 128<<10 }

func (s *Store) makeRoom() (Totals, error) {
	return s.change(func(t *change) error {
		t.bound(t.totals.Bytes / 4 * 3)
		return t.err
	})
}

// change is one transaction. After an error it does nothing more.
type change struct {
	store   *Store
	reports *bbolt.Bucket
	totals  Totals
	err     error
	dirty   bool
}

func (s *Store) change(f func(*change) error) (Totals, error) {
	if s.db == nil {
		if err := s.open(); err != nil {
			return s.totals, err
		}
	}
	t := &change{store: s, totals: s.totals}
	err := guard(func() error {
		return s.db.Update(func(tx *bbolt.Tx) error {
			t.reports = tx.Bucket(bucketReports)
			t.reports.FillPercent = 1 // records come in order
			if err := f(t); err != nil {
				return err
			}
			if !t.dirty {
				return errUnchanged
			}
			return putTotals(tx.Bucket(bucketMeta), &t.totals)
		})
	})
	return t.totals, err
}

// remove removes one record, if it is there.
func (t *change) remove(id uint64, dropped bool) {
	cursor := t.reports.Cursor()
	key, value := cursor.Seek(binary.BigEndian.AppendUint64(nil, id))
	if k, ok := parseKey(key); ok && k.id == id && t.err == nil {
		all, _, _ := pieces(cursor, key, value)
		t.take(k, all, dropped)
	}
}

// take removes the record that consists of these pieces.
func (t *change) take(k recordKey, pieces [][]byte, dropped bool) {
	t.dirty = true
	size := cost(length(pieces), len(pieces))
	for i := range pieces {
		if t.err = t.reports.Delete(k.piece(i)); t.err != nil {
			return
		}
	}
	delete(t.store.later, k.id)
	t.totals.Reports--
	t.totals.Bytes -= min(size, t.totals.Bytes)
	t.totals.Samples -= min(uint64(k.samples), t.totals.Samples)
	if dropped {
		t.totals.Dropped += uint64(k.samples)
	}
}

// add appends reports: each that was sent before gets its own record; the others
// are joined with each other and with the last record, if that was never given
// out. Ends of series have their own records, before the others, because only the last
// one can be extended, and most reports have no ends.
func (t *change) add(reports []Report, ids []uint64, now time.Time) {
	values, ends := make([]*Report, len(reports)), make([]*Report, len(reports))
	for i := range reports {
		t.totals.Moved += uint64(reports[i].Samples())
		values[i], ends[i] = reports[i].split()
	}
	t.append(ends, ids, now)
	t.append(values, ids, now)
}

// append is add for reports of one kind, some of which may be nil.
func (t *change) append(reports []*Report, ids []uint64, now time.Time) {
	j, joined := newJoiner(), 0
	flush := func() {
		if j.into.Len() > 0 {
			t.put(j.into, now)
		}
		j, joined = newJoiner(), 0
	}
	first := slices.IndexFunc(reports, func(r *Report) bool { return r != nil })
	if first < 0 {
		return
	}
	joined = t.reopen(j, reports[first].version())
	for i, r := range reports {
		if r == nil {
			continue
		}
		size := len(encode(r))
		if r.Boot != "" || size >= joinBytes {
			flush() // to preserve the order
			ids[i] = t.put(r, now)
			continue
		}
		j.add(r)
		if joined += size; joined >= joinBytes {
			flush()
		}
	}
	flush()
}

// reopen removes the last record so that it can be extended, if it is small, of a version,
// and has never been given out, and returns its size.
func (t *change) reopen(j *joiner, version byte) (size int) {
	// In some damaged files the library's search for the last key never ends.
	last, cursor := t.reports.Sequence(), t.reports.Cursor()
	key, value := cursor.Seek(binary.BigEndian.AppendUint64(nil, last))
	k, ok := parseKey(key)
	if !ok || k.id != last || last <= t.store.sealed || t.err != nil {
		return 0
	}
	all, _, _ := pieces(cursor, key, value)
	if size = length(all); size >= joinBytes {
		return 0
	}
	r, err := decode(slices.Concat(all...))
	if err != nil || r.Boot != "" || all[0][0] != version || version == recordValues && r.Samples() < r.Len() {
		return 0
	}
	t.take(k, all, false)
	j.add(r)
	return size
}

// put writes a record under the next id, and returns that.
func (t *change) put(r *Report, now time.Time) uint64 {
	if t.err != nil {
		return 0
	}
	id, err := t.reports.NextSequence()
	if t.err = err; err != nil {
		return 0
	}
	t.dirty = true
	// The clock may have been set back since the samples were made, so the age of
	// a record is that of its newest sample.
	k := recordKey{id: id, newest: max(slices.Max(r.Times), 0), samples: uint32(r.Samples())}
	k.newest = min(k.newest, now.UnixMilli())
	value, n := encode(r), 0
	for piece := range slices.Chunk(value, pieceBytes) {
		if t.err = t.reports.Put(k.piece(n), piece); t.err != nil {
			return 0
		}
		n++
	}
	t.totals.Reports++
	t.totals.Bytes += cost(len(value), n)
	t.totals.Samples += uint64(k.samples)
	return id
}

// expire drops records that are older than a time, up to the first that is not.
func (t *change) expire(before int64) {
	t.dropWhile(func(k recordKey) bool { return k.newest < before })
}

// bound drops the oldest records until the rest fits into the room.
func (t *change) bound(room uint64) {
	t.dropWhile(func(recordKey) bool { return t.totals.Bytes > room })
}

// dropWhile drops records, oldest first, except those that were given out.
func (t *change) dropWhile(old func(recordKey) bool) {
	cursor := t.reports.Cursor()
	key, value := cursor.First()
	for key != nil && t.err == nil {
		k, ok := parseKey(key)
		if !ok {
			t.err = fmt.Errorf("%w: a record has a key of %d bytes", ErrDamaged, len(key))
			return
		}
		_, out := t.store.out[k.id]
		if !out && !old(k) {
			return
		}
		var all [][]byte
		if all, key, value = pieces(cursor, key, value); out {
			continue
		}
		t.take(k, all, true)
		key, value = cursor.Seek(k.bytes()) // the key after it
	}
}

// Next gives out the oldest reports that are not given out yet and may be given
// out now, up to a number. A damaged one is skipped; the next Apply drops it.
func (s *Store) Next(now time.Time, most int) ([]Kept, error) {
	var next []Kept
	if s.db == nil {
		return nil, nil // the next Apply returns the reason
	}
	err := guard(func() error {
		return s.db.View(func(tx *bbolt.Tx) error {
			cursor := tx.Bucket(bucketReports).Cursor()
			for key, value := cursor.First(); key != nil && len(next) < most; {
				k, ok := parseKey(key)
				if !ok {
					return fmt.Errorf("%w: a record has a key of %d bytes", ErrDamaged, len(key))
				}
				var all [][]byte
				all, key, value = pieces(cursor, key, value)
				if now.Before(s.later[k.id]) {
					continue
				}
				if kept, ok := s.give(k, all); ok {
					next = append(next, kept)
				}
			}
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("cannot read the spool %q: %w", s.path, err)
	}
	for i := range next {
		s.Hold(next[i].ID)
		delete(s.later, next[i].ID)
	}
	return next, nil
}

func (s *Store) give(k recordKey, pieces [][]byte) (Kept, bool) {
	_, out := s.out[k.id]
	_, bad := s.bad[k.id]
	if out || bad {
		return Kept{}, false
	}
	r, err := decode(slices.Concat(pieces...))
	if err != nil || r.Samples() != int(k.samples) && r.Len() != int(k.samples) {
		s.bad[k.id] = struct{}{}
		return Kept{}, false
	}
	if r.Boot == "" {
		r.Boot, r.Seq = s.id, k.id
	}
	return Kept{ID: k.id, Report: *r}, true
}

// Damaged returns how many records were skipped as damaged and have not been
// dropped yet.
func (s *Store) Damaged() int { return len(s.bad) }

// shrink replaces an empty file that has grown by a new one. The numbering
// continues.
func (s *Store) shrink() error {
	if s.totals.Reports > 0 {
		return nil
	}
	info, err := os.Stat(s.path)
	if err != nil || info.Size() < shrinkBytes {
		return nil
	}
	return s.Renew()
}

// Renew replaces an empty file by a new one that is as small as possible.
func (s *Store) Renew() error {
	if err := s.replace(); err != nil {
		return fmt.Errorf("cannot replace the spool %q by an empty one: %w", s.path, err)
	}
	return nil
}

func (s *Store) replace() error {
	if s.db == nil {
		return s.open()
	}
	sequence := uint64(0)
	if err := guard(func() error {
		return s.db.View(func(tx *bbolt.Tx) error {
			sequence = tx.Bucket(bucketReports).Sequence()
			return nil
		})
	}); err != nil {
		return err
	}
	fresh := s.path + ".new"
	if err := os.RemoveAll(fresh); err != nil {
		return err
	}
	db, err := openFile(fresh, s.opts.MaxBytes)
	if err != nil {
		return err
	}
	err = guard(func() error {
		return db.Update(func(tx *bbolt.Tx) error { return initialize(tx, s.id, &s.totals, sequence) })
	})
	if err = errors.Join(err, db.Close()); err != nil {
		return errors.Join(err, os.Remove(fresh))
	}
	if err := s.Close(); err != nil {
		return err
	}
	s.db = nil
	return errors.Join(os.Rename(fresh, s.path), s.open())
}
