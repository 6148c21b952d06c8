// Package statetest is the suite that every state.Store passes. Each test says
// which promise of the interface it is about.
package statetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"testing"

	"github.com/vedettehq/vedette/master/state"
)

// Run runs the suite. open returns a new store that holds nothing; the suite
// closes it.
func Run(t *testing.T, open func(t *testing.T) state.Store) {
	for _, tt := range []struct {
		name string
		test func(*testing.T, *S)
	}{
		{"WritesAreCompareAndSet", testWrites},
		{"AChangeThereAndBackIsNotSeen", testThereAndBack},
		{"WhatIsGivenStaysTheCallers", testOwnership},
		{"ListIsInOrder", testList},
		{"KeysAreChecked", testKeys},
		{"SizesAreBounded", testBounds},
		{"OfManyWhoCreateOneWins", testCreateRace},
		{"OfManyWhoCountNoneIsLost", testCountRace},
		{"ApplyIsAllOrNothing", testApply},
		{"NobodySeesHalfOfAnApply", testApplyAtOnce},
		{"WatchersGetWhatChanges", testWatch},
		{"WatchersGetAllInOrder", testWatchOrder},
		{"WatchersEnd", testWatchEnds},
		{"SlowWatchersAreTold", testLost},
		{"WhoListsAtLostHasAll", testLostCopy},
		{"RecordsAreNumberedInOrder", testLog},
		{"LogsAreScannedInPieces", testLongLog},
		{"WhatIsTrimmedIsGone", testTrim},
		{"LogsAreTrimmedAtAnyPlace", testTrimByChance},
		{"OfManyWhoAppendEachHasItsNumber", testAppendRace},
		{"LinkedRecordsSeeTheOneBefore", testLinked},
		{"ImportIsWhatWasExported", testRoundTrip},
		{"ImportIsIntoAnEmptyStore", testNotEmpty},
		{"FaultsOfAnImportAreTold", testFaults},
		{"AnExportThatWasCutIsRefused", testCut},
		{"EndedContextsAreRespected", testContext},
		{"ClosedStoresSaySo", testClosed},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, newS(t, open(t))) })
	}
}

// RunPersistent tests what a store on a disk promises beyond. open opens the
// store in a folder.
func RunPersistent(t *testing.T, open func(t *testing.T, dir string) state.Store) {
	dir := t.TempDir()
	first := newS(t, open(t, dir))
	fill(first)
	first.delete("kind/gone", first.put("kind/gone", "x", state.None))
	want := first.export()
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := newS(t, open(t, dir))
	if got := second.export(); got != want {
		t.Errorf("after a restart there is\n%.2000s\nwant\n%.2000s", got, want)
	}
	if seq, err := second.Append(t.Context(), "audit", nil); err != nil || seq != 4 {
		t.Errorf("after three records and a restart the next is %d, %v", seq, err)
	}
	second.put("kind/a", "other", second.get("kind/a").Version)
}

// S is a store under test, with calls that must succeed.
type S struct {
	state.Store
	t *testing.T
}

func newS(t *testing.T, s state.Store) *S {
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return &S{Store: s, t: t}
}

func (s *S) put(key, value string, want state.Version) state.Version {
	s.t.Helper()
	v, err := s.Put(s.t.Context(), key, []byte(value), want)
	if err != nil {
		s.t.Fatal(err)
	}
	return v
}

func (s *S) delete(key string, want state.Version) {
	s.t.Helper()
	if err := s.Delete(s.t.Context(), key, want); err != nil {
		s.t.Fatal(err)
	}
}

func (s *S) append(log, record string) uint64 {
	s.t.Helper()
	seq, err := s.Append(s.t.Context(), log, []byte(record))
	if err != nil {
		s.t.Fatal(err)
	}
	return seq
}

func (s *S) get(key string) state.Entry {
	s.t.Helper()
	e, err := s.Get(s.t.Context(), key)
	if err != nil {
		s.t.Fatal(err)
	}
	return e
}

// list returns the entries as "key=value key=value".
func (s *S) list(prefix string) string {
	s.t.Helper()
	all, err := s.List(s.t.Context(), prefix)
	if err != nil {
		s.t.Fatal(err)
	}
	var out []string
	for _, e := range all {
		if e.Version != state.VersionOf(e.Value) {
			s.t.Errorf("%s has the version %s, want %s", e.Key, e.Version, state.VersionOf(e.Value))
		}
		out = append(out, e.Key+"="+string(e.Value))
	}
	return strings.Join(out, " ")
}

func (s *S) watch(prefix string) <-chan state.Event {
	s.t.Helper()
	events, err := s.Watch(s.t.Context(), prefix)
	if err != nil {
		s.t.Fatal(err)
	}
	return events
}

func (s *S) export() string {
	s.t.Helper()
	var out strings.Builder
	if err := s.Export(s.t.Context(), &out); err != nil {
		s.t.Fatal(err)
	}
	return out.String()
}

// waiting takes the events that are in a channel, each written "key=value", "-key" for
// a deleted entry, or "lost".
func waiting(events <-chan state.Event) string {
	var out []string
	for {
		select {
		case e, ok := <-events:
			if !ok {
				return strings.Join(append(out, "closed"), " ")
			}
			out = append(out, eventText(e))
		default:
			return strings.Join(out, " ")
		}
	}
}

func eventText(e state.Event) string {
	switch {
	case e.Lost:
		return "lost"
	case e.Version == state.None:
		return "-" + e.Key
	}
	return e.Key + "=" + string(e.Value)
}

// records returns those of a scan as "1:value 2:value".
func (s *S) records(scan iter.Seq2[state.Record, error]) string {
	s.t.Helper()
	var out []string
	for r, err := range scan {
		if err != nil {
			s.t.Fatal(err)
		}
		out = append(out, fmt.Sprintf("%d:%s", r.Seq, r.Value))
	}
	return strings.Join(out, " ")
}

// wantConflict wants a conflict with what is there, "" for nothing.
func wantConflict(t *testing.T, err error, key, value string) {
	t.Helper()
	var conflict *state.ConflictError
	if !errors.Is(err, state.ErrConflict) || !errors.As(err, &conflict) {
		t.Fatalf("got %v, want a conflict", err)
	}
	c := conflict.Current
	want := state.VersionOf([]byte(value))
	if value == "" {
		want = state.None
	}
	if c.Key != key || string(c.Value) != value || c.Version != want {
		t.Errorf("the conflict is with %s=%q at %q, want %s=%q", c.Key, c.Value, c.Version, key, value)
	}
}

// call is one method with arguments that are right.
type call struct {
	name string
	do   func(ctx context.Context, s state.Store) error
}

func calls() []call {
	return []call{
		{"Get", func(ctx context.Context, s state.Store) error { _, err := s.Get(ctx, "kind/a"); return err }},
		{"List", func(ctx context.Context, s state.Store) error { _, err := s.List(ctx, ""); return err }},
		{"Put", func(ctx context.Context, s state.Store) error {
			_, err := s.Put(ctx, "kind/b", nil, state.None)
			return err
		}},
		{"Delete", func(ctx context.Context, s state.Store) error {
			return s.Delete(ctx, "kind/a", state.VersionOf([]byte("1")))
		}},
		{"Append", func(ctx context.Context, s state.Store) error { _, err := s.Append(ctx, "audit", nil); return err }},
		{"Apply", func(ctx context.Context, s state.Store) error {
			return s.Apply(ctx, state.Put("kind/b", nil, state.None), state.Append("audit", nil))
		}},
		{"Watch", func(ctx context.Context, s state.Store) error { _, err := s.Watch(ctx, ""); return err }},
		{"Scan", func(ctx context.Context, s state.Store) error { return scanError(s.Scan(ctx, "audit", 0)) }},
		{"ScanBack", func(ctx context.Context, s state.Store) error { return scanError(s.ScanBack(ctx, "audit", 0)) }},
		{"Export", func(ctx context.Context, s state.Store) error { return s.Export(ctx, io.Discard) }},
		{"Import", func(ctx context.Context, s state.Store) error { return s.Import(ctx, strings.NewReader("")) }},
	}
}

func scanError(scan iter.Seq2[state.Record, error]) (last error) {
	for _, err := range scan {
		last = err
	}
	return last
}

func testContext(t *testing.T, s *S) {
	s.put("kind/a", "1", state.None)
	s.append("audit", "x")
	before := s.export()
	ended, end := context.WithCancel(t.Context())
	end()
	for _, c := range calls() {
		if err := c.do(ended, s); !errors.Is(err, context.Canceled) {
			t.Errorf("%s gave %v", c.name, err)
		}
	}
	if after := s.export(); after != before {
		t.Errorf("calls with an ended context have changed the state to\n%s", after)
	}
}

func testClosed(t *testing.T, s *S) {
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	for _, c := range calls() {
		if err := c.do(t.Context(), s); !errors.Is(err, state.ErrClosed) {
			t.Errorf("%s gave %v", c.name, err)
		}
	}
}
