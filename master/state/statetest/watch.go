package statetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/vedettehq/vedette/master/state"
)

func testWatch(t *testing.T, s *S) {
	v0 := s.put("kind/a", "before", state.None)
	all, some := s.watch(""), s.watch("kind/a")
	v1 := s.put("kind/a", "1", v0)
	if got := waiting(all); got != "kind/a=1" {
		t.Errorf("when Put returns, the watcher has %q", got)
	}
	s.put("kind/a", "1", v1) // changes nothing
	s.put("kind/ab", "2", state.None)
	s.put("kind/b", "3", state.None)
	s.append("audit", "no entry")
	s.delete("kind/a", v1)
	if _, err := s.Put(t.Context(), "kind/b", nil, state.None); !errors.Is(err, state.ErrConflict) {
		t.Error(err)
	}
	if got, want := waiting(all), "kind/ab=2 kind/b=3 -kind/a"; got != want {
		t.Errorf("the watcher of all got %q, want %q", got, want)
	}
	if got, want := waiting(some), "kind/a=1 kind/ab=2 -kind/a"; got != want {
		t.Errorf("the watcher of some got %q, want %q", got, want)
	}
}

// Writers of one key that count, each with an Apply of two: whoever watches gets
// every step of each, the pairs together, and all watchers get the same.
func testWatchOrder(t *testing.T, s *S) {
	const writers, each = 8, 15 // which no watcher loses
	first, second := s.watch("kind/"), s.watch("kind/")
	together(writers, func(i int) {
		v := state.None
		for n := range each {
			value := []byte(fmt.Sprint(n))
			if err := s.Apply(t.Context(), state.Put(fmt.Sprint("kind/a", i), value, v), state.Put(fmt.Sprint("kind/b", i), value, v)); err != nil {
				t.Error(err)
				return
			}
			v = state.VersionOf(value)
		}
	})
	got := strings.Fields(waiting(first))
	if again := waiting(second); again != strings.Join(got, " ") {
		t.Errorf("two watchers got different events:\n%v\n%v", got, again)
	}
	if len(got) != 2*writers*each {
		t.Fatalf("the watcher got %d events, want %d", len(got), 2*writers*each)
	}
	next := make(map[string]int)
	for pair := range slices.Chunk(got, 2) {
		key, value, _ := strings.Cut(pair[0], "=")
		if value != fmt.Sprint(next[key]) || pair[1] != strings.Replace(pair[0], "/a", "/b", 1) {
			t.Fatalf("the watcher got %v where %s is to be %d", pair, key, next[key])
		}
		next[key]++
	}
}

func testWatchEnds(t *testing.T, s *S) {
	ctx, cancel := context.WithCancel(t.Context())
	events, err := s.Watch(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	s.put("kind/a", "1", state.None)
	cancel()
	if e, ok := <-events; !ok || eventText(e) != "kind/a=1" {
		t.Errorf("got %v, %v", e, ok)
	}
	if e, ok := <-events; ok {
		t.Errorf("after its context ended a watcher got %v", e)
	}
	s.put("kind/b", "2", state.None)
	other := s.watch("")
	s.put("kind/c", "3", state.None)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := waiting(other); got != "kind/c=3 closed" {
		t.Errorf("after Close a watcher got %s", got)
	}
}

func testLost(t *testing.T, s *S) {
	events, v := s.watch(""), state.None
	n := 0
	count := func(times int) {
		for range times {
			n++
			v = s.put("kind/n", fmt.Sprint(n), v)
		}
	}
	want := func(from, to int, more ...string) {
		t.Helper()
		var all []string
		for i := from; i <= to; i++ {
			all = append(all, fmt.Sprint("kind/n=", i))
		}
		if got, want := waiting(events), strings.Join(append(all, more...), " "); got != want {
			t.Fatalf("the watcher got\n%s\nwant\n%s", got, want)
		}
	}
	count(state.WatchBuffer)
	want(1, n)
	count(state.WatchBuffer + 1)
	want(state.WatchBuffer+1, 2*state.WatchBuffer, "lost")
	count(1)
	want(n, n)
	// Nothing comes between Lost and that the watcher has taken it.
	from := n + 1
	count(state.WatchBuffer + 5)
	<-events
	count(2)
	want(from+1, from+state.WatchBuffer-1, "lost")
	count(2)
	want(n-1, n)
}

// Whoever watches, lists, and lists again at each Lost has the same as the store
// in the end, however slow it was.
func testLostCopy(t *testing.T, s *S) {
	const writers, each = 4, 300
	events := s.watch("kind/")
	written := make(chan struct{})
	go func() {
		defer close(written)
		together(writers, func(i int) {
			for n := range each {
				key := fmt.Sprintf("kind/%d-%d", i, n%5)
				e, _ := s.Get(t.Context(), key) // None, if there is none yet
				if _, err := s.Put(t.Context(), key, []byte(fmt.Sprint(n)), e.Version); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}()
	mine, lost := make(map[string]string), 0
	list := func() {
		clear(mine)
		all, err := s.List(t.Context(), "kind/")
		if err != nil {
			t.Error(err)
		}
		for _, e := range all {
			mine[e.Key] = string(e.Value)
		}
	}
	list()
	<-written // too late for most
	for len(events) > 0 {
		e := <-events
		if e.Lost {
			lost++
			list()
			continue
		}
		mine[e.Key] = string(e.Value)
	}
	var mirror []string
	for _, key := range slices.Sorted(maps.Keys(mine)) {
		mirror = append(mirror, key+"="+mine[key])
	}
	if got, want := strings.Join(mirror, " "), s.list(""); got != want || lost != 1 {
		t.Errorf("after %d times lost the copy is\n%s\nwant\n%s", lost, got, want)
	}
}
