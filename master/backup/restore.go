package backup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/vedettehq/vedette/master/state"
)

// RestoringDir is in the folder of a master that is being restored. No master may run
// while it is there: the restore was interrupted, and has to be run again.
const RestoringDir = "restoring"

// maxFaults is how many damaged files are told.
const maxFaults = 20

// Check reads the whole backup in a folder and finds every file that is not as it was,
// up to a bound.
func Check(ctx context.Context, dir string, tell Progress) (*Manifest, error) {
	m, err := ReadManifest(dir)
	if err != nil {
		return nil, explain(dir, err)
	}
	return m, m.each(ctx, tell, func(file File, told func(int64)) error {
		sum, size, err := sumOf(filepath.Join(dir, file.Path))
		told(file.Size)
		return compare(file, sum, size, err)
	})
}

// explain says that a folder holds no backup.
func explain(dir string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no backup in %q: it has no %s, which a backup that was finished has", dir, manifestName)
	}
	return err
}

func compare(file File, sum string, size int64, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%q is missing", file.Path)
	case err != nil:
		return err
	case sum != file.SHA256 || size != file.Size:
		return fmt.Errorf("%q is damaged: it has %d bytes and the checksum %.16s in place of %d and %.16s", file.Path, size, sum, file.Size, file.SHA256)
	}
	return nil
}

// each calls do for every file, and gathers its errors.
func (m *Manifest) each(ctx context.Context, tell Progress, do func(file File, told func(int64)) error) error {
	var faults []error
	done, total := int64(0), m.Bytes()
	for _, file := range m.Files {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := do(file, func(n int64) { tell(done+n, total) }); err != nil {
			if faults = append(faults, err); len(faults) == maxFaults {
				faults = append(faults, errors.New("and perhaps more"))
				break
			}
		}
		done += file.Size
	}
	return errors.Join(faults...)
}

// Restore makes the folder data, which must be empty, that of a master with all that
// a backup has. It checks each file that it copies; where one is damaged, data stays
// empty.
func Restore(ctx context.Context, dir, data string, tell Progress) (*Manifest, error) {
	m, err := ReadManifest(dir)
	if err != nil {
		return nil, explain(dir, err)
	}
	work := filepath.Join(data, RestoringDir)
	if err := empty(data, work); err != nil {
		return nil, err
	}
	err = m.each(ctx, tell, func(file File, told func(int64)) error {
		in, err := os.Open(filepath.Join(dir, file.Path))
		if err != nil {
			return compare(file, "", 0, err)
		}
		defer in.Close()
		to := filepath.Join(work, placeOf(file.Path))
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return err
		}
		sum, size, err := writeFile(ctx, to, in, told)
		return compare(file, sum, size, err)
	})
	if err == nil {
		err = importState(ctx, work)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cannot restore the backup %q: %w", dir, err), os.RemoveAll(work))
	}
	if err := settle(data, work); err != nil {
		return nil, fmt.Errorf("cannot restore the backup into %q: %w", data, err)
	}
	return m, nil
}

// empty makes sure that a folder is there and has nothing in it. It removes the
// leftovers of a restore that was interrupted.
func empty(data, work string) error {
	if err := os.MkdirAll(data, 0o700); err != nil {
		return fmt.Errorf("cannot make the master's folder: %w", err)
	}
	_, err := os.Lstat(work)
	interrupted := err == nil
	entries, err := os.ReadDir(data)
	if err != nil {
		return fmt.Errorf("cannot read the master's folder: %w", err)
	}
	for _, entry := range entries {
		switch {
		case entry.Name() == "lost+found", entry.Name() == RestoringDir:
		case !interrupted:
			return fmt.Errorf("cannot restore into %q: it holds %q; stop the master and move its folder away, or name an empty one with --data", data, entry.Name())
		default:
			if err := os.RemoveAll(filepath.Join(data, entry.Name())); err != nil {
				return fmt.Errorf("cannot remove what an interrupted restore has left: %w", err)
			}
		}
	}
	if err := errors.Join(os.RemoveAll(work), os.Mkdir(work, 0o700)); err != nil {
		return fmt.Errorf("cannot write into the master's folder: %w", err)
	}
	return nil
}

const importName = "state.ndjson"

// placeOf is where a file of a backup goes in the folder of a master.
func placeOf(path string) string {
	if strings.HasPrefix(path, statePrefix) {
		return importName
	}
	if strings.HasPrefix(path, filesPrefix) {
		_, path, _ = strings.Cut(path, "/")
	}
	return filepath.FromSlash(path)
}

// importState makes the file of the state of its export.
func importState(ctx context.Context, work string) error {
	in, err := os.Open(filepath.Join(work, importName))
	if err != nil {
		return err
	}
	defer in.Close()
	store, err := state.Open(filepath.Join(work, state.FileName))
	if err != nil {
		return err
	}
	if err := errors.Join(store.Import(ctx, in), store.Close()); err != nil {
		return fmt.Errorf("the state: %w", err)
	}
	return os.Remove(in.Name())
}

// settle moves everything to its place, the mark of an unfinished restore last.
func settle(data, work string) error {
	entries, err := os.ReadDir(work)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if err := os.Rename(filepath.Join(work, entry.Name()), filepath.Join(data, entry.Name())); err != nil {
			return err
		}
	}
	if err := syncFolder(data); err != nil {
		return err
	}
	return errors.Join(os.Remove(work), syncFolder(data))
}

func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
