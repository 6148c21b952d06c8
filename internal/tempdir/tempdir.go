//go:build unix

// Package tempdir makes temporary folders that do not outlive their process for
// long: the leftovers of a killed process are removed by the next one of its kind.
package tempdir

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// lockName is the name of a file in each folder, which is locked while the folder
// is in use.
const lockName = ".in-use"

// Make makes a temporary folder whose name begins with the prefix, and removes
// those of the same prefix that are no longer used. remove removes it.
func Make(prefix string) (folder string, remove func() error, err error) {
	removeAbandoned(prefix)
	folder, err = os.MkdirTemp("", prefix)
	if err != nil {
		return "", nil, fmt.Errorf("cannot make a folder for temporary files: %w", err)
	}
	// Under its name the file is locked from the beginning: others would take one that is
	// not for the leftover of a dead process.
	making := filepath.Join(folder, lockName+"-new")
	lock, err := os.OpenFile(making, os.O_CREATE|os.O_RDWR, 0o600)
	if err == nil {
		err = flock(lock)
	}
	if err == nil {
		err = os.Rename(making, filepath.Join(folder, lockName))
	}
	if err != nil {
		return "", nil, errors.Join(fmt.Errorf("cannot lock the folder for temporary files %q: %w", folder, err), os.RemoveAll(folder))
	}
	return folder, func() error { return errors.Join(os.RemoveAll(folder), lock.Close()) }, nil
}

// removeAbandoned removes the folders whose process is gone. A folder without a
// lock is just being made; one that cannot be opened belongs to another user.
func removeAbandoned(prefix string) {
	folders, err := filepath.Glob(filepath.Join(os.TempDir(), prefix+"*"))
	if err != nil {
		return // the name of the temporary folder is not a valid pattern
	}
	for _, folder := range folders {
		lock, err := os.OpenFile(filepath.Join(folder, lockName), os.O_RDWR|unix.O_NOFOLLOW, 0)
		if err != nil {
			continue
		}
		if flock(lock) == nil {
			_ = os.RemoveAll(folder) // the next process removes the rest
		}
		_ = lock.Close()
	}
}

func flock(file *os.File) error {
	for {
		if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != unix.EINTR {
			return err
		}
	}
}
