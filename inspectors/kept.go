package inspectors

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"sync"
)

// MaxKeptBytes bounds the state that the runs of one inspector keep for each other.
const MaxKeptBytes = 64 << 10

// Kept is what the runs of one inspector keep for each other beyond the life of their
// process, such as how far a Tail has read. One Kept is for one run: it begins with what
// the run before has kept, and the runtime stores what the run leaves. A run that does
// not end by itself leaves nothing, so the next one begins where that one did. It is for
// runtimes, and safe for use from many goroutines.
type Kept struct {
	mu      sync.Mutex
	before  []byte
	entries map[string]keptEntry
	turn    uint64
	over    bool // the run has ended, or leaves nothing
}

// keptEntry is one thing that is kept.
type keptEntry struct {
	// Turn grows with each change of an entry: the one that has changed least lately goes
	// first when there is no room.
	Turn  uint64          `json:"turn"`
	State json.RawMessage `json:"state"`
}

// NewKept returns the Kept of a run, from the state that the run before has left. A state
// that cannot be read counts as none.
func NewKept(state []byte) *Kept {
	k := &Kept{before: state, entries: make(map[string]keptEntry)}
	if len(state) > MaxKeptBytes || json.Unmarshal(state, &k.entries) != nil || k.entries == nil {
		k.entries = make(map[string]keptEntry)
	}
	for _, e := range k.entries {
		k.turn = max(k.turn, e.Turn)
	}
	return k
}

// WithKept returns the context of a run that keeps state.
func WithKept(ctx context.Context, k *Kept) context.Context {
	return context.WithValue(ctx, keptKey{}, k)
}

type keptKey struct{}

// KeptOf returns the Kept of a context's run, or nil if it keeps nothing.
func KeptOf(ctx context.Context) *Kept {
	k, _ := ctx.Value(keptKey{}).(*Kept)
	return k
}

// Discard makes the run leave nothing. It may be called on nil.
func (k *Kept) Discard() {
	if k != nil {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.over = true
	}
}

// Leave ends the run, and returns the state that it leaves, and whether that differs from
// the one with which it began.
func (k *Kept) Leave() (state []byte, changed bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.over {
		return k.before, false
	}
	k.over = true
	for {
		state, err := json.Marshal(k.entries)
		if err != nil || len(k.entries) == 0 && len(k.before) == 0 {
			return k.before, false
		}
		if len(state) <= MaxKeptBytes {
			return state, !bytes.Equal(state, k.before)
		}
		oldest := slices.MinFunc(slices.Collect(maps.Keys(k.entries)), func(a, b string) int {
			return int(min(max(int64(k.entries[a].Turn)-int64(k.entries[b].Turn), -1), 1))
		})
		delete(k.entries, oldest)
	}
}

// get returns the value under a name, or nil.
func (k *Kept) get(name string) []byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.entries[name].State
}

// put keeps a value, which is JSON, under a name.
func (k *Kept) put(name string, state []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.over || bytes.Equal(k.entries[name].State, state) {
		return
	}
	k.turn++
	k.entries[name] = keptEntry{Turn: k.turn, State: state}
}
