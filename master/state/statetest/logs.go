package statetest

import (
	"fmt"
	"slices"
	"strings"
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
