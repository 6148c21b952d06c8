package plugins

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/vedettehq/vedette/inspectors"
	pb "github.com/vedettehq/vedette/plugins/proto"
)

const (
	// keptFolder is where the pool stores what runs keep, in its folder of state.
	keptFolder = "kept"
	// maxKept bounds how many inspectors keep something.
	maxKept = 1024
	// keptAge is for how long that of an inspector stays which is not loaded any more, but
	// was not unloaded: it was taken off while the agent was not there.
	keptAge = 30 * 24 * time.Hour
)

// kept has what the runs of each inspector keep for each other: it is handed to each run,
// and replaced by what a run leaves that has ended by itself, before its outcome is
// reported. So a run that dies with its process leaves nothing, and what it has returned is
// returned again; after a death of the agent nothing is returned again that was reported.
//
// Each inspector has a file, which has its name, so that no other one is given it. Files are
// replaced as a whole, and not synced: a power failure may bring an older one back. Without a
// folder, all is in memory.
type kept struct {
	dir string // or empty
	log *slog.Logger

	mu     sync.Mutex
	opened bool                  // guarded by mu, like all below
	states map[string]*keptState // by name
	failed bool                  // the log was told that it cannot be stored
}

// keptState is that of one inspector, from its first run to its removal. kept.mu guards
// it.
type keptState struct {
	name  string
	state []byte // not nil
}

// keptFile is the content of a file.
type keptFile struct {
	Name  string `json:"name"`
	State []byte `json:"state"`
}

func newKept(state string, log *slog.Logger) *kept {
	k := &kept{log: log, states: make(map[string]*keptState)}
	if state != "" {
		k.dir = filepath.Join(state, keptFolder)
	}
	return k
}

// of returns what a run is given, and what the result is to be given to; nil for a run
// whose samples are only shown, and for an inspector beyond the bound.
func (k *kept) of(job Job) (*keptState, []byte) {
	if job.Shown {
		return nil, nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.states[job.Name]
	if s == nil {
		if len(k.states) >= maxKept {
			return nil, nil
		}
		s = &keptState{name: job.Name, state: k.readLocked(job.Name)}
		k.states[job.Name] = s
	}
	return s, s.state
}

// left takes what a run leaves, if its inspector was not removed meanwhile.
func (k *kept) left(s *keptState, r *pb.Result) {
	if s == nil || r.Kept == nil || r.GetStatus() != pb.Status_STATUS_DONE {
		return
	}
	if len(r.Kept) > inspectors.MaxKeptBytes {
		k.log.Warn("what an inspector wants to keep for its next run is too much, and is dropped",
			"inspector", s.name, "bytes", len(r.Kept), "most", inspectors.MaxKeptBytes)
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.states[s.name] != s {
		return
	}
	s.state = r.Kept
	err := k.writeLocked(s)
	if err != nil && !k.failed {
		k.log.Warn("what inspectors keep for their next run cannot be stored; after a restart of the agent they begin where they last could", "reason", err)
	}
	k.failed = err != nil
}

// remove forgets what an inspector has kept.
func (k *kept) remove(name string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.states, name)
	if k.dir == "" {
		return
	}
	if err := os.Remove(k.path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		k.log.Warn("cannot remove what an inspector has kept", "inspector", name, "reason", err)
	}
}

// path is the file of an inspector. A name may be longer than the name of a file.
func (k *kept) path(name string) string {
	sum := sha256.Sum256([]byte(name))
	return filepath.Join(k.dir, hex.EncodeToString(sum[:16])+".json")
}

// readLocked returns what is stored for an inspector.
func (k *kept) readLocked(name string) []byte {
	if k.dir == "" {
		return []byte{}
	}
	k.tidyLocked()
	path := k.path(name)
	text, err := os.ReadFile(path)
	var f keptFile
	if err == nil {
		err = json.Unmarshal(text, &f)
	}
	if err == nil && f.Name != name {
		err = fmt.Errorf("it is of inspector %q", f.Name)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return []byte{}
	case err != nil:
		k.log.Warn("cannot read what an inspector has kept; it begins as if it had kept nothing", "inspector", name, "file", path, "reason", err)
		return []byte{}
	}
	now := time.Now()
	_ = os.Chtimes(path, now, now) // only its age depends on it
	if len(f.State) > inspectors.MaxKeptBytes || f.State == nil {
		return []byte{}
	}
	return f.State
}

// tidyLocked removes files that nobody has used for long, the first time that it is called.
func (k *kept) tidyLocked() {
	if k.opened {
		return
	}
	k.opened = true
	entries, err := os.ReadDir(k.dir)
	if err != nil {
		return // mostly, there is none
	}
	before := time.Now().Add(-keptAge)
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && (info.ModTime().Before(before) || strings.HasSuffix(e.Name(), ".new")) {
			_ = os.Remove(filepath.Join(k.dir, e.Name()))
		}
	}
}

func (k *kept) writeLocked(s *keptState) error {
	if k.dir == "" {
		return nil
	}
	text, err := json.Marshal(keptFile{s.name, s.state})
	if err != nil {
		return err
	}
	if err := os.MkdirAll(k.dir, 0o700); err != nil {
		return err
	}
	path := k.path(s.name)
	if err := os.WriteFile(path+".new", text, 0o600); err != nil {
		return errors.Join(err, os.Remove(path+".new"))
	}
	return os.Rename(path+".new", path)
}
