package master

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/vedettehq/vedette/master/auth"
)

// keyFragment precedes the key in a link. A browser does not send that part of an
// address.
const keyFragment = "/#key="

// bearerChars are the characters that a token in a header may have (RFC 6750). A file with
// others is damaged.
const bearerChars = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/="

// localKey returns the key in a data folder, and makes it if there is none that can be used.
func localKey(folder string) (string, error) {
	file := filepath.Join(folder, auth.KeyFile)
	text, err := os.ReadFile(file)
	if err == nil {
		if key := strings.TrimSpace(string(text)); len(key) >= 20 && strings.Trim(key, bearerChars) == "" {
			return key, os.Chmod(file, 0o600)
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("cannot read the key for other users of this machine: %w", err)
	}
	key := rand.Text()
	fresh, err := os.CreateTemp(folder, auth.KeyFile+".*") // readable by its user alone
	if err != nil {
		return "", fmt.Errorf("cannot write the key for other users of this machine: %w", err)
	}
	_, err = fresh.WriteString(key + "\n")
	err = errors.Join(err, fresh.Sync(), fresh.Close())
	if err == nil {
		err = os.Rename(fresh.Name(), file)
	}
	if err != nil {
		return "", errors.Join(fmt.Errorf("cannot write the key for other users of this machine: %w", err), os.Remove(fresh.Name()))
	}
	return key, nil
}

// KeyURL returns the address to open, after Ready, for users of this machine who
// are neither the master's own user nor root. It is empty if there are tokens.
func (m *Master) KeyURL() string {
	if m.key == "" {
		return ""
	}
	return m.URL() + keyFragment + m.key
}
