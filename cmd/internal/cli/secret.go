package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// WriteSecret writes a new file; it never overwrites one, so no token or key in use is
// lost.
func WriteSecret(what, path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("cannot write the %s: %q exists; remove it or choose another file", what, path)
	}
	if err != nil {
		return fmt.Errorf("cannot write the %s: %w", what, err)
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("cannot write the %s: %w", what, err)
	}
	return nil
}
