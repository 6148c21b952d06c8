package statetest

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/vedettehq/vedette/master/state"
)

func testLog(t *testing.T, s *S) {
	ctx := t.Context()
	for i, record := range []string{"a", "", "\x00\xff", "d"} {
		if seq := s.append("audit", record); seq != uint64(i+1) {
			t.Errorf("record %d has the number %d", i+1, seq)
		}
		s.append("audit.1", "other")
	}
	s.append("audi", "other")
	if err := s.Apply(ctx, state.Append("audit", []byte("e")), state.Append("new", nil), state.Append("audit", []byte("f"))); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ got, want string }{
		{s.records(s.Scan(ctx, "audit", 0)), "1:a 2: 3:\x00\xff 4:d 5:e 6:f"},
		{s.records(s.Scan(ctx, "audit", 5)), "5:e 6:f"},
		{s.records(s.Scan(ctx, "audit", 7)), ""},
		{s.records(s.ScanBack(ctx, "audit", 0)), "6:f 5:e 4:d 3:\x00\xff 2: 1:a"},
		{s.records(s.ScanBack(ctx, "audit", 3)), "2: 1:a"},
		{s.records(s.ScanBack(ctx, "audit", 1)), ""},
		{s.records(s.ScanBack(ctx, "audit", 100)), "6:f 5:e 4:d 3:\x00\xff 2: 1:a"},
		{s.records(s.Scan(ctx, "none", 0)), ""},
		{s.records(s.ScanBack(ctx, "none", 0)), ""},
		{s.records(s.Scan(ctx, "audit", 1<<64-1)), ""},
		{s.records(s.Scan(ctx, "audi", 0)), "1:other"},
		{s.list(""), ""},
	} {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
}

// A loop over a scan may call the store, take what it adds, and end early.
func testLongLog(t *testing.T, s *S) {
	ctx := t.Context()
	const n = 1500
	for i := 0; i < n; i += 500 {
		var changes []state.Change
		for j := i; j < i+500; j++ {
			changes = append(changes, state.Append("audit", []byte(fmt.Sprint(j+1))))
		}
		if err := s.Apply(ctx, changes...); err != nil {
			t.Fatal(err)
		}
	}
	want := uint64(0)
	for r, err := range s.Scan(ctx, "audit", 0) {
		if want++; err != nil || r.Seq != want || string(r.Value) != fmt.Sprint(r.Seq) {
			t.Fatalf("record %d is %d:%s, %v", want, r.Seq, r.Value, err)
		}
		if r.Seq == n {
			s.append("audit", fmt.Sprint(n+1))
		}
		if r.Seq > n {
			break
		}
	}
	if want != n+1 {
		t.Errorf("the scan ended at %d", want)
	}
	for r, err := range s.ScanBack(ctx, "audit", 0) {
		if err != nil || r.Seq != want || string(r.Value) != fmt.Sprint(r.Seq) {
			t.Fatalf("backwards, record %d is %d:%s, %v", want, r.Seq, r.Value, err)
		}
		want--
	}
	if want != 0 {
		t.Errorf("the scan backwards ended before %d", want)
	}
	large := strings.Repeat("x", state.MaxRecordBytes)
	for range 3 {
		s.append("large", large)
	}
	seen := 0
	for r, err := range s.Scan(ctx, "large", 1) {
		if seen++; err != nil || r.Seq != uint64(seen) || string(r.Value) != large {
			t.Fatalf("large record %d is %d of %d bytes, %v", seen, r.Seq, len(r.Value), err)
		}
	}
	if seen != 3 {
		t.Errorf("%d large records were read", seen)
	}
}

func testAppendRace(t *testing.T, s *S) {
	const writers, each = 8, 25
	numbers := make([][]uint64, writers)
	together(writers, func(i int) {
		for n := range each {
			numbers[i] = append(numbers[i], s.append("audit", fmt.Sprint(i, ".", n)))
		}
	})
	want := make([]string, writers*each)
	for i, own := range numbers {
		if !slices.IsSorted(own) {
			t.Errorf("a writer got the numbers %v", own)
		}
		for n, seq := range own {
			want[seq-1] = fmt.Sprint(seq, ":", i, ".", n)
		}
	}
	if got := s.records(s.Scan(t.Context(), "audit", 0)); got != strings.Join(want, " ") {
		t.Errorf("the log has\n%s\nwant\n%s", got, want)
	}
}

func testTrim(t *testing.T, s *S) {
	ctx := t.Context()
	trim := func(log string, first uint64) {
		t.Helper()
		if err := s.Apply(ctx, state.Trim(log, first)); err != nil {
			t.Fatal(err)
		}
	}
	trim("audit", 3) // there is no such log
	for _, record := range []string{"a", "b", "c", "d"} {
		s.append("audit", record)
	}
	if err := s.Apply(ctx, state.Append("audit", []byte("e")), state.Trim("audit", 3), state.Put("kind/a", nil, state.None)); err != nil {
		t.Fatal(err)
	}
	trim("audit", 2) // that is gone already
	for _, tt := range []struct{ got, want string }{
		{s.records(s.Scan(ctx, "audit", 0)), "3:c 4:d 5:e"},
		{s.records(s.Scan(ctx, "audit", 2)), "3:c 4:d 5:e"},
		{s.records(s.ScanBack(ctx, "audit", 0)), "5:e 4:d 3:c"},
		{s.records(s.ScanBack(ctx, "audit", 4)), "3:c"},
		{s.records(s.ScanBack(ctx, "audit", 3)), ""},
		{s.records(s.ScanBack(ctx, "audit", 2)), ""},
	} {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
	trim("audit", 1000) // the last stays
	if got := s.records(s.Scan(ctx, "audit", 0)); got != "5:e" {
		t.Errorf("of everything is left %q", got)
	}
	if seq := s.append("audit", "f"); seq != 6 {
		t.Errorf("the next record has the number %d", seq)
	}
	if err := s.Apply(ctx, state.Change{Op: state.OpTrim, Name: "audit", Value: []byte{1}}); !errors.Is(err, state.ErrInvalid) {
		t.Errorf("half a number gave %v", err)
	}
	copied := newS(t, state.NewMemory())
	dump := s.export()
	if err := copied.Import(ctx, strings.NewReader(dump)); err != nil {
		t.Fatal(err)
	}
	if got := copied.records(copied.Scan(ctx, "audit", 0)); got != "5:e 6:f" || copied.export() != dump {
		t.Errorf("after an export and import there is %q", got)
	}
}

// Records are appended, trimmed, exported and read at any place, and a model
// says what is there.
func testTrimByChance(t *testing.T, s *S) {
	ctx := t.Context()
	random := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	first, next := uint64(1), uint64(1)
	for range 150 {
		switch random.IntN(3) {
		case 0:
			from := random.Uint64N(next + 3)
			if err := s.Apply(ctx, state.Trim("audit", from)); err != nil {
				t.Fatal(err)
			}
			if next > 1 {
				first = max(first, min(from, next-1))
			}
		case 1:
			for range random.IntN(20) {
				if seq := s.append("audit", fmt.Sprint(next)); seq != next {
					t.Fatalf("record %d got the number %d", next, seq)
				}
				next++
			}
		}
		at := random.Uint64N(next + 2)
		var forth, back []string
		for seq := max(first, at); seq < next; seq++ {
			forth = append(forth, fmt.Sprintf("%d:%d", seq, seq))
		}
		for seq := next - 1; seq >= first && seq > 0; seq-- {
			if at == 0 || seq < at {
				back = append(back, fmt.Sprintf("%d:%d", seq, seq))
			}
		}
		if got, want := s.records(s.Scan(ctx, "audit", at)), strings.Join(forth, " "); got != want {
			t.Fatalf("of %d to %d, from %d on:\n%s\nwant\n%s", first, next-1, at, got, want)
		}
		if got, want := s.records(s.ScanBack(ctx, "audit", at)), strings.Join(back, " "); got != want {
			t.Fatalf("of %d to %d, before %d:\n%s\nwant\n%s", first, next-1, at, got, want)
		}
	}
	copied := newS(t, state.NewMemory())
	dump := s.export()
	if err := copied.Import(ctx, strings.NewReader(dump)); err != nil || copied.export() != dump {
		t.Errorf("an export is imported as something else: %v", err)
	}
}

// A linked record is made of the one before it, also within an Apply, of many who
// append at once, and after a trim.
func testLinked(t *testing.T, s *S) {
	link := func(last state.Record, record []byte) []byte {
		return fmt.Appendf(nil, "%d%.1s<%s", last.Seq, last.Value, record)
	}
	var writers sync.WaitGroup
	for i := range 8 {
		writers.Go(func() {
			for n := range 10 {
				record := fmt.Append(nil, i, n)
				err := s.Apply(t.Context(), state.AppendLinked("audit", record, link), state.Append("audit", []byte("plain")),
					state.AppendLinked("audit", record, link), state.Trim("audit", uint64(n)))
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	var last state.Record
	linked := 0
	for r, err := range s.Scan(t.Context(), "audit", 0) {
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("%d%.1s<", r.Seq-1, last.Value); string(r.Value) != "plain" && last.Seq != 0 {
			if linked++; !strings.HasPrefix(string(r.Value), want) {
				t.Fatalf("record %d is %q; it comes after %q", r.Seq, r.Value, last.Value)
			}
		}
		last = state.Record{Seq: r.Seq, Value: bytes.Clone(r.Value)}
	}
	if linked < 100 {
		t.Errorf("only %d records are linked", linked)
	}
}
