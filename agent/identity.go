package agent

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/vedettehq/vedette/inspectors"
	"github.com/vedettehq/vedette/internal/wholefile"
)

// idFile is the name, in the agent's data folder, of the file with its id.
const idFile = "agent-id"

// loadAgentID returns the id of this installation. If the folder has none, it
// makes one and stores it there. If that fails, the id lasts for this run only,
// and the log says so.
func loadAgentID(log *slog.Logger, dir string) string {
	if dir == "" {
		log.Warn("no data folder is set; the agent's id lasts for this run only")
		return newID()
	}
	path := filepath.Join(dir, idFile)
	text, err := os.ReadFile(path)
	if id := strings.TrimSpace(string(text)); err == nil && validID(id) {
		return id
	}
	switch {
	case err == nil:
		log.Warn("the agent's id is not readable; making another", "file", path)
	case !errors.Is(err, fs.ErrNotExist):
		log.Warn("cannot read the agent's id; it lasts for this run only", "file", path, "error", err)
		return newID()
	}
	id := newID()
	if err := wholefile.Write(path, id+"\n"); err != nil {
		log.Warn("cannot store the agent's id; it lasts for this run only", "file", path, "error", err)
	}
	return id
}

// newID returns 130 random bits in 26 letters and digits.
func newID() string { return strings.ToLower(rand.Text()) }

func validID(id string) bool {
	return len(id) >= 16 && len(id) <= 64 && strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// hostName returns the name that was set, or else the machine's name, made into a
// valid host name.
func hostName(log *slog.Logger, set string) (string, error) {
	if set != "" {
		return set, nil
	}
	name, err := os.Hostname()
	if err != nil {
		return "", fmt.Errorf("cannot find the name of this machine; set agent.host: %w", err)
	}
	fit := sanitizeHost(name)
	if err := inspectors.ValidateHost(fit); err != nil {
		return "", fmt.Errorf("cannot use the name of this machine %q; set agent.host: %w", name, err)
	}
	if fit != name {
		log.Warn("the name of this machine does not fit; set agent.host to choose another", "name", name, "host", fit)
	}
	return fit, nil
}

// sanitizeHost replaces characters that a host name must not have by "-".
func sanitizeHost(name string) string {
	fit := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '-', r == '_', r == '.':
			return r
		}
		return '-'
	}, name)
	fit = strings.TrimLeft(fit, "-_.")
	return fit[:min(len(fit), inspectors.MaxHostBytes)]
}
