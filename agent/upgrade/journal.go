package upgrade

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/vedettehq/vedette/internal/wholefile"
)

// File is the name, in the agent's data folder, of the journal of upgrades.
const File = "upgrade.json"

// journal is what the next start must know.
type journal struct {
	// Revision is the program that was last tried, or runs, and Attempts how often its
	// trial began.
	Revision string `json:"revision,omitempty"`
	Attempts int    `json:"attempts,omitempty"`
	// Failure is why the host went back from Revision, or "".
	Failure string `json:"failure,omitempty"`
	// SHA256 is the checksum of the program that replaced the one with the checksum
	// Before, which is in FILE.old.
	SHA256 string `json:"sha256,omitempty"`
	Before string `json:"before,omitempty"`
}

func readJournal(data string) (j journal, err error) {
	text, err := os.ReadFile(filepath.Join(data, File))
	if errors.Is(err, fs.ErrNotExist) {
		return journal{}, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &j)
	}
	if err != nil {
		return journal{}, fmt.Errorf("cannot read what is known of upgrades: %w", err)
	}
	return j, nil
}

func (j journal) write(data string) error {
	text, err := json.Marshal(j)
	if err == nil {
		err = wholefile.Write(filepath.Join(data, File), string(text))
	}
	if err != nil {
		return fmt.Errorf("cannot note the upgrade: %w", err)
	}
	return nil
}
