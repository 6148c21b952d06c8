package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vedettehq/vedette/master/state"
	"github.com/vedettehq/vedette/rpc/wire"
)

// open opens the log of a state, like a master that starts.
func open(t *testing.T, store state.Store, retention Retention) *Log {
	t.Helper()
	l := New(store, retention)
	if err := l.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	return l
}

func verify(t *testing.T, l *Log) wire.AuditVerifyResult {
	t.Helper()
	result, err := l.Verify(t.Context(), wire.AuditVerifyParams{})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// whole fails the test where an untouched log of so many lines has a fault.
func whole(t *testing.T, l *Log, lines int) wire.AuditVerifyResult {
	t.Helper()
	result := verify(t, l)
	if result.Fault != nil || result.Entries != lines {
		t.Fatalf("nothing was touched, and of %d lines %d are checked; the fault is %+v", lines, result.Entries, result.Fault)
	}
	return result
}

// someText is what a caller may put into a line to look as the end of one.
func someText() string {
	parts := []string{`"`, `\`, `}`, `{`, `,"sum":"`, "ä", "\x00", "\xff", "disk", strings.Repeat("0", 64), `"}`}
	var text strings.Builder
	for range rand.IntN(8) {
		text.WriteString(parts[rand.IntN(len(parts))])
	}
	return text.String()
}

func someEntry() wire.AuditEntry {
	return wire.AuditEntry{
		AtMS: time.Now().UnixMilli() - rand.Int64N(1000), Who: someText(), Role: "operator", From: someText(), Action: someText(),
		Subject: someText(), Detail: someText(), Outcome: OK, Sum: someText(),
	}
}

// fillLog writes lines in all the ways in which they are written.
func fillLog(t *testing.T, l *Log, lines int) {
	t.Helper()
	for range lines {
		var err error
		if entry := someEntry(); rand.IntN(2) == 0 {
			err = l.Append(t.Context(), entry)
		} else {
			attempt := NewAttempt(entry.Who, entry.Role, entry.From, entry.Action)
			err = l.store.Apply(t.Context(), attempt.Change(entry.Subject, entry.Detail))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// fillPlain writes lines as a master did that made no checksums.
func fillPlain(t *testing.T, store state.Store, lines int) {
	t.Helper()
	for range lines {
		if _, err := store.Append(t.Context(), LogName, encode(someEntry())); err != nil {
			t.Fatal(err)
		}
	}
}

// dumped is an export that somebody changes.
type dumped struct {
	entries [][]byte // keys and values
	first   uint64
	records [][]byte // the lines of the log
}

func dump(t *testing.T, store state.Store) *dumped {
	t.Helper()
	d := &dumped{}
	entries, err := store.List(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		d.entries = append(d.entries, []byte(e.Key), e.Value)
	}
	for record, err := range store.Scan(t.Context(), LogName, 0) {
		if err != nil {
			t.Fatal(err)
		}
		if d.first == 0 {
			d.first = record.Seq
		}
		d.records = append(d.records, record.Value)
	}
	return d
}

// load makes a state of it, in which the lines have new numbers without a gap.
func (d *dumped) load(t *testing.T) *Log {
	t.Helper()
	store := state.NewMemory()
	t.Cleanup(func() { _ = store.Close() })
	for i := 0; i < len(d.entries); i += 2 {
		if _, err := store.Put(t.Context(), string(d.entries[i]), d.entries[i+1], state.None); err != nil {
			t.Fatal(err)
		}
	}
	for range d.first - 1 {
		if _, err := store.Append(t.Context(), LogName, nil); err != nil {
			t.Fatal(err)
		}
	}
	for _, record := range d.records {
		if _, err := store.Append(t.Context(), LogName, record); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.Apply(t.Context(), state.Trim(LogName, d.first)); err != nil {
		t.Fatal(err)
	}
	return open(t, store, DefaultRetention())
}

// tamper does one thing to the lines from a place on, and returns the first place
// where they differ. It leaves the newest line: nobody can tell that it was the newest.
func (d *dumped) tamper(from int) (what string, at int) {
	before := slices.Clone(d.records)
	n := len(d.records)
	i := from + rand.IntN(n-from-1)
	switch rand.IntN(7) {
	case 0:
		what = "a byte is changed"
		d.records[i] = bytes.Clone(d.records[i])
		d.records[i][rand.IntN(len(d.records[i]))] ^= byte(1 + rand.IntN(255))
	case 1:
		what = "lines are removed"
		d.records = slices.Delete(slices.Clone(d.records), i, i+1+rand.IntN(n-1-i))
	case 2:
		what = "two lines are swapped"
		j := from + rand.IntN(n-from)
		d.records[i], d.records[j] = d.records[j], d.records[i]
	case 3:
		what = "a line is there twice"
		d.records = slices.Insert(slices.Clone(d.records), i, d.records[i])
	case 4:
		what = "a line without a checksum is added"
		d.records = slices.Insert(slices.Clone(d.records), i, encode(someEntry()))
	case 5:
		what = "a checksum is taken off"
		d.records[i], _ = split(d.records[i])
	case 6:
		what = "a line is another, with a checksum that fits"
		var last state.Record
		if i > 0 {
			last.Value = d.records[i-1]
		}
		last.Seq = d.first + uint64(i) - 1
		entry := someEntry()
		entry.Detail += "forged"
		d.records[i] = link(last, encode(entry))
	}
	for at = range min(len(before), len(d.records)) {
		if !bytes.Equal(before[at], d.records[at]) {
			return what, at
		}
	}
	return what, min(len(before), len(d.records))
}

// Whatever is done to a line that has a checksum is found, and where.
func TestTamperingIsFound(t *testing.T) {
	for range 300 {
		store := state.NewMemory()
		plain, lines := rand.IntN(4), 3+rand.IntN(20)
		fillPlain(t, store, plain)
		l := open(t, store, Retention{MaxAge: time.Hour, MaxBytes: 1500 + rand.Int64N(8000)})
		fillLog(t, l, lines)
		if rand.IntN(2) == 0 {
			if err := l.Sweep(t.Context(), time.Now()); err != nil {
				t.Fatal(err)
			}
		}
		d := dump(t, store)
		checked := len(d.records)
		if result := whole(t, d.load(t), checked); checked-result.Without < 2 {
			continue
		} else if what, at := d.tamper(result.Without); at < len(d.records) {
			fault := verify(t, d.load(t)).Fault
			seq := d.first + uint64(at)
			forged := strings.Contains(what, "fits") // which the next line tells
			if same := bytes.Equal(join(d.records), join(dump(t, store).records)); same {
				continue // two lines that are one were swapped
			}
			if fault == nil || fault.Seq != seq && !(forged && fault.Seq == seq+1) {
				t.Fatalf("%s at %d of %d to %d: the fault is %+v", what, seq, d.first, d.first+uint64(checked)-1, fault)
			}
		}
	}
}

func join(records [][]byte) []byte { return bytes.Join(records, []byte("\n")) }

// The note of where the chain begins can be neither removed nor changed, and is not
// made again over a chain.
func TestTheRootIsGuarded(t *testing.T) {
	for range 50 {
		store := state.NewMemory()
		fillPlain(t, store, rand.IntN(3))
		l := open(t, store, DefaultRetention())
		fillLog(t, l, 5+rand.IntN(10))
		d := dump(t, store)
		if rand.IntN(2) == 0 {
			if err := l.cut(t.Context(), 4); err != nil {
				t.Fatal(err)
			}
			d = dump(t, store)
		}
		var r root
		if err := json.Unmarshal(d.entries[1], &r); err != nil || string(d.entries[0]) != rootKey {
			t.Fatalf("the root is %q, %v", d.entries, err)
		}
		what := "from another number"
		switch rand.IntN(4) {
		case 0:
			what, d.entries = "removed", nil
		case 1:
			what, d.entries[1] = "of another kind", []byte("{")
		case 2:
			what, r.Sum = "with another checksum", strings.Repeat("ab", 32)
		case 3:
			other := 1 + rand.Uint64N(d.first+uint64(len(d.records))+1)
			if other == r.From {
				continue
			}
			r.From = other
		}
		if d.entries != nil && what != "of another kind" {
			d.entries[1], _ = json.Marshal(r)
		}
		l = d.load(t)
		if result := verify(t, l); result.Fault == nil {
			t.Fatalf("the root is %s, and there is no fault in %+v", what, result)
		}
		if err := l.Sweep(t.Context(), time.Now().Add(10_000*time.Hour)); err != nil {
			t.Errorf("the root is %s, and the log is not kept in bounds: %v", what, err)
		}
	}
}

// A chain goes on through restarts, retention at any moment, exports, and many who write
// at once, on a disk. Lines from before are its beginning until they are cut.
func TestChainSurvives(t *testing.T) {
	path := filepath.Join(t.TempDir(), state.FileName)
	store, err := state.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	fillPlain(t, store, 20)
	retention := Retention{MaxAge: time.Hour, MaxBytes: 20_000}
	for round := range 12 {
		l := open(t, store, retention)
		var writers sync.WaitGroup
		for range 4 {
			writers.Go(func() {
				for range rand.IntN(8) {
					if err := l.Append(t.Context(), someEntry()); err != nil {
						t.Error(err)
					}
				}
			})
		}
		if rand.IntN(2) == 0 {
			writers.Go(func() {
				if err := l.Sweep(t.Context(), time.Now()); err != nil {
					t.Error(err)
				}
			})
		}
		writers.Wait()
		result := whole(t, l, len(list(t, l)))
		if round == 0 && result.Without == 0 {
			t.Error("the lines from before are not at the beginning")
		}
		var export bytes.Buffer
		if err := store.Export(t.Context(), &export); err != nil {
			t.Fatal(err)
		}
		copied := state.NewMemory()
		if err := copied.Import(t.Context(), &export); err != nil {
			t.Fatal(err)
		}
		if got := verify(t, open(t, copied, retention)); got != result {
			t.Errorf("the copy has %+v in place of %+v", got, result)
		}
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
		if store, err = state.Open(path); err != nil {
			t.Fatal(err)
		}
	}
	l := open(t, store, retention)
	if err := l.Sweep(t.Context(), time.Now().Add(2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if result := whole(t, l, 1); result.Without != 0 || result.Sum != list(t, l)[0].Sum {
		t.Errorf("of the last line is told %+v", result)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
}

// Refusals that were merged are lines of the chain.
func TestMergedRefusalsAreChained(t *testing.T) {
	l := open(t, state.NewMemory(), DefaultRetention())
	for range 50 {
		if err := l.Append(t.Context(), wire.AuditEntry{Who: "nobody", Action: "master.login", Outcome: "no"}); err != nil {
			t.Fatal(err)
		}
		whole(t, l, 1)
	}
	if err := l.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	whole(t, l, 2)
}

// A log that was replaced, with new checksums throughout, is no fault to Verify alone. A
// checksum that was noted earlier finds it, unless retention has removed that entry.
func TestWhatWasNotedFindsReplacedEntries(t *testing.T) {
	for range 50 {
		store := state.NewMemory()
		l := open(t, store, DefaultRetention())
		lines := 2 + rand.IntN(20)
		fillLog(t, l, lines)
		entries, err := After(t.Context(), store, 0, 100)
		if err != nil || len(entries) != lines {
			t.Fatalf("%d entries, %v", len(entries), err)
		}
		noted := entries[rand.IntN(lines)]
		was := wire.AuditVerifyParams{Seq: noted.Seq, Sum: noted.Sum[:sumDigitsLeast+rand.IntN(49)]}
		if got, err := l.Verify(t.Context(), was); err != nil || got.Fault != nil || !got.Noted || got.Entries != lines {
			t.Fatalf("nothing was touched: %+v, %v", got, err)
		}
		other := open(t, state.NewMemory(), DefaultRetention())
		fillLog(t, other, lines)
		if got, err := other.Verify(t.Context(), was); err != nil || got.Fault == nil || got.Fault.Seq != noted.Seq || got.Noted {
			t.Fatalf("every entry was replaced, and %d was noted: %+v, %v", noted.Seq, got, err)
		}
		shorter := open(t, state.NewMemory(), DefaultRetention())
		fillLog(t, shorter, 1)
		was.Seq += uint64(lines)
		if got, err := shorter.Verify(t.Context(), was); err != nil || got.Fault == nil {
			t.Fatalf("the newest were removed: %+v, %v", got, err)
		}
		at := 2 + uint64(rand.IntN(lines-1))
		if err := l.cut(t.Context(), at); err != nil {
			t.Fatal(err)
		}
		got, err := l.Verify(t.Context(), wire.AuditVerifyParams{Seq: noted.Seq, Sum: noted.Sum})
		switch tooOld := noted.Seq+1 < at; {
		case tooOld && !errors.Is(err, ErrNoted), !tooOld && (err != nil || !got.Noted):
			t.Fatalf("entry %d was noted, and those before %d are cut: %+v, %v", noted.Seq, at, got, err)
		}
	}
	l := open(t, state.NewMemory(), DefaultRetention())
	if _, err := l.Verify(t.Context(), wire.AuditVerifyParams{Seq: 1, Sum: "abc"}); !errors.Is(err, ErrNoted) {
		t.Errorf("a short checksum: %v", err)
	}
}
