package plugins

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	runPrefix = "run-"
	lockName  = "lock"
	// maxRunDir is the longest path of a run folder. The rest of a socket's path,
	// which go-plugin adds, and the length of a socket's address, at least 104
	// bytes on any system, are fixed.
	maxRunDir = 60
)

// runDir is the private folder of one pool, for the sockets of its children. It is
// locked for as long as the pool lives, so that a later pool can tell the
// leftovers of a killed agent from folders in use.
type runDir struct {
	path string
	lock *os.File
}

// newRunDir makes a folder in dir. If dir is empty, not writable, or its path is
// too long for a socket, it makes a temporary folder. It removes folders that
// nobody holds any more. instead says why the folder is not in dir, or is nil.
func newRunDir(dir string) (made *runDir, instead error, err error) {
	if dir != "" {
		if dir, err = filepath.Abs(dir); err != nil {
			return nil, nil, fmt.Errorf("cannot find the folder of sockets %q: %w", dir, err)
		}
	}
	var faults []error
	if dir != "" && len(dir)+len(runPrefix)+12 <= maxRunDir {
		if made, err = makeRunDir(dir); err == nil {
			return made, nil, nil
		}
		faults = append(faults, err)
	}
	for _, parent := range []string{os.TempDir(), "/run", "/dev/shm"} {
		if made, err = makeRunDir(filepath.Join(parent, fmt.Sprintf("vedette-%d", os.Getuid()))); err == nil {
			return made, errors.Join(faults...), nil
		}
		faults = append(faults, err)
	}
	return nil, nil, errors.Join(faults...)
}

// makeRunDir makes a folder in dir and removes those there that nobody holds.
func makeRunDir(dir string) (*runDir, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the folder of sockets: %w", err)
	}
	if err := ownPrivate(dir); err != nil {
		return nil, err
	}
	guard, err := lockFile(filepath.Join(dir, lockName), unix.LOCK_EX)
	if err != nil {
		return nil, err
	}
	defer guard.Close() // other pools may start while this one cleans up
	removeStale(dir)
	path, err := os.MkdirTemp(dir, runPrefix)
	if err != nil {
		return nil, fmt.Errorf("cannot make the folder of sockets: %w", err)
	}
	lock, err := lockFile(filepath.Join(path, lockName), unix.LOCK_EX|unix.LOCK_NB)
	if err != nil {
		return nil, err
	}
	return &runDir{path: path, lock: lock}, nil
}

// remove removes the folder.
func (d *runDir) remove() error {
	return errors.Join(os.RemoveAll(d.path), d.lock.Close())
}

// removeStale removes the folders of pools that are gone. A folder that cannot be
// removed is left to the next start.
func removeStale(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if !e.IsDir() || !strings.HasPrefix(e.Name(), runPrefix) {
			continue
		}
		path := filepath.Join(dir, e.Name())
		lock, err := lockFile(filepath.Join(path, lockName), unix.LOCK_EX|unix.LOCK_NB)
		if err != nil {
			continue // in use
		}
		_ = os.RemoveAll(path)
		_ = lock.Close()
	}
}

// ownPrivate makes sure that no other user can put anything into dir.
func ownPrivate(dir string) error {
	var st unix.Stat_t
	if err := unix.Lstat(dir, &st); err != nil {
		return fmt.Errorf("cannot look at the folder of sockets %q: %w", dir, err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR || int(st.Uid) != os.Getuid() {
		return fmt.Errorf("cannot use %q for sockets: it is not a folder of this user; remove it or set another data folder", dir)
	}
	if st.Mode&0o077 == 0 {
		return nil
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return fmt.Errorf("cannot make the folder of sockets private: %w", err)
	}
	return nil
}

func lockFile(path string, how int) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot open the lock of sockets: %w", err)
	}
	for {
		err = unix.Flock(int(file.Fd()), how)
		if err != unix.EINTR {
			break
		}
	}
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("cannot lock %q: %w", path, err)
	}
	return file, nil
}
