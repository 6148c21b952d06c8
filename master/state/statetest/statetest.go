// Package statetest is the suite that every engine of package state passes.
package statetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/vedettehq/vedette/master/state"
)

// Run runs the suite. open makes an empty store, which the test closes.
func Run(t *testing.T, open func(t *testing.T) state.Store) {
	tests := map[string]func(*testing.T, *suite){
		"entries":             entries,
		"compare and set":     compareAndSet,
		"one of many wins":    oneOfManyWins,
		"all or nothing":      allOrNothing,
		"logs":                logs,
		"watch":               watch,
		"watch while writing": watchWhileWriting,
		"a slow watcher":      slowWatcher,
		"export and import":   exportAndImport,
		"bad imports":         badImports,
		"bad calls":           badCalls,
		"closing":             closing,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := &suite{Store: open(t), t: t, open: open}
			defer s.Close()
			test(t, s)
		})
	}
}

type suite struct {
	state.Store
	t    *testing.T
	open func(*testing.T) state.Store
}

func (s *suite) put(key, value string, want state.Version) state.Version {
	s.t.Helper()
	v, err := s.Put(s.t.Context(), key, []byte(value), want)
	if err != nil {
		s.t.Fatal(err)
	}
	return v
}

func (s *suite) keys(prefix string) string {
	s.t.Helper()
	list, err := s.List(s.t.Context(), prefix)
	if err != nil {
		s.t.Fatal(err)
	}
	var keys []string
	for _, e := range list {
		keys = append(keys, e.Key)
	}
	return strings.Join(keys, " ")
}

func (s *suite) records(log string, from uint64, back bool) string {
	s.t.Helper()
	scan := s.Scan
	if back {
		scan = s.ScanBack
	}
	var all []string
	for r, err := range scan(s.t.Context(), log, from) {
		if err != nil {
			s.t.Fatal(err)
		}
		all = append(all, fmt.Sprintf("%d=%s", r.Seq, r.Value))
	}
	return strings.Join(all, " ")
}

func (s *suite) watch(prefix string) <-chan state.Event {
	s.t.Helper()
	events, err := s.Watch(s.t.Context(), prefix)
	if err != nil {
		s.t.Fatal(err)
	}
	return events
}

func entries(t *testing.T, s *suite) {
	if _, err := s.Get(t.Context(), "a/b"); !errors.Is(err, state.ErrNotFound) {
		t.Errorf("an entry that is not there: %v", err)
	}
	value := []byte("value")
	version, err := s.Put(t.Context(), "a/b", value, state.None)
	if err != nil || version != state.VersionOf([]byte("value")) {
		t.Fatal(version, err)
	}
	value[0] = 'X' // it is the caller's again
	got, err := s.Get(t.Context(), "a/b")
	if err != nil || string(got.Value) != "value" || got.Key != "a/b" || got.Version != version {
		t.Errorf("%q %v", got, err)
	}
	got.Value[0] = 'Y'
	if again, _ := s.Get(t.Context(), "a/b"); string(again.Value) != "value" {
		t.Error("what Get returns is not the caller's")
	}
	s.put("a/empty", "", state.None)
	if got, err := s.Get(t.Context(), "a/empty"); err != nil || len(got.Value) != 0 || got.Version != state.VersionOf(nil) {
		t.Errorf("an empty value: %v %v", got, err)
	}
	s.put("a-1/x", "", state.None)
	s.put("a/b/c", "", state.None)
	s.put("b/x", "", state.None)
	for prefix, want := range map[string]string{
		"": "a-1/x a/b a/b/c a/empty b/x", "a/": "a/b a/b/c a/empty", "a/b": "a/b a/b/c", "c": "", "b/x": "b/x",
	} {
		if got := s.keys(prefix); got != want {
			t.Errorf("prefix %q: %s, want %s", prefix, got, want)
		}
	}
}

func compareAndSet(t *testing.T, s *suite) {
	first := s.put("a/b", "1", state.None)
	for _, want := range []state.Version{state.None, state.VersionOf([]byte("other"))} {
		var conflict *state.ConflictError
		_, err := s.Put(t.Context(), "a/b", []byte("2"), want)
		if !errors.Is(err, state.ErrConflict) || !errors.As(err, &conflict) {
			t.Fatalf("a write that has not seen the entry: %v", err)
		}
		if string(conflict.Current.Value) != "1" || conflict.Current.Version != first {
			t.Errorf("the conflict is with %+v", conflict.Current)
		}
	}
	second := s.put("a/b", "2", first)
	if err := s.Delete(t.Context(), "a/b", first); !errors.Is(err, state.ErrConflict) {
		t.Errorf("a delete that has not seen the entry: %v", err)
	}
	if err := s.Delete(t.Context(), "a/b", second); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(t.Context(), "a/b", second); !errors.Is(err, state.ErrConflict) {
		t.Errorf("a delete of what is not there: %v", err)
	}
	s.put("a/b", "3", state.None)
}

func oneOfManyWins(t *testing.T, s *suite) {
	version := s.put("a/b", "start", state.None)
	for round := range 20 {
		var won atomic.Int32
		var next atomic.Value
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				v, err := s.Put(t.Context(), "a/b", fmt.Appendf(nil, "%d by %d", round, i), version)
				switch {
				case err == nil:
					won.Add(1)
					next.Store(v)
				case !errors.Is(err, state.ErrConflict):
					t.Error(err)
				}
			})
		}
		all.Wait()
		if won.Load() != 1 {
			t.Fatalf("%d of 8 have won", won.Load())
		}
		version = next.Load().(state.Version)
	}
}

func allOrNothing(t *testing.T, s *suite) {
	version := s.put("a/b", "1", state.None)
	events := s.watch("")
	bad := [][]state.Change{
		{state.Put("a/new", []byte("x"), state.None), state.Put("a/b", []byte("2"), state.None)},
		{state.Append("log", []byte("x")), state.Check("a/b", state.None)},
		{state.Delete("a/b", version), state.Check("a/other", version)},
	}
	for _, changes := range bad {
		if err := s.Apply(t.Context(), changes...); !errors.Is(err, state.ErrConflict) {
			t.Errorf("%v: %v", changes, err)
		}
	}
	if got := s.keys("") + s.records("log", 0, false); got != "a/b" || len(events) > 0 {
		t.Errorf("something was done: %s", got)
	}
	err := s.Apply(t.Context(), state.Check("a/b", version), state.Put("a/c", []byte("2"), state.None),
		state.Append("log", []byte("x")), state.Append("log", []byte("y")), state.Append("other", []byte("z")))
	if err != nil {
		t.Fatal(err)
	}
	if got := s.keys("") + " " + s.records("log", 0, false) + " " + s.records("other", 0, false); got != "a/b a/c 1=x 2=y 1=z" {
		t.Errorf("after all of it: %s", got)
	}
}

func logs(t *testing.T, s *suite) {
	const n = 300 // more than are read at once
	for i := range n {
		seq, err := s.Append(t.Context(), "audit", fmt.Appendf(nil, "r%d", i+1))
		if err != nil || seq != uint64(i+1) {
			t.Fatal(seq, err)
		}
	}
	for _, c := range []struct {
		from uint64
		back bool
		want string // how it starts
		n    int
	}{
		{0, false, "1=r1 2=r2", n},
		{299, false, "299=r299 300=r300", 2},
		{301, false, "", 0},
		{0, true, "300=r300 299=r299", n},
		{3, true, "2=r2 1=r1", 2},
		{1, true, "", 0},
	} {
		got := s.records("audit", c.from, c.back)
		if !strings.HasPrefix(got, c.want) || len(strings.Fields(got)) != c.n {
			t.Errorf("from %d, back %v: %d records, %.40s", c.from, c.back, len(strings.Fields(got)), got)
		}
	}
	if got := s.records("none", 0, false); got != "" {
		t.Errorf("a log that is not there has %s", got)
	}
	for r, err := range s.Scan(t.Context(), "audit", 0) { // the loop may write
		if err != nil {
			t.Fatal(err)
		}
		if r.Seq == 1 {
			s.put("a/b", "x", state.None)
		}
		if r.Seq == 5 {
			break
		}
	}
}

func watch(t *testing.T, s *suite) {
	version := s.put("a/before", "1", state.None)
	ctx, cancel := context.WithCancel(t.Context())
	events, err := s.Watch(ctx, "a/")
	if err != nil {
		t.Fatal(err)
	}
	s.put("a/new", "2", state.None)
	s.put("b/other", "3", state.None)
	s.put("a/before", "1", version) // which changes nothing
	if err := s.Apply(t.Context(), state.Delete("a/before", version), state.Put("a/x", []byte("4"), state.None)); err != nil {
		t.Fatal(err)
	}
	if len(events) != 3 {
		t.Fatalf("%d events wait when the writes have returned", len(events))
	}
	var got []string
	for range 3 {
		e := <-events
		got = append(got, fmt.Sprintf("%s=%s %v %v", e.Key, e.Value, e.Version == state.None, e.Lost))
	}
	want := []string{"a/new=2 false false", "a/before= true false", "a/x=4 false false"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("events %q, want %q", got, want)
	}
	cancel()
	if _, more := <-events; more {
		t.Error("there are more events")
	}
}

// Whoever watches, and then lists, has everything.
func watchWhileWriting(t *testing.T, s *suite) {
	const writers, each = 4, 50
	events := s.watch("n/")
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			version := state.None
			for i := range each {
				v, err := s.Put(t.Context(), fmt.Sprintf("n/%d", w), fmt.Appendf(nil, "%d", i), version)
				if err != nil {
					t.Error(err)
					return
				}
				version = v
			}
		})
	}
	next := make(map[string]int)
	for range writers * each {
		e := <-events
		if want := fmt.Sprint(next[e.Key]); e.Lost || string(e.Value) != want {
			t.Fatalf("event %s=%s lost=%v, want %s", e.Key, e.Value, e.Lost, want)
		}
		next[e.Key]++
	}
	all.Wait()
}

func slowWatcher(t *testing.T, s *suite) {
	slow, quick := s.watch(""), s.watch("q/")
	for i := range state.WatchBuffer + 50 {
		s.put(fmt.Sprintf("a/%d", i), "x", state.None)
	}
	s.put("q/1", "x", state.None)
	if e := <-quick; e.Lost || e.Key != "q/1" {
		t.Errorf("the other watcher got %+v", e)
	}
	for i := range state.WatchBuffer {
		if e := <-slow; e.Lost || e.Key != fmt.Sprintf("a/%d", i) {
			t.Fatalf("event %d is %+v", i, e)
		}
	}
	if e := <-slow; !e.Lost {
		t.Fatalf("after the buffer comes %+v", e)
	}
	s.put("q/2", "x", state.None)
	if e := <-slow; e.Lost || e.Key != "q/2" {
		t.Errorf("then it goes on with %+v", e)
	}
}

func exportAndImport(t *testing.T, s *suite) {
	s.put("a/text", "<b> \u2028 \"é\"\n", state.None)
	s.put("a/binary", "\x00\xff\xfe", state.None)
	s.put("a/empty", "", state.None)
	for i := range 200 {
		if _, err := s.Append(t.Context(), "audit", fmt.Appendf(nil, `{"n":%d}`, i)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Append(t.Context(), "binary", []byte{0xff}); err != nil {
		t.Fatal(err)
	}
	var first, second bytes.Buffer
	if err := s.Export(t.Context(), &first); err != nil {
		t.Fatal(err)
	}
	other := &suite{Store: s.open(t), t: t}
	defer other.Close()
	events := other.watch("")
	if err := other.Import(t.Context(), bytes.NewReader(first.Bytes())); err != nil {
		t.Fatal(err)
	}
	if e := <-events; !e.Lost {
		t.Errorf("a watcher of an import gets %+v", e)
	}
	if err := other.Export(t.Context(), &second); err != nil {
		t.Fatal(err)
	}
	if first.String() != second.String() {
		t.Errorf("exported, imported and exported:\n%s\n%s", &first, &second)
	}
	if seq, err := other.Append(t.Context(), "audit", nil); err != nil || seq != 201 {
		t.Errorf("the log goes on with %d, %v", seq, err)
	}
	if err := other.Import(t.Context(), bytes.NewReader(first.Bytes())); !errors.Is(err, state.ErrNotEmpty) {
		t.Errorf("an import into what is not empty: %v", err)
	}
}

const (
	head = `{"vedette":"state","format":1}` + "\n"
	tail = `{"end":{"entries":1,"records":0}}` + "\n"
	one  = `{"key":"a/b","text":"x"}` + "\n"
)

func badImports(t *testing.T, s *suite) {
	for dump, want := range map[string]string{
		"":                                     "it ends before its last line: it is not whole",
		"hello\n":                              `line 1: it is not an export of the state: it does not start with {"vedette":"state"}`,
		one:                                    `line 1: it is not an export of the state: it does not start with {"vedette":"state"}`,
		head + one:                             "it ends before its last line: it is not whole",
		head + tail:                            "line 2: the export had 1 entries and 0 records; here are 0 and 0",
		head + one + one:                       `line 3: the key "a/b" is on line 2 too`,
		head + one + "{}\n":                    "line 3: it has neither a key nor a log",
		head + one + "{\n":                     "line 3: it is not a line of an export: unexpected EOF",
		head + tail[:10]:                       "line 2: it is not a line of an export: unexpected EOF",
		head + "{\"key\":1}":                   "line 2: it is not a line of an export: json: cannot unmarshal number into Go struct field dumpLine.key of type string",
		head + "{\"keys\":1}":                  `line 2: it is not a line of an export: json: unknown field "keys"`,
		head + `{"key":"a","text":""}`:         `line 2: invalid: the key "a" is not of the form kind/name`,
		head + `{"log":"l","seq":2,"text":""}`: `line 2: the record of log "l" has the number 2; 1 comes here`,
		head + one + tail + one:                "line 4: it stands after the last line",
		`{"vedette":"state","format":99}`:      "line 1: it was made by a newer version: its format is 99, this one's is 1",
		head + "{\"key\":\"/a\"}\n" + "{\"key\":\"a//b\"}\n" + "{\"log\":\"x/y\"}": "line 4: ", // every fault at once
	} {
		err := s.Import(t.Context(), strings.NewReader(dump))
		if err == nil || !strings.HasPrefix(err.Error(), "cannot import the state: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("import of %q: %v, want %s", dump, err, want)
		}
	}
	if got := s.keys(""); got != "" {
		t.Errorf("a bad import has left %s", got)
	}
}

func badCalls(t *testing.T, s *suite) {
	put := func(key string) error {
		_, err := s.Put(t.Context(), key, nil, state.None)
		return err
	}
	calls := map[string]error{}
	for _, key := range []string{"", "a", "/a", "a/", "a//b", "a/../b", "a/b c", "a/é", "a/" + strings.Repeat("x", state.MaxKeyBytes)} {
		calls["put "+key] = put(key)
	}
	_, calls["a version"] = s.Put(t.Context(), "a/b", nil, "zz")
	calls["a delete of nothing"] = s.Delete(t.Context(), "a/b", state.None)
	_, calls["a large record"] = s.Append(t.Context(), "log", make([]byte, state.MaxRecordBytes+1))
	_, calls["a log with a slash"] = s.Append(t.Context(), "a/b", nil)
	calls["a key twice"] = s.Apply(t.Context(), state.Put("a/b", nil, state.None), state.Put("a/b", nil, state.None))
	calls["no change"] = s.Apply(t.Context(), state.Change{Name: "a/b"})
	_, calls["a list of a bad prefix"] = s.List(t.Context(), "a b")
	for what, err := range calls {
		if !errors.Is(err, state.ErrInvalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Put(ended, "a/b", nil, state.None); !errors.Is(err, context.Canceled) {
		t.Errorf("a write whose context has ended: %v", err)
	}
	if got := s.keys(""); got != "" {
		t.Errorf("bad calls have left %s", got)
	}
}

func closing(t *testing.T, s *suite) {
	events := s.watch("")
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	if _, more := <-events; more {
		t.Error("the watcher is not told")
	}
	if _, err := s.Get(t.Context(), "a/b"); !errors.Is(err, state.ErrClosed) {
		t.Errorf("a read after the end: %v", err)
	}
	if _, err := s.Put(t.Context(), "a/b", nil, state.None); !errors.Is(err, state.ErrClosed) {
		t.Errorf("a write after the end: %v", err)
	}
	for _, err := range s.Scan(t.Context(), "log", 0) {
		if !errors.Is(err, state.ErrClosed) {
			t.Errorf("a scan after the end: %v", err)
		}
	}
}
