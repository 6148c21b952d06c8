package plugins

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/vedettehq/vedette/inspectors"
)

// The journal is a file that says which inspectors are running, so that after a
// death of the agent its next start knows which ones ran then. It is a table of
// records of one size, one for each inspector, after a header of that size:
//
//	header: magic (8 bytes), 1 if it was closed properly (1 byte)
//	record: running (1), consecutive deaths (1), length of the name (1), revision
//	        (32 bytes), name (as long as a key may be)
//
// Only the byte "running" changes with each run. It is written with pwrite and not
// through a mapping. Both survive the death of the agent, because the page is the
// kernel's; but an agent that maps a file dies of SIGBUS when the disk is full or
// somebody truncates the file, whereas a write fails with an error.
//
// A power failure may lose what the kernel has not yet written to the disk. So the
// journal is synced around the first run of every revision since the start: a
// script that takes the machine down when it runs does so then, also at the second
// start.
//
// An inspector that was running at two consecutive deaths is convicted. After one
// it is a suspect until it has had many good runs. Suspects run one at a time, so
// that a second death has only one of them to blame.
type journal struct {
	file *os.File

	mu    sync.Mutex
	lines map[string]*journalLine // guarded by mu, like all below; by name
	count int64                   // records in the file
	err   error                   // the first error of a write; nothing is written after it
}

// journalLine is one record.
type journalLine struct {
	index    int64
	revision string
	proven   bool // a run of the revision has ended since the start
	deaths   byte
	good     int // runs that have ended since the start
}

// convict is a revision that was running at two consecutive deaths.
type convict struct{ name, revision string }

const (
	journalMagic = "VDTRUN1\n"
	recordBytes  = 256
	maxRecords   = 4096
	// absolution is the number of runs after which a death is forgotten.
	absolution = 100

	revisionBytes = 32
	nameAt        = 3 + revisionBytes
)

var _ = [recordBytes - nameAt - inspectors.MaxKeyBytes]struct{}{} // a name fits

// openJournal reads the previous agent's journal, and starts another in its place.
// It returns an error if another agent holds the file.
func openJournal(path string) (*journal, []convict, error) {
	file, err := lockFile(path, unix.LOCK_EX|unix.LOCK_NB)
	if err != nil {
		return nil, nil, fmt.Errorf("%w; is another agent running with this data folder?", err)
	}
	j := &journal{file: file, lines: make(map[string]*journalLine)}
	old, err := io.ReadAll(io.LimitReader(file, (maxRecords+1)*recordBytes))
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("cannot read the journal: %w", err), file.Close())
	}
	convicts, suspects := judge(old)
	if err := j.start(suspects); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("cannot begin a journal: %w", err), file.Close())
	}
	return j, convicts, nil
}

// judge reads a journal. After a death, each inspector that was running has one
// death more than before, and all others have none.
func judge(old []byte) (convicts []convict, suspects map[string]*journalLine) {
	suspects = make(map[string]*journalLine)
	if len(old) < recordBytes || string(old[:len(journalMagic)]) != journalMagic {
		return nil, suspects
	}
	died := old[len(journalMagic)] == 0
	for rest := old[recordBytes:]; len(rest) >= recordBytes; rest = rest[recordBytes:] {
		running, deaths, length := rest[0] == 1, rest[1], int(rest[2])
		if length == 0 || length > inspectors.MaxKeyBytes || rest[0] > 1 {
			continue
		}
		name := string(rest[nameAt : nameAt+length])
		revision := hex.EncodeToString(rest[3:nameAt])
		switch {
		case died && running:
			deaths++
		case died:
			deaths = 0
		}
		switch {
		case inspectors.ValidateKey(name) != nil || deaths == 0:
		case deaths >= 2:
			convicts = append(convicts, convict{name, revision})
		default:
			suspects[name] = &journalLine{revision: revision, deaths: deaths}
		}
	}
	return convicts, suspects
}

// start writes the header and the suspects to the emptied file.
func (j *journal) start(suspects map[string]*journalLine) error {
	if err := j.file.Truncate(0); err != nil {
		return err
	}
	header := make([]byte, recordBytes)
	copy(header, journalMagic)
	if _, err := j.file.WriteAt(header, 0); err != nil {
		return err
	}
	for name, s := range suspects {
		if err := j.writeLocked(name, s); err != nil {
			return err
		}
	}
	return j.file.Sync()
}

// writeLocked writes a whole record, a new one at the end.
func (j *journal) writeLocked(name string, l *journalLine) error {
	if j.lines[name] == nil {
		if j.count >= maxRecords {
			return nil // more inspectors than any agent should have; the rest are not judged
		}
		j.count++
		l.index = j.count
	}
	record := make([]byte, recordBytes)
	record[1], record[2] = l.deaths, byte(len(name))
	if _, err := hex.Decode(record[3:nameAt], []byte(l.revision)); err != nil {
		return err
	}
	copy(record[nameAt:], name)
	j.lines[name] = l
	_, err := j.file.WriteAt(record, l.index*recordBytes)
	return err
}

// enroll says which revision runs under a name. A new revision does not bear the
// deaths of the previous one.
func (j *journal) enroll(name, revision string) {
	if j == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	l := j.lines[name]
	if l != nil && l.revision == revision {
		return
	}
	fresh := &journalLine{revision: revision}
	if l != nil {
		fresh.index = l.index
	}
	j.keepLocked(j.writeLocked(name, fresh))
}

// suspects reports whether an inspector was running when the agent died, and has
// not proved itself since.
func (j *journal) suspects(name string) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	l := j.lines[name]
	return l != nil && l.deaths > 0
}

// begin says that inspectors run from now on. For revisions that have not had a
// run yet, it returns only when that is safe on the disk.
func (j *journal) begin(names []string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	fresh := false
	for _, name := range names {
		if l := j.lines[name]; l != nil {
			j.markLocked(l, 1)
			fresh = fresh || !l.proven
		}
	}
	if fresh && j.err == nil {
		j.keepLocked(j.file.Sync())
	}
}

// end says that a run has ended.
func (j *journal) end(name string) {
	if j == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	l := j.lines[name]
	if l == nil {
		return
	}
	j.markLocked(l, 0)
	if l.good++; l.deaths > 0 && l.good >= absolution {
		l.deaths = 0
		j.keepLocked(j.writeLocked(name, l))
	}
	if !l.proven && j.err == nil {
		l.proven = true
		j.keepLocked(j.file.Sync())
	}
}

// forgive forgets the deaths at which an inspector was running.
func (j *journal) forgive(name string) {
	if j == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if l := j.lines[name]; l != nil && l.deaths > 0 {
		l.deaths = 0
		j.keepLocked(j.writeLocked(name, l))
	}
}

func (j *journal) markLocked(l *journalLine, running byte) {
	if j.err != nil {
		return
	}
	_, err := j.file.WriteAt([]byte{running}, l.index*recordBytes)
	j.keepLocked(err)
}

func (j *journal) keepLocked(err error) {
	if j.err == nil && err != nil {
		j.err = fmt.Errorf("cannot write the journal: %w", err)
	}
}

// close says that the agent has ended properly. It returns the first error of all
// writes.
func (j *journal) close() error {
	if j == nil {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err == nil {
		_, err := j.file.WriteAt([]byte{1}, int64(len(journalMagic)))
		j.keepLocked(err)
		j.keepLocked(j.file.Sync())
	}
	return errors.Join(j.err, j.file.Close())
}
