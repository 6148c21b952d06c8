package spool

import (
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
	// joinBytes is the size up to which what was never sent is joined into one
	// record. A record names each of its series once, so small ones would be
	// mostly names; larger ones would be written again and again while they grow.
	joinBytes = 32 << 10
	// shrinkBytes is the size from which an empty file is made anew, as a file
	// never gives room back.
	shrinkBytes = 1 << 20
)

// A record's key is its id, in the order of time, and what has to be known to
// drop it.
const keyBytes = 8 + 8 + 4

type recordKey struct {
	id      uint64
	newest  int64 // ms since the epoch
	samples uint32
}

func (k recordKey) bytes() []byte {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, keyBytes), k.id)
	b = binary.BigEndian.AppendUint64(b, uint64(k.newest))
	return binary.BigEndian.AppendUint32(b, k.samples)
}

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

// cost is what a record takes of the file: a page holds two of them or more,
// and those that are large begin a page.
func cost(value []byte) uint64 {
	n := uint64(len(value)) + keyBytes
	if n < 1500 {
		return n + 64
	}
	return n + 2048
}

// errUnchanged ends a transaction that has nothing to write.
var errUnchanged = errors.New("nothing has changed")

// Apply puts reports in, removes those that the master has, and drops what is
// too old or too much, oldest first; all of it is on the disk when it returns
// true, or none. What was given out is not dropped. The error beside true says
// that what is done is done, but that the store may not be usable any more.
//
// ids has the id of each report that has a record of its own, and 0 for those
// that were joined.
func (s *Store) Apply(now time.Time, add []Report, done []uint64) (ids []uint64, ok bool, err error) {
	ids = make([]uint64, len(add))
	totals, err := s.apply(now, add, ids, done)
	for range 8 {
		if !errors.Is(err, berrors.ErrMaxSizeReached) {
			break
		}
		// The file is fuller than the reports that are in it say, or has no room
		// in one piece. A quarter of them goes, and it is tried again.
		if totals, err = s.makeRoom(); err == nil {
			s.totals = totals
			totals, err = s.apply(now, add, ids, done)
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

// Hold has a report that was put in count as given out: it is on its way.
func (s *Store) Hold(id uint64) {
	s.out[id] = struct{}{}
	s.sealed = max(s.sealed, id)
}

func (s *Store) apply(now time.Time, add []Report, ids, done []uint64) (Totals, error) {
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

// room is how much of the file is for reports. The rest is for pages that are
// half full, and for those that a transaction writes before it frees others.
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
			t.reports.FillPercent = 0.9 // records come in order
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

// remove takes one record out, if it is there.
func (t *change) remove(id uint64, dropped bool) {
	key, value := t.reports.Cursor().Seek(binary.BigEndian.AppendUint64(nil, id))
	if k, ok := parseKey(key); ok && k.id == id && t.err == nil {
		t.take(k, value, dropped)
	}
}

// take takes a record out that a cursor stands on.
func (t *change) take(k recordKey, value []byte, dropped bool) {
	t.dirty = true
	size := cost(value)
	if t.err = t.reports.Delete(k.bytes()); t.err != nil {
		return
	}
	t.totals.Reports--
	t.totals.Bytes -= min(size, t.totals.Bytes)
	t.totals.Samples -= min(uint64(k.samples), t.totals.Samples)
	if dropped {
		t.totals.Dropped += uint64(k.samples)
	}
}

// add puts reports in at the end: each that was sent before by itself, the
// others joined with each other and with the last record, where that was never
// given out.
func (t *change) add(reports []Report, ids []uint64, now time.Time) {
	j, joined := newJoiner(), 0
	flush := func() {
		if j.into.Len() > 0 {
			t.put(j.into, now)
		}
		j, joined = newJoiner(), 0
	}
	if len(reports) > 0 {
		joined = t.reopen(j)
	}
	for i := range reports {
		r := &reports[i]
		t.totals.Moved += uint64(r.Len())
		size := len(encode(r))
		if r.Boot != "" || size >= joinBytes {
			flush() // so that the order stays
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

// reopen takes the last record out to go on with it, if it is small and has
// never been given out, and returns its size.
func (t *change) reopen(j *joiner) (size int) {
	key, value := t.reports.Cursor().Last()
	k, ok := parseKey(key)
	if !ok || k.id <= t.store.sealed || len(value) >= joinBytes || t.err != nil {
		return 0
	}
	r, err := decode(value)
	if err != nil || r.Boot != "" {
		return 0
	}
	size = len(value)
	t.take(k, value, false)
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
	// The clock may have been set back since the samples were made: what is
	// kept longest goes by what is newest.
	k := recordKey{id: id, newest: max(slices.Max(r.Times), 0), samples: uint32(r.Len())}
	k.newest = min(k.newest, now.UnixMilli())
	value := encode(r)
	if t.err = t.reports.Put(k.bytes(), value); t.err != nil {
		return 0
	}
	t.totals.Reports++
	t.totals.Bytes += cost(value)
	t.totals.Samples += uint64(k.samples)
	return id
}

// expire drops what is older than a time, up to the first that is not.
func (t *change) expire(before int64) {
	t.dropWhile(func(k recordKey) bool { return k.newest < before })
}

// bound drops the oldest until the rest takes so much room.
func (t *change) bound(room uint64) {
	t.dropWhile(func(recordKey) bool { return t.totals.Bytes > room })
}

// dropWhile drops records, oldest first, but those that were given out.
func (t *change) dropWhile(old func(recordKey) bool) {
	cursor := t.reports.Cursor()
	key, value := cursor.First()
	for key != nil && t.err == nil {
		k, ok := parseKey(key)
		if !ok {
			t.err = fmt.Errorf("%w: a record has a key of %d bytes", ErrDamaged, len(key))
			return
		}
		if _, out := t.store.out[k.id]; out {
			key, value = cursor.Next()
			continue
		}
		if !old(k) {
			return
		}
		t.take(k, value, true)
		key, value = cursor.Seek(k.bytes()) // the one after it
	}
}

// Next gives out the oldest reports that are not given out yet, up to so many.
// A damaged one is passed over; the next Apply drops it.
func (s *Store) Next(most int) ([]Kept, error) {
	var next []Kept
	if s.db == nil {
		return nil, nil // the next Apply tells why
	}
	err := guard(func() error {
		return s.db.View(func(tx *bbolt.Tx) error {
			cursor := tx.Bucket(bucketReports).Cursor()
			for key, value := cursor.First(); key != nil && len(next) < most; key, value = cursor.Next() {
				k, ok := parseKey(key)
				if !ok {
					return fmt.Errorf("%w: a record has a key of %d bytes", ErrDamaged, len(key))
				}
				if kept, ok := s.give(k, value); ok {
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
	}
	return next, nil
}

func (s *Store) give(k recordKey, value []byte) (Kept, bool) {
	_, out := s.out[k.id]
	_, bad := s.bad[k.id]
	if out || bad {
		return Kept{}, false
	}
	r, err := decode(value)
	if err != nil || r.Len() != int(k.samples) {
		s.bad[k.id] = struct{}{}
		return Kept{}, false
	}
	if r.Boot == "" {
		r.Boot, r.Seq = s.id, k.id
	}
	return Kept{ID: k.id, Report: *r}, true
}

// Damaged returns how many records were passed over as damaged and are not
// dropped yet.
func (s *Store) Damaged() int { return len(s.bad) }

// shrink makes an empty file anew that has grown. The numbering goes on.
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

// Renew makes an empty file anew, in as little room as there can be.
func (s *Store) Renew() error {
	if err := s.replace(); err != nil {
		return fmt.Errorf("cannot make the spool %q anew: %w", s.path, err)
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
