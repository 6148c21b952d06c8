package spool

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/damage"
	"github.com/vedettehq/vedette/internal/wholefile"
)

var roomy = Options{MaxBytes: 64 << 20, MaxAge: 24 * time.Hour}

// start is a time for tests; samples are numbered from it.
var start = time.UnixMilli(1_767_225_600_000)

func open(t testing.TB, path string, opts Options) *Store {
	t.Helper()
	s, err := Open(path, opts)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newStore(t testing.TB, opts Options) *Store {
	t.Helper()
	s := open(t, filepath.Join(t.TempDir(), FileName), opts)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func reopen(t *testing.T, s *Store) *Store {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, s.path, s.opts)
	t.Cleanup(func() { _ = again.Close() })
	return again
}

func (s *Store) mustApply(t testing.TB, now time.Time, add []Report, done ...uint64) {
	t.Helper()
	if _, ok, err := s.Apply(now, add, done); !ok || err != nil {
		t.Fatal(err)
	}
}

func (s *Store) mustNext(t testing.TB, most int) []Kept {
	t.Helper()
	kept, err := s.Next(start, most)
	if err != nil {
		t.Fatal(err)
	}
	return kept
}

// numbered is a report of samples with these values, each at as many
// milliseconds after the start.
func numbered(values ...int) Report {
	labels, _ := inspectors.NewLabels("mount", "/", "kind", "ext4")
	r := Report{Series: []Series{{Key: "disk/used_percent", Labels: labels}, {Key: "net/bytes_total", Kind: inspectors.Counter}}}
	for i, v := range values {
		r.Times = append(r.Times, start.UnixMilli()+int64(v))
		r.Of = append(r.Of, uint32(i%2))
		r.Values = append(r.Values, float64(v))
	}
	return r
}

func values(kept []Kept) (all []int) {
	for _, k := range kept {
		for i, v := range k.Values {
			if k.Times[i] != start.UnixMilli()+int64(v) {
				panic("a sample has the time of another")
			}
			all = append(all, int(v))
		}
	}
	return all
}

func TestReportsOutliveTheStore(t *testing.T) {
	s := newStore(t, roomy)
	sent := numbered(3, 4)
	sent.Boot, sent.Seq = "boot-1", 77
	s.mustApply(t, start, []Report{numbered(0, 1, 2), sent, numbered(5)})
	s = reopen(t, s)
	kept := s.mustNext(t, 10)
	if got := values(kept); !slices.Equal(got, sequence(0, 6)) {
		t.Fatalf("the store gives %v", got)
	}
	if k := kept[1]; k.Boot != "boot-1" || k.Seq != 77 {
		t.Errorf("a report that was sent as boot-1/77 is given as %s/%d", k.Boot, k.Seq)
	}
	if k := kept[0]; k.Boot != s.id || k.Seq != k.ID || !reflect.DeepEqual(k.Series, numbered().Series) {
		t.Errorf("a report that was never sent is given as %s/%d with %v", k.Boot, k.Seq, k.Series)
	}
	if more := s.mustNext(t, 10); len(more) != 0 {
		t.Errorf("%d reports are given out twice", len(more))
	}
	s.mustApply(t, start, nil, kept[0].ID, kept[2].ID)
	s = reopen(t, s)
	if got := values(s.mustNext(t, 10)); !slices.Equal(got, []int{3, 4}) {
		t.Errorf("after two were removed the store gives %v", got)
	}
	if want := (Totals{Reports: 1, Bytes: s.totals.Bytes, Samples: 2, Moved: 6}); s.Totals() != want {
		t.Errorf("the totals are %+v, want %+v", s.Totals(), want)
	}
}

// The master takes a report by its number once, so what a number stands for must
// not change after it may have been sent, in this run or an earlier one.
func TestWhatWasGivenOutNeverChanges(t *testing.T) {
	s := newStore(t, roomy)
	s.mustApply(t, start, []Report{numbered(0)})
	first := s.mustNext(t, 1)[0]
	s.mustApply(t, start, []Report{numbered(1)})
	s.mustApply(t, start, []Report{numbered(2)})
	s = reopen(t, s)
	s.mustApply(t, start, []Report{numbered(3)})
	kept := s.mustNext(t, 10)
	if len(kept) != 3 || !reflect.DeepEqual(kept[0], first) || !slices.Equal(values(kept[1:2]), []int{1, 2}) || !slices.Equal(values(kept[2:]), []int{3}) {
		t.Errorf("the store gives %+v, want 0, then 1 and 2, then 3", kept)
	}
}

func TestSmallReportsAreJoined(t *testing.T) {
	s := newStore(t, roomy)
	const n = 20_000
	for i := 0; i < n; i += 100 {
		var add []Report
		for j := i; j < i+100; j += 5 {
			add = append(add, numbered(sequence(j, 5)...))
		}
		s.mustApply(t, start, add)
	}
	totals := s.Totals()
	if totals.Samples != n || totals.Reports > n*15/joinBytes+2 || totals.Bytes > 15*n {
		t.Errorf("%d samples take %d reports of %d bytes", totals.Samples, totals.Reports, totals.Bytes)
	}
	if got := values(s.mustNext(t, n)); !slices.Equal(got, sequence(0, n)) {
		t.Error("the samples came in another order, or not all came")
	}
}

func TestOldestGoesWhenThereIsNoRoom(t *testing.T) {
	for _, most := range []int64{1 << 20, 8 << 20} {
		t.Run(fmt.Sprint(most>>20, " MiB"), func(t *testing.T) {
			s := newStore(t, Options{MaxBytes: most, MaxAge: 24 * time.Hour})
			rng := rand.New(rand.NewPCG(1, 2))
			made := 0
			for s.Totals().Dropped < 200_000 {
				var add []Report
				for range 1 + rng.IntN(4) {
					n := 1 + rng.IntN(3000)
					r := numbered(sequence(made, n)...)
					if made += n; rng.IntN(3) == 0 {
						r.Boot, r.Seq = "boot", uint64(made)
					}
					add = append(add, r)
				}
				s.mustApply(t, start, add)
				if info, err := os.Stat(s.path); err != nil || info.Size() > most {
					t.Fatalf("the file has %d bytes, %v", info.Size(), err)
				}
			}
			totals := s.Totals()
			if int(totals.Moved) != made || totals.Moved != totals.Samples+totals.Dropped || totals.Bytes < uint64(most)/8 {
				t.Errorf("of %d samples the totals are %+v", made, totals)
			}
			got := values(s.mustNext(t, 1<<30))
			if !slices.Equal(got, sequence(made-len(got), len(got))) || len(got) != int(totals.Samples) {
				t.Errorf("%d samples are left, and they are not the newest", len(got))
			}
		})
	}
}

func sequence(from, n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = from + i
	}
	return all
}

// A report that was given out may be on its way, so counting it as dropped would be wrong.
func TestWhatIsGivenOutIsNotDropped(t *testing.T) {
	s := newStore(t, Options{MaxBytes: 1 << 20, MaxAge: time.Hour})
	s.mustApply(t, start, []Report{numbered(0)})
	given := s.mustNext(t, 1)[0]
	for i := 0; s.Totals().Dropped == 0; i += 3000 {
		s.mustApply(t, start, []Report{numbered(sequence(1+i, 3000)...)})
	}
	s.mustApply(t, start.Add(48*time.Hour), nil)
	if totals := s.Totals(); totals.Reports != 1 || totals.Samples != 1 {
		t.Errorf("the totals are %+v, want the report that was given out", totals)
	}
	s.mustApply(t, start, nil, given.ID)
	if totals := s.Totals(); totals.Reports != 0 || totals.Moved != totals.Dropped+1 {
		t.Errorf("the totals are %+v", totals)
	}
}

func TestOldReportsGo(t *testing.T) {
	s := newStore(t, Options{MaxBytes: 1 << 20, MaxAge: time.Hour})
	for i := range 3 {
		r := numbered(i * int(30*time.Minute/time.Millisecond))
		r.Boot, r.Seq = "boot", uint64(i+1)
		s.mustApply(t, start.Add(time.Hour), []Report{r})
	}
	s.mustApply(t, start.Add(91*time.Minute), nil)
	if kept := s.mustNext(t, 10); len(kept) != 1 || kept[0].Seq != 3 || s.Totals().Dropped != 2 {
		t.Errorf("%d reports are left, the totals are %+v", len(kept), s.Totals())
	}
}

func TestEmptyFileGivesRoomBack(t *testing.T) {
	s := newStore(t, roomy)
	for i := range 20 {
		s.mustApply(t, start, []Report{numbered(sequence(i*20_000, 20_000)...)})
	}
	id, last := s.id, uint64(0)
	for _, k := range s.mustNext(t, 1000) {
		s.mustApply(t, start, nil, k.ID)
		last = k.ID
	}
	if info, err := os.Stat(s.path); err != nil || info.Size() >= shrinkBytes {
		t.Errorf("the empty file has %d bytes, %v", info.Size(), err)
	}
	s.mustApply(t, start, []Report{numbered(1)})
	if k := s.mustNext(t, 1); s.id != id || len(k) != 1 || k[0].ID <= last || s.Totals().Moved != 400_001 {
		t.Errorf("the numbering of %s went on as %s with %+v, totals %+v", id, s.id, k, s.Totals())
	}
}

func TestNewerFileIsLeftAlone(t *testing.T) {
	s := newStore(t, roomy)
	if err := s.db.Update(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketMeta).Put(keySchema, []byte{schema + 1})
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(s.path, roomy); !errors.Is(err, ErrNewer) || errors.Is(err, ErrDamaged) {
		t.Errorf("got %v", err)
	}
}

func TestDamagedRecordIsDroppedAlone(t *testing.T) {
	s := newStore(t, roomy)
	for i := range 3 {
		r := numbered(10*i, 10*i+1)
		r.Boot, r.Seq = "boot", uint64(i+1)
		s.mustApply(t, start, []Report{r})
	}
	if err := s.db.Update(func(tx *bbolt.Tx) error {
		reports := tx.Bucket(bucketReports)
		key, value := reports.Cursor().Seek(binary.BigEndian.AppendUint64(nil, 2))
		bad := slices.Clone(value)
		bad[len(bad)-3] ^= 4
		return reports.Put(slices.Clone(key), bad)
	}); err != nil {
		t.Fatal(err)
	}
	if got := values(s.mustNext(t, 10)); !slices.Equal(got, []int{0, 1, 20, 21}) || s.Damaged() != 1 {
		t.Errorf("the store gives %v", got)
	}
	s.mustApply(t, start, nil)
	if totals := s.Totals(); totals.Reports != 2 || totals.Dropped != 2 || s.Damaged() != 0 {
		t.Errorf("the totals are %+v", totals)
	}
}

// A file that was damaged in any way gives an error or what was put in, and
// never ends the process.
func TestDamagedFiles(t *testing.T) {
	dir := t.TempDir()
	original := filepath.Join(dir, "original")
	s := open(t, original, roomy)
	for i := range 40 {
		s.mustApply(t, start, []Report{numbered(sequence(100*i, 100)...)})
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(original)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(3, 4))
	damaged := 0
	for i := range 150 {
		bad := damage.Any(rng, i, content)
		path := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if useDamaged(t, path) {
			damaged++
		}
	}
	if damaged < 10 {
		t.Errorf("only %d of 150 files were found to be damaged", damaged)
	}
}

func useDamaged(t *testing.T, path string) (damaged bool) {
	s, err := Open(path, roomy)
	if err == nil {
		_, err = s.Next(start, 1000)
	}
	if err == nil {
		_, _, err = s.Apply(start, []Report{numbered(1)}, []uint64{1})
	}
	switch {
	case errors.Is(err, ErrDamaged):
		aside, err := wholefile.MoveAside(path)
		if err != nil {
			t.Fatal(err)
		}
		again := open(t, path, roomy)
		if err := errors.Join(again.Close(), os.Remove(aside)); err != nil {
			t.Error(err)
		}
		return true
	case err != nil:
		t.Logf("%s: %v", path, err)
	}
	if s != nil {
		_ = s.Close()
	}
	return false
}

func TestRecordsAreReadAsWritten(t *testing.T) {
	labels, _ := inspectors.NewLabels("a", "", "b", "x=\"\x7f\"")
	for _, r := range []Report{
		{},
		{Boot: "b", Seq: math.MaxUint64, Series: []Series{}, Times: []int64{}, Of: []uint32{}, Values: []float64{}},
		{
			Series: []Series{{Key: "k", Labels: labels, Kind: inspectors.Counter}, {}},
			Times:  []int64{math.MaxInt64, math.MinInt64, 0, -1},
			Of:     []uint32{1, 0, 0, 1},
			Values: []float64{math.MaxFloat64, math.Copysign(0, -1), 5e-324, 1},
		},
	} {
		b := encode(&r)
		got, err := decode(b)
		if err != nil || fmt.Sprint(*got) != fmt.Sprint(r) {
			t.Errorf("%v was read as %v, %v", r, got, err)
		}
		for i := range b {
			if _, err := decode(b[:i]); err == nil {
				t.Errorf("a record was read of which %d bytes are missing", len(b)-i)
			}
		}
	}
}

func FuzzDecode(f *testing.F) {
	r := numbered(1, 2, 3)
	f.Add(encode(&r)[headBytes:])
	f.Fuzz(func(_ *testing.T, body []byte) {
		d := decoder{rest: body}
		_ = d.text()
		_ = d.series()
		// As decode does it, with a checksum that fits.
		for _, version := range []byte{recordValues, recordEnds} {
			_, _ = decode(sign(append(make([]byte, headBytes), body...), version))
		}
	})
}

// A report that was given out is not dropped, whatever else is put in. Reports that find no
// room are dropped instead, and every sample is accounted for.
func TestFullOfWhatIsGivenOut(t *testing.T) {
	s := newStore(t, Options{MaxBytes: 1 << 20, MaxAge: time.Hour})
	put := 0
	add := func() {
		t.Helper()
		moved := s.Totals().Moved
		_, ok, err := s.Apply(start, []Report{numbered(sequence(put, 3000)...)}, nil)
		if !ok && (err == nil || s.Totals().Moved != moved) {
			t.Fatalf("%d samples were put in that were refused with %v", s.Totals().Moved-moved, err)
		}
		if ok {
			put += 3000
		}
		if got := s.Totals(); err == nil && (got.Moved != uint64(put) || got.Samples+got.Dropped != got.Moved) {
			t.Fatalf("of %d samples that were put in there are %+v", put, got)
		}
	}
	for s.Totals().Dropped == 0 {
		add()
	}
	out := s.mustNext(t, 1000)
	for range 20 {
		add()
	}
	s = reopen(t, s)
	kept := map[uint64]bool{}
	for _, k := range s.mustNext(t, 1000) {
		kept[k.ID] = true
	}
	for _, k := range out {
		if !kept[k.ID] {
			t.Errorf("record %d was given out and is gone", k.ID)
		}
	}
}
