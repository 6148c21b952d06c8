package state

import (
	"maps"
	"slices"
	"strings"
	"sync"
)

// NewMemory returns a store that keeps everything in memory and forgets it when
// it is closed.
func NewMemory() Store { return newStore(&memory{now: &memoryTx{}}) }

// memory is the engine of NewMemory. An update works on a copy, which then
// replaces the original.
type memory struct {
	mu  sync.RWMutex
	now *memoryTx
}

// memoryTx implements tx.
type memoryTx struct {
	entries map[string][]byte
	records map[string][][]byte // by log
	firsts  map[string]uint64   // by log: the number of the first record, if that is not 1
}

func (m *memory) view(f func(tx) error) error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return f(m.now)
}

func (m *memory) update(f func(tx) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	next := &memoryTx{entries: maps.Clone(m.now.entries), records: maps.Clone(m.now.records), firsts: maps.Clone(m.now.firsts)}
	if next.entries == nil {
		next.entries, next.records, next.firsts = make(map[string][]byte), make(map[string][][]byte), make(map[string]uint64)
	}
	if err := f(next); err != nil {
		return err
	}
	m.now = next
	return nil
}

func (m *memory) close() error { return nil }

func (t *memoryTx) get(key string) ([]byte, bool) {
	value, ok := t.entries[key]
	return value, ok
}

func (t *memoryTx) put(key string, value []byte) error {
	t.entries[key] = value
	return nil
}

func (t *memoryTx) remove(key string) error {
	delete(t.entries, key)
	return nil
}

func (t *memoryTx) each(prefix string, f func(string, []byte) error) error {
	for _, key := range slices.Sorted(maps.Keys(t.entries)) {
		if !strings.HasPrefix(key, prefix) {
			continue
		}
		if err := f(key, t.entries[key]); err != nil {
			return err
		}
	}
	return nil
}

func (t *memoryTx) logs() []string { return slices.Sorted(maps.Keys(t.records)) }

func (t *memoryTx) append(log string, record []byte) (uint64, error) {
	had := t.records[log]
	// A separate copy: the old value may be appended to again if this is undone.
	t.records[log] = append(had[:len(had):len(had)], append([]byte{}, record...))
	return t.first(log) + uint64(len(had)), nil
}

func (t *memoryTx) first(log string) uint64 { return max(t.firsts[log], 1) }

func (t *memoryTx) trim(log string, first uint64) error {
	t.records[log] = slices.Clone(t.records[log][first-t.first(log):])
	t.firsts[log] = first
	return nil
}

func (t *memoryTx) begin(log string, first uint64) error {
	t.records[log], t.firsts[log] = nil, first
	return nil
}

// end is the number after the last record of a log.
func (t *memoryTx) end(log string) uint64 { return t.first(log) + uint64(len(t.records[log])) }

func (t *memoryTx) next(log string, from uint64) (Record, bool) {
	first := t.first(log)
	if from = max(from, first); from >= t.end(log) {
		return Record{}, false
	}
	return Record{Seq: from, Value: t.records[log][from-first]}, true
}

func (t *memoryTx) previous(log string, before uint64) (Record, bool) {
	first, end := t.first(log), min(before, t.end(log))
	if end <= first {
		return Record{}, false
	}
	return Record{Seq: end - 1, Value: t.records[log][end-1-first]}, true
}
