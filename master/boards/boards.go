// Package boards keeps the boards that people arrange on the page: named sets of
// charts, numbers, tables and texts. A board is an entry of the state. Each change
// names the version that its author has seen, and is kept as history; a change based
// on another version is refused with who made that one.
//
// Two boards come with the product. They are shown as long as nobody has changed
// them; deleting a changed one brings back what came with the product.
package boards

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/vedettehq/vedette/master/audit"
	"github.com/vedettehq/vedette/master/state"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

const (
	prefix        = "board/"
	historyPrefix = "boardhistory/"
	// maxBoards bounds those of one master, and keepChanges what is kept of the
	// history of one.
	maxBoards   = 1000
	keepChanges = 50
)

// record is a board as the state has it, after one change. Changes counts them, so
// that a version never comes twice.
type record struct {
	Name    string            `json:"name"`
	Content wire.BoardContent `json:"content"`
	Changes uint64            `json:"changes"`
	Author  string            `json:"author"`
	AtMS    int64             `json:"at_ms"`
	Message string            `json:"message,omitempty"`
	Deleted bool              `json:"deleted,omitempty"`
}

// version is what wire.Board has; "" of a board that nobody has changed.
func (r *record) version() string {
	if r == nil || r.Deleted {
		return ""
	}
	return strconv.FormatUint(r.Changes, 10)
}

// Store has the boards of one master. New makes it, Open gives it its state. It is
// safe for use from many goroutines after that.
type Store struct {
	announce func(path string, data any)
	builtIn  map[string]wire.BoardContent
	store    state.Store // set by Open

	mu  sync.Mutex
	all map[string]*record // guarded by mu: by name; deleted ones too. A record is replaced, never changed
}

// New makes a Store without a state. announce tells those who watch; it must not call
// back.
func New(announce func(path string, data any)) *Store {
	return &Store{announce: announce, builtIn: builtIn(), all: make(map[string]*record)}
}

// Open reads the state, which the Store uses from then on and leaves open.
func (s *Store) Open(ctx context.Context, store state.Store) error {
	entries, err := store.List(ctx, prefix)
	if err != nil {
		return fmt.Errorf("cannot read the boards: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.store = store
	for _, entry := range entries {
		var r record
		if err := json.Unmarshal(entry.Value, &r); err != nil {
			return fmt.Errorf("cannot read the board %q: %w", entry.Key, err)
		}
		s.all[r.Name] = &r
	}
	return nil
}

// List returns the boards by name.
func (s *Store) List() []wire.BoardInfo {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []wire.BoardInfo{}
	names := slices.Collect(maps.Keys(s.builtIn))
	for name := range s.all {
		if _, ok := s.builtIn[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		b, ok := s.boardLocked(name)
		if !ok {
			continue
		}
		list = append(list, wire.BoardInfo{
			Name: name, Title: b.Title, Panels: len(b.Panels), Version: b.Version, Author: b.Author, AtMS: b.AtMS, BuiltIn: b.BuiltIn,
		})
	}
	return list
}

// boardLocked returns a board as it is now, without its history.
func (s *Store) boardLocked(name string) (wire.Board, bool) {
	content, builtIn := s.builtIn[name]
	r := s.all[name]
	if r == nil || r.Deleted {
		return wire.Board{Name: name, BoardContent: content, BuiltIn: builtIn}, builtIn
	}
	return boardOf(r, builtIn), true
}

func boardOf(r *record, builtIn bool) wire.Board {
	return wire.Board{
		Name: r.Name, BoardContent: r.Content, Version: r.version(), Author: r.Author, AtMS: r.AtMS, Message: r.Message, BuiltIn: builtIn,
	}
}

// Get returns a board with its history: as it is, or as it was at a version.
func (s *Store) Get(ctx context.Context, p wire.BoardParams) (wire.Board, error) {
	s.mu.Lock()
	b, ok := s.boardLocked(p.Name)
	known := s.all[p.Name] != nil
	s.mu.Unlock()
	if !ok && !known {
		return b, notFound(p.Name)
	}
	past, err := s.history(ctx, p.Name)
	if err != nil {
		return b, err
	}
	if p.Version != "" && p.Version != b.Version {
		at := slices.IndexFunc(past, func(r record) bool { return !r.Deleted && r.version() == p.Version })
		if at < 0 {
			return b, rpc.Errorf(wire.CodeNotFound, "the board %q has no version %q, or it is too old to be kept", p.Name, p.Version)
		}
		b = boardOf(&past[at], b.BuiltIn)
	} else if !ok {
		return b, notFound(p.Name)
	}
	for _, r := range past {
		b.History = append(b.History, wire.BoardChange{
			Version: strconv.FormatUint(r.Changes, 10), Author: r.Author, AtMS: r.AtMS, Message: r.Message, Deleted: r.Deleted,
		})
	}
	return b, nil
}

// history returns the changes of a board that are kept, newest first.
func (s *Store) history(ctx context.Context, name string) ([]record, error) {
	entries, err := s.store.List(ctx, historyPrefix+name+"/")
	if err != nil {
		return nil, fmt.Errorf("cannot read the history of the board %q: %w", name, err)
	}
	list := make([]record, len(entries))
	for i, entry := range entries {
		if err := json.Unmarshal(entry.Value, &list[len(list)-1-i]); err != nil {
			return nil, fmt.Errorf("cannot read the history of the board %q: %w", name, err)
		}
	}
	return list, nil
}

// Put makes or changes a board. It is on the disk, with its line in the audit log,
// when Put returns. Of several changes that have seen the same version one wins; the
// others get wire.CodeConflict.
func (s *Store) Put(ctx context.Context, p wire.BoardPutParams) (wire.Board, error) {
	if err := check(p.Name, &p.Content, p.Message); err != nil {
		return wire.Board{}, err
	}
	next, err := s.change(ctx, record{Name: p.Name, Content: p.Content, Message: p.Message}, p.Version)
	if err != nil {
		return wire.Board{}, err
	}
	_, builtIn := s.builtIn[p.Name]
	return boardOf(next, builtIn), nil
}

// Delete deletes a board; its history is kept.
func (s *Store) Delete(ctx context.Context, p wire.BoardDeleteParams) error {
	if err := checkMessage(p.Message); err != nil {
		return err
	}
	_, err := s.change(ctx, record{Name: p.Name, Message: p.Message, Deleted: true}, p.Version)
	return err
}

func (s *Store) change(ctx context.Context, next record, seen string) (*record, error) {
	attempt := audit.From(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.all[next.Name]
	if err := s.compareLocked(&next, before, seen); err != nil {
		return nil, err
	}
	next.Author, next.AtMS, next.Changes = attempt.Who(), time.Now().UnixMilli(), 1
	was := state.None
	if before != nil {
		next.Changes, was = before.Changes+1, state.VersionOf(encode(before))
	}
	value := encode(&next)
	changes := []state.Change{
		attempt.Change(next.Name, describe(&next)),
		state.Put(prefix+next.Name, value, was),
		state.Put(historyKey(next.Name, next.Changes), value, state.None),
	}
	if next.Changes > keepChanges {
		old, err := s.store.Get(ctx, historyKey(next.Name, next.Changes-keepChanges))
		if err == nil {
			changes = append(changes, state.Delete(old.Key, old.Version))
		}
	}
	if err := s.store.Apply(context.WithoutCancel(ctx), changes...); err != nil {
		return nil, fmt.Errorf("cannot store the board %q: %w", next.Name, err)
	}
	attempt.Written()
	s.all[next.Name] = &next
	info := wire.BoardInfo{
		Name: next.Name, Title: next.Content.Title, Panels: len(next.Content.Panels), Version: next.version(), Author: next.Author,
		AtMS: next.AtMS,
	}
	s.announce("boards/"+next.Name, info)
	return &next, nil
}

// compareLocked refuses a change of what its author has not seen, or that there is no
// room for.
func (s *Store) compareLocked(next, before *record, seen string) error {
	_, builtIn := s.builtIn[next.Name]
	switch there := before.version(); {
	case next.Deleted && there == "" && builtIn:
		return rpc.Errorf(wire.CodeConflict, "the board %q comes with the product and has not been changed; it cannot be deleted", next.Name)
	case next.Deleted && there == "":
		return notFound(next.Name)
	case there == seen:
	case before == nil:
		return rpc.Errorf(wire.CodeConflict, "the board %q has no version %s: it has never been changed", next.Name, seen)
	case there == "":
		return rpc.Errorf(wire.CodeConflict, "the board %q was deleted by %s; to make it again, change it with no version", next.Name, before.Author)
	case seen == "":
		return rpc.Errorf(wire.CodeConflict, "there is a board %q already, of version %s by %s; choose another name, or change that one", next.Name, there,
			before.Author)
	default:
		return rpc.Errorf(wire.CodeConflict, "the board %q has been changed by %s at %s: it is at version %s, and you have seen %s",
			next.Name, before.Author, time.UnixMilli(before.AtMS).UTC().Format(time.RFC3339), there, seen)
	}
	if before == nil && len(s.all) >= maxBoards {
		return rpc.Errorf(wire.CodeBusy, "there are %d boards, which is the limit", maxBoards)
	}
	return nil
}

func historyKey(name string, change uint64) string {
	return fmt.Sprintf("%s%s/%010d", historyPrefix, name, change)
}

// describe is what the audit log says of a change beside the name.
func describe(r *record) string {
	words := []string{fmt.Sprintf("version %d", r.Changes)}
	if r.Deleted {
		words = []string{"deleted"}
	}
	if r.Message != "" {
		words = append(words, "message "+strconv.Quote(r.Message))
	}
	return strings.Join(words, ", ")
}

func encode(r *record) []byte {
	data, err := json.Marshal(r)
	if err != nil {
		panic(fmt.Sprintf("cannot encode a board: %v", err)) // strings and numbers only
	}
	return data
}

func notFound(name string) error { return rpc.Errorf(wire.CodeNotFound, "there is no board %q", name) }
