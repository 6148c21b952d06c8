package assignment

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/vedettehq/vedette/internal/wholefile"
)

// seenFile is the name, in the agent's data folder, of the file with the numbers of
// signatures that were seen.
const seenFile = "signed.json"

// maxTurns bounds the remembered revisions that have run with one number.
const maxTurns = 8

// seen remembers which signed code this host has run, so that older code is
// refused.
type seen struct {
	log  *slog.Logger
	path string // "" stores nothing

	mu    sync.Mutex
	marks map[string]map[string]mark // by inspector and the id of the key
}

// mark is the highest number that signatures of a key for an inspector have had
// among code that has run here, with the revisions that had it.
type mark struct {
	Number    int64    `json:"number"`
	Revisions []string `json:"revisions"`
}

// openSeen reads the stored marks.
func openSeen(log *slog.Logger, dir string) *seen {
	s := &seen{log: log, marks: make(map[string]map[string]mark)}
	if dir == "" {
		return s
	}
	s.path = filepath.Join(dir, seenFile)
	text, err := os.ReadFile(s.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return s
	case err == nil:
		err = json.Unmarshal(text, &s.marks)
	}
	if err != nil {
		aside, asideErr := wholefile.MoveAside(s.path)
		log.Error("the numbers of signatures that this host has seen are lost: older code could be sent again; look at that file, and sign again the code that should run",
			"reason", err, "moved_to", aside, "error", asideErr)
	}
	if err != nil || s.marks == nil {
		s.marks = make(map[string]map[string]mark)
	}
	return s
}

// of returns the highest mark of the keys of one signer for an inspector.
func (s *seen) of(inspector string, keys ...string) mark {
	var highest mark
	if s == nil {
		return highest
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range keys {
		switch m := s.marks[inspector][key]; {
		case m.Number > highest.Number:
			highest = m
		case m.Number == highest.Number:
			highest.Revisions = append(slices.Clone(highest.Revisions), m.Revisions...)
		}
	}
	return highest
}

// note stores that signed code has run. Only after that can older code be refused.
func (s *seen) note(inspector, key string, number int64, revision string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.marks[inspector][key]
	switch {
	case number < m.Number, number == m.Number && slices.Contains(m.Revisions, revision):
		return
	case number > m.Number:
		m = mark{Number: number}
	}
	m.Revisions = append(slices.Clone(m.Revisions), revision)
	m.Revisions = m.Revisions[max(0, len(m.Revisions)-maxTurns):]
	if s.marks[inspector] == nil {
		s.marks[inspector] = make(map[string]mark)
	}
	s.marks[inspector][key] = m
	if err := s.writeLocked(); err != nil {
		s.log.Error("the numbers of signatures that this host has seen are not kept: after a restart older code could be sent again", "reason", err)
	}
}

func (s *seen) writeLocked() error {
	if s.path == "" {
		return nil
	}
	text, err := json.Marshal(s.marks)
	if err != nil {
		return fmt.Errorf("cannot encode them: %w", err)
	}
	return wholefile.Write(s.path, string(text))
}
