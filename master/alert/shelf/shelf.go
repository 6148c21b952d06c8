// Package shelf stores one kind of entries in the master's state: those whose keys have
// one prefix, and which nobody else writes.
package shelf

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/vedettehq/vedette/master/state"
)

// Shelf holds the entries of one prefix, such as "silences/". It knows their versions, so
// a write needs no read before it. It is safe for use by many goroutines.
type Shelf struct {
	store  state.Store
	prefix string

	mu       sync.Mutex
	versions map[string]state.Version // guarded by mu; by name
}

// Open reads the entries. Their names are their keys without the prefix.
func Open(ctx context.Context, store state.Store, prefix string) (*Shelf, map[string][]byte, error) {
	s := &Shelf{store: store, prefix: prefix, versions: make(map[string]state.Version)}
	entries, err := store.List(ctx, prefix)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot read %q of the state: %w", prefix, err)
	}
	values := make(map[string][]byte, len(entries))
	for _, e := range entries {
		name := strings.TrimPrefix(e.Key, prefix)
		values[name], s.versions[name] = e.Value, e.Version
	}
	return s, values, nil
}

// Write sets entries, and removes those whose value is nil. others are further changes for
// the same commit, such as a line of the audit log. Too many entries for one write are
// written in several; the changes in others go with the first.
func (s *Shelf) Write(ctx context.Context, values map[string][]byte, others ...state.Change) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	changes, names, size := slices.Clone(others), []string(nil), 0
	flush := func() error {
		if len(changes) == 0 {
			return nil
		}
		if err := s.store.Apply(ctx, changes...); err != nil {
			return fmt.Errorf("cannot write %q of the state: %w", s.prefix, err)
		}
		for _, name := range names {
			if value := values[name]; value != nil {
				s.versions[name] = state.VersionOf(value)
			} else {
				delete(s.versions, name)
			}
		}
		changes, names, size = nil, nil, 0
		return nil
	}
	for name, value := range values {
		if len(changes) == state.MaxChanges || size+len(value) > state.MaxValueBytes {
			if err := flush(); err != nil {
				return err
			}
		}
		before := s.versions[name]
		switch {
		case value != nil:
			changes = append(changes, state.Put(s.prefix+name, value, before))
		case before != state.None:
			changes = append(changes, state.Delete(s.prefix+name, before))
		default:
			continue
		}
		names, size = append(names, name), size+len(value)
	}
	return flush()
}
