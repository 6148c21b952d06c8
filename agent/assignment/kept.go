package assignment

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/vedettehq/vedette/internal/wholefile"
	"github.com/vedettehq/vedette/rpc/wire"
)

// File is the name, in the agent's data folder, of the file with the
// last assignment.
const File = "assignment.json"

// Kept is the part of its assignment that an agent remembers across restarts.
type Kept struct {
	Assignment wire.Assignment `json:"assignment"`
	// Before holds, by name, the previous items that ran in place of items which
	// were not known to run when this was written. A new start begins with them,
	// so that a revision which does not build finds the one that it was to
	// replace.
	Before map[string]wire.Assigned `json:"before,omitempty"`
}

// keptFile is the content of the file: the Kept, and the hex SHA-256 of its bytes.
type keptFile struct {
	SHA256 string          `json:"sha256"`
	Kept   json.RawMessage `json:"kept"`
}

// errDamaged is wrapped by the error of a file whose content is not as it was
// written.
var errDamaged = errors.New("the file is damaged")

// ReadKept returns what the folder stores, or nil if it stores nothing.
func ReadKept(dir string) (*Kept, error) {
	text, err := os.ReadFile(filepath.Join(dir, File))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var file keptFile
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	if sumOf(file.Kept) != file.SHA256 {
		return nil, fmt.Errorf("%w: its checksum is wrong", errDamaged)
	}
	k := &Kept{}
	if err := json.Unmarshal(file.Kept, k); err != nil {
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	return k, nil
}

// Write replaces the stored file, atomically.
func (k *Kept) Write(dir string) error {
	raw, err := json.Marshal(k)
	if err != nil {
		return err
	}
	text, err := json.Marshal(keptFile{SHA256: sumOf(raw), Kept: raw})
	if err != nil {
		return err
	}
	return wholefile.Write(filepath.Join(dir, File), string(text))
}

func sumOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// openKept returns the stored assignment. It is empty if the agent may not run
// pushed code, or if the file cannot be read, which is logged.
func (s *Assigner) openKept() (k Kept, told bool) {
	if s.Data == "" {
		return Kept{}, false
	}
	path := filepath.Join(s.Data, File)
	if !s.Accepts {
		if _, err := os.Lstat(path); err == nil {
			s.Log.Warn("the inspectors that the master has sent before are not run: agent.accept_pushed_inspectors is not true", "file", path)
		}
		return Kept{}, false
	}
	kept, err := ReadKept(s.Data)
	switch {
	case errors.Is(err, errDamaged):
		aside, asideErr := wholefile.MoveAside(path)
		s.Log.Error("the inspectors that the master has sent before are lost until it sends them again",
			"reason", err, "moved_to", aside, "error", asideErr)
	case err != nil:
		s.Log.Error("cannot read the inspectors that the master has sent before", "file", path, "reason", err)
	case kept != nil:
		return *kept, true
	}
	return Kept{}, false
}
