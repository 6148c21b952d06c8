package statetest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/vedettehq/vedette/master/state"
)

func testWrites(t *testing.T, s *S) {
	ctx := t.Context()
	if _, err := s.Get(ctx, "kind/a"); !errors.Is(err, state.ErrNotFound) || !strings.Contains(err.Error(), `"kind/a"`) {
		t.Errorf("Get of nothing gave %v", err)
	}
	v1 := s.put("kind/a", "one", state.None)
	if v1 != state.VersionOf([]byte("one")) || len(v1) != 64 {
		t.Errorf("the version is %q", v1)
	}
	_, err := s.Put(ctx, "kind/a", []byte("two"), state.None)
	wantConflict(t, err, "kind/a", "one")
	v2 := s.put("kind/a", "two", v1)
	_, err = s.Put(ctx, "kind/a", []byte("three"), v1)
	wantConflict(t, err, "kind/a", "two")
	_, err = s.Put(ctx, "kind/b", []byte("x"), v1)
	wantConflict(t, err, "kind/b", "")
	wantConflict(t, s.Delete(ctx, "kind/a", v1), "kind/a", "two")
	wantConflict(t, s.Delete(ctx, "kind/b", v1), "kind/b", "")
	if e := s.get("kind/a"); e.Key != "kind/a" || string(e.Value) != "two" || e.Version != v2 {
		t.Errorf("Get gave %+v", e)
	}
	s.delete("kind/a", v2)
	_, err = s.Put(ctx, "kind/a", []byte("four"), v2)
	wantConflict(t, err, "kind/a", "")

	// An empty value is one, and is not none.
	v := s.put("kind/a", "", state.None)
	if e := s.get("kind/a"); e.Value == nil || len(e.Value) != 0 || e.Version != v || v == state.None {
		t.Errorf("an empty value was read as %+v", e)
	}
	s.delete("kind/a", v)
	if got := s.list(""); got != "" {
		t.Errorf("when all is deleted there is %s", got)
	}
}

// A version is the content: who has seen A may write although there was a B.
func testThereAndBack(_ *testing.T, s *S) {
	a := s.put("kind/a", "A", state.None)
	b := s.put("kind/a", "B", a)
	s.put("kind/a", "A", b)
	s.put("kind/a", "C", a)
}

func testOwnership(t *testing.T, s *S) {
	value, record := []byte("value"), []byte("record")
	events := s.watch("")
	if err := s.Apply(t.Context(), state.Put("kind/a", value, state.None), state.Append("audit", record)); err != nil {
		t.Fatal(err)
	}
	value[0], record[0] = 'X', 'X'
	s.get("kind/a").Value[1] = 'X'
	all, err := s.List(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	all[0].Value[2] = 'X'
	for r := range s.Scan(t.Context(), "audit", 0) {
		r.Value[1] = 'X'
	}
	_, err = s.Put(t.Context(), "kind/a", nil, state.None)
	var conflict *state.ConflictError
	if errors.As(err, &conflict) {
		conflict.Current.Value[3] = 'X'
	}
	got := s.list("") + " " + s.records(s.Scan(t.Context(), "audit", 0)) + " " + waiting(events)
	if want := "kind/a=value 1:record kind/a=value"; got != want {
		t.Errorf("the store has %s, want %s", got, want)
	}
}

func testList(t *testing.T, s *S) {
	for _, key := range []string{"b/x", "a/z", "a/b/c", "ab/c", "a.b/c", "a/b", "a-b/c", "a/B", "a/b.c", "a/10", "a/9"} {
		s.put(key, "", state.None)
	}
	for _, tt := range []struct{ prefix, want string }{
		{"", "a-b/c a.b/c a/10 a/9 a/B a/b a/b.c a/b/c a/z ab/c b/x"},
		{"a/", "a/10 a/9 a/B a/b a/b.c a/b/c a/z"},
		{"a/b", "a/b a/b.c a/b/c"},
		{"a/b/", "a/b/c"},
		{"a", "a-b/c a.b/c a/10 a/9 a/B a/b a/b.c a/b/c a/z ab/c"},
		{"c", ""},
		{"a/b/cd", ""},
	} {
		if got := strings.ReplaceAll(s.list(tt.prefix), "=", ""); got != tt.want {
			t.Errorf("List(%q) gave %s, want %s", tt.prefix, got, tt.want)
		}
	}
}

func testKeys(t *testing.T, s *S) {
	ctx := t.Context()
	for _, key := range []string{"a/b", "_/_", "host/web-1.example.com", "K/9:x", "a/b/c/d", "k/" + strings.Repeat("x", state.MaxKeyBytes-2)} {
		s.put(key, "", state.None)
	}
	for _, key := range []string{
		"", "a", "/a", "a/", "a//b", "/", ".a/b", "a/.", "a/..", "a/-b", "a/:b", "a/b c", "a/b\n", "a/é", "a/\xff", "a/\x00", "a\\b/c", "a/b*", "a/b>", "a/b@",
		"k/" + strings.Repeat("x", state.MaxKeyBytes-1),
	} {
		_, get := s.Get(ctx, key)
		_, put := s.Put(ctx, key, nil, state.None)
		del := s.Delete(ctx, key, state.VersionOf(nil))
		apply := s.Apply(ctx, state.Check(key, state.None))
		for _, err := range []error{get, put, del, apply} {
			if !errors.Is(err, state.ErrInvalid) {
				t.Errorf("the key %.20q gave %v", key, err)
			}
		}
	}
	for _, prefix := range []string{"/", "a//", ".", "a b", "*", strings.Repeat("x", state.MaxKeyBytes+1)} {
		_, list := s.List(ctx, prefix)
		_, watch := s.Watch(ctx, prefix)
		if !errors.Is(list, state.ErrInvalid) || !errors.Is(watch, state.ErrInvalid) {
			t.Errorf("the prefix %.20q gave %v and %v", prefix, list, watch)
		}
	}
	for _, log := range []string{"", "a/b", "/", ".", "a b", "é", "a\x00", strings.Repeat("x", state.MaxKeyBytes+1)} {
		_, add := s.Append(ctx, log, nil)
		for _, err := range []error{add, scanError(s.Scan(ctx, log, 0)), scanError(s.ScanBack(ctx, log, 0))} {
			if !errors.Is(err, state.ErrInvalid) {
				t.Errorf("the log %.20q gave %v", log, err)
			}
		}
	}
	for _, v := range []state.Version{"x", "00", state.Version(strings.Repeat("A", 64)), state.VersionOf(nil) + "0"} {
		if _, err := s.Put(ctx, "a/new", nil, v); !errors.Is(err, state.ErrInvalid) {
			t.Errorf("the version %q gave %v", v, err)
		}
	}
	if err := s.Delete(ctx, "a/new", state.None); !errors.Is(err, state.ErrInvalid) {
		t.Errorf("Delete of no version gave %v", err)
	}
}

func testBounds(t *testing.T, s *S) {
	ctx := t.Context()
	large := make([]byte, state.MaxValueBytes+1)
	_, put := s.Put(ctx, "kind/a", large, state.None)
	_, add := s.Append(ctx, "audit", large[:state.MaxRecordBytes+1])
	many := make([]state.Change, state.MaxChanges+1)
	for i := range many {
		many[i] = state.Append("audit", nil)
	}
	half := large[:state.MaxValueBytes/2+1]
	for i, err := range []error{
		put, add, s.Apply(ctx, many...),
		s.Apply(ctx, state.Put("kind/a", half, state.None), state.Put("kind/b", half, state.None)),
		s.Apply(ctx, state.Change{Name: "kind/a"}),
	} {
		if !errors.Is(err, state.ErrInvalid) {
			t.Errorf("call %d gave %v", i, err)
		}
	}
	if err := s.Apply(ctx, many[1:]...); err != nil {
		t.Error(err)
	}
	if seq := s.append("audit", string(large[:state.MaxRecordBytes])); seq != state.MaxChanges+1 {
		t.Errorf("after %d records there is number %d", state.MaxChanges, seq)
	}
	large[4<<20] = 1
	s.put("kind/a", string(large[:8<<20]), state.None)
	if e := s.get("kind/a"); len(e.Value) != 8<<20 || e.Value[4<<20] != 1 {
		t.Errorf("a large value is read as %d bytes", len(e.Value))
	}
}

// together runs f in many goroutines at once.
func together(n int, f func(i int)) {
	start := make(chan struct{})
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			<-start
			f(i)
		})
	}
	close(start)
	group.Wait()
}

func testCreateRace(t *testing.T, s *S) {
	for round := range 20 {
		key := fmt.Sprint("kind/", round)
		errs := make([]error, 16)
		together(len(errs), func(i int) { _, errs[i] = s.Put(t.Context(), key, []byte(fmt.Sprint("by ", i)), state.None) })
		winner := ""
		for i, err := range errs {
			if err == nil {
				winner += fmt.Sprint("by ", i)
			}
		}
		if got := string(s.get(key).Value); got != winner {
			t.Fatalf("%s is %q, the winners are %q", key, got, winner)
		}
		for _, err := range errs {
			if err != nil {
				wantConflict(t, err, key, winner)
			}
		}
	}
}

func testCountRace(t *testing.T, s *S) {
	const writers, each = 12, 15
	s.put("kind/count", "0", state.None)
	together(writers, func(int) {
		for range each {
			for e := s.get("kind/count"); ; {
				n := 0
				_, _ = fmt.Sscan(string(e.Value), &n)
				_, err := s.Put(t.Context(), e.Key, []byte(fmt.Sprint(n+1)), e.Version)
				if err == nil {
					break
				}
				var conflict *state.ConflictError
				if !errors.As(err, &conflict) {
					t.Error(err)
					return
				}
				e = conflict.Current // need not be read again
			}
		}
	})
	if got := s.list(""); got != fmt.Sprint("kind/count=", writers*each) {
		t.Errorf("%d writers counted %d times to %s", writers, each, got)
	}
}

func testApply(t *testing.T, s *S) {
	ctx := t.Context()
	a := s.put("kind/a", "1", state.None)
	b := s.put("kind/b", "1", state.None)
	s.append("audit", "first")
	before, events := s.export(), s.watch("")
	refused := [][]state.Change{
		{state.Put("kind/a", []byte("2"), a), state.Put("kind/new", nil, state.None), state.Append("audit", nil), state.Delete("kind/b", state.VersionOf(nil))},
		{state.Append("audit", nil), state.Delete("kind/a", a), state.Put("kind/b", nil, state.None)},
		{state.Put("kind/a", []byte("2"), a), state.Check("kind/b", state.None)},
		{state.Put("kind/a", []byte("2"), a), state.Check("kind/c", b)},
	}
	for _, changes := range refused {
		if err := s.Apply(ctx, changes...); !errors.Is(err, state.ErrConflict) {
			t.Errorf("got %v", err)
		}
	}
	for _, changes := range [][]state.Change{
		{state.Put("kind/a", []byte("2"), a), state.Delete("kind/a", a)},
		{state.Check("kind/a", a), state.Put("kind/a", []byte("2"), a)},
		{state.Put("kind/a", []byte("2"), a), state.Put("no key", nil, state.None)},
	} {
		if err := s.Apply(ctx, changes...); !errors.Is(err, state.ErrInvalid) {
			t.Errorf("got %v", err)
		}
	}
	// The first conflict is told.
	wantConflict(t, s.Apply(ctx, state.Check("kind/a", a), state.Check("kind/c", b), state.Check("kind/b", state.None)), "kind/c", "")
	if after := s.export(); after != before || waiting(events) != "" {
		t.Fatalf("what was refused has changed the state to\n%s", after)
	}
	for _, changes := range [][]state.Change{
		nil,
		{state.Check("kind/a", a), state.Check("kind/c", state.None)},
		{state.Put("kind/a", []byte("1"), a)}, // is there already
		{
			state.Check("kind/a", a), state.Append("audit", []byte("x")), state.Put("kind/c", []byte("3"), state.None), state.Delete("kind/b", b),
			state.Append("audit", []byte("y")),
		},
	} {
		if err := s.Apply(ctx, changes...); err != nil {
			t.Error(err)
		}
	}
	got := s.list("") + "; " + s.records(s.Scan(ctx, "audit", 0)) + "; " + waiting(events)
	if want := "kind/a=1 kind/c=3; 1:first 2:x 3:y; kind/c=3 -kind/b"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func testApplyAtOnce(t *testing.T, s *S) {
	v := s.put("kind/a", "0", state.None)
	s.put("kind/b", "0", state.None)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := 1; i <= 100; i++ {
			value := []byte(fmt.Sprint(i))
			if err := s.Apply(t.Context(), state.Put("kind/a", value, v), state.Append("audit", value), state.Put("kind/b", value, v)); err != nil {
				t.Error(err)
				return
			}
			v = state.VersionOf(value)
		}
	}()
	for ending := false; !ending; {
		select {
		case <-done:
			ending = true
		default:
		}
		all, err := s.List(t.Context(), "kind/")
		if err != nil || len(all) != 2 || string(all[0].Value) != string(all[1].Value) {
			t.Fatalf("List gave %v, %v", all, err)
		}
		dump := newS(t, state.NewMemory())
		if err := dump.Import(t.Context(), strings.NewReader(s.export())); err != nil {
			t.Fatal(err)
		}
		records := 0
		for range dump.Scan(t.Context(), "audit", 0) {
			records++
		}
		if got, want := dump.list(""), fmt.Sprintf("kind/a=%d kind/b=%[1]d", records); got != want {
			t.Fatalf("an export has %s, want %s", got, want)
		}
	}
	if got := s.list(""); got != "kind/a=100 kind/b=100" {
		t.Error(got)
	}
}
