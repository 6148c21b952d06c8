package boards

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/vedettehq/vedette/master/audit"
	"github.com/vedettehq/vedette/master/state"
	"github.com/vedettehq/vedette/rpc"
	"github.com/vedettehq/vedette/rpc/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, file string) (*Store, state.Store) {
	t.Helper()
	store, err := state.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	s := New(func(string, any) {})
	if err := s.Open(t.Context(), store); err != nil {
		t.Fatal(err)
	}
	return s, store
}

func by(who string) context.Context {
	return audit.With(context.Background(), audit.NewAttempt(who, "operator", "10.0.0.1", "boards.put"))
}

func content(title string, panels int) wire.BoardContent {
	c := wire.BoardContent{Title: title}
	for i := range panels {
		c.Panels = append(c.Panels, wire.BoardPanel{Kind: "text", Text: title, Y: i, W: 1, H: 1})
	}
	return c
}

func codeOf(err error) int {
	if answer, ok := errors.AsType[*rpc.Error](err); ok {
		return answer.Code
	}
	return 0
}

// Random changes of a few boards, some of them based on old versions, with the state
// opened again in between: exactly those that have seen the present version succeed,
// every one of them is in the history and in the audit log, and old content comes back
// as it was.
func TestRandomChanges(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		r := rand.New(rand.NewPCG(seed, 3))
		file := filepath.Join(t.TempDir(), "state.db")
		s, store := open(t, file)
		version, versions := map[string]string{}, map[string]map[string]string{} // titles by version
		changed := 0
		for i := range 150 {
			name := []string{"a", "b", "fleet"}[r.IntN(3)]
			seen, title := version[name], fmt.Sprint("title ", i)
			if stale := r.IntN(4) == 0; stale {
				seen = strconv.Itoa(r.IntN(40))
			}
			if r.IntN(5) == 0 {
				err := s.Delete(by("anna"), wire.BoardDeleteParams{Name: name, Version: seen})
				if ok := seen == version[name] && version[name] != ""; ok != (err == nil) {
					t.Fatalf("seed %d, change %d: deleting %s at %q while it is at %q: %v", seed, i, name, seen, version[name], err)
				} else if ok {
					version[name] = ""
					changed++
				}
				continue
			}
			b, err := s.Put(by("bert"), wire.BoardPutParams{Name: name, Content: content(title, 1+r.IntN(3)), Version: seen, Message: "m"})
			if ok := seen == version[name]; ok != (err == nil) {
				t.Fatalf("seed %d, change %d: changing %s at %q while it is at %q: %v", seed, i, name, seen, version[name], err)
			} else if ok {
				version[name] = b.Version
				if versions[name] == nil {
					versions[name] = map[string]string{}
				}
				if versions[name][b.Version] != "" {
					t.Fatalf("seed %d: the version %s of %s came twice", seed, b.Version, name)
				}
				versions[name][b.Version] = title
				changed++
			} else if codeOf(err) != wire.CodeConflict {
				t.Fatalf("seed %d: a change that lost got %v", seed, err)
			}
			if r.IntN(20) == 0 {
				if err := store.Close(); err != nil {
					t.Fatal(err)
				}
				s, store = open(t, file)
			}
		}
		for name, titles := range versions {
			checkBoard(t, s, name, version[name], titles)
		}
		lines := 0
		for _, err := range store.Scan(t.Context(), audit.LogName, 0) {
			if err != nil {
				t.Fatal(err)
			}
			lines++
		}
		if lines != changed {
			t.Errorf("seed %d: the audit log has %d lines for %d changes", seed, lines, changed)
		}
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// checkBoard compares a board, and its history, with what was put.
func checkBoard(t *testing.T, s *Store, name, version string, titles map[string]string) {
	t.Helper()
	b, err := s.Get(t.Context(), wire.BoardParams{Name: name})
	switch _, builtIn := s.builtIn[name]; {
	case version == "" && !builtIn:
		if codeOf(err) != wire.CodeNotFound {
			t.Errorf("the deleted board %s: %v", name, err)
		}
		return
	case version == "":
		if err != nil || b.Version != "" || b.Title != s.builtIn[name].Title {
			t.Errorf("the board %s is not as it came: %+v, %v", name, b, err)
		}
	case err != nil || b.Version != version || b.Title != titles[version]:
		t.Errorf("the board %s is at %s (%s), want %s (%s): %v", name, b.Version, b.Title, version, titles[version], err)
	}
	if len(b.History) == 0 || len(b.History) > keepChanges {
		t.Errorf("the history of %s has %d changes", name, len(b.History))
	}
	for _, h := range b.History {
		if h.Deleted {
			continue
		}
		old, err := s.Get(t.Context(), wire.BoardParams{Name: name, Version: h.Version})
		if err != nil || old.Title != titles[h.Version] {
			t.Errorf("version %s of %s is %q, want %q: %v", h.Version, name, old.Title, titles[h.Version], err)
		}
	}
}

// Of many who have seen the same version, one wins, and the others are told who.
func TestOneOfManyWins(t *testing.T) {
	t.Parallel()
	s, store := open(t, filepath.Join(t.TempDir(), "state.db"))
	defer store.Close()
	var group sync.WaitGroup
	won := make(chan string, 20)
	for i := range 20 {
		group.Go(func() {
			who := fmt.Sprint("user-", i)
			_, err := s.Put(by(who), wire.BoardPutParams{Name: "team", Content: content(who, 1)})
			if err == nil {
				won <- who
			} else if codeOf(err) != wire.CodeConflict || !strings.Contains(err.Error(), "user-") {
				t.Errorf("who lost is told: %v", err)
			}
		})
	}
	group.Wait()
	b, err := s.Get(t.Context(), wire.BoardParams{Name: "team"})
	if winner := <-won; err != nil || len(won) != 0 || b.Author != winner || b.Title != winner {
		t.Errorf("the board is %q by %s, the winner %s, %d more won: %v", b.Title, b.Author, winner, len(won), err)
	}
}

// The built-in boards pass the check of boards, and all their queries are valid.
func TestBuiltIn(t *testing.T) {
	t.Parallel()
	for name, c := range builtIn() {
		if err := check(name, &c, ""); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, p := range c.Panels {
			for _, q := range p.Queries {
				if _, err := parser.NewParser(parser.Options{}).ParseExpr(strings.ReplaceAll(q, "$host", ".*")); err != nil {
					t.Errorf("%s, %s: %q: %v", name, p.Title, q, err)
				}
			}
		}
	}
}

// Each fault of a board is refused, with its place.
func TestFaults(t *testing.T) {
	t.Parallel()
	s, store := open(t, filepath.Join(t.TempDir(), "state.db"))
	defer store.Close()
	panel := wire.BoardPanel{Kind: "chart", Queries: []string{"up"}, W: 6, H: 4}
	with := func(change func(*wire.BoardPanel)) wire.BoardContent {
		p := panel
		change(&p)
		return wire.BoardContent{Title: "t", Panels: []wire.BoardPanel{panel, p}}
	}
	vars := func(v ...wire.BoardVariable) wire.BoardContent { return wire.BoardContent{Title: "t", Variables: v} }
	for want, p := range map[string]wire.BoardPutParams{
		`"Upper" is not a name`:             {Name: "Upper", Content: with(func(*wire.BoardPanel) {})},
		`"../x" is not a name`:              {Name: "../x", Content: with(func(*wire.BoardPanel) {})},
		"title: give a line":                {Name: "x", Content: wire.BoardContent{Title: "a\nb"}},
		"panels: there are 101":             {Name: "x", Content: content("t", maxPanels+1)},
		"message: give":                     {Name: "x", Content: with(func(*wire.BoardPanel) {}), Message: "\x00"},
		`panels[1]: there is no kind "pie"`: {Name: "x", Content: with(func(p *wire.BoardPanel) { p.Kind = "pie" })},
		"panels[1]: x 11, y 0, w 2":         {Name: "x", Content: with(func(p *wire.BoardPanel) { p.X, p.W = 11, 2 })},
		"panels[1]: x 9223372036854775807":  {Name: "x", Content: with(func(p *wire.BoardPanel) { p.X = 1<<63 - 1 })},
		"panels[1]: y 0, h 41":              {Name: "x", Content: with(func(p *wire.BoardPanel) { p.H = 41 })},
		"panels[1]: a text has no queries":  {Name: "x", Content: with(func(p *wire.BoardPanel) { p.Queries = nil })},
		"panels[1]: only the kind text":     {Name: "x", Content: with(func(p *wire.BoardPanel) { p.Text = "x" })},
		"panels[1]: queries[0]":             {Name: "x", Content: with(func(p *wire.BoardPanel) { p.Queries = []string{" "} })},
		"panels[1]: title":                  {Name: "x", Content: with(func(p *wire.BoardPanel) { p.Title = strings.Repeat("x", 101) })},
		`variables[0]: "a-b" is not`:        {Name: "x", Content: vars(wire.BoardVariable{Name: "a-b", Label: "host"})},
		`variables[1]: there are two`:       {Name: "x", Content: vars(wire.BoardVariable{Name: "a", Label: "b"}, wire.BoardVariable{Name: "a", Label: "b"})},
		`variables[0]: "" is not the name`:  {Name: "x", Content: vars(wire.BoardVariable{Name: "a"})},
	} {
		if _, err := s.Put(by("anna"), p); codeOf(err) != rpc.CodeInvalidParams || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	if err := s.Delete(by("anna"), wire.BoardDeleteParams{Name: "fleet"}); codeOf(err) != wire.CodeConflict {
		t.Errorf("a board of the product is deleted: %v", err)
	}
	if err := s.Delete(by("anna"), wire.BoardDeleteParams{Name: "none"}); codeOf(err) != wire.CodeNotFound {
		t.Errorf("a board that is not there is deleted: %v", err)
	}
	if n := len(s.List()); n != 2 {
		t.Errorf("%d boards are there", n)
	}
}
