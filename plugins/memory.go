package plugins

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
	"time"
)

// memory is the knowledge of a pool that outlives the agent: the quarantined
// inspectors, in quarantineFile, and the running ones, in a journal. Without a
// folder a memory remembers quarantines for as long as the process lives, and
// nothing else.
//
// If the folder cannot be used, the log says so once and the pool continues
// without it: an agent whose disk is full still measures.
type memory struct {
	dir string // or empty
	log *slog.Logger

	once    sync.Once
	journal *journal // nil if there is none; set by open

	mu      sync.Mutex
	records []quarantineRecord // guarded by mu; oldest first
}

// quarantineRecord is one revision that is in quarantine, or has been on probation
// since.
type quarantineRecord struct {
	Name     string `json:"name"`
	Revision string `json:"revision"`
	Verdict  string `json:"verdict"` // why it is quarantined, for people
	Reason   string `json:"reason"`  // of the last death
	Crashes  uint64 `json:"crashes"`
	Times    int    `json:"times,omitempty"`  // consecutive quarantines
	Killer   bool   `json:"killer,omitempty"` // it was running when the agent died
	SinceMS  int64  `json:"since_ms"`
}

const (
	quarantineFile = "quarantine.json"
	journalFile    = "running"
	// maxQuarantined bounds the file, which has one record for each revision.
	maxQuarantined = 256
)

func newMemory(dir string, log *slog.Logger) *memory { return &memory{dir: dir, log: log} }

// open reads the stored records, the first time that it is called.
func (m *memory) open() {
	m.once.Do(func() {
		if m.dir == "" {
			return
		}
		if err := m.read(); err != nil {
			m.log.Error("cannot tell who is quarantined", "reason", err)
		}
		j, convicts, err := openJournal(filepath.Join(m.dir, journalFile))
		if err != nil {
			m.log.Error("cannot keep a journal of what is running; an inspector that kills the agent will not be found out", "reason", err)
		}
		m.journal = j
		for _, c := range convicts {
			const verdict = "it was running when the agent died, twice in a row"
			before, _ := m.record(c.name, c.revision)
			m.quarantine(quarantineRecord{
				Name: c.name, Revision: c.revision, Verdict: verdict, Reason: verdict,
				Crashes: before.Crashes, Times: before.Times + 1, Killer: true, SinceMS: time.Now().UnixMilli(),
			})
		}
	})
}

// read reads quarantineFile. A malformed one is renamed.
func (m *memory) read() error {
	if err := os.MkdirAll(m.dir, 0o700); err != nil {
		return err
	}
	path := filepath.Join(m.dir, quarantineFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := json.Unmarshal(text, &m.records); err != nil {
		m.records = nil
		return fmt.Errorf("%q is damaged and was renamed to %s.bad: %w", path, quarantineFile, errors.Join(err, os.Rename(path, path+".bad")))
	}
	return nil
}

// quarantined returns the record of a revision, if there is one.
func (m *memory) quarantined(name, revision string) (quarantineRecord, bool) {
	m.open()
	return m.record(name, revision)
}

func (m *memory) record(name, revision string) (quarantineRecord, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := m.findLocked(name, revision)
	if i < 0 {
		return quarantineRecord{}, false
	}
	return m.records[i], true
}

func (m *memory) findLocked(name, revision string) int {
	return slices.IndexFunc(m.records, func(r quarantineRecord) bool { return r.Name == name && r.Revision == revision })
}

// quarantine remembers a record until it is released, or many others have come.
func (m *memory) quarantine(r quarantineRecord) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if i := m.findLocked(r.Name, r.Revision); i >= 0 {
		m.records = slices.Delete(m.records, i, i+1)
	}
	m.records = append(m.records, r)
	if more := len(m.records) - maxQuarantined; more > 0 {
		m.records = slices.Delete(m.records, 0, more)
	}
	m.writeLocked()
}

// release forgets a record, and the deaths that the journal has for it.
func (m *memory) release(name, revision string) {
	m.journal.forgive(name)
	m.mu.Lock()
	defer m.mu.Unlock()
	if i := m.findLocked(name, revision); i >= 0 {
		m.records = slices.Delete(m.records, i, i+1)
		m.writeLocked()
	}
}

// writeLocked replaces the file atomically.
func (m *memory) writeLocked() {
	if m.dir == "" {
		return
	}
	text, err := json.MarshalIndent(m.records, "", "  ")
	if err == nil {
		err = replaceFile(filepath.Join(m.dir, quarantineFile), append(text, '\n'))
	}
	if err != nil {
		m.log.Error("cannot remember who is quarantined; after a restart it is run again", "reason", err)
	}
}

// replaceFile writes a file so that it survives a power failure.
func replaceFile(path string, text []byte) error {
	temp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = temp.Write(text)
	err = errors.Join(err, temp.Sync(), temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(temp.Name()))
	}
	return syncFolder(filepath.Dir(path))
}

func syncFolder(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// split separates the tasks of inspectors that were running when the agent died
// from the others.
func (m *memory) split(tasks []*task) (together, alone []*task) {
	m.open()
	if m.journal == nil {
		return tasks, nil
	}
	for _, t := range tasks {
		if m.journal.suspects(t.job.Name) {
			alone = append(alone, t)
		} else {
			together = append(together, t)
		}
	}
	return together, alone
}

// began is told of tasks before they run.
func (m *memory) began(tasks []*task) {
	if m.journal == nil || len(tasks) == 0 {
		return
	}
	names := make([]string, len(tasks))
	for i, t := range tasks {
		names[i] = t.job.Name
	}
	m.journal.begin(names)
}

// ended is told of each outcome.
func (m *memory) ended(name string) { m.journal.end(name) }

// loaded is told which revision runs under a name from now on.
func (m *memory) loaded(name, revision string) {
	m.open()
	m.journal.enroll(name, revision)
}

// close ends the journal properly.
func (m *memory) close() {
	m.once.Do(func() {}) // without open there is nothing to end
	if err := m.journal.close(); err != nil {
		m.log.Error("cannot close the journal of what is running", "reason", err)
	}
}
