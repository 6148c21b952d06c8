package artefacts

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/vedettehq/vedette/rpc/wire"
)

// uploads begins the names of incomplete files.
const uploads = ".upload-"

// Errors of a Store.
var (
	// ErrUnknown is wrapped if there is no such program.
	ErrUnknown = errors.New("no such program")
	// ErrName is wrapped if a name is not a SHA-256 in lower-case hex.
	ErrName = errors.New("not a SHA-256: 64 lower-case hex digits")
	// ErrChecksum is wrapped if a program does not match its name.
	ErrChecksum = errors.New("the checksum differs")
	// ErrTooLarge is wrapped if a program exceeds wire.MaxArtefact.
	ErrTooLarge = errors.New("too large")
	// ErrNoFolder is returned by a Store without a folder.
	ErrNoFolder = errors.New("this master has no data folder to keep programs in")
)

// Store is a folder of programs. Its methods may be called concurrently.
type Store struct {
	dir   string
	clean sync.Once // removes the leftovers of a killed master

	// mu keeps Sweep from removing a program that Put or Touch has just refreshed.
	mu sync.Mutex
}

// New makes a store in a folder, which is made when it is first needed. "" is for
// a master that stores nothing: every use is an error.
func New(dir string) *Store { return &Store{dir: dir} }

// Put stores a program, and reports whether it was not there before. The body is
// read to its end, or to the first byte too many.
func (s *Store) Put(sum string, body io.Reader) (created bool, err error) {
	if err := s.check(sum); err != nil {
		return false, err
	}
	_, err = s.Stat(sum)
	created = errors.Is(err, ErrUnknown)
	if err := s.prepare(); err != nil {
		return false, err
	}
	temporary, err := s.receive(sum, body)
	if err != nil {
		return false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := os.Rename(temporary, filepath.Join(s.dir, sum)); err != nil {
		return false, errors.Join(err, os.Remove(temporary))
	}
	return created, syncFolder(s.dir)
}

// prepare makes the folder, and removes incomplete files from it.
func (s *Store) prepare() (err error) {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	s.clean.Do(func() {
		left, _ := filepath.Glob(filepath.Join(s.dir, uploads+"*"))
		for _, file := range left {
			err = errors.Join(err, os.Remove(file))
		}
	})
	return err
}

// receive writes a body to a separate file, if its checksum is sum. Otherwise it
// leaves no file.
func (s *Store) receive(sum string, body io.Reader) (name string, err error) {
	file, err := os.CreateTemp(s.dir, uploads+"*") // 0600
	if err != nil {
		return "", err
	}
	defer func() {
		if err = errors.Join(err, file.Close()); err != nil {
			_ = os.Remove(file.Name()) // and if not now, then when the master starts again
		}
	}()
	hash := sha256.New()
	n, err := io.Copy(io.MultiWriter(file, hash), io.LimitReader(body, wire.MaxArtefact+1))
	if err != nil {
		return "", err
	}
	if n > wire.MaxArtefact {
		return "", fmt.Errorf("%w: a program has at most %d MiB", ErrTooLarge, wire.MaxArtefact>>20)
	}
	if got := hex.EncodeToString(hash.Sum(nil)); got != sum {
		return "", fmt.Errorf("%w: what was sent, %d bytes, has the SHA-256 %s", ErrChecksum, n, got)
	}
	return file.Name(), file.Sync()
}

// Open opens a program for reading.
func (s *Store) Open(sum string) (*os.File, error) {
	if err := s.check(sum); err != nil {
		return nil, err
	}
	file, err := os.Open(filepath.Join(s.dir, sum))
	return file, unknown(sum, err)
}

// Stat describes a stored program.
func (s *Store) Stat(sum string) (wire.Artefact, error) {
	if err := s.check(sum); err != nil {
		return wire.Artefact{}, err
	}
	info, err := os.Lstat(filepath.Join(s.dir, sum))
	if err != nil {
		return wire.Artefact{}, unknown(sum, err)
	}
	return wire.Artefact{SHA256: sum, Size: info.Size()}, nil
}

// Touch is Stat for a program that is about to be named: Sweep treats it as one
// that was stored just now.
func (s *Store) Touch(sum string) (wire.Artefact, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	artefact, err := s.Stat(sum)
	if err != nil {
		return artefact, err
	}
	now := time.Now()
	return artefact, os.Chtimes(filepath.Join(s.dir, sum), now, now)
}

// Sweep removes the programs that are not in keep and were stored or touched
// before a time, and returns them.
func (s *Store) Sweep(keep map[string]bool, before time.Time) (removed []wire.Artefact, err error) {
	list, err := s.List()
	for _, artefact := range list {
		if keep[artefact.SHA256] {
			continue
		}
		gone, removeErr := s.removeOld(artefact.SHA256, before)
		if gone {
			removed = append(removed, artefact)
		}
		err = errors.Join(err, removeErr)
	}
	return removed, err
}

func (s *Store) removeOld(sum string, before time.Time) (gone bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	info, err := os.Lstat(filepath.Join(s.dir, sum))
	if err != nil || !info.ModTime().Before(before) {
		return false, err
	}
	err = s.Remove(sum)
	return err == nil, err
}

// Remove removes a program.
func (s *Store) Remove(sum string) error {
	if err := s.check(sum); err != nil {
		return err
	}
	return unknown(sum, os.Remove(filepath.Join(s.dir, sum)))
}

// List returns every program, by checksum.
func (s *Store) List() ([]wire.Artefact, error) {
	if s.dir == "" {
		return nil, nil
	}
	entries, err := os.ReadDir(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var list []wire.Artefact
	for _, entry := range entries {
		if !isSum(entry.Name()) {
			continue
		}
		artefact, statErr := s.Stat(entry.Name())
		switch {
		case errors.Is(statErr, ErrUnknown): // it was removed meanwhile
		case statErr != nil:
			err = errors.Join(err, statErr)
		default:
			list = append(list, artefact)
		}
	}
	return list, err
}

func (s *Store) check(sum string) error {
	if s.dir == "" {
		return ErrNoFolder
	}
	if !isSum(sum) {
		return fmt.Errorf("%q is %w", sum, ErrName)
	}
	return nil
}

// isSum reports whether a name is that of a program. This also keeps a name inside
// the folder.
func isSum(name string) bool {
	return len(name) == 2*sha256.Size && strings.Trim(name, "0123456789abcdef") == ""
}

func unknown(sum string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %s", ErrUnknown, sum)
	}
	return err
}

// syncFolder makes the rename of a file durable.
func syncFolder(dir string) error {
	folder, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
