package shelf

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"

	"github.com/vedettehq/vedette/master/state"
)

// Whatever is written and removed in whatever order, the state has it, and a shelf
// that is opened again finds it; entries of other prefixes stay.
func TestWhatIsWrittenIsFound(t *testing.T) {
	t.Parallel()
	ctx, store := t.Context(), state.NewMemory()
	if _, err := store.Put(ctx, "other/1", []byte("kept"), state.None); err != nil {
		t.Fatal(err)
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	s, found, err := Open(ctx, store, "things/")
	if err != nil || len(found) != 0 {
		t.Fatalf("found %v, %v", found, err)
	}
	want := make(map[string][]byte)
	for round := range 30 {
		change := make(map[string][]byte)
		for range random.IntN(2500) { // more than one write takes
			name := fmt.Sprint("n", random.IntN(3000))
			if random.IntN(3) == 0 {
				change[name] = nil
				delete(want, name)
			} else {
				change[name] = fmt.Append(nil, random.Uint64())
				want[name] = change[name]
			}
		}
		if err := s.Write(ctx, change, state.Append("log", []byte("line"))); err != nil {
			t.Fatal(err)
		}
		if random.IntN(4) == 0 {
			s, _, err = Open(ctx, store, "things/")
		}
		_, found, openErr := Open(ctx, store, "things/")
		if err != nil || openErr != nil || !maps.EqualFunc(found, want, func(a, b []byte) bool { return string(a) == string(b) }) {
			t.Fatalf("round %d: found %d entries, want %d: %v, %v", round, len(found), len(want), err, openErr)
		}
	}
	lines := 0
	for _, err := range store.Scan(ctx, "log", 1) {
		if err != nil {
			t.Fatal(err)
		}
		lines++
	}
	if lines != 30 {
		t.Errorf("the log has %d lines, want one for each write", lines)
	}
	if e, err := store.Get(ctx, "other/1"); err != nil || string(e.Value) != "kept" {
		t.Errorf("an entry of somebody else is %q, %v", e.Value, err)
	}
}
